//! The headless console. `diorama --help` says what it can do.

use diorama::scheduler::{PodSource, explain_texts, explanation_table};
use std::process::ExitCode;

const USAGE: &str = "\
diorama: a scale model of a Kubernetes cluster

  diorama proxy FILE --node NAME --mode iptables|nftables|ipvs
      what kube-proxy writes on a node, given Services, EndpointSlices and Nodes as YAML
  diorama run [--namespace NS] [--cluster FILE] [--seed N] FILE
      a console transcript with its outputs filled in
  diorama schedule STATE --pod NAME|FILE [-o table|json]
      what the scheduler would do with a pod, given recorded nodes and pods (a List)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["proxy", rest @ ..] => proxy(rest),
        ["run", ..] => diorama::console::run(arguments.get(1..).unwrap_or_default(), read),
        ["schedule", rest @ ..] => schedule(rest),
        ["--help" | "-h" | "help"] => Ok(USAGE.to_owned()),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{}", text.trim_end());
            ExitCode::from(2)
        }
    }
}

/// The value of a flag, and the words that are neither flag nor value.
fn flags<'a>(words: &[&'a str], names: &[&str]) -> (Vec<&'a str>, Vec<Option<&'a str>>) {
    let (mut rest, mut values) = (Vec::new(), vec![None; names.len()]);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (*word, None),
        };
        match names.iter().zip(&mut values).find(|(known, _)| **known == name) {
            Some((_, value)) => *value = given.or_else(|| words.next().copied()),
            None => rest.push(*word),
        }
    }
    (rest, values)
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("diorama: {path}: {error}"))
}

fn proxy(words: &[&str]) -> Result<String, String> {
    let (files, values) = flags(words, &["--node", "--mode"]);
    let (&[file], &[Some(node), mode]) = (files.as_slice(), values.as_slice()) else {
        return Err(USAGE.to_owned());
    };
    let mode = mode.unwrap_or("iptables");
    let (text, errors) = diorama::proxy::print_with_errors(&read(file)?, node, mode)?;
    eprint!("{errors}");
    Ok(text)
}

fn schedule(words: &[&str]) -> Result<String, String> {
    let (files, values) = flags(words, &["--pod", "-o"]);
    let (&[state], &[Some(pod), output]) = (files.as_slice(), values.as_slice()) else {
        return Err(USAGE.to_owned());
    };
    let manifest = std::fs::read_to_string(pod).ok();
    let pod = manifest.as_deref().map_or(PodSource::Name(pod), PodSource::Manifest);
    let explanation = explain_texts(&read(state)?, pod)?;
    Ok(match output {
        Some("json") => format!("{explanation:#}\n"),
        _ => explanation_table(&explanation),
    })
}
