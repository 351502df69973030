//! A container's files as its processes see them: the image, what was written over it, and what is
//! mounted.

use super::base_files;
use super::kit::PERSONS;
use super::machine;
use super::tree::{Entry, Tree};
use crate::base::{Map, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Links followed on the way to a file.
const MOST_LINKS: u32 = 8;

/// The trees that outlive containers, by what they are: a volume of a pod, a folder of a node, a
/// disk.
pub type Trees = Map<Arc<str>, Tree>;

/// Where the files of a mount are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backing {
    /// A volume that lives with the pod, by its name.
    Pod(Arc<str>),
    /// A disk, by its name.
    Disk(Arc<str>),
    /// Files that the kubelet puts there, by their paths; one of the path "" is the mount itself.
    Given(Arc<BTreeMap<String, Given>>),
}

/// A file that the kubelet puts into a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// What it says.
    pub text: Arc<String>,
    /// Whether it may be run.
    pub executable: bool,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where, without a slash at the end.
    pub path: String,
    /// What.
    pub backing: Backing,
    /// The folder or file in it that is mounted; empty for the whole.
    pub sub_path: String,
    /// Whether it cannot be written to.
    pub read_only: bool,
}

impl Mount {
    /// What stands for the image of a machine whose own disk is mounted.
    fn of_machine(&self) -> Option<&'static str> {
        matches!(&self.backing, Backing::Disk(name) if name.starts_with("node/"))
            .then_some(machine::BASE)
    }
}

/// Who a process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// User, 0 for root.
    pub uid: u32,
    /// Main group.
    pub gid: u32,
    /// The other groups.
    pub groups: Vec<u32>,
}

/// What is fixed of a container's files: its image, its mounts, who its processes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// The image's name.
    pub image: String,
    /// The mounts.
    pub mounts: Vec<Mount>,
    /// Who its processes are.
    pub user: User,
    /// Whether only mounts can be written to.
    pub read_only: bool,
    /// The name of the machine.
    pub host_name: String,
    /// The pod's address.
    pub ip: Option<std::net::Ipv4Addr>,
}

/// The files to be read.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// What is fixed.
    pub setting: &'a Setting,
    /// What was written over the image.
    pub layer: &'a Tree,
    /// The pod's volumes.
    pub volumes: &'a Trees,
    /// The disks.
    pub disks: &'a Trees,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file.
    File {
        /// What it says.
        text: Arc<String>,
        /// When it was written, if that is known.
        modified: Option<SimTime>,
        /// Whether it may be run.
        executable: bool,
    },
    /// A folder.
    Folder {
        /// When it was made, if that is known.
        modified: Option<SimTime>,
    },
    /// A symbolic link to a path.
    Link(Arc<str>),
}

/// A path without `.`, `..` and doubled slashes, from a folder on.
pub fn normal(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The folder of a normal path, and its last name.
pub(super) fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((folder, name)) => (folder, name),
        None => ("/", path),
    }
}

/// What is below a mount, or `None` if a path is not below it.
fn below<'a>(path: &'a str, mount: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(mount)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

fn join(folder: &str, rest: &str) -> String {
    match (folder, rest) {
        ("", rest) => rest.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, rest) => format!("{folder}/{rest}"),
    }
}

impl Setting {
    /// The innermost mount that a normal path is in, and the path in what it mounts.
    pub(super) fn mount_of(&self, path: &str) -> Option<(&Mount, String)> {
        let inside =
            self.mounts.iter().filter_map(|mount| Some((mount, below(path, &mount.path)?)));
        let (mount, rest) = inside.max_by_key(|(mount, _)| mount.path.len())?;
        Some((mount, join(&mount.sub_path, rest)))
    }
}

impl View<'_> {
    /// What is at a normal path; links are followed.
    pub fn find(&self, path: &str) -> Option<Found> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            match self.find_here(&path)? {
                Found::Link(target) => path = normal(split(&path).0, &target),
                found => return Some(found),
            }
        }
        None
    }

    /// What is at a normal path, be it a link.
    pub fn find_here(&self, path: &str) -> Option<Found> {
        if let Some((mount, inner)) = self.setting.mount_of(path) {
            return self.in_mount(mount, &inner);
        }
        let key = path.trim_start_matches('/');
        match self.layer.get(key) {
            Some(Entry::Removed) => return None,
            Some(entry) => return found(entry),
            None => {}
        }
        let mut above = key;
        while let Some((folder, _)) = above.rsplit_once('/') {
            if matches!(self.layer.get(folder), Some(Entry::Removed)) {
                return None;
            }
            above = folder;
        }
        let holds_mount =
            || self.setting.mounts.iter().any(|it| below_folder(&it.path, path).is_some());
        base_files::find(&self.setting.image, path)
            .or_else(|| holds_mount().then_some(Found::Folder { modified: None }))
    }

    fn in_mount(&self, mount: &Mount, inner: &str) -> Option<Found> {
        let tree = match &mount.backing {
            Backing::Pod(name) => self.volumes.get(name),
            Backing::Disk(name) => self.disks.get(name),
            Backing::Given(files) => {
                if let Some(Given { text, executable }) = files.get(inner) {
                    let (text, executable) = (text.clone(), *executable);
                    return Some(Found::File { text, modified: None, executable });
                }
                let is_folder =
                    inner.is_empty() || files.keys().any(|path| below(path, inner).is_some());
                return is_folder.then_some(Found::Folder { modified: None });
            }
        };
        match tree.and_then(|tree| tree.get(inner)) {
            Some(entry) => found(entry),
            None => {
                let has_more = tree.is_some_and(|tree| tree.below(inner).next().is_some());
                let is_folder = inner == mount.sub_path || has_more;
                let own = mount
                    .of_machine()
                    .and_then(|image| base_files::find(image, &format!("/{inner}")));
                own.or_else(|| is_folder.then_some(Found::Folder { modified: None }))
            }
        }
    }

    /// What a file says; links are followed.
    pub fn text(&self, path: &str) -> Option<Arc<String>> {
        match self.find(path)? {
            Found::File { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether there is a folder; links are followed.
    pub fn is_folder(&self, path: &str) -> bool {
        matches!(self.find(path), Some(Found::Folder { .. }))
    }

    /// The names in a folder, in their order.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names = BTreeSet::new();
        let mut note = |rest: &str| {
            let name = rest.split('/').next().unwrap_or_default();
            if !name.is_empty() {
                names.insert(name.to_owned());
            }
        };
        if let Some((mount, inner)) = self.setting.mount_of(folder) {
            let tree = match &mount.backing {
                Backing::Pod(name) => self.volumes.get(name),
                Backing::Disk(name) => self.disks.get(name),
                Backing::Given(files) => {
                    files.keys().filter_map(|path| below_key(path, &inner)).for_each(&mut note);
                    None
                }
            };
            if let Some(image) = mount.of_machine() {
                let own = base_files::names(image, &format!("/{inner}"));
                own.iter().for_each(|name| note(name));
            }
            let own = tree.into_iter().flat_map(|tree| tree.below(&inner));
            own.filter_map(|(path, _)| below_key(path, &inner)).for_each(&mut note);
        } else {
            let key = folder.trim_start_matches('/');
            base_files::names(&self.setting.image, folder).iter().for_each(|name| note(name));
            let own = self.layer.below(key);
            own.filter_map(|(path, _)| below_key(path, key)).for_each(&mut note);
        }
        let mounts = self.setting.mounts.iter();
        mounts.filter_map(|mount| below_folder(&mount.path, folder)).for_each(&mut note);
        names.into_iter().filter(|name| self.find_here(&normal(folder, name)).is_some()).collect()
    }
}

/// What is below a folder of a tree, whose root is "".
fn below_key<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { below(path, folder) }
}

/// What is below a folder, whose root is "/"; "" for the folder itself.
pub(super) fn below_folder<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder == "/" { path.strip_prefix('/') } else { below(path, folder) }
}

fn found(entry: &Entry) -> Option<Found> {
    match entry {
        Entry::File(file) => Some(Found::File {
            text: file.text.clone(),
            modified: Some(file.modified),
            executable: file.executable,
        }),
        Entry::Folder { modified } => Some(Found::Folder { modified: Some(*modified) }),
        Entry::Link(target) => Some(Found::Link(target.clone())),
        Entry::Removed => None,
    }
}

/// The files to be written to.
pub(super) struct Files<'a> {
    /// What is fixed.
    pub setting: &'a Setting,
    /// What was written over the image.
    pub layer: &'a mut Tree,
    /// The pod's volumes.
    pub volumes: &'a mut Trees,
    /// The disks.
    pub disks: &'a mut Trees,
    /// The present.
    pub now: SimTime,
}

/// Why something cannot be written: the sentence behind the path.
pub(super) type Refusal = &'static str;

/// There is nothing at the path.
pub(super) const NO_SUCH: Refusal = "No such file or directory";
const READ_ONLY: Refusal = "Read-only file system";
const DENIED: Refusal = "Permission denied";
const IS_FOLDER: Refusal = "Is a directory";

impl Files<'_> {
    /// The files to be read.
    pub(super) fn view(&self) -> View<'_> {
        let (setting, layer) = (self.setting, &*self.layer);
        View { setting, layer, volumes: self.volumes, disks: self.disks }
    }

    /// The tree of a normal path, and the path in it, if it may be written to.
    fn tree(&mut self, path: &str) -> Result<(&mut Tree, String), Refusal> {
        let Some((mount, inner)) = self.setting.mount_of(path) else {
            if self.setting.read_only {
                return Err(READ_ONLY);
            }
            let is_own = self.setting.user.uid == 0 || self.setting.image == PERSONS;
            if !is_own && !base_files::is_for_everybody(path) {
                return Err(DENIED);
            }
            return Ok((self.layer, path.trim_start_matches('/').to_owned()));
        };
        match &mount.backing {
            _ if mount.read_only => Err(READ_ONLY),
            Backing::Given(_) => Err(READ_ONLY),
            Backing::Pod(name) => Ok((self.volumes.entry(name.clone()).or_default(), inner)),
            Backing::Disk(name) => Ok((self.disks.entry(name.clone()).or_default(), inner)),
        }
    }

    /// Where a path leads in the end, and that its folder is there.
    fn target(&self, path: &str) -> Result<String, Refusal> {
        let view = self.view();
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            match view.find_here(&path) {
                Some(Found::Link(target)) => path = normal(split(&path).0, &target),
                _ => break,
            }
        }
        match view.is_folder(split(&path).0) {
            true => Ok(path),
            false => Err(NO_SUCH),
        }
    }

    /// Writes a file anew, or adds to it. What goes to a device is gone.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn write(&mut self, path: &str, text: &str, append: bool) -> Result<(), Refusal> {
        if base_files::swallows(path) {
            return Ok(());
        }
        let path = self.target(path)?;
        let before = match self.view().find_here(&path) {
            Some(Found::Folder { .. }) => return Err(IS_FOLDER),
            Some(Found::File { text, .. }) if append => Some(text),
            _ => None,
        };
        let now = self.now;
        let (tree, inner) = self.tree(&path)?;
        match before {
            Some(before) if !matches!(tree.get(&inner), Some(Entry::File(_))) => {
                // It is the image's own: it is copied before it is changed.
                tree.write(&inner, format!("{before}{text}"), now);
            }
            _ if append => tree.append(&inner, text, now),
            _ => tree.write(&inner, text.to_owned(), now),
        }
        Ok(())
    }

    /// Makes a file that may be run, or no longer.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn set_executable(&mut self, path: &str, executable: bool) -> Result<(), Refusal> {
        let Some(Found::File { text, modified, .. }) = self.view().find(path) else {
            return if self.view().is_folder(path) { Ok(()) } else { Err(NO_SUCH) };
        };
        let path = self.target(path)?;
        let modified = modified.unwrap_or(self.now);
        let (tree, inner) = self.tree(&path)?;
        tree.set(&inner, Entry::File(super::tree::File { text, modified, executable }));
        Ok(())
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// Why it cannot be: also if something is there.
    pub(super) fn make_folder(&mut self, path: &str) -> Result<(), Refusal> {
        if self.view().find_here(path).is_some() {
            return Err("File exists");
        }
        let path = self.target(path)?;
        let modified = self.now;
        let (tree, inner) = self.tree(&path)?;
        tree.set(&inner, Entry::Folder { modified });
        Ok(())
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// Why it cannot be: also if something is there.
    pub(super) fn link(&mut self, path: &str, target: &str) -> Result<(), Refusal> {
        if self.view().find_here(path).is_some() {
            return Err("File exists");
        }
        let (tree, inner) = self.tree(path)?;
        tree.set(&inner, Entry::Link(Arc::from(target)));
        Ok(())
    }

    /// Takes away what is at a path, with all below it.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn remove(&mut self, path: &str) -> Result<(), Refusal> {
        if self.view().find_here(path).is_none() {
            return Err(NO_SUCH);
        }
        if self.setting.mounts.iter().any(|mount| mount.path == path) {
            return Err("Device or resource busy");
        }
        let is_mounted = self.setting.mount_of(path).is_some();
        let of_image = base_files::find(&self.setting.image, path).is_some();
        let (tree, inner) = self.tree(path)?;
        tree.remove(&inner);
        if !is_mounted && of_image {
            tree.set(&inner, Entry::Removed);
        }
        Ok(())
    }

    /// Copies a file or a folder with all that is in it.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn copy(&mut self, from: &str, to: &str) -> Result<(), Refusal> {
        match self.view().find(from) {
            None => Err(NO_SUCH),
            Some(Found::File { text, executable, .. }) => {
                self.write(to, &text, false)?;
                if executable { self.set_executable(to, true) } else { Ok(()) }
            }
            Some(_) => {
                let names = self.view().names(from);
                if !self.view().is_folder(to) {
                    self.make_folder(to)?;
                }
                names.iter().try_for_each(|name| self.copy(&normal(from, name), &normal(to, name)))
            }
        }
    }
}
