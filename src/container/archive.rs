//! What `tar` carries into a container and out of it, for `kubectl cp`.

use super::files::{Files, Found, Refusal, View, normal};
use super::kit::Kit;
use std::sync::Arc;

/// More is not carried.
const MOST_MEMBERS: usize = 10_000;

/// One of the things in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path, without a leading slash.
    pub name: String,
    /// What it is.
    pub holds: Holds,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// What it says.
        text: Arc<String>,
        /// Whether it may be run.
        executable: bool,
    },
    /// A symbolic link to a path.
    Link(Arc<str>),
}

/// What `tar` says, and its exit code.
pub type Said = (String, i32);

/// `tar cf - PATH` in a folder: busybox and GNU say it in different words.
pub fn pack(view: &View<'_>, kit: Kit, folder: &str, path: &str) -> (Vec<Member>, Said) {
    let whole = normal(folder, path);
    if view.find_here(&whole).is_none() {
        let said = match kit.busybox {
            true => (
                format!(
                    "tar: {path}: No such file or directory\ntar: error exit delayed from previous errors\n"
                ),
                1,
            ),
            false => (
                format!(
                    "tar: {path}: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors\n"
                ),
                2,
            ),
        };
        return (Vec::new(), said);
    }
    let said = match (path.starts_with('/'), kit.busybox) {
        (false, _) => "",
        (true, true) => "tar: removing leading '/' from member names\n",
        (true, false) => "tar: Removing leading `/' from member names\n",
    };
    let mut members = Vec::new();
    add(view, &whole, path.trim_start_matches('/').trim_end_matches('/'), &mut members);
    (members, (said.to_owned(), 0))
}

fn add(view: &View<'_>, path: &str, name: &str, members: &mut Vec<Member>) {
    if members.len() >= MOST_MEMBERS {
        return;
    }
    let holds = match view.find_here(path) {
        None => return,
        Some(Found::File { text, executable, .. }) => Holds::File { text, executable },
        Some(Found::Link(target)) => Holds::Link(target),
        Some(Found::Folder { .. }) => Holds::Folder,
    };
    let is_folder = holds == Holds::Folder;
    members.push(Member { name: name.to_owned(), holds });
    if is_folder {
        for own in view.names(path) {
            let inner = if name.is_empty() { own.clone() } else { format!("{name}/{own}") };
            add(view, &normal(path, &own), &inner, members);
        }
    }
}

/// `tar -xmf - -C INTO` in a folder.
pub(super) fn unpack(
    files: &mut Files<'_>,
    kit: Kit,
    folder: &str,
    into: &str,
    members: &[Member],
) -> Said {
    let base = normal(folder, into);
    if !files.view().is_folder(&base) {
        let why = "No such file or directory";
        return match kit.busybox {
            true => (format!("tar: can't change directory to '{into}': {why}\n"), 1),
            false => (
                format!(
                    "tar: {into}: Cannot open: {why}\ntar: Error is not recoverable: exiting now\n"
                ),
                2,
            ),
        };
    }
    let mut said = String::new();
    for member in members {
        let Err(why) = put(files, &base, member) else { continue };
        let name = &member.name;
        match kit.busybox {
            true => return (format!("tar: can't open '{name}': {why}\n"), 1),
            false => said.push_str(&format!("tar: {name}: Cannot open: {why}\n")),
        }
    }
    if said.is_empty() {
        return (said, 0);
    }
    (said + "tar: Exiting with failure status due to previous errors\n", 2)
}

/// Puts a member in its place, and makes the folders on the way.
fn put(files: &mut Files<'_>, base: &str, member: &Member) -> Result<(), Refusal> {
    let whole = normal(base, &member.name);
    let begin = base.trim_end_matches('/').len() + 1;
    let ends = whole.match_indices('/').map(|(at, _)| at).filter(|at| *at >= begin);
    for folder in ends.filter_map(|end| whole.get(..end)) {
        if !files.view().is_folder(folder) {
            files.make_folder(folder)?;
        }
    }
    match &member.holds {
        Holds::Folder if files.view().is_folder(&whole) => Ok(()),
        Holds::Folder => files.make_folder(&whole),
        Holds::Link(target) => {
            let _ = files.remove(&whole);
            files.link(&whole, target)
        }
        Holds::File { text, executable } => {
            files.write(&whole, text, false)?;
            files.set_executable(&whole, *executable)
        }
    }
}
