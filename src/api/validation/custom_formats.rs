//! The formats of texts that schemas of custom objects may ask for.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go and
//! k8s.io/kube-openapi/pkg/validation/strfmt.
//!
//! Simplified: book, card and security numbers, URIs and durations are not looked at.

use crate::base::SimTime;
use crate::pattern::{Dialect, Pattern};
use core::net::{Ipv4Addr, Ipv6Addr};

const PATTERNS: [(&str, &str); 10] = [
    ("email", r"^[^\s@<>,;:]+@[^\s@<>,;:]+$"),
    (
        "hostname",
        r"^([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$",
    ),
    ("mac", "^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$"),
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
    ("byte", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"),
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
        name => {
            let pattern = PATTERNS.iter().find(|(known, _)| *known == name);
            let pattern =
                pattern.and_then(|(_, pattern)| Pattern::new(pattern, Dialect::Go, false).ok());
            pattern.is_none_or(|pattern| pattern.is_in(text))
        }
    }
}
