//! `kubectl debug`: a container beside those of a pod, a copy of a pod, a pod on a node.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/debug/debug.go.

use super::debug_profile::{self, Keeps, Style};
use super::exec::Command;
use super::logs::{Reading, status_of};
use super::run::is_reference;
use crate::api::error::go_quote;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Value};
use crate::base::{SimTime, names};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources::{self, Query};
use crate::kubectl::task::{Input, Task, Wake};
use crate::store::patch::{FieldValidation, Patch, PatchType, patch_locally};
use crate::store::{DeleteOptions, ObjectKey};
use serde_json::json;
use std::sync::Arc;

/// As long as a container that does not end is looked at, where nobody can leave.
const ATTACHED: core::time::Duration = core::time::Duration::from_secs(60);

/// `kubectl debug`.
pub(crate) fn debug(call: &mut Call<'_>) -> Outcome {
    let env = env(call)?;
    let profile = call.flags.text("profile").to_owned();
    if !debug_profile::NAMES.contains(&profile.as_str()) {
        return plain(format!("unknown profile: {profile}"));
    }
    let custom = custom(call)?;
    check(call, custom.as_ref())?;
    let wanted = Wanted { env, profile, custom };
    let objects: Vec<Arc<Object>> = match call.has_files() {
        true => resources::find(call)?.objects,
        false => {
            let find = |word: &String| {
                let (kind, name) = target(call, word)?;
                call.object(kind, &call.namespace_for(kind), &name)
            };
            call.args.iter().map(find).collect::<Result<_, Failure>>()?
        }
    };
    let mut last = None;
    for object in objects {
        last = match object.kind {
            Kind::Node => Some(wanted.on_node(call, &object.meta.name)?),
            Kind::Pod if call.flags.get("copy-to").is_some() => wanted.as_copy(call, &object)?,
            Kind::Pod => Some(wanted.beside(call, &object)?),
            kind => {
                let (group, version) = (kind.resource().group, kind.resource().version);
                let api = go_quote(&format!("{group}/{version}, Kind={kind}"));
                return plain(format!("{api} not supported by debug"));
            }
        };
    }
    let attaches = match call.flags.given("attach") {
        true => call.flags.on("attach"),
        false => call.flags.on("stdin"),
    };
    match last.filter(|_| attaches) {
        None => Ok(()),
        Some((key, container)) => {
            let limit = call.world.now() + super::PATIENCE;
            let stage = Stage::Begins { limit, said: String::new() };
            Session { key, container, stage }.go_on(call, Input::Time)
        }
    }
}

/// The kind and the name of `POD` or `TYPE/NAME`.
fn target(call: &Call<'_>, word: &str) -> Result<(Kind, String), Failure> {
    if !word.contains('/') {
        return Ok((Kind::Pod, word.to_owned()));
    }
    match resources::queries(call.world.store(), &[word.to_owned()])?.into_iter().next() {
        Some(Query::Named(kind, name)) => Ok((kind, name)),
        _ => Ok((Kind::Pod, word.to_owned())),
    }
}

/// `--env=KEY=VALUE,…`.
fn env(call: &Call<'_>) -> Result<Vec<Value>, Failure> {
    let variable = |pair: &String| match pair.split_once('=') {
        Some((name, value)) => Ok(json!({"name": name, "value": value})),
        None => plain(format!(
            "invalid argument {} for \"--env\" flag: {pair} must be formatted as key=value",
            go_quote(pair)
        )),
    };
    call.flags.list("env").iter().map(variable).collect()
}

/// `--custom=FILE`: fields of the container.
fn custom(call: &Call<'_>) -> Result<Option<Value>, Failure> {
    let Some(path) = call.flags.get("custom") else { return Ok(None) };
    let text = call.file(path).map_err(|why| {
        Failure::Plain(format!("must pass a container spec json file for custom profile: {why}"))
    })?;
    let mut parsed = crate::manifest::parse(&text);
    match parsed.documents.drain(..).next().map(|it| it.value).filter(Value::is_object) {
        Some(value) => Ok(Some(value)),
        None => plain(format!(
            "{path} does not contain a valid container spec: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type v1.Container"
        )),
    }
}

/// What does not go together.
///
/// Models Validate.
fn check(call: &mut Call<'_>, custom: Option<&Value>) -> Outcome {
    let has = |flag: &str| call.flags.get(flag).is_some();
    let (image, copies, sets) = (call.flags.text("image"), has("copy-to"), has("set-image"));
    let has_words = call.after_dash.as_ref().is_some_and(|words| !words.is_empty());
    let attaches = call.flags.given("attach") && call.flags.on("attach");
    let invalid = |image: &str| {
        (!image.is_empty() && !is_reference(image))
            .then(|| format!("invalid image name {}", go_quote(image)))
    };
    let images = call.flags.list("set-image");
    let wrong_image = invalid(image).map(|why| format!("{why}: invalid reference format"));
    let wrong_set = images.iter().find_map(|pair| {
        let (name, image) = pair.split_once('=').unwrap_or((pair, ""));
        invalid(image)
            .map(|why| format!("{why} for container {}: invalid reference format", go_quote(name)))
    });
    let pull = call.flags.text("image-pull-policy");
    let is_pull = ["", "Always", "IfNotPresent", "Never"].contains(&pull);
    let pull = format!("invalid image pull policy: {pull}");
    let fixed = custom.is_some_and(|custom| {
        let fields = ["name", "command", "image", "lifecycle", "volumeDevices"];
        fields.iter().any(|field| custom.get(*field).is_some_and(|it| !it.is_null()))
    });
    let targets = has("target");
    let rules = [
        (
            attaches && image.is_empty() && !has("container"),
            "you must specify --container or create a new container using --image in order to attach.",
        ),
        (
            copies && image.is_empty() && !sets && !has_words,
            "you must specify --image, --set-image or command arguments.",
        ),
        (
            copies && has_words && !has("container") && image.is_empty(),
            "you must specify an existing container or a new image when specifying args.",
        ),
        (!copies && call.flags.on("replace"), "--replace may only be used with --copy-to."),
        (!copies && call.flags.on("same-node"), "--same-node may only be used with --copy-to."),
        (!copies && sets, "--set-image may only be used with --copy-to."),
        (!copies && image.is_empty(), "you must specify --image when not using --copy-to."),
        (wrong_image.is_some(), wrong_image.as_deref().unwrap_or_default()),
        (call.args.is_empty() && !call.has_files(), "NAME or filename is required for debug"),
        (!is_pull, &pull),
        (wrong_set.is_some(), wrong_set.as_deref().unwrap_or_default()),
        (
            targets && copies,
            "--target is incompatible with --copy-to. Use --share-processes instead.",
        ),
    ];
    if let Some((_, why)) = rules.into_iter().find(|(broken, _)| *broken) {
        return plain(why);
    }
    let (quiet, target) = (call.flags.on("quiet"), call.flags.text("target").to_owned());
    if targets && !quiet {
        call.say(format!("Targeting container {}. If you don't see processes from this container it may be because the container runtime doesn't support this feature.", go_quote(&target)));
    }
    if call.flags.on("tty") && !call.flags.on("stdin") {
        return plain("-i/--stdin is required for containers with -t/--tty=true");
    }
    if fixed {
        return plain(
            "name, command, image, lifecycle and volume devices are not modifiable via custom profile",
        );
    }
    if call.flags.text("profile") == "legacy" {
        call.warn("--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example \"--profile=general\".");
    }
    Ok(())
}

/// What the container that looks around is to be.
struct Wanted {
    env: Vec<Value>,
    profile: String,
    custom: Option<Value>,
}

/// A pod, and the container in it that looks around.
type Made = (ObjectKey, String);

impl Wanted {
    /// The fields of a new container.
    fn container(&self, call: &Call<'_>, name: &str) -> Value {
        let mut container = json!({"name": name, "terminationMessagePolicy": "File"});
        self.fill(call, &mut container);
        container
    }

    /// What the flags say of a container.
    fn fill(&self, call: &Call<'_>, container: &mut Value) {
        for (flag, field) in [("image", "image"), ("image-pull-policy", "imagePullPolicy")] {
            if let Some(text) = call.flags.get(flag) {
                container.put(&[field], text);
            }
        }
        if !self.env.is_empty() {
            container.put(&["env"], self.env.clone());
        }
        let words = call.after_dash.clone().unwrap_or_default();
        if !words.is_empty() {
            let is_args = call.flags.on("arguments-only");
            if !is_args {
                container.remove(&["args"]);
            }
            container.put(&[if is_args { "args" } else { "command" }], words);
        }
        for flag in ["stdin", "tty"] {
            container.remove(&[flag]);
            if call.flags.on(flag) {
                container.put(&[flag], true);
            }
        }
    }

    /// Applies the profile, and then the fields of `--custom`.
    fn apply(&self, call: &Call<'_>, pod: &mut Value, name: &str, style: Style) -> Outcome {
        let on = |flag: &str| call.flags.on(flag);
        let keeps = Keeps {
            labels: on("keep-labels"),
            annotations: on("keep-annotations"),
            liveness: on("keep-liveness"),
            readiness: on("keep-readiness"),
            startup: on("keep-startup"),
            init_containers: on("keep-init-containers"),
        };
        debug_profile::apply(pod, name, &self.profile, style, keeps);
        let Some(custom) = &self.custom else { return Ok(()) };
        let list = if style == Style::Ephemeral { "ephemeralContainers" } else { "containers" };
        let mut custom = custom.clone();
        custom.put(&["name"], name);
        let body = json!({"spec": {list: [custom]}});
        let (how, fields) = (PatchType::Strategic, FieldValidation::Ignore);
        let patch = Patch { how, body, fields, of_status: false };
        patch_locally(Kind::Pod, pod, &patch).map_err(Failure::Plain)
    }

    /// A name that no container of a pod has.
    fn name(&self, call: &mut Call<'_>, pod: &Value) -> String {
        if let Some(name) = call.flags.get("container") {
            return name.to_owned();
        }
        let name = loop {
            let name = format!("debugger-{}", names::random_suffix(call.world.rng(), 5));
            if !has_container(pod, &name) {
                break name;
            }
        };
        if !call.flags.on("quiet") {
            call.say(format!("Defaulting debug container name to {name}."));
        }
        name
    }

    /// Adds a container to a pod.
    ///
    /// Models debugByEphemeralContainer.
    fn beside(&self, call: &mut Call<'_>, object: &Object) -> Result<Made, Failure> {
        let mut pod = shown(object);
        let name = self.name(call, &pod);
        let mut container = self.container(call, &name);
        if let Some(target) = call.flags.get("target") {
            container.put(&["targetContainerName"], target);
        }
        let mut all = pod.items_at(&["spec", "ephemeralContainers"]).to_vec();
        all.push(container);
        pod.put(&["spec", "ephemeralContainers"], all);
        self.apply(call, &mut pod, &name, Style::Ephemeral)?;
        warn_of_user(call, &pod, &name);
        let key = ObjectKey::of(object);
        let containers = pod.items_at(&["spec", "ephemeralContainers"]).to_vec();
        call.write(|world| world.update_ephemeral_containers(&key, &containers))?;
        Ok((key, name))
    }

    /// Makes a pod like another one, with a container more or with a changed one.
    ///
    /// Models generatePodCopyWithDebugContainer.
    fn as_copy(&self, call: &mut Call<'_>, object: &Object) -> Result<Option<Made>, Failure> {
        let original = shown(object);
        let copy = call.flags.text("copy-to").to_owned();
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": copy}});
        for path in [["metadata", "namespace"], ["metadata", "annotations"], ["metadata", "labels"]]
        {
            if let Some(field) = original.at(&path) {
                pod.put(&path, field.clone());
            }
        }
        pod.put(&["spec"], original.get("spec").cloned().unwrap_or_default());
        pod.remove(&["spec", "ephemeralContainers"]);
        if call.flags.given("share-processes") {
            pod.put(&["spec", "shareProcessNamespace"], call.flags.on("share-processes"));
        }
        if !call.flags.on("same-node") {
            pod.remove(&["spec", "nodeName"]);
        }
        set_images(call, &mut pod);
        let chosen = call.flags.get("container").filter(|name| has_container(&pod, name));
        let name = match chosen.map(str::to_owned) {
            Some(name) => name,
            None if call.flags.get("image").is_none() && call.flags.get("set-image").is_some() => {
                self.create(call, object, &pod)?;
                return Ok(None);
            }
            None if call.flags.get("image").is_none() => {
                return plain("you must specify image when creating new container");
            }
            None => {
                let name = self.name(call, &pod);
                let mut all = pod.items_at(&["spec", "containers"]).to_vec();
                all.push(json!({"name": name, "terminationMessagePolicy": "File"}));
                pod.put(&["spec", "containers"], all);
                name
            }
        };
        let containers = pod.entry(&["spec", "containers"]).as_array_mut();
        for own in containers.into_iter().flatten() {
            if own.str_at(&["name"]) == Some(&name) {
                self.fill(call, own);
            }
        }
        self.apply(call, &mut pod, &name, Style::Copy)?;
        warn_of_user(call, &pod, &name);
        let key = self.create(call, object, &pod)?;
        Ok(Some((key, name)))
    }

    /// Creates a copy; with `--replace` the other one goes.
    fn create(&self, call: &mut Call<'_>, old: &Object, pod: &Value) -> Result<ObjectKey, Failure> {
        let made = call.create(Kind::Pod, pod, &old.meta.namespace)?;
        if call.flags.on("replace") {
            let grace_period_seconds = Some(0);
            let options = DeleteOptions { grace_period_seconds, ..DeleteOptions::default() };
            call.write(|world| world.delete(Kind::Pod, &ObjectKey::of(old), &options))?;
        }
        Ok(ObjectKey::of(&made))
    }

    /// Makes a pod that looks at a node from its own namespaces.
    ///
    /// Models generateNodeDebugPod.
    fn on_node(&self, call: &mut Call<'_>, node: &str) -> Result<Made, Failure> {
        let container = call.flags.get("container").unwrap_or("debugger").to_owned();
        let suffix = names::random_suffix(call.world.rng(), 5);
        let name = format!("node-debugger-{node}-{suffix}");
        if !call.flags.on("quiet") {
            call.say(format!(
                "Creating debugging pod {name} with container {container} on node {node}."
            ));
        }
        let own = self.container(call, &container);
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"},
            },
            "spec": {
                "containers": [own], "nodeName": node, "restartPolicy": "Never",
                "tolerations": [{"operator": "Exists"}],
            },
        });
        self.apply(call, &mut pod, &container, Style::Node)?;
        let namespace = call.namespace();
        let made = call.create(Kind::Pod, &pod, &namespace)?;
        Ok((ObjectKey::of(&made), container))
    }
}

/// `--set-image=NAME=IMAGE,*=IMAGE`.
fn set_images(call: &Call<'_>, pod: &mut Value) {
    let images = call.flags.list("set-image");
    let image_of = |name: &str| {
        let mut pairs = images.iter().filter_map(|pair| pair.split_once('='));
        pairs.find(|(own, _)| *own == name).map(|(_, image)| image.to_owned())
    };
    let containers = pod.entry(&["spec", "containers"]).as_array_mut();
    for container in containers.into_iter().flatten() {
        let name = container.str_at(&["name"]).unwrap_or_default();
        if let Some(image) = image_of(name).or_else(|| image_of("*")) {
            container.put(&["image"], image);
        }
    }
}

fn has_container(pod: &Value, name: &str) -> bool {
    let lists = ["containers", "initContainers", "ephemeralContainers"].into_iter();
    let mut all = lists.flat_map(|list| pod.items_at(&["spec", list]));
    all.any(|it| it.str_at(&["name"]) == Some(name))
}

/// Models displayWarning.
fn warn_of_user(call: &mut Call<'_>, pod: &Value, name: &str) {
    let lists = ["containers", "ephemeralContainers"].into_iter();
    let mut all = lists.flat_map(|list| pod.items_at(&["spec", list]));
    let Some(own) = all.find(|it| it.str_at(&["name"]) == Some(name)) else { return };
    let user = |of: &Value| of.int_at(&["securityContext", "runAsUser"]);
    let of_pod = pod.get("spec").and_then(user).unwrap_or(0);
    let is_strong = own.bool_at(&["securityContext", "privileged"]) == Some(true)
        || !own.items_at(&["securityContext", "capabilities", "add"]).is_empty();
    if of_pod != 0 && user(own) != Some(0) && is_strong {
        call.warn("Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not work. Please consider using \"--custom\" with a custom profile that specifies \"securityContext.runAsUser: 0\".");
    }
}

/// A container that a person looks around from.
///
/// Models handleAttachPod.
#[derive(Debug)]
pub(crate) struct Session {
    key: ObjectKey,
    container: String,
    stage: Stage,
}

/// How far it is.
#[derive(Debug)]
enum Stage {
    /// The container is to begin; what was said last of why it does not.
    Begins { limit: SimTime, said: String },
    /// A person types into its shell.
    Typing(Command),
    /// Its process is at work; what it prints is said.
    Reading { log: Reading, limit: SimTime },
}

impl Session {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>, input: Input) -> Outcome {
        if input == Input::Interrupt && !matches!(self.stage, Stage::Typing(_)) {
            return Err(Failure::Silent(130));
        }
        match &mut self.stage {
            Stage::Begins { limit, said } => {
                let pod = call.world.store().get(Kind::Pod, &self.key).cloned();
                let Some(pod) = pod else { return Err(ApiError::not_found("pods", "").into()) };
                let status = status_of(&shown(&pod), &self.container);
                let has_begun = ["running", "terminated"]
                    .iter()
                    .any(|state| status.at(&["state", state]).is_some());
                if has_begun {
                    self.stage = self.begin(call, &pod)?;
                    return self.go_on(call, Input::Time);
                }
                let why = status.str_at(&["state", "waiting", "message"]).unwrap_or_default();
                if !call.flags.on("quiet") && !why.is_empty() && why != said {
                    call.warn(format!("Warning: container {}: {why}", self.container));
                    why.clone_into(said);
                }
                let limit = *limit;
                if call.world.now() >= limit {
                    return plain("timed out waiting for the condition");
                }
                call.later(limit, Task::Debug(self))
            }
            Stage::Reading { log, limit } => {
                let limit = *limit;
                if !log.go_on(call) || input == Input::End {
                    return Ok(());
                }
                let wake = Wake::Passing { limit, is_endless: false };
                call.wait_for(wake, Task::Debug(self))
            }
            Stage::Typing(shell) => match shell.take(call, input) {
                Ok(Some(wake)) => call.wait_for(wake, Task::Debug(self)),
                Ok(None) => self.end(call, 0),
                Err(Failure::Exited(code)) => self.end(call, code),
                Err(failure) => Err(failure),
            },
        }
    }

    /// What there is to do with a container that has begun.
    fn begin(&self, call: &mut Call<'_>, pod: &Arc<Object>) -> Result<Stage, Failure> {
        let value = shown(pod);
        let lists = ["containers", "ephemeralContainers"].into_iter();
        let mut all = lists.flat_map(|list| value.items_at(&["spec", list]));
        let own = all.find(|it| it.str_at(&["name"]) == Some(&self.container));
        let runs = status_of(&value, &self.container).at(&["state", "running"]).is_some();
        let own = own.filter(|_| runs);
        if runs && !call.flags.on("quiet") {
            call.warn("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.");
            call.warn("If you don't see a command prompt, try pressing enter.");
        }
        if let Some(shell) = own.and_then(|own| Command::of_first(call, pod, own)) {
            return Ok(Stage::Typing(shell));
        }
        let log = Reading::new(pod, &self.container, 0);
        Ok(Stage::Reading { log, limit: call.world.now() + ATTACHED })
    }

    /// The shell has ended, and with it the container.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/attach/attach.go reattachMessage.
    fn end(&self, call: &mut Call<'_>, code: i32) -> Outcome {
        let (name, pod) = (&self.container, &self.key.name);
        call.world.end_container(&self.key, name, code);
        let object = call.world.store().get(Kind::Pod, &self.key).cloned();
        let spec = object.as_ref().and_then(|object| object.pod()).map(|pod| &pod.spec);
        let again =
            spec.is_some_and(|spec| spec.restart_policy == crate::api::pod::RestartPolicy::Always);
        if again && call.flags.on("tty") && !call.flags.on("quiet") {
            let is_beside = spec
                .is_some_and(|spec| spec.ephemeral_containers.iter().any(|it| it.name == *name));
            let command = format!("'kubectl attach {pod} -c {name} -i -t'");
            call.say(match is_beside {
                true => format!("Session ended, the ephemeral container will not be restarted but may be reattached using {command} if it is still running"),
                false => format!("Session ended, resume using {command} command when the pod is running"),
            });
        }
        Ok(())
    }
}
