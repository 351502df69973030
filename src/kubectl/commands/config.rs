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
        args => {
            let help = crate::kubectl::help::of_verb(call.verb);
            Err(Failure::Verbatim(format!("{help}\nerror: Unexpected args: [{}]", args.join(" "))))
        }
    }
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
        _ => return one(call).map(drop),
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
    let [old, new] =
        call.args.clone().try_into().or_else(|_| one(call).map(|it| [it.clone(), it]))?;
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
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let (name, mut all) = (one(call)?, whole(call));
    let what = call.verb.path.rsplit('-').next().unwrap_or_default();
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

/// `kubectl config set-cluster` and `set-credentials`.
pub(crate) fn set_entry(call: &mut Call<'_>) -> Outcome {
    let (name, mut all) = (one(call)?, whole(call));
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
        _ => return one(call).map(drop),
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
        _ => return plain("no path specified"),
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
    let all = whole(call);
    let value = all.to_value(call.flags.on("minify").then_some(all.current.as_str()));
    if call.flags.text("output").is_empty() {
        call.say_yaml(&value);
        return Ok(());
    }
    let printer = Printer::of(call, output::FORMATS)?.unwrap_or(Printer::Yaml);
    call.print(&printer, &Objects::One(value))
}
