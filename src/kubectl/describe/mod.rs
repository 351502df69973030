//! `kubectl describe`: one object in words, with what happened to it.
//!
//! Models staging/src/k8s.io/kubectl/pkg/describe/describe.go.
//!
//! Reading order: `text.rs`, `pod.rs`, `workloads.rs`, `network.rs`, `cluster.rs`, then the rest.

mod access;
mod autoscaler;
mod cluster;
mod generic;
mod network;
mod pod;
mod text;
mod workloads;

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::resources;
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::Store;
use std::sync::Arc;
use text::Text;
use workloads::Subject;

/// Shows objects in words.
pub(crate) fn describe(call: &mut Call<'_>) -> Outcome {
    let found = resources::find(call)?;
    let now = call.world.now();
    let described: Vec<String> =
        found.objects.iter().map(|object| object_text(call.world.store(), object, now)).collect();
    if described.is_empty() && found.failures.is_empty() {
        let namespace = call.namespace();
        call.warn(format!("No resources found in {namespace} namespace."));
    }
    call.out.push_str(&described.join("\n\n"));
    Failure::of(found.failures)
}

/// One object in words.
fn object_text(store: &Store, object: &Arc<Object>, now: SimTime) -> String {
    let value = object.to_value();
    let events: Vec<Arc<Object>> = store
        .events_about(&object.meta.namespace, &object.meta.name)
        .filter(|event| {
            event.event().is_some_and(|event| {
                event.involved.kind == object.kind && event.involved.uid == object.meta.uid
            })
        })
        .cloned()
        .collect();
    let mut text = Text::new(now);
    let it = Subject { store, object, value: &value, events: &events };
    match object.kind {
        Kind::Pod => pod::describe(&mut text, &value, &events),
        Kind::Deployment => workloads::deployment(&mut text, &it),
        Kind::ReplicaSet | Kind::ReplicationController => workloads::replica_set(&mut text, &it),
        Kind::StatefulSet => workloads::stateful_set(&mut text, &it),
        Kind::DaemonSet => workloads::daemon_set(&mut text, &it),
        Kind::Job => workloads::job(&mut text, &it),
        Kind::CronJob => workloads::cron_job(&mut text, &it),
        Kind::PodDisruptionBudget => workloads::budget(&mut text, &it),
        Kind::Service => network::service(&mut text, &it),
        Kind::Ingress => network::ingress(&mut text, &it),
        Kind::Endpoints => network::endpoints_object(&mut text, &it),
        Kind::NetworkPolicy => network::network_policy(&mut text, &it),
        Kind::Node => cluster::node(&mut text, &it),
        Kind::Namespace => cluster::namespace(&mut text, &it),
        Kind::ResourceQuota => cluster::quota(&mut text, &it),
        Kind::LimitRange => cluster::limit_range(&mut text, &it),
        Kind::ConfigMap => cluster::config_map(&mut text, &it),
        Kind::Secret => cluster::secret(&mut text, &it),
        Kind::PersistentVolumeClaim => cluster::claim(&mut text, &it),
        Kind::PersistentVolume => cluster::volume(&mut text, &it),
        Kind::StorageClass => cluster::storage_class(&mut text, &it),
        Kind::ServiceAccount => cluster::service_account(&mut text, &it),
        Kind::PriorityClass => cluster::priority_class(&mut text, &it),
        Kind::HorizontalPodAutoscaler => autoscaler::describe(&mut text, &it),
        Kind::Role | Kind::ClusterRole => access::role(&mut text, &it),
        Kind::RoleBinding | Kind::ClusterRoleBinding => access::binding(&mut text, &it),
        _ => generic::describe(&mut text, &it),
    }
    text.finish()
}

/// A pod template in words.
pub(crate) fn template_text(template: &Value, _revision: i64, now: &SimTime) -> String {
    let mut text = Text::new(*now);
    pod::template(&mut text, Some(template));
    text.finish()
}
