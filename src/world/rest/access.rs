//! Who asks, and whether they may.
//!
//! Models plugin/pkg/auth/authorizer/rbac/rbac.go and
//! staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
//!
//! Simplified: the roles that a server makes for itself are not among the objects; of those that
//! people bind, `cluster-admin`, `admin`, `edit` and `view` are known here, roughly.

use super::request::{ApiRequest, Query, Target, decoded};
use super::{ApiResponse, failed, laid_out};
use crate::api::error::go_quote;
use crate::api::tree::Tree as _;
use crate::api::{ApiError, Kind, Reason, Value};
use crate::kubelet::token;
use crate::world::World;

/// What everybody may read, and what those may who say who they are.
const PUBLIC: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];
const DISCOVERY: [&str; 6] = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"];
/// What `view` does not show.
const HIDDEN: [&str; 5] =
    ["secrets", "roles", "rolebindings", "clusterroles", "clusterrolebindings"];
/// What somebody may do who only reads.
const READING: [&str; 3] = ["get", "list", "watch"];

/// Something that somebody wants to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    /// `get`, `list`, `create` …
    pub verb: &'a str,
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// `pods`, `pods/log`; empty for other paths.
    pub resource: &'a str,
    /// The namespace; empty for all, and for what has none.
    pub namespace: &'a str,
    /// The object's name, if one is meant.
    pub name: &'a str,
    /// The path, where it is no resource.
    pub path: &'a str,
}

impl World {
    /// Answers a request of whoever its token says, nobody if there is none.
    pub(super) fn serve_to(
        &mut self,
        bearer: Option<&str>,
        request: &ApiRequest<'_>,
    ) -> ApiResponse {
        let user = match bearer {
            None => "system:anonymous".to_owned(),
            Some(text) => match token::subject(text, self.now()) {
                Some(user) => user,
                None => {
                    let error = ApiError::new(Reason::Unauthorized, "Unauthorized");
                    return laid_out(failed(&error), request);
                }
            },
        };
        let (path, query) = request.uri.split_once('?').unwrap_or((request.uri, ""));
        let parts: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let target = Target::of(&parts).unwrap_or_default();
        let lower = request.method.to_lowercase();
        let below = format!("{}/{}", target.resource, target.subresource);
        let asked = match target.resource.is_empty() {
            true => Attributes { verb: &lower, path, ..Attributes::default() },
            false => Attributes {
                verb: target.verb(request.method, &Query::read(query)),
                group: &target.group,
                resource: if target.subresource.is_empty() { &target.resource } else { &below },
                namespace: &target.namespace,
                name: &target.name,
                path: "",
            },
        };
        match self.may(&user, &[], &asked) {
            true => self.serve(request),
            false => laid_out(failed(&forbidden(&user, &asked)), request),
        }
    }

    /// Whether somebody of these groups, beside those that follow from the name, may do something.
    pub fn may(&self, user: &str, groups: &[String], asked: &Attributes<'_>) -> bool {
        let groups = groups_of(user, groups);
        if groups.iter().any(|group| group == "system:masters") {
            return true;
        }
        let is_known = groups.iter().any(|group| group == "system:authenticated");
        let open = PUBLIC.iter().chain(if is_known { &DISCOVERY[..] } else { &[] });
        if asked.verb == "get" && open.into_iter().any(|path| fits_path(path, asked.path)) {
            return true;
        }
        let store = self.store();
        let of_cluster = store.list(Kind::ClusterRoleBinding);
        let of_namespace = (!asked.namespace.is_empty())
            .then(|| store.list_in(Kind::RoleBinding, asked.namespace));
        let mut bindings = of_cluster.chain(of_namespace.into_iter().flatten());
        bindings.any(|binding| {
            let namespace = &*binding.meta.namespace;
            let content = binding.content();
            let mut subjects = content.items_at(&["subjects"]).iter();
            let is_meant = subjects.any(|subject| is_subject(subject, namespace, user, &groups));
            is_meant && self.allows(content, namespace, asked)
        })
    }

    /// Whether the role of a binding allows something.
    fn allows(&self, binding: &Value, namespace: &str, asked: &Attributes<'_>) -> bool {
        let name = binding.str_at(&["roleRef", "name"]).unwrap_or_default();
        let role = match binding.str_at(&["roleRef", "kind"]) {
            Some("Role") => self.find(Kind::Role, namespace, name),
            _ => self.find(Kind::ClusterRole, "", name),
        };
        if let Some(role) = role {
            return role.content().items_at(&["rules"]).iter().any(|rule| fits(rule, asked));
        }
        let resource = asked.resource.split('/').next().unwrap_or_default();
        match name {
            "cluster-admin" => true,
            _ if resource.is_empty() => false,
            "admin" => asked.resource != "resourcequotas",
            "edit" => !HIDDEN.get(1..).unwrap_or_default().contains(&resource),
            "view" => READING.contains(&asked.verb) && !HIDDEN.contains(&resource),
            _ => false,
        }
    }
}

/// The groups of a user.
fn groups_of(user: &str, others: &[String]) -> Vec<String> {
    let mut groups = others.to_vec();
    if user == "system:anonymous" {
        groups.push("system:unauthenticated".to_owned());
        return groups;
    }
    let account = user.strip_prefix("system:serviceaccount:").and_then(|it| it.split_once(':'));
    if let Some((namespace, _)) = account {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    groups.push("system:authenticated".to_owned());
    groups
}

/// Models appliesToUser.
fn is_subject(subject: &Value, namespace: &str, user: &str, groups: &[String]) -> bool {
    let name = subject.str_at(&["name"]).unwrap_or_default();
    match subject.str_at(&["kind"]) {
        Some("User") => name == user,
        Some("Group") => groups.iter().any(|group| group == name),
        Some("ServiceAccount") => {
            let own = subject.str_at(&["namespace"]).filter(|own| !own.is_empty());
            user == format!("system:serviceaccount:{}:{name}", own.unwrap_or(namespace))
        }
        _ => false,
    }
}

/// Models pkg/apis/rbac/v1/evaluation_helpers.go.
fn fits(rule: &Value, asked: &Attributes<'_>) -> bool {
    let texts = |key: &str| rule.items_at(&[key]).iter().filter_map(Value::as_str);
    let has = |key: &str, wanted: &str| texts(key).any(|it| it == "*" || it == wanted);
    if !has("verbs", asked.verb) {
        return false;
    }
    if asked.resource.is_empty() {
        return texts("nonResourceURLs").any(|path| fits_path(path, asked.path));
    }
    let below = asked.resource.split_once('/').map(|(_, below)| format!("*/{below}"));
    let mut names = texts("resourceNames").peekable();
    has("apiGroups", asked.group)
        && (has("resources", asked.resource)
            || below.is_some_and(|below| texts("resources").any(|it| it == below)))
        && (names.peek().is_none() || names.any(|it| it == asked.name && !it.is_empty()))
}

fn fits_path(rule: &str, path: &str) -> bool {
    match rule.strip_suffix('*') {
        Some(begin) => path.starts_with(begin),
        None => rule == path || format!("{rule}/") == path,
    }
}

fn forbidden(user: &str, asked: &Attributes<'_>) -> ApiError {
    let (user, verb) = (go_quote(user), asked.verb);
    if asked.resource.is_empty() {
        let why = format!("forbidden: User {user} cannot {verb} path {}", go_quote(asked.path));
        return ApiError::new(Reason::Forbidden, why);
    }
    let place = match asked.namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {}", go_quote(namespace)),
    };
    let (group, whole) = (asked.group, asked.resource.split('/').next().unwrap_or_default());
    let why = format!(
        "User {user} cannot {verb} resource {} in API group {} {place}",
        go_quote(asked.resource),
        go_quote(group)
    );
    let whole = if group.is_empty() { whole.to_owned() } else { format!("{whole}.{group}") };
    ApiError::forbidden(&whole, asked.name, &why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Models the cases of pkg/apis/rbac/v1/evaluation_helpers_test.go.
    #[test]
    fn a_rule_allows_what_it_names() {
        let asked =
            |verb, resource, name| Attributes { verb, resource, name, ..Attributes::default() };
        let rule = |resources: &[&str], names: &[&str]| json!({"apiGroups": [""], "verbs": ["get"], "resources": resources, "resourceNames": names});
        let cases = [
            (rule(&["pods"], &[]), asked("get", "pods", "a"), true),
            (rule(&["pods"], &[]), asked("list", "pods", ""), false),
            (rule(&["pods"], &[]), asked("get", "pods/log", "a"), false),
            (rule(&["*/log"], &[]), asked("get", "pods/log", "a"), true),
            (rule(&["*"], &["b"]), asked("get", "pods", "a"), false),
            (rule(&["*"], &["a"]), asked("get", "pods", "a"), true),
        ];
        for (rule, asked, expected) in cases {
            assert_eq!(fits(&rule, &asked), expected, "{rule} {asked:?}");
        }
    }
}
