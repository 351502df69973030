//! `kubectl create role`, `clusterrole`, their bindings, and `serviceaccount`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/create/create_role.go, create_clusterrole.go,
//! create_rolebinding.go, create_clusterrolebinding.go and create_serviceaccount.go.

use super::{begin_named, finish, named};
use crate::api::tree::TreeMut as _;
use crate::api::{Kind, Value};
use crate::base::order;
use crate::kubectl::call::Call;
use crate::kubectl::commands::run::labels;
use crate::kubectl::failure::{Failure, Outcome, plain};
use serde_json::json;

const GROUP: &str = "rbac.authorization.k8s.io";

/// The verbs that requests for objects have.
pub(in crate::kubectl::commands) const VERBS: [&str; 14] = [
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
];
/// The verbs that requests for other paths have.
pub(in crate::kubectl::commands) const PATH_VERBS: [&str; 8] =
    ["*", "get", "post", "put", "delete", "patch", "head", "options"];

/// What only some resources can be done to: the verb, the group, the resource.
const SPECIAL: [(&str, &str, &str); 10] = [
    ("use", "policy", "podsecuritypolicies"),
    ("use", "extensions", "podsecuritypolicies"),
    ("bind", GROUP, "roles"),
    ("bind", GROUP, "clusterroles"),
    ("escalate", GROUP, "roles"),
    ("escalate", GROUP, "clusterroles"),
    ("impersonate", "", "users"),
    ("impersonate", "", "serviceaccounts"),
    ("impersonate", "", "groups"),
    ("impersonate", "authentication.k8s.io", "userextras"),
];

/// What a role allows, as the flags say it.
struct Rule {
    verbs: Vec<String>,
    resources: Vec<Resource>,
    names: Vec<String>,
    urls: Vec<String>,
}

/// One `RESOURCE[.GROUP][/SUBRESOURCE]`.
struct Resource {
    word: String,
    group: String,
    sub: String,
}

impl Resource {
    /// The kind that the server knows by it.
    fn kind(&self) -> Option<Kind> {
        let word = match self.group.as_str() {
            "" => self.word.clone(),
            group => format!("{}.{group}", self.word),
        };
        Kind::of_word(&word)
            .or_else(|| Kind::of_word(&self.word))
            .filter(|kind| kind.resource().group.starts_with(&self.group))
    }

    /// Its group and plural, as far as the server knows them.
    fn mapped(&self) -> (&str, &str) {
        let kind = self.kind().map(|kind| (kind.resource().group, kind.resource().plural));
        kind.unwrap_or((&self.group, &self.word))
    }
}

fn distinct(all: &[String]) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for one in all {
        if !once.contains(one) {
            once.push(one.clone());
        }
    }
    once
}

impl Rule {
    /// Models CreateRoleOptions.Complete.
    fn of(call: &Call<'_>) -> Self {
        let mut verbs = distinct(&call.flags.list("verb"));
        if verbs.iter().any(|verb| verb == "*") {
            verbs = vec!["*".to_owned()];
        }
        let mut resources = Vec::new();
        for text in call.flags.list("resource") {
            let (whole, sub) = text.split_once('/').unwrap_or((&text, ""));
            let (word, group) = whole.split_once('.').unwrap_or((whole, ""));
            let own = |text: &str| text.to_owned();
            let resource = Resource { word: own(word), group: own(group), sub: own(sub) };
            if text == "*" {
                resources = vec![resource];
                break;
            }
            resources.push(resource);
        }
        let names = distinct(call.flags.all("resource-name"));
        Rule { verbs, resources, names, urls: distinct(&call.flags.list("non-resource-url")) }
    }

    fn warn_of_verbs(&self, call: &mut Call<'_>) {
        for verb in self.verbs.iter().filter(|verb| !VERBS.contains(&verb.as_str())) {
            call.warn(format!("Warning: '{verb}' is not a standard resource verb"));
        }
    }

    /// Models validateResource.
    fn check_resources(&self) -> Outcome {
        for resource in &self.resources {
            if resource.word.is_empty() {
                return plain("resource must be specified if apiGroup/subresource specified");
            }
            if resource.word == "*" {
                return Ok(());
            }
            let (group, plural) = resource.mapped();
            let mut is_special = false;
            for verb in &self.verbs {
                let mut rows = SPECIAL.iter().filter(|(special, ..)| special == verb).peekable();
                if rows.peek().is_some() {
                    if !rows.any(|(_, its, name)| (*its, *name) == (group, plural)) {
                        return plain(format!(
                            "can not perform '{verb}' on '{plural}' in group '{group}'"
                        ));
                    }
                    is_special = true;
                }
            }
            if !is_special && resource.kind().is_none() {
                let quote = crate::api::error::go_quote;
                let of_group = match resource.group.as_str() {
                    "" => String::new(),
                    group => format!(" in group {}", quote(group)),
                };
                let word = quote(&resource.word);
                let text = format!("the server doesn't have a resource type {word}{of_group}");
                return Err(Failure::Verbatim(text));
            }
        }
        Ok(())
    }

    /// Models the rules of CreateClusterRoleOptions.Validate for paths.
    fn check_urls(&self) -> Outcome {
        let wrong = self.verbs.iter().find(|verb| !PATH_VERBS.contains(&verb.as_str()));
        if let Some(verb) = wrong.filter(|_| !self.urls.is_empty()) {
            return plain(format!("invalid verb: '{verb}' for nonResourceURL"));
        }
        for url in self.urls.iter().filter(|url| *url != "*") {
            if !url.starts_with('/') {
                return plain("nonResourceURL should start with /");
            }
            if url.strip_suffix('*').unwrap_or(url).contains('*') {
                return plain(
                    "nonResourceURL only supports wildcard matches when '*' is at the end",
                );
            }
        }
        Ok(())
    }

    /// A rule for each API group, and one for the paths.
    ///
    /// Models generateResourcePolicyRules.
    fn list(&self) -> Vec<Value> {
        let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
        for resource in &self.resources {
            let (group, plural) = resource.mapped();
            let name = match resource.sub.as_str() {
                "" => plural.to_owned(),
                sub => format!("{plural}/{sub}"),
            };
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, all)) if all.contains(&name) => {}
                Some((_, all)) => all.push(name),
                None => groups.push((group, vec![name])),
            }
        }
        order::sort(&mut groups);
        let mut rules = Vec::new();
        for (group, resources) in groups {
            let mut rule =
                json!({"apiGroups": [group], "resources": resources, "verbs": self.verbs});
            if !self.names.is_empty() {
                rule.put(&["resourceNames"], self.names.clone());
            }
            rules.push(rule);
        }
        if !self.urls.is_empty() {
            rules.push(json!({"nonResourceURLs": self.urls, "verbs": self.verbs}));
        }
        rules
    }
}

/// `kubectl create role`.
pub(crate) fn role(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let rule = Rule::of(call);
    if rule.verbs.is_empty() {
        return plain("at least one verb must be specified");
    }
    rule.warn_of_verbs(call);
    if rule.resources.is_empty() {
        return plain("at least one resource must be specified");
    }
    rule.check_resources()?;
    let mut value = named(Kind::Role, &name);
    value.put(&["rules"], rule.list());
    call.create_generated(Kind::Role, value, "created")
}

/// `kubectl create clusterrole`.
pub(crate) fn cluster_role(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let rule = Rule::of(call);
    let mut value = named(Kind::ClusterRole, &name);
    let aggregated = call.flags.all("aggregation-rule").join(",");
    if !aggregated.is_empty() {
        let others = [&rule.urls, &rule.verbs, &rule.names];
        if others.iter().any(|list| !list.is_empty()) || !rule.resources.is_empty() {
            return plain(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
            );
        }
        let marks = labels(&aggregated)?;
        value.put(&["aggregationRule"], json!({"clusterRoleSelectors": [{"matchLabels": marks}]}));
        value.put(&["rules"], Value::Null);
        return call.create_generated(Kind::ClusterRole, value, "created");
    }
    if rule.verbs.is_empty() {
        return plain("at least one verb must be specified");
    }
    if rule.resources.is_empty() && rule.urls.is_empty() {
        return plain("one of resource or nonResourceURL must be specified");
    }
    if !rule.resources.is_empty() {
        rule.warn_of_verbs(call);
        rule.check_resources()?;
    }
    rule.check_urls()?;
    value.put(&["rules"], rule.list());
    call.create_generated(Kind::ClusterRole, value, "created")
}

/// `kubectl create rolebinding`.
pub(crate) fn role_binding(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let (role, cluster_role) = (call.flags.text("role"), call.flags.text("clusterrole"));
    if role.is_empty() == cluster_role.is_empty() {
        return plain("exactly one of clusterrole or role must be specified");
    }
    let reference = match role.is_empty() {
        true => ("ClusterRole", cluster_role.to_owned()),
        false => ("Role", role.to_owned()),
    };
    binding(call, Kind::RoleBinding, &name, reference)
}

/// `kubectl create clusterrolebinding`.
pub(crate) fn cluster_role_binding(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let role = call.flags.text("clusterrole").to_owned();
    binding(call, Kind::ClusterRoleBinding, &name, ("ClusterRole", role))
}

fn binding(call: &mut Call<'_>, kind: Kind, name: &str, role: (&str, String)) -> Outcome {
    let mut subjects = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        for name in call.flags.all(flag) {
            subjects.push(json!({"apiGroup": GROUP, "kind": kind, "name": name}));
        }
    }
    for account in call.flags.all("serviceaccount") {
        let parts: Vec<&str> = account.split(':').collect();
        let [namespace, name] = parts.as_slice() else {
            return plain("serviceaccount must be <namespace>:<name>");
        };
        if namespace.is_empty() || name.is_empty() {
            return plain("serviceaccount must be <namespace>:<name>");
        }
        subjects.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
    }
    let mut value = named(kind, name);
    value.put(&["roleRef"], json!({"apiGroup": GROUP, "kind": role.0, "name": role.1}));
    if !subjects.is_empty() {
        value.put(&["subjects"], subjects);
    }
    finish(call, kind, value, &format!("{}:", kind.resource().singular))
}

/// `kubectl create serviceaccount`.
pub(crate) fn service_account(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let value = named(Kind::ServiceAccount, &name);
    finish(call, Kind::ServiceAccount, value, "serviceaccount:")
}
