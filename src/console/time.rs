//! Words for what kubectl cannot do: let time pass, cut a node's network, add and remove machines.

use super::{Output, failed, said};
use crate::world::World;
use core::time::Duration;

/// `idle` waits no longer than this.
const MOST_IDLE: Duration = Duration::from_secs(90);
/// `sleep` sleeps no longer than this: a year.
const MOST_SLEEP_SECONDS: u64 = 366 * 86_400;

const USAGE: &str =
    "usage: node stop|start|remove NAME, node add [NAME], node run NAME -- COMMAND\n";

/// Runs one of the words; `None` if it is none of them.
pub(super) fn run(world: &mut World, name: &str, words: &[String]) -> Option<Output> {
    Some(match name {
        "sleep" => match words.first().and_then(|text| seconds(text)) {
            Some(duration) => {
                world.run_for(duration);
                Output::default()
            }
            None => failed(1, "sleep: missing or invalid time interval\n".to_owned()),
        },
        "idle" => match words.first().map_or(Some(Duration::from_secs(5)), |text| seconds(text)) {
            Some(duration) => {
                world.run_until_idle(duration, MOST_IDLE);
                Output::default()
            }
            None => failed(1, "idle: how many seconds?\n".to_owned()),
        },
        "node" => node(world, words),
        _ => return None,
    })
}

/// `4`, `0.5`, `2m`, `1h`.
fn seconds(text: &str) -> Option<Duration> {
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let micros_of_unit: u64 = match unit {
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let mut micros = whole.parse::<u64>().ok()?.checked_mul(micros_of_unit)?;
    let mut scale = micros_of_unit;
    for digit in part.chars() {
        scale /= 10;
        micros = micros.checked_add(u64::from(digit.to_digit(10)?) * scale)?;
    }
    Some(Duration::from_micros(micros).min(Duration::from_secs(MOST_SLEEP_SECONDS)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_have_a_unit_and_a_fraction() {
        let cases = [("4", 4000), ("0.5", 500), ("2m", 120_000), ("1.5h", 5_400_000)];
        for (text, millis) in cases {
            assert_eq!(seconds(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "x", "-1", "1x", "99999999999999999999"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
