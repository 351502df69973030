//! How each field of the API's types is patched.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/meta.go.

use crate::api::Kind;
use crate::manifest::schema::{self, Merge, Type};

/// A place in the types of the API.
#[derive(Clone, Debug)]
pub(crate) struct Meta(Type);

/// What is found one step further.
pub(crate) struct Step {
    /// The place; of a list, that of its items.
    pub(crate) below: Meta,
    /// How it is merged, where that is not the usual way.
    pub(crate) merge: Option<Merge>,
    /// Whether a patch may name the keys that stay.
    pub(crate) retain_keys: bool,
}

impl Step {
    /// The field by which items of a list are told apart; empty for a set of values.
    pub(crate) const fn merge_key(&self) -> &'static str {
        match self.merge {
            Some(Merge::ByKey(key)) => key,
            _ => "",
        }
    }

    /// Whether lists are merged item by item.
    pub(crate) const fn merges_lists(&self) -> bool {
        matches!(self.merge, Some(Merge::ByKey(_) | Merge::ByValue))
    }
}

impl Meta {
    /// The place of an object; `None` for kinds without types.
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        schema::name_of(kind).map(|name| Meta(Type::Named(name)))
    }

    /// The place of a field.
    ///
    /// # Errors
    /// That the types have no such field.
    pub(crate) fn step(&self, key: &str) -> Result<Step, String> {
        match self.0.target() {
            Type::Map(inner) => {
                Ok(Step { below: Meta((**inner).clone()), merge: None, retain_keys: false })
            }
            Type::Named(name) => {
                let field = schema::struct_fields(name).and_then(|fields| fields.get(key));
                let name = name.rsplit('.').next().unwrap_or(name);
                let field = field.ok_or_else(|| {
                    format!(
                        "unable to find api field in struct {name} for the json field \"{key}\""
                    )
                })?;
                let below = match field.field_type.target() {
                    Type::List(inner) => (**inner).clone(),
                    other => other.clone(),
                };
                let (merge, retain_keys) = (field.merge, field.retain_keys);
                Ok(Step { below: Meta(below), merge, retain_keys })
            }
            // What may hold anything is replaced as a whole.
            other => Ok(Step { below: Meta(other.clone()), merge: None, retain_keys: false }),
        }
    }
}
