//! The API server's own work on a stored object: names, UIDs, generations, conflicts, graceful
//! deletion and finalizers.
//!
//! Models staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go and
//! …/registry/rest/{create,update,delete}.go.

use super::admission::{self, Webhook};
use super::custom;
use super::managed::{self, Manager};
use super::storage::{ObjectKey, Store};
use super::strategy::{self, add_finalizer};
use super::write::{Cause, DeleteOptions, Propagation};
use crate::api::pod::ConditionType;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Body, Deletion, Kind, ManagedFields, Object, Reason, Uid};
use crate::base::{SimTime, names};
use core::time::Duration;
use serde_json::Value;
use std::sync::Arc;

/// The finalizer that makes a foreground deletion wait for dependents.
pub const FOREGROUND_FINALIZER: &str = "foregroundDeletion";
/// The finalizer that makes the garbage collector set dependents free.
pub const ORPHAN_FINALIZER: &str = "orphan";

/// Who asks, and when.
#[derive(Clone, Debug)]
pub struct Context {
    /// Virtual time of the request.
    pub now: SimTime,
    /// Who writes, and why.
    pub cause: Cause,
    /// Whether fields are validated; what controllers make of validated objects needs no second
    /// look.
    pub validate: bool,
    /// The webhooks whose answers are known.
    pub webhooks: &'static [&'static dyn Webhook],
    /// Who manages what is written.
    pub manager: Manager,
}

impl Store {
    /// Stores a new object that has its defaults.
    ///
    /// # Errors
    /// `NotFound` without its namespace, `Forbidden` by admission, `Invalid` with all its causes,
    /// `AlreadyExists`.
    pub fn create(
        &mut self,
        context: &Context,
        mut object: Object,
    ) -> Result<Arc<Object>, ApiError> {
        if !object.kind.resource().has_verb("update") {
            return Err(ApiError::not_allowed());
        }
        self.warn_of_kind(context, object.kind);
        self.check_namespace(&object)?;
        object.meta.resource_version = 0;
        if object.meta.is_terminating() {
            object.meta.deletion = None;
        }
        let definition = self.definition_of(object.kind).cloned();
        let managers = managed::created(context, &object, definition.as_deref());
        set_managers(&mut object, managers);
        admission::mutate(self, &mut object, None)?;
        object.meta.uid = Uid(self.rng().uuid());
        object.meta.creation_timestamp = context.now;
        self.name(&mut object);
        admission::begin(self, context, &mut object, None)?;
        strategy::prepare_for_create(&mut object, context.now);
        if context.validate {
            admission::validate_fields(self, context, &object, None)?;
        }
        admission::validate(self, context, &object, None)?;
        let charges = admission::check_quota(self, &object, None)?;
        if let Some(existing) = self.get(object.kind, &ObjectKey::of(&object)) {
            return Err(already_exists(existing));
        }
        admission::charge(self, context, charges);
        if object.kind == Kind::CustomResourceDefinition {
            custom::establish(&mut object, context.now);
        }
        Ok(self.put(object, &context.cause))
    }

    /// Makes a name from `generateName`, one that nobody has.
    ///
    /// Models store.go createWithGenerateNameRetry; for LimitRanges, which need no name at all, the
    /// PrepareForCreate of pkg/registry/core/limitrange/strategy.go.
    fn name(&mut self, object: &mut Object) {
        const MOST_TRIES: usize = 8;
        let is_named = !object.meta.name.is_empty() || !object.meta.generate_name.is_empty();
        if object.kind == Kind::LimitRange && !is_named {
            object.meta.name = Uid(self.rng().uuid()).to_string().into();
        }
        if !object.meta.name.is_empty() || object.meta.generate_name.is_empty() {
            return;
        }
        for _ in 0..MOST_TRIES {
            object.meta.name = names::generate_name(self.rng(), &object.meta.generate_name).into();
            if self.get(object.kind, &ObjectKey::of(object)).is_none() {
                return;
            }
        }
    }

    /// Replaces metadata and desired state; `status` stays as stored.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` with an old resource version, `Invalid` with all its causes.
    pub fn update(
        &mut self,
        context: &Context,
        mut object: Object,
    ) -> Result<Arc<Object>, ApiError> {
        self.warn_of_kind(context, object.kind);
        let key = ObjectKey::of(&object);
        let old = self.current(object.kind, &key, object.meta.resource_version)?;
        if object.meta.uid != Uid::default() && object.meta.uid != old.meta.uid {
            return Err(ApiError::conflict(&object.kind.group_resource(), &key.name));
        }
        object.meta.uid = old.meta.uid;
        object.meta.creation_timestamp = old.meta.creation_timestamp;
        if object.meta.deletion != old.meta.deletion {
            object.meta.deletion = old.meta.deletion;
        }
        object.meta.generation = old.meta.generation;
        object.meta.resource_version = old.meta.resource_version;
        if self.has_status(object.kind) {
            keep_status(&mut object, &old);
        }
        let definition = self.definition_of(object.kind).cloned();
        let managers = managed::updated(context, &object, &old, definition.as_deref());
        set_managers(&mut object, managers);
        admission::mutate(self, &mut object, Some(&old))?;
        admission::begin(self, context, &mut object, Some(&old))?;
        strategy::prepare_for_update(&mut object, &old, context.validate);
        if context.validate {
            admission::validate_fields(self, context, &object, Some(&old))?;
        }
        admission::validate(self, context, &object, Some(&old))?;
        let charges = admission::check_quota(self, &object, Some(&old))?;
        admission::charge(self, context, charges);
        if object == *old {
            return Ok(old);
        }
        if object.meta.is_terminating() && is_free_to_go(&object) {
            self.put(object, &context.cause);
            return self
                .take(old.kind, &key, &context.cause)
                .ok_or_else(|| missing(old.kind, &key));
        }
        Ok(self.put(object, &context.cause))
    }

    /// Replaces `status` alone, the rest stays as stored. For pods this is the kubelet's and the
    /// scheduler's way.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` with an old resource version.
    pub fn update_status(
        &mut self,
        context: &Context,
        object: Object,
    ) -> Result<Arc<Object>, ApiError> {
        let key = ObjectKey::of(&object);
        let old = self.current(object.kind, &key, 0)?;
        if object.meta.uid != Uid::default() && object.meta.uid != old.meta.uid {
            return Err(ApiError::conflict(&object.kind.group_resource(), &key.name));
        }
        if !self.has_status(object.kind) {
            return Err(ApiError::no_such_resource());
        }
        let mut new = (*old).clone();
        match (&mut new.body, object.body) {
            (Body::Tree { status, .. }, Body::Tree { status: wanted, .. }) => *status = wanted,
            (Body::Pod(pod), Body::Pod(wanted)) => pod.status = wanted.status,
            _ => {}
        }
        if new.kind.is_custom() {
            admission::begin(self, context, &mut new, Some(&old))?;
        }
        if new == *old {
            return Ok(old);
        }
        Ok(self.put(new, &context.cause))
    }

    /// Binds a pod to a node, and copies the node's zone and region to the pod's labels.
    ///
    /// Models pkg/registry/core/pod/storage/storage.go BindingREST and
    /// plugin/pkg/admission/podtopologylabels.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if the pod is bound or on its way out.
    pub fn bind(
        &mut self,
        context: &Context,
        key: &ObjectKey,
        node: &Arc<str>,
    ) -> Result<Arc<Object>, ApiError> {
        let old = self.current(Kind::Pod, key, 0)?;
        let bound = old.pod().is_some_and(|pod| pod.node_name.is_some());
        if bound || old.meta.is_terminating() {
            return Err(ApiError::conflict("pods/binding", &key.name));
        }
        let mut new = (*old).clone();
        admission::copy_topology_labels(self, &mut new, node);
        if let Some(pod) = new.pod_mut() {
            pod.node_name = Some(node.clone());
            pod.status.nominated_node_name = None;
            pod.status.set_condition(ConditionType::PodScheduled, true, None, context.now);
        }
        Ok(self.put(new, &context.cause))
    }

    /// Asks for an object to be deleted. It is gone at once unless it has a grace period or
    /// finalizers; the object is returned as it is now or last was.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` with another UID.
    #[inline(never)]
    pub fn delete(
        &mut self,
        context: &Context,
        kind: Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<Arc<Object>, ApiError> {
        let old = self.current(kind, key, 0)?;
        strategy::check_delete(&old)?;
        if options.uid.is_some_and(|uid| uid != old.meta.uid) {
            return Err(ApiError::conflict(&kind.group_resource(), &key.name));
        }
        let request = admission::Request { new: None, old: Some(&old) };
        admission::ask_policies(self, context, request)?;
        let mut new = (*old).clone();
        add_propagation_finalizer(&mut new, options.propagation);
        if kind == Kind::CustomResourceDefinition {
            custom::end(&mut new, context.now);
        }
        let grace = grace_period_seconds(&old, options);
        match old.meta.deletion {
            Some(deletion) if grace >= deletion.grace_period_seconds => {}
            _ => mark_deleted(&mut new, context.now, grace),
        }
        if grace == 0 && is_free_to_go(&new) {
            return self.take(kind, key, &context.cause).ok_or_else(|| missing(kind, key));
        }
        if new == *old {
            return Ok(old);
        }
        Ok(self.put(new, &context.cause))
    }

    /// The stored object, if it is still at `resource_version` (0 takes any).
    fn current(
        &self,
        kind: Kind,
        key: &ObjectKey,
        resource_version: u64,
    ) -> Result<Arc<Object>, ApiError> {
        let object = self.get(kind, key).ok_or_else(|| missing(kind, key))?;
        if resource_version != 0 && resource_version != object.meta.resource_version {
            return Err(ApiError::conflict(&kind.group_resource(), &key.name));
        }
        Ok(object.clone())
    }

    /// Who writes a kind that is on its way out is told so, whatever comes of it.
    ///
    /// Models staging/src/k8s.io/apiserver/pkg/endpoints/deprecation.
    pub fn warn_of_kind(&mut self, context: &Context, kind: Kind) {
        if let Some(why) = deprecation(kind).filter(|_| context.validate) {
            self.warn(why);
        }
        if context.validate
            && let Some(warning) = self.deprecation_of(kind, context.manager.version())
        {
            self.warn(warning);
        }
    }

    /// Models staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
    fn check_namespace(&self, object: &Object) -> Result<(), ApiError> {
        if !object.kind.namespaced() {
            return Ok(());
        }
        let name = &object.meta.namespace;
        let Some(namespace) = self.find(Kind::Namespace, "", name) else {
            return Err(ApiError::not_found("namespaces", name));
        };
        if namespace.meta.is_terminating() && object.kind != Kind::Event {
            let why = format!(
                "unable to create new content in namespace {name} because it is being terminated"
            );
            let resource = object.kind.group_resource();
            return Err(ApiError::forbidden(&resource, &object.meta.name, &why));
        }
        Ok(())
    }
}

/// What is said of a kind that is on its way out.
///
/// Models staging/src/k8s.io/api/core/v1/lifecycle.go.
pub fn deprecation(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Endpoints => {
            Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
        }
        _ if kind.name() == "ComponentStatus" => Some("v1 ComponentStatus is deprecated in v1.19+"),
        _ => None,
    }
}

/// The error of an object that breaks rules of its fields.
pub fn invalid(kind: Kind, name: &str, causes: Vec<crate::api::FieldError>) -> ApiError {
    let group = kind.resource().group;
    let kind = match group {
        "" => kind.name().to_owned(),
        group => format!("{}.{group}", kind.name()),
    };
    ApiError::invalid(&kind, name, causes)
}

fn already_exists(existing: &Object) -> ApiError {
    let mut error = ApiError::already_exists(&existing.kind.group_resource(), &existing.meta.name);
    if existing.meta.is_terminating() {
        error.message = format!("object is being deleted: {}", error.message);
    }
    error
}

fn missing(kind: Kind, key: &ObjectKey) -> ApiError {
    ApiError::not_found(&kind.group_resource(), &key.name)
}

/// Says who manages an object. Pods of a template share their metadata's details, which writing the
/// same would end.
fn set_managers(object: &mut Object, managers: ManagedFields) {
    if object.meta.managed_fields != managers {
        object.meta.managed_fields = managers;
    }
}

fn keep_status(object: &mut Object, old: &Object) {
    match (&mut object.body, &old.body) {
        (Body::Tree { status, .. }, Body::Tree { status: stored, .. }) => status.clone_from(stored),
        (Body::Pod(pod), Body::Pod(stored)) => pod.status = stored.status.clone(),
        _ => {}
    }
}

/// Whether nothing keeps a terminating object any more.
fn is_free_to_go(object: &Object) -> bool {
    let grace = object.meta.deletion.map_or(0, |deletion| deletion.grace_period_seconds);
    let waits = match object.kind {
        Kind::Pod => grace > 0,
        Kind::Namespace => !object.spec().items_at(&["finalizers"]).is_empty(),
        _ => false,
    };
    object.meta.finalizers.is_empty() && !waits
}

/// Models pkg/registry/core/pod/strategy.go CheckGracefulDelete.
fn grace_period_seconds(object: &Object, options: &DeleteOptions) -> i64 {
    let Some(pod) = object.pod() else { return 0 };
    let own = pod.spec.termination_grace_period_seconds;
    let asked = options.grace_period_seconds.unwrap_or(own);
    let unseen = pod.node_name.is_none();
    if unseen || pod.status.phase.is_terminal() { 0 } else { asked.max(0) }
}

fn add_propagation_finalizer(object: &mut Object, propagation: Propagation) {
    let wanted = match propagation {
        Propagation::Background => return,
        Propagation::Foreground => FOREGROUND_FINALIZER,
        Propagation::Orphan => ORPHAN_FINALIZER,
    };
    add_finalizer(object, wanted);
}

/// Models staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go BeforeDelete.
fn mark_deleted(object: &mut Object, now: SimTime, grace: i64) {
    let seconds = u64::try_from(grace).unwrap_or_default();
    object.meta.deletion = Some(Deletion {
        timestamp: now + Duration::from_secs(seconds),
        grace_period_seconds: grace,
    });
    if object.meta.generation > 0 {
        object.meta.generation += 1;
    }
    if object.kind == Kind::Namespace {
        let mut status = object.status().clone();
        status.put(&["phase"], "Terminating");
        object.set_status(status);
    }
}

/// Reads an object that a person wrote: strictly decoded, with its defaults, in `namespace` if it
/// names none.
///
/// # Errors
/// `BadRequest` in the API server's words if it cannot be decoded.
pub fn read_object(kind: Kind, value: &Value, namespace: &str) -> Result<Object, ApiError> {
    let mut value = crate::manifest::decode(kind, value)?;
    if kind.namespaced() && value.str_at(&["metadata", "namespace"]).is_none_or(str::is_empty) {
        value.put(&["metadata", "namespace"], namespace);
    } else if !kind.namespaced() {
        value.remove(&["metadata", "namespace"]);
    }
    crate::api::defaults::apply(kind, &mut value);
    Ok(Object::from_value(kind, value))
}

/// A server that cannot do what was asked.
pub(super) fn internal_error(message: impl Into<String>) -> ApiError {
    ApiError::new(Reason::InternalError, message)
}
