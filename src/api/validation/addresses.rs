//! IP addresses and ranges in fields.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go.

use super::path::{Errors, Path, Report as _};
use core::net::IpAddr;
use ipnet::IpNet;

const NO_ADDRESS: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const NO_RANGE: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// Reads an address as old fields allow it: with zeros in front of its numbers.
pub(super) fn sloppy_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let parts: Vec<&str> = text.split('.').collect();
    let [a, b, c, d] = parts.as_slice() else { return None };
    let part = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.trim_start_matches('0');
        let number = if number.is_empty() { "0" } else { number };
        if digits { number.parse::<u8>().ok() } else { None }
    };
    Some(IpAddr::from([part(a)?, part(b)?, part(c)?, part(d)?]))
}

/// Reads a range as old fields allow it.
pub(super) fn sloppy_range(text: &str) -> Option<IpNet> {
    let (address, bits) = text.split_once('/')?;
    let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits = if is_number { bits.parse().ok()? } else { return None };
    IpNet::new(sloppy_address(address)?, bits).ok()
}

/// Models IsValidIPForLegacyField with the strictness that 1.36 switched on.
pub(super) fn legacy_address(text: &str, path: &Path<'_>, errors: &mut Errors) {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            errors.invalid(path, text, "must not be an IPv4-mapped IPv6 address");
        }
        Ok(_) => {}
        Err(_) if sloppy_address(text).is_some() => {
            errors.invalid(path, text, "must not have leading 0s");
        }
        Err(_) => errors.invalid(path, text, NO_ADDRESS),
    }
}

/// Models IsValidIP: the text must be just as the address would be written.
pub(super) fn canonical_address(text: &str, path: &Path<'_>, errors: &mut Errors) {
    let before = errors.len();
    legacy_address(text, path, errors);
    if errors.len() == before
        && let Ok(address) = text.parse::<IpAddr>()
        && address.to_string() != text
    {
        errors.invalid(path, text, format!("must be in canonical form (\"{address}\")"));
    }
}

/// Models IsValidCIDRForLegacyField with the strictness that 1.36 switched on.
pub(super) fn legacy_range(text: &str, path: &Path<'_>, errors: &mut Errors) {
    let Some(range) = sloppy_range(text) else {
        errors.invalid(path, text, NO_RANGE);
        return;
    };
    if has_zeros(text) {
        errors.invalid(path, text, "must not have leading 0s in IP or prefix length");
    } else if matches!(range.addr(), IpAddr::V6(a) if a.to_ipv4_mapped().is_some()) {
        errors.invalid(path, text, "must not have an IPv4-mapped IPv6 address");
    } else if range.addr() != range.network() {
        errors.invalid(path, text, "must not have bits set beyond the prefix length");
    }
}

/// Whether a number in a range is written with zeros in front.
fn has_zeros(range: &str) -> bool {
    range.split_once('/').is_none_or(|(address, bits)| {
        address.parse::<IpAddr>().is_err() || (bits.len() > 1 && bits.starts_with('0'))
    })
}

/// Models GetWarningsForIP.
pub(super) fn warnings_for_address(text: &str, path: &Path<'_>, found: &mut Vec<String>) {
    let Some(address) = sloppy_address(text) else { return };
    let plain = address.to_canonical();
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            if v6.to_string() != text {
                found.push(format!(
                    "{path}: IPv6 address \"{text}\" should be in RFC 5952 canonical format \
                     (\"{v6}\")"
                ));
            }
        }
        Ok(IpAddr::V4(_)) => {}
        _ => found.push(format!(
            "{path}: non-standard IP address \"{text}\" is invalid: use \"{plain}\""
        )),
    }
}

/// Models GetWarningsForCIDR.
pub(super) fn warnings_for_range(text: &str, path: &Path<'_>, found: &mut Vec<String>) {
    let Some(range) = sloppy_range(text) else { return };
    let network = range.trunc();
    if range.addr() != range.network() {
        let single = IpNet::from(range.addr());
        found.push(format!(
            "{path}: CIDR value \"{text}\" is ambiguous in this context (should be \"{network}\" \
             or \"{single}\"?)"
        ));
        return;
    }
    match range {
        _ if has_zeros(text) => found.push(format!(
            "{path}: non-standard CIDR value \"{text}\" is invalid: use \"{network}\""
        )),
        IpNet::V6(v6) if v6.to_string() != text => found.push(format!(
            "{path}: IPv6 CIDR value \"{text}\" should be in RFC 5952 canonical format (\"{v6}\")"
        )),
        IpNet::V4(_) | IpNet::V6(_) => {}
    }
}
