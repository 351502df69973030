//! Lifecycle hooks: what is done after a container's start and before its end.
//!
//! Models pkg/kubelet/lifecycle/handlers.go.

use super::environment::container_tree;
use super::inside::{self, Inside};
use super::probes::{self, Answer};
use super::runtime::{Hook, PodRuntime};
use super::sync::{Kubelet, Look};
use crate::api::Value;
use crate::api::tree::Tree as _;
use core::time::Duration;

/// How far a hook is.
pub(super) enum Outcome {
    AtWork,
    Done,
    /// Why it failed.
    Failed(String),
}

/// The hook of a container: `postStart` or `preStop`.
fn handler<'a>(look: &Look<'a>, place: usize, which: &str) -> Option<&'a Value> {
    container_tree(look.object, place)?.at(&["lifecycle", which])
}

/// Begins a hook, if the container has it.
pub(super) fn begin(
    look: &Look<'_>,
    runtime: &mut PodRuntime,
    place: usize,
    which: &str,
) -> Option<Hook> {
    let handler = handler(look, place, which)?;
    Some(if let Some(seconds) = handler.int_at(&["sleep", "seconds"]) {
        let time = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        Hook::Until(look.now + time)
    } else if handler.at(&["exec"]).is_some() {
        let words = handler.items_at(&["exec", "command"]).iter();
        let words = words.filter_map(Value::as_str).map(str::to_owned).collect();
        let command = inside::command(look.api, look.object, runtime, place, words, None);
        Hook::Talk(inside::begin_talk(runtime, place, false, &command, look.now))
    } else {
        Hook::Until(look.now)
    })
}

/// Looks after a hook.
pub(super) fn look(
    look: &Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
    which: &str,
    hook: &Hook,
) -> Outcome {
    let Some(handler) = handler(look, place, which) else { return Outcome::Done };
    let name = look.container(place).map(|it| it.name.clone()).unwrap_or_default();
    let who = format!("for Container \"{name}\" in Pod \"{}\"", look.full_name());
    match hook {
        Hook::Until(at) if *at > look.now => Outcome::AtWork,
        Hook::Until(_) => {
            let Some(action) = handler.at(&["httpGet"]) else { return Outcome::Done };
            let inside =
                Inside { api: look.api, object: look.object, runtime, disks: kubelet.disks };
            match probes::http(look, &inside, place, action, "lifecycle") {
                // Any answer is good.
                Answer::Refused(why) | Answer::Unknown(why) => {
                    let path = action.str_at(&["path"]).unwrap_or("/");
                    Outcome::Failed(format!(
                        "HTTP lifecycle hook ({path}) {who} failed - error: {why}"
                    ))
                }
                _ => Outcome::Done,
            }
        }
        Hook::Talk(number) => {
            inside::play(look.api, look.object, runtime, kubelet.disks, look.now);
            let Some(talk) = inside::end_talk(runtime, place, *number) else {
                return Outcome::AtWork;
            };
            let code = talk.end.map_or(0, |(_, code)| code);
            if code == 0 {
                return Outcome::Done;
            }
            let words: Vec<&str> =
                handler.items_at(&["exec", "command"]).iter().filter_map(Value::as_str).collect();
            let words = words.join(" ");
            let (said, errors) = (talk.said.stdout + &talk.said.stderr, talk.said.stderr);
            let said = crate::api::error::go_quote(&said);
            Outcome::Failed(format!(
                "Exec lifecycle hook ([{words}]) {who} failed - error: command '{words}' exited with {code}: {errors}, message: {said}"
            ))
        }
    }
}
