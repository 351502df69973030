//! The `ephemeralcontainers` subresource of a pod: containers that somebody adds to look around.

use super::admission;
use super::server::{Context, invalid};
use super::storage::{ObjectKey, Store};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, PodSpec, Value, defaults, validation};
use std::sync::Arc;

impl Store {
    /// Gives a pod other ephemeral containers: those that are there stay as they are, and new ones
    /// are added.
    ///
    /// Models pkg/registry/core/pod/strategy.go podEphemeralContainersStrategy.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` with all its causes; `Forbidden` by the namespace's Pod Security.
    pub fn update_ephemeral_containers(
        &mut self,
        context: &Context,
        key: &ObjectKey,
        containers: &[Value],
    ) -> Result<Arc<Object>, ApiError> {
        let old = self.get(Kind::Pod, key).cloned();
        let old = old.ok_or_else(|| ApiError::not_found("pods", &key.name))?;
        let before = old.to_value();
        let mut value = before.clone();
        value.put(&["spec", "ephemeralContainers"], containers.to_vec());
        defaults::apply(Kind::Pod, &mut value);
        let causes = validation::validate_ephemeral_containers(&value, &before);
        if !causes.is_empty() {
            return Err(invalid(Kind::Pod, &key.name, causes));
        }
        let mut new = (*old).clone();
        if let Some(pod) = new.pod_mut() {
            let mut tree = pod.spec.tree.clone();
            let containers = value.items_at(&["spec", "ephemeralContainers"]).to_vec();
            tree.put(&["ephemeralContainers"], containers);
            if tree == pod.spec.tree {
                return Ok(old);
            }
            pod.spec = Arc::new(PodSpec::from_value(tree));
        }
        new.meta.generation += 1;
        admission::validate(self, context, &new, Some(&old))?;
        Ok(self.put(new, &context.cause))
    }
}
