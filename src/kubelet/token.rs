//! Tokens of service accounts.
//!
//! Models pkg/serviceaccount/claims.go.

use crate::api::tree::Tree as _;
use crate::api::{Object, Uid, Value};
use crate::base::{Rng, SimTime, names};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

/// Who gives tokens out, and for whom they are if nothing else is asked.
pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// What a kubelet asks for, and what it is given, in seconds: a year, so that old clients go on.
const ASKED: u64 = 3607;
const GIVEN: u64 = 365 * 24 * 3600;

/// The token that is mounted into a pod.
// Simplified: it stays the same, a kubelet has it made anew now and then.
pub(super) fn of_pod(object: &Object) -> String {
    let tree = object.pod().map(|pod| &pod.spec.tree);
    let account = tree.and_then(|tree| tree.str_at(&["serviceAccountName"])).unwrap_or("default");
    let (meta, begin) = (&object.meta, object.meta.creation_timestamp.as_secs());
    signed(&json!({
        "aud": [ISSUER], "exp": begin + GIVEN, "iat": begin, "iss": ISSUER,
        "jti": Uid(Rng::new(meta.uid.0 as u64).uuid()).to_string(),
        "kubernetes.io": {
            "namespace": *meta.namespace,
            "pod": {"name": *meta.name, "uid": meta.uid.to_string()},
            "serviceaccount": {"name": account},
            "warnafter": begin + ASKED,
        },
        "nbf": begin, "sub": format!("system:serviceaccount:{}:{account}", meta.namespace),
    }))
}

/// A JSON web token. Simplified: there is no key; its last part only looks like a signature.
pub fn signed(claims: &Value) -> String {
    let head = json!({"alg": "RS256", "kid": "diorama"});
    let [head, claims] =
        [&head, claims].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
    let mut rng = Rng::new(names::fnv128a(claims.as_bytes()) as u64);
    let signature: Vec<u8> = (0..16).flat_map(|_| rng.uuid().to_be_bytes()).collect();
    format!("{head}.{claims}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// For whom a token speaks; `None` if it is none, or an old one.
pub fn subject(token: &str, now: SimTime) -> Option<String> {
    let claims = token.split('.').nth(1)?;
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let lives = claims
        .int_at(&["exp"])
        .is_some_and(|end| i64::try_from(now.as_secs()).is_ok_and(|now| now < end));
    (lives && signed(&claims) == token).then(|| claims.str_at(&["sub"]).map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_speaks_for_its_account_until_it_ends() {
        let token = signed(&json!({"sub": "a", "exp": 10}));
        let at = |seconds: u64| subject(&token, SimTime::from_micros(seconds * 1_000_000));
        assert_eq!((at(9).as_deref(), at(10)), (Some("a"), None));
        assert_eq!(subject(&token.replace("eyJ", "eyK"), SimTime::from_micros(0)), None);
    }
}
