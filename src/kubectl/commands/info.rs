//! What the cluster is and knows: api-resources, versions, cluster-info, auth, top.

use super::create::{PATH_VERBS, VERBS};
use crate::api::Kind;
use crate::base::order;
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Outcome, plain};
use crate::kubectl::flags::{Of, Takes};
use crate::kubectl::output::{self, Objects, Printer};
use crate::kubectl::tabwriter::align;
use crate::kubectl::verbs;
use serde_json::json;
use std::collections::BTreeSet;

/// The version of Kubernetes that this models.
const VERSION: &str = "v1.36.2";

/// `kubectl api-resources`.
pub(crate) fn api_resources(call: &mut Call<'_>) -> Outcome {
    let mut kinds: Vec<Kind> = Kind::all().collect();
    if call.flags.given("api-group") {
        let group = call.flags.text("api-group");
        kinds.retain(|kind| kind.resource().group == group);
    }
    if call.flags.given("namespaced") {
        let wanted = call.flags.on("namespaced");
        kinds.retain(|kind| kind.namespaced() == wanted);
    }
    order::sort_by_key(&mut kinds, |kind| match call.flags.text("sort-by") {
        "kind" => (kind.name(), ""),
        _ => (kind.resource().group, kind.plural()),
    });
    if call.flags.text("output") == "name" {
        let mut names: Vec<String> = kinds.iter().map(|kind| kind.group_resource()).collect();
        order::sort(&mut names);
        names.iter().for_each(|name| call.say(name));
        return Ok(());
    }
    let wide = call.flags.text("output") == "wide";
    let mut text = String::new();
    if !call.flags.on("no-headers") {
        text.push_str("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        text.push_str(if wide { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for kind in kinds {
        let resource = kind.resource();
        let short = resource.short_names.join(",");
        let (name, version) = (resource.plural, kind.api_version());
        text.push_str(&format!(
            "{name}\t{short}\t{version}\t{}\t{}",
            resource.namespaced, resource.name
        ));
        if wide {
            let verbs = "create,delete,deletecollection,get,list,patch,update,watch";
            let categories = if resource.in_all { "all" } else { "" };
            text.push_str(&format!("\t{verbs}\t{categories}"));
        }
        text.push('\n');
    }
    call.out.push_str(&align(&text, 6, 3));
    Ok(())
}

/// `kubectl api-versions`.
pub(crate) fn api_versions(call: &mut Call<'_>) -> Outcome {
    if !call.args.is_empty() {
        return call.usage(&format!("unexpected arguments: [{}]", call.args.join(" ")));
    }
    let versions: BTreeSet<String> = Kind::all().map(Kind::api_version).collect();
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

/// `kubectl auth can-i`: the console is the administrator's.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/auth/cani.go.
// Simplified: requests are not authorized, so everybody may do everything.
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
    if !call.flags.on("quiet") {
        call.say("yes");
    }
    Ok(())
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
