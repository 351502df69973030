//! `kubectl exec`: commands inside containers.

use super::logs::{container_of, pod_of};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};
use crate::base::names::fnv64a;
use crate::base::{SimTime, order};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::task::{Input, Task, Wake};
use crate::programs::{self, Kit, Site};
use crate::trace::Source;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runs a command in a container, as far as one can be without running images.
// Simplified: images are not run; env, hostname, cat, echo, date, sleep, true, false and id answer
// from what the pod is, and programs of the network by the model of it.
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
    let kit = programs::kit_of(container.str_at(&["image"]).unwrap_or_default());
    let inside = Inside { pod: &value, container: &container, kit, by_shell: false };
    if let (Some(shell), true) = (Shell::of(&inside, &command), call.flags.on("stdin")) {
        return match call.stdin {
            Some(script) => run_script(call, &inside, script),
            None => shell.wait(call),
        };
    }
    run_in(call, &inside, &command)
}

/// A shell in a container that a person types into.
#[derive(Debug)]
pub(crate) struct Shell {
    namespace: String,
    pod: String,
    uid: String,
    container: String,
    restarts: i64,
    prompt: String,
    exit: i32,
}

impl Shell {
    /// The shell that a command is, if it is one.
    fn of(inside: &Inside<'_>, command: &[&str]) -> Option<Shell> {
        let (first, rest) = command.split_first()?;
        let program = first.rsplit('/').next().unwrap_or_default();
        let is_shell = matches!(program, "sh" | "ash" | "bash")
            && rest.iter().all(|word| matches!(*word, "-i" | "-l" | "-il" | "--login"));
        if !is_shell || !inside.kit.shell {
            return None;
        }
        let text = |path: &[&str]| inside.pod.str_at(path).unwrap_or_default().to_owned();
        let container = inside.container.str_at(&["name"]).unwrap_or_default().to_owned();
        let prompt = match program {
            "bash" => format!("root@{}:/# ", host_name(inside.pod)),
            _ if inside.kit.busybox => "/ # ".to_owned(),
            _ => "# ".to_owned(),
        };
        Some(Shell {
            namespace: text(&["metadata", "namespace"]),
            pod: text(&["metadata", "name"]),
            uid: text(&["metadata", "uid"]),
            restarts: restarts(inside.pod, &container),
            container,
            prompt,
            exit: 0,
        })
    }

    /// The shell that a container's first process is, if it was started with these words.
    pub(super) fn first(call: &Call<'_>, pod: &Value, words: &[String]) -> Option<Shell> {
        if !call.flags.on("stdin") || !call.flags.on("tty") {
            return None;
        }
        let container = pod.items_at(&["spec", "containers"]).first()?;
        let kit = programs::kit_of(container.str_at(&["image"]).unwrap_or_default());
        let inside = Inside { pod, container, kit, by_shell: false };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Shell::of(&inside, if words.is_empty() { &["sh"] } else { &words })
    }

    /// What stands before a line.
    pub(super) fn prompt(&self) -> String {
        self.prompt.clone()
    }

    pub(super) fn wait(self, call: &mut Call<'_>) -> Outcome {
        call.wait_for(Wake::Line(self.prompt()), Task::Shell(self))
    }

    pub(crate) fn go_on(self, call: &mut Call<'_>, input: Input) -> Outcome {
        match self.take(call, input)? {
            Some(shell) => shell.wait(call),
            None => Ok(()),
        }
    }

    /// Carries out a line. Gives back the shell, unless it has ended.
    pub(super) fn take(
        mut self,
        call: &mut Call<'_>,
        input: Input,
    ) -> Result<Option<Shell>, Failure> {
        let Some((pod, container)) = self.place(call) else {
            return Err(Failure::Exited(137));
        };
        let line = match input {
            Input::Line(line) => line,
            Input::End if self.exit == 0 => return Ok(None),
            Input::End => return Err(Failure::Exited(self.exit)),
            _ => return Ok(Some(self)),
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["exit" | "logout", rest @ ..] = words.as_slice() {
            let code = rest.first().and_then(|code| code.parse().ok()).unwrap_or(self.exit);
            return if code == 0 { Ok(None) } else { Err(Failure::Exited(code)) };
        }
        let kit = programs::kit_of(container.str_at(&["image"]).unwrap_or_default());
        let inside = Inside { pod: &pod, container: &container, kit, by_shell: true };
        self.exit = match run_script(call, &inside, &line) {
            Ok(()) => 0,
            Err(failure) => complain(call, failure),
        };
        Ok(Some(self))
    }

    /// The pod and the container, while it is the one that the shell was started in.
    fn place(&self, call: &Call<'_>) -> Option<(Value, Value)> {
        let pod = shown(call.world.find(Kind::Pod, &self.namespace, &self.pod)?);
        let is_same = pod.str_at(&["metadata", "uid"]) == Some(&self.uid)
            && restarts(&pod, &self.container) == self.restarts
            && !matches!(pod.str_at(&["status", "phase"]), Some("Succeeded" | "Failed"));
        let containers = pod.items_at(&["spec", "containers"]);
        let own = containers.iter().find(|one| one.str_at(&["name"]) == Some(&self.container));
        let own = own.filter(|_| is_same)?.clone();
        Some((pod, own))
    }
}

fn restarts(pod: &Value, container: &str) -> i64 {
    let all = pod.items_at(&["status", "containerStatuses"]);
    let own = all.iter().find(|one| one.str_at(&["name"]) == Some(container));
    own.and_then(|one| one.int_at(&["restartCount"])).unwrap_or(0)
}

/// Says what a shell says of a failure, and gives back its exit code.
fn complain(call: &mut Call<'_>, failure: Failure) -> i32 {
    match failure {
        Failure::Exited(code) | Failure::Silent(code) => code,
        Failure::Many(all) => all.into_iter().fold(1, |code, one| complain(call, one).max(code)),
        other => {
            let (text, code) = other.report();
            call.warn(text.trim_end());
            code
        }
    }
}

/// A container that commands run in.
struct Inside<'a> {
    pod: &'a Value,
    container: &'a Value,
    kit: Kit,
    /// Whether a shell looks for the programs.
    by_shell: bool,
}

/// What a container's first process is if it was started with these words: runs them as if they
/// stood after `exec … --`.
pub(super) fn run_first(call: &mut Call<'_>, pod: &Value, words: &[String]) -> Outcome {
    let Some(container) = pod.items_at(&["spec", "containers"]).first() else { return Ok(()) };
    let image = container.str_at(&["image"]).unwrap_or_default();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_curl =
        image.rsplit('/').next().is_some_and(|last| last.split(':').next() == Some("curl"));
    if is_curl && !matches!(words.first(), Some(&("curl" | "sh" | "/bin/sh"))) {
        words.insert(0, "curl");
    }
    let inside = Inside { pod, container, kit: programs::kit_of(image), by_shell: false };
    run_in(call, &inside, &words)
}

fn run_in(call: &mut Call<'_>, inside: &Inside<'_>, command: &[&str]) -> Outcome {
    let Some(first) = command.first() else { return Ok(()) };
    if !inside.kit.shell {
        return not_found(inside, first);
    }
    let (pod, container) = (inside.pod, inside.container);
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
        ["date"] => call.say(call.end().rfc1123z()),
        ["id" | "whoami"] => call.say("root"),
        ["sleep", time] => {
            let seconds = time.trim_end_matches('s').parse::<u64>().unwrap_or(0);
            call.pause(core::time::Duration::from_secs(seconds.min(86_400)));
        }
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
        [shell, "-c", script] if shell.ends_with("sh") => return run_script(call, inside, script),
        // Without standard input a shell has nothing to do.
        [shell] if shell.ends_with("sh") => {}
        other => return run_program(call, inside, other),
    }
    Ok(())
}

/// Commands joined by `;`, `&&` and `||`.
fn run_script(call: &mut Call<'_>, inside: &Inside<'_>, script: &str) -> Outcome {
    let inside = Inside { by_shell: true, ..*inside };
    let mut last = Ok(());
    let mut rest = script;
    let mut joint = ";";
    while !rest.is_empty() {
        let next =
            ["&&", "||", ";", "\n"].iter().filter_map(|it| Some((rest.find(it)?, *it))).min();
        let (part, after, next_joint) = match next {
            Some((at, sign)) => {
                let (part, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
                (part, after.get(sign.len()..).unwrap_or_default(), sign)
            }
            None => (rest, "", ";"),
        };
        let is_wanted = match joint {
            "&&" => last.is_ok(),
            "||" => last.is_err(),
            _ => true,
        };
        let words = shlex::split(part.trim()).unwrap_or_default();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if is_wanted && !words.is_empty() {
            last = match run_in(call, &inside, &words) {
                Err(failure) => exited(complain(call, failure)),
                Ok(()) => Ok(()),
            };
        }
        (rest, joint) = (after, next_joint);
    }
    last
}

/// curl, wget, nslookup and their like, from where the pod is.
fn run_program(call: &mut Call<'_>, inside: &Inside<'_>, command: &[&str]) -> Outcome {
    let first = command.first().copied().unwrap_or_default();
    let meta = |key: &str| Arc::from(inside.pod.str_at(&["metadata", key]).unwrap_or_default());
    let from = Source::Pod { namespace: meta("namespace"), name: meta("name") };
    let words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    let mut files = BTreeMap::new();
    let mut site = Site::new(call.world, from, &mut files);
    let Some(output) = programs::run(&mut site, inside.kit, &words) else {
        return not_found(inside, first);
    };
    let exit = output.exit;
    call.show(output);
    match exit {
        0 => Ok(()),
        code => exited(code),
    }
}

/// The words of a shell, or of the container runtime where there is none between.
fn not_found(inside: &Inside<'_>, program: &str) -> Outcome {
    if inside.by_shell {
        return Err(Failure::Many(vec![
            Failure::Verbatim(format!("sh: {program}: not found")),
            Failure::Exited(127),
        ]));
    }
    let name = inside.pod.str_at(&["metadata", "uid"]).unwrap_or_default();
    let id: String = (0..4)
        .map(|part| format!("{:016x}", fnv64a(part, format!("{name} {program}").as_bytes())))
        .collect();
    plain(format!(
        "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \"{id}\": OCI runtime exec failed: exec failed: unable to start container process: exec: \"{program}\": executable file not found in $PATH: unknown"
    ))
}

fn exited(code: i32) -> Outcome {
    Err(Failure::Exited(code))
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
    all.extend(service_links(call, pod));
    all.push(("HOME".to_owned(), "/root".to_owned()));
    all
}

/// The addresses of the Services that were there before the pod started.
///
/// Models pkg/kubelet/kubelet_pods.go getServiceEnvVarMap and pkg/kubelet/envvars.
fn service_links(call: &Call<'_>, pod: &Value) -> Vec<(String, String)> {
    let namespace = pod.str_at(&["metadata", "namespace"]).unwrap_or_default();
    let links = pod.bool_at(&["spec", "enableServiceLinks"]).unwrap_or(true);
    let started = pod.str_at(&["status", "startTime"]).and_then(SimTime::parse_rfc3339);
    let store = call.world.store();
    let own = store.list_in(Kind::Service, namespace).filter(|service| {
        links && started.is_some_and(|started| service.meta.creation_timestamp <= started)
    });
    let api_server = store
        .find(Kind::Service, "default", "kubernetes")
        .filter(|_| !(links && namespace == "default"));
    let mut all = Vec::new();
    for service in own.chain(api_server) {
        let ip = service.spec().str_at(&["clusterIP"]).unwrap_or_default();
        if !ip.is_empty() && ip != "None" {
            all.extend(links_to(&service.meta.name, ip, service.spec().items_at(&["ports"])));
        }
    }
    all
}

fn links_to(service: &str, ip: &str, ports: &[Value]) -> Vec<(String, String)> {
    let shouted = |name: &str| name.replace('-', "_").to_uppercase();
    let name = shouted(service);
    let mut all = vec![(format!("{name}_SERVICE_HOST"), ip.to_owned())];
    for (index, port) in ports.iter().enumerate() {
        let number = port.int_at(&["port"]).unwrap_or_default().to_string();
        let protocol = port.str_at(&["protocol"]).unwrap_or("TCP");
        let address = format!("{}://{ip}:{number}", protocol.to_lowercase());
        let prefix = format!("{name}_PORT_{number}_{protocol}");
        if index == 0 {
            all.push((format!("{name}_SERVICE_PORT"), number.clone()));
            all.push((format!("{name}_PORT"), address.clone()));
        }
        if let Some(named) = port.str_at(&["name"]).filter(|named| !named.is_empty()) {
            all.push((format!("{name}_SERVICE_PORT_{}", shouted(named)), number.clone()));
        }
        all.push((format!("{prefix}_PROTO"), protocol.to_lowercase()));
        all.push((format!("{prefix}_PORT"), number));
        all.push((format!("{prefix}_ADDR"), ip.to_owned()));
        all.push((prefix, address));
    }
    order::sort(&mut all);
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
    if path == "/etc/resolv.conf" {
        return Some(resolv_conf(call, pod));
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

/// The name server and the search list that the kubelet gives a pod.
fn resolv_conf(call: &Call<'_>, pod: &Value) -> String {
    let namespace = pod.str_at(&["metadata", "namespace"]).unwrap_or_default();
    let service = call.world.find(Kind::Service, "kube-system", "kube-dns");
    let server = service.and_then(|service| service.spec().str_at(&["clusterIP"]));
    let server = server.unwrap_or("10.96.0.10");
    format!(
        "search {namespace}.svc.cluster.local svc.cluster.local cluster.local\nnameserver {server}\noptions ndots:5\n"
    )
}
