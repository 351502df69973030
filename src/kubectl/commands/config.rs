//! `kubectl config`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/config.

use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::kubeconfig::{Kubeconfig, PATH};
use crate::kubectl::output::{self, Objects, Printer};
use crate::kubectl::tabwriter::align;

/// The kubeconfig with the namespace in which the current context stands.
fn whole(call: &Call<'_>) -> Kubeconfig {
    let mut all = call.session.kubeconfig.clone();
    let namespace = call.session.namespace.as_str();
    if let Some(context) = all.contexts.get_mut(&all.current) {
        let shown = if namespace == "default" { &context.namespace } else { namespace };
        context.namespace = shown.to_owned();
    }
    all
}

/// Takes over a changed kubeconfig.
fn keep(call: &mut Call<'_>, all: Kubeconfig) {
    let context = all.contexts.get(&all.current);
    let namespace = context.map_or("", |context| &context.namespace);
    call.session.namespace = if namespace.is_empty() { "default" } else { namespace }.to_owned();
    call.session.kubeconfig = all;
}

/// The one argument of commands that say how they are used otherwise.
fn one(call: &Call<'_>) -> Result<String, Failure> {
    match call.args.as_slice() {
        [name] => Ok(name.clone()),
        _ => usage(call),
    }
}

/// How the command is used, and that it was used otherwise.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/config, the callers of helpErrorf.
fn usage<T>(call: &Call<'_>) -> Result<T, Failure> {
    let help = crate::kubectl::help::of_verb(call.verb);
    Err(Failure::Verbatim(format!("{help}\nerror: Unexpected args: [{}]", call.args.join(" "))))
}

/// `kubectl config current-context`.
pub(crate) fn current_context(call: &mut Call<'_>) -> Outcome {
    let current = call.session.kubeconfig.current.clone();
    if current.is_empty() {
        return plain("current-context is not set");
    }
    call.say(current);
    Ok(())
}

/// `kubectl config get-contexts`.
pub(crate) fn get_contexts(call: &mut Call<'_>) -> Outcome {
    let output = call.flags.text("output");
    if !matches!(output, "" | "name") {
        return plain(format!(
            "--output {output} is not available in kubectl config get-contexts; resetting to default output format"
        ));
    }
    let all = whole(call);
    let names = match call.args.is_empty() {
        true => all.contexts.keys().cloned().collect(),
        false => call.args.clone(),
    };
    let (only_names, mut text) = (call.flags.text("output") == "name", String::new());
    if !call.flags.on("no-headers") && !only_names {
        text.push_str("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
    }
    let mut failures = Vec::new();
    for name in names {
        let Some(context) = all.contexts.get(&name) else {
            failures.push(Failure::Plain(format!("context {name} not found")));
            continue;
        };
        let mark = if name == all.current { "*" } else { "" };
        let row = [mark, &name, &context.cluster, &context.user, &context.namespace].join("\t");
        text.push_str(if only_names { &name } else { &row });
        text.push('\n');
    }
    call.out.push_str(&if only_names { text } else { align(&text, 6, 3) });
    Failure::of(failures)
}

/// `kubectl config set-context --current --namespace=shop`.
pub(crate) fn set_context(call: &mut Call<'_>) -> Outcome {
    let mut all = whole(call);
    let name = match (call.args.as_slice(), call.flags.on("current")) {
        ([], true) => all.current.clone(),
        ([name], false) => name.clone(),
        ([], false) => return plain("you must specify a non-empty context name or --current"),
        ([_], true) => return plain("you cannot specify both a context name and --current"),
        _ => return usage(call),
    };
    if name.is_empty() {
        return plain("no current context is set");
    }
    let is_new = !all.contexts.contains_key(&name);
    let context = all.contexts.entry(name.clone()).or_default();
    for key in ["cluster", "user", "namespace"] {
        if let (Some(value), Some(property)) = (call.flags.get(key), context.property(key)) {
            value.clone_into(property);
        }
    }
    keep(call, all);
    call.say(format!("Context \"{name}\" {}.", if is_new { "created" } else { "modified" }));
    Ok(())
}

/// `kubectl config use-context`.
pub(crate) fn use_context(call: &mut Call<'_>) -> Outcome {
    let (name, mut all) = (one(call)?, whole(call));
    if !all.contexts.contains_key(&name) {
        return plain(format!("no context exists with the name: \"{name}\""));
    }
    all.current.clone_from(&name);
    keep(call, all);
    call.say(format!("Switched to context \"{name}\"."));
    Ok(())
}

/// `kubectl config rename-context`.
pub(crate) fn rename_context(call: &mut Call<'_>) -> Outcome {
    let [old, new] = call.args.clone().try_into().or_else(|_| usage(call))?;
    let mut all = whole(call);
    if !all.contexts.contains_key(&old) {
        return plain(format!("cannot rename the context \"{old}\", it's not in {PATH}"));
    }
    if all.contexts.contains_key(&new) {
        return plain(format!(
            "cannot rename the context \"{old}\", the context \"{new}\" already exists in {PATH}"
        ));
    }
    if let Some(context) = all.contexts.remove(&old) {
        all.contexts.insert(new.clone(), context);
    }
    if all.current == old {
        all.current.clone_from(&new);
    }
    keep(call, all);
    call.say(format!("Context \"{old}\" renamed to \"{new}\"."));
    Ok(())
}

/// `kubectl config delete-context`, `delete-cluster` and `delete-user`.
///
/// Models config/delete_context.go, delete_cluster.go and delete_user.go, which differ in what they
/// say without a name.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let what = call.verb.path.rsplit('-').next().unwrap_or_default();
    let (name, mut all) = match (call.args.as_slice(), what) {
        ([name], _) => (name.clone(), whole(call)),
        (_, "user") => return call.usage("user to delete is required"),
        _ => {
            let help = crate::kubectl::help::of_verb(call.verb);
            call.out.push_str(&help);
            return Ok(());
        }
    };
    let was_there = match what {
        "context" => all.contexts.remove(&name).is_some(),
        "cluster" => all.clusters.remove(&name).is_some(),
        _ => all.users.remove(&name),
    };
    if !was_there {
        return plain(format!("cannot delete {what} {name}, not in {PATH}"));
    }
    if what == "context" && name == all.current {
        call.warn("warning: this removed your active context, use \"kubectl config use-context\" to select a different one");
    }
    keep(call, all);
    call.say(format!("deleted {what} {name} from {PATH}"));
    Ok(())
}

/// What does not go together for a cluster or a user.
///
/// Models config/set_cluster.go and set_credentials.go validate.
fn check_entry(call: &Call<'_>) -> Outcome {
    let text = |flag| call.flags.text(flag);
    let embeds = call.flags.on("embed-certs");
    let files: &[&str] = match call.verb.path.ends_with("cluster") {
        true => &["certificate-authority"],
        false => &["client-certificate", "client-key"],
    };
    if files.len() == 1 {
        if call.flags.on("insecure-skip-tls-verify") && !text("certificate-authority").is_empty() {
            return plain(
                "you cannot specify a certificate authority and insecure mode at the same time",
            );
        }
        if embeds && text("certificate-authority").is_empty() {
            return plain("you must specify a --certificate-authority to embed");
        }
    } else {
        let has_name = !text("username").is_empty() || !text("password").is_empty();
        if has_name && !text("token").is_empty() {
            return plain(
                "you cannot specify more than one authentication method at the same time: --token, --username/--password",
            );
        }
        if embeds && files.iter().all(|flag| text(flag).is_empty()) {
            return plain("you must specify a --client-certificate or --client-key to embed");
        }
    }
    for flag in files.iter().filter(|_| embeds) {
        let path = text(flag);
        if !path.is_empty() && call.session.read(path).is_none() {
            return plain(format!(
                "could not stat {flag} file {path}: stat {path}: no such file or directory"
            ));
        }
    }
    Ok(())
}

/// `kubectl config set-cluster` and `set-credentials`.
pub(crate) fn set_entry(call: &mut Call<'_>) -> Outcome {
    let (name, mut all) = (one(call)?, whole(call));
    check_entry(call)?;
    if call.verb.path.ends_with("cluster") {
        let server = call.flags.text("server").to_owned();
        let kept = all.clusters.entry(name.clone()).or_default();
        if !server.is_empty() {
            *kept = server;
        }
        call.say(format!("Cluster \"{name}\" set."));
    } else {
        all.users.insert(name.clone());
        call.say(format!("User \"{name}\" set."));
    }
    keep(call, all);
    Ok(())
}

/// `kubectl config set` and `unset`.
// Simplified: of properties there are those of contexts, and the current context.
pub(crate) fn set(call: &mut Call<'_>) -> Outcome {
    let sets = !call.verb.path.ends_with("unset");
    let (path, value) = match (call.args.as_slice(), sets) {
        ([path, value], true) => (path.clone(), value.clone()),
        ([path], false) => (path.clone(), String::new()),
        _ => return usage(call),
    };
    let mut all = whole(call);
    let steps: Vec<&str> = path.split('.').collect();
    match steps.as_slice() {
        ["current-context"] => all.current = value,
        ["contexts", name, property] => {
            let context = all.contexts.entry((*name).to_owned()).or_default();
            match context.property(property) {
                Some(property) => *property = value,
                None => return plain(format!("unable to locate path {property}")),
            }
        }
        ["contexts"] if !sets => all.contexts.clear(),
        ["contexts", name] if !sets => drop(all.contexts.remove(*name)),
        ["users"] if !sets => all.users.clear(),
        ["users", name] if !sets => drop(all.users.remove(*name)),
        ["clusters"] if !sets => all.clusters.clear(),
        ["clusters", name] if !sets => drop(all.clusters.remove(*name)),
        ["clusters", name, "server"] => drop(all.clusters.insert((*name).to_owned(), value)),
        [first, ..] => return plain(format!("unable to parse {first} after [] at api.Config")),
        [] => {}
    }
    keep(call, all);
    call.say(format!("Property \"{path}\" {}set.", if sets { "" } else { "un" }));
    Ok(())
}

/// `kubectl config get-clusters` and `get-users`.
pub(crate) fn get_names(call: &mut Call<'_>) -> Outcome {
    let all = &call.session.kubeconfig;
    let names: Vec<String> = match call.verb.path.ends_with("clusters") {
        true => all.clusters.keys().cloned().collect(),
        false => all.users.iter().cloned().collect(),
    };
    call.say("NAME");
    for name in names {
        call.say(name);
    }
    Ok(())
}

/// `kubectl config view`.
pub(crate) fn view(call: &mut Call<'_>) -> Outcome {
    if !call.args.is_empty() {
        return call.usage(&format!("unexpected arguments: [{}]", call.args.join(" ")));
    }
    let all = whole(call);
    if call.flags.on("minify") && !all.contexts.contains_key(&all.current) {
        return plain("current-context must exist in order to minify");
    }
    let value = all.to_value(call.flags.on("minify").then_some(all.current.as_str()));
    if call.flags.text("output").is_empty() {
        call.say_yaml(&value);
        return Ok(());
    }
    let printer = Printer::of(call, output::FORMATS)?.unwrap_or(Printer::Yaml);
    call.print(&printer, &Objects::One(value))
}
