//! `burst`: many requests at once or over time, counted.

use super::work::{Step, Work};
use super::{Console, Output, failed, trace};
use crate::kubectl::Input;
use crate::world::World;
use crate::world::burst::{Plan, Sending};
use core::time::Duration;

const USAGE: &str = "usage: burst [-n COUNT] [--rate PER-SECOND] [--keepalive CONNECTIONS] [--from internet|node/NAME|pod/[NS/]NAME] [curl|wget|nc] …\n";

/// How many requests are sent if nothing is said.
const USUAL: u32 = 100;
/// How many at most.
const MOST: u32 = 10_000;

/// `burst -n 200 --rate 20 curl URL`: the requests that are due now; the others as time passes.
pub(super) fn run(console: &mut Console, world: &mut World, words: &[String]) -> Step {
    match plan(console, world, words) {
        Ok(plan) => go_on(console, world, Box::new(Sending::new(world, plan)), Input::Time),
        Err(output) => (output, None),
    }
}

/// Sends what is due. When all were sent, or Ctrl-C ends it, what has become of them is printed.
pub(super) fn go_on(
    console: &mut Console,
    world: &mut World,
    mut sending: Box<Sending>,
    input: Input,
) -> Step {
    let is_ended = input == Input::Interrupt;
    if !is_ended {
        sending.send_due(world);
    }
    if console.is_live {
        console.counted = Some(sending.clone());
    }
    if !is_ended && sending.next().is_some() {
        return (Output::default(), Some(Work::Burst(sending)));
    }
    let burst = sending.burst();
    let exit = if is_ended { 130 } else { i32::from(burst.failures() > 0) };
    (Output { stdout: burst.to_text(), exit, ..Output::default() }, None)
}

fn plan(console: &Console, world: &World, words: &[String]) -> Result<Plan, Output> {
    let usage = || failed(2, USAGE.to_owned());
    let (mut count, mut rate, mut keep_alive) = (USUAL, 0, 0);
    let mut rest = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, given) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            _ => (word.as_str(), None),
        };
        let field = match flag {
            "-n" | "--count" => &mut count,
            "--rate" => &mut rate,
            "--keepalive" => &mut keep_alive,
            "--from" => {
                rest.push(word.clone());
                rest.extend(words.next().filter(|_| given.is_none()).cloned());
                continue;
            }
            _ => {
                // All the rest is the program's.
                rest.push(word.clone());
                rest.extend(words.by_ref().cloned());
                break;
            }
        };
        let value = given.or_else(|| words.next().map(String::as_str)).unwrap_or_default();
        match value.parse::<u32>() {
            Ok(number) => *field = number.min(MOST),
            Err(_) => return Err(usage()),
        }
    }
    let named =
        |output: Output| Output { stderr: output.stderr.replace("trace", "burst"), ..output };
    let request = trace::request(console, world, &rest).map_err(named)?;
    let gap = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
    Ok(Plan { request, count, gap, keep_alive })
}
