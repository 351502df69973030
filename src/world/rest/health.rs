//! `/healthz`, `/livez`, `/readyz`: whether the API server is well. In the model it is.
//!
//! Models staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go and the hooks that
//! pkg/controlplane, kube-aggregator and apiextensions-apiserver add after the start.

use super::request::Query;
use super::{ApiResponse, plain};

/// What each looks at, in the order of its output.
const FIRST: [&str; 2] = ["ping", "log"];
const HOOKS: [&str; 31] = [
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/aggregator-reload-proxy-client-cert",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
];

/// The names of what a path looks at.
pub(super) fn checks(path: &str) -> impl Iterator<Item = &'static str> {
    let is_ready = path == "readyz";
    let middle: &[&str] = match is_ready {
        true => &["etcd", "etcd-readiness", "informer-sync"],
        false => &["loopback-serving-certificate", "etcd"],
    };
    let last = is_ready.then_some("shutdown");
    FIRST.into_iter().chain(middle.iter().copied()).chain(HOOKS).chain(last)
}

/// What such a path answers; `None` if it looks at nothing of that name.
pub(super) fn check(words: &[&str], query: &Query) -> Option<ApiResponse> {
    let (path, rest) = words.split_first()?;
    if !rest.is_empty() {
        let name = rest.join("/");
        return checks(path).any(|check| check == name).then(|| plain("ok"));
    }
    if !query.has("verbose") {
        return Some(plain("ok"));
    }
    let mut excluded: Vec<&str> = query.all("exclude").collect();
    let mut text = String::new();
    for name in checks(path) {
        let is_excluded = query.all("exclude").any(|it| it == name);
        excluded.retain(|it| *it != name);
        text.push_str(&format!("[+]{name} {}ok\n", if is_excluded { "excluded: " } else { "" }));
    }
    if !excluded.is_empty() {
        crate::base::order::sort(&mut excluded);
        excluded.dedup();
        let names: Vec<String> =
            excluded.iter().map(|it| crate::api::error::go_quote(it)).collect();
        let names = names.join(",");
        text.push_str(&format!(
            "warn: some health checks cannot be excluded: no matches for {names}\n"
        ));
    }
    Some(plain(format!("{text}{path} check passed\n")))
}
