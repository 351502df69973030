//! nginx as an ingress controller runs it: what it is configured to do, worked out from the objects
//! of the cluster.
//!
//! One model serves all who ask: the tracer follows requests by it, `nginx.conf` is written from
//! it, the validating webhook looks for what would overlap.
//!
//! Invariants: a configuration depends on the store alone; it is made anew when objects change.
//!
//! Models kubernetes/ingress-nginx internal/ingress/controller.
//!
//! Reading order: `settings`, `annotations`, `build`, `locate`, `balance`, `pattern`.

pub mod annotations;
mod balance;
mod build;
mod locate;
mod md5;
pub mod pattern;
mod settings;

pub use annotations::{Affinity, Annotations, Canary};
pub use balance::{Balancers, Choice, Pick, Target, Worker, cookie_of, set_cookie};
pub use build::ready_endpoints;
pub use locate::{Located, host_matches};
pub use settings::{Ignored, Settings};

use crate::net::packet::Endpoint;
use crate::store::ObjectKey;
use pattern::Pattern;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The server for hosts that no Ingress names.
pub const CATCH_ALL: &str = "_";
/// The backend of locations that lead to no Service: nginx itself answers 404.
pub const DEFAULT_BACKEND: &str = "upstream-default-backend";

/// What nginx is configured to do.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Configuration {
    /// A server for each host, by name; the catch-all is `_`.
    pub servers: BTreeMap<Arc<str>, Server>,
    /// What requests are handed on to, by name (`namespace-service-port`).
    pub backends: BTreeMap<Arc<str>, Backend>,
    /// What was noticed on the way, as the controller logs it.
    pub warnings: Vec<String>,
}

/// A `server` block.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Server {
    /// Further names.
    pub aliases: Vec<Arc<str>>,
    /// Its certificate, if an Ingress asks for TLS.
    pub certificate: Option<Certificate>,
    /// Its locations, longest path first.
    pub locations: Vec<Location>,
    /// Whether the paths of all locations are patterns, since one of them is or rewrites.
    pub by_pattern: bool,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Of this Secret.
    Secret(ObjectKey),
    /// The controller's own, "Kubernetes Ingress Controller Fake Certificate".
    Fake,
    /// The controller's own, for the one of a Secret is not there.
    InsteadOf {
        /// The Ingress that names the Secret.
        ingress: ObjectKey,
        /// The Secret.
        secret: Arc<str>,
    },
}

impl Certificate {
    /// The Ingress and the Secret that it names in vain, if it stands for that.
    pub fn missing(&self) -> Option<(ObjectKey, Arc<str>)> {
        match self {
            Certificate::InsteadOf { ingress, secret } => Some((ingress.clone(), secret.clone())),
            Certificate::Secret(_) | Certificate::Fake => None,
        }
    }
}

/// How a path is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathType {
    /// The whole path.
    Exact,
    /// Whole elements of the path.
    Prefix,
    /// As nginx does it: the beginning of the text.
    ImplementationSpecific,
}

/// A `location` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// Its path; that of a Prefix ends in a slash.
    pub path: Arc<str>,
    /// The path as the Ingress has it.
    pub ingress_path: Arc<str>,
    /// How it is compared.
    pub path_type: PathType,
    /// The name of its backend.
    pub backend: Arc<str>,
    /// Whether it stands there because nothing else does.
    pub is_default: bool,
    /// The Ingress that it is of.
    pub ingress: Option<ObjectKey>,
    /// The annotations of that Ingress.
    pub rules: Arc<Annotations>,
    /// The path as a pattern, in a server whose paths are patterns.
    pub pattern: Option<Arc<Pattern>>,
}

/// What requests are handed on to.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Backend {
    /// The Service; none for nginx' own 404.
    pub service: Option<ObjectKey>,
    /// The Service's port as the Ingress names it.
    pub port: Arc<str>,
    /// The endpoints that are ready.
    pub endpoints: Vec<Endpoint>,
    /// A name to be resolved instead (a Service of type ExternalName), and the port.
    pub external: Option<(Arc<str>, u16)>,
    /// Why there are none, if that is not for want of ready pods.
    pub trouble: Option<Trouble>,
    /// The rules by which requests are led here, if it is a canary's.
    pub canary: Option<Canary>,
    /// Canaries of this one.
    pub alternatives: Vec<Arc<str>>,
    /// The cookie that keeps clients with their servers.
    pub affinity: Option<Affinity>,
    /// The hosts with the paths for which that cookie is set.
    pub affinity_paths: Vec<(Arc<str>, Arc<str>)>,
}

/// Why a backend cannot have endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such Service.
    NoService,
    /// It has no such port.
    NoPort,
}

#[cfg(test)]
mod tests;
