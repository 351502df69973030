//! Words for what kubectl cannot do: wait until nothing changes, cut a node's network, add and remove machines.

use super::work::{Step, Work};
use super::{Output, failed, said};
use crate::container::duration;
use crate::world::World;
use core::time::Duration;

/// `idle` waits for so long a silence, if nothing is said.
const USUAL_IDLE: Duration = Duration::from_secs(5);

const USAGE: &str =
    "usage: node stop|start|remove NAME, node add [NAME], node run NAME -- COMMAND\n";

/// Runs one of the words; `None` if it is none of them.
pub(super) fn run(world: &mut World, name: &str, words: &[String]) -> Option<Step> {
    let at_once = |output| (output, None);
    Some(match name {
        "idle" => match words.first().map_or(Some(Some(USUAL_IDLE)), |it| duration(it)) {
            Some(Some(time)) => (Output::default(), Some(Work::idle(time, world))),
            _ => at_once(failed(1, "idle: how many seconds?\n".to_owned())),
        },
        "node" => at_once(node(world, words)),
        _ => return None,
    })
}

fn node(world: &mut World, words: &[String]) -> Output {
    match words {
        [verb, name] if verb == "stop" || verb == "start" => {
            let known = if verb == "stop" { world.stop_node(name) } else { world.start_node(name) };
            match known {
                true => Output::default(),
                false => failed(1, format!("node: there is no node \"{name}\"\n")),
            }
        }
        [verb, rest @ ..] if verb == "add" && rest.len() < 2 => {
            match world.add_node(rest.first().map(String::as_str)) {
                Ok(name) => said(format!("node/{name} joined\n")),
                Err(error) => failed(1, format!("node: {}\n", error.message)),
            }
        }
        [verb, name] if verb == "remove" => match world.remove_node(name) {
            Ok(()) => said(format!("node/{name} removed\n")),
            Err(error) => failed(1, format!("node: {}\n", error.message)),
        },
        _ => failed(2, USAGE.to_owned()),
    }
}
