//! The formats of texts that schemas of custom objects may ask for.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go and
//! k8s.io/kube-openapi/pkg/validation/strfmt.
//!
//! Simplified: addresses of mail with names beside them are refused.

use crate::api::go_url::Url;
use crate::base::SimTime;
use crate::pattern::{Dialect, Pattern};
use core::net::{Ipv4Addr, Ipv6Addr};

const PATTERNS: [(&str, &str); 15] = [
    ("email", r"^[^\s@<>,;:]+@[^\s@<>,;:]+$"),
    (
        "hostname",
        r"^([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$",
    ),
    (
        "mac",
        "^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}(([:-][0-9a-fA-F]{2}){2}|([:-][0-9a-fA-F]{2}){14})?$|^[0-9a-fA-F]{4}([.][0-9a-fA-F]{4}){2}([.][0-9a-fA-F]{4}|([.][0-9a-fA-F]{4}){7})?$",
    ),
    ("uuid", "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$"),
    ("uuid3", "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?3[0-9a-fA-F]{3}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$"),
    (
        "uuid4",
        "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?4[0-9a-fA-F]{3}-?[89abAB][0-9a-fA-F]{3}-?[0-9a-fA-F]{12}$",
    ),
    (
        "uuid5",
        "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?5[0-9a-fA-F]{3}-?[89abAB][0-9a-fA-F]{3}-?[0-9a-fA-F]{12}$",
    ),
    ("hexcolor", "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    ("k8sshortname", "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"),
    ("k8slongname", r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
    ("byte", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$"),
    ("ssn", r"^\d{3}[- ]?\d{2}[- ]?\d{4}$"),
    ("bsonobjectid", "^[0-9a-fA-F]{24}$"),
    ("rgbcolor", r"^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$"),
    // A number with its unit anywhere makes a duration.
    (
        "duration",
        r"^0$|\d\s*(?i)(ns|us|µs|ms|s|m|h|hr|d|w|wk|(nano|micro|milli|sec|min|hour|day|week)[a-zµ]*)([^a-zµ]|$)",
    ),
];

/// Whether a text has a format; formats that are not known have no rules.
pub(super) fn fits(format: &str, text: &str) -> bool {
    let format = format.replace('-', "");
    match format.as_str() {
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.contains('/') && text.parse::<ipnet::IpNet>().is_ok(),
        "datetime" => SimTime::parse_rfc3339(text).is_some(),
        "date" => {
            text.len() == 10 && SimTime::parse_rfc3339(&format!("{text}T00:00:00Z")).is_some()
        }
        "uri" => Url::is_request(text),
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "creditcard" => is_card(text),
        "rgbcolor" if !text.split(|letter: char| !letter.is_ascii_digit()).all(is_shade) => false,
        name => {
            let pattern = PATTERNS.iter().find(|(known, _)| *known == name);
            let pattern =
                pattern.and_then(|(_, pattern)| Pattern::new(pattern, Dialect::Go, false).ok());
            pattern.is_none_or(|pattern| pattern.is_in(text))
        }
    }
}

/// One of the three numbers of a color, or what stands between them.
fn is_shade(text: &str) -> bool {
    text.is_empty() || text.parse::<u8>().is_ok_and(|shade| shade.to_string() == text)
}

/// The digits of a text without blanks and dashes; of the letter that a book's number may end with
/// ten.
fn digits(text: &str) -> Option<Vec<u32>> {
    let letters = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
    let mut digits = Vec::new();
    for letter in letters {
        let place = digits.len();
        digits.push(if letter == 'X' && place == 9 { 10 } else { letter.to_digit(10)? });
    }
    Some(digits)
}

/// Models govalidator.IsISBN10.
fn is_isbn10(text: &str) -> bool {
    digits(text).is_some_and(|digits| {
        let sum: u32 = (1..).zip(&digits).map(|(place, digit)| place * digit).sum();
        digits.len() == 10 && sum.is_multiple_of(11)
    })
}

/// Models govalidator.IsISBN13.
fn is_isbn13(text: &str) -> bool {
    digits(text).is_some_and(|digits| {
        let sum: u32 = [1, 3].into_iter().cycle().zip(&digits).map(|(f, digit)| f * digit).sum();
        digits.len() == 13 && !digits.contains(&10) && sum.is_multiple_of(10)
    })
}

/// Models govalidator.IsCreditCard.
fn is_card(text: &str) -> bool {
    const NUMBERS: &str = r"^(4\d{12}(\d{3})?|5[1-5]\d{14}|6(011|5\d\d)\d{12}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}|(2131|1800|35\d{3})\d{11})$";
    let number: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = number.chars().rev().filter_map(|digit| digit.to_digit(10)).enumerate();
    let sum: u32 = digits
        .map(|(place, digit)| match place % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    Pattern::new(NUMBERS, Dialect::Go, false).is_ok_and(|pattern| pattern.is_in(&number))
        && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of formats.go and of strfmt's own tests.
    #[test]
    fn texts_have_their_formats() {
        for (format, right, wrong) in [
            ("uri", "http://foo.bar?x=y", "foo"),
            ("duration", "22 ns", "5 parsecs"),
            ("duration", "1h30m", "x"),
            ("duration", "3 weeks", "d"),
            ("isbn", "978-0321751041", "0321751044"),
            ("isbn10", "0321751043", "978-0321751041"),
            ("isbn13", "978 3401013190", "978-0321751042"),
            ("creditcard", "4111-1111-1111-1111", "4111-1111-1111-1112"),
            ("ssn", "111-11-1111", "999-99-99"),
            ("rgbcolor", "rgb(255, 1,0)", "rgb(256,1,1)"),
            ("hexcolor", "#FFF", "#FFFG"),
            ("mac", "01:02:03:04:05:06", "01:02:03:04:05"),
            ("mac", "0102.0304.0506", "0102.0304"),
            ("bsonobjectid", "507f1f77bcf86cd799439011", "507f"),
            ("k8s-long-name", "a.b-c.d", "a..b"),
            ("k8s-short-name", "a-b", "a.b"),
            ("byte", "ZWxpemFiZXRocG9zZXk=", "ZWxpemFiZXRocG9zZXk"),
        ] {
            assert!(fits(format, right), "{format}: {right}");
            assert!(!fits(format, wrong), "{format}: {wrong}");
        }
    }
}
