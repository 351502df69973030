//! `kubectl create token`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/create/create_token.go and
//! pkg/registry/core/serviceaccount/storage/token.go Create.

use crate::api::tree::TreeMut as _;
use crate::api::{ApiError, FieldError, Kind, Uid, Value};
use crate::base::Rng;
use crate::kubectl::call::Call;
use crate::kubectl::commands::duration;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::output::{self, Objects, Printer};
use crate::kubelet::token::{ISSUER, signed};
use serde_json::json;

/// The kinds that a token can be bound to.
const BOUND: [Kind; 3] = [Kind::Node, Kind::Pod, Kind::Secret];
/// As long as a token lives for which nothing else is asked.
const HOUR_SECONDS: u64 = 3600;

/// `kubectl create token`.
pub(crate) fn token(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let printer = Printer::of(call, output::FORMATS)?;
    let seconds = lifetime(call)?;
    let bound = bound_kind(call)?;
    let failed =
        |error: ApiError| Failure::Plain(format!("failed to create token: {}", error.message));
    let namespace = call.namespace();
    let find = |kind: Kind, name: &str| {
        let namespace = if kind.namespaced() { namespace.as_str() } else { "" };
        let found = call.world.store().find(kind, namespace, name);
        found.ok_or_else(|| failed(ApiError::not_found(&kind.group_resource(), name)))
    };
    let account = find(Kind::ServiceAccount, &name)?;
    if seconds < 600 {
        let least = "may not specify a duration less than 10 minutes";
        let field = FieldError::invalid("spec.expirationSeconds", json!(seconds), least);
        let kind = "TokenRequest.authentication.k8s.io";
        return Err(failed(ApiError::invalid(kind, "", vec![field])));
    }
    let mut audiences = call.flags.all("audience").to_vec();
    if audiences.is_empty() {
        audiences.push(ISSUER.to_owned());
    }
    let mut own = json!({
        "namespace": namespace,
        "serviceaccount": {"name": name, "uid": account.meta.uid.to_string()},
    });
    let mut reference = Value::Null;
    if let Some(kind) = bound {
        let object = find(kind, call.flags.text("bound-object-name"))?;
        let (name, uid) = (&*object.meta.name, object.meta.uid.to_string());
        own.put(&[kind.resource().singular], json!({"name": name, "uid": uid}));
        reference = json!({"kind": kind.name(), "apiVersion": "v1", "name": name, "uid": uid});
    }
    let now = call.world.now();
    let text = signed(&json!({
        "aud": audiences, "exp": now.as_secs() + seconds, "iat": now.as_secs(), "iss": ISSUER,
        "jti": Uid(Rng::new(now.as_micros()).uuid()).to_string(), "kubernetes.io": own,
        "nbf": now.as_secs(), "sub": format!("system:serviceaccount:{namespace}:{name}"),
    }));
    let Some(printer) = printer else {
        call.out.push_str(&text);
        return Ok(());
    };
    let expires = (now + core::time::Duration::from_secs(seconds)).rfc3339();
    let value = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": now.rfc3339()},
        "spec": {
            "audiences": audiences, "boundObjectRef": reference, "expirationSeconds": seconds,
        },
        "status": {"expirationTimestamp": expires, "token": text},
    });
    call.print(&printer, &Objects::One(value))
}

/// How long the token is to live, in seconds.
fn lifetime(call: &Call<'_>) -> Result<u64, Failure> {
    let text = call.flags.text("duration");
    let span = duration(text)?;
    if text.starts_with('-') && !span.is_zero() {
        return plain("--duration must be greater than or equal to 0");
    }
    if span.subsec_nanos() != 0 {
        return plain("--duration cannot be expressed in units less than seconds");
    }
    if call.flags.all("audience").iter().any(String::is_empty) {
        return plain("--audience must not be an empty string");
    }
    Ok(if span.is_zero() { HOUR_SECONDS } else { span.as_secs() })
}

/// The kind of the object that the token is bound to.
fn bound_kind(call: &Call<'_>) -> Result<Option<Kind>, Failure> {
    let word = call.flags.text("bound-object-kind");
    if word.is_empty() {
        for flag in ["bound-object-name", "bound-object-uid"] {
            if call.flags.get(flag).is_some() {
                return plain(format!(
                    "--{flag} can only be set if --bound-object-kind is provided"
                ));
            }
        }
        return Ok(None);
    }
    let Some(kind) = BOUND.into_iter().find(|kind| kind.name() == word) else {
        let names = BOUND.map(Kind::name).join(", ");
        return plain(format!("supported --bound-object-kind values are {names}"));
    };
    if call.flags.get("bound-object-name").is_none() {
        return plain("--bound-object-name is required if --bound-object-kind is provided");
    }
    Ok(Some(kind))
}
