//! Services: what stays when their writer left it out, what goes with a change of their type, and
//! which addresses and ports they get.
//!
//! Models pkg/registry/core/service/storage/storage.go and …/strategy.go.
//!
//! Reading order: this file, `addresses.rs`, `ports.rs`.

mod addresses;
mod ports;

use super::{content, spec_text};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, FieldError, Object, Value};
use crate::store::server::invalid;
use crate::store::storage::Store;
use serde_json::{Map, json};

pub use addresses::SERVICE_CIDR;
pub use ports::NODE_PORTS;

/// Why a Service gets no address or no port.
enum Refused {
    /// A field is wrong.
    Fields(Vec<FieldError>),
    /// The server cannot do it.
    Other(ApiError),
}

impl From<FieldError> for Refused {
    fn from(error: FieldError) -> Self {
        Refused::Fields(vec![error])
    }
}

/// Gives a Service its addresses and ports, or takes over those of `old`.
pub(super) fn allocate(
    store: &mut Store,
    object: &mut Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    content(object)?;
    let mut spec = object.spec().clone();
    let old = old.map(Object::spec);
    if let Some(old) = old {
        keep_allocated(&mut spec, old);
    }
    match allocate_all(store, &mut spec, old) {
        Ok(()) => object.set_spec(spec),
        Err(Refused::Other(error)) => return Err(error),
        Err(Refused::Fields(causes)) => {
            return Err(invalid(object.kind, &object.meta.name, causes));
        }
    }
    Ok(())
}

fn allocate_all(store: &mut Store, spec: &mut Value, old: Option<&Value>) -> Result<(), Refused> {
    addresses::synchronize(spec, old);
    addresses::choose_families(spec, old).map_err(Refused::Fields)?;
    addresses::cluster_ip(store, spec, old)?;
    ports::node_ports(store, spec, old)?;
    ports::health_check_port(store, spec, old)
}

fn type_of(spec: &Value) -> &str {
    spec.str_at(&["type"]).unwrap_or_default()
}

fn needs_cluster_ip(spec: &Value) -> bool {
    type_of(spec) != "ExternalName"
}

fn needs_health_check(spec: &Value) -> bool {
    type_of(spec) == "LoadBalancer" && spec.str_at(&["externalTrafficPolicy"]) == Some("Local")
}

/// A manifest rarely repeats what the server gave; then it stays.
///
/// Models storage.go patchAllocatedValues.
fn keep_allocated(spec: &mut Value, old: &Value) {
    if needs_cluster_ip(spec) && needs_cluster_ip(old) {
        for key in ["clusterIP", "clusterIPs"] {
            if let Some(value) = old.get(key).filter(|_| is_empty(spec.get(key))) {
                spec.put(&[key], value.clone());
            }
        }
    }
    let has_ports = |spec: &Value| match type_of(spec) {
        "NodePort" => true,
        "LoadBalancer" => spec.bool_at(&["allocateLoadBalancerNodePorts"]) != Some(false),
        _ => false,
    };
    if has_ports(spec) && has_ports(old) {
        ports::keep_node_ports(spec, old);
    }
    if needs_health_check(spec)
        && needs_health_check(old)
        && let Some(port) = old.get("healthCheckNodePort")
        && spec.int_at(&["healthCheckNodePort"]).unwrap_or_default() == 0
    {
        spec.put(&["healthCheckNodePort"], port.clone());
    }
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// Takes away what a Service's new type has no use for, where its writer left it as it was.
///
/// Models strategy.go dropTypeDependentFields.
#[inline(never)]
pub(super) fn drop_what_the_type_has_not(object: &mut Object, old: &Object) {
    let mut spec = object.spec().clone();
    let Some(fields) = spec.as_object_mut() else { return };
    drop_fields(fields, old.spec());
    let balanced = type_of(&spec) == "LoadBalancer";
    object.set_spec(spec);
    if !balanced {
        object.set_status(json!({"loadBalancer": {}}));
    }
}

/// Which types of Service have a use for something.
type Needs = fn(&Value) -> bool;

fn drop_fields(spec: &mut Map<String, Value>, old: &Value) {
    let now = Value::Object(spec.clone());
    let no_longer = |needs: Needs| needs(old) && !needs(&now);
    let same = |keys: &[&str]| keys.iter().all(|key| old.get(*key) == now.get(*key));
    let rules: [(Needs, &[&str]); 7] = [
        (needs_cluster_ip, &["clusterIP", "clusterIPs"]),
        (needs_cluster_ip, &["ipFamilies"]),
        (needs_cluster_ip, &["ipFamilyPolicy"]),
        (needs_health_check, &["healthCheckNodePort"]),
        (|spec| type_of(spec) == "LoadBalancer", &["allocateLoadBalancerNodePorts"]),
        (|spec| type_of(spec) == "LoadBalancer", &["loadBalancerClass"]),
        (is_reached_from_outside, &["externalTrafficPolicy"]),
    ];
    for (needs, keys) in rules {
        if no_longer(needs) && same(keys) {
            for key in keys {
                spec.remove(*key);
            }
        }
    }
    let has_ports = |spec: &Value| matches!(type_of(spec), "NodePort" | "LoadBalancer");
    if has_ports(old) && !has_ports(&now) && ports::has_no_new_node_port(&now, old) {
        let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten() {
            port.remove(&["nodePort"]);
        }
    }
}

/// Models pkg/api/service/util.go ExternallyAccessible.
fn is_reached_from_outside(spec: &Value) -> bool {
    match type_of(spec) {
        "NodePort" | "LoadBalancer" => true,
        "ClusterIP" => !spec.items_at(&["externalIPs"]).is_empty(),
        _ => false,
    }
}

/// What a Service as it is read has not, whatever was written.
///
/// Models storage.go defaultOnReadInternalTrafficPolicy.
pub(super) fn as_read(object: &mut Object) {
    if spec_text(object, "type") != "ExternalName"
        || object.spec().get("internalTrafficPolicy").is_none()
    {
        return;
    }
    let mut spec = object.spec().clone();
    spec.remove(&["internalTrafficPolicy"]);
    object.set_spec(spec);
}
