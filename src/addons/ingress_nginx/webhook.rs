//! The controller's webhook: it refuses Ingresses that it could not serve as they are meant.
//!
//! Models kubernetes/ingress-nginx internal/admission/controller/main.go and
//! internal/ingress/controller/controller.go CheckIngress.

use super::controllers::running;
use crate::api::tree::Tree as _;
use crate::api::{Object, Reason, Value};
use crate::store::admission::{Denial, Operation, Webhook};
use crate::store::{ObjectKey, Store};
use crate::trace::nginx::annotations::PREFIX;
use crate::trace::nginx::{Annotations, Configuration, Settings};

/// `validate.nginx.ingress.kubernetes.io`.
#[derive(Clone, Copy, Debug)]
pub(in crate::addons) struct Validator;

impl Webhook for Validator {
    fn name(&self) -> &'static str {
        "validate.nginx.ingress.kubernetes.io"
    }

    fn review(&self, store: &Store, ingress: &Object, _operation: Operation) -> Result<(), Denial> {
        if ingress.meta.is_terminating() {
            return Ok(());
        }
        let bad_paths = bad_paths(ingress);
        let found = running(store).into_iter().next();
        let Some(settings) =
            found.map(|it| it.settings).filter(|it| it.class_of(store, ingress).is_ok())
        else {
            return Ok(());
        };
        check(store, &settings, ingress, &bad_paths).map_err(|message| Denial {
            reason: Reason::BadRequest,
            message,
            warnings: bad_paths,
        })
    }
}

fn check(
    store: &Store,
    settings: &Settings,
    ingress: &Object,
    bad_paths: &[String],
) -> Result<(), String> {
    let is_strict = settings.option(store, "strict-validate-path-type") != Some("false");
    if is_strict && !bad_paths.is_empty() {
        return Err(format!("ingress contains invalid paths: {}", bad_paths.join("\n")));
    }
    let allows_snippets = settings.option(store, "allow-snippet-annotations") == Some("true");
    let mut names = ingress.meta.annotations.iter().map(|(name, _)| name);
    if let Some(name) = names.find(|name| !allows_snippets && name.ends_with("-snippet")) {
        return Err(format!(
            "{name} annotation cannot be used. Snippet directives are disabled by the Ingress administrator"
        ));
    }
    let own = Annotations::of(ingress);
    if own.canary_not_enabled {
        return Err("the annotation canary does not contain a valid configuration: configured but not enabled".to_owned());
    }
    let configuration = Configuration::with(store, settings, Some(ingress));
    let says_canary = ingress.meta.annotations.get(&format!("{PREFIX}canary")).is_some();
    for (host, path) in rules(ingress) {
        let server = configuration.servers.get(host);
        let locations = server.into_iter().flat_map(|server| &server.locations);
        let same = locations.filter(|it| *it.ingress_path == *path && !it.is_default);
        for other in same.filter_map(|location| location.ingress.as_ref()) {
            if *other == ObjectKey::of(ingress) {
                continue;
            }
            let object = store.get(ingress.kind, other);
            let other_says = object.is_some_and(|object| {
                object.meta.annotations.get(&format!("{PREFIX}canary")).is_some()
            });
            let other_canary = object.is_some_and(|it| Annotations::of(it).canary.is_some());
            if own.canary.is_some() && other_canary || !says_canary && !other_says {
                return Err(format!(
                    "host \"{host}\" and path \"{path}\" is already defined in ingress {other}"
                ));
            }
        }
    }
    Ok(())
}

/// The hosts and paths of an Ingress.
fn rules(ingress: &Object) -> impl Iterator<Item = (&str, &str)> {
    ingress.spec().items_at(&["rules"]).iter().flat_map(|rule| {
        let host = rule.str_at(&["host"]).filter(|host| !host.is_empty()).unwrap_or("_");
        rule.items_at(&["http", "paths"]).iter().map(move |path| {
            (host, path.str_at(&["path"]).filter(|path| !path.is_empty()).unwrap_or("/"))
        })
    })
}

/// Paths with signs that only a pattern has, though their type says that they are none.
///
/// Models internal/ingress/inspector/inspector.go ValidatePathType.
fn bad_paths(ingress: &Object) -> Vec<String> {
    let rules = ingress.spec().items_at(&["rules"]).iter();
    let paths = rules.flat_map(|rule| rule.items_at(&["http", "paths"]));
    let bad = |path: &Value| {
        let text = path.str_at(&["path"]).filter(|text| !text.is_empty())?;
        let kind = path.str_at(&["pathType"]).unwrap_or("<nil>");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        let fine =
            kind == "ImplementationSpecific" || text.starts_with('/') && text.bytes().all(is_plain);
        (!fine).then(|| format!("path {text} cannot be used with pathType {kind}"))
    };
    paths.filter_map(bad).collect()
}
