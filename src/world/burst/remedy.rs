//! Which setting would have saved a request that failed while Pods were replaced.

use super::super::World;
use super::Burst;
use crate::api::pod::{Container, PodSpec};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::store::{ObjectKey, Store};
use crate::trace::chances::Chances;
use crate::trace::{Cause, Failure, Hop, Place, Request, Server};
use std::sync::Arc;

/// How long a `preStop` hook sleeps that a remedy adds: kube-proxy knows after a second at most, a
/// cloud's load balancer a little later.
const SLEEP_SECONDS: i64 = 5;
/// `minReadySeconds` that a remedy sets.
const MIN_READY_SECONDS: i64 = 10;

/// What would have kept requests from failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A `preStop` hook that sleeps: the Pod's process ended before kube-proxy knew.
    PreStop,
    /// More time to end than its `preStop` hook takes: the Pod was killed in the middle of it.
    GracePeriod,
    /// A `readinessProbe`: the Pod counted as Ready before its process listened.
    ReadinessProbe,
    /// `minReadySeconds`: Pods were replaced by others that were Ready for a moment and failed.
    MinReadySeconds,
    /// `maxUnavailable: 0`: the last Pod went before another was Ready.
    MaxUnavailable,
}

impl Remedy {
    /// The setting.
    pub const fn setting(self) -> &'static str {
        match self {
            Remedy::PreStop => "lifecycle.preStop with a sleep of some seconds",
            Remedy::GracePeriod => "a terminationGracePeriodSeconds longer than its preStop hook",
            Remedy::ReadinessProbe => "a readinessProbe",
            Remedy::MinReadySeconds => "minReadySeconds",
            Remedy::MaxUnavailable => "maxUnavailable: 0",
        }
    }

    /// The same in one word, the field's name.
    pub const fn field(self) -> &'static str {
        match self {
            Remedy::PreStop => "preStop",
            Remedy::GracePeriod => "terminationGracePeriodSeconds",
            Remedy::ReadinessProbe => "readinessProbe",
            Remedy::MinReadySeconds => "minReadySeconds",
            Remedy::MaxUnavailable => "maxUnavailable",
        }
    }

    /// The command that gives the setting to what makes the Pods; none where it has none, or is
    /// gone.
    pub fn command(self, store: &Store, burst: &Burst, request: &Request) -> Option<String> {
        let workload = burst.workload.as_ref()?;
        let object = workload.find(store)?;
        let container = workload.container(store)?;
        let of_pod = |spec: &str| format!(r#"{{"spec":{{"template":{{"spec":{spec}}}}}}}"#);
        let of_container = |setting: &str| {
            let name = &container.name;
            of_pod(&format!(r#"{{"containers":[{{"name":"{name}",{setting}}}]}}"#))
        };
        let patch = match self {
            Remedy::PreStop => of_container(&format!(
                r#""lifecycle":{{"preStop":{{"sleep":{{"seconds":{SLEEP_SECONDS}}}}}}}"#
            )),
            Remedy::GracePeriod => {
                let template = object.spec().at(&["template", "spec"])?;
                let seconds = sleep_of(template, &container.name)?.saturating_add(30);
                of_pod(&format!(r#"{{"terminationGracePeriodSeconds":{seconds}}}"#))
            }
            Remedy::ReadinessProbe => {
                let port = container.ports.first()?.container_port;
                let probe = match request.method.is_empty() {
                    true => format!(r#""tcpSocket":{{"port":{port}}}"#),
                    false => format!(r#""httpGet":{{"path":"/","port":{port}}}"#),
                };
                of_container(&format!(r#""readinessProbe":{{"periodSeconds":1,{probe}}}"#))
            }
            Remedy::MinReadySeconds => {
                format!(r#"{{"spec":{{"minReadySeconds":{MIN_READY_SECONDS}}}}}"#)
            }
            Remedy::MaxUnavailable if workload.kind == Kind::Deployment => {
                let rolling =
                    r#"{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":0,"maxSurge":1}}"#;
                format!(r#"{{"spec":{{"strategy":{rolling}}}}}"#)
            }
            Remedy::MaxUnavailable => return None,
        };
        let (word, space) = (workload.word(), workload.flag());
        Some(format!("kubectl patch {word}{space} -p '{patch}'"))
    }
}

/// What makes Pods: a Deployment, a StatefulSet or a DaemonSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub key: ObjectKey,
    /// The container that is asked.
    container: Arc<str>,
}

impl Workload {
    /// What makes the Pods that may answer, if one thing makes all of them.
    pub fn of(store: &Store, chances: &Chances) -> Option<Self> {
        let mut servers = chances.ends.iter().filter_map(|chance| chance.end.as_ref().ok());
        let first = Self::of_server(store, servers.next()?)?;
        servers
            .all(|server| Self::of_server(store, server).as_ref() == Some(&first))
            .then_some(first)
    }

    fn of_server(store: &Store, server: &Server) -> Option<Self> {
        let Server::Pod { pod, container } = server else { return None };
        let owner = |object: &Object| store.by_uid(object.meta.controller()?.uid).cloned();
        let owner_of_pod = owner(store.get(Kind::Pod, pod)?)?;
        let (kind, made_by) = match owner_of_pod.kind {
            Kind::ReplicaSet => (Kind::Deployment, owner(&owner_of_pod)?),
            kind => (kind, owner_of_pod),
        };
        let rolls = matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet);
        let container = container.clone();
        (rolls && made_by.kind == kind).then(|| Workload {
            kind,
            key: ObjectKey::of(&made_by),
            container,
        })
    }

    /// `deployment/web`.
    pub fn word(&self) -> String {
        format!("{}/{}", self.kind.name().to_lowercase(), self.key.name)
    }

    /// ` -n shop`, or nothing in the default namespace.
    pub fn flag(&self) -> String {
        match &*self.key.namespace {
            "default" => String::new(),
            namespace => format!(" -n {namespace}"),
        }
    }

    fn find<'a>(&self, store: &'a Store) -> Option<&'a Arc<Object>> {
        store.get(self.kind, &self.key)
    }

    /// The container that is asked, as the template has it now.
    fn container(&self, store: &Store) -> Option<Container> {
        let template = self.find(store)?.spec().at(&["template", "spec"])?.clone();
        let mut all = PodSpec::from_value(template).containers.into_iter();
        all.find(|container| *container.name == *self.container)
    }

    /// Whether it may take the last Pod away before another is Ready.
    fn may_be_unavailable(&self, store: &Store) -> bool {
        let Some(object) = self.find(store) else { return false };
        if self.kind != Kind::Deployment {
            return false;
        }
        let strategy = object.spec().at(&["strategy"]);
        let of = |key: &str| strategy.and_then(|it| it.at(&["rollingUpdate", key]));
        let replicas = object.spec().int_at(&["replicas"]).unwrap_or(1);
        strategy.and_then(|it| it.str_at(&["type"])) == Some("Recreate")
            || crate::controllers::scaled(of("maxUnavailable"), replicas, false) >= replicas.max(1)
    }
}

/// The seconds that a container's `preStop` hook sleeps.
fn sleep_of(spec: &Value, container: &str) -> Option<i64> {
    let mut all = spec.items_at(&["containers"]).iter();
    let own = all.find(|one| one.str_at(&["name"]) == Some(container))?;
    let hook = own.at(&["lifecycle", "preStop"])?;
    // Of a hook that runs a command, nobody knows how long it takes.
    Some(hook.int_at(&["sleep", "seconds"]).unwrap_or(0))
}

/// What would have saved a request that failed.
pub(super) fn remedy(
    world: &World,
    burst: &Burst,
    failure: &Failure,
    hops: &[Hop],
) -> Option<Remedy> {
    match &failure.cause {
        Cause::NothingListens { pod, .. } => {
            let object = world.find(Kind::Pod, &pod.namespace, &pod.name)?;
            let spec = &object.pod()?.spec;
            if object.meta.is_terminating() {
                return Some(ending(spec, burst));
            }
            // Where nobody ever answers, a probe would only say so.
            let answers = burst.answers.iter().any(|one| one.count > 0);
            let is_probed = spec.containers.iter().any(|it| it.readiness_probe.is_some());
            (answers && !is_probed).then_some(Remedy::ReadinessProbe)
        }
        // The rules still lead to a Pod that is gone.
        Cause::NoSuchAddress(_) => {
            let by_rule = hops.iter().any(|hop| matches!(hop.place, Place::Rule(..)));
            by_rule.then_some(Remedy::PreStop)
        }
        Cause::NoEndpoints { .. } | Cause::NoLocalEndpoints { .. } => no_endpoints(world, burst),
        _ => None,
    }
}

/// Of a Pod that ends while rules still lead to it.
fn ending(spec: &PodSpec, burst: &Burst) -> Remedy {
    let container = burst.workload.as_ref().map(|workload| &*workload.container);
    let sleep = container.and_then(|container| sleep_of(&spec.tree, container));
    let grace = spec.tree.int_at(&["terminationGracePeriodSeconds"]).unwrap_or(30);
    match sleep {
        Some(sleep) if sleep >= grace => Remedy::GracePeriod,
        _ => Remedy::PreStop,
    }
}

/// No Pod was Ready: those that were there are gone, and those that came failed or are not Ready
/// yet.
fn no_endpoints(world: &World, burst: &Burst) -> Option<Remedy> {
    let workload = burst.workload.as_ref()?;
    let wanted = workload.find(world.store())?.spec().int_at(&["replicas"]);
    if wanted == Some(0) {
        return None;
    }
    if workload.may_be_unavailable(world.store()) {
        return Some(Remedy::MaxUnavailable);
    }
    let is_probed = workload.container(world.store())?.readiness_probe.is_some();
    Some(if is_probed { Remedy::MinReadySeconds } else { Remedy::ReadinessProbe })
}
