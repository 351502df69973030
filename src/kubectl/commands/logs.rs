//! `kubectl logs` and `kubectl exec`.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources::{self, Query};
use std::sync::Arc;

/// The pod of `NAME` or `TYPE/NAME`: a workload's first pod.
fn pod_of(call: &Call<'_>, word: &str) -> Result<Arc<Object>, Failure> {
    let (kind, name) = match resources::queries(&[word.to_owned()]) {
        Ok(queries) if word.contains('/') => match queries.into_iter().next() {
            Some(Query::Named(kind, name)) => (kind, name),
            _ => (Kind::Pod, word.to_owned()),
        },
        Err(failure) if word.contains('/') => return Err(failure),
        _ => (Kind::Pod, word.to_owned()),
    };
    let object = call.object(kind, &call.namespace(), &name)?;
    if kind == Kind::Pod {
        return Ok(object);
    }
    let selector = match kind {
        Kind::Service => crate::api::Selector::from_map(object.spec().at(&["selector"])),
        _ => crate::api::Selector::from_label_selector(object.spec().at(&["selector"]))
            .unwrap_or_default(),
    };
    let store = call.world.store();
    let namespace = call.namespace();
    let mut pods: Vec<&Arc<Object>> = store
        .list_in(Kind::Pod, &namespace)
        .filter(|pod| selector.matches(&pod.meta.labels))
        .collect();
    pods.sort_by_key(|pod| !pod.pod().is_some_and(|pod| pod.status.is_ready()));
    match pods.first() {
        Some(pod) => Ok((*pod).clone()),
        None => plain(format!("timed out waiting for the condition on {}/{name}", kind.plural())),
    }
}

/// The container that is meant, and its status.
fn container_of(call: &mut Call<'_>, pod: &Value) -> Result<(Value, Value), Failure> {
    let name = pod.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    let all: Vec<&Value> = pod
        .items_at(&["spec", "containers"])
        .iter()
        .chain(pod.items_at(&["spec", "initContainers"]))
        .collect();
    let names = |all: &[&Value]| {
        all.iter().filter_map(|c| c.str_at(&["name"]).map(str::to_owned)).collect::<Vec<_>>()
    };
    let wanted = call.flags.get("container").map(str::to_owned);
    let found = match &wanted {
        Some(wanted) => all.iter().find(|container| container.str_at(&["name"]) == Some(wanted)),
        None => all.first(),
    };
    let Some(container) = found else {
        let wanted = wanted.unwrap_or_default();
        return plain(format!("container {wanted} is not valid for pod {name}"));
    };
    let regular = pod.items_at(&["spec", "containers"]).len();
    if wanted.is_none() && regular > 1 {
        let chosen = container.str_at(&["name"]).unwrap_or_default().to_owned();
        let names = names(&all).join(", ");
        call.warn(format!("Defaulted container \"{chosen}\" out of: {names}"));
    }
    let statuses = pod
        .items_at(&["status", "containerStatuses"])
        .iter()
        .chain(pod.items_at(&["status", "initContainerStatuses"]));
    let status = statuses.into_iter().find(|status| status.get("name") == container.get("name"));
    Ok(((*container).clone(), status.cloned().unwrap_or(Value::Null)))
}

/// What a container has printed.
// Simplified: images are not run, so a container's log is empty unless its command echoes a text.
pub(crate) fn logs(call: &mut Call<'_>) -> Outcome {
    let selected = !call.flags.text("selector").is_empty();
    let Some(word) = call.args.first().cloned() else {
        if selected {
            return Ok(());
        }
        return plain(
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for help and examples",
        );
    };
    let pod = pod_of(call, &word)?;
    let value = shown(&pod);
    let (container, status) = container_of(call, &value)?;
    let name = container.str_at(&["name"]).unwrap_or_default();
    if status.at(&["state", "waiting"]).is_some()
        && status.at(&["lastState", "terminated"]).is_none()
    {
        let reason = status.str_at(&["state", "waiting", "reason"]).unwrap_or_default();
        let why = match reason {
            "ImagePullBackOff" | "ErrImagePull" => "trying and failing to pull image".to_owned(),
            other => other.to_owned(),
        };
        return Err(crate::api::ApiError::new(
            crate::api::Reason::BadRequest,
            format!("container \"{name}\" in pod \"{}\" is waiting to start: {why}", pod.meta.name),
        )
        .into());
    }
    if call.flags.on("previous") && status.at(&["lastState", "terminated"]).is_none() {
        return Err(crate::api::ApiError::new(
            crate::api::Reason::BadRequest,
            format!(
                "previous terminated container \"{name}\" in pod \"{}\" not found",
                pod.meta.name
            ),
        )
        .into());
    }
    let mut lines = printed(&container);
    if let Some(tail) = call.flags.int("tail")?.and_then(|tail| usize::try_from(tail).ok()) {
        lines = lines.split_off(lines.len().saturating_sub(tail));
    }
    for line in lines {
        call.say(line);
    }
    Ok(())
}

/// What the `echo`s of a container's command print.
fn printed(container: &Value) -> Vec<String> {
    let words: Vec<&str> = container
        .items_at(&["command"])
        .iter()
        .chain(container.items_at(&["args"]))
        .filter_map(Value::as_str)
        .collect();
    match words.as_slice() {
        ["echo" | "/bin/echo", rest @ ..] => vec![rest.join(" ")],
        [shell, "-c", script, ..] if shell.ends_with("sh") => {
            let parts = script.split([';', '\n', '&']).map(str::trim);
            parts
                .filter_map(|part| part.strip_prefix("echo "))
                .filter(|text| !text.contains('>'))
                .filter_map(|text| shlex::split(text).map(|words| words.join(" ")))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Runs a command in a container, as far as one can be without running images.
// Simplified: images are not run; env, hostname, cat, ls, echo, date, true, false and id answer from
// what the pod is.
pub(crate) fn exec(call: &mut Call<'_>) -> Outcome {
    let Some(word) = call.args.first().cloned() else {
        return plain("pod, type/name or --filename must be specified");
    };
    let command = call.after_dash.clone().unwrap_or_default();
    if command.is_empty() {
        return plain("you must specify at least one command for the container");
    }
    let pod = pod_of(call, &word)?;
    let value = shown(&pod);
    let (container, status) = container_of(call, &value)?;
    let name = container.str_at(&["name"]).unwrap_or_default();
    if matches!(value.str_at(&["status", "phase"]), Some("Succeeded" | "Failed")) {
        let phase = value.str_at(&["status", "phase"]).unwrap_or_default();
        return plain(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        ));
    }
    if status.at(&["state", "running"]).is_none() {
        return plain(format!(
            "Internal error occurred: unable to upgrade connection: container not found (\"{name}\")"
        ));
    }
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    run_in(call, &value, &container, &command)
}

fn run_in(call: &mut Call<'_>, pod: &Value, container: &Value, command: &[&str]) -> Outcome {
    match command {
        ["env" | "printenv"] => {
            let text = environment(call, pod, container);
            for (key, value) in text {
                call.say(format!("{key}={value}"));
            }
        }
        ["printenv", name] => {
            let found = environment(call, pod, container).into_iter().find(|(key, _)| key == name);
            match found {
                Some((_, value)) => call.say(value),
                None => return exited(1),
            }
        }
        ["hostname"] => call.say(host_name(pod)),
        ["hostname", "-i"] => call.say(pod.str_at(&["status", "podIP"]).unwrap_or_default()),
        ["echo", rest @ ..] => call.say(rest.join(" ")),
        ["true"] => {}
        ["false"] => return exited(1),
        ["date"] => call.say(call.world.now().rfc1123z()),
        ["id" | "whoami"] => call.say("root"),
        ["cat", paths @ ..] => {
            for path in paths {
                match file(call, pod, container, path) {
                    Some(text) => call.out.push_str(&text),
                    None => {
                        call.warn(format!("cat: {path}: No such file or directory"));
                        return exited(1);
                    }
                }
            }
        }
        [shell, "-c", script] if shell.ends_with("sh") => {
            for part in script.split([';', '\n']).flat_map(|part| part.split("&&")) {
                let words = shlex::split(part.trim()).unwrap_or_default();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                if !words.is_empty() {
                    run_in(call, pod, container, &words)?;
                }
            }
        }
        [shell] if shell.ends_with("sh") => {
            call.warn("this console has no shell inside containers; give the command after --");
        }
        ["curl" | "wget" | "nslookup" | "ping" | "nc", ..] => {
            call.warn("requests from inside a pod are not joined to the network model yet; use curl or trace in this console");
            return exited(1);
        }
        [other, ..] => {
            return plain(format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: \"{other}\": executable file not found in $PATH"
            ));
        }
        [] => {}
    }
    Ok(())
}

fn exited(code: i32) -> Outcome {
    Err(Failure::Verbatim(format!("command terminated with exit code {code}")))
}

fn host_name(pod: &Value) -> String {
    let own = pod.str_at(&["spec", "hostname"]).filter(|name| !name.is_empty());
    own.or(pod.str_at(&["metadata", "name"])).unwrap_or_default().to_owned()
}

/// The variables of a container, as the kubelet sets them.
fn environment(call: &Call<'_>, pod: &Value, container: &Value) -> Vec<(String, String)> {
    let namespace = pod.str_at(&["metadata", "namespace"]).unwrap_or_default();
    let mut all = vec![
        (
            "PATH".to_owned(),
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        ),
        ("HOSTNAME".to_owned(), host_name(pod)),
    ];
    let data =
        |kind, name: &str| call.world.find(kind, namespace, name).map(|object| shown(object));
    for from in container.items_at(&["envFrom"]) {
        let prefix = from.str_at(&["prefix"]).unwrap_or_default();
        for (field, kind) in [("configMapRef", Kind::ConfigMap), ("secretRef", Kind::Secret)] {
            let object = from.str_at(&[field, "name"]).and_then(|name| data(kind, name));
            let fields = object.as_ref().and_then(|object| object.fields_at(&["data"]));
            for (key, value) in fields.into_iter().flatten() {
                all.push((format!("{prefix}{key}"), plain_text(kind, value)));
            }
        }
    }
    for variable in container.items_at(&["env"]) {
        let name = variable.str_at(&["name"]).unwrap_or_default().to_owned();
        let reference = |field: &str, kind| {
            let object = data(kind, variable.str_at(&["valueFrom", field, "name"])?)?;
            let key = variable.str_at(&["valueFrom", field, "key"])?;
            Some(plain_text(kind, object.at(&["data", key])?))
        };
        let path = variable.str_at(&["valueFrom", "fieldRef", "fieldPath"]);
        let value = variable
            .str_at(&["value"])
            .map(str::to_owned)
            .or_else(|| reference("configMapKeyRef", Kind::ConfigMap))
            .or_else(|| reference("secretKeyRef", Kind::Secret))
            .or_else(|| path.map(|path| field_of(pod, path)));
        all.push((name, value.unwrap_or_default()));
    }
    all.extend([
        ("KUBERNETES_SERVICE_HOST".to_owned(), "10.96.0.1".to_owned()),
        ("KUBERNETES_SERVICE_PORT".to_owned(), "443".to_owned()),
        ("HOME".to_owned(), "/root".to_owned()),
    ]);
    all
}

fn field_of(pod: &Value, path: &str) -> String {
    let template = format!("{{.{path}}}");
    crate::kubectl::jsonpath::JsonPath::parse(&template)
        .and_then(|path| path.print(pod, true))
        .unwrap_or_default()
}

fn plain_text(kind: Kind, value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    if kind != Kind::Secret {
        return text.to_owned();
    }
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text of a file that a config map or secret puts into a container.
fn file(call: &Call<'_>, pod: &Value, container: &Value, path: &str) -> Option<String> {
    let namespace = pod.str_at(&["metadata", "namespace"]).unwrap_or_default();
    if path == "/etc/hostname" {
        return Some(host_name(pod) + "\n");
    }
    if path == "/var/run/secrets/kubernetes.io/serviceaccount/namespace" {
        return Some(namespace.to_owned());
    }
    for mount in container.items_at(&["volumeMounts"]) {
        let at = mount.str_at(&["mountPath"]).unwrap_or_default().trim_end_matches('/');
        let sub = mount.str_at(&["subPath"]).unwrap_or_default();
        let key = match sub {
            "" => path.strip_prefix(at).and_then(|rest| rest.strip_prefix('/')),
            sub => (path == at).then_some(sub),
        };
        let Some(key) = key else { continue };
        let volumes = pod.items_at(&["spec", "volumes"]);
        let volume = volumes.iter().find(|volume| volume.get("name") == mount.get("name"))?;
        for (field, name, kind) in
            [("configMap", "name", Kind::ConfigMap), ("secret", "secretName", Kind::Secret)]
        {
            let Some(source) = volume.at(&[field]) else { continue };
            let object = shown(call.world.find(kind, namespace, source.str_at(&[name])?)?);
            let items = source.items_at(&["items"]);
            let item = items.iter().find(|item| item.str_at(&["path"]) == Some(key));
            let key = item.and_then(|item| item.str_at(&["key"])).unwrap_or(key);
            return object.at(&["data", key]).map(|value| plain_text(kind, value));
        }
    }
    None
}
