//! What people have asked for beside Pods, Services and Ingresses: the records of the control
//! plane, by namespace.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::base::{SimTime, order};
use crate::present::palette::Palette;
use crate::present::scene::{RecordChip, Shelf, WorkloadChip};
use crate::session::ObjectId;
use crate::session::request::is_system;
use crate::store::Store;
use crate::trace::gateway;
use crate::world::SET_UP_TIME;

/// Kinds that have a place of their own on the map, and those that Kubernetes makes by itself.
const ELSEWHERE: [Kind; 8] = [
    Kind::Pod,
    Kind::Node,
    Kind::Service,
    Kind::Ingress,
    Kind::Namespace,
    Kind::Event,
    Kind::Lease,
    Kind::ControllerRevision,
];
/// The label of Endpoints that a controller keeps; they have no owner.
const MANAGED: &str = "endpoints.kubernetes.io/managed-by";
/// What the control plane puts into every namespace.
const GIVEN: [(Kind, &str); 2] =
    [(Kind::ConfigMap, "kube-root-ca.crt"), (Kind::ServiceAccount, "default")];

/// The shelves: `default` first, then by name, those of the cluster itself last.
pub(super) fn shelves(store: &Store, palette: &Palette) -> Vec<Shelf> {
    let mut shelves: Vec<Shelf> = store
        .list(Kind::Namespace)
        .map(|namespace| Shelf {
            namespace: Some(ObjectId::of(namespace)),
            system: is_system(&namespace.meta.name),
            is_ending: namespace.meta.is_terminating(),
            workloads: Vec::new(),
            records: Vec::new(),
        })
        .collect();
    let whole = Shelf {
        namespace: None,
        system: false,
        is_ending: false,
        workloads: Vec::new(),
        records: Vec::new(),
    };
    shelves.push(whole);
    let gateways = gateway::kind("Gateway");
    let is_here = |kind: &Kind| !ELSEWHERE.contains(kind) && gateways != Some(*kind);
    for kind in Kind::all().filter(is_here) {
        for object in store.list(kind).filter(|object| is_asked_for(object)) {
            let namespace = &object.meta.namespace;
            let is_its = |shelf: &&mut Shelf| match &shelf.namespace {
                Some(id) => id.name == *namespace,
                None => namespace.is_empty(),
            };
            let Some(shelf) = shelves.iter_mut().find(is_its) else { continue };
            match workload(object, palette) {
                Some(chip) => shelf.workloads.push(chip),
                None => shelf.records.push(record(object)),
            }
        }
    }
    shelves.retain(|shelf| shelf.namespace.is_some() || !shelf.records.is_empty());
    order::sort_by_key(&mut shelves, |shelf| {
        let name = shelf.namespace.as_ref().map(|id| id.name.clone());
        let is_empty = shelf.workloads.is_empty() && shelf.records.is_empty();
        (shelf.system && is_empty, name.is_none(), name.as_deref() != Some("default"), name)
    });
    shelves
}

/// Whether somebody asked for an object, rather than a controller or the set-up of the cluster.
fn is_asked_for(object: &Object) -> bool {
    let created = object.meta.creation_timestamp;
    object.meta.controller().is_none()
        && object.meta.labels.get(MANAGED).is_none()
        && created.since(SimTime::WORLD_START) >= SET_UP_TIME
        && !GIVEN.iter().any(|(kind, name)| object.kind == *kind && &*object.meta.name == *name)
}

/// A workload in numbers, as the columns of `kubectl get` count them.
fn workload(object: &Object, palette: &Palette) -> Option<WorkloadChip> {
    let (spec, status) = (object.spec(), object.status());
    let count = |key: &str| {
        status.int_at(&[key]).and_then(|count| u32::try_from(count).ok()).unwrap_or_default()
    };
    let asked =
        |key: &str| spec.int_at(&[key]).and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
    let word = |key: &str, word: &str| match spec.bool_at(&[key]) {
        Some(true) => word.to_owned(),
        _ => String::new(),
    };
    let all = |ready, wanted| (ready, wanted, ready, ready, String::new());
    let (ready, wanted, present, updated, note) = match object.kind {
        Kind::Deployment | Kind::StatefulSet => {
            let (present, updated) = (count("replicas"), count("updatedReplicas"));
            let note = word("paused", "paused");
            (count("readyReplicas"), asked("replicas"), present, updated, note)
        }
        Kind::DaemonSet => {
            let (present, updated) =
                (count("currentNumberScheduled"), count("updatedNumberScheduled"));
            (count("numberReady"), count("desiredNumberScheduled"), present, updated, String::new())
        }
        Kind::ReplicaSet | Kind::ReplicationController => {
            all(count("readyReplicas"), asked("replicas"))
        }
        Kind::Job => {
            let numbers = all(count("succeeded"), asked("completions"));
            (numbers.0, numbers.1, numbers.2, numbers.3, word("suspend", "suspended"))
        }
        Kind::CronJob => {
            let schedule = spec.str_at(&["schedule"]).unwrap_or_default();
            let note = match spec.bool_at(&["suspend"]) {
                Some(true) => "suspended".to_owned(),
                _ => schedule.to_owned(),
            };
            let active = u32::try_from(status.items_at(&["active"]).len()).unwrap_or_default();
            (active, active, active, active, note)
        }
        _ => return None,
    };
    let (id, colour) = (ObjectId::of(object), palette.of_workload(object));
    Some(WorkloadChip { id, colour, ready, wanted, present, updated, note })
}

fn record(object: &Object) -> RecordChip {
    let resource = object.kind.resource();
    RecordChip {
        id: ObjectId::of(object),
        word: resource.short_names.first().copied().unwrap_or(resource.singular),
        is_pending: object.kind == Kind::PersistentVolumeClaim
            && object.status().str_at(&["phase"]) != Some("Bound"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Model, Opening};

    #[test]
    fn everything_that_somebody_asks_for_is_on_a_shelf_and_nothing_else() {
        let mut model = Model::new(Opening::default());
        for line in [
            "kubectl create namespace shop",
            "kubectl create configmap app --from-literal=a=b -n shop",
            "kubectl create secret generic key --from-literal=a=b",
            "kubectl create cronjob tidy --image=busybox --schedule='*/5 * * * *' -- true",
            "kubectl create deployment none --image=nginx --replicas=0",
            "kubectl create job once --image=busybox -- true",
            "kubectl create priorityclass high --value=10",
            "sleep 20",
        ] {
            model.console.execute(&mut model.world, line, None);
        }
        let shelves = shelves(model.world.store(), &Palette::of(model.world.store()));
        let told: Vec<String> = shelves
            .iter()
            .map(|shelf| {
                let name = shelf.namespace.as_ref().map_or("", |id| &id.name);
                let workloads = shelf
                    .workloads
                    .iter()
                    .map(|one| format!("{} {}/{}{}", one.id.name, one.ready, one.wanted, one.note));
                let records =
                    shelf.records.iter().map(|one| format!("{} {}", one.word, one.id.name));
                let all: Vec<String> = workloads.chain(records).collect();
                format!("{name}: {}", all.join(", "))
            })
            .collect();
        assert_eq!(
            told,
            [
                "default: none 0/0, web 3/3, once 1/1, tidy 0/0*/5 * * * *, secret key",
                "shop: cm app",
                ": pc high",
                "ingress-nginx: ",
                "kube-node-lease: ",
                "kube-public: ",
                "kube-system: ",
            ]
        );
    }
}
