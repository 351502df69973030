//! `kubectl get`: the table of each kind, one file a group of kinds.
//!
//! Models pkg/printers/internalversion/printers.go (the API server makes the tables). A printer
//! reads the object as the API shows it, so what a table says is what `-o yaml` says.

mod batch;
mod events;
mod network;
mod nodes;
mod pods;
mod policy;
mod storage;
mod stored;
mod workloads;

pub(crate) use network::with_more;
pub(crate) use nodes::roles;
pub(crate) use stored::{requested_duration, signing_status};

use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};
use crate::base::SimTime;
use crate::base::time::human_duration;

/// A column: its name, and whether only `-o wide` shows it.
type Column = (&'static str, bool);

/// The table of a kind.
pub(crate) struct Printer {
    /// Its columns.
    pub(crate) columns: &'static [Column],
    /// The cells of an object, one for each column.
    pub(crate) row: fn(&Value, &Sight) -> Vec<String>,
}

/// What a printer knows beside the object.
pub(crate) struct Sight {
    /// The present.
    pub(crate) now: SimTime,
    /// Whether `-o wide` asks for all.
    pub(crate) wide: bool,
}

impl Sight {
    /// How long ago a time is; `<unknown>` for no time.
    pub(crate) fn since(&self, time: Option<&str>) -> String {
        let time = time.and_then(SimTime::parse_rfc3339);
        time.map_or_else(|| "<unknown>".to_owned(), |time| human_duration(self.now.since(time)))
    }

    /// The age of an object.
    pub(crate) fn age(&self, object: &Value) -> String {
        self.since(object.str_at(&["metadata", "creationTimestamp"]))
    }
}

/// The name and age alone: kinds without a printer of their own.
const PLAIN: Printer = Printer {
    columns: &[("NAME", false), ("AGE", false)],
    row: |object, sight| vec![name(object), sight.age(object)],
};

/// What custom resources and kinds without a printer get: the time itself.
const CREATED: Printer = Printer {
    columns: &[("NAME", false), ("CREATED AT", false)],
    row: |object, _| vec![name(object), text(object, &["metadata", "creationTimestamp"])],
};

/// The printer of a kind.
pub(crate) fn printer(kind: Kind) -> &'static Printer {
    match kind {
        Kind::Pod => &pods::POD,
        Kind::PodTemplate => &pods::POD_TEMPLATE,
        Kind::ReplicationController => &workloads::REPLICATION_CONTROLLER,
        Kind::Deployment => &workloads::DEPLOYMENT,
        Kind::ReplicaSet => &workloads::REPLICA_SET,
        Kind::StatefulSet => &workloads::STATEFUL_SET,
        Kind::DaemonSet => &workloads::DAEMON_SET,
        Kind::ControllerRevision => &workloads::CONTROLLER_REVISION,
        Kind::HorizontalPodAutoscaler => &workloads::AUTOSCALER,
        Kind::Job => &batch::JOB,
        Kind::CronJob => &batch::CRON_JOB,
        Kind::Service => &network::SERVICE,
        Kind::Endpoints => &network::ENDPOINTS,
        Kind::EndpointSlice => &network::ENDPOINT_SLICE,
        Kind::Ingress => &network::INGRESS,
        Kind::IngressClass => &network::INGRESS_CLASS,
        Kind::NetworkPolicy => &network::NETWORK_POLICY,
        Kind::Node => &nodes::NODE,
        Kind::Namespace => &nodes::NAMESPACE,
        Kind::Lease => &nodes::LEASE,
        Kind::Event => &events::EVENT,
        Kind::ConfigMap => &storage::CONFIG_MAP,
        Kind::Secret => &storage::SECRET,
        Kind::PersistentVolume => &storage::VOLUME,
        Kind::PersistentVolumeClaim => &storage::CLAIM,
        Kind::StorageClass => &storage::STORAGE_CLASS,
        Kind::ResourceQuota => &policy::QUOTA,
        Kind::PodDisruptionBudget => &policy::BUDGET,
        Kind::PriorityClass => &policy::PRIORITY_CLASS,
        Kind::RoleBinding | Kind::ClusterRoleBinding => &policy::ROLE_BINDING,
        Kind::LimitRange | Kind::Role | Kind::ClusterRole | Kind::CustomResourceDefinition => {
            &CREATED
        }
        Kind::Other(_) if !kind.is_custom() => stored::printer(kind),
        Kind::ServiceAccount | Kind::Other(_) => &PLAIN,
    }
}

fn name(object: &Value) -> String {
    text(object, &["metadata", "name"])
}

/// The text at a path, empty if there is none.
pub(crate) fn text(object: &Value, path: &[&str]) -> String {
    object.str_at(path).unwrap_or_default().to_owned()
}

/// The number at a path, 0 if there is none.
pub(crate) fn int(object: &Value, path: &[&str]) -> i64 {
    object.int_at(path).unwrap_or(0)
}

/// A scalar of any type as text, or what stands for none.
pub(crate) fn scalar_or(object: &Value, path: &[&str], none: &str) -> String {
    match object.at(path) {
        None | Some(Value::Null) => none.to_owned(),
        Some(Value::String(text)) if text.is_empty() => none.to_owned(),
        Some(value) => super::go_text::scalar_text(value),
    }
}

/// Names and images of containers, each joined by commas.
pub(crate) fn containers(spec: Option<&Value>) -> (String, String) {
    let items = spec.map_or(&[][..], |spec| spec.items_at(&["containers"]));
    let join = |key: &str| {
        items.iter().map(|c| c.str_at(&[key]).unwrap_or_default()).collect::<Vec<_>>().join(",")
    };
    (join("name"), join("image"))
}

/// A label selector in words, `app=web,tier in (a,b)`; `<none>` if it is empty or absent.
///
/// Models staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go FormatLabelSelector.
pub(crate) fn selector_text(selector: Option<&Value>) -> String {
    let selector = crate::api::Selector::from_label_selector(selector).unwrap_or_default();
    if selector.is_everything() { "<none>".to_owned() } else { selector.to_string() }
}

/// A map in words, `a=b,c=d`; `<none>` if it is empty.
pub(crate) fn map_text(map: Option<&Value>, join: &str) -> String {
    let Some(fields) = map.and_then(Value::as_object).filter(|fields| !fields.is_empty()) else {
        return "<none>".to_owned();
    };
    let pair =
        |(key, value): (&String, &Value)| format!("{key}={}", super::go_text::scalar_text(value));
    fields.iter().map(pair).collect::<Vec<_>>().join(join)
}
