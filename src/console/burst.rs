//! `burst`: many requests at once or over time, counted.

use super::{Console, Output, failed, trace};
use crate::world::World;
use crate::world::burst::{self, Plan};
use core::time::Duration;

const USAGE: &str = "usage: burst [-n COUNT] [--rate PER-SECOND] [--keepalive CONNECTIONS] [--from internet|node/NAME|pod/[NS/]NAME] [curl|wget|nc] …\n";

/// How many requests are sent if nothing is said.
const USUAL: u32 = 100;
/// How many at most.
const MOST: u32 = 10_000;

/// `burst -n 200 --rate 20 curl URL`.
pub(super) fn run(console: &Console, world: &mut World, words: &[String]) -> Output {
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
            Err(_) => return usage(),
        }
    }
    let request = match trace::request(console, world, &rest) {
        Ok(request) => request,
        Err(output) => return Output { stderr: output.stderr.replace("trace", "burst"), ..output },
    };
    let second = Duration::from_secs(1);
    let gap = second.checked_div(rate).unwrap_or_default();
    let begin = world.now();
    let burst = burst::run(world, &Plan { request, count, gap, keep_alive });
    let exit = i32::from(burst.failures() > 0);
    Output { stdout: burst.to_text(begin), exit, ..Output::default() }
}
