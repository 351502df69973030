//! Ingresses that name no class.

use crate::api::tree::TreeMut as _;
use crate::api::{Kind, Object};
use crate::store::storage::Store;
use std::sync::Arc;

/// An Ingress without a class gets the default one: the newest of several.
///
/// Models plugin/pkg/admission/network/defaultingressclass/admission.go.
pub(super) fn default_class(store: &Store, object: &mut Object) {
    const OLD: &str = "kubernetes.io/ingress.class";
    const IS_DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
    let annotations = &object.meta.annotations;
    if object.spec().get("ingressClassName").is_some() || annotations.get(OLD).is_some() {
        return;
    }
    let is_default = |class: &&Arc<Object>| class.meta.annotations.get(IS_DEFAULT) == Some("true");
    let defaults = store.list(Kind::IngressClass).filter(is_default);
    // Times are kept to the second, and of equals the first by name is taken.
    let second = |class: &Arc<Object>| class.meta.creation_timestamp.as_micros() / 1_000_000;
    let newest = defaults.min_by_key(|class| core::cmp::Reverse(second(class)));
    if let Some(class) = newest {
        let mut spec = object.spec().clone();
        spec.put(&["ingressClassName"], &*class.meta.name);
        object.set_spec(spec);
    }
}
