//! What a plain scalar means: YAML 1.1 as Go's yaml.v2 reads it, which is what kubectl uses.
//!
//! Models sigs.k8s.io/yaml/goyaml.v2 resolve.go.

use serde_json::{Number, Value};

/// The value of an unquoted scalar.
pub(super) fn plain(text: &str) -> Value {
    if let Some(value) = word(text) {
        return value;
    }
    let starts_like_a_number =
        text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    if !starts_like_a_number {
        return Value::String(text.to_owned());
    }
    number(text).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => return None,
    })
}

/// The number that a scalar writes, if it writes one.
pub(super) fn number(text: &str) -> Option<Value> {
    let digits = text.replace('_', "");
    if let Some(whole) = integer(&digits) {
        return Some(whole);
    }
    if !looks_like_a_float(&digits) {
        return None;
    }
    let float: f64 = digits.parse().ok()?;
    // A whole number in another form is a whole number to JSON.
    whole_of(float).or_else(|| Number::from_f64(float).map(Value::Number))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "checked for loss"
)]
fn whole_of(float: f64) -> Option<Value> {
    let whole = float as i64;
    (whole as f64 == float && whole.unsigned_abs() < 1 << 53).then(|| Value::from(whole))
}

/// Go's `strconv.ParseInt` with base 0: `0x1f`, `0o17`, `017`, `0b11`.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let parsed = match lower.as_bytes() {
        [b'0', b'x', rest @ ..] => parse_radix(rest, 16),
        [b'0', b'o', rest @ ..] => parse_radix(rest, 8),
        [b'0', b'b', rest @ ..] => parse_radix(rest, 2),
        [b'0', rest @ ..] if !rest.is_empty() => parse_radix(rest, 8),
        all => parse_radix(all, 10),
    }?;
    if negative {
        return i64::try_from(-i128::from(parsed)).ok().map(Value::from);
    }
    Some(Value::from(parsed))
}

fn parse_radix(digits: &[u8], radix: u32) -> Option<u64> {
    let text = core::str::from_utf8(digits).ok()?;
    let plain = text.chars().all(|c| c.is_digit(radix));
    (plain && !text.is_empty()).then(|| u64::from_str_radix(text, radix).ok()).flatten()
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn looks_like_a_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let exponent_fits = exponent
        .is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_are_read_as_yaml_1_1() {
        let cases = [
            ("n", json!(false)),
            ("yes", json!(true)),
            ("On", json!(true)),
            ("~", json!(null)),
            ("", json!(null)),
            ("80", json!(80)),
            ("010", json!(8)),
            ("0o10", json!(8)),
            ("0x1f", json!(31)),
            ("1_000", json!(1000)),
            ("-5", json!(-5)),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000)),
            ("1.0", json!(1)),
            ("1.27", json!(1.27)),
            ("1.2.3", json!("1.2.3")),
            ("2026-01-01", json!("2026-01-01")),
            ("09", json!(9)),
            ("500m", json!("500m")),
            ("nginx", json!("nginx")),
            ("-", json!("-")),
        ];
        for (text, value) in cases {
            assert_eq!(plain(text), value, "{text}");
        }
    }
}
