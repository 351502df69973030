//! A person's preferences: other names for commands, and what flags are if they are not given.
//!
//! Models staging/src/k8s.io/kubectl/pkg/kuberc/kuberc.go.

use super::session::{HOME, Session};
use super::verbs::{self, Lookup, Verb};
use crate::api::Value;
use crate::api::error::go_quote;
use crate::api::tree::Tree as _;

/// Where the preferences are, and whether somebody said so.
///
/// Models LoadKuberc. Simplified: the variable `KUBERC` is not looked at.
pub(crate) fn path(explicit: Option<&str>) -> (String, bool) {
    match explicit {
        Some(path) => (path.to_owned(), true),
        None => (format!("{HOME}/.kube/kuberc"), false),
    }
}

/// The path that the words name.
///
/// Models getExplicitKuberc.
fn explicit(words: &[String]) -> Result<Option<&str>, String> {
    let missing = || "kuberc file is not found".to_owned();
    for (index, word) in words.iter().take_while(|word| *word != "--").enumerate() {
        if word == "--kuberc" {
            return words.get(index + 1).map(|path| Some(path.as_str())).ok_or_else(missing);
        }
        if let Some(path) = word.strip_prefix("--kuberc=") {
            return if path.is_empty() { Err(missing()) } else { Ok(Some(path)) };
        }
    }
    Ok(None)
}

/// The words of a command as the preferences make them, and what is said of them.
///
/// # Errors
/// What is wrong with the preferences.
pub(super) fn applied(
    session: &Session,
    words: &[String],
) -> Result<(Vec<String>, String), String> {
    let plain = || Ok((words.to_vec(), String::new()));
    let (path, is_explicit) = path(explicit(words)?);
    if words.is_empty() {
        return plain();
    }
    let Some(text) = session.read(&path) else {
        return match is_explicit {
            true => Err(format!("kuberc error kuberc: open {path}: no such file or directory")),
            false => plain(),
        };
    };
    let preference = match read(text) {
        Ok(preference) => preference,
        Err(why) if is_explicit => return Err(format!("kuberc error kuberc: {why}")),
        Err(why) => {
            let said = format!("kuberc: no preferences loaded from {path}: {why}");
            return Ok((words.to_vec(), said));
        }
    };
    check(&preference)?;
    match verbs::look_up(words) {
        Lookup::Verb(verb, rest) => with_defaults(&preference, verb, rest),
        _ => aliased(&preference, words),
    }
}

/// The preferences in a text.
///
/// # Errors
/// That they are none.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let parsed = crate::manifest::parse(text);
    if let Some(problem) = parsed.problems.first() {
        return Err(problem.message.clone());
    }
    let value = parsed.documents.into_iter().next().map(|it| it.value).unwrap_or_default();
    let at = |key: &str| value.str_at(&[key]).unwrap_or_default();
    let (kind, version) = (at("kind"), at("apiVersion"));
    let versions = ["kubectl.config.k8s.io/v1alpha1", "kubectl.config.k8s.io/v1beta1"];
    match kind == "Preference" && versions.contains(&version) {
        true => Ok(value),
        false if kind.is_empty() => Err("Object 'Kind' is missing in the file".to_owned()),
        false => Err(format!(
            "no kind {} is registered for version {}",
            go_quote(kind),
            go_quote(version)
        )),
    }
}

/// The options of an entry: in the older version their name is another one.
fn options(entry: &Value) -> &[Value] {
    let own = entry.items_at(&["options"]);
    if own.is_empty() { entry.items_at(&["flags"]) } else { own }
}

/// Models validate.
fn check(preference: &Value) -> Result<(), String> {
    let (aliases, defaults) = (preference.items_at(&["aliases"]), defaults(preference));
    let mut seen: Vec<&str> = Vec::new();
    for alias in aliases {
        let name = alias.str_at(&["name"]).unwrap_or_default();
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphabetic()) {
            return Err("invalid alias name, can only include alphabetical characters".to_owned());
        }
        if seen.contains(&name) {
            return Err(format!("duplicate alias name {name}"));
        }
        seen.push(name);
    }
    for option in aliases.iter().chain(defaults).flat_map(options) {
        let name = option.str_at(&["name"]).unwrap_or_default();
        if name.starts_with('-') {
            return Err(format!("flag name {name} should be in long form without dashes"));
        }
    }
    Ok(())
}

fn defaults(preference: &Value) -> &[Value] {
    let own = preference.items_at(&["defaults"]);
    if own.is_empty() { preference.items_at(&["overrides"]) } else { own }
}

/// The command of a text.
fn verb_of(text: &str) -> Option<(&'static Verb, Vec<String>)> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    match verbs::look_up(&words) {
        Lookup::Verb(verb, rest) => Some((verb, rest)),
        _ => None,
    }
}

/// Models applyOverrides.
fn with_defaults(
    preference: &Value,
    verb: &'static Verb,
    rest: Vec<String>,
) -> Result<(Vec<String>, String), String> {
    let last = |verb: &Verb| verb.path.rsplit(' ').next();
    let mut said = String::new();
    let mut flags = Vec::new();
    for entry in defaults(preference) {
        let command = entry.str_at(&["command"]).unwrap_or_default();
        let Some((other, _)) = verb_of(command) else {
            let command = go_quote(command);
            said.push_str(&format!(
                "Warning: command {command} not found to set kuberc override\n"
            ));
            continue;
        };
        if last(other) == last(verb) {
            let wrong = |name: &str| format!("invalid flag {name} for command {command}");
            flags.extend(flags_of(verb, entry, &rest, wrong)?);
        }
    }
    let path = verb.path.split(' ').map(str::to_owned);
    Ok((path.chain(flags).chain(rest).collect(), said))
}

/// Models applyAliases.
fn aliased(preference: &Value, words: &[String]) -> Result<(Vec<String>, String), String> {
    let place = words.iter().position(|word| !word.starts_with('-'));
    let place = place.unwrap_or(words.len());
    let (before, after) = words.split_at(place);
    let own = after.split_first().and_then(|(name, rest)| {
        let mut all = preference.items_at(&["aliases"]).iter();
        Some((all.find(|it| it.str_at(&["name"]) == Some(name))?, name, rest))
    });
    let Some((alias, name, rest)) = own else { return Ok((words.to_vec(), String::new())) };
    let command = alias.str_at(&["command"]).unwrap_or_default();
    let Some((verb, inner)) = verb_of(command) else {
        let (command, name) = (go_quote(command), go_quote(name));
        return Err(format!("command {command} not found to set alias {name}: []"));
    };
    let texts = |key: &str| {
        let all = alias.items_at(&[key]).iter().filter_map(Value::as_str);
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    let wrong = |flag: &str| format!("invalid alias flag {flag} in alias kubectl");
    let flags = flags_of(verb, alias, words, wrong)?;
    let path = verb.path.split(' ').map(str::to_owned);
    let all = path.chain(flags).chain(before.iter().cloned()).chain(inner);
    let all =
        all.chain(texts("prependArgs")).chain(rest.iter().cloned()).chain(texts("appendArgs"));
    Ok((all.collect(), String::new()))
}

/// The flags of an entry that the words do not give themselves.
fn flags_of(
    verb: &Verb,
    entry: &Value,
    words: &[String],
    wrong: impl Fn(&str) -> String,
) -> Result<Vec<String>, String> {
    let known = verb.all_flags();
    let mut all = Vec::new();
    for option in options(entry) {
        let name = option.str_at(&["name"]).unwrap_or_default();
        let flag = known.iter().flat_map(|group| group.iter()).find(|flag| flag.name == name);
        let flag = flag.ok_or_else(|| wrong(name))?;
        let letter = flag.short.map(|letter| format!("-{letter}"));
        let is_given = words.iter().any(|word| {
            let long = word.strip_prefix("--").and_then(|word| word.strip_prefix(name));
            long.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
                || letter.as_ref().is_some_and(|letter| word.starts_with(letter.as_str()))
        });
        if !is_given {
            all.push(format!("--{name}={}", option.str_at(&["default"]).unwrap_or_default()));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
defaults:
- command: get
  options: [{name: output, default: wide}]
aliases:
- {name: getn, command: get, prependArgs: [nodes], options: [{name: output, default: json}]}
- {name: runx, command: run, options: [{name: image, default: nginx}], appendArgs: [--, a]}
";

    /// Models the examples of kuberc/set.go and kuberc_test.go.
    #[test]
    fn commands_have_other_names_and_flags_other_defaults() {
        let mut session = Session::default();
        session.make_folder("/home/student/.kube");
        session.write("/home/student/.kube/kuberc", TEXT.to_owned());
        let words = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            applied(&session, &words).map(|(words, _)| words.join(" "))
        };
        for (line, expected) in [
            ("get pods", "get --output=wide pods"),
            ("get pods -oyaml", "get pods -oyaml"),
            ("getn", "get --output=json nodes"),
            ("getn -o yaml", "get nodes -o yaml"),
            ("runx web", "run --image=nginx web -- a"),
            ("describe pods", "describe pods"),
            ("nosuch", "nosuch"),
        ] {
            assert_eq!(words(line).as_deref(), Ok(expected), "{line}");
        }
        let missing = "kuberc error kuberc: open x: no such file or directory";
        assert_eq!(words("get pods --kuberc x").unwrap_err(), missing);
    }
}
