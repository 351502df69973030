//! kubectl: a command line in, calls on the world, text out.
//!
//! Invariants: what a person reads is what kubectl 1.36 prints; commands act on the world only
//! through its API server ([`crate::world::World`]'s `create`, `update`, `delete` …); a command that
//! waits moves no clock but says when to go on with it; no input panics.
//!
//! Reading order: `verbs/` (the table of commands), `flags.rs`, `call.rs`, `task.rs` (commands that
//! wait), `resources.rs`, `commands/` (one file a group), `printers/` (`get`), `describe/`, `patch/`.

mod call;
mod columns;
mod commands;
mod complete;
mod content_hash;
mod describe;
mod failure;
mod flags;
mod go_template;
mod go_text;
mod help;
mod jsonpath;
mod kubeconfig;
mod kuberc;
mod kustomize;
mod kyaml;
mod manifests;
mod output;
mod patch;
mod printers;
mod resources;
mod scale;
mod session;
mod table;
mod tabwriter;
mod task;
mod verbs;

pub use crate::programs::Output;
pub use commands::diff::edits as line_edits;
pub use complete::complete;
pub use jsonpath::JsonPath;
pub use session::{HOME, Session};
pub use task::{Input, Running, Wake};

/// The documents of a YAML or JSON text.
///
/// # Errors
/// Where the text is no YAML.
pub fn documents(text: &str) -> Result<Vec<crate::api::Value>, String> {
    let (documents, broken) = manifests::documents(text, "STDIN");
    broken.map_or(Ok(documents), |failure| Err(failure.report().0))
}

use crate::world::World;
use call::Call;
use verbs::Lookup;

/// Why an object was not stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The API server said no.
    Api(crate::api::ApiError),
    /// kubectl did not ask it; its sentence.
    Client(String),
}

/// Applies a document to a world that is thrown away afterwards, to see what would become of it:
/// for each of its objects what the API server would store, or why not.
pub fn rehearse(
    world: &mut World,
    session: &mut Session,
    document: &crate::api::Value,
) -> Vec<Result<(crate::api::Kind, crate::api::Value), Refusal>> {
    let words = ["apply", "-f", "-"].map(str::to_owned);
    let Lookup::Verb(verb, rest) = verbs::look_up(&words) else { return Vec::new() };
    let mut call = Call::new(verb, world, session);
    call.flags = flags::parse(&rest, &verb.all_flags()).unwrap_or_default().flags;
    let refusal = |failure: failure::Failure| match failure {
        failure::Failure::Api(mut error) => {
            // What kubectl puts before the server's words names a file that there is none of.
            let marks = ["error when patching \"\": ", "error when creating \"\": "];
            let own = marks.iter().find_map(|mark| error.message.rsplit_once(mark));
            if let Some(words) = own.map(|(_, words)| words.to_owned()) {
                error.message = words;
            }
            Refusal::Api(error)
        }
        other => Refusal::Client(other.sentence()),
    };
    let all = commands::apply::rehearse(&mut call, document);
    all.into_iter().map(|one| one.map_err(refusal)).collect()
}

/// The namespace of another context that the flags ask for, if it can be used.
///
/// # Errors
/// What is in no kubeconfig.
fn context_of(
    session: &Session,
    verb: &verbs::Verb,
    flags: &flags::Flags,
) -> Result<Option<String>, String> {
    if let Some(path) = flags.get("kubeconfig").filter(|path| session.read(path).is_none()) {
        return Err(format!("error: stat {path}: no such file or directory"));
    }
    if ["config", "completion", "options"].iter().any(|word| verb.path.starts_with(word)) {
        return Ok(None);
    }
    // A command's own flag hides one of all commands.
    let global = |name: &str| match verb.has(name) {
        true => None,
        false => flags.get(name),
    };
    let time = flags.text("request-timeout");
    let is_time = time.parse::<u32>().is_ok() || commands::duration(time).is_ok();
    if !time.is_empty() && !is_time {
        return Err("error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)".to_owned());
    }
    let config = &session.kubeconfig;
    let others = ["as-uid", "as-group", "as-user-extra"];
    if flags.get("as").is_none() && others.iter().any(|name| flags.get(name).is_some()) {
        let user = config.contexts.get(&config.current).map_or("", |context| &context.user);
        return Err(format!(
            "error: requesting uid, groups or user-extra for {user} without impersonating a user"
        ));
    }
    let other = global("context");
    let context = other.unwrap_or(&config.current);
    let namespace = config
        .namespace_of(
            context,
            global("cluster").unwrap_or_default(),
            global("user").unwrap_or_default(),
        )?
        .to_owned();
    let namespace = if namespace.is_empty() { "default".to_owned() } else { namespace };
    Ok(other.filter(|other| **other != config.current).map(|_| namespace))
}

/// Begins a command; `words` are what stands after `kubectl`. Gives back what it printed at once,
/// and the command if it waits.
pub fn begin(
    world: &mut World,
    session: &mut Session,
    words: &[String],
    stdin: Option<&str>,
) -> (Output, Option<Running>) {
    let ended = |stdout: String, stderr: String, exit| {
        (Output { stdout, stderr, exit, ..Output::default() }, None)
    };
    let (words, said) = match kuberc::applied(session, words) {
        Ok(applied) => applied,
        Err(why) => {
            let text = format!("error occurred while applying preferences {why}\n");
            return ended(String::new(), text, 1);
        }
    };
    let (verb, rest) = match verbs::look_up(&words) {
        Lookup::Verb(verb, rest) => (verb, rest),
        Lookup::Help(text, exit) => return ended(text, String::new(), exit),
        Lookup::Wrong(text) => return ended(String::new(), text, 1),
    };
    let mut parsed = match flags::parse(&rest, &verb.all_flags()) {
        Ok(parsed) => parsed,
        Err(why) => {
            // Models cmd/diff/diff.go NewCmdDiff, whose wrong flags are wrong use.
            let (see, exit) = match verb.path {
                "diff" => ("-h' for help and examples", 2),
                _ => ("--help' for usage.", 1),
            };
            let text = format!("error: {why}\nSee 'kubectl {} {see}\n", verb.path);
            return ended(String::new(), text, exit);
        }
    };
    if parsed.help {
        return ended(help::of_verb(verb), String::new(), 0);
    }
    if let Some(why) = flags::missing(&parsed.flags, &verb.all_flags()) {
        return ended(String::new(), format!("error: {why}\n"), 1);
    }
    match context_of(session, verb, &parsed.flags) {
        Ok(None) => {}
        Ok(Some(namespace)) => parsed.flags.assume("namespace", namespace),
        Err(why) => return ended(String::new(), why + "\n", 1),
    }
    parsed.keep_cause(verb.path);
    let mut call = Call::new(verb, world, session);
    (call.args, call.after_dash, call.flags) = (parsed.args, parsed.after_dash, parsed.flags);
    call.stdin = stdin;
    call.err.push_str(&said);
    if call.flags.given("record") {
        call.warn("Flag --record has been deprecated, --record will be removed in the future");
    }
    if let Some(text) = old_dry_run(&call) {
        call.warn(text);
    }
    let outcome = (verb.run)(&mut call);
    task::finish(call, outcome)
}

/// What kubectl logs when `--dry-run` is said as it was before 1.18.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go GetDryRunStrategy and klog's header.
fn old_dry_run(call: &Call<'_>) -> Option<String> {
    let value = call.flags.get("dry-run")?;
    let (line, what, new) = match value {
        "unchanged" => (719, String::new(), "client"),
        value if flags::is_true(value) => (733, format!("={value}"), "client"),
        value if flags::is_false(value) => (736, format!("={value}"), "none"),
        _ => return None,
    };
    let kind = if what.is_empty() { "" } else { " (boolean value)" };
    let text =
        format!("--dry-run{what} is deprecated{kind} and can be replaced with --dry-run={new}.");
    Some(logged(call.world.now(), &format!("helpers.go:{line}"), &text))
}

/// A warning as klog writes it.
fn logged(now: crate::base::SimTime, place: &str, text: &str) -> String {
    let moment = now.rfc3339_micros();
    let part = |from: usize, to: usize| moment.get(from..to).unwrap_or_default();
    // Any process has a number.
    const PROCESS: u32 = 4242;
    let (month, day, time) = (part(5, 7), part(8, 10), part(11, 26));
    format!("W{month}{day} {time} {PROCESS:>7} {place}] {text}")
}
