//! Pods and their templates.
//!
//! Invariants: errors come in the API server's order, all of them at once, and a place is written
//! as the server writes it, spelling mistakes included.
//!
//! Models pkg/apis/core/validation/validation.go ValidatePodSpec and what it calls.
//!
//! Reading order: this file, `containers.rs`, `volumes.rs`, `update.rs`, then one subject a file.

mod affinity;
mod annotations;
mod containers;
pub(super) mod environment;
pub(super) mod line_diff;
mod probes;
mod projected;
pub(super) mod resources;
mod security;
mod settings;
mod update;
mod volume_mounts;
pub(super) mod volume_paths;
mod volumes;

use super::object_meta;
use super::path::{Errors, Fields as _, Path, Report as _};
use crate::api::{Kind, Value};

pub(super) use affinity::taint_effect;
pub(super) use containers::one_of;
pub(super) use probes::port_number_or_name;
pub(super) use update::update;

/// A pod's specification with what many checks ask of it.
pub(super) struct Spec<'a> {
    /// `spec`.
    tree: &'a Value,
    /// The pod's name; empty in a template.
    pod_name: &'a str,
    /// Whether it is a pod's and not a template's.
    is_pod: bool,
    /// Whether the pod sees the users of its node.
    host_users: bool,
    /// The names of the resource claims.
    claims: Vec<&'a str>,
}

impl<'a> Spec<'a> {
    fn new(tree: &'a Value, pod_name: &'a str, is_pod: bool) -> Self {
        let host_users = tree.sub("hostUsers").and_then(Value::as_bool).unwrap_or(true);
        let claims = tree.list("resourceClaims").iter().map(|claim| claim.text("name"));
        let claims = claims.filter(|name| !name.is_empty()).collect();
        Spec { tree, pod_name, is_pod, host_users, claims }
    }

    /// The operating system that is asked for, if any.
    fn os(&self) -> Option<&str> {
        self.tree.sub("os").map(|os| os.text("name"))
    }
}

/// A new pod.
///
/// Models ValidatePodCreate.
pub(super) fn create(pod: &Value, errors: &mut Errors) {
    object_meta::create(Kind::Pod, pod, errors);
    metadata_and_spec(pod, errors);
    let path = Path::root("spec");
    let spec = pod.sub("spec").unwrap_or(&Value::Null);
    if !spec.list("ephemeralContainers").is_empty() {
        errors.forbidden(path.child("ephemeralContainers"), "cannot be set on create");
    }
    if !spec.text("nodeName").is_empty() && !spec.list("schedulingGates").is_empty() {
        let detail = "cannot be set until all schedulingGates have been cleared";
        errors.forbidden(path.child("nodeName"), detail);
    }
}

/// A pod with other ephemeral containers.
///
/// Models ValidatePodEphemeralContainersUpdate.
pub(super) fn ephemeral_update(new: &Value, old: &Value, errors: &mut Errors) {
    metadata_and_spec(new, errors);
    let path = Path::root("spec");
    let path = path.child("ephemeralContainers");
    let null = Value::Null;
    let all = |pod: &Value| pod.sub("spec").unwrap_or(&null).list("ephemeralContainers").to_vec();
    let (new, old) = (all(new), all(old));
    for before in &old {
        let name = before.text("name");
        let why = match new.iter().find(|after| after.text("name") == name) {
            None => format!("existing ephemeral containers \"{name}\" may not be removed\n"),
            Some(after) if after != before => {
                format!("existing ephemeral containers \"{name}\" may not be changed\n")
            }
            Some(_) => continue,
        };
        errors.forbidden(&path, why);
    }
}

/// Models validatePodMetadataAndSpec, without the object's metadata.
fn metadata_and_spec(pod: &Value, errors: &mut Errors) {
    let null = Value::Null;
    let meta = pod.sub("metadata").unwrap_or(&null);
    let tree = pod.sub("spec").unwrap_or(&null);
    let meta_path = Path::root("metadata");
    annotations::of_pod(meta, tree, &meta_path.child("annotations"), errors);
    let path = Path::root("spec");
    let spec = Spec::new(tree, meta.text("name"), true);
    pod_spec(&spec, &path, errors);
    if tree.text("serviceAccountName").is_empty() {
        tokens_without_account(tree, &path, errors);
    }
    for list in ["containers", "initContainers"] {
        let list_path = path.child(list);
        for (index, container) in tree.list(list).iter().enumerate() {
            containers::only_for_pods(container, &list_path.index(index), errors);
        }
    }
}

fn tokens_without_account(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let volumes = path.child("volumes");
    for (index, volume) in spec.list("volumes").iter().enumerate() {
        let Some(projected) = volume.sub("projected") else { continue };
        let path = volumes.index(index);
        let path = path.child("projected");
        let sources = path.child("sources");
        for (index, source) in projected.list("sources").iter().enumerate() {
            if source.sub("serviceAccountToken").is_some() {
                let detail = "must not be specified when serviceAccountName is not set";
                errors.forbidden(sources.index(index).child("serviceAccountToken"), detail);
            }
        }
    }
}

/// The template of pods that a controller makes.
///
/// Models ValidatePodTemplateSpec.
pub(super) fn template(template: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let meta = template.sub("metadata").unwrap_or(&null);
    let tree = template.sub("spec").unwrap_or(&null);
    object_meta::labels(meta.sub("labels"), &path.child("labels"), errors);
    let annotations_path = path.child("annotations");
    object_meta::annotations(meta.sub("annotations"), &annotations_path, errors);
    annotations::of_pod(meta, tree, &annotations_path, errors);
    let spec_path = path.child("spec");
    pod_spec(&Spec::new(tree, "", false), &spec_path, errors);
    if !tree.list("ephemeralContainers").is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        errors.forbidden(spec_path.child("ephemeralContainers"), detail);
    }
}

/// Models ValidatePodSpec.
fn pod_spec(spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let tree = spec.tree;
    if tree.int("terminationGracePeriodSeconds").is_none() {
        errors.required(path.child("terminationGracePeriodSeconds"), "");
    }
    let volumes = volumes::volumes(spec, &path.child("volumes"), errors);
    settings::resource_claims(tree, &path.child("resourceClaims"), errors);
    containers::regular(spec, &volumes, &path.child("containers"), errors);
    containers::init(spec, &volumes, &path.child("initContainers"), errors);
    containers::ephemeral(spec, &volumes, &path.child("ephemeralContainers"), errors);
    resources::of_pod(spec, path, errors);
    settings::host_network_ports(spec, &path.child("containers"), errors);
    one_of(tree, "restartPolicy", &["Always", "OnFailure", "Never"], path, errors);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    one_of(tree, "dnsPolicy", &policies, path, errors);
    affinity::node_labels(tree, path, errors);
    security::of_pod(spec, &path.child("securityContext"), errors);
    if let Some(wanted) = tree.sub("affinity") {
        affinity::affinity(wanted, &path.child("affinity"), errors);
    }
    settings::dns_config(tree, &path.child("dnsConfig"), errors);
    settings::gates(tree, path, errors);
    let constraints = tree.list("topologySpreadConstraints");
    affinity::spread_constraints(constraints, &path.child("topologySpreadConstraints"), errors);
    security::host_users(spec, path, errors);
    settings::names_and_numbers(spec, path, errors);
    environment::file_volumes(tree, path, errors);
}
