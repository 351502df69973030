//! Nodes, namespaces, volumes and configuration.
//!
//! Models describe.go describeNode, describeNamespace, describeQuota, describePersistentVolumeClaim,
//! describeSecret, ConfigMapDescriber.

use super::text::{Text, or_none, plain};
use super::workloads::Subject;
use crate::api::pod::{Resources, VolumeSource};
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

pub(super) fn config_map(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.labels(it.value);
    annotations(text, it);
    text.line(0, "\nData\n====");
    for (key, value) in it.value.fields_at(&["data"]).into_iter().flatten() {
        text.line(0, format!("{key}:\n----\n{}\n", value.as_str().unwrap_or_default()));
    }
    text.line(0, "\nBinaryData\n====");
    for (key, value) in it.value.fields_at(&["binaryData"]).into_iter().flatten() {
        text.line(0, format!("{key}: {} bytes", decoded_length(value)));
    }
    text.line(0, "");
    text.events(it.events);
}

fn decoded_length(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    data_encoding::BASE64.decode(text.as_bytes()).map_or(0, |bytes| bytes.len())
}

pub(super) fn secret(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.labels(it.value);
    annotations(text, it);
    text.line(0, format!("\nType:\t{}", it.value.str_at(&["type"]).unwrap_or_default()));
    text.line(0, "\nData\n====");
    for (key, value) in it.value.fields_at(&["data"]).into_iter().flatten() {
        if key == "token"
            && it.value.str_at(&["type"]) == Some("kubernetes.io/service-account-token")
        {
            let bytes = data_encoding::BASE64.decode(value.as_str().unwrap_or_default().as_bytes());
            text.field(0, key, String::from_utf8_lossy(&bytes.unwrap_or_default()));
            continue;
        }
        text.field(0, key, format!("{} bytes", decoded_length(value)));
    }
}

/// `RWO` and its kin.
fn access_modes(value: &Value, path: &[&str]) -> String {
    let modes = value.items_at(path).iter().filter_map(Value::as_str);
    let short = modes.map(|mode| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        other => other,
    });
    short.collect::<Vec<_>>().join(",")
}

fn status_of(text: &Text, value: &Value) -> String {
    match value.str_at(&["metadata", "deletionTimestamp"]) {
        Some(time) => format!("Terminating (lasts {})", text.since(Some(time))),
        None => value.str_at(&["status", "phase"]).unwrap_or_default().to_owned(),
    }
}

fn finalizers(value: &Value) -> String {
    let all: Vec<&str> =
        value.items_at(&["metadata", "finalizers"]).iter().filter_map(Value::as_str).collect();
    format!("[{}]", all.join(" "))
}

/// Models describe.go printPersistentVolumeClaim: a claim, or the template of one.
pub(super) fn claim_fields(text: &mut Text, value: &Value, is_whole: bool) {
    if is_whole {
        text.head(value);
    }
    let annotated = ["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"];
    let class = value.str_at(&annotated).or(value.str_at(&["spec", "storageClassName"]));
    text.field(0, "StorageClass", class.unwrap_or_default());
    if is_whole {
        let status = status_of(text, value);
        text.field(0, "Status", status);
    }
    text.field(0, "Volume", value.str_at(&["spec", "volumeName"]).unwrap_or_default());
    text.labels(value);
    text.annotations("Annotations", value.at(&["metadata", "annotations"]));
    if is_whole {
        text.field(0, "Finalizers", finalizers(value));
    }
    let bound = value.str_at(&["spec", "volumeName"]).is_some_and(|name| !name.is_empty());
    let capacity = value.at(&["status", "capacity", "storage"]);
    let capacity = bound.then(|| capacity.map_or("0".to_owned(), |c| plain(Some(c))));
    text.field(0, "Capacity", capacity.unwrap_or_default());
    let modes = if bound { access_modes(value, &["status", "accessModes"]) } else { String::new() };
    text.field(0, "Access Modes", modes);
    text.field_if(0, "VolumeMode", value.str_at(&["spec", "volumeMode"]));
    if let Some(source) = value.at(&["spec", "dataSource"]) {
        text.line(0, "DataSource:");
        text.field_if(1, "APIGroup", source.str_at(&["apiGroup"]));
        text.field(1, "Kind", source.str_at(&["kind"]).unwrap_or_default());
        text.field(1, "Name", source.str_at(&["name"]).unwrap_or_default());
    }
}

pub(super) fn claim(text: &mut Text, it: &Subject<'_>) {
    claim_fields(text, it.value, true);
    let owners: Vec<&str> = it
        .value
        .items_at(&["metadata", "ownerReferences"])
        .iter()
        .filter(|owner| owner.str_at(&["kind"]) == Some("Pod"))
        .filter_map(|owner| owner.str_at(&["uid"]))
        .collect();
    let pods = it.store.list_in(Kind::Pod, &it.object.meta.namespace).filter(|object| {
        let mounts = object.pod().is_some_and(|pod| {
            pod.spec.volumes.iter().any(|(_, source)| {
                matches!(source, VolumeSource::PersistentVolumeClaim(name)
                    if **name == *it.object.meta.name)
            })
        });
        mounts || owners.contains(&object.meta.uid.to_string().as_str())
    });
    let pods: Vec<String> = pods.map(|pod| pod.meta.name.to_string()).collect();
    text.list("Used By", &pods);
    let conditions = it.value.items_at(&["status", "conditions"]);
    if !conditions.is_empty() {
        text.line(0, "Conditions:");
        text.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage");
        let under = "----\t------\t-----------------\t------------------\t------\t-------";
        text.line(1, under);
        for condition in conditions {
            let line = condition_line(text, condition, "lastProbeTime");
            text.line(1, line);
        }
    }
    text.events(it.events);
}

fn condition_line(text: &Text, condition: &Value, first: &str) -> String {
    let at = |key| condition.str_at(&[key]).unwrap_or_default();
    let (seen, changed) = (
        text.go_time(condition.str_at(&[first])),
        text.go_time(condition.str_at(&["lastTransitionTime"])),
    );
    let (name, status, reason) = (at("type"), at("status"), at("reason"));
    format!("{name} \t{status} \t{seen} \t{changed} \t{reason} \t{}", at("message"))
}

pub(super) fn volume(text: &mut Text, it: &Subject<'_>) {
    let value = it.value;
    let at = |path: &[&str]| value.str_at(path).unwrap_or_default().to_owned();
    text.field(0, "Name", &it.object.meta.name);
    text.labels(value);
    annotations(text, it);
    text.field(0, "Finalizers", finalizers(value));
    text.field(0, "StorageClass", at(&["spec", "storageClassName"]));
    let status = status_of(text, value);
    text.field(0, "Status", status);
    let claim = match value.at(&["spec", "claimRef"]) {
        Some(_) => {
            format!(
                "{}/{}",
                at(&["spec", "claimRef", "namespace"]),
                at(&["spec", "claimRef", "name"])
            )
        }
        None => String::new(),
    };
    text.field(0, "Claim", claim);
    text.field(0, "Reclaim Policy", at(&["spec", "persistentVolumeReclaimPolicy"]));
    text.field(0, "Access Modes", access_modes(value, &["spec", "accessModes"]));
    text.field_if(0, "VolumeMode", value.str_at(&["spec", "volumeMode"]));
    text.field(0, "Capacity", plain(value.at(&["spec", "capacity", "storage"])));
    node_affinity(text, value.at(&["spec", "nodeAffinity", "required"]));
    text.field(0, "Message", at(&["status", "message"]));
    text.line(0, "Source:");
    super::volumes::of_volume(text, value.get("spec").unwrap_or(&Value::Null));
    text.events(it.events);
}

/// Models describe.go printVolumeNodeAffinity.
fn node_affinity(text: &mut Text, required: Option<&Value>) {
    let Some(required) = required else {
        text.field(0, "Node Affinity", "<none>");
        return;
    };
    text.line(0, "Node Affinity:\t");
    let terms = required.items_at(&["nodeSelectorTerms"]);
    if terms.is_empty() {
        text.field(1, "Required Terms", "<none>");
        return;
    }
    text.line(1, "Required Terms:\t");
    for (number, term) in terms.iter().enumerate() {
        let requirement = |it: &Value| {
            let (key, operator) = (it.str_at(&["key"]), it.str_at(&["operator"]));
            let operator = operator.unwrap_or_default().to_lowercase();
            format!("{} {operator}{}", key.unwrap_or_default(), in_brackets(it))
        };
        let lines = term.items_at(&["matchExpressions"]).iter().map(requirement).collect();
        terms_lines(text, 2, &format!("Term {number}"), lines);
    }
}

/// ` [a, b]`, or nothing without values.
fn in_brackets(requirement: &Value) -> String {
    let values: Vec<&str> =
        requirement.items_at(&["values"]).iter().filter_map(Value::as_str).collect();
    if values.is_empty() { String::new() } else { format!(" [{}]", values.join(", ")) }
}

fn terms_lines(text: &mut Text, level: usize, title: &str, lines: Vec<String>) {
    let first = lines.first().map_or("<none>", String::as_str);
    text.line(level, format!("{title}:\t{first}"));
    for line in lines.iter().skip(1) {
        text.line(level, format!("\t{line}"));
    }
}

pub(super) fn storage_class(text: &mut Text, it: &Subject<'_>) {
    let value = it.value;
    text.field(0, "Name", &it.object.meta.name);
    let default =
        value.str_at(&["metadata", "annotations", "storageclass.kubernetes.io/is-default-class"]);
    text.field(0, "IsDefaultClass", if default == Some("true") { "Yes" } else { "No" });
    text.field(0, "Annotations", super::text::pairs(value.at(&["metadata", "annotations"])));
    text.field(0, "Provisioner", value.str_at(&["provisioner"]).unwrap_or_default());
    text.field(0, "Parameters", super::text::pairs(value.get("parameters")));
    let expands = match value.bool_at(&["allowVolumeExpansion"]) {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    text.field(0, "AllowVolumeExpansion", expands);
    let options = value.items_at(&["mountOptions"]);
    match options.is_empty() {
        true => text.field(0, "MountOptions", "<none>"),
        false => text.line(0, "MountOptions:"),
    }
    for option in options {
        text.line(1, option.as_str().unwrap_or_default());
    }
    text.field_if(0, "ReclaimPolicy", value.str_at(&["reclaimPolicy"]));
    text.field_if(0, "VolumeBindingMode", value.str_at(&["volumeBindingMode"]));
    let topologies = value.items_at(&["allowedTopologies"]);
    if !topologies.is_empty() {
        text.line(0, "AllowedTopologies:\t");
    }
    for (number, term) in topologies.iter().enumerate() {
        let line = |it: &Value| {
            format!("{} in{}", it.str_at(&["key"]).unwrap_or_default(), in_brackets(it))
        };
        let lines = term.items_at(&["matchLabelExpressions"]).iter().map(line).collect();
        terms_lines(text, 1, &format!("Term {number}"), lines);
    }
    text.events(it.events);
}

pub(super) fn service_account(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.labels(it.value);
    annotations(text, it);
    let secrets = it.value.items_at(&["imagePullSecrets"]).iter();
    let names: Vec<&str> = secrets.filter_map(|secret| secret.str_at(&["name"])).collect();
    text.field(0, "Image pull secrets", names.first().copied().unwrap_or("<none>"));
    for name in names.iter().skip(1) {
        text.line(0, format!("                   \t{name}"));
    }
    text.events(it.events);
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
