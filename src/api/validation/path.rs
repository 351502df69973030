//! Where an error is, and what gathers errors.

use crate::api::{FieldError, Value};
use core::fmt;

/// The errors found so far, in the order in which the API server finds them.
pub(super) type Errors = Vec<FieldError>;

/// A place in an object, such as `spec.containers[0].name`.
///
/// It becomes a text only where there is an error, so that a valid object costs nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Name(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// A field of the object itself.
    pub(super) const fn root(name: &'a str) -> Self {
        Path { parent: None, part: Part::Name(name) }
    }

    /// A field of what is at this place.
    pub(super) const fn child(&'a self, name: &'a str) -> Self {
        Path { parent: Some(self), part: Part::Name(name) }
    }

    /// An item of the list at this place.
    pub(super) const fn index(&'a self, index: usize) -> Self {
        Path { parent: Some(self), part: Part::Index(index) }
    }

    /// A value of the map at this place.
    pub(super) const fn key(&'a self, key: &'a str) -> Self {
        Path { parent: Some(self), part: Part::Key(key) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.part {
            Part::Name(name) if self.parent.is_some() => write!(f, ".{name}"),
            Part::Name(name) => f.write_str(name),
            Part::Index(index) => write!(f, "[{index}]"),
            Part::Key(key) => write!(f, "[{key}]"),
        }
    }
}

impl From<Path<'_>> for String {
    fn from(path: Path<'_>) -> String {
        path.to_string()
    }
}

impl From<&Path<'_>> for String {
    fn from(path: &Path<'_>) -> String {
        path.to_string()
    }
}

/// Short ways to report an error.
pub(super) trait Report {
    fn report(&mut self, error: FieldError);

    fn invalid(
        &mut self,
        path: impl Into<String>,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) {
        self.report(FieldError::invalid(path, value, detail));
    }

    fn required(&mut self, path: impl Into<String>, detail: &str) {
        self.report(FieldError::required(path, detail));
    }

    fn forbidden(&mut self, path: impl Into<String>, detail: impl Into<String>) {
        self.report(FieldError::forbidden(path, detail));
    }

    fn duplicate(&mut self, path: impl Into<String>, value: impl Into<Value>) {
        self.report(FieldError::duplicate(path, value));
    }

    fn not_found(&mut self, path: impl Into<String>, value: impl Into<Value>) {
        self.report(FieldError::not_found(path, value));
    }

    /// The supported values are listed as given: most of upstream's lists are sorted, some not.
    fn not_supported(
        &mut self,
        path: impl Into<String>,
        value: impl Into<Value>,
        supported: &[&str],
    ) {
        self.report(FieldError::not_supported(path, value, supported));
    }

    /// One error for each of the messages of a check on a text.
    fn each_invalid(&mut self, path: &Path<'_>, value: &str, messages: Vec<String>) {
        for message in messages {
            self.report(FieldError::invalid(path, value, message));
        }
    }

    /// A number below zero.
    fn not_negative(&mut self, path: &Path<'_>, value: Option<i64>) {
        if let Some(value) = value.filter(|value| *value < 0) {
            self.report(FieldError::invalid(path, value, NOT_NEGATIVE));
        }
    }

    /// A number below one.
    fn positive(&mut self, path: &Path<'_>, value: Option<i64>) {
        if let Some(value) = value.filter(|value| *value <= 0) {
            self.report(FieldError::invalid(path, value, "must be greater than zero"));
        }
    }
}

/// What a number below zero is told.
pub(super) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";

/// What a change of a field that may not change is told.
pub(super) const IMMUTABLE: &str = "field is immutable";

impl Report for Errors {
    fn report(&mut self, error: FieldError) {
        self.push(error);
    }
}

/// Short ways to read the fields of a tree; null and absent are the same.
pub(super) trait Fields {
    /// The value of a field that is set.
    fn sub(&self, key: &str) -> Option<&Value>;

    /// The text of a field, empty where there is none.
    fn text(&self, key: &str) -> &str {
        self.sub(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The whole number of a field.
    fn int(&self, key: &str) -> Option<i64> {
        self.sub(key).and_then(Value::as_i64)
    }

    /// Whether a field is true.
    fn flag(&self, key: &str) -> bool {
        self.sub(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The items of a list.
    fn list(&self, key: &str) -> &[Value] {
        self.sub(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The entries of a map, in the order of their keys.
    fn map<'a>(&'a self, key: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let fields = self.sub(key).and_then(Value::as_object);
        fields.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }
}

impl Fields for Value {
    fn sub(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key).filter(|value| !value.is_null())
    }
}

/// Refuses a field that has changed and may not. Absent, null and empty are the same.
///
/// Models staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go ValidateImmutableField.
pub(super) fn immutable(
    new: Option<&Value>,
    old: Option<&Value>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    if !same(new, old) {
        errors.invalid(path, new.cloned().unwrap_or_default(), IMMUTABLE);
    }
}

/// Whether two values mean the same: null, absent and empty are equal, as in Go.
///
/// Models staging/src/k8s.io/apimachinery/pkg/api/equality/semantic.go DeepEqual.
pub(super) fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            left.iter().all(|(key, value)| same(Some(value), right.get(key)))
                && right
                    .iter()
                    .all(|(key, value)| left.contains_key(key) || same(None, Some(value)))
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(Some(left), Some(right)))
        }
        (Some(left), Some(right)) if left == right => true,
        (left, right) => is_empty(left) && is_empty(right),
    }
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(_) => false,
    }
}
