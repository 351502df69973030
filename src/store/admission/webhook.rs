//! Webhooks: the API server asks a Service whether it may store an object.
//!
//! Models staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook.
//!
//! Simplified: webhooks that change objects are called and change nothing; of the webhooks of people
//! it matters whether they can be reached; match conditions are not looked at, and webhooks are not
//! asked about what is to be deleted.

use crate::api::tree::Tree as _;
use crate::api::{ApiError, Kind, Object, Reason, Selector, Value};
use crate::store::server::{Context, internal_error};
use crate::store::storage::Store;
use core::fmt;
use std::sync::{Arc, LazyLock};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An object is to be created.
    Create,
    /// An object is to be changed.
    Update,
    /// An object is to be deleted.
    Delete,
}

impl Operation {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Operation::Delete => "DELETE",
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
        }
    }
}

/// Why a webhook says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The reason, which gives the status.
    pub reason: Reason,
    /// In its own words.
    pub message: String,
    /// What it warns of beside.
    pub warnings: Vec<String>,
}

/// A webhook whose answers this model knows, since it is an add-on's.
pub trait Webhook: Sync + fmt::Debug {
    /// Its name, `validate.nginx.ingress.kubernetes.io`.
    fn name(&self) -> &'static str;

    /// Looks at an object.
    ///
    /// # Errors
    /// Why it may not be stored.
    fn review(&self, store: &Store, object: &Object, operation: Operation) -> Result<(), Denial>;
}

/// The kinds of configurations. Looked up once: every object that is stored passes here.
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let names = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
    names.iter().filter_map(|name| Kind::of_word(name)).collect()
});

/// Asks the webhooks, in the order of their configurations' names, and passes on what they warn of.
///
/// Simplified: those that could change an object are asked last, as the others are.
///
/// # Errors
/// `InternalError` if one cannot be reached whose failure matters; what one refuses.
pub(super) fn review(
    store: &mut Store,
    context: &Context,
    object: &Object,
    operation: Operation,
) -> Result<(), ApiError> {
    // Webhook configurations themselves are never shown to webhooks.
    if object.kind.resource().group == "admissionregistration.k8s.io" {
        return Ok(());
    }
    let mut warnings = Vec::new();
    let result = ask(store, context, (object, operation), &mut warnings);
    for warning in warnings {
        store.warn(warning);
    }
    result
}

fn ask(
    store: &Store,
    context: &Context,
    (object, operation): (&Object, Operation),
    warnings: &mut Vec<String>,
) -> Result<(), ApiError> {
    for configuration in KINDS.iter().flat_map(|kind| store.list(*kind)) {
        for hook in configuration.content().items_at(&["webhooks"]) {
            if concerns(store, hook, object, operation) {
                call(store, context, hook, (object, operation), warnings)?;
            }
        }
    }
    Ok(())
}

/// Whether a webhook's rules and selectors are for an object.
fn concerns(store: &Store, hook: &Value, object: &Object, operation: Operation) -> bool {
    hook.items_at(&["rules"]).iter().any(|rule| rule_fits(rule, object, operation))
        && selects(store, hook, object)
}

/// Whether a rule is for what is to be done with an object.
pub(super) fn rule_fits(rule: &Value, object: &Object, operation: Operation) -> bool {
    let resource = object.kind.resource();
    let has = |key: &str, wanted: &str| {
        let mut all = rule.items_at(&[key]).iter().filter_map(Value::as_str);
        all.any(|one| one == "*" || one == "*/*" || one == wanted)
    };
    let scope = match rule.str_at(&["scope"]) {
        Some("Namespaced") => object.kind.namespaced(),
        Some("Cluster") => !object.kind.namespaced(),
        _ => true,
    };
    scope
        && has("operations", operation.name())
        && has("apiGroups", resource.group)
        && has("apiVersions", resource.version)
        && has("resources", resource.plural)
}

/// Whether the selectors of a webhook or a policy choose an object and its namespace.
pub(super) fn selects(store: &Store, found: &Value, object: &Object) -> bool {
    let selects = |key: &str, labels: &crate::api::StringMap| {
        let selector = found.get(key).filter(|selector| !selector.is_null());
        selector.is_none_or(|selector| {
            Selector::from_label_selector(Some(selector)).is_some_and(|it| it.matches(labels))
        })
    };
    let namespace = match object.kind {
        Kind::Namespace => Some(&object.meta.labels),
        _ => store.find(Kind::Namespace, "", &object.meta.namespace).map(|it| &it.meta.labels),
    };
    selects("objectSelector", &object.meta.labels)
        && namespace.is_none_or(|labels| selects("namespaceSelector", labels))
}

/// Calls a webhook. If that fails, its policy decides.
fn call(
    store: &Store,
    context: &Context,
    hook: &Value,
    (object, operation): (&Object, Operation),
    warnings: &mut Vec<String>,
) -> Result<(), ApiError> {
    let name = hook.str_at(&["name"]).unwrap_or_default();
    if let Some(failure) = unreachable(store, hook) {
        if hook.str_at(&["failurePolicy"]) == Some("Ignore") {
            return Ok(());
        }
        let why = format!("failed calling webhook \"{name}\": failed to call webhook: {failure}");
        return Err(internal_error(format!("Internal error occurred: {why}")));
    }
    let known = context.webhooks.iter().find(|webhook| webhook.name() == name);
    let Some(Err(denial)) = known.map(|webhook| webhook.review(store, object, operation)) else {
        return Ok(());
    };
    let message = format!("admission webhook \"{name}\" denied the request: {}", denial.message);
    warnings.extend(denial.warnings);
    Err(ApiError::new(denial.reason, message))
}

/// Why a webhook's Service does not answer, if it does not.
///
/// Models staging/src/k8s.io/apiserver/pkg/util/proxy/proxy.go ResolveCluster: the API server dials
/// the cluster IP, and kube-proxy refuses where there are no endpoints.
fn unreachable(store: &Store, hook: &Value) -> Option<String> {
    let service = hook.at(&["clientConfig", "service"])?;
    let text = |key: &str| service.str_at(&[key]).unwrap_or_default();
    let (namespace, name, path) = (text("namespace"), text("name"), text("path"));
    let port = service.int_at(&["port"]).unwrap_or(443);
    let seconds = hook.int_at(&["timeoutSeconds"]).unwrap_or(10);
    let Some(found) = store.find(Kind::Service, namespace, name) else {
        return Some(format!("service \"{name}\" not found"));
    };
    let post = format!("Post \"https://{name}.{namespace}.svc:{port}{path}?timeout={seconds}s\"");
    let mut ready = endpoints(store, namespace, name).peekable();
    if ready.peek().is_none() {
        let ip = found.spec().str_at(&["clusterIP"]).unwrap_or_default();
        return Some(format!("{post}: dial tcp {ip}:{port}: connect: connection refused"));
    }
    let all_silent = ready.all(|node| store.silent_since(&node).is_some());
    all_silent.then(|| format!("{post}: context deadline exceeded"))
}

/// The nodes of the ready endpoints of a Service.
fn endpoints<'a>(
    store: &'a Store,
    namespace: &str,
    service: &'a str,
) -> impl Iterator<Item = Arc<str>> + 'a {
    let own = store
        .list_in(Kind::EndpointSlice, namespace)
        .filter(move |slice| slice.meta.labels.get("kubernetes.io/service-name") == Some(service));
    let all = own.flat_map(|slice| slice.content().items_at(&["endpoints"]));
    let ready = all.filter(|it| it.bool_at(&["conditions", "ready"]) != Some(false));
    ready.map(|it| Arc::from(it.str_at(&["nodeName"]).unwrap_or_default()))
}
