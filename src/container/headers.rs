//! Headers of HTTP.

use std::sync::Arc;

/// Headers of a request or an answer, in the order of their sending.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Headers(Arc<[(Arc<str>, Arc<str>)]>);

impl Headers {
    /// The value of a header, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The same with one more at the end.
    #[must_use]
    pub fn and(&self, name: &str, value: &str) -> Self {
        let new = (Arc::from(name), Arc::from(value));
        Headers(self.0.iter().cloned().chain([new]).collect())
    }

    /// The same with this value in the place of all others of the name; an empty one takes them
    /// away.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let others = self.0.iter().filter(|(own, _)| !own.eq_ignore_ascii_case(name));
        let others = Headers(others.cloned().collect());
        if value.is_empty() { others } else { others.and(name, value) }
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Self {
        let pairs = pairs.into_iter();
        Headers(pairs.map(|(name, value)| (Arc::from(name), Arc::from(value))).collect())
    }
}
