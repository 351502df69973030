//! `kubectl run` and `kubectl expose`.

use crate::api::pod::ContainerState;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::output::complete_for_client;
use crate::kubectl::resources;
use serde_json::{Map, json};

/// As long as a terminal stays with a pod that does not end.
// Simplified: a real one stays until somebody leaves.
const ATTACHED: core::time::Duration = core::time::Duration::from_secs(60);

/// `a=b,c=d`.
pub(crate) fn labels(text: &str) -> Result<Value, Failure> {
    let mut map = Map::new();
    for pair in text.split(',') {
        let wrong = || Failure::Plain(format!("unexpected label spec: {pair}"));
        let (key, value) = pair.split_once('=').ok_or_else(wrong)?;
        map.insert(key.to_owned(), value.into());
    }
    Ok(Value::Object(map))
}

/// A number or a name.
pub(crate) fn int_or_string(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

/// Makes one pod.
///
/// Models staging/src/k8s.io/kubectl/pkg/generate/versioned/run.go BasicPod.
pub(crate) fn run(call: &mut Call<'_>) -> Outcome {
    let mut args = core::mem::take(&mut call.args);
    let mut command = call.after_dash.take().unwrap_or_default();
    if args.is_empty() {
        return call.usage("NAME is required for run");
    }
    let name = args.remove(0);
    args.append(&mut command);
    let words = args.clone();
    let image = call.flags.text("image").to_owned();
    if image.is_empty() {
        return plain("--image is required");
    }
    let restart = call.flags.text("restart").to_owned();
    if !["Always", "OnFailure", "Never"].contains(&restart.as_str()) {
        return call.usage(&format!("invalid restart policy: {restart}"));
    }
    let mut container = json!({"name": name, "image": image, "resources": {}});
    let pull = call.flags.text("image-pull-policy");
    if !pull.is_empty() {
        container.put(&["imagePullPolicy"], pull);
    }
    if !args.is_empty() {
        container.put(&[if call.flags.on("command") { "command" } else { "args" }], args);
    }
    let env = env(call)?;
    if !env.is_empty() {
        container.put(&["env"], env);
    }
    let port = call.flags.int("port")?;
    if let Some(port) = port {
        container.put(&["ports"], json!([{"containerPort": port}]));
    }
    for (flag, path) in [
        ("privileged", &["securityContext", "privileged"] as &[&str]),
        ("stdin", &["stdin"]),
        ("stdin", &["stdinOnce"]),
        ("tty", &["tty"]),
    ] {
        if call.flags.on(flag) {
            container.put(path, true);
        }
    }
    let marks = match call.flags.get("labels") {
        Some(text) => labels(text)?,
        None => json!({"run": name}),
    };
    let mut value = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": marks},
        "spec": {"containers": [container], "restartPolicy": restart, "dnsPolicy": "ClusterFirst"},
    });
    for pair in call.flags.all("annotations") {
        if let Some((key, text)) = pair.split_once('=') {
            value.put(&["metadata", "annotations", key], text);
        }
    }
    override_with(call, &mut value)?;
    complete_for_client(Kind::Pod, &mut value);
    call.create_generated(Kind::Pod, value, "created")?;
    if call.flags.on("expose") {
        let Some(port) = port else {
            return call.usage("--port must be set when exposing a service");
        };
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": marks, "ports": [{"port": port, "protocol": "TCP", "targetPort": port}]},
        });
        call.create_generated(Kind::Service, service, "created")?;
    }
    after_run(call, &name, &words)
}

/// Waits for the first end of a pod's process, and prints what it printed.
fn attach(call: &mut Call<'_>, namespace: &str, name: &str, words: &[String]) -> Outcome {
    if words.is_empty() {
        return Ok(());
    }
    if super::exec::is_shell(words) && call.stdin.is_none() {
        return super::exec::no_prompt(call);
    }
    let mut code = None;
    super::run_until(call.world, ATTACHED, |world| {
        let pod = world.find(Kind::Pod, namespace, name).and_then(|object| object.pod());
        let status = pod.and_then(|pod| pod.status.containers.first());
        code = status.and_then(|status| match &status.state {
            ContainerState::Terminated { exit_code, .. } => Some(*exit_code),
            _ => None,
        });
        code.is_some() || status.is_none()
    });
    let key = crate::store::ObjectKey::new(namespace, name);
    for (_, line) in call.world.printed(&key, name, false) {
        call.say(line);
    }
    match code {
        None | Some(0) => Ok(()),
        Some(code) => Err(Failure::Exited(code)),
    }
}

/// The variables that `--env` names.
fn env(call: &Call<'_>) -> Result<Vec<Value>, Failure> {
    let variable = |pair: &String| match pair.split_once('=') {
        Some((key, value)) => Ok(json!({"name": key, "value": value})),
        None => plain(format!("invalid env: {pair}")),
    };
    call.flags.all("env").iter().map(variable).collect()
}

/// `--overrides` is merged into what the command makes.
fn override_with(call: &Call<'_>, value: &mut Value) -> Outcome {
    let Some(text) = call.flags.get("overrides") else { return Ok(()) };
    let Some(change) = crate::kubectl::manifests::parse_value(text) else {
        return plain("invalid character in --overrides");
    };
    crate::store::patch::merge(value, &change);
    Ok(())
}

/// `-it --rm` waits for the pod, prints what it prints, and deletes it.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/run/run.go Run.
fn after_run(call: &mut Call<'_>, name: &str, words: &[String]) -> Outcome {
    let attached = call.flags.on("stdin") || call.flags.on("attach") || call.flags.on("rm");
    if !attached || call.dry_run()? != DryRun::None {
        return Ok(());
    }
    let namespace = call.namespace();
    let has_begun = super::run_until(call.world, super::PATIENCE, |world| {
        world.find(Kind::Pod, &namespace, name).is_none_or(|pod| {
            let status = pod.pod().map(|pod| &pod.status);
            status.is_some_and(|status| {
                status
                    .containers
                    .iter()
                    .any(|it| !matches!(it.state, ContainerState::Waiting { .. }))
            })
        })
    });
    let outcome = match has_begun {
        true => attach(call, &namespace, name, words),
        false => plain("timed out waiting for the condition"),
    };
    if call.flags.on("rm") {
        let key = crate::store::ObjectKey::new(&namespace, name);
        let options = crate::store::DeleteOptions::default();
        if call.world.delete(Kind::Pod, &key, &options).is_ok() {
            call.say(format!("pod \"{name}\" deleted from {namespace} namespace"));
        }
    }
    match outcome {
        Err(Failure::Exited(_)) if call.flags.text("restart") == "Always" => Ok(()),
        Err(Failure::Exited(code)) => {
            let text = format!("pod {namespace}/{name} terminated (Error)");
            Err(Failure::Coded(text, code))
        }
        other => other,
    }
}

/// Makes a Service for what has pods.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/expose/expose.go.
pub(crate) fn expose(call: &mut Call<'_>) -> Outcome {
    let found = resources::find_named(call)?;
    let mut failures = found.failures;
    if found.objects.is_empty() && failures.is_empty() {
        return plain("You must provide one or more resources by argument or filename.");
    }
    for object in found.objects {
        let value = shown(&object);
        let result = service_for(call, object.kind, &value)
            .and_then(|service| call.create_generated(Kind::Service, service, "exposed"));
        if let Err(failure) = result {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

fn service_for(call: &Call<'_>, kind: Kind, object: &Value) -> Result<Value, Failure> {
    let exposable =
        [Kind::Pod, Kind::Service, Kind::Deployment, Kind::ReplicaSet, Kind::ReplicationController];
    if !exposable.contains(&kind) {
        return plain(format!(
            "cannot expose a {}",
            kind.singular_group().replacen(kind.resource().singular, kind.name(), 1)
        ));
    }
    let selector = match call.flags.get("selector") {
        Some(text) => labels(text)?,
        None => selector_of(kind, object)?,
    };
    let ports = ports(call, kind, object)?;
    let target = call.flags.get("target-port");
    let named = call.flags.get("name").map(str::to_owned);
    let name = named
        .unwrap_or_else(|| object.str_at(&["metadata", "name"]).unwrap_or_default().to_owned());
    let protocol = call.flags.get("protocol").unwrap_or("TCP");
    let several = ports.len() > 1;
    let port = |(index, (port, own)): (usize, &(i64, String))| {
        let protocol = if call.flags.given("protocol") { protocol } else { own };
        let mut entry = json!({"port": port, "protocol": protocol, "targetPort": port});
        if let Some(target) = target {
            entry.put(&["targetPort"], int_or_string(target));
        }
        if several {
            entry.put(&["name"], format!("port-{}", index + 1));
        }
        entry
    };
    let ports: Vec<Value> = ports.iter().enumerate().map(port).collect();
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": ports, "selector": selector},
    });
    let marks = match call.flags.get("labels") {
        Some(text) => Some(labels(text)?),
        None => object.at(&["metadata", "labels"]).cloned(),
    };
    if let Some(marks) = marks {
        service.put(&["metadata", "labels"], marks);
    }
    for (flag, path) in [
        ("type", &["spec", "type"]),
        ("cluster-ip", &["spec", "clusterIP"]),
        ("load-balancer-ip", &["spec", "loadBalancerIP"]),
        ("session-affinity", &["spec", "sessionAffinity"]),
    ] {
        if let Some(text) = call.flags.get(flag) {
            service.put(path, text);
        }
    }
    if let Some(address) = call.flags.get("external-ip") {
        service.put(&["spec", "externalIPs"], json!([address]));
    }
    complete_for_client(Kind::Service, &mut service);
    Ok(service)
}

/// The labels by which an object finds its pods, or a pod's own.
fn selector_of(kind: Kind, object: &Value) -> Result<Value, Failure> {
    let path: &[&str] = match kind {
        Kind::Pod => &["metadata", "labels"],
        Kind::Service | Kind::ReplicationController => &["spec", "selector"],
        _ => &["spec", "selector", "matchLabels"],
    };
    if let Some(map) = object.at(path)
        && !map.as_object().is_some_and(Map::is_empty)
    {
        return Ok(map.clone());
    }
    let why = match kind {
        Kind::Pod => "the pod has no labels and cannot be exposed",
        _ => "the object has no selector",
    };
    plain(format!("couldn't retrieve selectors via --selector flag or introspection: {why}"))
}

fn ports(call: &Call<'_>, kind: Kind, object: &Value) -> Result<Vec<(i64, String)>, Failure> {
    if let Some(text) = call.flags.get("port") {
        return text
            .split(',')
            .map(|part| {
                let wrong =
                    |_| Failure::Plain(format!("strconv.Atoi: parsing \"{part}\": invalid syntax"));
                part.parse().map(|port| (port, "TCP".to_owned())).map_err(wrong)
            })
            .collect();
    }
    let of = |items: &[Value], key: &str| {
        let port = |port: &Value| {
            Some((port.int_at(&[key])?, port.str_at(&["protocol"]).unwrap_or("TCP").to_owned()))
        };
        items.iter().filter_map(port).collect::<Vec<_>>()
    };
    let found = match kind {
        Kind::Service => of(object.items_at(&["spec", "ports"]), "port"),
        kind => {
            let path = super::set::pod_spec_path(kind).unwrap_or_default();
            let containers = object.at(path).map_or(&[][..], |spec| spec.items_at(&["containers"]));
            containers.iter().flat_map(|c| of(c.items_at(&["ports"]), "containerPort")).collect()
        }
    };
    if found.is_empty() {
        return plain(
            "couldn't find port via --port flag or introspection\nSee 'kubectl expose -h' for help and examples",
        );
    }
    Ok(found)
}
