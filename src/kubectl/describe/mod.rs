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
mod storage;
mod stored;
mod text;
mod volumes;
mod workloads;

use super::call::Call;
use super::failure::{Failure, Outcome, plain};
use super::resources;
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use std::sync::Arc;
use text::Text;
use workloads::Subject;

/// Shows objects in words.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/describe/describe.go Run.
pub(crate) fn describe(call: &mut Call<'_>) -> Outcome {
    if call.args.is_empty() && !call.flags.given("filename") && !call.flags.given("kustomize") {
        return plain(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n",
        );
    }
    let found = resources::find(call)?;
    let one = found.failures.is_empty() && found.objects.len() <= 1;
    let show_events = match call.flags.given("show-events") {
        true => call.flags.on("show-events"),
        false => one,
    };
    if let ([failure], [kind_word, prefix]) = (found.failures.as_slice(), call.args.as_slice())
        && failure.is_not_found()
    {
        let (kind_word, prefix) = (kind_word.clone(), prefix.clone());
        return match describe_by_prefix(call, &kind_word, &prefix, show_events)? {
            true => Ok(()),
            false => Failure::of(found.failures),
        };
    }
    let described: Vec<String> =
        found.objects.iter().map(|object| object_text(call, object, show_events)).collect();
    if described.is_empty() && found.failures.is_empty() {
        let text = match call.all_namespaces() {
            true => "No resources found".to_owned(),
            false => format!("No resources found in {} namespace.", call.namespace()),
        };
        call.warn(text);
    }
    for why in found.kinds.iter().copied().filter_map(crate::store::deprecation) {
        call.warn(format!("Warning: {why}"));
    }
    call.out.push_str(&described.join("\n\n"));
    Failure::of(found.failures)
}

/// Shows the objects whose name begins so; says whether there is one.
///
/// Models describe.go DescribeMatchingResources.
fn describe_by_prefix(
    call: &mut Call<'_>,
    word: &str,
    prefix: &str,
    show_events: bool,
) -> Result<bool, Failure> {
    let kind = resources::kind_of(call.world.store(), word)?;
    let all = resources::list(call, kind)?;
    let chosen: Vec<_> =
        all.into_iter().filter(|object| object.meta.name.starts_with(prefix)).collect();
    for object in &chosen {
        let text = object_text(call, object, show_events);
        call.say(text);
    }
    Ok(!chosen.is_empty())
}

/// One object in words.
fn object_text(call: &Call<'_>, object: &Arc<Object>, show_events: bool) -> String {
    let (store, now) = (call.world.store(), call.world.now());
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
    let mut text = Text::new(now, show_events);
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
        Kind::EndpointSlice => network::endpoint_slice(&mut text, &it),
        Kind::Ingress => network::ingress(&mut text, &it),
        Kind::IngressClass => network::ingress_class(&mut text, &it),
        Kind::Endpoints => network::endpoints_object(&mut text, &it),
        Kind::NetworkPolicy => network::network_policy(&mut text, &it),
        Kind::Node => cluster::node(&mut text, &it),
        Kind::Namespace => cluster::namespace(&mut text, &it),
        Kind::ResourceQuota => cluster::quota(&mut text, &it),
        Kind::LimitRange => cluster::limit_range(&mut text, &it),
        Kind::ConfigMap => storage::config_map(&mut text, &it),
        Kind::Secret => storage::secret(&mut text, &it),
        Kind::PersistentVolumeClaim => storage::claim(&mut text, &it),
        Kind::PersistentVolume => storage::volume(&mut text, &it),
        Kind::StorageClass => storage::storage_class(&mut text, &it),
        Kind::ServiceAccount => access::service_account(&mut text, &it),
        Kind::PriorityClass => cluster::priority_class(&mut text, &it),
        Kind::HorizontalPodAutoscaler => autoscaler::describe(&mut text, &it),
        Kind::Role | Kind::ClusterRole => access::role(&mut text, &it),
        Kind::RoleBinding | Kind::ClusterRoleBinding => access::binding(&mut text, &it),
        _ if stored::describe(&mut text, &it) => {}
        _ => generic::describe(&mut text, &it),
    }
    text.finish()
}

/// A pod template in words, its columns not aligned.
pub(crate) fn template_text(template: &Value, now: SimTime) -> String {
    let mut text = Text::new(now, false);
    pod::template(&mut text, Some(template));
    text.raw()
}
