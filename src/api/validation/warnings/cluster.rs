//! Volumes, classes, nodes, network policies, endpoints: what is not about pods.
//!
//! Models pkg/api/persistentvolume/util.go, pkg/api/storage/util.go and the strategies of
//! pkg/registry/core/node, …/endpoint, …/secret, networking/networkpolicy and
//! discovery/endpointslice.

use super::super::addresses::{warnings_for_address, warnings_for_range};
use super::super::path::{Fields as _, Path};
use super::pod::{deprecated_label, selector_term};
use crate::api::{Value, certificate};

fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.sub("metadata")?.sub("annotations")?.sub(key)
}

const BETA_CLASS: (&str, &str) = (
    "volume.beta.kubernetes.io/storage-class",
    "deprecated since v1.8; use \"storageClassName\" attribute instead",
);

fn old_annotations(object: &Value, known: &[(&str, &str)], found: &mut Vec<String>) {
    for (key, text) in known {
        if annotation(object, key).is_some() {
            found.push(format!("metadata.annotations[{key}]: {text}"));
        }
    }
}

/// A claim's annotations.
pub(super) fn claim(object: &Value, found: &mut Vec<String>) {
    old_annotations(object, &[BETA_CLASS], found);
}

pub(super) fn volume(object: &Value, spec: &Value, found: &mut Vec<String>) {
    const SOURCES: [(&str, &str, &str); 6] = [
        ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        (
            "photonPersistentDisk",
            "photonPersistentDisk",
            "deprecated in v1.11, non-functional in v1.16+",
        ),
        ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ];
    let options = (
        "volume.beta.kubernetes.io/mount-options",
        "deprecated since v1.31; use \"mountOptions\" attribute instead",
    );
    old_annotations(object, &[BETA_CLASS, options], found);
    if spec.text("persistentVolumeReclaimPolicy") == "Recycle" {
        found.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. \
             Instead, the recommended approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    let required = spec.sub("nodeAffinity").and_then(|affinity| affinity.sub("required"));
    let terms = required.map_or(&[][..], |required| required.list("nodeSelectorTerms"));
    let path = Path::root("spec");
    let path = path.child("nodeAffinity");
    let path = path.child("required");
    let path = path.child("nodeSelectorTerms");
    for (index, term) in terms.iter().enumerate() {
        selector_term(term, false, &path.index(index), found);
    }
    for (source, shown, text) in SOURCES {
        if spec.sub(source).is_some() {
            found.push(format!("spec.{shown}: {text}"));
        }
    }
}

pub(super) fn storage_class(object: &Value, found: &mut Vec<String>) {
    for (index, topology) in object.list("allowedTopologies").iter().enumerate() {
        for (place, expression) in topology.list("matchLabelExpressions").iter().enumerate() {
            if let Some(text) = deprecated_label(expression.text("key")) {
                found.push(format!(
                    "allowedTopologies[{index}].matchLabelExpressions[{place}].key: {text}"
                ));
            }
        }
    }
}

pub(super) fn node(spec: &Value, found: &mut Vec<String>) {
    if spec.sub("configSource").is_some() {
        found.push("spec.configSource: the feature is removed".to_owned());
    }
    if !spec.text("externalID").is_empty() {
        found.push(
            "spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned(),
        );
    }
    let path = Path::root("spec");
    let path = path.child("podCIDRs");
    for (index, range) in spec.list("podCIDRs").iter().enumerate() {
        warnings_for_range(range.as_str().unwrap_or_default(), &path.index(index), found);
    }
}

pub(super) fn network_policy(spec: &Value, found: &mut Vec<String>) {
    let path = Path::root("spec");
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        let path = path.child(rules);
        for (index, rule) in spec.list(rules).iter().enumerate() {
            let path = path.index(index);
            let path = path.child(peers);
            for (index, peer) in rule.list(peers).iter().enumerate() {
                let Some(block) = peer.sub("ipBlock") else { continue };
                let path = path.index(index);
                let path = path.child("ipBlock");
                warnings_for_range(block.text("cidr"), &path.child("cidr"), found);
                let path = path.child("except");
                for (index, range) in block.list("except").iter().enumerate() {
                    let range = range.as_str().unwrap_or_default();
                    warnings_for_range(range, &path.index(index), found);
                }
            }
        }
    }
}

pub(super) fn endpoints(object: &Value, found: &mut Vec<String>) {
    let path = Path::root("subsets");
    for (index, subset) in object.list("subsets").iter().enumerate() {
        let path = path.index(index);
        for list in ["addresses", "notReadyAddresses"] {
            let path = path.child(list);
            for (index, address) in subset.list(list).iter().enumerate() {
                let path = path.index(index);
                warnings_for_address(address.text("ip"), &path.child("ip"), found);
            }
        }
    }
}

pub(super) fn endpoint_slice(object: &Value, is_new: bool, found: &mut Vec<String>) {
    if is_new && object.text("addressType") == "FQDN" {
        found.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
    }
    let path = Path::root("endpoints");
    for (index, endpoint) in object.list("endpoints").iter().enumerate() {
        let path = path.index(index);
        let path = path.child("addresses");
        for (index, address) in endpoint.list("addresses").iter().enumerate() {
            let address = address.as_str().unwrap_or_default();
            warnings_for_address(address, &path.index(index), found);
        }
    }
}

/// Models pkg/registry/storage/csidriver/strategy.go WarningsOnCreate.
pub(super) fn csi_driver(spec: &Value, found: &mut Vec<String>) {
    let is_unset = spec.sub("serviceAccountTokenInSecrets").is_none();
    if is_unset && !spec.list("tokenRequests").is_empty() {
        found.push("spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes".to_owned());
    }
}

/// A certificate and a key that are none.
///
/// Models pkg/registry/core/secret/strategy.go warningsForSecret.
pub(super) fn secret(object: &Value, found: &mut Vec<String>) {
    if object.text("type") != "kubernetes.io/tls" {
        return;
    }
    let text = |key: &str| {
        let text = object.sub("data").map(|data| data.text(key)).unwrap_or_default();
        let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    found.extend(certificate::pair_fault(&text("tls.crt"), &text("tls.key")));
}
