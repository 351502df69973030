//! What names, labels, ports and other short texts may look like.
//!
//! Each check gives the messages for one text, none if it is fine.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go and
//! …/pkg/api/validate/content.

/// What is wrong with a text, one sentence each.
pub type Messages = Vec<String>;

const LABEL_FORMAT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FORMAT: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const QUALIFIED_FORMAT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const QUALIFIED_TEXT: &str = "consist of alphanumeric characters, '-', '_' or '.', and must \
                              start and end with an alphanumeric character";
const SUBDOMAIN_TEXT: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
                              alphanumeric characters, '-' or '.', and must start and end with an \
                              alphanumeric character";

/// `… (e.g. 'a',  or 'b', regex used for validation is '…')`.
fn pattern(text: &str, format: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    match examples.as_slice() {
        [] => format!("{text} (regex used for validation is '{format}')"),
        examples => {
            let list = examples.join(" or ");
            format!("{text} (e.g. {list}regex used for validation is '{format}')")
        }
    }
}

/// `must be no more than 63 bytes`: of label keys and values.
fn longer_in_bytes(most: usize) -> String {
    format!("must be no more than {most} bytes")
}

/// `must be no more than 63 characters`: of names.
pub(super) fn longer_than(most: usize) -> String {
    format!("must be no more than {most} characters")
}

/// `must be between 1 and 65535, inclusive`.
pub(super) fn not_between(least: i64, most: i64) -> String {
    format!("must be between {least} and {most}, inclusive")
}

const fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Whether a text is `first([-first]*first)?` for a class of bytes.
fn is_dashed(text: &str, class: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => {
            class(*first) && class(*last) && bytes.iter().all(|byte| class(*byte) || *byte == b'-')
        }
        _ => false,
    }
}

/// Whether a text has the form of a label of DNS, whatever its length.
fn is_label_shaped(text: &str) -> bool {
    is_dashed(text, is_lower)
}

fn is_subdomain_shaped(text: &str) -> bool {
    text.split('.').all(is_label_shaped)
}

/// A label of DNS, as RFC 1123 has it: `my-name`.
///
/// Models IsDNS1123Label.
pub(super) fn dns_label(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.len() > 63 {
        messages.push(longer_than(63));
    }
    if !is_label_shaped(text) {
        if is_subdomain_shaped(text) {
            messages.push("must not contain dots".to_owned());
        } else {
            let what = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
                        characters or '-', and must start and end with an alphanumeric character";
            messages.push(pattern(what, LABEL_FORMAT, &["my-name", "123-abc"]));
        }
    }
    messages
}

/// A label of DNS, as RFC 1035 has it: it begins with a letter.
///
/// Models IsDNS1035Label.
pub(super) fn dns_1035_label(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.len() > 63 {
        messages.push(longer_than(63));
    }
    if !is_label_shaped(text) || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        let what = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', \
                    start with an alphabetic character, and end with an alphanumeric character";
        messages.push(pattern(what, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    messages
}

/// Labels of DNS with dots between: `example.com`.
///
/// Models IsDNS1123Subdomain.
pub fn dns_subdomain(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.len() > 253 {
        messages.push(longer_than(253));
    }
    if !is_subdomain_shaped(text) {
        messages.push(pattern(SUBDOMAIN_TEXT, SUBDOMAIN_FORMAT, &["example.com"]));
    }
    messages
}

/// Models IsDNS1123SubdomainWithUnderscore.
pub(super) fn dns_subdomain_with_underscore(text: &str) -> Messages {
    let is_label = |label: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        let bytes = label.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        ends.iter().all(|byte| byte.is_some_and(|byte| is_lower(*byte)))
            && bytes.iter().all(|byte| is_lower(*byte) || matches!(byte, b'-' | b'_'))
    };
    let mut messages = Messages::new();
    if text.len() > 253 {
        messages.push(longer_than(253));
    }
    if !text.split('.').all(is_label) {
        let what = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
                    characters, '_', '-' or '.', and must start and end with an alphanumeric \
                    character";
        let format = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
        messages.push(pattern(what, format, &["example.com"]));
    }
    messages
}

/// A host name with a star in front, `*.example.com`.
///
/// Models IsWildcardDNS1123Subdomain.
pub(super) fn wildcard_subdomain(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.len() > 253 {
        messages.push(longer_than(253));
    }
    if !text.strip_prefix("*.").is_some_and(is_subdomain_shaped) {
        let what = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS \
                    subdomain, which must consist of lower case alphanumeric characters, '-' or \
                    '.' and end with an alphanumeric character";
        let format = format!(r"\*\.{SUBDOMAIN_FORMAT}");
        messages.push(pattern(what, &format, &["*.example.com"]));
    }
    messages
}

fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter().all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// The key of a label: a name, with a domain and a slash in front if need be.
///
/// Models content.IsLabelKey (IsQualifiedName).
pub fn qualified_name(text: &str) -> Messages {
    const EXAMPLES: [&str; 3] = ["MyName", "my.name", "123-abc"];
    let mut messages = Messages::new();
    let mut parts = text.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, None) => name,
        (Some(prefix), Some(name), None) => {
            if prefix.is_empty() {
                messages.push("prefix part must be non-empty".to_owned());
            } else {
                let mut wrong = dns_subdomain(prefix);
                if let Some(first) = wrong.first_mut().filter(|_| prefix.len() > 253) {
                    *first = longer_in_bytes(253);
                }
                messages.extend(wrong.into_iter().map(|message| format!("prefix part {message}")));
            }
            name
        }
        _ => {
            let must = format!("must {QUALIFIED_TEXT}");
            let what = pattern(&must, QUALIFIED_FORMAT, &EXAMPLES);
            let rest = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            messages.push(format!("a valid label key {what} {rest}"));
            return messages;
        }
    };
    if name.is_empty() {
        messages.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        messages.push(format!("name part {}", longer_in_bytes(63)));
    }
    if !is_qualified_part(name) {
        let what = pattern(&format!("must {QUALIFIED_TEXT}"), QUALIFIED_FORMAT, &EXAMPLES);
        messages.push(format!("name part {what}"));
    }
    messages
}

/// The value of a label.
///
/// Models content.IsLabelValue.
pub fn label_value(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.len() > 63 {
        messages.push(longer_in_bytes(63));
    }
    if !text.is_empty() && !is_qualified_part(text) {
        let what = format!("a valid label must be an empty string or {QUALIFIED_TEXT}");
        let format = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
        messages.push(pattern(&what, format, &["MyValue", "my_value", "12345"]));
    }
    messages
}

/// A number that a port can have.
///
/// Models IsValidPortNum.
pub fn port_number(port: i64) -> Messages {
    if (1..=65_535).contains(&port) { Messages::new() } else { vec![not_between(1, 65_535)] }
}

/// The name of a port.
///
/// Models IsValidPortName.
pub fn port_name(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.len() > 15 {
        messages.push(longer_than(15));
    }
    let mut add = |wrong: bool, message: &str| {
        if wrong {
            messages.push(message.to_owned());
        }
    };
    let in_class = |byte: u8| is_lower(byte) || byte == b'-';
    add(
        text.is_empty() || !text.bytes().all(in_class),
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    );
    let has_letter = text.bytes().any(|byte| byte.is_ascii_lowercase());
    add(!has_letter, "must contain at least one letter (a-z)");
    add(text.contains("--"), "must not contain consecutive hyphens");
    let at_end = text.starts_with('-') || text.ends_with('-');
    add(at_end, "must not begin or end with a hyphen");
    messages
}

/// `50%`. Models IsValidPercent.
pub(super) fn percent(text: &str) -> Messages {
    let digits = text.strip_suffix('%').unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Messages::new();
    }
    let what = "a valid percent string must be a numeric string followed by an ending '%'";
    vec![pattern(what, "[0-9]+%", &["1%", "93%"])]
}

/// Models IsHTTPHeaderName.
pub(super) fn http_header_name(text: &str) -> Messages {
    let in_class = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !text.is_empty() && text.bytes().all(in_class) {
        return Messages::new();
    }
    let what = "a valid HTTP header must consist of alphanumeric characters or '-'";
    vec![pattern(what, "[-A-Za-z0-9]+", &["X-Header-Name"])]
}

/// The name of an environment variable: all of printable ASCII but the equals sign.
///
/// Models IsRelaxedEnvVarName.
pub fn environment_name(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.is_empty() {
        messages.push("environment variable name must be non-empty".to_owned());
    }
    if text.chars().any(|c| !(' '..='~').contains(&c) || c == '=') {
        messages.push(
            "a valid environment variable name must consist only of printable ASCII characters \
             other than '='"
                .to_owned(),
        );
    }
    messages
}

/// The name of an environment variable, as those who set one are asked to write it.
///
/// Models IsEnvVarName.
pub fn variable_name(text: &str) -> Messages {
    let mut messages = Messages::new();
    let in_class = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let begins_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
    if text.is_empty() || begins_with_digit || !text.bytes().all(in_class) {
        let what = "a valid environment variable name must consist of alphabetic characters, \
                    digits, '_', '-', or '.', and must not start with a digit";
        let examples = ["my.env-name", "MY_ENV.NAME", "MyEnvName1"];
        messages.push(pattern(what, "[-._a-zA-Z][-._a-zA-Z0-9]*", &examples));
    }
    messages.extend(parent_directory(text));
    messages
}

/// Models hasChDirPrefix.
fn parent_directory(text: &str) -> Messages {
    match text {
        "." => vec!["must not be '.'".to_owned()],
        ".." => vec!["must not be '..'".to_owned()],
        text if text.starts_with("..") => vec!["must not start with '..'".to_owned()],
        _ => Messages::new(),
    }
}

/// The key of a ConfigMap or a Secret.
///
/// Models IsConfigMapKey.
pub fn config_key(text: &str) -> Messages {
    let mut messages = Messages::new();
    if text.len() > 253 {
        messages.push(longer_than(253));
    }
    let in_class = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.is_empty() || !text.bytes().all(in_class) {
        let what = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        let examples = ["key.name", "KEY_NAME", "key-name"];
        messages.push(pattern(what, "[-._a-zA-Z0-9]+", &examples));
    }
    messages.extend(parent_directory(text));
    messages
}

/// A name that can stand in a URL's path.
///
/// Models staging/src/k8s.io/apimachinery/pkg/api/validation/path/name.go.
pub(super) fn path_segment(text: &str) -> Messages {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let banned = ["/", "%"].into_iter().filter(|banned| text.contains(banned));
    banned.map(|banned| format!("may not contain '{banned}'")).collect()
}

/// Models the `format` of a domain-prefixed path: `acme.io/foo` (IsDomainPrefixedPath).
pub(super) fn is_http_path(text: &str) -> bool {
    const CLASS: &[u8] = b"/-._~%!$&'()*+,;=:";
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || CLASS.contains(&byte))
}

/// What [`is_http_path`] refuses is told.
pub(super) fn bad_http_path() -> String {
    pattern("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", &[])
}

/// A user or group number that Linux knows.
///
/// Models IsValidUserID and IsValidGroupID.
pub(super) fn user_or_group(id: i64) -> Messages {
    let most = i64::from(i32::MAX);
    if (0..=most).contains(&id) { Messages::new() } else { vec![not_between(0, most)] }
}
