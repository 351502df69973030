//! Console sessions that were recorded on a real Kubernetes 1.36, run again here.
//!
//! Each file of `conformance/sessions` is a transcript with the real outputs. What differs from one
//! cluster to the next (ages, uids, random names, times) is masked, and rows count as a set, since
//! kubectl sorts by names that are partly random. The table below says how close each session is:
//! a change that loses a line fails, and one that wins a line must raise the number.

#![expect(
    clippy::unwrap_used,
    reason = "the recordings are this test's own: where one is wrong, the test fails at its line"
)]

use diorama::console;
use regex_lite::Regex;
use std::collections::BTreeMap;

/// A session, its text, how many of its commands say all that the real cluster said, and how many
/// commands it has. `docs/fidelity.md` says why some cannot. Those from `data` on are of a kubectl
/// 1.36.3 and a control plane whose kubelets were played (they made no CSINodes), without what no two
/// clusters share.
const SESSIONS: [(&str, &str, usize, usize); 32] = [
    ("basics", include_str!("conformance/sessions/01-basics.txt"), 8, 9),
    ("rolling", include_str!("conformance/sessions/02-rolling.txt"), 18, 18),
    ("drain", include_str!("conformance/sessions/03-drain.txt"), 8, 8),
    ("notready", include_str!("conformance/sessions/04-notready.txt"), 3, 6),
    ("errors", include_str!("conformance/sessions/05-errors.txt"), 47, 47),
    ("scheduling", include_str!("conformance/sessions/06-scheduling.txt"), 17, 18),
    ("jobs", include_str!("conformance/sessions/07-jobs.txt"), 9, 11),
    ("strategies", include_str!("conformance/sessions/08-strategies.txt"), 12, 13),
    ("misc", include_str!("conformance/sessions/09-misc.txt"), 29, 29),
    ("kubectl", include_str!("conformance/sessions/10-kubectl.txt"), 37, 41),
    ("data", include_str!("conformance/sessions/11-data.txt"), 105, 105),
    ("rules", include_str!("conformance/sessions/12-rules.txt"), 138, 138),
    ("made", include_str!("conformance/sessions/13-made.txt"), 125, 125),
    ("drained", include_str!("conformance/sessions/14-drained.txt"), 70, 70),
    ("deleted", include_str!("conformance/sessions/15-deleted.txt"), 122, 122),
    ("rollouts", include_str!("conformance/sessions/16-rollouts.txt"), 159, 159),
    ("set", include_str!("conformance/sessions/17-set.txt"), 172, 172),
    ("marked", include_str!("conformance/sessions/18-marked.txt"), 139, 139),
    ("asked", include_str!("conformance/sessions/19-asked.txt"), 158, 158),
    ("config", include_str!("conformance/sessions/20-config.txt"), 44, 44),
    ("flags", include_str!("conformance/sessions/21-flags.txt"), 305, 305),
    ("pods", include_str!("conformance/sessions/22-pods.txt"), 25, 25),
    ("workloads", include_str!("conformance/sessions/23-workloads.txt"), 52, 52),
    ("services", include_str!("conformance/sessions/24-services.txt"), 37, 37),
    ("volumes", include_str!("conformance/sessions/25-volumes.txt"), 44, 44),
    ("bounds", include_str!("conformance/sessions/26-bounds.txt"), 40, 40),
    ("stored", include_str!("conformance/sessions/27-stored.txt"), 67, 68),
    ("listed", include_str!("conformance/sessions/28-listed.txt"), 15, 15),
    ("explained", include_str!("conformance/sessions/29-explained.txt"), 40, 40),
    ("files", include_str!("conformance/sessions/30-files.txt"), 120, 120),
    ("compared", include_str!("conformance/sessions/31-compared.txt"), 14, 14),
    ("whole", include_str!("conformance/sessions/32-whole.txt"), 18, 18),
];

/// What is volatile, and what stands for it.
const MASKS: [(&str, &str); 15] = [
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} [\d:]+ [+-]\d{4}", "<time>"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>"),
    (r"-[456789bcdf]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-<hash>-<rand>"),
    (r#"-[bcdfghjklmnpqrstvwxz2456789]{5}([\s",:/\]]|$)"#, "-<rand>$1"),
    (r"\b[456789bcdf]{8,10}\b", "<hash>"),
    (r"10\.244\.\d+\.\d+", "<podip>"),
    (r"10\.96\.\d+\.\d+", "<svcip>"),
    (r"\(x\d+ over [^)]*\)", "(xN over T)"),
    (r"\b(\d+d)?(\d+h)?(\d+m)?\d+s\b", "<age>"),
    (r"\b\d+m(\d+s)?\b([^i]|$)", "<age>$2"),
    (r#"resourceVersion: "?\d+"?"#, "resourceVersion: <rv>"),
    (r"\bin [\d.]+m?s \([\d.]+m?s including waiting\)", "in T (T including waiting)"),
    (r"Image size: \d+ bytes", "Image size: N bytes"),
    (r"[gG]eneration: \d+", "generation: N"),
];

/// The commands of a transcript with the lines that followed each.
fn commands(text: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix("$ ") {
            let mut command = command.to_owned();
            if let Some((_, tag)) = command.clone().split_once("<<") {
                let tag = tag.trim_matches(['-', '\'', ' ']);
                for line in lines.by_ref() {
                    command.push('\n');
                    command.push_str(line);
                    if line.trim() == tag {
                        break;
                    }
                }
            }
            commands.push((command, Vec::new()));
        } else if !line.starts_with("# ")
            && !line.trim().is_empty()
            && !line.contains("rollout to finish")
            && let Some((_, output)) = commands.last_mut()
        {
            output.push(line.to_owned());
        }
    }
    let waits = |command: &str| ["idle", "sleep", "node "].iter().any(|w| command.starts_with(w));
    commands.retain(|(command, _)| !waits(command));
    commands
}

/// The lines as a set, masked. Nodes count only where the command names them: the scheduler draws
/// lots among equals.
fn masked(masks: &[(Regex, &str)], command: &str, lines: &[String]) -> BTreeMap<String, usize> {
    let any_node = Regex::new(r"\bnode-[123]\b").unwrap();
    let mut set = BTreeMap::new();
    for line in lines {
        let mut line = line.clone();
        for (mask, stands_for) in masks {
            line = mask.replace_all(&line, *stands_for).into_owned();
        }
        if !command.contains("node-") && !command.contains("nodes") {
            line = any_node.replace_all(&line, "<node>").into_owned();
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        *set.entry(words.join(" ").trim_end_matches(',').to_owned()).or_default() += 1;
    }
    set
}

/// The commands whose output differs, with how.
fn differences(name: &str, recorded: &str) -> (usize, Vec<String>) {
    let masks: Vec<(Regex, &str)> =
        MASKS.iter().map(|(mask, text)| (Regex::new(mask).unwrap(), *text)).collect();
    let arguments = ["run", "--namespace", &format!("v{name}"), "FILE"].map(str::to_owned);
    let ours = console::run(&arguments[1..], |_| Ok(recorded.to_owned())).unwrap();
    let (recorded, ours) = (commands(recorded), commands(&ours));
    assert_eq!(recorded.len(), ours.len(), "{name}: every command has an output");
    let mut different = Vec::new();
    for ((command, real), (_, ours)) in recorded.iter().zip(&ours) {
        let (real, ours) = (masked(&masks, command, real), masked(&masks, command, ours));
        if real == ours {
            continue;
        }
        let only =
            |some: &BTreeMap<String, usize>, others: &BTreeMap<String, usize>, mark: &str| {
                let lines = some.iter().filter(|(line, n)| others.get(*line) != Some(*n));
                lines.map(|(line, n)| format!("{mark} {n} x {line}\n")).collect::<String>()
            };
        let first = command.lines().next().unwrap_or_default();
        let (missing, added) = (only(&real, &ours, "  real:"), only(&ours, &real, "  ours:"));
        different.push(format!("$ {first}\n{missing}{added}"));
    }
    (recorded.len(), different)
}

#[test]
fn recorded_sessions_say_what_a_real_cluster_said() {
    let mut complaints = Vec::new();
    for (name, recorded, exact, all) in SESSIONS {
        let (count, different) = differences(name, recorded);
        assert_eq!(count, all, "{name}: the table says how many commands it has");
        let now = count - different.len();
        if now != exact {
            let list = different.join("");
            complaints.push(format!("{name}: {now} of {count} exact, not {exact}\n{list}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_line_that_is_lost_is_seen() {
    let (_, recorded, ..) = SESSIONS[1];
    let (_, before) = differences("rolling", recorded);
    let (_, after) = differences("rolling", &recorded.replacen("created", "configured", 1));
    assert_eq!(after.len(), before.len() + 1);
}
