//! kubectl: a command line in, calls on the world, text out.
//!
//! Invariants: what a person reads is what kubectl 1.36 prints; commands act on the world only
//! through its API server ([`crate::world::World`]'s `create`, `update`, `delete` …); commands that
//! wait run the world forward until what they wait for is there; no input panics.
//!
//! Reading order: `verbs/` (the table of commands), `flags.rs`, `call.rs`, `resources.rs`,
//! `commands/` (one file a group), `printers/` (`get`), `describe/`, `patch/`.

mod call;
mod columns;
mod commands;
mod complete;
mod describe;
mod failure;
mod field_selector;
mod flags;
mod go_text;
mod help;
mod jsonpath;
mod manifests;
mod output;
mod patch;
mod printers;
mod resources;
mod scale;
mod table;
mod tabwriter;
mod verbs;

pub use call::{Output, Session};
pub use complete::complete;
pub use jsonpath::JsonPath;

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

/// Runs one command; `words` are what stands after `kubectl`.
pub fn run(
    world: &mut World,
    session: &mut Session,
    words: &[String],
    stdin: Option<&str>,
) -> Output {
    let (verb, rest) = match verbs::look_up(words) {
        Lookup::Verb(verb, rest) => (verb, rest),
        Lookup::Help(text) => return Output { stdout: text, ..Output::default() },
        Lookup::Wrong(text) => return Output { stderr: text, exit: 1, ..Output::default() },
    };
    let parsed = match flags::parse(&rest, &verb.all_flags()) {
        Ok(parsed) => parsed,
        Err(why) => {
            let stderr = format!("error: {why}\nSee 'kubectl {} --help' for usage.\n", verb.path);
            return Output { stderr, exit: 1, ..Output::default() };
        }
    };
    if parsed.help {
        return Output { stdout: help::of_verb(verb), ..Output::default() };
    }
    let mut call = Call {
        verb,
        world,
        session,
        args: parsed.args,
        after_dash: parsed.after_dash,
        flags: parsed.flags,
        stdin,
        out: String::new(),
        err: String::new(),
    };
    let outcome = (verb.run)(&mut call);
    let mut output = Output { stdout: call.out, stderr: call.err, exit: 0 };
    if let Err(failure) = outcome {
        let (text, exit) = failure.report();
        output.stderr.push_str(&text);
        output.exit = exit;
    }
    output
}
