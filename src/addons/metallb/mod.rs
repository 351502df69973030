//! MetalLB: what makes a Service of type LoadBalancer work without a cloud.
//!
//! Its controller gives addresses, its speakers say that they announce them, and its webhook refuses
//! pools that overlap. Each acts where its pods run, whoever installed them; what they decide is
//! worked out in `trace::metallb`.
//!
//! Models metallb/metallb controller and speaker.
//!
//! Reading order: `controller`, `speaker`, `webhook`.

mod controller;
mod speaker;
mod webhook;

pub(super) use controller::Controller;
pub(super) use speaker::Speakers;
pub(super) use webhook::VALIDATORS;

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::store::{Change, Key, Store};
use crate::trace::metallb::GROUP;
use std::sync::Arc;

/// Whether a Service of type LoadBalancer is for MetalLB: of no class.
fn is_for_metallb(service: &Object) -> bool {
    service.spec().str_at(&["type"]) == Some("LoadBalancer")
        && service.spec().str_at(&["loadBalancerClass"]).is_none()
}

/// The keys of every Service of type LoadBalancer.
fn every_balancer(store: &Store) -> Vec<Key> {
    let services = store.list(Kind::Service).filter(|service| is_for_metallb(service));
    services.map(|service| Key::of(service)).collect()
}

/// Whether a change is one of MetalLB's configuration, and no news of its own.
fn is_configuration(change: &Change) -> bool {
    let name = change.kind.resource().name;
    change.kind.resource().group == GROUP
        && !matches!(name, "ServiceL2Status" | "ServiceBGPStatus" | "ConfigurationState")
        && match (&change.old, &change.new) {
            (Some(old), Some(new)) => {
                old.spec() != new.spec() || old.meta.labels != new.meta.labels
            }
            _ => true,
        }
}

/// Whether more or less than a report of status has changed in an object.
fn differs(old: &Option<Arc<Object>>, new: &Option<Arc<Object>>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            old.content() != new.content()
                || old.meta.labels != new.meta.labels
                || old.meta.annotations != new.meta.annotations
        }
        _ => true,
    }
}
