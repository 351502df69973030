//! What a real API server 1.36 answered, command by command, asked again here.
//!
//! Each file of `conformance/api` is a transcript of a real kubectl against a real kube-apiserver:
//! objects right and wrong, and how each was answered. Every command must be answered in the same
//! words and order. A comment above a command says what it tries; the first lines of a file name
//! the upstream sources of its texts. Only what differs between any two clusters is masked.

#![cfg(not(target_arch = "wasm32"))]

use diorama::console;
use regex_lite::Regex;

/// A transcript and its namespace.
const TRANSCRIPTS: [(&str, &str); 14] = [
    ("vpod", include_str!("conformance/api/pod.txt")),
    ("vpodupdate", include_str!("conformance/api/podupdate.txt")),
    ("vworkloads", include_str!("conformance/api/workloads.txt")),
    ("vbatch", include_str!("conformance/api/batch.txt")),
    ("vnet", include_str!("conformance/api/net.txt")),
    ("vpolicy", include_str!("conformance/api/policy.txt")),
    ("vadmission", include_str!("conformance/api/admission.txt")),
    ("vstudents", include_str!("conformance/api/mistakes.txt")),
    ("vjp", include_str!("conformance/api/jsonpatch.txt")),
    ("vmutations", include_str!("conformance/api/mutations.txt")),
    ("vpublic", include_str!("conformance/api/manifests.txt")),
    ("vmore", include_str!("conformance/api/again.txt")),
    ("vcrd3", include_str!("conformance/api/custom.txt")),
    ("vcrd2", include_str!("conformance/api/definitions.txt")),
];

/// What is volatile, and what stands for it.
const MASKS: [(&str, &str); 9] = [
    (r#""?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"?"#, "<time>"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>"),
    (r#"resourceVersion: "\d+""#, "resourceVersion: <rv>"),
    (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-<random>"),
    (r"(clusterIPs?:|ClusterIP|- )\s*10\.(9[6-9]|1\d\d)\.\d+\.\d+", "$1 <cluster ip>"),
    (r"(?m)\b\d+(s|m|m\d+s)\s*$", "<age>"),
    (r#""NodeName": ".*?""#, r#""NodeName": <node>"#),
    (r"@@ -.*? @@", "@@"),
    (r"[ \t]+", " "),
];

/// The commands of a transcript, each with all that was said until the next.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix("$ ") {
            let mut command = command.to_owned();
            if command.contains("<<'EOF'") {
                for line in lines.by_ref() {
                    command.push_str(&format!("\n{line}"));
                    if line == "EOF" {
                        break;
                    }
                }
            }
            commands.push((command, String::new()));
        } else if !line.starts_with("# ")
            && let Some((_, said)) = commands.last_mut()
        {
            said.push_str(line);
            said.push('\n');
        }
    }
    commands
}

fn masked(masks: &[(Regex, &str)], text: &str) -> String {
    let text = masks.iter().fold(text.trim().to_owned(), |text, (mask, stands_for)| {
        mask.replace_all(&text, *stands_for).into_owned()
    });
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_command_is_answered_as_a_real_api_server_answered_it() {
    let masks: Vec<(Regex, &str)> =
        MASKS.iter().map(|(mask, text)| (Regex::new(mask).unwrap(), *text)).collect();
    let (mut different, mut refusals) = (String::new(), 0);
    for (namespace, recorded) in TRANSCRIPTS {
        let arguments = ["--namespace", namespace, "FILE"].map(str::to_owned);
        let ours = console::run(&arguments, |_| Ok(recorded.to_owned())).unwrap();
        let (recorded, ours) = (commands(recorded), commands(&ours));
        assert_eq!(recorded.len(), ours.len(), "{namespace}: every command is answered");
        for ((command, real), (_, ours)) in recorded.iter().zip(&ours) {
            let (real, ours) = (masked(&masks, real), masked(&masks, ours));
            refusals += usize::from(real.contains("[exit 1]"));
            if real != ours {
                different.push_str(&format!("{namespace} $ {command}\n{}\n", lines(&real, &ours)));
            }
        }
    }
    assert!(different.is_empty(), "{different}");
    assert!(refusals >= 300, "only {refusals} refusals");
}

/// The lines that only one of two texts has; the whole of both if only the order differs.
fn lines(real: &str, ours: &str) -> String {
    let only = |some: &str, others: &str, mark: &str| -> String {
        let lines = some.lines().filter(|line| !others.lines().any(|other| other == *line));
        lines.map(|line| format!("  {mark}: {line}\n")).collect()
    };
    let both = only(real, ours, "real") + &only(ours, real, "ours");
    if both.is_empty() { format!("  real: {real}\n  ours: {ours}\n") } else { both }
}
