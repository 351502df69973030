//! The listeners of a Gateway: which of them are taken, and what is said of the others.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/state/graph/gateway_listener.go.

use super::condition::Condition;
use super::{GROUP, hostnames, is_granted};
use crate::api::tree::Tree as _;
use crate::api::{FieldError, Kind, Object, Selector, Value};
use crate::store::{ObjectKey, Store};
use std::sync::Arc;

/// The port of the data plane's own metrics.
const METRICS_PORT: u16 = 9113;
const PROTOCOLS: [&str; 5] = ["HTTP", "HTTPS", "TLS", "TCP", "UDP"];

/// A listener of a Gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Its name.
    pub name: Arc<str>,
    /// Its port.
    pub port: u16,
    /// Its protocol.
    pub protocol: Arc<str>,
    /// Its host; empty for all.
    pub host: Arc<str>,
    /// The Secret of its certificate.
    pub secret: Option<ObjectKey>,
    /// What is said of it beside what is said of every one that is taken.
    pub conditions: Vec<Condition>,
    /// The kinds of routes that it takes.
    pub kinds: Vec<Value>,
    /// Whether nginx listens.
    pub is_valid: bool,
    /// Whether routes can be attached to it.
    pub is_attachable: bool,
    /// How many routes are.
    pub routes: u32,
    /// Which namespaces' routes it takes.
    pub(super) from: From,
}

/// Which namespaces' routes a listener takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum From {
    All,
    Same,
    Selected(Option<Selector>),
}

impl Listener {
    /// Whether it is reached by TLS.
    pub fn is_tls(&self) -> bool {
        &*self.protocol == "HTTPS"
    }

    /// What is said of it.
    pub fn status_conditions(&self) -> Vec<Condition> {
        let mut all = self.conditions.clone();
        if self.is_valid {
            let has = |kind: &str| self.conditions.iter().any(|it| it.kind == kind);
            all.push(Condition::new(
                "Programmed",
                true,
                "Programmed",
                "The Listener is programmed",
            ));
            all.push(Condition::new("Accepted", true, "Accepted", "The Listener is accepted"));
            if !has("ResolvedRefs") {
                let message = "All references are resolved";
                all.push(Condition::new("ResolvedRefs", true, "ResolvedRefs", message));
            }
            if !has("Conflicted") && !has("OverlappingTLSConfig") {
                all.push(Condition::new("Conflicted", false, "NoConflicts", "No conflicts"));
            }
        }
        Condition::distinct(all)
    }

    /// What is said against it, if it is not taken.
    pub(super) fn trouble(&self) -> Option<&str> {
        let said = self.conditions.iter().find(|it| it.kind == "Accepted" && !it.status);
        said.filter(|_| !self.is_valid).map(|it| &*it.message)
    }

    /// Whether it takes routes of a namespace.
    ///
    /// Models isRouteNamespaceAllowedByListener.
    pub(super) fn takes_from(&self, store: &Store, gateway: &ObjectKey, namespace: &str) -> bool {
        match &self.from {
            From::All => true,
            From::Same => *gateway.namespace == *namespace,
            From::Selected(None) => false,
            From::Selected(Some(selector)) => store
                .find(Kind::Namespace, "", namespace)
                .is_some_and(|object| selector.matches(&object.meta.labels)),
        }
    }

    /// Whether it takes HTTPRoutes.
    pub(super) fn takes_http_routes(&self) -> bool {
        self.kinds.iter().any(|kind| kind.str_at(&["kind"]) == Some("HTTPRoute"))
    }

    fn refuse(&mut self, conditions: impl IntoIterator<Item = Condition>) {
        self.conditions.extend(conditions);
        self.is_valid = false;
    }
}

/// The listeners of a Gateway.
pub(super) fn listeners(store: &Store, gateway: &Object) -> Vec<Listener> {
    let mut all: Vec<Listener> = Vec::new();
    for source in gateway.spec().items_at(&["listeners"]) {
        let mut listener = read(source);
        if listener.is_valid {
            conflicts(&mut all, &mut listener);
            certificates(store, gateway, source, &mut listener);
        }
        all.push(listener);
    }
    all
}

/// A listener by itself.
///
/// Models listenerConfigurator.configure.
fn read(source: &Value) -> Listener {
    let text = |key: &str| source.str_at(&[key]).unwrap_or_default();
    let port = source.int_at(&["port"]).and_then(|port| u16::try_from(port).ok());
    let selector = source.at(&["allowedRoutes", "namespaces", "selector"]);
    let mut listener = Listener {
        name: Arc::from(text("name")),
        port: port.unwrap_or_default(),
        protocol: Arc::from(text("protocol")),
        host: Arc::from(text("hostname")),
        secret: None,
        conditions: Vec::new(),
        kinds: Vec::new(),
        is_valid: true,
        is_attachable: true,
        routes: 0,
        from: match source.str_at(&["allowedRoutes", "namespaces", "from"]) {
            Some("All") => From::All,
            Some("Selector") => {
                From::Selected(selector.and_then(|it| Selector::from_label_selector(Some(it))))
            }
            _ => From::Same,
        },
    };
    let protocol = listener.protocol.clone();
    if !PROTOCOLS.contains(&&*protocol) {
        let why = FieldError::not_supported("protocol", &*protocol, &PROTOCOLS).to_string();
        listener.refuse(Condition::refused("UnsupportedProtocol", &why));
        listener.is_attachable = false;
        return listener;
    }
    kinds(source, &mut listener);
    if matches!(listener.from, From::Selected(_)) && selector.is_none() {
        let why = "Listener's AllowedRoutes Selector must be set when From is set to type Selector";
        listener.refuse(Condition::refused("UnsupportedValue", why));
        listener.is_attachable = false;
    }
    if listener.port == METRICS_PORT {
        let why = "port is already in use as MetricsPort";
        let why = FieldError::invalid("port", listener.port, why).to_string();
        listener.refuse(Condition::refused("UnsupportedValue", &why));
    }
    if listener.is_tls() {
        tls(source, &mut listener);
    }
    listener
}

/// Models getAndValidateListenerSupportedKinds.
fn kinds(source: &Value, listener: &mut Listener) {
    let known: &[&str] = match &*listener.protocol {
        "HTTP" | "HTTPS" => &["HTTPRoute", "GRPCRoute"],
        "TLS" if source.str_at(&["tls", "mode"]) == Some("Passthrough") => &["TLSRoute"],
        "TCP" => &["TCPRoute"],
        "UDP" => &["UDPRoute"],
        _ => &[],
    };
    let wanted = source.items_at(&["allowedRoutes", "kinds"]);
    if wanted.is_empty() {
        let own = |kind: &&str| serde_json::json!({"group": GROUP, "kind": kind});
        listener.kinds = known.iter().map(own).collect();
        return;
    }
    for one in wanted {
        let group = one.str_at(&["group"]).unwrap_or(GROUP);
        let kind = one.str_at(&["kind"]).unwrap_or_default();
        if group == GROUP && known.contains(&kind) {
            if !listener.kinds.contains(one) {
                listener.kinds.push(one.clone());
            }
            continue;
        }
        let why =
            format!("Unsupported route kind for protocol {} \"{group}/{kind}\"", listener.protocol);
        let unresolved = Condition::new("ResolvedRefs", false, "InvalidRouteKinds", why.as_str());
        listener.refuse([unresolved, Condition::unprogrammed("Invalid", &why)]);
        listener.is_attachable = false;
    }
}

/// Models createHTTPSListenerValidator.
fn tls(source: &Value, listener: &mut Listener) {
    let Some(tls) = source.get("tls") else {
        let why = FieldError::required("TLS", "tls must be defined for HTTPS listener").to_string();
        return listener.refuse(Condition::refused("UnsupportedValue", &why));
    };
    let mode = tls.str_at(&["mode"]).unwrap_or("Terminate");
    if mode != "Terminate" {
        let why = FieldError::not_supported("tls.mode", mode, &["Terminate"]).to_string();
        listener.refuse(Condition::refused("UnsupportedValue", &why));
    }
    let unresolved = |why: &FieldError| bad_certificates("InvalidCertificateRef", &why.to_string());
    let refs = tls.items_at(&["certificateRefs"]);
    if refs.is_empty() {
        let why = "certificateRefs must be defined for TLS mode terminate";
        let why = FieldError::required("tls.certificateRefs", why);
        return listener.refuse(unresolved(&why));
    }
    for (index, one) in refs.iter().enumerate() {
        let path = format!("tls.certificateRefs[{index}]");
        let group = one.str_at(&["group"]).unwrap_or_default();
        match one.str_at(&["kind"]).unwrap_or("Secret") {
            "Secret" => {}
            kind => {
                let why = FieldError::not_supported(format!("{path}.kind"), kind, &["Secret"]);
                listener.refuse(unresolved(&why));
            }
        }
        if !group.is_empty() {
            let why = FieldError::not_supported(format!("{path}.group"), group, &[""]);
            listener.refuse(unresolved(&why));
        }
    }
}

fn bad_certificates(reason: &'static str, why: &str) -> [Condition; 3] {
    [
        Condition::new("Accepted", false, reason, why),
        Condition::new("ResolvedRefs", false, reason, why),
        Condition::unprogrammed("Invalid", why),
    ]
}

fn conflict(reason: &'static str, why: &str) -> [Condition; 3] {
    [
        Condition::new("Accepted", false, reason, why),
        Condition::new("Conflicted", true, reason, why),
        Condition::unprogrammed(reason, why),
    ]
}

/// Listeners of one port must speak the same, and those with TLS should have other hosts.
///
/// Models createPortConflictResolver and createOverlappingTLSConfigResolver.
fn conflicts(before: &mut [Listener], listener: &mut Listener) {
    // 0 with TLS, 1 without, 2 for what is no HTTP.
    let group = |protocol: &str| match protocol {
        "HTTPS" | "TLS" => 0,
        "HTTP" => 1,
        _ => 2,
    };
    let own = group(&listener.protocol);
    let port = listener.port;
    let others = before.iter_mut().filter(|it| it.port == port);
    let mut clashes: Vec<&mut Listener> =
        others.filter(|it| group(&it.protocol) != own && !it.protocol.is_empty()).collect();
    if !clashes.is_empty() {
        let why = format!(
            "Multiple listeners for the same port {port} specify incompatible protocols; ensure only one protocol per port"
        );
        for other in clashes.iter_mut().filter(|it| it.is_valid) {
            other.refuse(conflict("ProtocolConflict", &why));
        }
        return listener.refuse(conflict("ProtocolConflict", &why));
    }
    let same = before.iter_mut().filter(|it| it.port == port && it.is_valid && own == 0);
    for other in same.filter(|it| hostnames::overlap(&it.host, &listener.host)) {
        let why =
            "Listener hostname overlaps with hostname(s) of other Listener(s) on the same port";
        let condition = Condition::new("OverlappingTLSConfig", true, "OverlappingHostnames", why);
        other.conditions.push(condition.clone());
        listener.conditions.push(condition);
    }
}

/// The Secrets of a listener with TLS.
///
/// Models createExternalReferencesForTLSSecretsResolver.
///
/// Simplified: what a certificate holds is not looked at.
fn certificates(store: &Store, gateway: &Object, source: &Value, listener: &mut Listener) {
    if !listener.is_valid || !listener.is_tls() {
        return;
    }
    let namespace = &*gateway.meta.namespace;
    let (mut whys, mut is_invalid) = (Vec::new(), false);
    for (index, one) in source.items_at(&["tls", "certificateRefs"]).iter().enumerate() {
        let other = one.str_at(&["namespace"]).unwrap_or(namespace);
        let key = ObjectKey::new(other, one.str_at(&["name"]).unwrap_or_default());
        if other != namespace && !is_granted(store, ("Gateway", namespace), ("Secret", &key)) {
            whys.push(format!(
                "Certificate ref to secret {key} not permitted by any ReferenceGrant"
            ));
            continue;
        }
        let wrong = match store.get(Kind::Secret, &key) {
            None => Some(format!("Secret {key} does not exist")),
            Some(secret) => match secret.content().str_at(&["type"]).unwrap_or("Opaque") {
                "kubernetes.io/tls" => None,
                kind => Some(format!("unsupported secret type \"{kind}\"")),
            },
        };
        match wrong {
            None if listener.secret.is_none() => listener.secret = Some(key),
            None => {}
            Some(why) => {
                is_invalid = true;
                let path = format!("tls.certificateRefs[{index}]");
                // Go prints the name as a structure.
                let shown =
                    format!("{{\"Namespace\":\"{}\",\"Name\":\"{}\"}}", key.namespace, key.name);
                let why = FieldError::invalid(path, "", why).showing(shown);
                whys.push(why.to_string());
            }
        }
    }
    if whys.is_empty() {
        return;
    }
    let reason = if is_invalid { "InvalidCertificateRef" } else { "RefNotPermitted" };
    let why = whys.join("; ");
    match listener.secret {
        None => listener.refuse(bad_certificates(reason, &why)),
        Some(_) => {
            listener.conditions.push(Condition::new("ResolvedRefs", false, reason, why));
        }
    }
}
