//! Claims and volumes: the default class, what keeps them while they are used, and growth.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::volume_match::OLD_CLASS;
use crate::api::{ApiError, Kind, Object};
use crate::base::Quantity;
use crate::store::storage::Store;
use std::sync::Arc;

/// A claim without a class gets the default one: the newest of several.
///
/// Models plugin/pkg/admission/storage/storageclass/setdefault/admission.go and
/// pkg/volume/util/storageclass.go GetDefaultClass.
pub(super) fn default_class(store: &Store, object: &mut Object) {
    if object.spec().get("storageClassName").is_some()
        || object.meta.annotations.get(OLD_CLASS).is_some()
    {
        return;
    }
    let is_default = |class: &&Arc<Object>| {
        let names = ["storageclass.kubernetes.io", "storageclass.beta.kubernetes.io"];
        names.iter().any(|name| {
            class.meta.annotations.get(&format!("{name}/is-default-class")) == Some("true")
        })
    };
    let defaults = store.list(Kind::StorageClass).filter(is_default);
    // Of those made at the same moment the first by name.
    let newest = defaults.reduce(|best, class| {
        let newer = class.meta.creation_timestamp > best.meta.creation_timestamp;
        if newer { class } else { best }
    });
    if let Some(class) = newest {
        let mut spec = object.spec().clone();
        spec.put(&["storageClassName"], &*class.meta.name);
        object.set_spec(spec);
    }
}

/// Only what was provisioned by a class that allows it can grow.
///
/// Models plugin/pkg/admission/storage/persistentvolume/resize/admission.go.
#[inline(never)]
pub(super) fn check_growth(store: &Store, object: &Object, old: &Object) -> Result<(), ApiError> {
    let size = |object: &Object| {
        let size = object.spec().at(&["resources", "requests", "storage"]);
        size.and_then(crate::api::pod::quantity_of).unwrap_or(Quantity::ZERO)
    };
    if size(object) <= size(old) {
        return Ok(());
    }
    let class = |object: &Object| {
        object.spec().str_at(&["storageClassName"]).unwrap_or_default().to_owned()
    };
    let expands = || {
        let class_name = class(object);
        let found = store.find(Kind::StorageClass, "", &class_name);
        class_name == class(old)
            && found.is_some_and(|found| {
                found.content().bool_at(&["allowVolumeExpansion"]) == Some(true)
            })
    };
    let why = if old.status().str_at(&["phase"]) != Some("Bound") {
        "Only bound persistent volume claims can be expanded"
    } else if !expands() {
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the \
         pvc must support resize"
    } else {
        return Ok(());
    };
    Err(ApiError::forbidden("persistentvolumeclaims", &object.meta.name, why))
}
