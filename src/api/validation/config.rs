//! ConfigMaps and Secrets.
//!
//! Models pkg/apis/core/validation/validation.go ValidateConfigMap, ValidateSecret and their
//! updates.

use super::names;
use super::path::{Errors, Fields as _, Path, Report as _, immutable, same};
use crate::api::{FieldError, Value};
use data_encoding::BASE64;

/// The bytes that one object's data may have.
const MOST_BYTES: usize = 1024 * 1024;

const STAYS: &str = "field is immutable when `immutable` is set";

/// What an object that says of itself that it never changes may not do.
#[inline(never)]
fn stay(object: &Value, old: &Value, fields: &[&str], errors: &mut Errors) {
    if !old.flag("immutable") {
        return;
    }
    if !object.flag("immutable") {
        errors.forbidden(Path::root("immutable"), STAYS);
    }
    for field in fields {
        if !same(object.sub(field), old.sub(field)) {
            errors.forbidden(Path::root(field), STAYS);
        }
    }
}

/// How many bytes a value in base64 stands for.
fn decoded(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    BASE64.decode(text.as_bytes()).unwrap_or_default()
}

/// A new ConfigMap, or with `old` a changed one.
pub(super) fn config_map(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    if let Some(old) = old {
        stay(object, old, &["data", "binaryData"], errors);
    }
    let (data, binary) = (Path::root("data"), Path::root("binaryData"));
    let mut bytes = 0;
    for (key, value) in object.map("data") {
        errors.each_invalid(&data.key(key), key, names::config_key(key));
        if object.sub("binaryData").is_some_and(|binary| binary.sub(key).is_some()) {
            errors.invalid(data.key(key), key, "duplicate of key present in binaryData");
        }
        bytes += value.as_str().map_or(0, str::len);
    }
    for (key, value) in object.map("binaryData") {
        errors.each_invalid(&binary.key(key), key, names::config_key(key));
        bytes += decoded(value).len();
    }
    if bytes > MOST_BYTES {
        errors.push(FieldError::too_long("", MOST_BYTES));
    }
}

/// A new Secret, or with `old` a changed one.
pub(super) fn secret(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    if let Some(old) = old {
        immutable(object.sub("type"), old.sub("type"), &Path::root("type"), errors);
        stay(object, old, &["data"], errors);
    }
    let path = Path::root("data");
    let mut bytes = 0;
    for (key, value) in object.map("data") {
        errors.each_invalid(&path.key(key), key, names::config_key(key));
        bytes += decoded(value).len();
    }
    if bytes > MOST_BYTES {
        errors.push(FieldError::too_long(path, MOST_BYTES));
    }
    secret_type(object, &path, errors);
}

/// What each type of Secret must hold.
fn secret_type(object: &Value, path: &Path<'_>, errors: &mut Errors) {
    const ACCOUNT: &str = "kubernetes.io/service-account.name";
    let null = Value::Null;
    let data = object.sub("data").unwrap_or(&null);
    let needs = |keys: &[&str], errors: &mut Errors| {
        for key in keys.iter().filter(|key| data.sub(key).is_none()) {
            errors.required(path.key(key), "");
        }
    };
    match object.text("type") {
        "kubernetes.io/service-account-token" => {
            let annotations = object.sub("metadata").and_then(|meta| meta.sub("annotations"));
            if annotations.is_none_or(|all| all.text(ACCOUNT).is_empty()) {
                let path = Path::root("metadata");
                errors.required(path.child("annotations").key(ACCOUNT), "");
            }
        }
        "kubernetes.io/dockercfg" => json_object(data, ".dockercfg", path, errors),
        "kubernetes.io/dockerconfigjson" => json_object(data, ".dockerconfigjson", path, errors),
        "kubernetes.io/basic-auth" => {
            let keys = ["username", "password"];
            if keys.iter().all(|key| data.sub(key).is_none()) {
                needs(&keys, errors);
            }
        }
        "kubernetes.io/ssh-auth" if data.text("ssh-privatekey").is_empty() => {
            errors.required(path.key("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => needs(&["tls.crt", "tls.key"], errors),
        _ => {}
    }
}

#[inline(never)]
fn json_object(data: &Value, key: &str, path: &Path<'_>, errors: &mut Errors) {
    const REDACTED: &str = "<secret contents redacted>";
    let path = path.key(key);
    let Some(value) = data.sub(key) else {
        errors.required(path, "");
        return;
    };
    let bytes = decoded(value);
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(_) | Value::Null) => {}
        Ok(other) => {
            let kind = match other {
                Value::Array(_) => "array",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            let detail = format!(
                "json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
            );
            errors.invalid(path, REDACTED, detail);
        }
        Err(_) => errors.invalid(path, REDACTED, json_problem(&bytes)),
    }
}

/// How Go's decoder complains of the first byte, which is what a wrong value most often has wrong.
///
/// Simplified: what is wrong further on is called an unexpected end.
fn json_problem(bytes: &[u8]) -> String {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(byte) if !b"{[\"-0123456789tfn".contains(byte) => {
            format!("invalid character '{}' looking for beginning of value", char::from(*byte))
        }
        _ => "unexpected end of JSON input".to_owned(),
    }
}
