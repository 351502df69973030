//! What belongs to a chosen object: the Pods behind a Service, of a workload, under a policy.

use super::survey::{gateway_chip, selected_endpoints};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, Value};
use crate::base::order;
use crate::session::ObjectId;
use crate::store::Store;
use crate::trace::gateway;
use std::sync::Arc;

/// In a cluster with more Pods than this nothing is lit: it could not be seen.
const MOST_PODS: usize = 3_000;

/// What belongs to an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// What belongs to it, sorted.
    lit: Vec<ObjectId>,
    /// What would belong to it but for being not ready, sorted.
    waiting: Vec<ObjectId>,
}

/// How an object stands to the chosen one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// It belongs to it.
    Lit,
    /// It would, but is not ready.
    Waiting,
    /// It does not.
    Faded,
}

impl Relation {
    /// How an object stands to the chosen one.
    pub fn bond(&self, id: &ObjectId) -> Bond {
        let has = |ids: &[ObjectId]| ids.binary_search(id).is_ok();
        match (has(&self.lit), has(&self.waiting)) {
            (true, _) => Bond::Lit,
            (false, true) => Bond::Waiting,
            (false, false) => Bond::Faded,
        }
    }

    /// What belongs to the object, of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &ObjectId> {
        self.lit.iter().filter(move |id| id.kind == kind)
    }
}

/// What belongs to an object; `None` for objects that stand for themselves, such as a Pod.
#[inline(never)]
pub fn relation(store: &Store, id: &ObjectId) -> Option<Relation> {
    if store.count(Kind::Pod) > MOST_PODS {
        return None;
    }
    let object = store.find(id.kind, &id.namespace, &id.name)?;
    let mut found = Relation { lit: vec![id.clone()], waiting: Vec::new() };
    match id.kind {
        Kind::Service => {
            found.behind(store, object);
            let leads = store.list_in(Kind::Ingress, &id.namespace);
            let leads = leads.filter(|ingress| backends(ingress).any(|name| name == &*id.name));
            found.lit.extend(leads.map(|ingress| ObjectId::of(ingress)));
        }
        Kind::Ingress => {
            for name in backends(object) {
                if let Some(service) = store.find(Kind::Service, &id.namespace, name) {
                    found.lit.push(ObjectId::of(service));
                    found.behind(store, service);
                }
            }
        }
        kind if Some(kind) == gateway::kind("Gateway") => {
            for service in gateway_chip(store, object).1 {
                found.lit.push(service.clone());
                if let Some(service) = store.find(service.kind, &service.namespace, &service.name) {
                    found.behind(store, service);
                }
            }
            found.made_by(store, object, 0);
        }
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::CronJob
        | Kind::ReplicationController => found.made_by(store, object, 0),
        Kind::HorizontalPodAutoscaler => {
            let target = |key: &str| object.spec().str_at(&["scaleTargetRef", key]);
            let kind = target("kind").and_then(Kind::of_word)?;
            let scaled = store.find(kind, &id.namespace, target("name")?)?;
            found.lit.push(ObjectId::of(scaled));
            found.made_by(store, scaled, 0);
        }
        Kind::NetworkPolicy => found.selected(store, object, "podSelector"),
        Kind::PodDisruptionBudget => found.selected(store, object, "selector"),
        Kind::ConfigMap | Kind::Secret | Kind::PersistentVolumeClaim | Kind::ServiceAccount => {
            let users = store.list_in(Kind::Pod, &id.namespace).filter(|pod| uses(pod, id));
            found.lit.extend(users.map(|pod| ObjectId::of(pod)));
        }
        Kind::Namespace => {
            let all = Kind::all().flat_map(|kind| store.list_in(kind, &id.name));
            found.lit.extend(all.map(|object| ObjectId::of(object)));
        }
        _ => return None,
    }
    order::sort(&mut found.lit);
    order::sort(&mut found.waiting);
    Some(found)
}

impl Relation {
    /// The Pods behind a Service.
    fn behind(&mut self, store: &Store, service: &Object) {
        let (taking, others) = selected_endpoints(store, service);
        for pod in &taking {
            self.makers(store, pod);
        }
        self.lit.extend(taking);
        self.waiting.extend(others);
    }

    /// What has made an object, and what has made that.
    fn makers(&mut self, store: &Store, id: &ObjectId) {
        let mut at = store.find(id.kind, &id.namespace, &id.name);
        for _ in 0..4 {
            let owner = at.and_then(|object| object.meta.controller());
            at = owner.and_then(|owner| store.by_uid(owner.uid));
            let Some(maker) = at.map(|object| ObjectId::of(object)) else { return };
            if !self.lit.contains(&maker) {
                self.lit.push(maker);
            }
        }
    }

    /// What a workload has made, and what that has made, down to the Pods.
    fn made_by(&mut self, store: &Store, maker: &Object, depth: u32) {
        // A CronJob's Pods are three steps away; owners that a person made up may go in circles.
        for owned in store.owned_by(maker.meta.uid).filter(|_| depth < 4) {
            self.lit.push(ObjectId::of(owned));
            self.made_by(store, owned, depth + 1);
        }
    }

    fn selected(&mut self, store: &Store, object: &Object, key: &str) {
        let selector = Selector::from_label_selector(object.spec().get(key));
        let Some(selector) = selector else { return };
        let pods = store.pods_matching(&object.meta.namespace, &selector);
        self.lit.extend(pods.map(|pod| ObjectId::of(pod)));
    }
}

fn backends(ingress: &Object) -> impl Iterator<Item = &str> {
    let spec = ingress.spec();
    let rules = spec.items_at(&["rules"]).iter();
    let paths = rules.flat_map(|rule| rule.items_at(&["http", "paths"]));
    let backends = paths.filter_map(|path| path.get("backend")).chain(spec.get("defaultBackend"));
    backends.filter_map(|backend| backend.str_at(&["service", "name"]))
}

/// Whether a Pod's specification names a ConfigMap, a Secret, a claim or an account.
fn uses(pod: &Arc<Object>, id: &ObjectId) -> bool {
    let (keys, name): (&[&str], &str) = match id.kind {
        Kind::ConfigMap => (&["configMap", "configMapRef", "configMapKeyRef"], "name"),
        Kind::Secret => (&["secret", "secretRef", "secretKeyRef", "imagePullSecrets"], "name"),
        Kind::PersistentVolumeClaim => (&["persistentVolumeClaim"], "claimName"),
        _ => {
            return pod.pod().is_some_and(|pod| {
                pod.spec.tree.str_at(&["serviceAccountName"]) == Some(&id.name)
            });
        }
    };
    pod.pod().is_some_and(|pod| names(&pod.spec.tree, keys, name, &id.name, false))
}

/// Whether below one of `keys` the field `field` (or `secretName`, as volumes call it) is `name`.
fn names(tree: &Value, keys: &[&str], field: &str, name: &str, is_below: bool) -> bool {
    match tree {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            let is_it = is_below && (key == field || key == "secretName");
            is_it && value.as_str() == Some(name)
                || names(value, keys, field, name, keys.contains(&key.as_str()))
        }),
        Value::Array(items) => items.iter().any(|item| names(item, keys, field, name, is_below)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Model, Opening, Sample};

    fn related(model: &Model, kind: Kind, name: &str, wanted: Kind) -> Vec<String> {
        let id = ObjectId::new(kind, "default", name);
        let relation = relation(model.world.store(), &id).unwrap_or_default();
        let stem = |id: &ObjectId| id.name.split('-').next().unwrap_or_default().to_owned();
        relation.of_kind(wanted).map(stem).collect()
    }

    fn model(sample: Sample, lines: &[&str]) -> Model {
        let mut model = Model::new(Opening { sample, ..Opening::default() });
        for line in lines.iter().chain(&["sleep 20"]) {
            model.console.execute(&mut model.world, line, None);
        }
        model
    }

    #[test]
    fn each_kind_knows_its_pods() {
        let run = |flags: &str| format!("kubectl run {flags} --image=nginx --labels=app=other");
        let model = model(
            Sample::Web,
            &[
                &run("lonely"),
                "kubectl create configmap settings --from-literal=a=b",
                "kubectl set env deployment/web --from=configmap/settings",
                "kubectl autoscale deployment web --min=3 --max=5",
                "kubectl create pdb calm --selector=app=other --min-available=1",
            ],
        );
        let web = ["web", "web", "web"];
        let cases: [(Kind, &str, &[&str]); 6] = [
            (Kind::Deployment, "web", &web),
            (Kind::Service, "web-np", &web),
            (Kind::Ingress, "web", &web),
            (Kind::ConfigMap, "settings", &web),
            (Kind::HorizontalPodAutoscaler, "web", &web),
            (Kind::PodDisruptionBudget, "calm", &["lonely"]),
        ];
        for (kind, name, wanted) in cases {
            assert_eq!(related(&model, kind, name, Kind::Pod), wanted, "{kind:?} {name}");
        }
        assert_eq!(related(&model, Kind::Service, "web-np", Kind::Ingress), ["web"]);
        assert_eq!(related(&model, Kind::Service, "web-np", Kind::Deployment), ["web"]);
        let pod = ObjectId::new(Kind::Pod, "default", "lonely");
        assert_eq!(relation(model.world.store(), &pod), None);
    }

    #[test]
    fn a_claim_and_a_secret_are_found_where_volumes_name_them() {
        let model = model(Sample::State, &[]);
        let store = model.world.store();
        let claim = store.list(Kind::PersistentVolumeClaim).next().map(|it| ObjectId::of(it));
        let claim = claim.expect("the sample asks for disks");
        let users: Vec<ObjectId> =
            relation(store, &claim).unwrap_or_default().of_kind(Kind::Pod).cloned().collect();
        assert_eq!(users.len(), 1);
        assert!(claim.name.ends_with(&*users[0].name));
    }

    #[test]
    fn pods_that_are_not_ready_would_belong_to_the_service() {
        let model =
            model(Sample::Web, &["sleep 20", "kubectl set image deployment/web nginx=nginx:9.9"]);
        let id = ObjectId::new(Kind::Service, "default", "web-np");
        let relation = relation(model.world.store(), &id).unwrap_or_default();
        let pods = model.world.store().list_in(Kind::Pod, "default").map(|pod| ObjectId::of(pod));
        let bonds: Vec<Bond> = pods.map(|pod| relation.bond(&pod)).collect();
        assert!(bonds.contains(&Bond::Lit) && bonds.contains(&Bond::Waiting), "{bonds:?}");
        let system = ObjectId::new(Kind::Pod, "kube-system", "none");
        assert_eq!(relation.bond(&system), Bond::Faded);
    }
}
