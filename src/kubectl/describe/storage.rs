//! Configuration, volumes, claims and their classes.
//!
//! Models describe.go ConfigMapDescriber, describeSecret, describePersistentVolume,
//! describePersistentVolumeClaim, describeStorageClass.

use super::text::{Text, plain};
use super::workloads::Subject;
use crate::api::pod::VolumeSource;
use crate::api::tree::Tree as _;
use crate::api::volume_match::OLD_CLASS;
use crate::api::{Kind, Value};

pub(super) fn config_map(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
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
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
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
    let annotated = ["metadata", "annotations", OLD_CLASS];
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
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    text.field(0, "Finalizers", finalizers(value));
    let class = value.str_at(&["metadata", "annotations", OLD_CLASS]);
    text.field(
        0,
        "StorageClass",
        class.map_or_else(|| at(&["spec", "storageClassName"]), str::to_owned),
    );
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
