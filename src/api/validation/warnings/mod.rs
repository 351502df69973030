//! What the API server accepts, but warns of.
//!
//! Models the `WarningsOnCreate` of pkg/registry/*/*/strategy.go.

mod paths;
mod pod;
mod service;

use super::names;
use super::path::{Fields as _, Path};
use super::pod::environment::quantity;
use crate::api::{Kind, Value};

/// The warnings that go with an object, as kubectl prints them after `Warning: `.
///
/// They are the same for a new object and for a changed one whose pods are described anew.
pub fn warnings(kind: Kind, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let template_path = path.child("template");
    let template = spec.sub("template").unwrap_or(&null);
    match kind {
        Kind::Pod => {
            name_of_pods(object, "the Pod's hostname", &mut found);
            pod::pod(object, None, &mut found);
        }
        Kind::Deployment | Kind::ReplicaSet | Kind::Job => {
            name_of_pods(object, "Pod names and hostnames", &mut found);
            pod::pod(template, Some(&template_path), &mut found);
        }
        Kind::DaemonSet | Kind::ReplicationController => {
            pod::pod(template, Some(&template_path), &mut found);
        }
        Kind::StatefulSet => {
            pod::pod(template, Some(&template_path), &mut found);
            let list = path.child("volumeClaimTemplates");
            for (index, claim) in spec.list("volumeClaimTemplates").iter().enumerate() {
                let claim = claim.sub("spec").unwrap_or(&null);
                claim_spec(claim, &list.index(index), &mut found);
            }
            if spec.int("revisionHistoryLimit").is_some_and(|limit| limit < 0) {
                found.push(
                    "spec.revisionHistoryLimit: a negative value retains all historical \
                     revisions; a value >= 0 is recommended"
                        .to_owned(),
                );
            }
        }
        Kind::CronJob => {
            name_of_pods(object, "Pod names and hostnames", &mut found);
            let path = path.child("jobTemplate");
            let path = path.child("spec");
            let path = path.child("template");
            let job = spec.sub("jobTemplate").and_then(|template| template.sub("spec"));
            let template = job.and_then(|job| job.sub("template")).unwrap_or(&null);
            pod::pod(template, Some(&path), &mut found);
        }
        Kind::PodTemplate => {
            let template = object.sub("template").unwrap_or(&null);
            pod::pod(template, Some(&Path::root("template")), &mut found);
        }
        Kind::Service => service::service(object, &mut found),
        Kind::PersistentVolumeClaim => claim_spec(spec, &path, &mut found),
        Kind::Ingress => ingress(object, spec, &mut found),
        Kind::ResourceQuota => quota(spec, &mut found),
        Kind::Endpoints => found.push(
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
                .to_owned(),
        ),
        _ => {}
    }
    found
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
