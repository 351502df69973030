//! `kubectl run`.

use super::exec::Command;
use super::logs::Reading;
use super::{ADMISSION_RETRY, ADMISSION_TRIES};
use crate::api::error::go_quote;
use crate::api::pod::ContainerState;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::validation::names::variable_name;
use crate::api::{Kind, Value};
use crate::base::SimTime;
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::output::complete_for_client;
use crate::kubectl::task::{Input, Task, Wake};
use crate::store::patch::{FieldValidation, Patch, PatchType, patch_locally};
use serde_json::{Map, json};

/// As long as a terminal stays with a pod that does not end, where nobody can leave.
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
    call.dry_run()?;
    let image = call.flags.text("image").to_owned();
    if image.is_empty() {
        return plain("--image is required");
    }
    check(call, &image)?;
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
    let port = port(call)?;
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
        let Some((key, text)) = pair.split_once('=') else {
            return plain(format!("invalid annotations format: {pair}"));
        };
        value.put(&["metadata", "annotations", key], text);
    }
    override_with(call, Kind::Pod, &mut value)?;
    complete_for_client(Kind::Pod, &mut value);
    Admission { name, pod: value, labels: marks, words, tries: 0 }.go_on(call)
}

/// What does not go together, in upstream's order.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/run/run.go Run.
fn check(call: &Call<'_>, image: &str) -> Outcome {
    if !is_reference(image) {
        let image = go_quote(image);
        return plain(format!("Invalid image name {image}: invalid reference format"));
    }
    let flag = |name| call.flags.on(name);
    let attach = if call.flags.given("attach") { flag("attach") } else { flag("stdin") };
    let pull = call.flags.text("image-pull-policy");
    let wrong_pull = !["", "Always", "IfNotPresent", "Never"].contains(&pull);
    let invalid_pull = format!("invalid image pull policy: {pull}");
    let rules = [
        (flag("tty") && !flag("stdin"), "-i/--stdin is required for containers with -t/--tty=true"),
        (flag("expose") && !call.flags.given("port"), "--port must be set when exposing a service"),
        (flag("rm") && !attach, "--rm should only be used for attached containers"),
        (
            attach && call.dry_run()? != DryRun::None,
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        ),
        (wrong_pull, &invalid_pull),
    ];
    rules.into_iter().find(|(broken, _)| *broken).map_or(Ok(()), |(_, why)| call.usage(why))
}

/// Whether a text names an image, as far as its letters go.
///
/// Models github.com/distribution/reference ReferenceRegexp, which takes any domain.
pub(super) fn is_reference(text: &str) -> bool {
    let (name, digest) = text.split_once('@').unwrap_or((text, "sha256:0"));
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (name, "latest"),
    };
    let is_word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let mut steps = name.split('/');
    let is_step = |step: &str| is_word(step) && !step.contains(|c: char| c.is_ascii_uppercase());
    let domain = name.contains('/').then(|| steps.next().unwrap_or_default());
    let is_domain = domain.is_none_or(|domain| {
        let (host, port) = domain.split_once(':').unwrap_or((domain, "0"));
        is_word(host) && port.chars().all(|c| c.is_ascii_digit())
    });
    is_domain && steps.all(is_step) && is_word(tag) && digest.contains(':')
}

/// `--port`, which is a text for kubectl.
fn port(call: &Call<'_>) -> Result<Option<i64>, Failure> {
    let Some(text) = call.flags.get("port") else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        let text = go_quote(text);
        Failure::Plain(format!("strconv.Atoi: parsing {text}: invalid syntax"))
    })
}

/// A pod that is to be created.
#[derive(Debug)]
pub(crate) struct Admission {
    name: String,
    pod: Value,
    labels: Value,
    /// What it is to run, if not what its image does.
    words: Vec<String>,
    tries: u32,
}

impl Admission {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        let is_attached = is_attached(call)?;
        let made = match is_attached {
            true => call.create_quietly(Kind::Pod, self.pod.clone()),
            false => call.create_generated(Kind::Pod, self.pod.clone(), "created"),
        };
        match made {
            Err(failure) if failure.may_pass() && self.tries < ADMISSION_TRIES => {
                self.tries += 1;
                let wake = Wake::At(call.world.now() + ADMISSION_RETRY);
                return call.wait_for(wake, Task::Run(self));
            }
            other => other?,
        }
        if let (true, Some(port)) = (call.flags.on("expose"), port(call)?) {
            let mut service = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": self.name},
                "spec": {
                    "selector": self.labels,
                    "ports": [{"port": port, "protocol": "TCP", "targetPort": port}],
                },
            });
            complete_for_client(Kind::Service, &mut service);
            if call.flags.text("output") == "yaml" {
                call.say("---");
            }
            call.create_generated(Kind::Service, service, "created")?;
        }
        if !is_attached {
            return Ok(());
        }
        let limit = call.world.now() + super::PATIENCE;
        let stage = Stage::Begins { limit };
        Attach { namespace: call.namespace(), name: self.name, words: self.words, stage }
            .go_on(call, Input::Time)
    }
}

/// Whether the command stays with its pod.
fn is_attached(call: &Call<'_>) -> Result<bool, Failure> {
    let attached = call.flags.on("stdin") || call.flags.on("attach") || call.flags.on("rm");
    Ok(attached && call.dry_run()? == DryRun::None)
}

/// The variables that `--env` names.
fn env(call: &Call<'_>) -> Result<Vec<Value>, Failure> {
    let variable = |pair: &String| match pair.split_once('=') {
        Some((key, value)) if variable_name(key).is_empty() => {
            Ok(json!({"name": key, "value": value}))
        }
        _ => plain(format!("invalid env: {pair}")),
    };
    call.flags.all("env").iter().map(variable).collect()
}

/// `--overrides` changes what the command makes.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/override_options.go NewOverrider.
pub(super) fn override_with(call: &Call<'_>, kind: Kind, value: &mut Value) -> Outcome {
    let how = match call.flags.text("override-type") {
        "merge" => PatchType::Merge,
        "strategic" => PatchType::Strategic,
        "json" => PatchType::Json,
        other => return plain(format!("invalid override type: {other}")),
    };
    let Some(text) = call.flags.get("overrides") else { return Ok(()) };
    let Ok(body) = serde_json::from_str::<Value>(text) else { return plain("Invalid JSON Patch") };
    let patch = Patch { how, body, fields: FieldValidation::Ignore, of_status: false };
    patch_locally(kind, value, &patch).map_err(Failure::Plain)
}

/// A pod that the command stays with: `-it`, `--rm`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/run/run.go Run.
#[derive(Debug)]
pub(crate) struct Attach {
    namespace: String,
    name: String,
    words: Vec<String>,
    stage: Stage,
}

/// How far it is.
#[derive(Debug)]
enum Stage {
    /// Its container is to begin.
    Begins { limit: SimTime },
    /// A person types into its shell.
    Typing(Command),
    /// Its process is at work; what it prints is said.
    Reading { log: Reading, limit: SimTime },
}

impl Attach {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>, input: Input) -> Outcome {
        let outcome = match &mut self.stage {
            Stage::Begins { limit } => {
                let limit = *limit;
                if input == Input::Interrupt {
                    return self.end(call, Err(Failure::Silent(130)));
                }
                if call.world.now() < limit && !self.has_begun(call) {
                    return call.later(limit, Task::Attach(self));
                }
                match self.begin(call) {
                    Ok(Some(stage)) => {
                        self.stage = stage;
                        return self.go_on(call, Input::Time);
                    }
                    Ok(None) => Ok(()),
                    Err(failure) => Err(failure),
                }
            }
            Stage::Reading { log, limit } => {
                let limit = *limit;
                let goes_on = log.go_on(call);
                match input {
                    Input::Interrupt => Err(Failure::Silent(130)),
                    Input::End => Ok(()),
                    _ if goes_on => {
                        let wake = Wake::Passing { limit, is_endless: false };
                        return call.wait_for(wake, Task::Attach(self));
                    }
                    _ => self.code(call),
                }
            }
            Stage::Typing(shell) => match shell.take(call, input) {
                Ok(Some(wake)) => return call.wait_for(wake, Task::Attach(self)),
                Ok(None) => Ok(()),
                Err(failure) => Err(failure),
            },
        };
        self.end(call, outcome)
    }

    /// What there is to do with a pod that has begun, if anything.
    fn begin(&self, call: &mut Call<'_>) -> Result<Option<Stage>, Failure> {
        let pod = call.world.find(Kind::Pod, &self.namespace, &self.name).cloned();
        let Some(pod) = pod else { return Ok(None) };
        if !self.has_begun(call) {
            return plain("timed out waiting for the condition");
        }
        let value = shown(&pod);
        let Some(container) = value.items_at(&["spec", "containers"]).first() else {
            return Ok(None);
        };
        if let Some(shell) = Command::of_first(call, &pod, container) {
            call.warn("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.");
            call.warn("If you don't see a command prompt, try pressing enter.");
            return Ok(Some(Stage::Typing(shell)));
        }
        if self.words.is_empty() {
            return Ok(None);
        }
        let name = container.str_at(&["name"]).unwrap_or_default();
        let log = Reading::new(&pod, name, 0);
        Ok(Some(Stage::Reading { log, limit: call.world.now() + ATTACHED }))
    }

    /// How its process has ended.
    fn code(&self, call: &Call<'_>) -> Outcome {
        let pod = call.world.find(Kind::Pod, &self.namespace, &self.name);
        let status = pod.and_then(|pod| pod.pod()?.status.containers.first());
        match status.map(|status| &status.state) {
            Some(ContainerState::Terminated { exit_code, .. }) if *exit_code != 0 => {
                Err(Failure::Exited(*exit_code))
            }
            _ => Ok(()),
        }
    }

    fn has_begun(&self, call: &Call<'_>) -> bool {
        call.world.find(Kind::Pod, &self.namespace, &self.name).is_none_or(|pod| {
            let containers = pod.pod().map(|pod| &pod.status.containers);
            containers.is_some_and(|all| {
                all.iter().any(|it| !matches!(it.state, ContainerState::Waiting { .. }))
            })
        })
    }

    /// Deletes the pod if it was asked for, and says how its process ended.
    fn end(&self, call: &mut Call<'_>, outcome: Outcome) -> Outcome {
        let Attach { namespace, name, .. } = self;
        if call.flags.on("rm") {
            let key = crate::store::ObjectKey::new(namespace, name);
            let options = super::delete::options(call)?;
            // One that is gone already needs no word.
            let _ = super::delete::delete_one(call, Kind::Pod, &key, &options);
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
}
