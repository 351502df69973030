//! One object of the cluster.

use super::event::{Event, ObjectReference};
use super::meta::ObjectMeta;
use super::pod::{Pod, PodSpec, PodStatus};
use super::tree::{Tree as _, TreeMut as _};
use super::{Kind, StringMap};
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};

/// Any object of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its metadata.
    pub meta: ObjectMeta,
    /// Everything else.
    pub body: Body,
}

/// What an object holds beside its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A tree: every field but `apiVersion`, `kind`, `metadata` and `status`, and the status.
    Tree {
        /// The fields.
        content: Arc<Content>,
        /// `status`, if the kind has one.
        status: Option<Arc<Value>>,
    },
    /// A pod.
    Pod(Pod),
    /// An event.
    Event(Event),
}

/// The fields of an object that is a tree, with its pod template read at most once.
#[derive(Clone, Debug, Default)]
pub struct Content {
    fields: Value,
    template: OnceLock<Option<PodTemplate>>,
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

// So that an `Arc` of an object is equal to itself without a look at what it holds.
impl Eq for Content {}

/// `spec.template` of a workload. Its pods share its specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodTemplate {
    /// Labels of the pods.
    pub labels: StringMap,
    /// Annotations of the pods.
    pub annotations: StringMap,
    /// Finalizers of the pods.
    pub finalizers: Arc<[Arc<str>]>,
    /// Specification of the pods.
    pub spec: Arc<PodSpec>,
}

impl Object {
    /// An object from its tree, which has its defaults.
    ///
    /// `kind` decides; `apiVersion` and `kind` of the tree are not looked at.
    pub fn from_value(kind: Kind, mut value: Value) -> Self {
        let take = |value: &mut Value, key: &str| {
            value.as_object_mut().and_then(|fields| fields.remove(key)).unwrap_or(Value::Null)
        };
        let meta = ObjectMeta::from_value(&take(&mut value, "metadata"));
        for key in ["apiVersion", "kind"] {
            take(&mut value, key);
        }
        let body = match kind {
            Kind::Pod => {
                let status = take(&mut value, "status");
                let mut pod = Pod::new(Arc::new(PodSpec::from_value(take(&mut value, "spec"))));
                pod.status = PodStatus::from_value(&status, &pod.spec);
                Body::Pod(pod)
            }
            Kind::Event => Body::Event(Event::from_value(&value)),
            _ => {
                let status = take(&mut value, "status");
                let status = (!status.is_null()).then(|| Arc::new(status));
                Body::Tree { content: Arc::new(Content::new(value)), status }
            }
        };
        Object { kind, meta, body }
    }

    /// The whole object as the API shows it.
    pub fn to_value(&self) -> Value {
        let mut value = match &self.body {
            Body::Tree { content, status } => {
                let mut value = content.fields.clone();
                if let (Some(status), Some(fields)) = (status, value.as_object_mut()) {
                    fields.insert("status".into(), (**status).clone());
                }
                value
            }
            Body::Pod(pod) => {
                json!({"spec": pod.spec_value(), "status": pod.status.to_value(&self.meta, pod)})
            }
            Body::Event(event) => event.to_value(),
        };
        if let Some(fields) = value.as_object_mut() {
            fields.insert("apiVersion".into(), self.kind.api_version().into());
            fields.insert("kind".into(), self.kind.name().into());
            fields.insert("metadata".into(), self.meta.to_value());
        }
        value
    }

    /// The fields of a tree object but `metadata` and `status`; an empty object for the others.
    pub fn content(&self) -> &Value {
        match &self.body {
            Body::Tree { content, .. } => &content.fields,
            _ => &Value::Null,
        }
    }

    /// `spec` of a tree object; null for the others.
    pub fn spec(&self) -> &Value {
        self.content().get("spec").unwrap_or(&Value::Null)
    }

    /// `status` of a tree object; null if it has none.
    pub fn status(&self) -> &Value {
        match &self.body {
            Body::Tree { status: Some(status), .. } => status,
            _ => &Value::Null,
        }
    }

    /// The pod, if it is one.
    pub const fn pod(&self) -> Option<&Pod> {
        match &self.body {
            Body::Pod(pod) => Some(pod),
            _ => None,
        }
    }

    /// The pod to change, if it is one.
    pub const fn pod_mut(&mut self) -> Option<&mut Pod> {
        match &mut self.body {
            Body::Pod(pod) => Some(pod),
            _ => None,
        }
    }

    /// The event, if it is one.
    pub const fn event(&self) -> Option<&Event> {
        match &self.body {
            Body::Event(event) => Some(event),
            _ => None,
        }
    }

    /// `spec.template`, read once and then shared; `None` where there is none.
    pub fn pod_template(&self) -> Option<&PodTemplate> {
        match &self.body {
            Body::Tree { content, .. } => content.template(),
            _ => None,
        }
    }

    /// Replaces the fields of a tree object (all but `metadata` and `status`).
    pub fn set_content(&mut self, fields: Value) {
        if let Body::Tree { content, .. } = &mut self.body {
            *content = Arc::new(Content::new(fields));
        }
    }

    /// Replaces `spec` of a tree object.
    pub fn set_spec(&mut self, spec: Value) {
        let mut fields = self.content().clone();
        fields.put(&["spec"], spec);
        self.set_content(fields);
    }

    /// Replaces `status` of a tree object.
    pub fn set_status(&mut self, new: Value) {
        if let Body::Tree { status, .. } = &mut self.body {
            *status = Some(Arc::new(new));
        }
    }

    /// A reference to this object for an event.
    pub fn reference(&self) -> ObjectReference {
        ObjectReference {
            kind: self.kind,
            namespace: self.meta.namespace.clone(),
            name: self.meta.name.clone(),
            uid: self.meta.uid,
            resource_version: self.meta.resource_version,
            field_path: None,
        }
    }
}

impl Content {
    fn new(fields: Value) -> Self {
        let fields = if fields.is_object() { fields } else { Value::Object(Map::new()) };
        Content { fields, template: OnceLock::new() }
    }

    fn template(&self) -> Option<&PodTemplate> {
        let read = || {
            let template = self.fields.at(&["spec", "template"])?;
            let meta = ObjectMeta::from_value(template.get("metadata").unwrap_or(&Value::Null));
            let spec = template.get("spec").cloned().unwrap_or(json!({}));
            Some(PodTemplate {
                annotations: meta.annotations.clone(),
                finalizers: meta.finalizers.clone(),
                labels: meta.labels,
                spec: Arc::new(PodSpec::from_value(spec)),
            })
        };
        self.template.get_or_init(read).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_of_a_manifest_is_lost() {
        let value = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "b", "labels": {"x": "y"}},
            "data": {"k": "v"}, "binaryData": {"z": "AA=="}, "immutable": true
        });
        assert_eq!(Object::from_value(Kind::ConfigMap, value.clone()).to_value(), value);
    }

    #[test]
    fn the_pods_of_a_template_share_one_specification() {
        let value = json!({
            "metadata": {"name": "web"},
            "spec": {"template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "nginx"}]}
            }}
        });
        let mut deployment = Object::from_value(Kind::Deployment, value);
        let first = deployment.pod_template().unwrap().spec.clone();
        deployment.set_status(json!({"replicas": 1}));
        assert!(Arc::ptr_eq(&first, &deployment.pod_template().unwrap().spec));
    }
}
