//! View models that many components hold: compared by being the same, not by being equal.

use core::ops::Deref;
use std::rc::Rc;

/// A shared view model. It is replaced only when it differs, so that comparing which one it is
/// tells whether anything has changed, without reading through all of a cluster.
#[derive(Debug)]
pub(super) struct Shared<T>(Rc<T>);

impl<T: PartialEq> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Shared(Rc::new(value))
    }

    /// Takes a new value, unless it is equal.
    pub(super) fn keep(&mut self, value: T) {
        if *self.0 != value {
            self.0 = Rc::new(value);
        }
    }
}

impl<T: PartialEq> Shared<T> {
    /// The same for a value that is shared already.
    pub(super) fn keep_same(&mut self, value: Rc<T>) {
        if !Rc::ptr_eq(&self.0, &value) && self.0 != value {
            self.0 = value;
        }
    }
}

impl<T> From<Rc<T>> for Shared<T> {
    fn from(value: Rc<T>) -> Self {
        Shared(value)
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Shared(Rc::default())
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}
