//! Completion: verbs, flags, kinds and names.

use super::call::Session;
use super::verbs;
use crate::api::Kind;
use crate::world::World;
use std::collections::BTreeSet;

/// No more proposals than this.
const MOST: usize = 200;

/// What may stand for the last word; `words` are those before it, without `kubectl`.
pub fn complete(world: &World, session: &Session, words: &[String], last: &str) -> Vec<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let path = words.join(" ");
    let verb = verbs::all()
        .filter(|verb| path == verb.path || path.starts_with(&format!("{} ", verb.path)))
        .max_by_key(|verb| verb.path.len());
    if last.starts_with('-') {
        if let Some(verb) = verb {
            let flags = verb.all_flags();
            found.extend(
                flags.iter().flat_map(|group| group.iter()).map(|flag| format!("--{}", flag.name)),
            );
        }
    } else if let Some(verb) = verb {
        let depth = verb.path.split(' ').count();
        let args: Vec<&String> =
            words.iter().skip(depth).filter(|word| !word.starts_with('-')).collect();
        arguments(world, session, &args, last, &mut found);
    } else {
        let prefix = if path.is_empty() { String::new() } else { format!("{path} ") };
        for verb in verbs::all() {
            if let Some(rest) = verb.path.strip_prefix(&prefix) {
                found.extend(rest.split(' ').next().map(str::to_owned));
            }
        }
    }
    found.into_iter().filter(|word| word.starts_with(last)).take(MOST).collect()
}

fn arguments(
    world: &World,
    session: &Session,
    args: &[&String],
    last: &str,
    found: &mut BTreeSet<String>,
) {
    let names = |kind: Kind| {
        let in_namespace = |name: &str| !kind.namespaced() || name == session.namespace;
        let all = world.store().list(kind).filter(move |o| in_namespace(&o.meta.namespace));
        all.map(|object| object.meta.name.to_string()).take(MOST * 5).collect::<Vec<_>>()
    };
    if let Some((word, _)) = last.split_once('/') {
        if let Some(kind) = Kind::of_word(word) {
            found.extend(names(kind).into_iter().map(|name| format!("{word}/{name}")));
        }
        return;
    }
    match args.iter().find_map(|word| Kind::of_word(word)) {
        Some(kind) => found.extend(names(kind)),
        None => found.extend(Kind::all().map(|kind| kind.plural().to_owned())),
    }
}
