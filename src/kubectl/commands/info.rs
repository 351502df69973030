//! What the cluster is and knows: api-resources, versions, cluster-info, auth, top.

use super::create::{PATH_VERBS, VERBS};
use crate::api::resource::{Resource, SECOND_EVENTS};
use crate::api::tree::TreeMut as _;
use crate::api::{Kind, Value, conversion};
use crate::base::order;
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::flags::{Of, Takes};
use crate::kubectl::output::{self, Objects, Printer};
use crate::kubectl::tabwriter::align;
use crate::kubectl::verbs;
use crate::world::Attributes;
use serde_json::json;
use std::collections::BTreeSet;

/// The version of Kubernetes that this models.
const VERSION: &str = "v1.36.2";

/// `kubectl api-resources`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/apiresources/apiresources.go.
pub(crate) fn api_resources(call: &mut Call<'_>) -> Outcome {
    if !call.args.is_empty() {
        return call.usage(&format!("unexpected arguments: [{}]", call.args.join(" ")));
    }
    let output = call.flags.text("output").to_owned();
    if !["", "wide", "name", "json", "yaml", "kyaml"].contains(&output.as_str()) {
        return plain(format!(
            "unable to match a printer suitable for the output format \"{output}\", allowed formats are: json,kyaml,name,wide,yaml"
        ));
    }
    let sorting = call.flags.text("sort-by").to_owned();
    if !["", "name", "kind"].contains(&sorting.as_str()) {
        return plain("--sort-by accepts only name or kind");
    }
    let mut all = listed(call);
    order::sort_by_key(&mut all, |resource| match sorting.as_str() {
        "name" => (resource.plural, ""),
        "kind" => (resource.name, ""),
        _ => (resource.group, resource.plural),
    });
    match output.as_str() {
        "name" => {
            let mut names: Vec<String> =
                all.iter().map(|one| grouped(one.plural, one.group)).collect();
            if sorting.is_empty() {
                order::sort(&mut names);
            }
            names.iter().for_each(|name| call.say(name));
        }
        "" | "wide" => {
            let text = resource_lines(&all, output == "wide", call.flags.on("no-headers"));
            call.out.push_str(&align(&text, 6, 3));
        }
        _ => {
            let printer = Printer::of(call, output::FORMATS)?.unwrap_or(Printer::Yaml);
            let list: Vec<Value> = all.into_iter().map(resource_value).collect();
            let value = json!({
                "apiVersion": "v1", "groupVersion": "", "kind": "APIResourceList",
                "resources": list,
            });
            return call.print(&printer, &Objects::One(value));
        }
    }
    Ok(())
}

/// The kinds that the API server has, and that the flags choose.
fn listed(call: &Call<'_>) -> Vec<&'static Resource> {
    let kinds = Kind::all().chain(Kind::asked_only());
    let served = kinds.filter(|kind| call.world.store().serves(*kind));
    let mut all: Vec<&'static Resource> = served.map(Kind::resource).collect();
    all.push(&SECOND_EVENTS);
    if call.flags.given("api-group") {
        let group = call.flags.text("api-group");
        all.retain(|resource| resource.group == group);
    }
    if call.flags.given("namespaced") {
        let wanted = call.flags.on("namespaced");
        all.retain(|resource| resource.namespaced == wanted);
    }
    let (verbs, categories) = (call.flags.list("verbs"), call.flags.list("categories"));
    all.retain(|resource| {
        verbs.iter().all(|verb| resource.has_verb(verb))
            && categories.iter().all(|name| resource.categories.contains(&name.as_str()))
    });
    all
}

fn grouped(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

fn version_of(resource: &Resource) -> String {
    let Resource { group, version, .. } = resource;
    if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") }
}

fn resource_lines(all: &[&Resource], wide: bool, no_headers: bool) -> String {
    let mut text = String::new();
    if !no_headers {
        text.push_str("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        text.push_str(if wide { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for one in all {
        let (short, version) = (one.short_names.join(","), version_of(one));
        let (name, kind, namespaced) = (one.plural, one.name, one.namespaced);
        text.push_str(&format!("{name}\t{short}\t{version}\t{namespaced}\t{kind}"));
        if wide {
            text.push_str(&format!("\t{}\t{}", one.verbs, one.categories.join(",")));
        }
        text.push('\n');
    }
    text
}

fn resource_value(resource: &Resource) -> Value {
    let mut value = json!({
        "name": resource.plural, "singularName": resource.singular, "kind": resource.name,
        "namespaced": resource.namespaced, "version": resource.version,
        "verbs": resource.verbs.split(',').collect::<Vec<_>>(),
    });
    for (key, list) in [("shortNames", resource.short_names), ("categories", resource.categories)] {
        if !list.is_empty() {
            value.put(&[key], list.iter().map(|one| Value::from(*one)).collect::<Vec<_>>());
        }
    }
    if !resource.group.is_empty() {
        value.put(&["group"], resource.group);
    }
    value
}

/// `kubectl api-versions`.
pub(crate) fn api_versions(call: &mut Call<'_>) -> Outcome {
    if !call.args.is_empty() {
        return call.usage(&format!("unexpected arguments: [{}]", call.args.join(" ")));
    }
    let kinds = Kind::all().chain(Kind::asked_only());
    let served = kinds.filter(|kind| call.world.store().serves(*kind));
    let mut versions: BTreeSet<String> = served.map(Kind::api_version).collect();
    versions.extend(conversion::built_in_versions().map(str::to_owned));
    for version in versions {
        call.say(version);
    }
    Ok(())
}

/// `kubectl cluster-info`.
pub(crate) fn cluster_info(call: &mut Call<'_>) -> Outcome {
    call.say("Kubernetes control plane is running at https://172.18.0.2:6443");
    if call.world.find(Kind::Service, "kube-system", "kube-dns").is_some() {
        call.say("CoreDNS is running at https://172.18.0.2:6443/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy");
    }
    call.say("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    Ok(())
}

/// `kubectl version`.
pub(crate) fn version(call: &mut Call<'_>) -> Outcome {
    if !call.args.is_empty() {
        return plain(format!("extra arguments: [{}]", call.args.join(" ")));
    }
    if !matches!(call.flags.text("output"), "" | "json" | "yaml") {
        return plain("--output must be 'yaml' or 'json'");
    }
    if !call.flags.text("output").is_empty() {
        let one =
            json!({"major": "1", "minor": "36", "gitVersion": VERSION, "platform": "linux/amd64"});
        let value =
            json!({"clientVersion": one, "kustomizeVersion": "v5.8.1", "serverVersion": one});
        let printer = Printer::of(call, output::FORMATS)?.unwrap_or(Printer::Yaml);
        return call.print(&printer, &Objects::One(value));
    }
    call.say(format!("Client Version: {VERSION}"));
    call.say("Kustomize Version: v5.8.1");
    if !call.flags.on("client") {
        call.say(format!("Server Version: {VERSION}"));
    }
    Ok(())
}

/// `kubectl top`: nobody measures in this cluster.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/top/top_pod.go and top_node.go.
pub(crate) fn top(call: &mut Call<'_>) -> Outcome {
    let selects = call.flags.get("selector").is_some();
    match call.args.as_slice() {
        [] | [_] => {}
        _ => {
            let own = call.verb.path.strip_prefix("top ").unwrap_or_default();
            return call.usage(&format!("{own} {}", call.verb.usage));
        }
    }
    if !matches!(call.flags.text("sort-by"), "" | "cpu" | "memory") {
        return plain("--sort-by accepts only cpu or memory");
    }
    if selects && !call.args.is_empty() {
        return plain(match call.verb.path {
            "top node" => "only one of NAME or --selector can be provided",
            _ => "only one of NAME or selector can be provided",
        });
    }
    plain("Metrics API not available")
}

/// `kubectl options`.
pub(crate) fn options(call: &mut Call<'_>) -> Outcome {
    call.say("The following options can be passed to any command:\n");
    for flag in verbs::GLOBAL {
        let letter = flag.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let default = match (flag.takes, flag.of) {
            (Takes::Nothing, _) => "false".to_owned(),
            (_, Of::List) => "[]".to_owned(),
            _ => format!("'{}'", flag.default),
        };
        call.say(format!("    {letter}--{}={default}:\n        {}\n", flag.name, flag.help));
    }
    Ok(())
}

/// `kubectl auth can-i`: the console is the administrator's, who may do everything; with `--as`
/// roles decide.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/auth/cani.go.
pub(crate) fn can_i(call: &mut Call<'_>) -> Outcome {
    let on = |flag| call.flags.on(flag);
    let (all, sub) = (call.all_namespaces(), call.flags.get("subresource").is_some());
    if on("list") {
        if !call.args.is_empty() {
            return plain("list option must be specified with no arguments");
        }
        if on("quiet") || all || sub {
            return plain(
                "list option can't be specified with neither quiet, all-namespaces nor subresource options",
            );
        }
        if !on("no-headers") {
            call.say("Resources   Non-Resource URLs   Resource Names   Verbs");
        }
        call.say("*.*         []                  []               [*]\n            [*]                 []               [*]");
        return Ok(());
    }
    let [verb, resource] = call.args.clone().try_into().or_else(|_| {
        plain(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        )
    })?;
    let mut warnings = Vec::new();
    let unknown_verb = format!("verb '{verb}' is not a known verb");
    if resource.starts_with('/') {
        if sub {
            return plain("--subresource can not be used with NonResourceURL");
        }
        warnings.extend((!PATH_VERBS.contains(&verb.as_str())).then_some(unknown_verb));
    } else {
        let word = resource.split('/').next().unwrap_or_default();
        let (name, group) = word.split_once('.').unwrap_or((word, ""));
        let in_group = |group: &str| match group {
            "" => String::new(),
            group => format!(" in group '{group}'"),
        };
        match Kind::of_word(word) {
            Some(kind) if !kind.namespaced() && !all => {
                let group = in_group(kind.resource().group);
                let name = kind.plural();
                warnings.push(format!("resource '{name}' is not namespace scoped{group}"));
            }
            None if name != "*" => warnings.push(format!(
                "the server doesn't have a resource type '{name}'{}",
                in_group(group)
            )),
            _ => {}
        }
        warnings.extend((!VERBS.contains(&verb.as_str()) && !all).then_some(unknown_verb));
    }
    for warning in warnings {
        call.warn(format!("Warning: {warning}\n"));
    }
    if call.flags.given("no-headers") {
        return plain("--no-headers cannot be set without --list specified");
    }
    let is_allowed = may(call, &verb, &resource);
    if !call.flags.on("quiet") {
        call.say(if is_allowed { "yes" } else { "no" });
    }
    if is_allowed { Ok(()) } else { Err(Failure::Silent(1)) }
}

/// Whether whoever `--as` names may do something to `TYPE`, `TYPE/NAME` or a path.
fn may(call: &Call<'_>, verb: &str, resource: &str) -> bool {
    let Some(user) = call.flags.get("as") else { return true };
    let groups = call.flags.all("as-group");
    if resource.starts_with('/') {
        let asked = Attributes { verb, path: resource, ..Attributes::default() };
        return call.world.may(user, groups, &asked);
    }
    let (word, name) = resource.split_once('/').unwrap_or((resource, ""));
    let kind = call.world.store().kind_of_word(word);
    let (bare, group) = word.split_once('.').unwrap_or((word, ""));
    let group = kind.map_or(group, |kind| kind.resource().group);
    let plural = kind.map_or(bare, |kind| kind.plural());
    let below = call.flags.text("subresource");
    let resource = if below.is_empty() { plural.to_owned() } else { format!("{plural}/{below}") };
    let is_inside = kind.is_none_or(|kind| kind.namespaced()) && !call.all_namespaces();
    let namespace = if is_inside { call.namespace() } else { String::new() };
    let asked =
        Attributes { verb, group, resource: &resource, namespace: &namespace, name, path: "" };
    call.world.may(user, groups, &asked)
}

/// `kubectl auth whoami`.
pub(crate) fn who_am_i(call: &mut Call<'_>) -> Outcome {
    let printer = Printer::of(call, output::FORMATS)?;
    let asked = call.flags.get("as").map(str::to_owned);
    let mut groups = call.flags.all("as-group").to_vec();
    let account = asked.as_deref().and_then(|user| user.strip_prefix("system:serviceaccount:"));
    if let (Some((namespace, _)), true) =
        (account.and_then(|account| account.split_once(':')), groups.is_empty())
    {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    if asked.is_none() {
        groups = vec!["kubeadm:cluster-admins".to_owned()];
    }
    groups.push("system:authenticated".to_owned());
    let user = asked.unwrap_or_else(|| "kubernetes-admin".to_owned());
    let Some(printer) = printer else {
        let groups = groups.join(" ");
        let text = format!("ATTRIBUTE\tVALUE\nUsername\t{user}\nGroups\t[{groups}]\n");
        call.out.push_str(&align(&text, 6, 3));
        return Ok(());
    };
    let value = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
        "metadata": {"creationTimestamp": call.world.now().rfc3339()},
        "status": {"userInfo": {"groups": groups, "username": user}},
    });
    call.print(&printer, &Objects::One(value))
}
