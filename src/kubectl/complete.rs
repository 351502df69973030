//! Completion: verbs, flags and their values, kinds, and names.

use super::call::shown;
use super::flags::{Flag, Takes};
use super::session::Session;
use super::verbs::{self, Verb};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::manifest;
use crate::world::World;
use std::sync::Arc;

/// No more proposals than this.
const MOST: usize = 200;

/// What may stand for the last word; `words` are those before it, without `kubectl`.
pub fn complete(world: &World, session: &Session, words: &[String], last: &str) -> Vec<String> {
    let path = plain_words(words).join(" ");
    let is_behind =
        |verb: &&Verb| path == verb.path || path.starts_with(&format!("{} ", verb.path));
    let verb = verbs::all().filter(is_behind).max_by_key(|verb| verb.path.len());
    let mut known = vec![verbs::GLOBAL];
    known.extend(verb.into_iter().flat_map(|verb| verb.flags.iter().copied()));
    let line = Line::read(world, session, words, &known);
    // What stands behind `--` is a command of its own.
    if words.iter().any(|word| word == "--") {
        return Vec::new();
    }
    let found: Vec<String> = if let Some(flag) = line.open {
        line.values_of(verb, flag)
    } else if let Some((name, _)) = last.split_once('=').filter(|_| last.starts_with("--")) {
        let flag = known.iter().flat_map(|group| group.iter());
        let flag = flag.into_iter().find(|flag| name.strip_prefix("--") == Some(flag.name));
        let values = flag.map(|flag| line.values_of(verb, flag)).unwrap_or_default();
        values.into_iter().map(|value| format!("{name}={value}")).collect()
    } else if last.starts_with('-') {
        let flags = known.iter().flat_map(|group| group.iter());
        flags.map(|flag| format!("--{}", flag.name)).collect()
    } else if let Some(verb) = verb {
        line.arguments(verb, last)
    } else {
        let prefix = if path.is_empty() { String::new() } else { format!("{path} ") };
        let next =
            |verb: &Verb| Some(verb.path.strip_prefix(&prefix)?.split(' ').next()?.to_owned());
        verbs::all().filter_map(next).collect()
    };
    let mut found = found;
    found.retain(|word| word.starts_with(last));
    order::sort(&mut found);
    found.dedup();
    found.truncate(MOST);
    found
}

/// The words that are no flags, as long as nothing says which flags take values.
fn plain_words(words: &[String]) -> Vec<&str> {
    let globals = ["-n", "--namespace", "--context", "-s", "--server", "--as"];
    let mut plain = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if globals.contains(&word.as_str()) {
            words.next();
        } else if !word.starts_with('-') {
            plain.push(word.as_str());
        }
    }
    plain
}

/// A command line before its last word.
struct Line<'a> {
    world: &'a World,
    session: &'a Session,
    /// The words that are neither flags nor their values.
    plain: Vec<&'a str>,
    /// The flag whose value comes next.
    open: Option<&'static Flag>,
    namespace: &'a str,
}

impl<'a> Line<'a> {
    fn read(
        world: &'a World,
        session: &'a Session,
        words: &'a [String],
        known: &[&'static [Flag]],
    ) -> Self {
        let find = |word: &str| {
            let mut all = known.iter().flat_map(|group| group.iter());
            match word.strip_prefix("--") {
                Some(name) => all.find(|flag| flag.name == name),
                // Of letters in a row the last may take a value.
                None => {
                    let letter = word.strip_prefix('-')?.chars().next_back()?;
                    all.find(|flag| flag.short == Some(letter))
                }
            }
        };
        let (mut plain, mut open) = (Vec::new(), None);
        let mut namespace = session.namespace.as_str();
        for word in words {
            if let Some(flag) = open.take() {
                let flag: &Flag = flag;
                if flag.name == "namespace" {
                    namespace = word;
                }
                continue;
            }
            if let Some(given) = word.strip_prefix("--namespace=") {
                namespace = given;
            } else if word.starts_with('-') {
                open = find(word).filter(|flag| flag.takes == Takes::Value);
            } else {
                plain.push(word.as_str());
            }
        }
        Line { world, session, plain, open, namespace }
    }

    fn objects(&self, kind: Kind) -> Vec<&'a Arc<Object>> {
        let store = self.world.store();
        match kind.namespaced() {
            true => store.list_in(kind, self.namespace).take(MOST * 5).collect(),
            false => store.list(kind).take(MOST * 5).collect(),
        }
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        self.objects(kind).into_iter().map(|object| object.meta.name.to_string()).collect()
    }

    /// What a flag may be.
    fn values_of(&self, verb: Option<&Verb>, flag: &Flag) -> Vec<String> {
        let path = verb.map_or("", |verb| verb.path);
        let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
        match (flag.name, path) {
            ("namespace", _) => self.names(Kind::Namespace),
            ("filename", _) => self.files(),
            ("output", "explain") => words(&["plaintext", "plaintext-openapiv2"]),
            ("output", "version") => words(&["json", "yaml"]),
            ("output", "api-resources") => words(&["json", "name", "wide", "yaml"]),
            ("output", _) => {
                words(&["custom-columns=", "json", "jsonpath=", "name", "wide", "yaml"])
            }
            ("dry-run", _) => words(&["client", "none", "server"]),
            ("cascade", _) => words(&["background", "foreground", "orphan"]),
            ("restart", _) => words(&["Always", "Never", "OnFailure"]),
            ("type", "patch") => words(&["json", "merge", "strategic"]),
            ("type", _) => words(&["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]),
            ("types", _) => words(&["Normal", "Warning"]),
            ("for", "wait") => words(&[
                "condition=Available",
                "condition=Complete",
                "condition=Ready",
                "create",
                "delete",
                "jsonpath=",
            ]),
            ("container", _) => self.containers(),
            ("selector" | "pod-selector", _) => self.labels(),
            ("sort-by", _) => words(&[".metadata.creationTimestamp", ".metadata.name"]),
            ("field-selector", _) => words(&["metadata.name=", "spec.nodeName=", "status.phase="]),
            ("image", _) => words(&["busybox:1.36", "nginx:1.27", "redis:7", "traefik/whoami"]),
            _ => Vec::new(),
        }
    }

    fn files(&self) -> Vec<String> {
        let session = self.session;
        let names = session.names("").into_iter();
        names.map(|name| if session.is_folder(&name) { format!("{name}/") } else { name }).collect()
    }

    /// The pods that a command is about, by the word behind its verb.
    fn pod(&self) -> Option<Value> {
        let name = self.plain.iter().rev().find_map(|word| {
            let name = word.strip_prefix("pod/").unwrap_or(word);
            self.world.find(Kind::Pod, self.namespace, name)
        });
        name.map(|pod| shown(pod))
    }

    fn containers(&self) -> Vec<String> {
        let Some(pod) = self.pod() else { return Vec::new() };
        let lists = ["containers", "initContainers"];
        let all = lists.iter().flat_map(|list| pod.items_at(&["spec", list]));
        all.filter_map(|one| one.str_at(&["name"]).map(str::to_owned)).collect()
    }

    /// The labels that objects of the kind in question have.
    fn labels(&self) -> Vec<String> {
        let kind = self.plain.iter().find_map(|word| Kind::of_word(word)).unwrap_or(Kind::Pod);
        let mut all = Vec::new();
        for object in self.objects(kind) {
            all.extend(object.meta.labels.iter().map(|(key, value)| format!("{key}={value}")));
        }
        all
    }

    /// What may stand behind a verb.
    fn arguments(&self, verb: &Verb, last: &str) -> Vec<String> {
        let depth = verb.path.split(' ').count();
        let args = self.plain.get(depth..).unwrap_or_default();
        if let Some((word, _)) = last.split_once('/') {
            let names = Kind::of_word(word).map(|kind| self.names(kind)).unwrap_or_default();
            return names.into_iter().map(|name| format!("{word}/{name}")).collect();
        }
        let kinds = kinds_of(verb.path);
        match (verb.path, args) {
            ("logs" | "exec", []) => self.names(Kind::Pod),
            ("logs" | "exec", _) => Vec::new(),
            ("port-forward", []) => {
                let services = self.names(Kind::Service).into_iter();
                let services = services.map(|name| format!("service/{name}"));
                self.names(Kind::Pod).into_iter().chain(services).collect()
            }
            ("port-forward", [_, ..]) => self.ports(),
            ("cordon" | "uncordon" | "drain" | "top nodes", _) => self.names(Kind::Node),
            ("top pods", _) => self.names(Kind::Pod),
            ("explain", _) => explained(last),
            ("config use-context", _) => Vec::new(),
            ("set image", [.., object]) if object.contains('/') => self.images(object),
            ("set image", [kind, name, ..]) if Kind::of_word(kind).is_some() => {
                self.images(&format!("{kind}/{name}"))
            }
            (path, _) if path.starts_with("create ") || path == "run" => Vec::new(),
            (
                "apply" | "create" | "replace" | "diff" | "cluster-info" | "version" | "options",
                _,
            ) => Vec::new(),
            (_, args) => match args.iter().find_map(|word| Kind::of_word(word)) {
                Some(kind) => self.names(kind),
                None if args.iter().any(|word| word.contains('/')) => Vec::new(),
                None => kinds,
            },
        }
    }

    /// The ports of the pod or Service that is named.
    fn ports(&self) -> Vec<String> {
        let service = self.plain.iter().rev().find_map(|word| {
            let name = word.strip_prefix("service/").or(word.strip_prefix("svc/"))?;
            self.world.find(Kind::Service, self.namespace, name)
        });
        if let Some(service) = service {
            let ports = service.spec().items_at(&["ports"]).iter();
            return ports.filter_map(|port| Some(port.int_at(&["port"])?.to_string())).collect();
        }
        let Some(pod) = self.pod() else { return Vec::new() };
        let containers = pod.items_at(&["spec", "containers"]).iter();
        let ports = containers.flat_map(|one| one.items_at(&["ports"]));
        ports.filter_map(|port| Some(port.int_at(&["containerPort"])?.to_string())).collect()
    }

    /// `container=image` of a workload, to be changed.
    fn images(&self, object: &str) -> Vec<String> {
        let found = object
            .split_once('/')
            .and_then(|(kind, name)| self.world.find(Kind::of_word(kind)?, self.namespace, name));
        let Some(value) = found.map(|object| shown(object)) else { return Vec::new() };
        let template = value.at(&["spec", "template", "spec"]).or(value.get("spec"));
        let containers = template.map(|spec| spec.items_at(&["containers"])).unwrap_or_default();
        let names = containers.iter().filter_map(|one| one.str_at(&["name"]));
        names.map(|name| format!("{name}=")).collect()
    }
}

/// The kinds that a verb is for, as words.
fn kinds_of(verb: &str) -> Vec<String> {
    let some: &[Kind] = match verb {
        "scale" | "autoscale" => {
            &[Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::ReplicationController]
        }
        verb if verb.starts_with("rollout ") => {
            &[Kind::Deployment, Kind::DaemonSet, Kind::StatefulSet]
        }
        "expose" => &[Kind::Deployment, Kind::Pod, Kind::ReplicaSet, Kind::Service],
        "taint" => &[Kind::Node],
        "set image" | "set env" | "set resources" => &[
            Kind::Deployment,
            Kind::DaemonSet,
            Kind::StatefulSet,
            Kind::ReplicaSet,
            Kind::Pod,
            Kind::CronJob,
        ],
        _ => return Kind::all().map(|kind| kind.plural().to_owned()).collect(),
    };
    some.iter().map(|kind| kind.plural().to_owned()).collect()
}

/// Kinds, and behind a dot their fields.
fn explained(last: &str) -> Vec<String> {
    let Some((before, _)) = last.rsplit_once('.') else {
        return Kind::all().map(|kind| kind.plural().to_owned()).collect();
    };
    let mut steps = before.split('.');
    let Some(kind) = steps.next().and_then(Kind::of_word) else { return Vec::new() };
    let path: Vec<String> = steps.map(str::to_owned).collect();
    let fields = manifest::suggestions(kind, &path).into_iter();
    fields
        .filter(|one| one.detail != "value")
        .map(|one| format!("{before}.{}", one.label))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::ClusterConfig;

    fn offers(line: &str) -> Vec<String> {
        let mut world = World::new(ClusterConfig::classroom(), 1);
        world.run_for(core::time::Duration::from_secs(60));
        let mut session = Session::default();
        session.write("web.yaml", String::new());
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let last = words.pop().unwrap_or_default();
        complete(&world, &session, &words, &last)
    }

    #[test]
    fn each_place_has_its_own_words() {
        let cases: [(&str, &[&str]); 16] = [
            ("ge", &["get"]),
            ("rollout st", &["status"]),
            ("get no", &["nodes"]),
            ("get nodes node-", &["node-1", "node-2", "node-3"]),
            ("get pods -n ku", &["kube-node-lease", "kube-public", "kube-system"]),
            (
                "get pods --namespace=ku",
                &[
                    "--namespace=kube-node-lease",
                    "--namespace=kube-public",
                    "--namespace=kube-system",
                ],
            ),
            ("get pods -o y", &["yaml"]),
            ("get pods -A -owi", &[]),
            ("-n kube-system get deploy core", &["coredns"]),
            ("apply -f ", &["web.yaml"]),
            ("drain node-1 --ig", &["--ignore-daemonsets"]),
            ("scale dep", &["deployments"]),
            ("explain pods.spec.hostN", &["pods.spec.hostNetwork"]),
            ("set image -n kube-system deployments/coredns ", &["coredns="]),
            ("port-forward -n kube-system service/kube-dns ", &["53", "9153"]),
            ("exec web -- ca", &[]),
        ];
        for (line, wanted) in cases {
            let found = offers(line);
            assert_eq!(found, wanted, "{line}");
        }
        let pods = offers("logs -n kube-system core");
        assert!(
            pods.len() == 2 && pods.iter().all(|name| name.starts_with("coredns-")),
            "{pods:?}"
        );
    }
}
