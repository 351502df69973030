//! What kubectl and the shell remember between commands.

use super::kubeconfig::Kubeconfig;
use crate::base::{SimTime, order};
use crate::container::normal;
use crate::container::tree::{Entry, Tree};
use crate::programs::Forwarded;

/// The folder that a person begins in.
pub const HOME: &str = "/home/student";
/// Links followed on the way to a file.
const MOST_LINKS: u32 = 8;

/// What kubectl and the shell remember between commands.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The namespace of the current context.
    pub namespace: String,
    /// The contexts that `kubectl config` knows.
    pub kubeconfig: Kubeconfig,
    /// The files of the person's machine.
    pub files: Tree,
    /// The working folder.
    pub folder: String,
    /// The ports of the person's machine that `kubectl port-forward` leads into pods.
    pub forwards: Vec<Forwarded>,
}

impl Default for Session {
    fn default() -> Self {
        Session {
            namespace: "default".into(),
            kubeconfig: Kubeconfig::default(),
            files: files(),
            folder: HOME.to_owned(),
            forwards: Vec::new(),
        }
    }
}

impl Session {
    /// The full path of a path.
    pub fn resolve(&self, path: &str) -> String {
        match path.strip_prefix('~') {
            Some(rest) => normal("/", &format!("{HOME}{rest}")),
            None => normal(&self.folder, path),
        }
    }

    /// What is at a path, links followed.
    fn find(&self, path: &str) -> Option<&Entry> {
        let mut path = self.resolve(path);
        for _ in 0..MOST_LINKS {
            match self.files.get(key(&path))? {
                Entry::Link(target) => {
                    let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
                    path = normal(folder, target);
                }
                entry => return Some(entry),
            }
        }
        None
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> Option<&str> {
        match self.find(path)? {
            Entry::File(file) => Some(&file.text),
            _ => None,
        }
    }

    /// Writes a file anew.
    pub fn write(&mut self, path: &str, text: String) {
        let path = self.resolve(path);
        self.files.write(key(&path), text, SimTime::WORLD_START);
    }

    /// Makes a folder, and those above it.
    pub fn make_folder(&mut self, path: &str) {
        let path = self.resolve(path);
        let ends = path.match_indices('/').skip(1).map(|(at, _)| at).chain([path.len()]);
        for folder in ends.filter_map(|end| path.get(..end)) {
            if self.find(folder).is_none() {
                let modified = SimTime::WORLD_START;
                self.files.set(key(folder), Entry::Folder { modified });
            }
        }
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &str) {
        let path = self.resolve(path);
        self.files.remove(key(&path));
    }

    /// Whether there is a folder of that path.
    pub fn is_folder(&self, path: &str) -> bool {
        let path = self.resolve(path);
        matches!(path.as_str(), "/" | "/tmp")
            || matches!(self.find(&path), Some(Entry::Folder { .. }))
    }

    /// The names of what lies in a folder, sorted; of the working folder for an empty path.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let folder = if folder.is_empty() { self.folder.clone() } else { self.resolve(folder) };
        let folder = key(&folder);
        let own = self.files.below(folder).filter(|(_, entry)| **entry != Entry::Removed);
        let below = own.filter_map(|(path, _)| path.get(folder.len()..));
        let names = below.filter_map(|rest| rest.trim_start_matches('/').split('/').next());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        order::sort(&mut names);
        names.dedup();
        names
    }
}

/// A full path in a tree.
fn key(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// What a person's machine has before anything is written there.
fn files() -> Tree {
    let mut tree = Tree::of_person();
    for folder in ["home", key(HOME)] {
        tree.set(folder, Entry::Folder { modified: SimTime::WORLD_START });
    }
    let users = "root:x:0:0:root:/root:/bin/bash\nstudent:x:1000:1000::/home/student:/bin/bash\n";
    tree.write("etc/passwd", users.to_owned(), SimTime::WORLD_START);
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_from_the_working_folder() {
        let mut session = Session::default();
        session.write("a.yaml", "1".into());
        let folder = Entry::Folder { modified: SimTime::WORLD_START };
        session.files.set("home/student/d", folder);
        session.folder = session.resolve("d");
        session.write("../b.yaml", "2".into());
        session.write("c.yaml", "3".into());
        for (path, text) in [
            ("../a.yaml", "1"),
            ("~/b.yaml", "2"),
            ("./c.yaml", "3"),
            ("/home/student/d/c.yaml", "3"),
        ] {
            assert_eq!(session.read(path), Some(text), "{path}");
        }
        assert_eq!(session.names(".."), ["a.yaml", "b.yaml", "d"]);
        assert_eq!(session.names(""), ["c.yaml"]);
    }
}
