//! Where volumes come from.
//!
//! Models describe.go describeVolumes, describePersistentVolume and the print…VolumeSource
//! functions.

use super::text::{Text, plain};
use crate::api::Value;
use crate::api::tree::Tree as _;

/// How a field of a source is shown.
#[derive(Clone, Copy)]
enum Form {
    /// A text, empty without.
    Text,
    /// A text, or this without.
    Or(&'static str),
    /// `true` or `false`.
    Bool,
    /// A number, 0 without.
    Number,
    /// `[a b]`.
    List,
    /// `a, b`.
    Joined,
    /// `map[k:v]`.
    Map,
    /// What Go shows of a reference to a Secret.
    Secret,
    /// `a=b` lines.
    Pairs,
}

use Form::{Bool, Joined, List, Map, Number, Or, Pairs, Secret, Text as Plain};

/// One kind of source: its field in the specification, what it is called, and its own fields with
/// their titles.
struct Source(&'static str, &'static str, &'static [(&'static str, &'static str, Form)]);

const FS_TYPE: (&str, &str, Form) = ("FSType", "fsType", Plain);
const READ_ONLY: (&str, &str, Form) = ("ReadOnly", "readOnly", Bool);
const SECRET: (&str, &str, Form) = ("SecretRef", "secretRef", Secret);

/// Sources of pods and of PersistentVolumes; `csi` and some others differ between the two.
#[rustfmt::skip]
const SOURCES: &[Source] = &[
    Source("hostPath", "HostPath (bare host directory volume)",
        &[("Path", "path", Plain), ("HostPathType", "type", Or("<none>"))]),
    Source("gcePersistentDisk", "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        &[("PDName", "pdName", Plain), FS_TYPE, ("Partition", "partition", Number), READ_ONLY]),
    Source("awsElasticBlockStore", "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        &[("VolumeID", "volumeID", Plain), FS_TYPE, ("Partition", "partition", Number), READ_ONLY]),
    Source("gitRepo", "GitRepo (a volume that is pulled from git when the pod is created)",
        &[("Repository", "repository", Plain), ("Revision", "revision", Plain)]),
    Source("secret", "Secret (a volume populated by a Secret)",
        &[("SecretName", "secretName", Plain), ("Optional", "optional", Bool)]),
    Source("configMap", "ConfigMap (a volume populated by a ConfigMap)",
        &[("Name", "name", Plain), ("Optional", "optional", Bool)]),
    Source("nfs", "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[("Server", "server", Plain), ("Path", "path", Plain), READ_ONLY]),
    Source("iscsi", "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
        &[("TargetPortal", "targetPortal", Plain), ("IQN", "iqn", Plain), ("Lun", "lun", Number),
          ("ISCSIInterface", "iscsiInterface", Plain), FS_TYPE, READ_ONLY, ("Portals", "portals", List),
          ("DiscoveryCHAPAuth", "chapAuthDiscovery", Bool), ("SessionCHAPAuth", "chapAuthSession", Bool),
          SECRET, ("InitiatorName", "initiatorName", Or("<none>"))]),
    Source("glusterfs", "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        &[("EndpointsName", "endpoints", Plain), ("Path", "path", Plain), READ_ONLY]),
    Source("persistentVolumeClaim", "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[("ClaimName", "claimName", Plain), READ_ONLY]),
    Source("rbd", "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
        &[("CephMonitors", "monitors", List), ("RBDImage", "image", Plain), FS_TYPE, ("RBDPool", "pool", Plain),
          ("RadosUser", "user", Plain), ("Keyring", "keyring", Plain), SECRET, READ_ONLY]),
    Source("quobyte", "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
        &[("Registry", "registry", Plain), ("Volume", "volume", Plain), READ_ONLY]),
    Source("azureDisk", "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        &[("DiskName", "diskName", Plain), ("DiskURI", "diskURI", Plain), ("Kind", "kind", Plain), FS_TYPE,
          ("CachingMode", "cachingMode", Plain), READ_ONLY]),
    Source("vsphereVolume", "vSphereVolume (a Persistent Disk resource in vSphere)",
        &[("VolumePath", "volumePath", Plain), FS_TYPE, ("StoragePolicyName", "storagePolicyName", Plain)]),
    Source("cinder", "Cinder (a Persistent Disk resource in OpenStack)",
        &[("VolumeID", "volumeID", Plain), FS_TYPE, READ_ONLY, SECRET]),
    Source("photonPersistentDisk", "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
        &[("PdID", "pdID", Plain), FS_TYPE]),
    Source("portworxVolume", "PortworxVolume (a Portworx Volume resource)", &[("VolumeID", "volumeID", Plain)]),
    Source("scaleIO", "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
        &[("Gateway", "gateway", Plain), ("System", "system", Plain), ("Protection Domain", "protectionDomain", Plain),
          ("Storage Pool", "storagePool", Plain), ("Storage Mode", "storageMode", Plain),
          ("VolumeName", "volumeName", Plain), FS_TYPE, READ_ONLY]),
    Source("local", "LocalVolume (a persistent volume backed by local storage on a node)", &[("Path", "path", Plain)]),
    Source("cephfs", "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        &[("Monitors", "monitors", List), ("Path", "path", Plain), ("User", "user", Plain),
          ("SecretFile", "secretFile", Plain), SECRET, READ_ONLY]),
    Source("storageos", "StorageOS (a StorageOS Persistent Disk resource)",
        &[("VolumeName", "volumeName", Plain), ("VolumeNamespace", "volumeNamespace", Plain), FS_TYPE, READ_ONLY]),
    Source("fc", "FC (a Fibre Channel disk)",
        &[("TargetWWNs", "targetWWNs", Joined), ("LUN", "lun", Or("<none>")), FS_TYPE, READ_ONLY]),
    Source("azureFile", "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        &[("SecretName", "secretName", Plain), ("ShareName", "shareName", Plain), READ_ONLY]),
    Source("flexVolume", "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
        &[("Driver", "driver", Plain), FS_TYPE, SECRET, READ_ONLY, ("Options", "options", Map)]),
    Source("flocker", "Flocker (a Flocker volume mounted by the Flocker agent)",
        &[("DatasetName", "datasetName", Plain), ("DatasetUUID", "datasetUUID", Plain)]),
    Source("csi", "CSI (a Container Storage Interface (CSI) volume source)",
        &[("Driver", "driver", Plain), FS_TYPE, READ_ONLY, ("VolumeAttributes", "volumeAttributes", Pairs)]),
    Source("image", "Image (a container image or OCI artifact)",
        &[("Reference", "reference", Plain), ("PullPolicy", "pullPolicy", Plain)]),
];

/// What is different where a PersistentVolume has the source.
#[rustfmt::skip]
const OF_VOLUMES: &[Source] = &[
    Source("csi", "CSI (a Container Storage Interface (CSI) volume source)",
        &[("Driver", "driver", Plain), FS_TYPE, ("VolumeHandle", "volumeHandle", Plain), READ_ONLY,
          ("VolumeAttributes", "volumeAttributes", Pairs)]),
    Source("glusterfs", "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        &[("EndpointsName", "endpoints", Plain), ("EndpointsNamespace", "endpointsNamespace", Or("<unset>")),
          ("Path", "path", Plain), READ_ONLY]),
    Source("azureFile", "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        &[("SecretName", "secretName", Plain), ("SecretNamespace", "secretNamespace", Plain),
          ("ShareName", "shareName", Plain), READ_ONLY]),
];

/// The volumes of a pod or a template.
pub(super) fn of_pod(text: &mut Text, volumes: &[Value], space: &str) {
    if volumes.is_empty() {
        text.line(0, format!("{space}Volumes:\t<none>"));
        return;
    }
    text.line(0, format!("{space}Volumes:"));
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes {
        let name = volume.str_at(&["name"]).unwrap_or_default();
        text.line(1, format!("{indent}{name}:"));
        let source = volume.as_object().into_iter().flatten().find(|(key, _)| *key != "name");
        match source {
            Some((kind, source)) => pod_source(text, kind, source),
            None => text.line(1, "<unknown>"),
        }
    }
}

/// The source of a PersistentVolume.
pub(super) fn of_volume(text: &mut Text, spec: &Value) {
    let found = OF_VOLUMES.iter().chain(SOURCES).find(|source| spec.get(source.0).is_some());
    match found {
        Some(source) => show(text, source, spec.get(source.0).unwrap_or(&Value::Null), false),
        None => text.line(1, "<unknown>"),
    }
}

fn pod_source(text: &mut Text, kind: &str, source: &Value) {
    match kind {
        "emptyDir" => {
            text.field(2, "Type", "EmptyDir (a temporary directory that shares a pod's lifetime)");
            text.field(2, "Medium", source.str_at(&["medium"]).unwrap_or_default());
            text.field(2, "SizeLimit", plain(source.get("sizeLimit")));
        }
        "downwardAPI" => {
            let words = "DownwardAPI (a volume populated by information about the pod)";
            text.field(2, "Type", words);
            text.line(2, "Items:");
            for item in source.items_at(&["items"]) {
                let path = item.str_at(&["path"]).unwrap_or_default();
                for field in [["fieldRef", "fieldPath"], ["resourceFieldRef", "resource"]] {
                    if let Some(field) = item.str_at(&field) {
                        text.line(3, format!("{field} -> {path}"));
                    }
                }
            }
        }
        "projected" => projected(text, source),
        "ephemeral" => {
            let words = "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)";
            text.field(2, "Type", words);
            if let Some(template) = source.get("volumeClaimTemplate") {
                let mut inner = text.nested(2);
                super::storage::claim_fields(&mut inner, template, false);
                text.take(inner);
            }
        }
        kind => match SOURCES.iter().find(|source| source.0 == kind) {
            Some(known) => show(text, known, source, true),
            None => text.line(1, "<unknown>"),
        },
    }
}

fn show(text: &mut Text, Source(_, words, fields): &Source, source: &Value, in_pod: bool) {
    text.field(2, "Type", words);
    for (title, key, form) in *fields {
        let value = source.get(*key);
        let shown = match form {
            Plain => value.map(|value| plain(Some(value))).unwrap_or_default(),
            Or(without) => value.map_or((*without).to_owned(), |value| plain(Some(value))),
            Bool => value.and_then(Value::as_bool).unwrap_or_default().to_string(),
            Number => value.and_then(Value::as_i64).unwrap_or_default().to_string(),
            List => value.map_or("[]".to_owned(), crate::api::go_value),
            Map => value.map_or("map[]".to_owned(), crate::api::go_value),
            Joined => {
                let items = source.items_at(&[key]).iter().filter_map(Value::as_str);
                items.collect::<Vec<_>>().join(", ")
            }
            Secret => value.map_or("nil".to_owned(), |secret| reference(secret, in_pod)),
            Pairs => {
                pairs(text, title, value);
                continue;
            }
        };
        // Upstream forgets a colon.
        let colon = if *title == "ISCSIInterface" { "" } else { ":" };
        text.line(2, format!("{title}{colon}\t{shown}"));
    }
}

/// `&SecretReference{Name:x,Namespace:y,}`; a pod's is in its own namespace.
fn reference(secret: &Value, in_pod: bool) -> String {
    let at = |key| secret.str_at(&[key]).unwrap_or_default();
    match in_pod {
        true => format!("&LocalObjectReference{{Name:{},}}", at("name")),
        false => {
            format!("&SecretReference{{Name:{},Namespace:{},}}", at("name"), at("namespace"))
        }
    }
}

fn pairs(text: &mut Text, title: &str, map: Option<&Value>) {
    let lines: Vec<String> = map
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let first = lines.first().map_or("<none>", String::as_str);
    text.line(2, format!("{title}:\t{first}"));
    for line in lines.iter().skip(1) {
        text.line(2, format!("    \t{line}"));
    }
}

fn projected(text: &mut Text, source: &Value) {
    let words = "Projected (a volume that contains injected data from multiple sources)";
    text.field(2, "Type", words);
    for part in source.items_at(&["sources"]) {
        if let Some(secret) = part.get("secret") {
            text.field(2, "SecretName", secret.str_at(&["name"]).unwrap_or_default());
            text.field(2, "Optional", secret.bool_at(&["optional"]).unwrap_or_default());
        } else if part.get("downwardAPI").is_some() {
            text.field(2, "DownwardAPI", "true");
        } else if let Some(map) = part.get("configMap") {
            text.field(2, "ConfigMapName", map.str_at(&["name"]).unwrap_or_default());
            text.field(2, "Optional", map.bool_at(&["optional"]).unwrap_or_default());
        } else if let Some(token) = part.get("serviceAccountToken") {
            let seconds = token.int_at(&["expirationSeconds"]).unwrap_or_default();
            text.field(2, "TokenExpirationSeconds", seconds);
        }
    }
}
