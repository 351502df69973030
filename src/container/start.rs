//! What a container's first process is.

use super::commands;
use super::files::{Found, View, normal};
use super::images;
use super::kit::{Presence, kit_of};
use core::time::Duration;

/// What a container's first process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// It runs until it is stopped.
    Server,
    /// It ends by itself.
    Ends {
        /// When.
        after: Duration,
        /// With this code.
        code: i32,
        /// Whether it was killed for its memory.
        out_of_memory: bool,
    },
    /// A script, or a program that is played like one.
    Script,
    /// There is no such program; the runtime's sentence.
    Missing(String),
}

/// Makes the certificate of a webhook, and ends.
const CERTIFICATE_MAKER: &str = "kube-webhook-certgen";
/// NGINX Gateway Fabric's own program: its control plane, the maker of its certificates, and what
/// prepares its nginx.
const GATEWAY_CONTROL: &str = "/nginx-gateway-fabric:";
/// How long either takes.
const MAKES_CERTIFICATE: Duration = Duration::from_millis(700);
/// How long an image's shell without a terminal takes to end.
const SHELL_ENDS: Duration = Duration::from_millis(200);
/// How long the allocation of too much memory takes.
const FILLS_MEMORY: Duration = Duration::from_secs(1);

/// What the first process of a container is that starts what its image says, with standard input held
/// open or not.
pub fn start_alone(image: &str, has_input: bool) -> Start {
    if image.contains(CERTIFICATE_MAKER) {
        return Start::Ends { after: MAKES_CERTIFICATE, code: 0, out_of_memory: false };
    }
    let is_control = image.contains(GATEWAY_CONTROL);
    match images::ends_at_once(image) && !has_input && !is_control {
        true => Start::Ends { after: SHELL_ENDS, code: 0, out_of_memory: false },
        false => Start::Server,
    }
}

/// What the first process of a container is: of this image, started with these words, with standard
/// input held open or not, in this folder, under this limit of memory.
pub fn start(
    image: &str,
    words: &[String],
    has_input: bool,
    folder: &str,
    memory_limit: i64,
    view: &View<'_>,
) -> Start {
    let Some((first, arguments)) = words.split_first() else {
        return start_alone(image, has_input);
    };
    if image.contains(CERTIFICATE_MAKER) {
        return Start::Ends { after: MAKES_CERTIFICATE, code: 0, out_of_memory: false };
    }
    if image.contains(GATEWAY_CONTROL) {
        let ends =
            words.iter().any(|word| matches!(word.as_str(), "generate-certs" | "initialize"));
        return match ends {
            true => Start::Ends { after: MAKES_CERTIFICATE, code: 0, out_of_memory: false },
            false => Start::Server,
        };
    }
    // The image's own server takes what is given as its arguments.
    if first.starts_with('-') && !images::ends_at_once(image) {
        return Start::Server;
    }
    if let Some(why) = missing(image, folder, first, view) {
        return Start::Missing(why);
    }
    let name = first.rsplit('/').next().unwrap_or_default();
    let is_file = first.contains('/') && view.find(&normal(folder, first)).is_some();
    let is_strange = !is_file && kit_of(image).has(first) == Presence::Perhaps;
    match name {
        "sleep" => match arguments {
            [time] => match commands::duration(time) {
                Some(Some(after)) => Start::Ends { after, code: 0, out_of_memory: false },
                Some(None) => Start::Server,
                None => Start::Script,
            },
            _ => Start::Script,
        },
        "pause" => Start::Server,
        "tail" if arguments.iter().any(|it| it == "/dev/null") => Start::Server,
        "sh" | "bash" | "ash" | "dash" if arguments.is_empty() && has_input => Start::Server,
        "stress" | "stress-ng" => stress(arguments, memory_limit),
        _ if kit_of(image).is_all(name) => Start::Server,
        _ if commands::is_server(name) && arguments.iter().all(|it| it != "--version") => {
            Start::Server
        }
        "nginx" if arguments.iter().any(|it| it.contains("daemon off")) => Start::Server,
        _ if is_strange => Start::Server,
        _ => Start::Script,
    }
}

/// The runtime's sentence, if there is no such program in a container.
pub fn missing(image: &str, folder: &str, program: &str, view: &View<'_>) -> Option<String> {
    let is_path = program.contains('/');
    match if is_path { view.find(&normal(folder, program)) } else { None } {
        Some(Found::File { executable: false, .. }) => {
            return Some(format!("exec: \"{program}\": permission denied"));
        }
        Some(Found::Folder { .. }) => return Some(format!("exec: \"{program}\": is a directory")),
        Some(_) => return None,
        None => {}
    }
    match (kit_of(image).has(program), is_path) {
        (Presence::No, true) => {
            Some(format!("exec: \"{program}\": stat {program}: no such file or directory"))
        }
        (Presence::No, false) => {
            Some(format!("exec: \"{program}\": executable file not found in $PATH"))
        }
        _ => None,
    }
}

/// The code that a first process ends with when it is asked to, unless it is a script; `None` if it
/// does not listen: the first process of a container hears only what it listens for.
pub fn stop_code(image: &str, words: &[String]) -> Option<i32> {
    match words.first().map(|word| word.rsplit('/').next().unwrap_or_default()) {
        // A shell at a terminal listens to nobody else.
        None if images::ends_at_once(image) => None,
        Some(
            "sleep" | "tail" | "sh" | "bash" | "ash" | "dash" | "stress" | "python" | "python3"
            | "node" | "cat",
        ) => None,
        // Servers in Go that leave SIGTERM to the runtime.
        Some("liveness" | "serve-hostname" | "porter") if image.contains("agnhost") => Some(2),
        _ => Some(images::stop_code(image)),
    }
}

/// `stress --vm 1 --vm-bytes 250M`, of the tasks on memory in the documentation.
fn stress(arguments: &[String], memory_limit: i64) -> Start {
    let value = |flag: &str| {
        let place = arguments.iter().position(|it| it == flag)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let workers = value("--vm").or_else(|| value("-m")).and_then(|it| it.parse::<i64>().ok());
    let bytes = value("--vm-bytes").unwrap_or("256M");
    let unit = match bytes.chars().last() {
        Some('K' | 'k') => 1 << 10,
        Some('M' | 'm') => 1 << 20,
        Some('G' | 'g') => 1 << 30,
        _ => 1,
    };
    let number = bytes.trim_end_matches(|it: char| it.is_alphabetic()).parse::<i64>().unwrap_or(0);
    let wanted = workers.unwrap_or(0).saturating_mul(number).saturating_mul(unit);
    if memory_limit > 0 && wanted > memory_limit {
        // The kernel ends all of a container's processes together.
        return Start::Ends { after: FILLS_MEMORY, code: 137, out_of_memory: true };
    }
    match value("--timeout").or_else(|| value("-t")).and_then(commands::duration) {
        Some(Some(after)) => Start::Ends { after, code: 0, out_of_memory: false },
        _ => Start::Server,
    }
}
