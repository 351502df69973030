//! Nodes, namespaces and what bounds them.
//!
//! Models describe.go describeNode, describeNamespace, describeQuota, describeLimitRange,
//! describePriorityClass.

use super::text::{Text, or_none, plain};
use super::workloads::Subject;
use crate::api::pod::Resources;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::{Quantity, order};
use crate::kubectl::printers;
use std::sync::Arc;

fn annotations(text: &mut Text, it: &Subject<'_>) {
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
}

pub(super) fn node(text: &mut Text, it: &Subject<'_>) {
    let value = it.value;
    text.field(0, "Name", &it.object.meta.name);
    text.field(0, "Roles", or_none(&printers::roles(value)));
    text.labels(value);
    annotations(text, it);
    let created = text.time(value.str_at(&["metadata", "creationTimestamp"]));
    text.field(0, "CreationTimestamp", created);
    text.list("Taints", &taints(value));
    text.field(0, "Unschedulable", value.bool_at(&["spec", "unschedulable"]).unwrap_or_default());
    lease(text, it);
    conditions(text, value);
    text.line(0, "Addresses:");
    for address in value.items_at(&["status", "addresses"]) {
        let at = |key| address.str_at(&[key]).unwrap_or_default();
        text.field(1, at("type"), at("address"));
    }
    for (title, key) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        if let Some(amounts) = value.fields_at(&["status", key]) {
            text.line(0, format!("{title}:"));
            for (name, amount) in amounts {
                text.field(1, name, plain(Some(amount)));
            }
        }
    }
    text.line(0, "System Info:");
    for (title, key) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ] {
        text.field(1, title, value.str_at(&["status", "nodeInfo", key]).unwrap_or_default());
    }
    text.field_if(0, "PodCIDR", value.str_at(&["spec", "podCIDR"]));
    let cidrs: Vec<&str> =
        value.items_at(&["spec", "podCIDRs"]).iter().filter_map(Value::as_str).collect();
    text.field_if(0, "PodCIDRs", (!cidrs.is_empty()).then(|| cidrs.join(",")));
    text.field_if(0, "ProviderID", value.str_at(&["spec", "providerID"]));
    node_pods(text, it);
    text.events(it.events);
}

fn taints(node: &Value) -> Vec<String> {
    let at = |taint: &Value, key: &str| taint.str_at(&[key]).unwrap_or_default().to_owned();
    let mut all: Vec<&Value> = node.items_at(&["spec", "taints"]).iter().collect();
    order::sort_by_key(&mut all, |taint| format!("{},{}", at(taint, "effect"), at(taint, "key")));
    let words = |taint: &&Value| {
        let (key, value, effect) = (at(taint, "key"), at(taint, "value"), at(taint, "effect"));
        match value.as_str() {
            "" => format!("{key}:{effect}"),
            value => format!("{key}={value}:{effect}"),
        }
    };
    all.iter().map(words).collect()
}

fn lease(text: &mut Text, it: &Subject<'_>) {
    let name = &it.object.meta.name;
    let Some(lease) = it.store.find(Kind::Lease, "kube-node-lease", name) else {
        let why = format!("Failed to get lease: leases.coordination.k8s.io \"{name}\" not found");
        text.field(0, "Lease", why);
        return;
    };
    text.line(0, "Lease:");
    let holder = lease.spec().str_at(&["holderIdentity"]).unwrap_or("<unset>");
    text.field(1, "HolderIdentity", holder);
    for (title, key) in [("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")] {
        let time = text.time(lease.spec().str_at(&[key]));
        text.field(1, title, time);
    }
}

fn conditions(text: &mut Text, value: &Value) {
    let conditions = value.items_at(&["status", "conditions"]);
    if conditions.is_empty() {
        return;
    }
    text.line(0, "Conditions:");
    text.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    text.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for condition in conditions {
        let at = |key| condition.str_at(&[key]).unwrap_or_default();
        let time = |key| text.time(condition.str_at(&[key]));
        let line = format!(
            "{} \t{} \t{} \t{} \t{} \t{}",
            at("type"),
            at("status"),
            time("lastHeartbeatTime"),
            time("lastTransitionTime"),
            at("reason"),
            at("message")
        );
        text.line(1, line);
    }
}

/// `100m (2%)`.
fn share(amount: Quantity, part: i64, whole: i64) -> String {
    let percent = part.saturating_mul(100).checked_div(whole).unwrap_or_default();
    format!("{amount} ({percent}%)")
}

fn limits_of(object: &Object) -> Resources {
    let mut limits = Resources::default();
    for container in object.pod().into_iter().flat_map(|pod| &pod.spec.containers) {
        limits.add(&container.limits);
    }
    limits
}

fn node_pods(text: &mut Text, it: &Subject<'_>) {
    let all = it.store.pods_on(&it.object.meta.name);
    let mut pods: Vec<&Arc<Object>> =
        all.filter(|o| o.pod().is_some_and(|pod| !pod.status.phase.is_terminal())).collect();
    order::sort_by_key(&mut pods, |pod| (pod.meta.namespace.clone(), pod.meta.name.clone()));
    let offered = Resources::from_value(it.value.at(&["status", "allocatable"]));
    let cpu = |millis: i64| share(Quantity::from_millis(millis), millis, offered.milli_cpu);
    let memory = |bytes: i64| share(Quantity::from_bytes(bytes), bytes, offered.memory);
    text.field(0, "Non-terminated Pods", format!("({} in total)", pods.len()));
    let head = "CPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge";
    text.line(1, format!("Namespace\tName\t\t{head}"));
    let under = "------------\t----------\t---------------\t-------------\t---";
    text.line(1, format!("---------\t----\t\t{under}"));
    let (mut requests, mut limits) = (Resources::default(), Resources::default());
    for object in pods {
        let Some(pod) = object.pod() else { continue };
        let own = limits_of(object);
        let age = crate::base::time::human_duration(text.now.since(object.meta.creation_timestamp));
        text.line(
            1,
            format!(
                "{}\t{}\t\t{}\t{}\t{}\t{}\t{age}",
                object.meta.namespace,
                object.meta.name,
                cpu(pod.spec.requests.milli_cpu),
                cpu(own.milli_cpu),
                memory(pod.spec.requests.memory),
                memory(own.memory)
            ),
        );
        requests.add(&pod.spec.requests);
        limits.add(&own);
    }
    text.line(0, "Allocated resources:");
    text.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    text.line(1, "Resource\tRequests\tLimits");
    text.line(1, "--------\t--------\t------");
    text.line(1, format!("cpu\t{}\t{}", cpu(requests.milli_cpu), cpu(limits.milli_cpu)));
    text.line(1, format!("memory\t{}\t{}", memory(requests.memory), memory(limits.memory)));
    let storage = |bytes: i64| share(Quantity::from_bytes(bytes), bytes, offered.ephemeral_storage);
    text.line(
        1,
        format!(
            "ephemeral-storage\t{}\t{}",
            storage(requests.ephemeral_storage),
            storage(limits.ephemeral_storage)
        ),
    );
    for (name, whole) in &offered.others {
        let of = |resources: &Resources| resources.others.get(name).copied().unwrap_or_default();
        let words = |amount: i64| match name.starts_with("hugepages-") {
            true => share(Quantity::from_bytes(amount), amount, *whole),
            false => amount.to_string(),
        };
        text.line(1, format!("{name}\t{}\t{}", words(of(&requests)), words(of(&limits))));
    }
}

pub(super) fn namespace(text: &mut Text, it: &Subject<'_>) {
    text.field(0, "Name", &it.object.meta.name);
    text.labels(it.value);
    annotations(text, it);
    text.field(0, "Status", it.value.str_at(&["status", "phase"]).unwrap_or_default());
    let conditions = it.value.items_at(&["status", "conditions"]);
    if !conditions.is_empty() {
        text.line(0, "Conditions:");
        text.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        text.line(1, "----\t------\t------------------\t------\t-------");
        for condition in conditions {
            let at = |key| condition.str_at(&[key]).unwrap_or_default();
            let time = text.time(condition.str_at(&["lastTransitionTime"]));
            let (name, status) = (at("type"), at("status"));
            let (reason, message) = (at("reason"), at("message"));
            text.line(1, format!("{name}\t{status}\t{time}\t{reason}\t{message}"));
        }
    }
    let inside = |kind| it.store.list_in(kind, &it.object.meta.name).collect::<Vec<_>>();
    text.line(0, "");
    let quotas = inside(Kind::ResourceQuota);
    match quotas.is_empty() {
        true => text.line(0, "No resource quota."),
        false => text.line(0, "Resource Quotas"),
    }
    for quota in quotas {
        text.line(1, format!("Name:\t{}", quota.meta.name));
        scopes(text, quota.spec(), 1, "* ");
        text.line(1, "Resource\tUsed\tHard");
        text.line(1, "--------\t---\t---");
        for line in quota_lines(&quota.to_value()) {
            text.line(1, line);
        }
    }
    text.line(0, "");
    let ranges = inside(Kind::LimitRange);
    if ranges.is_empty() {
        text.line(0, "No LimitRange resource.");
        return;
    }
    text.line(0, "Resource Limits");
    limit_head(text, " ");
    for range in ranges {
        limit_lines(text, range.spec(), " ");
    }
}

fn quota_lines(quota: &Value) -> Vec<String> {
    let hard = quota.fields_at(&["status", "hard"]).into_iter().flatten();
    let used = |name: &str| match quota.at(&["status", "used", name]) {
        Some(used) => plain(Some(used)),
        None => "0".to_owned(),
    };
    hard.map(|(name, hard)| format!("{name}\t{}\t{}", used(name), plain(Some(hard)))).collect()
}

/// The scopes of a quota, each with what it means.
fn scopes(text: &mut Text, spec: &Value, level: usize, mark: &str) {
    let mut scopes: Vec<&str> =
        spec.items_at(&["scopes"]).iter().filter_map(Value::as_str).collect();
    if scopes.is_empty() {
        return;
    }
    order::sort(&mut scopes);
    text.field(level, "Scopes", scopes.join(", "));
    for scope in scopes {
        let words = match scope {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service."
            }
            _ => continue,
        };
        text.line(level, format!("{mark}{words}"));
    }
}

pub(super) fn quota(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    scopes(text, it.value.get("spec").unwrap_or(&Value::Null), 0, " * ");
    text.line(0, "Resource\tUsed\tHard");
    text.line(0, "--------\t----\t----");
    for line in quota_lines(it.value) {
        text.line(0, line);
    }
}

fn limit_head(text: &mut Text, prefix: &str) {
    let head = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio";
    text.line(0, format!("{prefix}{head}"));
    let under = "----\t--------\t---\t---\t---------------\t-------------\t-----------------------";
    text.line(0, format!("{prefix}{under}"));
}

fn limit_lines(text: &mut Text, spec: &Value, prefix: &str) {
    for limit in spec.items_at(&["limits"]) {
        let lists = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
        let mut names: Vec<&String> = Vec::new();
        for list in lists {
            for (name, _) in limit.fields_at(&[list]).into_iter().flatten() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        order::sort(&mut names);
        let kind = limit.str_at(&["type"]).unwrap_or_default();
        for name in names {
            let cells: Vec<String> = lists
                .iter()
                .map(|list| limit.at(&[list, name]).map_or("-".to_owned(), |v| plain(Some(v))))
                .collect();
            text.line(0, format!("{prefix}{kind}\t{name}\t{}", cells.join("\t")));
        }
    }
}

pub(super) fn limit_range(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    limit_head(text, "");
    limit_lines(text, it.value.get("spec").unwrap_or(&Value::Null), "");
}

pub(super) fn priority_class(text: &mut Text, it: &Subject<'_>) {
    text.field(0, "Name", &it.object.meta.name);
    text.field(0, "Value", plain(it.value.get("value")));
    let global = it.value.bool_at(&["globalDefault"]).unwrap_or_default();
    text.field(0, "GlobalDefault", global);
    text.field(0, "PreemptionPolicy", it.value.str_at(&["preemptionPolicy"]).unwrap_or_default());
    text.field(0, "Description", it.value.str_at(&["description"]).unwrap_or_default());
    let shown = it.value.at(&["metadata", "annotations"]).and_then(Value::as_object);
    let words: Vec<String> = shown
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    text.field(0, "Annotations", or_none(&words.join(",")));
    text.events(it.events);
}
