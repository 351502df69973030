//! Names that Kubernetes generates.

use super::Rng;

/// The letters of generated suffixes: no vowels, so no words; no 0, 1, 3, so nothing to misread.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go.
const ALPHANUMS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Names longer than this are cut before a suffix is added, so that the whole fits 63 characters.
///
/// Models staging/src/k8s.io/apiserver/pkg/storage/names/generate.go.
const MAX_GENERATED_NAME_LENGTH: usize = 58;

/// `length` random characters, as in `rand.String`.
pub fn random_suffix(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| letter(rng.below(ALPHANUMS.len() as u32))).collect()
}

/// What the API server makes of `metadata.generateName`.
pub fn generate_name(rng: &mut Rng, base: &str) -> String {
    let base = base.get(..MAX_GENERATED_NAME_LENGTH).unwrap_or(base);
    format!("{base}{}", random_suffix(rng, 5))
}

/// A number in the letters of generated suffixes, as `rand.SafeEncodeString` writes its decimal
/// digits. Template hashes look like this: 8 to 10 of `456789bcdf`.
pub fn safe_encode(number: u32) -> String {
    number.to_string().bytes().map(|digit| letter(u32::from(digit))).collect()
}

/// 32-bit FNV-1, the hash of `fnv.New32`.
pub fn fnv32(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0x811c_9dc5, |hash: u32, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte))
}

/// 32-bit FNV-1a, the hash of `fnv.New32a`.
pub fn fnv32a(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// 64-bit FNV-1a, for hashes of our own (the state of a world).
pub fn fnv64a(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// 128-bit FNV-1a, the hash of `fnv.New128a`: by it EndpointSlices and Endpoints order their ports.
pub fn fnv128a(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash: u128, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b)
    })
}

fn letter(number: u32) -> char {
    ALPHANUMS.get(number as usize % ALPHANUMS.len()).map_or('b', |byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_in_letters_that_make_no_words() {
        assert!(safe_encode(u32::MAX).chars().all(|c| "456789bcdf".contains(c)));
        assert_eq!(safe_encode(0), "4");
    }

    #[test]
    fn a_long_base_is_cut_to_leave_room_for_the_suffix() {
        let name = generate_name(&mut Rng::new(1), &"a".repeat(80));
        assert_eq!(name.len(), 63);
    }

    #[test]
    fn fnv_gives_the_published_values() {
        assert_eq!(fnv32(b"foobar"), 0x31f0_b262);
        assert_eq!(fnv32a(b"foobar"), 0xbf9c_f968);
    }
}
