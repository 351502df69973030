//! Accounts, roles and their bindings.
//!
//! Models describe.go describeServiceAccount, RoleDescriber, RoleBindingDescriber and their kin for the whole cluster.

use super::text::Text;
use super::workloads::Subject;
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::base::order;

/// What a role allows on one resource, or at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    verbs: Vec<String>,
    group: String,
    resource: String,
    name: String,
    url: String,
}

impl Rule {
    /// `deployments.apps/scale`.
    fn resource(&self) -> String {
        let (resource, part) = match self.resource.split_once('/') {
            Some((resource, part)) => (resource, format!("/{part}")),
            None => (self.resource.as_str(), String::new()),
        };
        let dot = if self.group.is_empty() { "" } else { "." };
        format!("{resource}{dot}{}{part}", self.group)
    }

    fn is_about_the_same(&self, other: &Rule) -> bool {
        (&self.group, &self.resource, &self.name, &self.url)
            == (&other.group, &other.resource, &other.name, &other.url)
    }
}

fn words(rule: &Value, key: &str) -> Vec<String> {
    rule.items_at(&[key]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// One rule for each resource, with all the verbs for it, and one for each verb of a path, in kubectl's
/// order.
fn rules(role: &Value) -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::new();
    let or_one = |list: Vec<String>| if list.is_empty() { vec![String::new()] } else { list };
    let add = |all: &mut Vec<Rule>, rule: Rule| match all
        .iter_mut()
        .find(|other| other.is_about_the_same(&rule))
    {
        Some(known) => known.verbs.extend(rule.verbs),
        None => all.push(rule),
    };
    for rule in role.items_at(&["rules"]) {
        let verbs = words(rule, "verbs");
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for name in or_one(words(rule, "resourceNames")) {
                    let (group, resource) = (group.clone(), resource.clone());
                    let url = String::new();
                    add(&mut all, Rule { verbs: verbs.clone(), group, resource, name, url });
                }
            }
        }
        for (url, verb) in words(rule, "nonResourceURLs")
            .iter()
            .flat_map(|url| verbs.iter().map(move |verb| (url, verb)))
        {
            let none = String::new;
            let (group, resource, name, url) = (none(), none(), none(), url.clone());
            all.push(Rule { verbs: vec![verb.clone()], group, resource, name, url });
        }
    }
    order::sort_by_key(&mut all, |rule| {
        (rule.verbs.join(" "), rule.group.clone(), rule.resource.clone(), rule.name.clone())
    });
    all
}

fn head(text: &mut Text, it: &Subject<'_>) {
    text.field(0, "Name", &it.object.meta.name);
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
}

pub(super) fn role(text: &mut Text, it: &Subject<'_>) {
    head(text, it);
    text.line(0, "PolicyRule:");
    text.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    text.line(1, "---------\t-----------------\t--------------\t-----");
    for rule in rules(it.value) {
        let verbs = rule.verbs.join(" ");
        text.line(1, format!("{}\t[{}]\t[{}]\t[{verbs}]", rule.resource(), rule.url, rule.name));
    }
}

pub(super) fn binding(text: &mut Text, it: &Subject<'_>) {
    head(text, it);
    let at = |value: &Value, key: &str| value.str_at(&[key]).unwrap_or_default().to_owned();
    let role = it.value.at(&["roleRef"]).cloned().unwrap_or_default();
    text.line(0, "Role:");
    text.field(1, "Kind", at(&role, "kind"));
    text.field(1, "Name", at(&role, "name"));
    text.line(0, "Subjects:");
    text.line(1, "Kind\tName\tNamespace");
    text.line(1, "----\t----\t---------");
    for subject in it.value.items_at(&["subjects"]) {
        let (kind, name) = (at(subject, "kind"), at(subject, "name"));
        text.line(1, format!("{kind}\t{name}\t{}", at(subject, "namespace")));
    }
}

pub(super) fn service_account(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    let secrets = it.value.items_at(&["imagePullSecrets"]).iter();
    let names: Vec<&str> = secrets.filter_map(|secret| secret.str_at(&["name"])).collect();
    text.field(0, "Image pull secrets", names.first().copied().unwrap_or("<none>"));
    for name in names.iter().skip(1) {
        text.line(0, format!("                   \t{name}"));
    }
    text.events(it.events);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_are_told_by_resource() {
        let role = json!({"rules": [
            {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["watch"]},
            {"apiGroups": ["apps"], "resources": ["deployments/scale"], "resourceNames": ["web"], "verbs": ["*"]},
            {"nonResourceURLs": ["/healthz"], "verbs": ["get"]},
        ]});
        let said: Vec<_> =
            rules(&role).iter().map(|r| (r.resource(), r.url.clone(), r.verbs.join(" "))).collect();
        let expected = [
            ("deployments.apps/scale", "", "*"),
            ("", "/healthz", "get"),
            ("pods/log", "", "get list"),
            ("pods", "", "get list watch"),
        ];
        let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(said, expected);
    }
}
