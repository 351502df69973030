//! Texts that stand for something else: times, quantities, base64.

use super::go_time::{self, Precision};
use super::schema::Type;
use crate::api::Value;
use crate::base::Quantity;

/// A time as the API server writes it.
pub(super) fn time(wanted: &Type, text: &str) -> Result<Value, String> {
    let precision = match wanted {
        Type::MicroTime => Precision::Micros,
        _ => Precision::Seconds,
    };
    go_time::read(text, precision).map(Value::from)
}

/// What is said of a text that is no quantity.
pub(super) const QUANTITY_FORM: &str = "quantities must match the regular expression \
                             '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// An amount in its canonical form.
pub(super) fn quantity(value: &Value) -> Result<Value, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match Quantity::parse(&text) {
        Ok(quantity) => Ok(quantity.to_string().into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Says, as Go's decoder does, at which byte a text stops being base64.
///
/// Models Go's encoding/base64 Encoding.decodeQuantum.
pub(super) fn check_base64(text: &str) -> Result<(), String> {
    let bytes: Vec<(usize, u8)> =
        text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\n' | b'\r')).collect();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let wrong = |place: usize| Err(format!("illegal base64 data at input byte {place}"));
    for (number, quantum) in bytes.chunks(4).enumerate() {
        let digits = quantum.iter().take_while(|(_, byte)| is_digit(*byte)).count();
        if digits == 4 {
            continue;
        }
        let rest = quantum.get(digits..).unwrap_or_default();
        let Some((place, byte)) = rest.first() else {
            return wrong(text.len() - digits);
        };
        let is_last = (number + 1) * 4 >= bytes.len();
        let padded = quantum.len() == 4 && digits >= 2 && rest.iter().all(|(_, b)| *b == b'=');
        if *byte != b'=' || digits < 2 {
            return wrong(*place);
        }
        if !padded {
            return wrong(text.len());
        }
        if !is_last {
            return wrong(bytes.get((number + 1) * 4).map_or(text.len(), |(place, _)| *place));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_ends_where_go_says_it_does() {
        for (text, place) in [("abc", 0), ("abcde", 4), ("ab=c", 4), ("a===", 1), ("ab!d", 2)] {
            let Err(message) = check_base64(text) else { panic!("{text} is fine") };
            assert_eq!(message, format!("illegal base64 data at input byte {place}"), "{text}");
        }
        for text in ["", "YQ==", "YWI=", "YWJj", "YWJj\nZA=="] {
            assert!(check_base64(text).is_ok(), "{text}");
        }
    }
}
