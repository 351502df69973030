//! How the API server says no.

use core::fmt;
use serde_json::Value;

/// What is wrong with one field.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is upstream's ErrorType of that name")]
pub enum FieldErrorType {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    InternalError,
    TypeInvalid,
}

impl FieldErrorType {
    /// How a message begins.
    pub const fn text(self) -> &'static str {
        match self {
            FieldErrorType::NotFound => "Not found",
            FieldErrorType::Required => "Required value",
            FieldErrorType::Duplicate => "Duplicate value",
            FieldErrorType::Invalid | FieldErrorType::TypeInvalid => "Invalid value",
            FieldErrorType::NotSupported => "Unsupported value",
            FieldErrorType::Forbidden => "Forbidden",
            FieldErrorType::TooLong => "Too long",
            FieldErrorType::TooMany => "Too many",
            FieldErrorType::InternalError => "Internal error",
        }
    }

    /// The reason of the cause in a Status, `FieldValueInvalid`.
    pub const fn reason(self) -> &'static str {
        match self {
            FieldErrorType::NotFound => "FieldValueNotFound",
            FieldErrorType::Required => "FieldValueRequired",
            FieldErrorType::Duplicate => "FieldValueDuplicate",
            FieldErrorType::Invalid => "FieldValueInvalid",
            FieldErrorType::NotSupported => "FieldValueNotSupported",
            FieldErrorType::Forbidden => "FieldValueForbidden",
            FieldErrorType::TooLong => "FieldValueTooLong",
            FieldErrorType::TooMany => "FieldValueTooMany",
            FieldErrorType::InternalError => "InternalError",
            FieldErrorType::TypeInvalid => "FieldValueTypeInvalid",
        }
    }
}

/// One error of one field, in the API server's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// What is wrong.
    pub error_type: FieldErrorType,
    /// Where, `spec.containers[0].name`; the span map of a manifest leads from it to a line.
    pub field: String,
    /// The value that is wrong; null where the message does not show it.
    pub bad_value: Value,
    /// How the message shows the value, where that is not how it shows others: the API server
    /// writes the fields of a structure in the order of its source, not of the alphabet. Empty
    /// where the message leaves the value out.
    pub shown: Option<String>,
    /// The rest of the sentence.
    pub detail: String,
}

impl FieldError {
    fn new(
        error_type: FieldErrorType,
        field: impl Into<String>,
        bad_value: impl Into<Value>,
        detail: impl Into<String>,
    ) -> Self {
        let (field, bad_value, detail) = (field.into(), bad_value.into(), detail.into());
        FieldError { error_type, field, bad_value, shown: None, detail }
    }

    /// The same error, showing its value as `shown`.
    pub fn showing(self, shown: impl Into<String>) -> Self {
        FieldError { shown: Some(shown.into()), ..self }
    }

    /// The same error with more words.
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        FieldError { detail: detail.into(), ..self }
    }

    /// A value that breaks a rule.
    pub fn invalid(
        field: impl Into<String>,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(FieldErrorType::Invalid, field, value, detail)
    }

    /// A field that must be there.
    pub fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorType::Required, field, Value::Null, detail)
    }

    /// A value that stands twice.
    pub fn duplicate(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(FieldErrorType::Duplicate, field, value, "")
    }

    /// A field that may not be there, or not so.
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorType::Forbidden, field, Value::Null, detail)
    }

    /// A reference to what is not there.
    pub fn not_found(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(FieldErrorType::NotFound, field, value, "")
    }

    /// A value outside an enumeration; `supported` is listed as given (upstream sorts it).
    pub fn not_supported(
        field: impl Into<String>,
        value: impl Into<Value>,
        supported: &[&str],
    ) -> Self {
        let quoted: Vec<String> = supported.iter().map(|text| format!("\"{text}\"")).collect();
        let detail = match quoted.len() {
            0 => String::new(),
            _ => format!("supported values: {}", quoted.join(", ")),
        };
        Self::new(FieldErrorType::NotSupported, field, value, detail)
    }

    /// A text of more than `most` bytes.
    pub fn too_long(field: impl Into<String>, most: usize) -> Self {
        let detail = format!("may not be more than {most} bytes");
        Self::new(FieldErrorType::TooLong, field, Value::Null, detail)
    }

    /// A list of `count` items where `most` are allowed.
    pub fn too_many(field: impl Into<String>, count: usize, most: usize) -> Self {
        let items = if most == 1 { "item" } else { "items" };
        let detail = format!("must have at most {most} {items}");
        Self::new(FieldErrorType::TooMany, field, count, detail)
    }

    /// The error without its field.
    pub fn body(&self) -> String {
        use FieldErrorType::{Forbidden, InternalError, Required, TooLong};
        let text = self.error_type.text();
        let start = match self.error_type {
            Required | Forbidden | TooLong | InternalError => text.to_owned(),
            _ => match &self.shown {
                Some(shown) if shown.is_empty() => text.to_owned(),
                Some(shown) => format!("{text}: {shown}"),
                None => format!("{text}: {}", show(&self.bad_value)),
            },
        };
        if self.detail.is_empty() { start } else { format!("{start}: {}", self.detail) }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// A bad value as messages show it: texts quoted as Go quotes them, the rest as JSON.
fn show(value: &Value) -> String {
    match value {
        Value::String(text) => go_quote(text),
        other => other.to_string(),
    }
}

/// A text as Go's `%q` writes it.
pub fn go_quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                quoted.push_str(&format!("\\x{:02x}", c as u32));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// `metav1.StatusReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is upstream's StatusReason of that name")]
pub enum Reason {
    BadRequest,
    Forbidden,
    NotFound,
    AlreadyExists,
    Conflict,
    Invalid,
    MethodNotAllowed,
    TooManyRequests,
    ServiceUnavailable,
    Unauthorized,
    Gone,
    UnsupportedMediaType,
    InternalError,
    /// None of the others: an error that the server did not expect.
    Unknown,
}

impl Reason {
    /// The HTTP status code that goes with it.
    pub const fn code(self) -> u16 {
        match self {
            Reason::BadRequest => 400,
            Reason::Forbidden => 403,
            Reason::NotFound => 404,
            Reason::MethodNotAllowed => 405,
            Reason::AlreadyExists | Reason::Conflict => 409,
            Reason::Gone => 410,
            Reason::UnsupportedMediaType => 415,
            Reason::Invalid => 422,
            Reason::TooManyRequests => 429,
            Reason::ServiceUnavailable => 503,
            Reason::Unauthorized => 401,
            Reason::InternalError | Reason::Unknown => 500,
        }
    }

    /// The reason as a Status holds it, `NotFound`; empty for `Unknown`.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::BadRequest => "BadRequest",
            Reason::Forbidden => "Forbidden",
            Reason::NotFound => "NotFound",
            Reason::AlreadyExists => "AlreadyExists",
            Reason::Conflict => "Conflict",
            Reason::Invalid => "Invalid",
            Reason::MethodNotAllowed => "MethodNotAllowed",
            Reason::TooManyRequests => "TooManyRequests",
            Reason::ServiceUnavailable => "ServiceUnavailable",
            Reason::Unauthorized => "Unauthorized",
            Reason::Gone => "Gone",
            Reason::UnsupportedMediaType => "UnsupportedMediaType",
            Reason::InternalError => "InternalError",
            Reason::Unknown => "",
        }
    }
}

/// An answer of the API server that is not a success: a `metav1.Status`.
///
/// Models staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Why.
    pub reason: Reason,
    /// The sentence, as the server words it.
    pub message: String,
    /// The object's kind as the message names it, `Deployment`; empty where none is.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The fields, where the object is invalid.
    pub causes: Vec<FieldError>,
}

impl ApiError {
    /// That a kind knows no such request.
    pub fn not_allowed() -> Self {
        let why = "the server does not allow this method on the requested resource";
        ApiError::new(Reason::MethodNotAllowed, why)
    }

    /// An error with just a reason and a message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        let (kind, name) = (String::new(), String::new());
        ApiError { reason, message: message.into(), kind, name, causes: Vec::new() }
    }

    /// `pods "web" not found`; `resource` is the group resource.
    pub fn not_found(resource: &str, name: &str) -> Self {
        let message = format!("{resource} {} not found", go_quote(name));
        ApiError { name: name.to_owned(), ..Self::new(Reason::NotFound, message) }
    }

    /// `pods "web" already exists`.
    pub fn already_exists(resource: &str, name: &str) -> Self {
        let message = format!("{resource} {} already exists", go_quote(name));
        ApiError { name: name.to_owned(), ..Self::new(Reason::AlreadyExists, message) }
    }

    /// `pods "web" is forbidden: …`.
    pub fn forbidden(resource: &str, name: &str, why: &str) -> Self {
        let message = match name {
            "" => format!("{resource} is forbidden: {why}"),
            name => format!("{resource} {} is forbidden: {why}", go_quote(name)),
        };
        ApiError { name: name.to_owned(), ..Self::new(Reason::Forbidden, message) }
    }

    /// The object has changed since it was read.
    pub fn conflict(resource: &str, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        let message =
            format!("Operation cannot be fulfilled on {resource} {}: {why}", go_quote(name));
        ApiError { name: name.to_owned(), ..Self::new(Reason::Conflict, message) }
    }

    /// `Deployment.apps "web" is invalid: …` with all its causes.
    ///
    /// `kind` is the kind with its group (`Deployment.apps`, `Pod`).
    pub fn invalid(kind: &str, name: &str, causes: Vec<FieldError>) -> Self {
        let errors: Vec<String> = causes.iter().map(FieldError::to_string).collect();
        let list = match errors.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{kind} {} is invalid: {list}", go_quote(name));
        let (kind, name) = (kind.to_owned(), name.to_owned());
        ApiError { reason: Reason::Invalid, message, kind, name, causes }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_worded_as_the_api_server_words_them() {
        let cases = [
            (
                FieldError::invalid("spec.replicas", -1, "must be greater than or equal to 0"),
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            ),
            (FieldError::required("spec.selector", ""), "spec.selector: Required value"),
            (FieldError::duplicate("a[1].name", "c"), "a[1].name: Duplicate value: \"c\""),
            (
                FieldError::not_supported("spec.restartPolicy", "Never", &["Always"]),
                "spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
            ),
            (FieldError::forbidden("spec", "no"), "spec: Forbidden: no"),
        ];
        for (error, text) in cases {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn several_causes_stand_in_brackets() {
        let causes = vec![FieldError::required("a", ""), FieldError::required("b", "")];
        let error = ApiError::invalid("Pod", "x", causes);
        assert_eq!(error.message, "Pod \"x\" is invalid: [a: Required value, b: Required value]");
    }
}
