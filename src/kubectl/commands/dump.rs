//! `kubectl cluster-info dump`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go.

use super::logs;
use crate::api::tree::TreeMut as _;
use crate::api::{Kind, Object, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::Outcome;
use crate::kubectl::output::{FORMATS, Objects, Printer};
use crate::store::ObjectKey;
use core::fmt::Write as _;
use serde_json::json;
use std::sync::Arc;

/// What is listed of each namespace, and the file it goes to.
const KINDS: [(Kind, &str); 7] = [
    (Kind::Event, "events"),
    (Kind::ReplicationController, "replication-controllers"),
    (Kind::Service, "services"),
    (Kind::DaemonSet, "daemonsets"),
    (Kind::Deployment, "deployments"),
    (Kind::ReplicaSet, "replicasets"),
    (Kind::Pod, "pods"),
];

/// Prints what there is, and what containers have printed, or writes it to files.
pub(crate) fn dump(call: &mut Call<'_>) -> Outcome {
    let printer = Printer::of(call, FORMATS)?.unwrap_or(Printer::Json);
    let nodes: Vec<Arc<Object>> = call.world.store().list(Kind::Node).cloned().collect();
    put_list(call, &printer, Kind::Node, "nodes", &nodes);
    let namespaces: Vec<String> = match (call.all_namespaces(), call.flags.list("namespaces")) {
        (true, _) => {
            let all = call.world.store().list(Kind::Namespace);
            all.map(|namespace| namespace.meta.name.to_string()).collect()
        }
        (false, named) if named.is_empty() => vec!["kube-system".to_owned(), call.namespace()],
        (false, named) => named,
    };
    for namespace in namespaces {
        for (kind, file) in KINDS {
            let all = call.world.store().list_in(kind, &namespace).cloned();
            let all: Vec<Arc<Object>> = all.collect();
            put_list(call, &printer, kind, &format!("{namespace}/{file}"), &all);
            for pod in all.iter().filter(|_| kind == Kind::Pod) {
                let text = logs_of(call, pod);
                put(call, &format!("{namespace}/{}/logs.txt", pod.meta.name), text);
            }
        }
    }
    if let Some(folder) = folder(call) {
        call.say(format!("Cluster info dumped to {folder}"));
    }
    Ok(())
}

/// The folder that is asked for.
fn folder(call: &Call<'_>) -> Option<String> {
    call.flags.get("output-directory").filter(|folder| *folder != "-").map(str::to_owned)
}

fn put_list(call: &mut Call<'_>, printer: &Printer, kind: Kind, file: &str, all: &[Arc<Object>]) {
    let item = |object: &Arc<Object>| {
        let mut value = shown(object);
        value.remove(&["apiVersion"]);
        value.remove(&["kind"]);
        value
    };
    let items: Vec<Value> = all.iter().map(item).collect();
    let items = if items.is_empty() { Value::Null } else { Value::Array(items) };
    let version = call.world.store().revision().to_string();
    let list = json!({
        "apiVersion": kind.api_version(), "kind": format!("{kind}List"),
        "metadata": {"resourceVersion": version}, "items": items,
    });
    let (mut text, _) = printer.print(call, &Objects::One(list));
    let (is_yaml, is_json) = (matches!(printer, Printer::Yaml), matches!(printer, Printer::Json));
    let end = if is_json {
        "json"
    } else if is_yaml {
        "yaml"
    } else {
        "txt"
    };
    if is_yaml && folder(call).is_none() && !call.out.is_empty() {
        text.insert_str(0, "---\n");
    }
    put(call, &format!("{file}.{end}"), text);
}

/// Prints a text, or writes it to a file of the folder.
fn put(call: &mut Call<'_>, file: &str, text: String) {
    let Some(folder) = folder(call) else { return call.out.push_str(&text) };
    let path = call.session.resolve(&format!("{folder}/{file}"));
    for (at, _) in path.match_indices('/').skip(1) {
        call.session.folders.extend(path.get(..at).map(str::to_owned));
    }
    call.session.write(&path, text);
}

/// What the containers of a pod have printed.
fn logs_of(call: &mut Call<'_>, pod: &Arc<Object>) -> String {
    let (value, mut text) = (shown(pod), String::new());
    for name in logs::names_of(&value) {
        let of =
            format!("logs for container {name} of pod {}/{}", pod.meta.namespace, pod.meta.name);
        let _ = writeln!(text, "==== START {of} ====");
        match logs::refused(&logs::status_of(&value, &name), &name, &pod.meta.name, false) {
            Some(why) => {
                let _ = writeln!(text, "Request log error: {why}");
            }
            None => {
                for (_, line) in call.world.printed(&ObjectKey::of(pod), &name, false) {
                    let _ = writeln!(text, "{line}");
                }
            }
        }
        let _ = writeln!(text, "==== END {of} ====");
    }
    text
}
