//! What the cluster is and knows: api-resources, versions, cluster-info, auth, top.

use crate::api::Kind;
use crate::base::order;
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Outcome, plain};
use crate::kubectl::flags::Takes;
use crate::kubectl::output::{self, Objects, Printer};
use crate::kubectl::tabwriter::align;
use crate::kubectl::{resources, verbs};
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
pub(crate) fn top(_call: &mut Call<'_>) -> Outcome {
    plain("Metrics API not available")
}

/// `kubectl options`.
pub(crate) fn options(call: &mut Call<'_>) -> Outcome {
    call.say("The following options can be passed to any command:\n");
    for flag in verbs::GLOBAL {
        let letter = flag.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let default = if flag.takes == Takes::Nothing {
            "false".to_owned()
        } else {
            format!("'{}'", flag.default)
        };
        call.say(format!("    {letter}--{}={default}:\n        {}\n", flag.name, flag.help));
    }
    Ok(())
}

/// `kubectl auth can-i`: the console is the administrator's.
// Simplified: requests are not authorized, so everybody may do everything.
pub(crate) fn can_i(call: &mut Call<'_>) -> Outcome {
    if call.flags.on("list") {
        call.say("Resources   Non-Resource URLs   Resource Names   Verbs\n*.*         []                  []               [*]\n            [*]                 []               [*]");
        return Ok(());
    }
    let [_verb, resource, ..] = call.args.as_slice() else {
        return plain(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        );
    };
    let word = resource.split('/').next().unwrap_or_default().to_owned();
    match resources::kind_of(&word) {
        Ok(kind) if !kind.namespaced() => {
            call.warn(format!("Warning: resource '{}' is not namespace scoped\n", kind.plural()));
        }
        Err(_) if word != "*" => {
            call.warn(format!("Warning: the server doesn't have a resource type '{word}'\n"));
        }
        _ => {}
    }
    if !call.flags.on("quiet") {
        call.say("yes");
    }
    Ok(())
}

/// `kubectl auth whoami`.
pub(crate) fn who_am_i(call: &mut Call<'_>) -> Outcome {
    let text = "ATTRIBUTE\tVALUE\nUsername\tkubernetes-admin\nGroups\t[kubeadm:cluster-admins system:authenticated]\n";
    call.out.push_str(&align(text, 6, 3));
    Ok(())
}
