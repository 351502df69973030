//! A tree of files: what a container wrote over its image, a volume, a disk.

use crate::base::{Map, SimTime};
use core::ops::Bound;
use std::sync::Arc;

/// A longer file loses its beginning.
// Simplified: a real disk holds more.
const MOST_BYTES: usize = 256 * 1024;
/// The same of a person's own.
const MOST_BYTES_OF_PERSON: usize = 4 << 20;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File(File),
    /// A folder.
    Folder {
        /// When it was made.
        modified: SimTime,
    },
    /// A symbolic link to a path.
    Link(Arc<str>),
    /// Nothing: what the image has there was removed.
    Removed,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it says.
    pub text: Arc<String>,
    /// When it was written last.
    pub modified: SimTime,
    /// Whether it may be run.
    pub executable: bool,
}

/// Files by their paths from the root of the tree, without a leading slash; the root itself is "".
///
/// Plain data: a clone costs O(1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    entries: Map<Arc<str>, Entry>,
    /// Whether it is a person's own, whose files keep more.
    is_persons: bool,
}

impl Tree {
    /// The files of a person's own machine.
    pub fn of_person() -> Self {
        Tree { is_persons: true, ..Tree::default() }
    }

    /// So many bytes of a file are kept.
    const fn most(&self) -> usize {
        if self.is_persons { MOST_BYTES_OF_PERSON } else { MOST_BYTES }
    }

    /// What stands at a path, links not followed.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Puts something at a path, in place of what was there.
    pub fn set(&mut self, path: &str, entry: Entry) {
        self.entries.insert(Arc::from(path), entry);
    }

    /// Adds to a file, which is made if it is not there.
    pub fn append(&mut self, path: &str, text: &str, now: SimTime) {
        let most = self.most();
        if let Some(Entry::File(file)) = self.entries.get_mut(path) {
            let whole = Arc::make_mut(&mut file.text);
            whole.push_str(text);
            if whole.len() > most {
                keep_half(whole);
            }
            file.modified = now;
            return;
        }
        self.write(path, text.to_owned(), now);
    }

    /// Makes a file that says this; one that is there stays executable.
    pub fn write(&mut self, path: &str, mut text: String, now: SimTime) {
        if text.len() > self.most() {
            keep_half(&mut text);
        }
        let executable = matches!(self.get(path), Some(Entry::File(File { executable: true, .. })));
        let file = File { text: Arc::new(text), modified: now, executable };
        self.set(path, Entry::File(file));
    }

    /// Takes away what stands at a path and below it.
    pub fn remove(&mut self, path: &str) {
        let below: Vec<Arc<str>> = self.below(path).map(|(path, _)| path.clone()).collect();
        self.entries.remove(path);
        for path in below {
            self.entries.remove(&*path);
        }
    }

    /// What is below a folder, at any depth, by path.
    pub fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = (&'a Arc<str>, &'a Entry)> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = (Bound::Excluded(prefix.as_str()), Bound::Unbounded);
        let range = self.entries.range::<_, str>(from);
        range.take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// Whether nothing was ever written.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Cuts the first half of a text away, at a line's end.
fn keep_half(text: &mut String) {
    let mut from = text.len() / 2;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let from = text.get(from..).and_then(|rest| rest.find('\n')).map_or(from, |at| from + at + 1);
    text.drain(..from);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SimTime = SimTime::WORLD_START;

    fn names(tree: &Tree, folder: &str) -> Vec<String> {
        tree.below(folder).map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn a_folder_goes_with_all_that_is_in_it() {
        let mut tree = Tree::default();
        for path in ["a/b", "a/b/c", "a-b", "ab"] {
            tree.write(path, String::new(), NOW);
        }
        assert_eq!(names(&tree, "a"), ["a/b", "a/b/c"]);
        tree.remove("a/b");
        assert_eq!(names(&tree, ""), ["a-b", "ab"]);
    }

    #[test]
    fn a_long_file_keeps_its_end() {
        let mut tree = Tree::default();
        for number in 0..60_000 {
            tree.append("log", &format!("{number}\n"), NOW);
        }
        let Some(Entry::File(file)) = tree.get("log") else { panic!("no file") };
        assert!(file.text.len() <= MOST_BYTES && file.text.ends_with("59999\n"));
        assert!(file.text.lines().all(|line| line.parse::<u32>().is_ok()));
    }
}
