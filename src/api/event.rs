//! Events: what happened to an object.

use super::tree::{Tree as _, TreeMut as _};
use super::{Kind, Uid};
use crate::base::SimTime;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the message of combined events begins with.
pub const COMBINED: &str = "(combined from similar events): ";

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
    /// All fields of one that says what the others here cannot: a person's.
    pub written: Option<Arc<Value>>,
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
    pub uid: Uid,
    /// Which version of it; 0 if that is not said.
    pub resource_version: u64,
    /// A part of it, `spec.containers{nginx}`.
    pub field_path: Option<Arc<str>>,
}

impl Event {
    /// Whether it stands for several similar ones.
    pub fn is_combined(&self) -> bool {
        self.message.starts_with(COMBINED)
    }

    /// Whether the same source says the same kind of thing about the same object, whichever version
    /// and part of it.
    pub fn is_kin(&self, other: &Event) -> bool {
        self.involved.uid == other.involved.uid
            && self.involved.kind == other.involved.kind
            && self.involved.name == other.involved.name
            && self.warning == other.warning
            && self.component == other.component
            && self.host == other.host
            && self.from_events_api == other.from_events_api
    }

    /// What its source was doing, which only the events API asks for.
    ///
    /// Models pkg/scheduler/schedule_one.go and …/framework/preemption/executor.go.
    fn action(&self) -> &'static str {
        match &*self.reason {
            "FailedScheduling" => "Scheduling",
            "Preempted" => "Preempting",
            _ => "Binding",
        }
    }

    /// `Normal`, `Warning`, or what a person wrote.
    pub fn type_text(&self) -> &str {
        match &self.written {
            Some(written) => written.str_at(&["type"]).unwrap_or_default(),
            None if self.warning => "Warning",
            None => "Normal",
        }
    }

    /// Reads an event back.
    pub(super) fn from_value(value: &Value) -> Self {
        let mut event = Event::read(value);
        let mut written = value.clone();
        for key in ["eventTime", "firstTimestamp", "lastTimestamp"] {
            written.put_default(&[key], Value::Null);
        }
        for key in ["reportingComponent", "reportingInstance"] {
            written.put_default(&[key], "");
        }
        for key in ["source", "involvedObject"] {
            written.put_default(&[key], json!({}));
        }
        if event.to_value() != written {
            event.written = Some(Arc::new(written));
        }
        event
    }

    fn read(value: &Value) -> Self {
        let text = |path: &[&str]| Arc::from(value.str_at(path).unwrap_or_default());
        let either = |path: &[&str], other: &[&str]| {
            let own = value.str_at(path).filter(|text| !text.is_empty());
            Arc::from(own.or(value.str_at(other)).unwrap_or_default())
        };
        let time = |path: &[&str]| value.str_at(path).and_then(SimTime::parse_rfc3339);
        // The newer API of events says when alone, and how often in a series.
        let observed = time(&["eventTime"]);
        let first = time(&["firstTimestamp"]).or(observed).unwrap_or_default();
        let last = time(&["series", "lastObservedTime"]).or(time(&["lastTimestamp"]));
        let kind = value.str_at(&["involvedObject", "kind"]).unwrap_or_default();
        let number = |path: &[&str]| value.str_at(path).and_then(|text| text.parse().ok());
        Event {
            involved: ObjectReference {
                kind: Kind::of_word(kind).unwrap_or(Kind::Pod),
                namespace: text(&["involvedObject", "namespace"]),
                name: text(&["involvedObject", "name"]),
                uid: value
                    .str_at(&["involvedObject", "uid"])
                    .and_then(Uid::parse)
                    .unwrap_or_default(),
                resource_version: number(&["involvedObject", "resourceVersion"])
                    .unwrap_or_default(),
                field_path: value.str_at(&["involvedObject", "fieldPath"]).map(Arc::from),
            },
            warning: value.str_at(&["type"]) == Some("Warning"),
            reason: text(&["reason"]),
            message: text(&["message"]),
            component: either(&["source", "component"], &["reportingComponent"]),
            host: either(&["source", "host"], &["reportingInstance"]),
            first_timestamp: first,
            last_timestamp: last.unwrap_or(first),
            count: value
                .int_at(&["series", "count"])
                .or(value.int_at(&["count"]))
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(1),
            from_events_api: observed.is_some(),
            written: None,
        }
    }

    /// All but `apiVersion`, `kind` and `metadata`, as the API shows it.
    #[inline(never)]
    pub(super) fn to_value(&self) -> Value {
        if let Some(written) = &self.written {
            return (**written).clone();
        }
        let mut value = json!({
            "eventTime": null,
            "involvedObject": self.involved.to_value(),
            "message": *self.message,
            "reason": *self.reason,
            "reportingComponent": if self.is_combined() { "" } else { &*self.component },
            "reportingInstance": if self.is_combined() { "" } else { &*self.host },
            "source": {"component": *self.component},
            "type": if self.warning { "Warning" } else { "Normal" },
            "count": self.count,
            "firstTimestamp": self.first_timestamp.rfc3339(),
            "lastTimestamp": self.last_timestamp.rfc3339(),
        });
        let Some(fields) = value.as_object_mut() else { return value };
        if self.from_events_api {
            fields.insert("action".into(), self.action().into());
            fields.insert("eventTime".into(), self.first_timestamp.rfc3339_micros().into());
            fields.insert("firstTimestamp".into(), Value::Null);
            fields.insert("lastTimestamp".into(), Value::Null);
            fields.remove("count");
            fields.insert("source".into(), json!({}));
            if self.count > 1 {
                let last = self.last_timestamp.rfc3339_micros();
                let series = json!({"count": self.count, "lastObservedTime": last});
                fields.insert("series".into(), series);
            }
        } else if !self.host.is_empty() {
            fields
                .insert("source".into(), json!({"component": *self.component, "host": *self.host}));
        }
        value
    }
}

impl ObjectReference {
    /// An object that is only named: the event says neither which UID nor which version it has, and
    /// `kubectl describe` does not find it.
    pub fn by_name(kind: Kind, namespace: Arc<str>, name: Arc<str>) -> Self {
        ObjectReference {
            kind,
            namespace,
            name,
            uid: Uid::default(),
            resource_version: 0,
            field_path: None,
        }
    }

    fn to_value(&self) -> Value {
        let mut value = json!({
            "apiVersion": self.kind.api_version(),
            "kind": self.kind.name(),
            "name": *self.name,
        });
        let Some(fields) = value.as_object_mut() else { return value };
        if self.uid != Uid::default() {
            fields.insert("uid".into(), self.uid.to_string().into());
        }
        if !self.namespace.is_empty() {
            fields.insert("namespace".into(), (*self.namespace).into());
        }
        if self.resource_version != 0 {
            fields.insert("resourceVersion".into(), self.resource_version.to_string().into());
        }
        if let Some(path) = &self.field_path {
            fields.insert("fieldPath".into(), (**path).into());
        }
        value
    }
}
