//! Which colour an application has.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, StringMap, Value};
use crate::base::{SimTime, order};
use crate::session::request::is_system;
use crate::store::Store;
use std::collections::BTreeMap;

/// How many colours there are; the styles have as many.
pub const COLOURS: u8 = 7;
/// The colour of what belongs to the cluster itself, and of what belongs to nothing.
const PLAIN: u8 = 5;
/// The labels that name an application, the most usual first.
const APP_LABELS: [&str; 3] = ["app", "app.kubernetes.io/name", "k8s-app"];
const WORKLOADS: [Kind; 6] = [
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
    Kind::ReplicaSet,
];

/// The colours of the applications of a cluster, given in the order in which their workloads were
/// created, so that a new application changes none of the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Palette {
    colours: BTreeMap<String, u8>,
}

impl Palette {
    /// The colours of all that there is.
    pub fn of(store: &Store) -> Self {
        let mut first_seen: BTreeMap<String, SimTime> = BTreeMap::new();
        let mut see = |app: String, created: SimTime| {
            let seen = first_seen.entry(app).or_insert(created);
            *seen = (*seen).min(created);
        };
        for object in WORKLOADS.into_iter().flat_map(|kind| store.list(kind)) {
            if object.meta.controller().is_none() && !is_system(&object.meta.namespace) {
                see(app_of_workload(object), object.meta.creation_timestamp);
            }
        }
        for namespace in store.list(Kind::Namespace) {
            for pod in store.orphans(Kind::Pod, &namespace.meta.name) {
                see(app_of(&pod.meta.labels, &pod.meta.name), pod.meta.creation_timestamp);
            }
        }
        let mut apps: Vec<(SimTime, String)> =
            first_seen.into_iter().map(|(app, seen)| (seen, app)).collect();
        order::sort(&mut apps);
        let colours = apps.into_iter().zip((0..COLOURS).filter(|one| *one != PLAIN).cycle());
        Palette { colours: colours.map(|((_, app), colour)| (app, colour)).collect() }
    }

    /// Whether another palette gives all of these applications the same colours.
    pub fn is_kept_by(&self, other: &Palette) -> bool {
        self.colours.iter().all(|(app, colour)| other.colours.get(app) == Some(colour))
    }

    /// The colour of a Pod.
    pub fn of_pod(&self, pod: &Object) -> u8 {
        let owner = pod.meta.controller().map_or(&*pod.meta.name, |owner| &owner.name);
        self.of_app(&app_of(&pod.meta.labels, owner))
    }

    /// The colour of a workload's Pods.
    pub fn of_workload(&self, workload: &Object) -> u8 {
        let owner = workload.meta.controller().map_or(&*workload.meta.name, |owner| &owner.name);
        let labels = workload.pod_template().map(|template| &template.labels);
        self.of_app(&labels.map_or_else(|| owner.to_owned(), |labels| app_of(labels, owner)))
    }

    /// The colour of the Pods that a Service's selector means.
    pub fn of_selector(&self, selector: Option<&Value>) -> u8 {
        let app = APP_LABELS.iter().find_map(|label| selector?.str_at(&[label]));
        app.map_or(PLAIN, |app| self.of_app(app))
    }

    fn of_app(&self, app: &str) -> u8 {
        self.colours.get(app).copied().unwrap_or(PLAIN)
    }
}

fn app_of_workload(object: &Object) -> String {
    let labels = object.pod_template().map(|template| &template.labels);
    labels.map_or_else(|| object.meta.name.to_string(), |labels| app_of(labels, &object.meta.name))
}

fn app_of(labels: &StringMap, otherwise: &str) -> String {
    let label = APP_LABELS.iter().find_map(|label| labels.get(label));
    label.unwrap_or(otherwise).to_owned()
}
