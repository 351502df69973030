//! What kubectl and the shell remember between commands.

use super::kubeconfig::Kubeconfig;
use crate::base::order;
use crate::programs::Forwarded;
use std::collections::{BTreeMap, BTreeSet};

/// The folder that a person begins in.
pub const HOME: &str = "/home/student";

/// What kubectl and the shell remember between commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The namespace of the current context.
    pub namespace: String,
    /// The contexts that `kubectl config` knows.
    pub kubeconfig: Kubeconfig,
    /// The files, by their full path.
    pub files: BTreeMap<String, String>,
    /// The folders, by their full path.
    pub folders: BTreeSet<String>,
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
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
            folder: HOME.to_owned(),
            forwards: Vec::new(),
        }
    }
}

impl Session {
    /// The full path of a path.
    pub fn resolve(&self, path: &str) -> String {
        let whole = match path.strip_prefix('~') {
            Some(rest) => format!("{HOME}{rest}"),
            None if path.starts_with('/') => path.to_owned(),
            None => format!("{}/{path}", self.folder),
        };
        let mut steps: Vec<&str> = Vec::new();
        for step in whole.split('/') {
            match step {
                "" | "." => {}
                ".." => drop(steps.pop()),
                step => steps.push(step),
            }
        }
        format!("/{}", steps.join("/"))
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> Option<&str> {
        self.files.get(&self.resolve(path)).map(String::as_str)
    }

    /// Writes a file anew.
    pub fn write(&mut self, path: &str, text: String) {
        let path = self.resolve(path);
        self.files.insert(path, text);
    }

    /// Whether there is a folder of that path.
    pub fn is_folder(&self, path: &str) -> bool {
        let path = self.resolve(path);
        matches!(path.as_str(), "/" | "/tmp" | HOME) || self.folders.contains(&path)
    }

    /// The names of what lies in a folder, sorted; of the working folder for an empty path.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let folder = if folder.is_empty() { self.folder.clone() } else { self.resolve(folder) };
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let all = self.files.keys().chain(&self.folders);
        let own = all.filter_map(|path| path.strip_prefix(&prefix));
        let mut names: Vec<String> =
            own.filter_map(|rest| rest.split('/').next()).map(str::to_owned).collect();
        order::sort(&mut names);
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_from_the_working_folder() {
        let mut session = Session::default();
        session.write("a.yaml", "1".into());
        session.folders.insert(session.resolve("d"));
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
