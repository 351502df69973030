//! What a cluster has beside Kubernetes itself: a cloud's load balancer, an ingress controller, a
//! provisioner of disks, and the workloads that run them.
//!
//! An addon is a control loop like those of the controller manager. It acts only where the cluster
//! has it, which it tells from the store alone: the cloud from the nodes' `providerID`, the others
//! from their classes and from their pods.
//!
//! Reading order: `manifests/`, `cloud_load_balancer.rs`, `ingress_nginx/`, `certgen.rs`,
//! `nginx_gateway/`, `metallb/`, `local_path.rs`.

mod certgen;
mod cloud_load_balancer;
mod ingress_nginx;
mod local_path;
mod metallb;
mod nginx_gateway;

pub use crate::programs::{GATEWAY_API, METALLB, NGINX_GATEWAY, NGINX_GATEWAY_CRDS};
pub use cloud_load_balancer::PROVIDER_PREFIX;

use crate::api::pod::ContainerState;
use crate::api::{Object, Selector};
use crate::store::admission::Webhook;
use crate::store::{Controller, Store};

/// The manifests of the workloads that a cluster for teaching begins with: DNS, kube-proxy, a
/// network plugin, an ingress controller, a default StorageClass.
pub const CLASSROOM: &str =
    concat!(include_str!("manifests/system.yaml"), include_str!("manifests/ingress-nginx.yaml"));

/// Every control loop; their places go on where those of the controller manager end.
pub fn all() -> &'static [&'static dyn Controller] {
    ALL
}

/// Whether a pod of a Deployment runs on a machine that can be reached.
fn has_running_pod(store: &Store, deployment: &Object) -> bool {
    let selector = Selector::from_label_selector(deployment.spec().get("selector"));
    let selector = selector.unwrap_or_default();
    let mut pods = store.pods_matching(&deployment.meta.namespace, &selector);
    pods.any(|object| {
        object.pod().is_some_and(|pod| {
            let mut statuses = pod.status.containers.iter();
            let runs = statuses.any(|it| matches!(it.state, ContainerState::Running { .. }));
            let node = pod.node_name.as_deref().unwrap_or_default();
            runs && !object.meta.is_terminating() && store.silent_since(node).is_none()
        })
    })
}

/// The webhooks that add-ons answer for.
pub fn webhooks() -> &'static [&'static dyn Webhook] {
    WEBHOOKS
}

static WEBHOOKS: &[&dyn Webhook] = &[
    &ingress_nginx::Validator,
    &metallb::VALIDATORS[0],
    &metallb::VALIDATORS[1],
    &metallb::VALIDATORS[2],
    &metallb::VALIDATORS[3],
];

static ALL: &[&dyn Controller] = &[
    &cloud_load_balancer::CloudLoadBalancer,
    &ingress_nginx::IngressNginx,
    &certgen::Certgen,
    &nginx_gateway::NginxGateway,
    &local_path::LocalPath,
    &metallb::Controller,
    &metallb::Speakers,
];
