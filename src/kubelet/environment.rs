//! What a container's processes begin with: their environment, their words, their folder.
//!
//! Models pkg/kubelet/kubelet_pods.go makeEnvironmentVariables and pkg/kubelet/envvars.

use crate::api::pod::quantity_of;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::container::Command;
use crate::store::Store;
use std::sync::Arc;

/// The usual search path.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A pod's container, and where its facts come from.
#[derive(Clone, Copy)]
pub struct Within<'a> {
    /// The API.
    pub api: &'a Store,
    /// The pod.
    pub pod: &'a Object,
    /// The container as the API has it.
    pub container: &'a Value,
    /// The config maps and secrets as they were when the container started; others are as they are
    /// now.
    pub references: &'a [Arc<Object>],
}

/// The container of a number, as the API has it: init containers first, then the others, those that
/// were added to look around last.
pub fn container_tree(pod: &Object, place: usize) -> Option<&Value> {
    let tree = &pod.pod()?.spec.tree;
    let lists = ["initContainers", "containers", "ephemeralContainers"].into_iter();
    lists.flat_map(|list| tree.items_at(&[list])).nth(place)
}

/// The name of a pod's machine.
pub fn host_name(pod: &Object) -> String {
    let given = pod.pod().and_then(|it| it.spec.tree.str_at(&["hostname"]));
    let given = given.filter(|name| !name.is_empty());
    // A longer name is cut.
    given.unwrap_or(&pod.meta.name).chars().take(63).collect()
}

/// The text of a key of a config map or a secret.
pub(super) fn text_of(object: &Object, key: &str) -> Option<String> {
    let value = object.content().str_at(&["data", key])?;
    if object.kind != Kind::Secret {
        return Some(value.to_owned());
    }
    let bytes = data_encoding::BASE64.decode(value.as_bytes()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// All keys of a config map or a secret.
pub(super) fn keys_of(object: &Object) -> impl Iterator<Item = &String> {
    object.content().fields_at(&["data"]).into_iter().flat_map(|data| data.keys())
}

/// The config maps and secrets that a container's environment is made from: kind, name, key, and
/// whether it starts without.
pub(super) fn references(container: &Value) -> Vec<(Kind, String, Option<String>, bool)> {
    let mut all = Vec::new();
    let mut note = |kind, reference: Option<&Value>| {
        if let Some(reference) = reference
            && let Some(name) = reference.str_at(&["name"])
        {
            let key = reference.str_at(&["key"]).map(str::to_owned);
            let optional = reference.bool_at(&["optional"]) == Some(true);
            all.push((kind, name.to_owned(), key, optional));
        }
    };
    for source in container.items_at(&["envFrom"]) {
        note(Kind::ConfigMap, source.at(&["configMapRef"]));
        note(Kind::Secret, source.at(&["secretRef"]));
    }
    for variable in container.items_at(&["env"]) {
        note(Kind::ConfigMap, variable.at(&["valueFrom", "configMapKeyRef"]));
        note(Kind::Secret, variable.at(&["valueFrom", "secretKeyRef"]));
    }
    all
}

impl Within<'_> {
    fn find(&self, kind: Kind, name: &str) -> Option<&Arc<Object>> {
        let kept = self.references.iter().find(|it| it.kind == kind && *it.meta.name == *name);
        kept.or_else(|| self.api.find(kind, &self.pod.meta.namespace, name))
    }

    /// The variables, in the order that they are set.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut own = self.declared();
        let links = self.service_links();
        own.extend(
            links.into_iter().filter(|(name, _)| find(&own, name).is_none()).collect::<Vec<_>>(),
        );
        let mut all = vec![
            ("PATH".to_owned(), PATH.to_owned()),
            ("HOSTNAME".to_owned(), host_name(self.pod)),
        ];
        for (name, text) in own {
            set(&mut all, name, text);
        }
        if find(&all, "HOME").is_none() {
            all.push(("HOME".to_owned(), "/root".to_owned()));
        }
        all
    }

    /// What `envFrom` and `env` say.
    fn declared(&self) -> Vec<(String, String)> {
        let mut own = Vec::new();
        for source in self.container.items_at(&["envFrom"]) {
            let prefix = source.str_at(&["prefix"]).unwrap_or_default();
            for (field, kind) in [("configMapRef", Kind::ConfigMap), ("secretRef", Kind::Secret)] {
                let name = source.str_at(&[field, "name"]);
                let Some(object) = name.and_then(|name| self.find(kind, name)) else { continue };
                for key in keys_of(object) {
                    let text = text_of(object, key).unwrap_or_default();
                    set(&mut own, format!("{prefix}{key}"), text);
                }
            }
        }
        let links = self.service_links();
        for variable in self.container.items_at(&["env"]) {
            let name = variable.str_at(&["name"]).unwrap_or_default().to_owned();
            let text = match variable.str_at(&["value"]).filter(|text| !text.is_empty()) {
                Some(text) => Some(expand(text, |name| {
                    find(&own, name).or_else(|| find(&links, name)).map(str::to_owned)
                })),
                None => match variable.at(&["valueFrom"]) {
                    Some(source) => self.value_from(source),
                    None => Some(String::new()),
                },
            };
            if let Some(text) = text {
                set(&mut own, name, text);
            }
        }
        own
    }

    fn value_from(&self, source: &Value) -> Option<String> {
        for (field, kind) in [("configMapKeyRef", Kind::ConfigMap), ("secretKeyRef", Kind::Secret)]
        {
            if let Some(reference) = source.at(&[field]) {
                let object = self.find(kind, reference.str_at(&["name"])?)?;
                return text_of(object, reference.str_at(&["key"])?);
            }
        }
        if let Some(path) = source.str_at(&["fieldRef", "fieldPath"]) {
            return Some(field_of(self.pod, path));
        }
        source.at(&["resourceFieldRef"]).map(|reference| self.resource(reference))
    }

    /// Models pkg/api/v1/resource/helpers.go ExtractContainerResourceValue.
    pub fn resource(&self, reference: &Value) -> String {
        let path = reference.str_at(&["resource"]).unwrap_or_default();
        let (list, resource) = path.split_once('.').unwrap_or((path, ""));
        let container = match reference.str_at(&["containerName"]) {
            Some(name) => {
                let tree = self.pod.pod().map(|pod| &pod.spec.tree);
                let all = tree.into_iter().flat_map(|tree| tree.items_at(&["containers"]));
                all.into_iter()
                    .find(|it| it.str_at(&["name"]) == Some(name))
                    .unwrap_or(self.container)
            }
            None => self.container,
        };
        let amount = |list: &str| container.at(&["resources", list, resource]);
        let node = self.pod.pod().and_then(|pod| pod.node_name.clone()).unwrap_or_default();
        let node = self.api.find(Kind::Node, "", &node);
        let own = amount(list).or_else(|| amount(if list == "limits" { list } else { "limits" }));
        let of_node = node.and_then(|node| node.status().at(&["allocatable", resource]));
        let value = if list == "limits" { own.or(of_node) } else { amount(list) };
        let divisor = reference.at(&["divisor"]).and_then(quantity_of);
        let milli =
            |value: Option<&Value>| value.and_then(quantity_of).map_or(0, |it| it.milli_value());
        let divisor = divisor.map_or(1000, |it| it.milli_value()).max(1);
        // Parts count as wholes.
        (milli(value).saturating_add(divisor - 1) / divisor).to_string()
    }

    /// The addresses of the Services that were there before the pod started.
    ///
    /// Models pkg/kubelet/kubelet_pods.go getServiceEnvVarMap.
    fn service_links(&self) -> Vec<(String, String)> {
        let namespace = &*self.pod.meta.namespace;
        let pod = self.pod.pod();
        let links =
            pod.and_then(|pod| pod.spec.tree.bool_at(&["enableServiceLinks"])).unwrap_or(true);
        let started = pod.and_then(|pod| pod.status.start_time);
        let own = self.api.list_in(Kind::Service, namespace).filter(|service| {
            links && started.is_some_and(|started| service.meta.creation_timestamp <= started)
        });
        let api_server = self
            .api
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

    /// The command of words that run in the container.
    pub fn command(&self, words: Vec<String>, input: Option<String>) -> Command {
        let folder = self.container.str_at(&["workingDir"]).filter(|folder| !folder.is_empty());
        Command {
            words,
            variables: self.environment(),
            folder: folder.unwrap_or("/").to_owned(),
            input,
            at_terminal: false,
        }
    }

    /// The words of the container's first process; whether they are more than arguments to the
    /// image's own.
    ///
    /// Models pkg/kubelet/container/helpers.go ExpandContainerCommandAndArgs.
    pub fn words(&self) -> (Vec<String>, bool) {
        let command = self.container.items_at(&["command"]);
        let words = command.iter().chain(self.container.items_at(&["args"]));
        let words = words.filter_map(Value::as_str);
        let has_variables = words.clone().any(|word| word.contains("$("));
        let all = if has_variables { self.environment() } else { Vec::new() };
        let fill = |word: &str| expand(word, |name| find(&all, name).map(str::to_owned));
        (words.map(fill).collect(), !command.is_empty())
    }
}

fn find<'a>(all: &'a [(String, String)], name: &str) -> Option<&'a str> {
    all.iter().find(|(own, _)| own == name).map(|(_, text)| text.as_str())
}

fn set(all: &mut Vec<(String, String)>, name: String, text: String) {
    match all.iter_mut().find(|(own, _)| *own == name) {
        Some((_, own)) => *own = text,
        None => all.push((name, text)),
    }
}

/// Fills in `$(NAME)`; `$$` is a dollar, and what is not known stays.
///
/// Models third_party/forked/golang/expansion/expand.go Expand.
fn expand(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = after.get(1..).unwrap_or_default();
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, behind)) =
            after.strip_prefix('(').and_then(|after| after.split_once(')'))
        {
            match value(name) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = behind;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// A field of a pod that it may ask for: `metadata.labels['app']`, `status.podIP`.
///
/// Models pkg/kubelet/kubelet_pods.go podFieldSelectorRuntimeValue and
/// pkg/fieldpath/fieldpath.go ExtractFieldPathAsString.
pub(super) fn field_of(object: &Object, path: &str) -> String {
    let Some(pod) = object.pod() else { return String::new() };
    let meta = &object.meta;
    let ip = |ip: Option<core::net::Ipv4Addr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
    let subscript = |path: &str| {
        let key = path.split_once("['")?.1.strip_suffix("']")?;
        Some(key.to_owned())
    };
    let list = |map: &crate::api::StringMap| {
        let lines =
            map.iter().map(|(key, value)| format!("{key}={}", crate::api::error::go_quote(value)));
        lines.collect::<Vec<_>>().join("\n")
    };
    match path {
        "metadata.name" => meta.name.to_string(),
        "metadata.namespace" => meta.namespace.to_string(),
        "metadata.uid" => meta.uid.to_string(),
        "metadata.labels" => list(&meta.labels),
        "metadata.annotations" => list(&meta.annotations),
        "spec.nodeName" => pod.node_name.as_deref().unwrap_or_default().to_owned(),
        "spec.serviceAccountName" => {
            pod.spec.tree.str_at(&["serviceAccountName"]).unwrap_or_default().to_owned()
        }
        "status.hostIP" | "status.hostIPs" => ip(pod.status.host_ip),
        "status.podIP" | "status.podIPs" => ip(pod.status.pod_ip),
        path if path.starts_with("metadata.labels[") => subscript(path)
            .and_then(|key| meta.labels.get(&key).map(str::to_owned))
            .unwrap_or_default(),
        path if path.starts_with("metadata.annotations[") => subscript(path)
            .and_then(|key| meta.annotations.get(&key).map(str::to_owned))
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// Models pkg/kubelet/envvars/envvars.go FromServices.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_in_parentheses_are_filled_in_once() {
        let value = |name: &str| (name == "A").then(|| "x$(A)".to_owned());
        for (text, expected) in [
            ("$(A)-$(B)", "x$(A)-$(B)"),
            ("$$(A) $A $", "$(A) $A $"),
            ("$(A", "$(A"),
            ("plain", "plain"),
        ] {
            assert_eq!(expand(text, value), expected, "{text}");
        }
    }
}
