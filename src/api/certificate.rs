//! Certificates and their keys, as far as one can see from outside whether they are any.

use data_encoding::BASE64;

/// Why a certificate and a key cannot be a pair; `None` if they may be one.
///
/// Models Go's crypto/tls X509KeyPair. Simplified: of what is in their blocks only the outermost
/// frame of the certificate is read.
pub fn pair_fault(certificate: &str, key: &str) -> Option<String> {
    let read = blocks(certificate);
    let certificates: Vec<&str> = read.iter().map(|(name, _)| *name).collect();
    let keys: Vec<&str> = blocks(key).into_iter().map(|(name, _)| name).collect();
    let is_key = |name: &str| name == "PRIVATE KEY" || name.ends_with(" PRIVATE KEY");
    let why = if !certificates.contains(&"CERTIFICATE") {
        match certificates.as_slice() {
            [] => "failed to find any PEM data in certificate input".to_owned(),
            [name] if is_key(name) => "failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched".to_owned(),
            all => format!("failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following types: [{}]", all.join(" ")),
        }
    } else if !keys.iter().any(|name| is_key(name)) {
        match keys.as_slice() {
            [] => "failed to find any PEM data in key input".to_owned(),
            ["CERTIFICATE"] => {
                "found a certificate rather than a key in the PEM for the private key".to_owned()
            }
            all => format!(
                "failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of the following types: [{}]",
                all.join(" ")
            ),
        }
    } else {
        let mut frames = read.iter().filter(|(name, _)| *name == "CERTIFICATE");
        let is_framed = frames.next().is_some_and(|(_, bytes)| is_sequence(bytes));
        return (!is_framed).then(|| "x509: malformed certificate".to_owned());
    };
    Some(format!("tls: {why}"))
}

/// Whether bytes are one SEQUENCE of DER, as every certificate is.
///
/// Models Go's vendored cryptobyte String.ReadASN1Element, as far as crypto/x509 parseCertificate
/// asks it first.
fn is_sequence(bytes: &[u8]) -> bool {
    let [0x30, length, rest @ ..] = bytes else { return false };
    let (count, body) = match length {
        0..0x80 => return usize::from(*length) == rest.len(),
        length => match rest.split_at_checked(usize::from(length & 0x7f)) {
            Some(parts) => parts,
            None => return false,
        },
    };
    let number = count.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    (1..=4).contains(&count.len()) && u64::try_from(body.len()) == Ok(number)
}

/// The PEM blocks of a text: their types, and what they hold.
///
/// Models Go's encoding/pem Decode.
fn blocks(text: &str) -> Vec<(&str, Vec<u8>)> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        let begin = line.strip_prefix("-----BEGIN ").and_then(|line| line.strip_suffix("-----"));
        let Some(name) = begin else { continue };
        let end = format!("-----END {name}-----");
        let mut body = String::new();
        let ends = lines.by_ref().any(|line| {
            // Before the first empty line there may be headers.
            match line {
                "" => body.clear(),
                line if line != end => body.push_str(line.trim()),
                _ => {}
            }
            line == end
        });
        if let (true, Ok(bytes)) = (ends, BASE64.decode(body.as_bytes())) {
            found.push((name, bytes));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sentences of Go's crypto/tls/tls.go X509KeyPair.
    #[test]
    fn what_is_no_pair_is_named_as_go_names_it() {
        let block = |name: &str, body: &str| {
            format!("-----BEGIN {name}-----\n{body}\n-----END {name}-----\n")
        };
        let (certificate, key) = (block("CERTIFICATE", "MAEA"), block("RSA PRIVATE KEY", "AAAA"));
        let cases = [
            (&*certificate, &*key, None),
            ("", &*key, Some("failed to find any PEM data in certificate input")),
            (
                "-----BEGIN CERTIFICATE-----\n",
                &*key,
                Some("failed to find any PEM data in certificate input"),
            ),
            (
                &*block("CERTIFICATE", "<your certificate>"),
                &*key,
                Some("failed to find any PEM data in certificate input"),
            ),
            (&*certificate, "key", Some("failed to find any PEM data in key input")),
            (
                &*certificate,
                &*certificate,
                Some("found a certificate rather than a key in the PEM for the private key"),
            ),
            (
                &*key,
                &*key,
                Some(
                    "failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
                ),
            ),
            (
                &*certificate,
                &*block("DH PARAMETERS", "AAAA"),
                Some(
                    "failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of the following types: [DH PARAMETERS]",
                ),
            ),
        ];
        for (certificate, key, why) in cases {
            let why = why.map(|why| format!("tls: {why}"));
            assert_eq!(pair_fault(certificate, key), why, "{certificate}{key}");
        }
        // As a real API server warned.
        let malformed = Some("x509: malformed certificate".to_owned());
        assert_eq!(pair_fault(&block("CERTIFICATE", "AAAA"), &key), malformed);
    }
}
