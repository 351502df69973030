//! `kubectl config`: one cluster, one context, and the namespace it stands in.

use crate::api::tree::TreeMut as _;
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Outcome, plain};
use crate::kubectl::output::{self, Objects, Printer};
use crate::kubectl::tabwriter::align;
use serde_json::json;

const CONTEXT: &str = "diorama";

/// `kubectl config current-context`.
pub(crate) fn current_context(call: &mut Call<'_>) -> Outcome {
    call.say(CONTEXT);
    Ok(())
}

/// `kubectl config get-contexts`.
pub(crate) fn get_contexts(call: &mut Call<'_>) -> Outcome {
    if call.flags.text("output") == "name" {
        call.say(CONTEXT);
        return Ok(());
    }
    let mut text = String::new();
    if !call.flags.on("no-headers") {
        text.push_str("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
    }
    let namespace = if call.session.namespace == "default" { "" } else { &call.session.namespace };
    text.push_str(&format!("*\t{CONTEXT}\t{CONTEXT}\t{CONTEXT}\t{namespace}\n"));
    call.out.push_str(&align(&text, 6, 3));
    Ok(())
}

/// `kubectl config set-context --current --namespace=shop`.
pub(crate) fn set_context(call: &mut Call<'_>) -> Outcome {
    let named = call.args.first().cloned();
    match (named.as_deref(), call.flags.on("current")) {
        (None, true) | (Some(CONTEXT), false) => {}
        (None, false) => return plain("you must specify a non-empty context name or --current"),
        (Some(_), true) => return plain("you cannot specify both a context name and --current"),
        (Some(other), false) => {
            return plain(format!("this console has one context, {CONTEXT}, not {other}"));
        }
    }
    if let Some(namespace) = call.flags.get("namespace") {
        call.session.namespace = namespace.to_owned();
    }
    call.say(format!("Context \"{CONTEXT}\" modified."));
    Ok(())
}

/// `kubectl config use-context`.
pub(crate) fn use_context(call: &mut Call<'_>) -> Outcome {
    match call.args.first().map(String::as_str) {
        Some(CONTEXT) => {
            call.say(format!("Switched to context \"{CONTEXT}\"."));
            Ok(())
        }
        Some(other) => plain(format!("no context exists with the name: \"{other}\"")),
        None => plain("context name is required"),
    }
}

/// `kubectl config get-clusters`.
pub(crate) fn get_clusters(call: &mut Call<'_>) -> Outcome {
    call.say("NAME");
    call.say(CONTEXT);
    Ok(())
}

/// `kubectl config view`.
pub(crate) fn view(call: &mut Call<'_>) -> Outcome {
    let mut context = json!({"cluster": CONTEXT, "user": CONTEXT});
    if call.session.namespace != "default" {
        context.put(&["namespace"], call.session.namespace.clone());
    }
    let value = json!({
        "apiVersion": "v1",
        "clusters": [{"cluster": {
            "certificate-authority-data": "DATA+OMITTED", "server": "https://172.18.0.2:6443",
        }, "name": CONTEXT}],
        "contexts": [{"context": context, "name": CONTEXT}],
        "current-context": CONTEXT,
        "kind": "Config",
        "users": [{"name": CONTEXT, "user": {
            "client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED",
        }}],
    });
    if call.flags.text("output").is_empty() {
        call.say_yaml(&value);
        return Ok(());
    }
    let printer = Printer::of(call, output::FORMATS)?.unwrap_or(Printer::Yaml);
    call.print(&printer, &Objects::One(value))
}
