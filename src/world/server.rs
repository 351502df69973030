//! The API server's front door: what people ask for, decoded, defaulted, validated and admitted.

use super::World;
use crate::addons;
use crate::api::{ApiError, Kind, Object, Value};
use crate::store::patch::{FieldValidation, Patch, Patched};
use crate::store::{Cause, Context, DeleteOptions, Manager, ObjectKey, read_object};
use std::sync::Arc;

impl World {
    /// Reads what a person wrote. Warnings about a kind come also if it cannot be read.
    fn read(&mut self, kind: Kind, value: &Value, namespace: &str) -> Result<Object, ApiError> {
        let object = self.decoded(kind, value, namespace);
        if object.is_err() {
            self.store.warn_of_kind(&self.person(), kind);
        }
        object
    }

    /// Creates what a person wrote, in `namespace` unless it names one.
    ///
    /// # Errors
    /// `BadRequest` if it cannot be decoded, and all that [`crate::store::Store::create`] refuses.
    pub fn create(
        &mut self,
        kind: Kind,
        value: &Value,
        namespace: &str,
    ) -> Result<Arc<Object>, ApiError> {
        let object = self.read(kind, value, namespace)?;
        let context = self.person();
        let result = self.store.create(&context, object);
        self.tell();
        result
    }

    /// Replaces an object with what a person wrote; its `status` stays. With
    /// `metadata.resourceVersion`, only if that is still current.
    ///
    /// # Errors
    /// `BadRequest` if it cannot be decoded, and all that [`crate::store::Store::update`] refuses.
    pub fn update(
        &mut self,
        kind: Kind,
        value: &Value,
        namespace: &str,
    ) -> Result<Arc<Object>, ApiError> {
        let object = self.read(kind, value, namespace)?;
        let context = self.person();
        let result = self.store.update(&context, object);
        self.tell();
        result
    }

    /// Replaces the `status` of an object: the `status` subresource.
    ///
    /// # Errors
    /// `BadRequest` if it cannot be decoded; `NotFound`; `Conflict`.
    pub fn update_status(
        &mut self,
        kind: Kind,
        value: &Value,
        namespace: &str,
    ) -> Result<Arc<Object>, ApiError> {
        let object = self.read(kind, value, namespace)?;
        let context = self.person();
        let result = self.store.update_status(&context, object);
        self.tell();
        result
    }

    /// Changes an object by a patch.
    ///
    /// # Errors
    /// All that [`crate::store::Store::patch`] refuses.
    pub fn patch(
        &mut self,
        kind: Kind,
        key: &ObjectKey,
        patch: &Patch,
    ) -> Result<Patched, ApiError> {
        let context = self.person();
        let result = self.store.patch(&context, kind, key, patch);
        self.tell();
        result
    }

    /// Makes an object have the fields that a person applies, the server-side way; `force` wins
    /// conflicts.
    ///
    /// # Errors
    /// All that [`crate::store::Store::apply`] refuses.
    pub fn apply(
        &mut self,
        kind: Kind,
        key: &ObjectKey,
        applied: &Value,
        force: bool,
    ) -> Result<Arc<Object>, ApiError> {
        let context = self.person();
        let result = self.store.apply(&context, kind, key, applied, force);
        self.tell();
        result
    }

    /// Makes one manager's written fields another one's applied ones.
    ///
    /// # Errors
    /// All that [`crate::store::Store::take_over`] refuses.
    pub fn take_over(
        &mut self,
        object: &Object,
        from: &[Arc<str>],
        to: &str,
    ) -> Result<Arc<Object>, ApiError> {
        let context = self.person();
        let result = self.store.take_over(&context, object, from, to);
        self.tell();
        result
    }

    /// Says under which name the requests that follow come (`fieldManager`), and which subresource
    /// they write; empty for the object itself.
    pub fn speak_as(&mut self, manager: &str, subresource: &'static str) {
        self.client = Manager::Client { name: Arc::from(manager), subresource };
    }

    /// Says what becomes of unknown fields in the objects that follow (`fieldValidation`).
    pub fn hold_against(&mut self, fields: FieldValidation) {
        self.unknown_fields = fields;
    }

    /// Decodes what a person wrote; what is not known of it is refused, warned of, or dropped.
    fn decoded(&mut self, kind: Kind, value: &Value, namespace: &str) -> Result<Object, ApiError> {
        let how = self.unknown_fields;
        if how == FieldValidation::Strict {
            return read_object(kind, value, namespace);
        }
        let (value, unknown) = self.store.without_unknown(kind, value)?;
        if how == FieldValidation::Warn {
            for path in unknown {
                self.store.warn(format!("unknown field \"{path}\""));
            }
        }
        read_object(kind, &value, namespace)
    }

    /// Asks for an object to be deleted, as a person does.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for the namespaces that the cluster needs; `Conflict`.
    pub fn delete(
        &mut self,
        kind: Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<Arc<Object>, ApiError> {
        let needed = ["default", "kube-system", "kube-public"];
        if kind == Kind::Namespace && needed.contains(&&*key.name) {
            let why = "this namespace may not be deleted";
            return Err(ApiError::forbidden("namespaces", &key.name, why));
        }
        let context = self.person();
        let result = self.store.delete(&context, kind, key, options);
        self.tell();
        result
    }

    /// Asks for a pod to leave its node, unless a PodDisruptionBudget forbids it: the pod's
    /// `eviction` subresource.
    ///
    /// Models pkg/registry/core/pod/storage/eviction.go.
    ///
    /// # Errors
    /// `NotFound`; `TooManyRequests` while the budget is spent.
    pub fn evict(
        &mut self,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<Arc<Object>, ApiError> {
        let context = self.person();
        let result = self.store.evict(&context, key, options);
        self.tell();
        result
    }

    /// Gives a pod other ephemeral containers: the pod's `ephemeralcontainers` subresource.
    ///
    /// # Errors
    /// All that [`crate::store::Store::update_ephemeral_containers`] refuses.
    pub fn update_ephemeral_containers(
        &mut self,
        key: &ObjectKey,
        containers: &[Value],
    ) -> Result<Arc<Object>, ApiError> {
        let context = self.person();
        let result = self.store.update_ephemeral_containers(&context, key, containers);
        self.tell();
        result
    }

    /// Takes what the API server had to say beside its answers since this was last called: what
    /// kubectl prints after `Warning: `.
    pub fn take_warnings(&mut self) -> Vec<String> {
        self.store.take_warnings()
    }

    /// Says of a kind that is read that it is on its way out, if it is.
    pub(super) fn warn_of(&mut self, kind: Kind) {
        self.store.warn_of_kind(&self.person(), kind);
    }

    fn person(&self) -> Context {
        let cause = Cause { writer: "kubectl".into(), working_on: None };
        let (now, webhooks, manager) = (self.now, addons::webhooks(), self.client.clone());
        Context { now, cause, validate: true, webhooks, manager }
    }
}
