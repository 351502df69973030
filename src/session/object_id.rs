//! How the page names one object.

use crate::api::{Kind, Object};
use std::sync::Arc;

/// Names one object: enough to find it, to say it, and to key it on the page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId {
    /// The kind.
    pub kind: Kind,
    /// The namespace; empty for kinds without one.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl ObjectId {
    /// The object of that kind, namespace and name.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        ObjectId { kind, namespace: namespace.into(), name: name.into() }
    }

    /// The name of an object of the store.
    pub fn of(object: &Object) -> Self {
        let meta = &object.meta;
        ObjectId { kind: object.kind, namespace: meta.namespace.clone(), name: meta.name.clone() }
    }

    /// A text that is unique among all objects, for keys and ids: `pod/default/web`.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.kind.resource().singular, self.namespace, self.name)
    }

    /// The words that name it on kubectl's command line: `pod web -n default`.
    pub fn words(&self) -> String {
        let kind = self.kind.resource().singular;
        match &*self.namespace {
            "" => format!("{kind} {}", self.name),
            "default" => format!("{kind} {}", self.name),
            namespace => format!("{kind} {} -n {namespace}", self.name),
        }
    }
}
