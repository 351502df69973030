//! What the words after a verb mean: `pods`, `po,svc`, `deploy web db`, `deploy/web svc/web`, `all`.

use super::call::Call;
use super::failure::{Failure, plain};
use super::manifests;
use crate::api::error::go_quote;
use crate::api::field_selector::{self, Term};
use crate::api::{ApiError, Kind, Object, Reason, Selector};
use crate::store::Store;
use crate::world::component_statuses;
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
pub(crate) fn kind_of(store: &Store, word: &str) -> Result<Kind, Failure> {
    store.kind_of_word(word).ok_or_else(|| unknown_kind(word.split('.').next().unwrap_or(word)))
}

fn unknown_kind(word: &str) -> Failure {
    Failure::Plain(format!("the server doesn't have a resource type {}", go_quote(word)))
}

fn kinds_of(store: &Store, words: &str) -> Result<Vec<Kind>, Failure> {
    let mut kinds = Vec::new();
    for word in words.split(',') {
        match (kind_of(store, word), of_category(word)) {
            (Err(_), all) if !all.is_empty() => kinds.extend(all),
            (kind, _) => kinds.push(kind?),
        }
    }
    let mut seen = Vec::new();
    kinds.retain(|kind| {
        !seen.contains(kind) && {
            seen.push(*kind);
            true
        }
    });
    Ok(kinds)
}

/// The kinds of a category, in the order in which kubectl lists them: those that definitions bring
/// come last.
fn of_category(word: &str) -> Vec<Kind> {
    let is_in = |kind: &Kind| kind.resource().categories.contains(&word);
    match word {
        "all" => ALL.into_iter().chain(Kind::all().filter(|k| k.is_custom() && is_in(k))).collect(),
        _ => Kind::all().filter(is_in).collect(),
    }
}

/// The built-in kinds of the category `all`, in the order in which kubectl lists them.
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

/// What kubectl says where nothing is asked for.
pub(crate) const MISSING: &str = "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// What kubectl says where it may not ask the server.
pub(crate) const LOCAL: &str = "error: you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'";

/// Whether a word changes something, `key=value` or `key-`, and names no object.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go GetResourcesAndPairs.
pub(crate) fn is_change(word: &str) -> bool {
    (word.contains('=') && !word.starts_with('=')) || (word.ends_with('-') && word != "-")
}

/// Reads the words after a verb.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/resource/builder.go ResourceTypeOrNameArgs.
///
/// # Errors
/// Unknown kinds; forms that do not mix.
pub(crate) fn queries(store: &Store, args: &[String]) -> Result<Vec<Query>, Failure> {
    let Some(first) = args.first() else { return Ok(Vec::new()) };
    if args.iter().any(|arg| arg.contains('/')) {
        let mut all = Vec::new();
        for arg in args {
            let Some((kind, name)) = arg.split_once('/') else {
                return plain(
                    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
                );
            };
            if name.contains('/') {
                return plain("arguments in resource/name form may not have more than one slash");
            }
            if name.is_empty() || kind.is_empty() || kind.contains(',') {
                return plain(
                    "arguments in resource/name form must have a single resource and name",
                );
            }
            all.push(Query::Named(kind_of(store, kind)?, name.to_owned()));
        }
        return Ok(all);
    }
    let kinds = kinds_of(store, first)?;
    let names = args.get(1..).unwrap_or_default();
    if !names.is_empty() && first == "all" {
        return plain("you must specify only one resource");
    }
    if names.is_empty() {
        return Ok(kinds.into_iter().map(Query::All).collect());
    }
    let named = |kind: Kind| names.iter().map(move |name| Query::Named(kind, name.clone()));
    Ok(kinds.into_iter().flat_map(named).collect())
}

/// Finds what the command asks for: the words after the verb, or the manifests of `-f`. A kind
/// alone means all of its objects.
///
/// # Errors
/// Unknown kinds, wrong selectors. Objects that do not exist are in [`Found::failures`].
pub(crate) fn find(call: &Call<'_>) -> Result<Found, Failure> {
    find_by(call, true)
}

/// The same for commands that need names, a selector or `--all`.
///
/// # Errors
/// As [`find`]; a kind alone.
pub(crate) fn find_named(call: &Call<'_>) -> Result<Found, Failure> {
    find_by(call, call.flags.on("all"))
}

fn find_by(call: &Call<'_>, kind_is_enough: bool) -> Result<Found, Failure> {
    if call.flags.given("filename") || call.flags.given("kustomize") {
        return find_in_files(call);
    }
    let queries = queries(call.world.store(), &call.args)?;
    let by_kind = queries.iter().any(|query| matches!(query, Query::All(_)));
    if queries.is_empty() {
        return plain(match is_narrowed(call) {
            true => "at least one resource must be specified to use a selector",
            false => MISSING,
        });
    }
    if by_kind && !kind_is_enough && !is_narrowed(call) {
        return plain("resource(s) were provided, but no name was specified");
    }
    find_queries(call, &queries)
}

/// That nothing is named beside manifests.
///
/// # Errors
/// kubectl's sentence.
pub(crate) fn check_no_args(call: &Call<'_>) -> Result<(), Failure> {
    let Some(arg) = call.args.first() else { return Ok(()) };
    plain(match arg.contains('/') {
        true => "resource/name arguments cannot be provided when a path is specified",
        false => {
            "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"
        }
    })
}

fn find_in_files(call: &Call<'_>) -> Result<Found, Failure> {
    let (manifests, failures) = manifests::read_all(call)?;
    check_no_args(call)?;
    let from_stream = call.flags.list("filename").iter().any(|path| path == "-");
    let single = manifests.len() == 1 && !from_stream;
    let mut found = Found { failures, single, ..Found::default() };
    for manifest in manifests {
        match call.object(manifest.kind, &manifest.namespace, &manifest.name) {
            Ok(object) => {
                note_kind(&mut found, manifest.kind);
                found.objects.push(object);
            }
            Err(failure) => found.failures.push(failure),
        }
    }
    Ok(found)
}

/// Whether a selector says which objects are meant.
pub(crate) fn is_narrowed(call: &Call<'_>) -> bool {
    !label_text(call).is_empty() || !call.flags.text("field-selector").trim().is_empty()
}

/// `-l` of a command that selects by it.
fn label_text<'a>(call: &'a Call<'_>) -> &'a str {
    if call.verb.selects() { call.flags.text("selector").trim() } else { "" }
}

fn note_kind(found: &mut Found, kind: Kind) {
    if !found.kinds.contains(&kind) {
        found.kinds.push(kind);
    }
}

/// What is said of names beside a selector.
pub(crate) fn no_names(call: &Call<'_>) -> Failure {
    let why = match call.args.iter().any(|arg| arg.contains('/')) {
        true => "selectors and the all flag cannot be used when passing resource/name arguments",
        false => "name cannot be provided when a selector is specified",
    };
    Failure::Plain(why.to_owned())
}

/// Those of the queries that are about kinds which the cluster has: of a category's kinds only some.
///
/// # Errors
/// Kinds that are not served, or have nothing to show.
fn served<'q>(call: &Call<'_>, queries: &'q [Query]) -> Result<Vec<&'q Query>, Failure> {
    let kind_words = call.args.first().map_or("", String::as_str);
    let mut served = Vec::with_capacity(queries.len());
    for query in queries {
        let (Query::Named(kind, _) | Query::All(kind)) = query;
        if call.world.store().serves(*kind) {
            can_be_read(*kind)?;
            served.push(query);
        } else if kind_words.split(',').all(|word| of_category(word).is_empty()) {
            return Err(unknown_kind(kind.plural()));
        }
    }
    if served.is_empty() && !queries.is_empty() {
        return Err(unknown_kind(kind_words));
    }
    Ok(served)
}

/// That what is asked for goes together.
///
/// # Errors
/// Kinds that are not served; names beside selectors or of all namespaces.
pub(crate) fn check(call: &Call<'_>, queries: &[Query]) -> Result<(), Failure> {
    let named = queries.iter().any(|query| matches!(query, Query::Named(..)));
    served(call, queries)?;
    if named && is_narrowed(call) {
        return Err(no_names(call));
    }
    for query in queries {
        if let Query::Named(kind, name) = query {
            if kind.namespaced() && call.all_namespaces() {
                return plain("a resource cannot be retrieved by name across all namespaces");
            }
            if name.is_empty() {
                return plain("resource name may not be empty");
            }
        }
    }
    Ok(())
}

/// Finds what was asked for.
///
/// # Errors
/// What [`check`] refuses; wrong selectors.
pub(crate) fn find_queries(call: &Call<'_>, queries: &[Query]) -> Result<Found, Failure> {
    check(call, queries)?;
    let named = queries.iter().any(|query| matches!(query, Query::Named(..)));
    let mut found = Found { single: named && queries.len() == 1, ..Found::default() };
    for query in served(call, queries)? {
        match query {
            Query::Named(kind, name) => {
                match call.object(*kind, &call.namespace_for(*kind), name) {
                    Ok(object) => {
                        note_kind(&mut found, *kind);
                        found.objects.push(object);
                    }
                    Err(failure) => found.failures.push(failure),
                }
            }
            Query::All(kind) => {
                note_kind(&mut found, *kind);
                match list(call, *kind) {
                    Ok(objects) => found.objects.extend(objects),
                    Err(failure) => found.failures.push(failure),
                }
            }
        }
    }
    Ok(found)
}

/// Whether the API server has objects of a kind to show, not only answers to questions.
fn can_be_read(kind: Kind) -> Result<(), Failure> {
    match kind.resource().has_verb("get") {
        true => Ok(()),
        false => Err(ApiError::not_allowed().into()),
    }
}

/// Reads `-l` for manifests.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn selector(call: &Call<'_>) -> Result<Selector, Failure> {
    let text = label_text(call);
    Selector::parse(text).map_err(|why| {
        let text = crate::api::error::go_quote(text);
        Failure::Plain(format!("the provided selector {text} is not valid: {why}"))
    })
}

/// The objects of a kind that the flags choose, by namespace and name.
///
/// # Errors
/// A selector that the API server does not understand.
pub(crate) fn list(call: &Call<'_>, kind: Kind) -> Result<Vec<Arc<Object>>, Failure> {
    let chosen = Chosen::new(call, kind, None)?;
    let store = call.world.store();
    if kind.name() == "ComponentStatus" {
        return Ok(component_statuses(kind).filter(|object| chosen.has(object)).collect());
    }
    let all = match &chosen.namespace {
        None => store.list(kind).filter(|object| chosen.has(object)).cloned().collect(),
        Some(own) => {
            store.list_in(kind, own).filter(|object| chosen.has(object)).cloned().collect()
        }
    };
    Ok(all)
}

/// Which objects of a kind a command line asks for.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The namespace; `None` for all, and for kinds without.
    namespace: Option<String>,
    name: Option<Arc<str>>,
    selector: Selector,
    terms: Vec<Term>,
}

impl Chosen {
    /// Those that the flags of a command choose, or the one of a name.
    ///
    /// # Errors
    /// A selector that the API server does not understand.
    pub(crate) fn new(
        call: &Call<'_>,
        kind: Kind,
        name: Option<Arc<str>>,
    ) -> Result<Self, Failure> {
        let (labels, fields) = (label_text(call), call.flags.text("field-selector").trim());
        let refused = |why| refused_list(kind, labels, fields, why);
        let selector = Selector::parse(labels).map_err(refused)?;
        let terms = field_selector::terms(kind, fields).map_err(refused)?;
        let everywhere = !kind.namespaced() || call.all_namespaces();
        let namespace = (!everywhere).then(|| call.namespace());
        Ok(Chosen { namespace, name, selector, terms })
    }

    /// Whether an object is one of them.
    pub(crate) fn has(&self, object: &Object) -> bool {
        self.namespace.as_deref().is_none_or(|own| *own == *object.meta.namespace)
            && self.name.as_deref().is_none_or(|own| *own == *object.meta.name)
            && self.selector.matches(&object.meta.labels)
            && field_selector::matches(object, &self.terms)
    }
}

/// Models staging/src/k8s.io/cli-runtime/pkg/resource/helper.go EnhanceListError.
fn refused_list(kind: Kind, labels: &str, fields: &str, why: String) -> Failure {
    let resource = kind.resource();
    let why = format!(
        "Unable to find \"{}/{}, Resource={}\" that match label selector {}, field selector {}: {why}",
        resource.group,
        resource.version,
        resource.plural,
        go_quote(labels),
        go_quote(fields),
    );
    ApiError::new(Reason::BadRequest, why).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn read(line: &str) -> Result<Vec<Query>, Failure> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        queries(&Store::new(Rng::new(1)), &words)
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
