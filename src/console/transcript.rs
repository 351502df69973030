//! `diorama run`: a transcript with its outputs filled in.

use super::{COMMAND_TIME, Console};
use crate::container::Entered;
use crate::world::{ClusterConfig, LoadBalancers, World};
use core::time::Duration;
use serde_json::json;

/// One part of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A line that starts with `#`.
    Comment(String),
    /// A command with its here-document, without the `$ `.
    Command(String),
}

/// Reads a transcript. Lines that are neither comments nor commands are a former output and left
/// out.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix("$ ") {
            let mut entered = Entered::default();
            let mut next = Some(command);
            while let Some(line) = next {
                if entered.add(line) {
                    entered.go_on();
                }
                next = if entered.is_in_document() { lines.next() } else { None };
            }
            blocks.push(Block::Command(entered.take()));
        } else if line.starts_with('#') {
            blocks.push(Block::Comment(line.to_owned()));
        }
    }
    blocks
}

/// Runs a transcript in a world and gives it back with the outputs: after each command its standard
/// output, its standard error, and `[exit N]` unless that is 0.
pub fn transcript(world: &mut World, console: &mut Console, text: &str) -> String {
    let mut out = String::new();
    for block in blocks(text) {
        match block {
            Block::Comment(line) => {
                out.push_str(&line);
                out.push('\n');
            }
            Block::Command(command) => {
                out.push_str(&format!("$ {command}\n"));
                let output = console.execute(world, &command, None);
                for text in [&output.stdout, &output.stderr] {
                    out.push_str(text);
                    if !text.is_empty() && !text.ends_with('\n') {
                        out.push('\n');
                    }
                }
                if output.exit != 0 {
                    out.push_str(&format!("[exit {}]\n", output.exit));
                }
            }
        }
    }
    out
}

/// What `diorama run` was told.
#[derive(Debug, Default)]
struct Options {
    namespace: Option<String>,
    cluster: Option<String>,
    setup: Option<LoadBalancers>,
    /// Whether the Gateway API is there.
    gateway_api: bool,
    seed: u64,
    /// Whether processes end as real ones do, and not as those of the recordings.
    real: bool,
    file: Option<String>,
}

const USAGE: &str = "usage: diorama run [--namespace NS] [--cluster FILE] [--setup cloud|bare-metal|metallb|gateway] [--seed N] [--kubelet hollow|real] FILE\n";

fn options(args: &[String]) -> Option<Options> {
    let mut options = Options { seed: 1, ..Options::default() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        let mut value = || value.clone().or_else(|| args.next().cloned());
        match name {
            "--namespace" | "-n" => options.namespace = Some(value()?),
            "--cluster" => options.cluster = Some(value()?),
            "--setup" => {
                let name = value()?;
                options.gateway_api = name == "gateway";
                let name = if options.gateway_api { "cloud" } else { &name };
                options.setup = Some(LoadBalancers::parse(name)?);
            }
            "--seed" => options.seed = value()?.parse().ok()?,
            "--kubelet" => match value()?.as_str() {
                "real" => options.real = true,
                "hollow" => options.real = false,
                _ => return None,
            },
            other if other.starts_with("--") => return None,
            other => options.file = Some(other.to_owned()),
        }
    }
    options.file.is_some().then_some(options)
}

/// `diorama run`: gives back what to print.
///
/// # Errors
/// What is wrong with the command line or a file, for standard error.
pub fn run(
    args: &[String],
    read: impl Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let options = options(args).ok_or_else(|| USAGE.to_owned())?;
    let mut config = ClusterConfig::default();
    if let Some(path) = &options.cluster {
        let documents = crate::kubectl::documents(&read(path)?)?;
        config = ClusterConfig::from_manifests(&documents);
    }
    config.warm_images = true;
    if let Some(load_balancers) = options.setup {
        let given = options.cluster.is_some().then_some(config.nodes);
        let gateway_api = options.gateway_api;
        config = ClusterConfig { load_balancers, gateway_api, ..ClusterConfig::classroom() };
        config.nodes = given.unwrap_or(config.nodes);
    }
    config.hollow = !options.real;
    let text = read(options.file.as_deref().unwrap_or_default())?;
    let mut world = World::new(config, options.seed);
    let mut console = Console::new();
    console.command_time = COMMAND_TIME;
    if let Some(name) = options.namespace {
        let value = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        world
            .create(crate::api::Kind::Namespace, &value, "")
            .map_err(|error| error.message + "\n")?;
        console.session.namespace = name;
        world.run_for(Duration::from_secs(1));
    }
    Ok(transcript(&mut world, &mut console, &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_outputs_are_left_out() {
        let text = "# one\n$ kubectl get pods\nNAME\nx\n$ kubectl apply -f - <<'EOF'\na: 1\n# no comment\nEOF\nout\n[exit 1]\n";
        let wanted = vec![
            Block::Comment("# one".into()),
            Block::Command("kubectl get pods".into()),
            Block::Command("kubectl apply -f - <<'EOF'\na: 1\n# no comment\nEOF".into()),
        ];
        assert_eq!(blocks(text), wanted);
    }
}
