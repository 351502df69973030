//! What the API server accepts, but warns of.
//!
//! Models the `WarningsOnCreate` and `WarningsOnUpdate` of pkg/registry/*/*/strategy.go.

mod cluster;
mod paths;
mod pod;
mod service;

use super::names;
use super::path::{Fields as _, Path};
use super::pod::environment::quantity;
use crate::api::{Kind, Value};

/// The warnings that go with an object, new or changed, as kubectl prints them after `Warning: `.
pub fn warnings(kind: Kind, object: &Value, old: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    match kind {
        Kind::Service => service::service(object, &mut found),
        Kind::PersistentVolumeClaim => {
            cluster::claim(object, &mut found);
            claim_spec(spec, &path, &mut found);
        }
        Kind::PersistentVolume => cluster::volume(object, spec, &mut found),
        Kind::StorageClass => cluster::storage_class(object, &mut found),
        Kind::Node => cluster::node(spec, &mut found),
        Kind::NetworkPolicy => cluster::network_policy(spec, &mut found),
        Kind::Endpoints => cluster::endpoints(object, &mut found),
        Kind::EndpointSlice => cluster::endpoint_slice(object, old.is_none(), &mut found),
        Kind::Secret => cluster::secret(object, &mut found),
        Kind::Ingress if old.is_none() => ingress(object, spec, &mut found),
        Kind::ResourceQuota if old.is_none() => quota(spec, &mut found),
        Kind::Other(_) if kind.name() == "CSIDriver" && old.is_none() => {
            cluster::csi_driver(spec, &mut found);
        }
        kind => workload(kind, object, old, &mut found),
    }
    found
}

/// Kinds that describe pods. Of a changed one its template is looked at only if that counts as a
/// new generation.
fn workload(kind: Kind, object: &Value, old: Option<&Value>, found: &mut Vec<String>) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let template_path = path.child("template");
    let template = spec.sub("template").unwrap_or(&null);
    if old.is_none() {
        let part_of = match kind {
            Kind::Pod => Some("the Pod's hostname"),
            Kind::Deployment
            | Kind::ReplicaSet
            | Kind::ReplicationController
            | Kind::Job
            | Kind::CronJob => Some("Pod names and hostnames"),
            _ => None,
        };
        if let Some(part_of) = part_of {
            name_of_pods(object, part_of, found);
        }
    }
    let generation =
        |object: &Value| object.sub("metadata").and_then(|meta| meta.int("generation"));
    let same = old.is_some_and(|old| generation(old) == generation(object));
    if kind == Kind::StatefulSet {
        if !same {
            pod::pod(template, Some(&template_path), found);
        }
        stateful_set(spec, &path, old.is_none(), found);
        return;
    }
    if same || kind == Kind::Pod && old.is_some() {
        return;
    }
    match kind {
        Kind::Pod => pod::pod(object, None, found),
        Kind::Job => {
            indexes(spec, &path, found);
            pod::pod(template, Some(&template_path), found);
        }
        Kind::Deployment | Kind::ReplicaSet | Kind::DaemonSet | Kind::ReplicationController => {
            pod::pod(template, Some(&template_path), found);
        }
        Kind::CronJob => {
            let path = path.child("jobTemplate");
            let path = path.child("spec");
            let job = spec.sub("jobTemplate").and_then(|template| template.sub("spec"));
            let job = job.unwrap_or(&null);
            indexes(job, &path, found);
            let path = path.child("template");
            pod::pod(job.sub("template").unwrap_or(&null), Some(&path), found);
        }
        Kind::PodTemplate => {
            let template = object.sub("template").unwrap_or(&null);
            pod::pod(template, Some(&Path::root("template")), found);
        }
        _ => {}
    }
}

fn stateful_set(spec: &Value, path: &Path<'_>, is_new: bool, found: &mut Vec<String>) {
    let null = Value::Null;
    let list = path.child("volumeClaimTemplates");
    for (index, claim) in spec.list("volumeClaimTemplates").iter().enumerate() {
        let claim = claim.sub("spec").unwrap_or(&null);
        let path = list.index(index);
        // The API server writes this field's name with a capital, and only for changed ones.
        match is_new {
            true => claim_spec(claim, &path, found),
            false => claim_spec(claim, &path.child("Spec"), found),
        }
    }
    if spec.int("revisionHistoryLimit").is_some_and(|limit| limit < 0) {
        found.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a \
             value >= 0 is recommended"
                .to_owned(),
        );
    }
}

/// Models pkg/api/job/warnings.go WarningsForJobSpec.
fn indexes(spec: &Value, path: &Path<'_>, found: &mut Vec<String>) {
    const MOST_COMPLETIONS: i64 = 100_000;
    const MOST_PARALLELISM: i64 = 10_000;
    let above = |field: &str, most: i64| spec.int(field).is_some_and(|number| number > most);
    if spec.text("completionMode") == "Indexed"
        && above("completions", MOST_COMPLETIONS)
        && above("parallelism", MOST_PARALLELISM)
    {
        found.push(format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a \
             parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes \
             when a big number of indexes fail"
        ));
    }
}

/// The name of a workload becomes a part of its pods' host names.
fn name_of_pods(object: &Value, part_of: &str, found: &mut Vec<String>) {
    let name = object.sub("metadata").map_or("", |meta| meta.text("name"));
    let wrong = names::dns_label(name);
    if !wrong.is_empty() {
        let wrong = wrong.join(" ");
        found.push(format!(
            "metadata.name: this is used in {part_of}, which can result in surprising behavior; \
             a DNS label is recommended: [{wrong}]"
        ));
    }
}

/// An amount of bytes that is not whole.
fn fraction(value: Option<&Value>, path: &Path<'_>, found: &mut Vec<String>) {
    let amount = quantity(value).unwrap_or_default();
    if amount.milli_value() % 1000 != 0 {
        found.push(format!(
            "{path}: fractional byte value \"{amount}\" is invalid, must be an integer"
        ));
    }
}

/// Models pkg/api/persistentvolumeclaim/util.go GetWarningsForPersistentVolumeClaimSpec.
fn claim_spec(spec: &Value, path: &Path<'_>, found: &mut Vec<String>) {
    let Some(resources) = spec.sub("resources") else { return };
    let path = path.child("resources");
    for list in ["requests", "limits"] {
        let storage = resources.sub(list).and_then(|list| list.sub("storage"));
        fraction(storage, &path.child(list).key("storage"), found);
    }
}

fn ingress(object: &Value, spec: &Value, found: &mut Vec<String>) {
    const CLASS: &str = "kubernetes.io/ingress.class";
    let annotations = object.sub("metadata").and_then(|meta| meta.sub("annotations"));
    let annotated = annotations.is_some_and(|all| all.sub(CLASS).is_some());
    if annotated && spec.sub("ingressClassName").is_none() {
        found.push(format!(
            "annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"
        ));
    }
}

/// A quota that allows more to be requested than limits allow.
///
/// Models pkg/registry/core/resourcequota/strategy.go WarningsOnCreate.
fn quota(spec: &Value, found: &mut Vec<String>) {
    let null = Value::Null;
    let hard = spec.sub("hard").unwrap_or(&null);
    for resource in ["cpu", "memory", "storage", "ephemeral-storage"] {
        let mut request_name = format!("requests.{resource}");
        if hard.sub(&request_name).is_none() && ["cpu", "memory"].contains(&resource) {
            resource.clone_into(&mut request_name);
        }
        let limit_name = format!("limits.{resource}");
        let pair = quantity(hard.sub(&request_name)).zip(quantity(hard.sub(&limit_name)));
        if let Some((request, limit)) = pair.filter(|(request, limit)| request > limit) {
            found.push(format!(
                "ResourceQuota {request_name} ({request}) should be less than {limit_name} \
                 ({limit})"
            ));
        }
    }
}
