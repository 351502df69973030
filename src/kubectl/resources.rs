//! What the words after a verb mean: `pods`, `po,svc`, `deploy web db`, `deploy/web svc/web`, `all`.

use super::call::Call;
use super::failure::Failure;
use super::manifests;
use crate::api::tree::Tree as _;
use crate::api::{ApiError, Kind, Object, Reason, Selector};
use std::sync::Arc;

/// One thing that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// All objects of a kind, as far as selectors choose them.
    All(Kind),
    /// One object.
    Named(Kind, String),
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The objects, in the order asked for.
    pub(crate) objects: Vec<Arc<Object>>,
    /// The kinds that were asked for.
    pub(crate) kinds: Vec<Kind>,
    /// Whether exactly one object was asked for by its name.
    pub(crate) single: bool,
    /// What was not found.
    pub(crate) failures: Vec<Failure>,
}

/// The kind of a word.
///
/// # Errors
/// That the server has none of that name.
pub(crate) fn kind_of(word: &str) -> Result<Kind, Failure> {
    Kind::of_word(word).ok_or_else(|| {
        Failure::Plain(format!("the server doesn't have a resource type \"{word}\""))
    })
}

fn kinds_of(words: &str) -> Result<Vec<Kind>, Failure> {
    let mut kinds = Vec::new();
    for word in words.split(',') {
        if word == "all" {
            kinds.extend(ALL);
        } else {
            kinds.push(kind_of(word)?);
        }
    }
    Ok(kinds)
}

/// The category `all`, in the order in which kubectl lists it.
const ALL: [Kind; 10] = [
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Service,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::HorizontalPodAutoscaler,
    Kind::CronJob,
    Kind::Job,
];

/// Reads the words after a verb.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/resource/builder.go.
///
/// # Errors
/// Unknown kinds; forms that do not mix.
pub(crate) fn queries(args: &[String]) -> Result<Vec<Query>, Failure> {
    let Some(first) = args.first() else { return Ok(Vec::new()) };
    if args.iter().any(|arg| arg.contains('/')) {
        let mut all = Vec::new();
        for arg in args {
            let Some((kind, name)) = arg.split_once('/') else {
                return super::failure::plain(
                    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
                );
            };
            if name.is_empty() || name.contains('/') || kind.is_empty() {
                return super::failure::plain(
                    "arguments in resource/name form may not have more than one slash",
                );
            }
            for kind in kinds_of(kind)? {
                all.push(Query::Named(kind, name.to_owned()));
            }
        }
        return Ok(all);
    }
    let kinds = kinds_of(first)?;
    let names = args.get(1..).unwrap_or_default();
    if names.is_empty() {
        return Ok(kinds.into_iter().map(Query::All).collect());
    }
    let named = |kind: Kind| names.iter().map(move |name| Query::Named(kind, name.clone()));
    Ok(kinds.into_iter().flat_map(named).collect())
}

/// Finds what the command asks for: the words after the verb, or the manifests of `-f`.
///
/// # Errors
/// Unknown kinds, wrong selectors. Objects that do not exist are in [`Found::failures`].
pub(crate) fn find(call: &Call<'_>) -> Result<Found, Failure> {
    if !call.flags.list("filename").is_empty() {
        let (manifests, failures) = manifests::read_all(call)?;
        let mut found = Found { failures, single: manifests.len() == 1, ..Found::default() };
        for manifest in manifests {
            note_kind(&mut found, manifest.kind);
            match call.object(manifest.kind, &manifest.namespace, &manifest.name) {
                Ok(object) => found.objects.push(object),
                Err(failure) => found.failures.push(failure),
            }
        }
        return Ok(found);
    }
    find_queries(call, &queries(&call.args)?)
}

fn note_kind(found: &mut Found, kind: Kind) {
    if !found.kinds.contains(&kind) {
        found.kinds.push(kind);
    }
}

/// Finds what was asked for.
///
/// # Errors
/// Wrong selectors; names beside selectors.
pub(crate) fn find_queries(call: &Call<'_>, queries: &[Query]) -> Result<Found, Failure> {
    let selector = selector(call)?;
    let fields = call.flags.text("field-selector").to_owned();
    let named = queries.iter().any(|query| matches!(query, Query::Named(..)));
    for query in queries {
        let (Query::Named(kind, _) | Query::All(kind)) = query;
        if !call.world.store().serves(*kind) {
            let plural = kind.plural();
            let why = format!("the server doesn't have a resource type \"{plural}\"");
            return super::failure::plain(why);
        }
    }
    if named && (!selector.is_everything() || !fields.is_empty()) {
        return super::failure::plain("name cannot be provided when a selector is specified");
    }
    if named && call.all_namespaces() {
        return super::failure::plain(
            "a resource cannot be retrieved by name across all namespaces",
        );
    }
    let mut found = Found { single: named && queries.len() == 1, ..Found::default() };
    for query in queries {
        match query {
            Query::Named(kind, name) => {
                note_kind(&mut found, *kind);
                match call.object(*kind, &call.namespace_for(*kind), name) {
                    Ok(object) => found.objects.push(object),
                    Err(failure) => found.failures.push(failure),
                }
            }
            Query::All(kind) => {
                note_kind(&mut found, *kind);
                let listed = list(call, *kind, &selector, &fields);
                match listed {
                    Ok(objects) => found.objects.extend(objects),
                    Err(failure) => found.failures.push(failure),
                }
            }
        }
    }
    Ok(found)
}

/// Reads `-l`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn selector(call: &Call<'_>) -> Result<Selector, Failure> {
    Selector::parse(call.flags.text("selector")).map_err(Failure::Plain)
}

/// The objects of a kind that selectors choose, by namespace and name.
///
/// # Errors
/// A field that the kind cannot be selected by.
pub(crate) fn list(
    call: &Call<'_>,
    kind: Kind,
    selector: &Selector,
    fields: &str,
) -> Result<Vec<Arc<Object>>, Failure> {
    let terms = field_terms(kind, selector, fields)?;
    let chosen = |object: &&Arc<Object>| {
        selector.matches(&object.meta.labels) && fields_match(object, &terms)
    };
    let store = call.world.store();
    if !kind.namespaced() || call.all_namespaces() {
        return Ok(store.list(kind).filter(chosen).cloned().collect());
    }
    let namespace = call.namespace();
    Ok(store.list_in(kind, &namespace).filter(chosen).cloned().collect())
}

struct Term {
    path: Vec<String>,
    equal: bool,
    value: String,
}

fn field_terms(kind: Kind, selector: &Selector, fields: &str) -> Result<Vec<Term>, Failure> {
    let mut terms = Vec::new();
    for part in fields.split(',').filter(|part| !part.trim().is_empty()) {
        let found = [("!=", false), ("==", true), ("=", true)].iter().find_map(|(sign, equal)| {
            part.split_once(sign).map(|(field, value)| (field, *equal, value))
        });
        let Some((field, equal, value)) = found else {
            return super::failure::plain(format!(
                "invalid field selector: {part}; can't understand '{part}'"
            ));
        };
        let field = field.trim();
        if !selectable(kind, field) {
            let group = kind.api_version();
            let resource = match group.as_str() {
                "v1" => format!("/v1, Resource={}", kind.plural()),
                group => format!("{group}, Resource={}", kind.plural()),
            };
            let why = format!(
                "Unable to find \"{resource}\" that match label selector \"{selector}\", field selector \"{fields}\": field label not supported: {field}"
            );
            return Err(ApiError::new(Reason::BadRequest, why).into());
        }
        let path = field.split('.').map(str::to_owned).collect();
        terms.push(Term { path, equal, value: value.trim().to_owned() });
    }
    Ok(terms)
}

fn selectable(kind: Kind, field: &str) -> bool {
    let more: &[&str] = match kind {
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
        Kind::ReplicaSet | Kind::ReplicationController => &["status.replicas"],
        Kind::Job => &["status.successful"],
        _ => &[],
    };
    let always = field == "metadata.name" || (field == "metadata.namespace" && kind.namespaced());
    always || more.contains(&field)
}

fn fields_match(object: &Object, terms: &[Term]) -> bool {
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
        let text = value.at(path).map(super::go_text::scalar_text);
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

    fn read(line: &str) -> Result<Vec<Query>, Failure> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        queries(&words)
    }

    #[test]
    fn kinds_and_names_are_said_in_many_ways() {
        let named = |kind, name: &str| Query::Named(kind, name.to_owned());
        let cases = [
            ("po", vec![Query::All(Kind::Pod)]),
            ("po,svc", vec![Query::All(Kind::Pod), Query::All(Kind::Service)]),
            ("deploy a b", vec![named(Kind::Deployment, "a"), named(Kind::Deployment, "b")]),
            ("deploy/a svc/b", vec![named(Kind::Deployment, "a"), named(Kind::Service, "b")]),
        ];
        for (line, wanted) in cases {
            assert_eq!(read(line), Ok(wanted), "{line}");
        }
    }

    #[test]
    fn unknown_kinds_are_named() {
        let text = "error: the server doesn't have a resource type \"nosuch\"\n";
        assert_eq!(read("pods,nosuch").unwrap_err().report().0, text);
        assert!(read("pods deploy/a").is_err());
    }
}
