//! One object of the cluster.

use super::meta::ObjectMeta;
use super::pod::{Pod, PodSpec, PodStatus};
use super::tree::{Tree as _, TreeMut as _};
use super::{Kind, StringMap};
use crate::base::SimTime;
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};

/// Any object of the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its metadata.
    pub meta: ObjectMeta,
    /// Everything else.
    pub body: Body,
}

/// What an object holds beside its metadata.
#[derive(Clone, Debug, PartialEq)]
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

/// `spec.template` of a workload. Its pods share its specification.
#[derive(Clone, Debug, PartialEq)]
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

/// A `v1` Event: that something happened to an object, how often, and when last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The object it happened to.
    pub involved: ObjectReference,
    /// Whether it is a warning rather than normal.
    pub warning: bool,
    /// In one word, `Scheduled`.
    pub reason: Arc<str>,
    /// In a sentence.
    pub message: Arc<str>,
    /// Who says so, `kubelet`.
    pub component: Arc<str>,
    /// On which node, for the kubelet; empty for others.
    pub host: Arc<str>,
    /// When it happened first.
    pub first_timestamp: SimTime,
    /// When it happened last.
    pub last_timestamp: SimTime,
    /// How often.
    pub count: u32,
    /// Whether it is a series of the newer events API (the scheduler's), whose `source` is empty.
    pub from_events_api: bool,
}

/// Which object an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectReference {
    /// Kind.
    pub kind: Kind,
    /// Namespace; empty for kinds without.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// UID.
    pub uid: super::Uid,
    /// A part of it, `spec.containers{nginx}`.
    pub field_path: Option<Arc<str>>,
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
                labels: meta.labels,
                annotations: meta.annotations,
                finalizers: meta.finalizers,
                spec: Arc::new(PodSpec::from_value(spec)),
            })
        };
        self.template.get_or_init(read).as_ref()
    }
}

impl Event {
    fn from_value(value: &Value) -> Self {
        let text = |path: &[&str]| Arc::from(value.str_at(path).unwrap_or_default());
        let time = |key| value.str_at(&[key]).and_then(SimTime::parse_rfc3339).unwrap_or_default();
        let kind = value.str_at(&["involvedObject", "kind"]).unwrap_or_default();
        Event {
            involved: ObjectReference {
                kind: Kind::of_word(kind).unwrap_or(Kind::Pod),
                namespace: text(&["involvedObject", "namespace"]),
                name: text(&["involvedObject", "name"]),
                uid: value
                    .str_at(&["involvedObject", "uid"])
                    .and_then(super::Uid::parse)
                    .unwrap_or_default(),
                field_path: value.str_at(&["involvedObject", "fieldPath"]).map(Arc::from),
            },
            warning: value.str_at(&["type"]) == Some("Warning"),
            reason: text(&["reason"]),
            message: text(&["message"]),
            component: text(&["source", "component"]),
            host: text(&["source", "host"]),
            first_timestamp: time("firstTimestamp"),
            last_timestamp: time("lastTimestamp"),
            count: value
                .int_at(&["count"])
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(1),
            from_events_api: false,
        }
    }

    fn to_value(&self) -> Value {
        let mut involved = json!({
            "apiVersion": self.involved.kind.api_version(),
            "kind": self.involved.kind.name(),
            "name": *self.involved.name,
            "uid": self.involved.uid.to_string(),
        });
        if let Some(fields) = involved.as_object_mut() {
            if !self.involved.namespace.is_empty() {
                fields.insert("namespace".into(), (*self.involved.namespace).into());
            }
            if let Some(path) = &self.involved.field_path {
                fields.insert("fieldPath".into(), (**path).into());
            }
        }
        let mut value = json!({
            "eventTime": null,
            "involvedObject": involved,
            "message": *self.message,
            "reason": *self.reason,
            "reportingComponent": *self.component,
            "reportingInstance": *self.host,
            "source": {"component": *self.component},
            "type": if self.warning { "Warning" } else { "Normal" },
            "count": self.count,
            "firstTimestamp": self.first_timestamp.rfc3339(),
            "lastTimestamp": self.last_timestamp.rfc3339(),
        });
        let Some(fields) = value.as_object_mut() else { return value };
        if self.from_events_api {
            fields.insert("action".into(), "Binding".into());
            fields.insert("eventTime".into(), self.first_timestamp.rfc3339_micros().into());
            fields.insert("firstTimestamp".into(), Value::Null);
            fields.insert("lastTimestamp".into(), Value::Null);
            fields.remove("count");
            fields.insert("source".into(), json!({}));
        } else if !self.host.is_empty() {
            fields
                .insert("source".into(), json!({"component": *self.component, "host": *self.host}));
        }
        value
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
