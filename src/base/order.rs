//! Sorting that costs the page little: the standard library's sort is compiled anew for every type,
//! four kilobytes of wasm each time; here one sort of places serves all of them.
//!
//! Every sort here is stable.

use core::cmp::Ordering;

/// Sorts `items` by their own order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, Ord::cmp);
}

/// Sorts `items` by what `key` says of each, asked once.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl FnMut(&T) -> K) {
    let order = {
        let keys: Vec<K> = items.iter().map(key).collect();
        sorted_places(&keys, Ord::cmp)
    };
    arrange(items, order);
}

/// Sorts `items` by `compare`.
pub fn sort_by<T>(items: &mut [T], compare: impl FnMut(&T, &T) -> Ordering) {
    let order = sorted_places(items, compare);
    arrange(items, order);
}

/// The places of `items`, sorted by what stands there.
fn sorted_places<T>(items: &[T], mut compare: impl FnMut(&T, &T) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort_places(&mut places, &mut |a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    places
}

/// The one sort.
#[expect(clippy::disallowed_methods, reason = "this is the one place that sorts")]
fn sort_places(places: &mut [usize], compare: &mut dyn FnMut(usize, usize) -> Ordering) {
    places.sort_by(|a, b| compare(*a, *b));
}

/// Puts at each place what `order` says comes there.
fn arrange<T>(items: &mut [T], mut order: Vec<usize>) {
    for place in 0..items.len() {
        let mut from = order.get(place).copied().unwrap_or(place);
        // What stood before `place` has been moved: its place says where to.
        while from < place {
            from = order.get(from).copied().unwrap_or(place);
        }
        items.swap(place, from);
        if let Some(moved) = order.get_mut(place) {
            *moved = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn items_come_out_as_the_standard_library_sorts_them(
            items in prop::collection::vec((0u8..8, any::<u8>()), 0..60)
        ) {
            let (mut ours, mut by_key, mut whole) = (items.clone(), items.clone(), items.clone());
            sort_by(&mut ours, |a, b| a.0.cmp(&b.0));
            sort_by_key(&mut by_key, |item| item.0);
            sort(&mut whole);
            let mut expected = items.clone();
            #[expect(clippy::disallowed_methods, reason = "what ours is held against")]
            expected.sort_by_key(|item| item.0);
            prop_assert_eq!(&ours, &expected);
            prop_assert_eq!(&by_key, &expected);
            #[expect(clippy::disallowed_methods, reason = "what ours is held against")]
            expected.sort();
            prop_assert_eq!(&whole, &expected);
        }
    }
}
