//! Texts that are said again and again, each kept once.

use super::names::fnv64a;
use std::sync::Arc;

/// So many texts are remembered.
const PLACES: u16 = 512;

/// Texts that were said lately. A cache: it changes nothing but how much memory equal texts take.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// Each has one place, by its hash; a new text takes the place of the one before it.
    places: Arc<Vec<Arc<str>>>,
}

impl Texts {
    /// Makes a text one with an equal one that was said lately.
    pub fn share(&mut self, text: &mut Arc<str>) {
        let place = fnv64a(0, text.as_bytes()) % u64::from(PLACES);
        let place = usize::try_from(place).unwrap_or_default();
        match self.places.get(place).filter(|known| *known == text) {
            Some(known) => *text = known.clone(),
            None => self.remember(place, text),
        }
    }

    fn remember(&mut self, place: usize, text: &Arc<str>) {
        let places = Arc::make_mut(&mut self.places);
        places.resize(usize::from(PLACES), Arc::default());
        if let Some(slot) = places.get_mut(place) {
            *slot = text.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_become_one() {
        let mut texts = Texts::default();
        let (mut one, mut other): (Arc<str>, Arc<str>) = ("Pulled".into(), "Pulled".into());
        texts.share(&mut one);
        texts.share(&mut other);
        assert!(Arc::ptr_eq(&one, &other) && &*other == "Pulled");
        for number in 0..5000 {
            let mut text: Arc<str> = number.to_string().into();
            texts.share(&mut text);
            assert_eq!(*text, number.to_string());
        }
    }
}
