//! One command at work: what was said, the world it acts on, and what it prints.

use super::failure::{Failure, Outcome, plain};
use super::flags::Flags;
use super::manifests::to_yaml;
use super::output::{self, Objects, Printer};
use super::session::Session;
use super::task::{Task, Wake};
use super::verbs::Verb;
use crate::api::error::go_quote;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::programs::{Mark, Output};
use crate::store::patch::{FieldValidation, Patch};
use crate::store::{ObjectKey, managed};
use crate::world::{World, component_statuses};
use core::fmt::Write as _;
use core::time::Duration;
use std::sync::Arc;

/// One command at work.
pub(crate) struct Call<'a> {
    /// The verb's row in the table.
    pub(crate) verb: &'static Verb,
    /// The cluster.
    pub(crate) world: &'a mut World,
    /// What is remembered.
    pub(crate) session: &'a mut Session,
    /// What is no flag.
    pub(crate) args: Vec<String>,
    /// What stands after `--`.
    pub(crate) after_dash: Option<Vec<String>>,
    /// The flags.
    pub(crate) flags: Flags,
    /// Standard input.
    pub(crate) stdin: Option<&'a str>,
    /// Standard output so far.
    pub(crate) out: String,
    /// Standard error so far.
    pub(crate) err: String,
    /// In which order the two were written, and how long it took.
    pub(crate) marks: Vec<Mark>,
    /// What is left to do later, and when.
    pub(crate) rest: Option<(Task, Wake)>,
}

/// The commands that have a manager of their own.
const MANAGERS: [&str; 11] = [
    "annotate",
    "autoscale",
    "create",
    "edit",
    "expose",
    "label",
    "patch",
    "replace",
    "rollout",
    "run",
    "set",
];

/// Whether a change is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// It is.
    None,
    /// Nobody asks the server.
    Client,
    /// The server says what it would do.
    Server,
}

impl<'a> Call<'a> {
    /// A command that has said nothing yet.
    pub(crate) fn new(verb: &'static Verb, world: &'a mut World, session: &'a mut Session) -> Self {
        Call {
            verb,
            world,
            session,
            args: Vec::new(),
            after_dash: None,
            flags: Flags::default(),
            stdin: None,
            out: String::new(),
            err: String::new(),
            marks: Vec::new(),
            rest: None,
        }
    }
}

impl Call<'_> {
    /// Goes on with a task as soon as something has changed, and at `limit` in any case.
    pub(crate) fn later(&mut self, limit: SimTime, task: Task) -> Outcome {
        self.wait_for(Wake::Change(limit), task)
    }

    /// Goes on with a task when it is woken.
    pub(crate) fn wait_for(&mut self, wake: Wake, task: Task) -> Outcome {
        self.rest = Some((task, wake));
        Ok(())
    }

    /// Lets time pass after what was printed so far.
    pub(crate) fn pause(&mut self, pause: Duration) {
        self.marks.push(Mark { out: self.out.len(), err: self.err.len(), pause });
    }

    /// Adds what a program printed.
    pub(crate) fn show(&mut self, output: Output) {
        let (stdout, stderr) = (core::mem::take(&mut self.out), core::mem::take(&mut self.err));
        let marks = core::mem::take(&mut self.marks);
        let mut all = Output { stdout, stderr, marks, exit: 0 };
        all.append(output);
        (self.out, self.err, self.marks) = (all.stdout, all.stderr, all.marks);
    }

    /// A line of standard output.
    pub(crate) fn say(&mut self, line: impl AsRef<str>) {
        self.out.push_str(line.as_ref());
        self.out.push('\n');
    }

    /// A line of standard error.
    pub(crate) fn warn(&mut self, line: impl AsRef<str>) {
        self.err.push_str(line.as_ref());
        self.err.push('\n');
        self.pause(Duration::ZERO);
    }

    /// The namespace that is meant.
    pub(crate) fn namespace(&self) -> String {
        self.flags.get("namespace").unwrap_or(&self.session.namespace).to_owned()
    }

    /// The namespace for a kind: empty for kinds without.
    pub(crate) fn namespace_for(&self, kind: Kind) -> String {
        if kind.namespaced() { self.namespace() } else { String::new() }
    }

    /// Whether all namespaces are meant.
    pub(crate) fn all_namespaces(&self) -> bool {
        self.flags.on("all-namespaces")
    }

    /// Reads `--dry-run`.
    pub(crate) fn dry_run(&self) -> Result<DryRun, Failure> {
        match self.flags.get("dry-run") {
            None | Some("none" | "false") => Ok(DryRun::None),
            Some("client" | "unchanged" | "true") => Ok(DryRun::Client),
            Some("server") => Ok(DryRun::Server),
            Some(other) => Err(Failure::Plain(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }

    /// Whether manifests are given: by `-f` or `-k`.
    pub(crate) fn has_files(&self) -> bool {
        !self.flags.list("filename").is_empty() || self.flags.given("kustomize")
    }

    /// What the server is to do about fields that it does not know: `--validate`.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go GetValidationDirective.
    ///
    /// # Errors
    /// A word that is none of its values.
    pub(crate) fn field_validation(&self) -> Result<FieldValidation, Failure> {
        match self.flags.get("validate") {
            None | Some("strict" | "true") => Ok(FieldValidation::Strict),
            Some("warn") => Ok(FieldValidation::Warn),
            Some("ignore" | "false") => Ok(FieldValidation::Ignore),
            Some(other) => Err(Failure::Plain(format!(
                "invalid - validate option {}; must be one of: strict (or true), warn, ignore (or false)",
                go_quote(other)
            ))),
        }
    }

    /// The object of a name. Where it is not there, kubectl asks whether its namespace is, unless
    /// that is `default`; `kubectl delete` asks for nothing beforehand.
    ///
    /// Models staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go Info.Get.
    ///
    /// # Errors
    /// `NotFound`, of the object or of its namespace.
    pub(crate) fn object(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Arc<Object>, Failure> {
        if name.is_empty() {
            return plain("resource name may not be empty");
        }
        if kind.name() == "ComponentStatus" {
            let found = component_statuses(kind).find(|one| *one.meta.name == *name);
            let missing = || crate::api::ApiError::not_found("componentstatus", name).into();
            return found.ok_or_else(missing);
        }
        let store = self.world.store();
        let found = store.find(kind, namespace, name).cloned();
        let asks = kind.namespaced() && namespace != "default" && self.verb.path != "delete";
        found.ok_or_else(|| match asks && store.find(Kind::Namespace, "", namespace).is_none() {
            true => crate::api::ApiError::not_found("namespaces", namespace).into(),
            false => crate::api::ApiError::not_found(&kind.group_resource(), name).into(),
        })
    }

    /// The name under which the command's requests come.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go AddFieldManagerFlagVar and the
    /// defaults of its callers; where there is none it is the beginning of the user agent.
    pub(crate) fn field_manager(&self) -> String {
        let command = self.verb.path.split(' ').next().unwrap_or_default();
        match (self.flags.get("field-manager"), self.verb.path) {
            (Some(own), _) => own.to_owned(),
            (None, "apply") if self.flags.on("server-side") => "kubectl".to_owned(),
            (None, "apply" | "apply edit-last-applied") => "kubectl-client-side-apply".to_owned(),
            _ if MANAGERS.contains(&command) => format!("kubectl-{command}"),
            _ => "kubectl".to_owned(),
        }
    }

    /// Acts on the world, or on a copy of it that is thrown away for `--dry-run=server`. What the
    /// API server warns of is said.
    pub(crate) fn write<T>(
        &mut self,
        change: impl FnOnce(&mut World) -> Result<T, crate::api::ApiError>,
    ) -> Result<T, Failure> {
        self.world.speak_as(&self.field_manager(), "");
        self.world.hold_against(self.field_validation()?);
        if self.dry_run()? == DryRun::Server {
            let mut copy = self.world.clone();
            let result = change(&mut copy);
            self.say_warnings(copy.take_warnings());
            return result.map_err(Failure::from);
        }
        let result = change(self.world);
        let warnings = self.world.take_warnings();
        self.say_warnings(warnings);
        result.map_err(Failure::from)
    }

    /// Says what the API server warns of, each thing once.
    ///
    /// Models staging/src/k8s.io/client-go/rest/warnings.go, which kubectl asks to deduplicate.
    pub(crate) fn say_warnings(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            let line = format!("Warning: {warning}");
            if !self.err.lines().any(|said| said == line) {
                self.warn(line);
            }
        }
    }

    /// With `--record`, notes the command in an object that it is about to write.
    ///
    /// Models staging/src/k8s.io/cli-runtime/pkg/genericclioptions/record_flags.go
    /// ChangeCauseRecorder.
    pub(crate) fn record(&self, value: &mut Value) {
        if let Some(cause) = self.flags.cause() {
            value.put(&["metadata", "annotations", "kubernetes.io/change-cause"], cause);
        }
    }

    /// Creates an object, or on `--dry-run=server` says what it would be; then it has no revision.
    pub(crate) fn create(
        &mut self,
        kind: Kind,
        value: &Value,
        namespace: &str,
    ) -> Result<Arc<Object>, Failure> {
        let made = self.write(|world| world.create(kind, value, namespace))?;
        if self.dry_run()? == DryRun::Server {
            let mut imagined = (*made).clone();
            imagined.meta.resource_version = 0;
            return Ok(Arc::new(imagined));
        }
        Ok(made)
    }

    /// Changes an object by a patch, or on `--dry-run=server` says what it would be. What the API
    /// server warns of is said.
    pub(crate) fn patch(
        &mut self,
        kind: Kind,
        key: &ObjectKey,
        patch: &Patch,
    ) -> Result<Arc<Object>, Failure> {
        let patched = self.write(|world| world.patch(kind, key, patch))?;
        let unknown = patched.unknown.iter().map(|field| format!("unknown field \"{field}\""));
        self.say_warnings(unknown.collect());
        Ok(patched.object)
    }

    /// Says what was done to an object: `deployment.apps/web created`, or the object itself with
    /// `-o`.
    pub(crate) fn done(&mut self, kind: Kind, value: &Value, what: &str) -> Outcome {
        let suffix = match self.dry_run()? {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        };
        self.done_plainly(kind, value, &format!("{what}{suffix}"))
    }

    /// The same for commands that do not say that it was a dry run.
    pub(crate) fn done_plainly(&mut self, kind: Kind, value: &Value, what: &str) -> Outcome {
        let Some(printer) = Printer::of(self, output::FORMATS)? else {
            let name = value.str_at(&["metadata", "name"]).unwrap_or_default();
            self.say(format!("{}/{name} {what}", kind.singular_group()).trim_end());
            return Ok(());
        };
        self.print(&printer, &Objects::One(value.clone()))
    }

    /// Prints objects to standard output.
    pub(crate) fn print(&mut self, printer: &Printer, objects: &Objects) -> Outcome {
        let with_managers = self.with_managers(objects);
        let (text, outcome) = printer.print(self, with_managers.as_ref().unwrap_or(objects));
        self.out.push_str(&text);
        outcome
    }

    /// The objects with their managers, where these are asked for.
    fn with_managers(&self, objects: &Objects) -> Option<Objects> {
        let asks = self.flags.on("show-managed-fields")
            || ["output", "template"].iter().any(|flag| self.flags.text(flag).contains("managedF"));
        if !asks {
            return None;
        }
        let mut objects = objects.clone();
        let values = match &mut objects {
            Objects::One(value) => core::slice::from_mut(value),
            Objects::List(values, _) => values.as_mut_slice(),
        };
        for value in values {
            let text = |path: &[&str]| value.str_at(path).unwrap_or_default();
            let kind = Kind::of_manifest(text(&["apiVersion"]), text(&["kind"]));
            let (namespace, name) = (text(&["metadata", "namespace"]), text(&["metadata", "name"]));
            let found = kind.and_then(|kind| self.world.store().find(kind, namespace, name));
            let managers = found.map(|object| managed::shown(object));
            if let Some(managers) =
                managers.filter(|it| it.as_array().is_some_and(|it| !it.is_empty()))
            {
                value.put(&["metadata", "managedFields"], managers);
            }
        }
        Some(objects)
    }

    /// Creates what a generator made, in the namespace that is meant, and says so.
    pub(crate) fn create_generated(&mut self, kind: Kind, value: Value, what: &str) -> Outcome {
        let made = self.generated(kind, value)?;
        self.done(kind, &made, what)
    }

    /// The same without a word.
    pub(crate) fn create_quietly(&mut self, kind: Kind, value: Value) -> Outcome {
        self.generated(kind, value).map(drop)
    }

    fn generated(&mut self, kind: Kind, mut value: Value) -> Result<Value, Failure> {
        if kind.namespaced() && self.flags.given("namespace") {
            value.put(&["metadata", "namespace"], self.namespace());
        }
        self.record(&mut value);
        if self.flags.on("save-config") {
            super::commands::apply::note_last_applied(&mut value);
        }
        if self.dry_run()? == DryRun::Client {
            return Ok(value);
        }
        let namespace = self.namespace_for(kind);
        Ok(shown(&*self.create(kind, &value, &namespace)?))
    }

    /// `error: …` with the hint where to read more.
    pub(crate) fn usage<T>(&self, message: &str) -> Result<T, Failure> {
        let path = self.verb.path;
        let text = format!("error: {message}\nSee 'kubectl {path} -h' for help and examples");
        Err(Failure::Verbatim(text))
    }

    /// Exactly one plain argument is needed.
    pub(crate) fn one_name(&self) -> Result<String, Failure> {
        match self.args.as_slice() {
            [name] => Ok(name.clone()),
            args => self.usage(&format!("exactly one NAME is required, got {}", args.len())),
        }
    }

    /// The text of a file of the working folder, of an address of the internet, or standard input
    /// for `-`.
    pub(crate) fn read(&self, path: &str) -> Result<String, Failure> {
        if path == "-" {
            return Ok(self.stdin.unwrap_or_default().to_owned());
        }
        if let Some(address) = path.strip_prefix("http://").or(path.strip_prefix("https://")) {
            let host = address.split('/').next().unwrap_or_default();
            let (name, port) = host.split_once(':').unwrap_or((host, ""));
            if name.is_empty() {
                let why = "Unable to connect to the server: http: no Host in request URL";
                return Err(Failure::Verbatim(why.to_owned()));
            }
            if ["127.0.0.1", "localhost"].contains(&name) {
                let usual = if path.starts_with("https") { "443" } else { "80" };
                let port = if port.is_empty() { usual } else { port };
                return Err(Failure::Verbatim(format!(
                    "The connection to the server {name}:{port} was refused - did you specify the right host or port?"
                )));
            }
            let found = crate::programs::published(path);
            // Models staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go readHttpWithRetries.
            let why = || {
                format!(
                    "unable to read URL \"{path}\", server reported 404 Not Found, status code=404"
                )
            };
            return found.ok_or_else(|| Failure::Plain(why()));
        }
        let found = self.session.read(path).map(str::to_owned);
        found.ok_or_else(|| Failure::Plain(format!("the path \"{path}\" does not exist")))
    }

    /// The same for a flag that names a file.
    ///
    /// # Errors
    /// Go's sentence.
    pub(crate) fn file(&self, path: &str) -> Result<String, String> {
        self.read(path).map_err(|_| format!("open {path}: no such file or directory"))
    }

    /// YAML to standard output.
    pub(crate) fn say_yaml(&mut self, value: &Value) {
        let _ = write!(self.out, "{}", to_yaml(value));
    }
}

/// An object as the API shows it to kubectl.
pub(crate) fn shown(object: &Object) -> Value {
    object.to_value()
}
