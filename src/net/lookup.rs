//! Finding places in a list by what stands there, without comparing one by one.

/// A hash table from keys to places in a list that somebody else keeps. It holds no keys: who looks
/// says whether a place is the one.
///
/// Places are only ever found, never listed, so that their order in here means nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lookup {
    /// Place plus one; 0 is free. The length is a power of two, or nothing.
    slots: Vec<u32>,
    count: u32,
}

impl Lookup {
    /// Nothing.
    pub(super) const fn empty() -> Self {
        Lookup { slots: Vec::new(), count: 0 }
    }

    /// The first place with this hash that `is_it` says yes to.
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = fold(hash) & mask;
        loop {
            let place = usize::try_from(self.slots.get(at)?.checked_sub(1)?).ok()?;
            if is_it(place) {
                return Some(place);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a place; `hash_of` gives the hash of each place that was added before.
    pub(super) fn add(&mut self, hash: u64, place: usize, hash_of: impl Fn(usize) -> u64) {
        if (self.count as usize + 1) * 2 > self.slots.len() {
            let old = core::mem::take(&mut self.slots);
            self.slots = vec![0; (old.len() * 2).max(8)];
            for slot in old.into_iter().filter(|slot| *slot != 0) {
                self.put(hash_of(slot as usize - 1), slot);
            }
        }
        self.count += 1;
        self.put(hash, u32::try_from(place + 1).unwrap_or(u32::MAX));
    }

    fn put(&mut self, hash: u64, slot: u32) {
        let mask = self.slots.len() - 1;
        let mut at = fold(hash) & mask;
        while let Some(own) = self.slots.get_mut(at) {
            if *own == 0 {
                *own = slot;
                return;
            }
            at = (at + 1) & mask;
        }
    }
}

/// The bits that choose a slot; the same on machines of 32 bits.
const fn fold(hash: u64) -> usize {
    (hash ^ (hash >> 32)) as u32 as usize
}

/// Mixes a number into a hash.
pub(super) const fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    mixed ^ (mixed >> 29)
}

/// The hash of a text.
pub(super) fn of_text(text: &str) -> u64 {
    let mut chunks = text.as_bytes().chunks_exact(8);
    let mut hash = text.len() as u64;
    for chunk in chunks.by_ref() {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(chunk);
        hash = mix(hash, u64::from_le_bytes(bytes));
    }
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(chunks.remainder()) {
        *to = *from;
    }
    mix(hash, u64::from_le_bytes(bytes))
}

/// The hash of an address.
pub(super) const fn of_ip(ip: std::net::IpAddr) -> u64 {
    match ip {
        std::net::IpAddr::V4(ip) => mix(4, ip.to_bits() as u64),
        std::net::IpAddr::V6(ip) => mix(mix(6, (ip.to_bits() >> 64) as u64), ip.to_bits() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found_and_none_that_is_not_there() {
        let names: Vec<String> = (0..500).map(|number| format!("KUBE-SVC-{number}")).collect();
        let mut lookup = Lookup::default();
        for (place, name) in names.iter().enumerate() {
            lookup.add(of_text(name), place, |place| of_text(&names[place]));
        }
        for (place, name) in names.iter().enumerate() {
            assert_eq!(lookup.find(of_text(name), |it| names[it] == *name), Some(place));
        }
        assert_eq!(lookup.find(of_text("FORWARD"), |it| names[it] == "FORWARD"), None);
        assert_eq!(Lookup::default().find(7, |_| true), None);
    }
}
