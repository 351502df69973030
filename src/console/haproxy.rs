//! `haproxy`: a load balancer that people build by hand, on a machine outside of the cluster.

use super::{Output, Session, failed, said};
use crate::trace::haproxy::{self, ADDRESS, Config, Problem};
use crate::world::World;

const USAGE: &str = "usage: haproxy -f FILE | haproxy -c -f FILE | haproxy status | haproxy stop\n";

/// `haproxy -f haproxy.cfg` starts it, or loads the file anew.
pub(super) fn run(world: &mut World, session: &Session, words: &[String]) -> Output {
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["status"] => status(world),
        ["stop"] => {
            world.set_hand_built(None);
            Output::default()
        }
        flags => {
            let mut flags = flags.iter();
            let (mut file, mut only_checks) = (None, false);
            while let Some(flag) = flags.next() {
                match *flag {
                    "-f" => file = flags.next().copied(),
                    "-c" => only_checks = true,
                    "-D" | "-W" | "-db" | "-q" | "-V" => {}
                    // The process that the new one takes over from: there is one alone.
                    "-sf" | "-st" => drop(flags.next()),
                    _ => return failed(1, USAGE.to_owned()),
                }
            }
            match file {
                Some(file) => load(world, session, file, only_checks),
                None => failed(1, USAGE.to_owned()),
            }
        }
    }
}

fn load(world: &mut World, session: &Session, file: &str, only_checks: bool) -> Output {
    let alert = |text: String| format!("[ALERT]    (1) : config : {text}\n");
    let Some(text) = session.read(file) else {
        let why =
            format!("Cannot open configuration file/directory {file} : No such file or directory");
        return failed(1, alert(why));
    };
    let (config, problems) = haproxy::read(text);
    if !problems.is_empty() {
        let said = |Problem { line, message }: &Problem| match line {
            0 => alert(message.clone()),
            line => alert(format!("parsing [{file}:{line}] : {message}")),
        };
        let mut text: String = problems.iter().map(said).collect();
        if problems.iter().any(|problem| problem.line > 0) {
            text += &alert(format!("Error(s) found in configuration file : {file}"));
        }
        text += &alert("Fatal errors found in configuration.".to_owned());
        return failed(1, text);
    }
    if only_checks {
        return said("Configuration file is valid\n".to_owned());
    }
    let ports = config.ports().iter().map(|port| format!("{ADDRESS}:{port}")).collect::<Vec<_>>();
    world.set_hand_built(Some(config));
    said(format!("HAProxy listens on {}\n", ports.join(", ")))
}

/// What it knows, which is its file, beside what there is.
fn status(world: &mut World) -> Output {
    let Some(config) = world.hand_built().cloned() else {
        return failed(1, "haproxy: not running: haproxy -f FILE starts it\n".to_owned());
    };
    let state = world.hand_built_state(&config);
    let mut text = format!(
        "{:<12} {:<12} {:<22} {:<6} {:<6} NODE\n",
        "BACKEND", "SERVER", "ADDRESS", "CHECK", "STATE"
    );
    let servers = |config: &Config| {
        let pools = config.pools.iter();
        let all = pools
            .flat_map(|pool| pool.servers.iter().map(move |it| (pool.name.clone(), it.clone())));
        all.collect::<Vec<_>>()
    };
    let known = state.up.iter().zip(&state.nodes);
    for ((pool, server), (up, node)) in servers(&config).into_iter().zip(known) {
        let (check, state) = match (server.check, up) {
            (None, _) => ("no", "-"),
            (Some(_), true) => ("yes", "UP"),
            (Some(_), false) => ("yes", "DOWN"),
        };
        let node = node.as_deref().unwrap_or("<none>");
        let to = server.to.to_string();
        text += &format!("{pool:<12} {:<12} {to:<22} {check:<6} {state:<6} {node}\n", server.name);
    }
    if !state.unlisted.is_empty() {
        text += &format!("not in the file: {}\n", state.unlisted.join(", "));
    }
    said(text)
}
