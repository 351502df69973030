//! Names that follow from what is in an object.

use super::go_text::compact_json;
use crate::api::Value;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// Ten letters for the contents of a ConfigMap or a Secret, as `--append-hash` and kustomizations
/// put them behind its name.
///
/// Models staging/src/k8s.io/kubectl/pkg/util/hash/hash.go encodeHash.
pub(super) fn content_hash(content: &Value) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(compact_json(content).as_bytes()));
    let letters = digest.chars().take(10).map(|digit| match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    });
    letters.collect()
}
