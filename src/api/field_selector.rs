//! Field selectors: which objects of a kind have certain fields.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/fields/selector.go and the field labels of each kind
//! (pkg/apis/core/v1/conversion.go, pkg/apis/batch/v1/conversion.go,
//! staging/src/k8s.io/apimachinery/pkg/runtime/conversion.go).

use super::tree::Tree as _;
use super::{Kind, Object, go_value};
use crate::base::order;

/// One condition on one field.
#[derive(Debug)]
pub struct Term {
    path: Vec<String>,
    equal: bool,
    value: String,
}

/// Reads a field selector for a kind.
///
/// # Errors
/// The API server's sentence.
pub fn terms(kind: Kind, text: &str) -> Result<Vec<Term>, String> {
    let mut parts: Vec<&str> = text.split(',').filter(|part| !part.is_empty()).collect();
    order::sort(&mut parts);
    let mut terms = Vec::new();
    for part in parts {
        let at = part.find(['=', '!']).filter(|at| {
            let rest = part.get(*at..).unwrap_or_default();
            rest.starts_with('=') || rest.starts_with("!=")
        });
        let split = at.and_then(|at| part.split_at_checked(at));
        let Some((field, rest)) = split else {
            return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
        };
        let (equal, value) = match rest.strip_prefix("!=") {
            Some(value) => (false, value),
            None => (true, rest.strip_prefix("==").unwrap_or(rest.trim_start_matches('='))),
        };
        check(kind, field)?;
        let path = field.split('.').map(str::to_owned).collect();
        terms.push(Term { path, equal, value: value.to_owned() });
    }
    Ok(terms)
}

/// The fields of a kind beside name and namespace; `None` if the kind has no list of its own.
const fn own_fields(kind: Kind) -> Option<&'static [&'static str]> {
    Some(match kind {
        Kind::Pod => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        Kind::Event => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        Kind::Node => &["spec.unschedulable"],
        Kind::Namespace => &["status.phase"],
        Kind::Secret => &["type"],
        Kind::Service => &["spec.clusterIP", "spec.type"],
        Kind::ReplicationController => &["status.replicas"],
        Kind::Job => &["status.successful"],
        _ => return None,
    })
}

fn check(kind: Kind, field: &str) -> Result<(), String> {
    let own = own_fields(kind);
    let has_namespace = own.is_none() || kind.namespaced();
    if field == "metadata.name"
        || (field == "metadata.namespace" && has_namespace)
        || own.is_some_and(|own| own.contains(&field))
    {
        return Ok(());
    }
    Err(match (kind, own) {
        (Kind::Job, _) => format!("field label \"{field}\" not supported for Job"),
        (_, Some(_)) => format!("field label not supported: {field}"),
        (kind, None) if kind.is_custom() => format!("field label not supported: {field}"),
        _ => format!(
            "\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        ),
    })
}

/// Whether an object meets all terms.
pub fn matches(object: &Object, terms: &[Term]) -> bool {
    if terms.is_empty() {
        return true;
    }
    let value = object.to_value();
    terms.iter().all(|term| {
        let path: Vec<&str> = term.path.iter().map(String::as_str).collect();
        let path: &[&str] = match path.as_slice() {
            ["status", "successful"] => &["status", "succeeded"],
            ["source"] => &["source", "component"],
            path => path,
        };
        let text = value.at(path).map(go_value);
        let text = match path {
            ["spec", "unschedulable" | "hostNetwork"] => text.unwrap_or_else(|| "false".into()),
            _ => text.unwrap_or_default(),
        };
        (text == term.value) == term.equal
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two were printed by a real API server.
    #[test]
    fn fields_that_a_kind_cannot_be_selected_by_are_named() {
        let cases = [
            (Kind::Pod, "foo", "invalid selector: 'foo'; can't understand 'foo'"),
            (
                Kind::Deployment,
                "spec.replicas=2",
                "\"spec.replicas\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            ),
            (Kind::Pod, "spec.image=x", "field label not supported: spec.image"),
            (Kind::Job, "a=b", "field label \"a\" not supported for Job"),
        ];
        for (kind, text, why) in cases {
            assert_eq!(terms(kind, text).unwrap_err(), why, "{text}");
        }
        for text in ["status.phase!=Running,metadata.name==x", "spec.nodeName=", ""] {
            assert!(terms(Kind::Pod, text).is_ok(), "{text}");
        }
    }
}
