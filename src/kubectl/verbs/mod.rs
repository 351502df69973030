//! The table of commands: words, flags and functions. Parsing, `-h` and completion read it.

mod create;
mod look_up;
mod manage;
mod more;
mod show;

use super::call::Call;
use super::failure::Outcome;
use super::flags::{Flag, int, list, pairs, switch, time_span, value};

pub(crate) use look_up::{Lookup, look_up};

/// One command.
#[derive(Debug)]
pub(crate) struct Verb {
    /// Its words, `rollout status`.
    pub(crate) path: &'static str,
    /// Other names of its last word.
    pub(crate) aliases: &'static [&'static str],
    /// What follows, in the usage line.
    pub(crate) usage: &'static str,
    /// In one sentence.
    pub(crate) help: &'static str,
    /// The heading under which the overview lists it.
    pub(crate) group: &'static str,
    /// Its flags beside those of all commands.
    pub(crate) flags: &'static [&'static [Flag]],
    /// What it does.
    pub(crate) run: fn(&mut Call<'_>) -> Outcome,
}

const BASIC: &str = "Basic Commands (Beginner)";
const INTERMEDIATE: &str = "Basic Commands (Intermediate)";
const DEPLOY: &str = "Deploy Commands";
const CLUSTER: &str = "Cluster Management Commands";
const TROUBLE: &str = "Troubleshooting and Debugging Commands";
const ADVANCED: &str = "Advanced Commands";
const SETTINGS: &str = "Settings Commands";
const OTHER: &str = "Other Commands";

/// The headings of the overview.
pub(crate) const GROUPS: &[&str] =
    &[BASIC, INTERMEDIATE, DEPLOY, CLUSTER, TROUBLE, ADVANCED, SETTINGS, OTHER];

/// A command that only has commands below it.
#[derive(Debug)]
pub(crate) struct Parent {
    /// Its words, `create secret`.
    pub(crate) path: &'static str,
    /// Another name of its last word.
    pub(crate) alias: &'static str,
    /// What follows, in the usage line.
    pub(crate) usage: &'static str,
    /// In one sentence.
    pub(crate) help: &'static str,
    /// The heading under which the overview lists it.
    pub(crate) group: &'static str,
}

const fn parent(
    path: &'static str,
    usage: &'static str,
    help: &'static str,
    group: &'static str,
) -> Parent {
    Parent { path, alias: "", usage, help, group }
}

/// Commands that only have commands below them.
pub(crate) const PARENTS: &[Parent] = &[
    parent("set", "SUBCOMMAND", "Set specific features on objects", BASIC),
    parent("rollout", "SUBCOMMAND", "Manage the rollout of a resource", DEPLOY),
    parent("certificate", "SUBCOMMAND", "Modify certificate resources", CLUSTER),
    parent("top", "[flags]", "Display resource (CPU/memory) usage", CLUSTER),
    parent("auth", "[flags]", "Inspect authorization", TROUBLE),
    parent("config", "SUBCOMMAND", "Modify kubeconfig files", OTHER),
    parent("kuberc", "SUBCOMMAND", "Manage kuberc configuration files", OTHER),
    parent("plugin", "[flags]", "Provides utilities for interacting with plugins", OTHER),
    parent(
        "create secret",
        "(docker-registry | generic | tls)",
        "Create a secret using a specified subcommand",
        "",
    ),
    Parent {
        path: "create service",
        alias: "svc",
        usage: "[flags]",
        help: "Create a service using a specified subcommand",
        group: "",
    },
];

/// The commands of the overview in the order in which kubectl knows them.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/cmd.go NewKubectlCommand.
pub(crate) const ORDER: &[&str] = &[
    "create",
    "expose",
    "run",
    "set",
    "explain",
    "get",
    "edit",
    "delete",
    "rollout",
    "scale",
    "autoscale",
    "certificate",
    "cluster-info",
    "top",
    "cordon",
    "uncordon",
    "drain",
    "taint",
    "describe",
    "logs",
    "attach",
    "exec",
    "port-forward",
    "proxy",
    "cp",
    "auth",
    "debug",
    "events",
    "diff",
    "apply",
    "patch",
    "replace",
    "wait",
    "kustomize",
    "label",
    "annotate",
    "completion",
    "api-resources",
    "api-versions",
    "config",
    "kuberc",
    "plugin",
    "version",
];

pub(crate) const GLOBAL: &[Flag] = &[
    value("namespace", "Namespace of the request").short('n'),
    value("context", "Name of the kubeconfig context"),
    value("cluster", "Name of the kubeconfig cluster"),
    value("user", "Name of the kubeconfig user"),
    value("kubeconfig", "Path of the kubeconfig file"),
    value("kuberc", "Path of the kuberc file with preferences"),
    value("server", "Address of the API server").short('s'),
    value("as", "User to impersonate"),
    list("as-group", "Group to impersonate, may be repeated"),
    value("as-uid", "UID to impersonate"),
    list("as-user-extra", "What else to impersonate, may be repeated"),
    value("request-timeout", "How long to wait for one request").default("0"),
    value("v", "How much to log").short('v'),
    switch("insecure-skip-tls-verify", "Do not check the server's certificate"),
    switch("warnings-as-errors", "Treat warnings of the server as errors"),
];

const OUTPUT: &[Flag] = &[
    value("output", "Output format").short('o'),
    value("template", "Template for -o jsonpath and -o go-template"),
    switch("allow-missing-template-keys", "Ignore missing fields in templates").default("true"),
    switch("show-managed-fields", "Keep managedFields when printing JSON or YAML"),
];

const FILES: &[Flag] = &[
    list("filename", "File with manifests; - for standard input").short('f'),
    value("kustomize", "Folder with a kustomization").short('k'),
    switch("recursive", "Go through folders").short('R'),
];

const DRY_RUN: &[Flag] = &[value(
    "dry-run",
    "none, client or server: print what would be sent, or what the server would do",
)
.default("none")
.optional("unchanged")];

const MANAGER: &[Flag] = &[value("field-manager", "Name of the manager of the fields")];

const SAVE: &[Flag] =
    &[switch("save-config", "Keep the manifest in an annotation for later kubectl apply")];

const VALIDATE: &[Flag] =
    &[value("validate", "strict, warn or ignore").default("strict").optional("strict")];

/// How the commands delete that do, beside what they are for.
const DELETING: &[Flag] = &[
    switch("force", "Do not wait for the kubelet"),
    int("grace-period", "Seconds that pods get to end").default("-1"),
    time_span("timeout", "How long to wait").default("0s"),
    value("cascade", "background, orphan or foreground")
        .default("background")
        .optional("background"),
];

const SELECTOR: &[Flag] = &[value("selector", "Label query: app=web,env in (dev,test)").short('l')];
const FIELDS: &[Flag] = &[value("field-selector", "Field query: status.phase=Running")];
const EVERYWHERE: &[Flag] = &[switch("all-namespaces", "Objects of all namespaces").short('A')];
const ALL: &[Flag] = &[switch("all", "All objects of the kind in the namespace")];

const RECORD: &[Flag] = &[switch("record", "Note the command in an annotation")];
/// The commands that can note themselves in what they change.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd, the callers of RecordFlags.AddFlags.
const RECORDING: [&str; 14] = [
    "annotate",
    "apply",
    "autoscale",
    "create",
    "edit",
    "expose",
    "label",
    "patch",
    "run",
    "scale",
    "set image",
    "set resources",
    "set selector",
    "set serviceaccount",
];

impl Verb {
    /// Its flags, which come first, and those of all commands, and one that is shown nowhere any more.
    pub(crate) fn all_flags(&self) -> Vec<&'static [Flag]> {
        let record = RECORDING.contains(&self.path).then_some(RECORD);
        self.flags.iter().copied().chain([GLOBAL]).chain(record).collect()
    }

    /// Whether it has a flag of its own of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.flags.iter().flat_map(|group| group.iter()).any(|flag| flag.name == name)
    }

    /// Whether `-l` chooses the objects that the command acts on.
    pub(crate) fn selects(&self) -> bool {
        let mut flags = self.flags.iter().flat_map(|group| group.iter());
        flags.any(|flag| flag.name == "selector" && flag.short == Some('l'))
    }
}

/// Every command.
pub(crate) fn all() -> impl Iterator<Item = &'static Verb> {
    show::VERBS.iter().chain(manage::VERBS).chain(create::VERBS).chain(more::VERBS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::order;

    #[test]
    fn no_flag_of_a_command_stands_in_the_table_twice() {
        for verb in all() {
            let groups = verb.flags;
            let mut names: Vec<&str> =
                groups.iter().flat_map(|g| g.iter()).map(|f| f.name).collect();
            let mut letters: Vec<char> =
                groups.iter().flat_map(|g| g.iter()).filter_map(|f| f.short).collect();
            let count = (names.len(), letters.len());
            order::sort(&mut names);
            names.dedup();
            order::sort(&mut letters);
            letters.dedup();
            assert_eq!((names.len(), letters.len()), count, "{}", verb.path);
        }
    }

    #[test]
    fn every_command_of_the_overview_has_its_place_there() {
        let parents = PARENTS.iter().map(|parent| (parent.path, parent.group));
        for (path, group) in all().map(|verb| (verb.path, verb.group)).chain(parents) {
            let in_overview = !group.is_empty() && !path.contains(' ');
            assert_eq!(in_overview, ORDER.contains(&path), "{path}");
        }
    }
}
