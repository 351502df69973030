//! `kubectl kuberc`: a person's preferences.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/kuberc/{view,set}.go.

use crate::api::Value;
use crate::api::error::go_quote;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::kuberc;
use crate::kubectl::output::{self, Objects, Printer};
use serde_json::json;

fn empty() -> Value {
    json!({
        "apiVersion": "kubectl.config.k8s.io/v1beta1", "kind": "Preference",
        "aliases": null, "defaults": null,
    })
}

fn save(call: &mut Call<'_>, path: &str, preference: &Value) -> Outcome {
    let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
    call.session.make_folder(folder);
    call.session.write(path, crate::manifest::to_yaml(preference));
    call.say(format!("Updated {path}"));
    Ok(())
}

/// `kubectl kuberc view`.
// Simplified: the answer to its question is what stands in the pipe.
pub(crate) fn view(call: &mut Call<'_>) -> Outcome {
    let printer = Printer::of(call, output::FORMATS)?.unwrap_or(Printer::Yaml);
    let (path, is_explicit) = kuberc::path(call.flags.get("kuberc"));
    let Some(text) = call.session.read(&path).map(str::to_owned) else {
        if is_explicit {
            return plain(format!("kuberc file not found at {path}"));
        }
        call.say(format!("kuberc file not found at {path}"));
        call.out.push_str(
            "Would you like to generate a default kuberc file with recommended options? (y/N): ",
        );
        let answer = call.stdin.unwrap_or_default().lines().next().unwrap_or_default();
        if !answer.eq_ignore_ascii_case("y") {
            return Ok(());
        }
        let option = |command: &str, name: &str| json!({"command": command, "options": [{"name": name, "default": "true"}]});
        let mut preference = empty();
        let all = [option("apply", "server-side"), option("delete", "interactive")];
        preference.put(&["defaults"], all.to_vec());
        return save(call, &path, &preference);
    };
    let mut preference = kuberc::read(&text)
        .map_err(|why| Failure::Plain(format!("error parsing kuberc file: {why}")))?;
    for list in ["aliases", "defaults"] {
        preference.put_default(&[list], json!([]));
    }
    call.print(&printer, &Objects::One(preference))
}

/// `kubectl kuberc set`.
pub(crate) fn set(call: &mut Call<'_>) -> Outcome {
    let (path, _) = kuberc::path(call.flags.get("kuberc"));
    check(call)?;
    let mut preference = match call.session.read(&path).map(str::to_owned) {
        Some(text) if !text.is_empty() => kuberc::read(&text)
            .map_err(|why| Failure::Plain(format!("error parsing kuberc file: {why}")))?,
        _ => empty(),
    };
    let options = options(call)?;
    match call.flags.text("section") {
        "credentialplugin" => set_plugin(call, &mut preference)?,
        section => {
            let section = section.to_owned();
            set_entry(call, &mut preference, &section, options)?;
        }
    }
    save(call, &path, &preference)
}

/// Models SetOptions.Validate.
fn check(call: &Call<'_>) -> Outcome {
    let (section, policy) = (call.flags.text("section"), call.flags.text("policy"));
    let has = |flag: &str| !call.flags.all(flag).is_empty();
    let (is_alias, is_default) = (section == "aliases", section == "defaults");
    let is_plugin = section == "credentialplugin";
    let named = call.flags.get("name").is_some();
    let wrong = format!(
        "--section must be \"defaults\", \"aliases\", or \"credentialplugin\", got: {section}"
    );
    let no_policy =
        format!(" --policy must be  \"AllowAll\", \"DenyAll\", or \"Allowlist\", got: {policy}");
    let is_open = matches!(policy, "AllowAll" | "DenyAll");
    let rules = [
        (!is_alias && !is_default && !is_plugin, wrong.as_str()),
        (is_alias && !named, "--name is required when --section=aliases"),
        (is_default && named, "--name should not be specified when --section=defaults"),
        (
            is_default && (has("prependarg") || has("appendarg")),
            "--prependarg and --appendarg are only valid for --section=aliases",
        ),
        (
            !is_plugin && call.flags.get("command").is_none(),
            "--command is required when --section=aliases or --section=defaults",
        ),
        (is_plugin && policy.is_empty(), "--policy is required when --section=credentialplugin"),
        (
            is_plugin && is_open && has("allowlist-entry"),
            "--allowlist-entry may only be used when --section=credentialplugin and --policy=Allowlist",
        ),
        (
            is_plugin && policy == "Allowlist" && !has("allowlist-entry"),
            "--allowlist-entry is required when --section=credentialplugin and --policy=Allowlist",
        ),
        (is_plugin && !is_open && policy != "Allowlist", no_policy.as_str()),
    ];
    rules.into_iter().find(|(broken, _)| *broken).map_or(Ok(()), |(_, why)| plain(why))
}

/// `--option=FLAG=VALUE`.
fn options(call: &Call<'_>) -> Result<Vec<Value>, Failure> {
    let one = |text: &String| match text.split_once('=') {
        Some((name, value)) => Ok(json!({"name": name.trim_start_matches('-'), "default": value})),
        None => plain(format!("invalid option format {}, expected flag=value", go_quote(text))),
    };
    call.flags.all("option").iter().map(one).collect()
}

/// Models setDefaults and setAlias.
fn set_entry(
    call: &Call<'_>,
    preference: &mut Value,
    section: &str,
    options: Vec<Value>,
) -> Outcome {
    let command = call.flags.text("command");
    let (key, name) = match section {
        "aliases" => ("name", call.flags.text("name")),
        _ => ("command", command),
    };
    let mut all = preference.items_at(&[section]).to_vec();
    let found = all.iter().position(|entry| entry.str_at(&[key]) == Some(name));
    if found.is_some() && !call.flags.on("overwrite") {
        let name = go_quote(name);
        return plain(match section {
            "aliases" => format!("alias {name} already exists, use --overwrite to replace"),
            _ => format!("defaults for command {name} already exist, use --overwrite to replace"),
        });
    }
    let mut entry = found.and_then(|at| all.get(at)).cloned().unwrap_or_else(|| json!({}));
    entry.put(&[key], name);
    entry.put(&["command"], command);
    if !options.is_empty() {
        entry.put(&["options"], options);
    } else if section == "defaults" && entry.get("options").is_none() {
        entry.put(&["options"], Value::Null);
    }
    for (flag, field) in [("prependarg", "prependArgs"), ("appendarg", "appendArgs")] {
        let texts = call.flags.all(flag).to_vec();
        if !texts.is_empty() {
            entry.put(&[field], texts);
        }
    }
    match found.and_then(|at| all.get_mut(at)) {
        Some(old) => *old = entry,
        None => all.push(entry),
    }
    preference.put(&[section], all);
    Ok(())
}

/// Models setCredentialPlugin and getAllowlistEntries.
fn set_plugin(call: &Call<'_>, preference: &mut Value) -> Outcome {
    let policy = call.flags.text("policy");
    if policy == "Allowlist" {
        let mut entries = Vec::new();
        let mut failures = Vec::new();
        for pair in call.flags.list("allowlist-entry") {
            match pair.split_once('=') {
                None => failures
                    .push(format!("improperly formatted allowlist entry: {}", go_quote(&pair))),
                Some(("name", _)) => failures.push(
                    "allowlist entry field \"name\" is deprecated, use \"command\" instead"
                        .to_owned(),
                ),
                Some(("command", value)) if value.trim().is_empty() => {
                    failures.push("empty value in allowlist entry for field \"command\"".to_owned())
                }
                Some(("command", value)) => entries.push(json!({"command": value})),
                Some((field, _)) => failures
                    .push(format!("unrecognized allowlist entry field: {}", go_quote(field))),
            }
        }
        match failures.as_slice() {
            [] => preference.put(&["credentialPluginAllowlist"], entries),
            [one] => return plain(one),
            many => return plain(format!("[{}]", many.join(", "))),
        }
    }
    preference.put(&["credentialPluginPolicy"], policy);
    Ok(())
}
