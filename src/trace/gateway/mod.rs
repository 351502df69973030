//! Gateways as NGINX Gateway Fabric makes them of the Gateway API's objects: which listeners and
//! routes it takes, in which words it refuses others, and where its nginx leads a request.
//!
//! One model serves all who ask: its control loop (see `addons`) writes from it what it says of
//! Gateways and HTTPRoutes, the tracer follows requests by it. That controller was chosen since it
//! is a widely used one whose data plane is nginx, as that of the ingress controller beside it.
//!
//! Invariants: a graph depends on the store alone; nothing is decided twice.
//!
//! Models nginx/nginx-gateway-fabric v2.6 internal/controller.
//!
//! Simplified: HTTPRoutes alone; GRPCRoutes, TLSRoutes, ListenerSets and policies are stored.
//!
//! Reading order: `condition`, `listeners`, `routes`, `hostnames`, `graph`, `locate`, `filters`,
//! `serve` (the hops).

mod condition;
mod filters;
mod graph;
mod hostnames;
mod listeners;
mod locate;
mod routes;
mod serve;
#[cfg(test)]
mod tests;

pub use condition::Condition;
pub use graph::{Gateway, Graph};
pub use listeners::Listener;
pub use routes::{Backend, Parent, Route};
pub use serve::hosts;
pub(super) use serve::public_host;

use crate::api::pod::Container;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::store::{ObjectKey, Store};
use std::sync::Arc;

/// The API group of its kinds.
pub const GROUP: &str = "gateway.networking.k8s.io";
/// The label that says of which Gateway what the controller has made is.
pub const GATEWAY_LABEL: &str = "gateway.networking.k8s.io/gateway-name";
/// The label that says which installation something is of.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// The image of the control plane, without registry and tag.
const CONTROL_PLANE: &str = "/nginx-gateway-fabric";
/// The image of the data plane, without registry and tag.
const DATA_PLANE: &str = "/nginx-gateway-fabric/nginx";

/// A kind of the Gateway API, if its definition was ever there.
pub fn kind(name: &str) -> Option<Kind> {
    let version = if name == "ReferenceGrant" { "v1beta1" } else { "v1" };
    Kind::of_manifest(&format!("{GROUP}/{version}"), name)
}

/// The objects of a kind of the Gateway API.
pub fn objects<'a>(store: &'a Store, name: &str) -> impl Iterator<Item = &'a Arc<Object>> {
    let kind = kind(name).filter(|kind| store.serves(*kind));
    kind.into_iter().flat_map(|kind| store.list(kind))
}

/// Whether a container's image is this one, whatever its tag.
fn is_image(container: &Container, wanted: &str) -> bool {
    let name = container.image.split('@').next().unwrap_or_default();
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
    name.ends_with(wanted)
}

/// Whether a container is the nginx of a Gateway.
pub fn is_data_plane(container: &Container) -> bool {
    is_image(container, DATA_PLANE)
}

/// The Gateway that a pod is the nginx of, and its container.
pub fn gateway_of(pod: &Object) -> Option<(ObjectKey, &Container)> {
    let container = pod.pod()?.spec.containers.iter().find(|it| is_data_plane(it))?;
    let name = pod.meta.labels.get(GATEWAY_LABEL)?;
    Some((ObjectKey::new(&pod.meta.namespace, name), container))
}

/// How a control plane was started.
///
/// Models cmd/gateway/commands.go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fabric {
    /// Its workload.
    pub workload: ObjectKey,
    /// `--gateway-ctlr-name`.
    pub controller: String,
    /// `--gatewayclass`: the one class that is its own.
    pub class: String,
    /// `--service`: where the data planes reach it.
    pub service: String,
    /// `--agent-tls-secret`.
    pub agent_secret: String,
    /// What it and all it makes is called by `app.kubernetes.io/instance`.
    pub instance: String,
    /// Its image.
    pub image: String,
}

impl Fabric {
    /// The control plane that a workload is, if it is one.
    pub fn of_workload(object: &Object) -> Option<Self> {
        let template = object.pod_template()?;
        let container = template.spec.containers.iter().find(|it| is_image(it, CONTROL_PLANE))?;
        let flag = |name: &str| {
            let mut words = container.command.iter();
            let value = words
                .find_map(|word| word.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='));
            value.unwrap_or_default().to_owned()
        };
        container.command.iter().any(|word| word == "controller").then(|| Fabric {
            workload: ObjectKey::of(object),
            controller: flag("gateway-ctlr-name"),
            class: flag("gatewayclass"),
            service: flag("service"),
            agent_secret: flag("agent-tls-secret"),
            instance: template.labels.get(INSTANCE_LABEL).unwrap_or_default().to_owned(),
            image: container.image.to_string(),
        })
    }

    /// The name of what is made for a Gateway.
    ///
    /// Models internal/framework/controller/resource.go CreateNginxResourceName.
    ///
    /// Simplified: names that would be too long are cut, without a hash.
    pub fn resource_name(&self, gateway: &str) -> String {
        let most = 63_usize.saturating_sub(self.class.len() + 1);
        let gateway = gateway.get(..most).unwrap_or(gateway);
        format!("{gateway}-{}", self.class)
    }
}

/// Whether something may refer to an object of another namespace.
///
/// Models internal/controller/state/graph/reference_grant.go.
fn is_granted(store: &Store, from: (&str, &str), to: (&str, &ObjectKey)) -> bool {
    let ((from_kind, namespace), (to_kind, key)) = (from, to);
    objects(store, "ReferenceGrant").filter(|grant| grant.meta.namespace == key.namespace).any(
        |grant| {
            let is_from = grant.spec().items_at(&["from"]).iter().any(|it| {
                it.str_at(&["group"]) == Some(GROUP)
                    && it.str_at(&["kind"]) == Some(from_kind)
                    && it.str_at(&["namespace"]) == Some(namespace)
            });
            let is_to = grant.spec().items_at(&["to"]).iter().any(|it| {
                matches!(it.str_at(&["group"]), None | Some("" | "core"))
                    && it.str_at(&["kind"]) == Some(to_kind)
                    && it.str_at(&["name"]).is_none_or(|name| *key.name == *name)
            });
            is_from && is_to
        },
    )
}
