//! What a cluster has beside Kubernetes itself: a cloud's load balancer, an ingress controller, a
//! provisioner of disks, and the workloads that run them.
//!
//! An addon is a control loop like those of the controller manager. It acts only where the cluster
//! has it, which it tells from the store alone: the cloud from the nodes' `providerID`, the others
//! from their classes and from their pods.
//!
//! Reading order: `manifests/`, `cloud_load_balancer.rs`, `ingress_nginx/`, `certgen.rs`, `metallb/`,
//! `local_path.rs`.

mod certgen;
mod cloud_load_balancer;
mod ingress_nginx;
mod local_path;
mod metallb;

pub use crate::programs::METALLB;
pub use cloud_load_balancer::PROVIDER_PREFIX;

use crate::store::Controller;
use crate::store::admission::Webhook;

/// The manifests of the workloads that a cluster for teaching begins with: DNS, kube-proxy, a
/// network plugin, an ingress controller, a default StorageClass.
pub const CLASSROOM: &str =
    concat!(include_str!("manifests/system.yaml"), include_str!("manifests/ingress-nginx.yaml"));

/// Every control loop; their places go on where those of the controller manager end.
pub fn all() -> &'static [&'static dyn Controller] {
    ALL
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
    &local_path::LocalPath,
    &metallb::Controller,
    &metallb::Speakers,
];
