//! A node's own disk, for who looks at it from outside of containers.

use super::base_files;
use super::files::{Found, Trees, normal};
use super::tree::{Entry, Tree};
use crate::base::SimTime;
use std::sync::Arc;

/// What a machine has on its disk beside what was written.
pub(super) const BASE: &str = "debian";

/// A node's own disk.
pub struct Machine<'a> {
    tree: &'a mut Tree,
}

impl<'a> Machine<'a> {
    /// The disk of this name.
    pub fn new(disk: Arc<str>, disks: &'a mut Trees) -> Self {
        Machine { tree: disks.entry(disk).or_default() }
    }

    /// Whether there is a folder.
    pub fn is_folder(&self, path: &str) -> bool {
        let path = normal("/", path);
        let key = path.trim_start_matches('/');
        match self.tree.get(key) {
            Some(entry) => matches!(entry, Entry::Folder { .. }),
            None => {
                self.tree.below(key).next().is_some()
                    || matches!(base_files::find(BASE, &path), Some(Found::Folder { .. }))
            }
        }
    }

    /// Whether there is a file.
    pub fn is_file(&self, path: &str) -> bool {
        let path = normal("/", path);
        match self.tree.get(path.trim_start_matches('/')) {
            Some(entry) => matches!(entry, Entry::File(_)),
            None => matches!(base_files::find(BASE, &path), Some(Found::File { .. })),
        }
    }

    /// Makes a folder, unless something is there.
    pub fn make_folder(&mut self, path: &str) {
        let whole = normal("/", path);
        let key = whole.trim_start_matches('/');
        if !self.is_folder(&whole) && self.tree.get(key).is_none() {
            self.tree.set(key, Entry::Folder { modified: SimTime::WORLD_START });
        }
    }

    /// Makes an empty file, unless something is there.
    pub fn make_file(&mut self, path: &str) {
        let whole = normal("/", path);
        let key = whole.trim_start_matches('/');
        if !self.is_file(&whole) && self.tree.get(key).is_none() {
            self.tree.write(key, String::new(), SimTime::WORLD_START);
        }
    }
}
