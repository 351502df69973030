//! Kinds that are stored and on which nothing acts, as far as kubectl has a form for them.
//!
//! Models describe.go describeCertificateSigningRequest, describeCSINode, describeServiceCIDRV1,
//! describeIPAddressV1, describeVolumeAttributesClass.

use super::text::{Text, pairs};
use super::workloads::Subject;
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::kubectl::printers;

/// Describes an object; says whether its kind has a form.
pub(super) fn describe(text: &mut Text, it: &Subject<'_>) -> bool {
    match it.object.kind.name() {
        _ if it.object.kind.is_custom() => return false,
        "CertificateSigningRequest" => signing_request(text, it.value),
        "CSINode" => drivers_of_node(text, it.value),
        "ServiceCIDR" => service_cidr(text, it.value),
        "IPAddress" => address(text, it.value),
        "VolumeAttributesClass" => attributes_class(text, it.value),
        _ => return false,
    }
    text.events(it.events);
    true
}

fn at<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    value.str_at(path).unwrap_or_default()
}

fn head(text: &mut Text, value: &Value) {
    text.field(0, "Name", at(value, &["metadata", "name"]));
    text.labels(value);
    text.annotations("Annotations", value.at(&["metadata", "annotations"]));
}

fn created(text: &mut Text, value: &Value) {
    let created = text.time(value.str_at(&["metadata", "creationTimestamp"]));
    text.field(0, "CreationTimestamp", created);
}

fn drivers_of_node(text: &mut Text, value: &Value) {
    head(text, value);
    created(text, value);
    text.line(0, "Spec:");
    let drivers = value.items_at(&["spec", "drivers"]);
    if !drivers.is_empty() {
        text.line(1, "Drivers:");
    }
    for driver in drivers {
        text.line(2, format!("{}:", at(driver, &["name"])));
        text.field(3, "Node ID", at(driver, &["nodeID"]));
        if let Some(count) = driver.int_at(&["allocatable", "count"]) {
            text.line(3, "Allocatables:");
            text.field(4, "Count", count);
        }
        if driver.get("topologyKeys").is_some_and(Value::is_array) {
            let keys = driver.items_at(&["topologyKeys"]).iter().filter_map(Value::as_str);
            let keys: Vec<&str> = keys.collect();
            text.field(3, "Topology Keys", format!("[{}]", keys.join(" ")));
        }
    }
}

fn service_cidr(text: &mut Text, value: &Value) {
    head(text, value);
    let ranges = value.items_at(&["spec", "cidrs"]).iter().filter_map(Value::as_str);
    text.field(0, "CIDRs", ranges.collect::<Vec<_>>().join(", "));
}

fn address(text: &mut Text, value: &Value) {
    head(text, value);
    let Some(parent) = value.at(&["spec", "parentRef"]) else { return };
    text.line(0, "Parent Reference:");
    for (title, key) in
        [("Group", "group"), ("Resource", "resource"), ("Namespace", "namespace"), ("Name", "name")]
    {
        text.field(1, title, at(parent, &[key]));
    }
}

fn attributes_class(text: &mut Text, value: &Value) {
    text.field(0, "Name", at(value, &["metadata", "name"]));
    text.field(0, "Annotations", pairs(value.at(&["metadata", "annotations"])));
    text.field(0, "DriverName", at(value, &["driverName"]));
    text.field(0, "Parameters", pairs(value.get("parameters")));
}

fn signing_request(text: &mut Text, value: &Value) {
    text.field(0, "Name", at(value, &["metadata", "name"]));
    text.field(0, "Labels", pairs(value.at(&["metadata", "labels"])));
    text.field(0, "Annotations", pairs(value.at(&["metadata", "annotations"])));
    created(text, value);
    text.field(0, "Requesting User", at(value, &["spec", "username"]));
    text.field_if(0, "Signer", value.str_at(&["spec", "signerName"]));
    text.field_if(0, "Requested Duration", printers::requested_duration(value));
    text.field(0, "Status", printers::signing_status(value));
    let subject = subject(at(value, &["spec", "request"]));
    let all = |id: u8| {
        let parts = subject.iter().filter(move |(own, _)| *own == id);
        parts.map(|(_, text)| text.as_str()).collect::<Vec<_>>()
    };
    text.line(0, "Subject:");
    text.line(0, format!("\tCommon Name:\t{}", all(3).last().unwrap_or(&"")));
    text.line(0, format!("\tSerial Number:\t{}", all(5).last().unwrap_or(&"")));
    for (title, id) in [
        ("Organization", 10),
        ("Organizational Unit", 11),
        ("Country", 6),
        ("Locality", 7),
        ("Province", 8),
        ("StreetAddress", 9),
        ("PostalCode", 17),
    ] {
        let values = all(id);
        if !values.is_empty() {
            text.line(0, format!("\t{title}:\t{}", values.join("\n\t\t")));
        }
    }
}

/// Who a certificate is asked for: the names of the request's subject, each with the last number of
/// its attribute (2.5.4.N).
///
/// Models RFC 2986. Simplified: alternative names are not read.
fn subject(request: &str) -> Vec<(u8, String)> {
    let read = |text: &str| {
        let text: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        data_encoding::BASE64.decode(text.trim().as_bytes()).ok()
    };
    let pem = read(request).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let bytes = read(&pem).unwrap_or_default();
    let inside = |bytes| element(bytes).map(|(_, content, _)| content);
    // The request, its information, in it the version and the subject.
    let after_version = inside(&bytes).and_then(inside).and_then(element).map(|(_, _, rest)| rest);
    let mut names = after_version.and_then(inside).unwrap_or_default();
    let mut found = Vec::new();
    while let Some((_, set, rest)) = element(names) {
        names = rest;
        let Some((_, id, value)) = inside(set).and_then(element) else { continue };
        let (Some((_, value, _)), [0x55, 4, number]) = (element(value), id) else { continue };
        found.push((*number, String::from_utf8_lossy(value).into_owned()));
    }
    found
}

/// The first element of DER: its tag, what it holds, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first & 0x80 {
        0 => (usize::from(*first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().try_fold(0usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            })?;
            (length, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::subject;
    use data_encoding::BASE64;

    /// The subject /O=devs/CN=jane, as OpenSSL writes it.
    #[test]
    fn a_request_says_for_whom_it_is() {
        let subject_bytes: &[u8] = b"\x30\x1e\x31\x0d\x30\x0b\x06\x03\x55\x04\x0a\x0c\x04devs\
            \x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04jane";
        let mut info = b"\x02\x01\x00".to_vec();
        info.extend(subject_bytes);
        let wrap = |content: &[u8]| {
            let mut bytes = vec![0x30, u8::try_from(content.len()).unwrap()];
            bytes.extend(content);
            bytes
        };
        let request = BASE64.encode(&wrap(&wrap(&info)));
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{request}\n-----END CERTIFICATE REQUEST-----\n"
        );
        let expected = [(10, "devs".to_owned()), (3, "jane".to_owned())];
        assert_eq!(subject(&BASE64.encode(pem.as_bytes())), expected);
        assert_eq!(subject("MIIC"), []);
    }
}
