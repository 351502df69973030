//! Keeps what a linter cannot: the order of the rooms, web crates only in the view, complete
//! messages, folders that explain themselves. Each failure says how to mend it.
//!
//! A check is a function from files to complaints, so that each is also shown a bad sample.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rooms that meet only through the object store, as the real components do.
const PEERS: [&str; 5] = ["scheduler", "controllers", "kubelet", "proxy", "addons"];
/// Crates that know a browser; `gloo_*` counts as gloo.
const WEB_CRATES: [&str; 5] = ["yew", "web_sys", "gloo", "wasm_bindgen", "js_sys"];
/// Lines of one file in src/, without its tests.
const MAX_LINES: usize = 800;

/// A text file of the repository: its path from the root with `/`, and what it says.
#[derive(Clone, Debug)]
struct File {
    path: String,
    text: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn is_source(&self) -> bool {
        self.path.starts_with("src/") && self.path.ends_with(".rs")
    }

    /// The room that a file of the library belongs to: `store` for src/store/index.rs.
    fn room(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let room = rest.split('/').next()?;
        (!matches!(room, "lib" | "bin")).then_some(room)
    }

    /// The lines with their numbers from 1, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().zip(1..).map(|(line, number)| {
            (number, line.split_once("//").map_or(line, |(before, _comment)| before))
        })
    }
}

/// Every text file of the repository that a person wrote.
fn repository() -> Vec<File> {
    fn walk(folder: &Path, root: &Path, into: &mut Vec<File>) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        diorama::base::order::sort(&mut entries);
        for path in entries {
            let Ok(relative) = path.strip_prefix(root) else { continue };
            let name = relative.to_string_lossy().replace('\\', "/");
            let last = name.rsplit('/').next().unwrap_or_default();
            if matches!(last, ".git" | "target" | "dist" | "node_modules") {
                continue;
            }
            if path.is_dir() {
                walk(&path, root, into);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                into.push(File { path: name, text });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(root, root, &mut files);
    files
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The identifier that a text begins with, possibly empty.
fn leading_word(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or_default()
}

/// The first names after each `crate::` in a text: both of `crate::{base::Map, store}`.
fn crate_names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, found) in text.match_indices("crate::") {
        if text.get(..at).is_some_and(|before| before.ends_with(is_word)) {
            continue;
        }
        let after = text.get(at + found.len()..).unwrap_or_default();
        let Some(group) = after.strip_prefix('{') else {
            names.push(leading_word(after));
            continue;
        };
        let mut depth = 0;
        let mut item_starts_at = Some(0);
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => item_starts_at = Some(index + 1),
                _ => {}
            }
            if depth == 0 && !c.is_whitespace() && c != ',' && item_starts_at.take().is_some() {
                names.push(leading_word(group.get(index..).unwrap_or_default()));
            }
        }
    }
    names
}

/// The rooms in the order of their `mod` lines in src/lib.rs.
fn rooms(files: &[File]) -> Vec<String> {
    let lib = files.iter().find(|file| file.path == "src/lib.rs");
    lib.into_iter()
        .flat_map(File::code)
        .filter_map(|(_, line)| {
            let line = line.trim();
            line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))?.strip_suffix(';')
        })
        .map(str::to_owned)
        .collect()
}

fn room_order(files: &[File]) -> Vec<String> {
    let rooms = rooms(files);
    let place = |room: &str| rooms.iter().position(|other| other == room);
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_source()) {
        let Some(room) = file.room() else { continue };
        let Some(own_place) = place(room) else {
            complaints.push(format!("{}: src/lib.rs has no `pub mod {room};`", file.path));
            continue;
        };
        let code: Vec<&str> = file.code().map(|(_, line)| line).collect();
        let imported: BTreeSet<String> =
            crate_names(&code.join("\n")).into_iter().map(str::to_owned).collect();
        for other in imported.iter().filter(|other| *other != room) {
            if PEERS.contains(&room) && PEERS.contains(&other.as_str()) {
                complaints.push(format!(
                    "{}: {room} imports {other}, but the two meet only through the object store: \
                     move what both need into a room above them (store, api)",
                    file.path
                ));
            } else if place(other).is_some_and(|place| place > own_place) {
                complaints.push(format!(
                    "{}: {room} imports {other}, which src/lib.rs lists below it: move the shared \
                     part up, or turn the call around",
                    file.path
                ));
            }
        }
    }
    complaints
}

#[test]
fn each_room_imports_only_from_the_rooms_above_it() {
    assert_none(&room_order(&repository()));
}

#[test]
fn the_room_check_sees_upward_peer_and_grouped_imports() {
    let lib = File::new(
        "src/lib.rs",
        "pub mod base;\n\npub mod store;\n\npub mod scheduler;\n\npub mod kubelet;\n\npub mod world;",
    );
    for (path, text, expected) in [
        ("src/base/time.rs", "use crate::world::World;", "imports world"),
        ("src/store/mod.rs", "fn f() { crate::world::g() }", "imports world"),
        ("src/store/mod.rs", "use crate::{base::{Map, Rng},\n    world};", "imports world"),
        ("src/kubelet/mod.rs", "use crate::scheduler::Cycle;", "only through the object store"),
        ("src/stray.rs", "", "no `pub mod stray;`"),
    ] {
        let complaints = room_order(&[lib.clone(), File::new(path, text)]);
        assert!(complaints.iter().any(|one| one.contains(expected)), "{text}: {complaints:?}");
    }
    let fine = "//! Not crate::world.\nuse crate::{base::Map, store};\nuse crate::kubelet::pod;";
    assert_none(&room_order(&[lib, File::new("src/kubelet/mod.rs", fine)]));
}

fn web_crates(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_source()) {
        if file.path.starts_with("src/view/") || file.path == "src/bin/page.rs" {
            continue;
        }
        for (number, line) in file.code() {
            for word in line.split(|c| !is_word(c)) {
                let word = if word.starts_with("gloo_") { "gloo" } else { word };
                if WEB_CRATES.contains(&word) {
                    complaints.push(format!(
                        "{}:{number}: names {word}: the model knows no browser; return an Effect \
                         and let src/view carry it out",
                        file.path
                    ));
                }
            }
        }
    }
    complaints
}

#[test]
fn only_the_view_names_a_web_crate() {
    assert_none(&web_crates(&repository()));
}

#[test]
fn the_web_crate_check_sees_uses_and_paths() {
    for text in ["use yew::prelude::*;", "let w = web_sys::window();", "use gloo_timers::callback;"]
    {
        assert_eq!(web_crates(&[File::new("src/world/mod.rs", text)]).len(), 1, "{text}");
    }
    assert_none(&web_crates(&[
        File::new("src/view/map.rs", "use yew::prelude::*;"),
        File::new("src/world/mod.rs", "// yew draws this\nlet reviewed = 1;"),
    ]));
}

fn folder_introductions(files: &[File]) -> Vec<String> {
    let folders: BTreeSet<&str> = files
        .iter()
        .filter(|file| file.is_source())
        .filter_map(|file| file.path.rsplit_once('/').map(|(folder, _)| folder))
        .filter(|folder| !matches!(*folder, "src" | "src/bin"))
        .collect();
    let opening = |path: &str| files.iter().find(|file| file.path == path).map(|file| &file.text);
    folders
        .into_iter()
        .filter_map(|folder| match opening(&format!("{folder}/mod.rs")) {
            None => Some(format!("{folder}: has no mod.rs: give it one that opens with `//!`")),
            Some(text) if !text.starts_with("//! ") => Some(format!(
                "{folder}/mod.rs: open it with `//!`: purpose, invariants, reading order"
            )),
            Some(_) => None,
        })
        .collect()
}

#[test]
fn every_folder_opens_with_its_purpose() {
    assert_none(&folder_introductions(&repository()));
}

#[test]
fn the_folder_check_sees_a_missing_and_a_silent_mod() {
    let bad = [File::new("src/net/mod.rs", "mod a;"), File::new("src/world/clock.rs", "//! Time.")];
    assert_eq!(folder_introductions(&bad).len(), 2);
    assert_none(&folder_introductions(&[File::new("src/net/mod.rs", "//! Packets.")]));
}

/// `Key = text` lines; `#` starts a comment line.
fn messages(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .map(|(key, text)| (key.trim(), text.trim()))
        .collect()
}

/// The names in braces that a message fills in.
fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn message_files(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut catalogues = BTreeMap::new();
    for file in files.iter().filter(|file| file.path.starts_with("static/messages/")) {
        let mut catalogue = BTreeMap::new();
        for (key, text) in messages(&file.text) {
            if text.is_empty() {
                complaints.push(format!("{}: {key} has no text after `=`", file.path));
            }
            if catalogue.insert(key, text).is_some() {
                complaints.push(format!("{}: {key} stands twice: keep one", file.path));
            }
        }
        catalogues.insert(file.path.as_str(), catalogue);
    }
    let empty = BTreeMap::new();
    for (path, catalogue) in &catalogues {
        let other_path = match *path {
            "static/messages/es.txt" => "static/messages/en.txt",
            "static/messages/en.txt" => "static/messages/es.txt",
            _ => {
                complaints.push(format!("{path}: is neither es.txt nor en.txt: name it so"));
                continue;
            }
        };
        let other = catalogues.get(other_path).unwrap_or(&empty);
        for (key, text) in catalogue {
            match other.get(key) {
                None => complaints.push(format!("{other_path}: lacks {key}: translate it")),
                Some(translated) if placeholders(translated) != placeholders(text) => complaints
                    .push(format!("{path}: {key} fills in other {{names}} than {other_path} does")),
                Some(_) => {}
            }
        }
    }
    complaints
}

#[test]
fn both_languages_have_the_same_messages() {
    assert_none(&message_files(&repository()));
}

#[test]
fn the_message_check_sees_gaps_doubles_and_other_placeholders() {
    let en = File::new("static/messages/en.txt", "# Hello\nNext = Next\nPods = {n} pods\n");
    for (text, expected) in [
        ("Next = Siguiente", "lacks Pods"),
        ("Next =\nPods = {n} pods", "has no text"),
        ("Next = Sigue\nNext = Sigue\nPods = {n} pods", "stands twice"),
        ("Next = Siguiente\nPods = {numero} pods", "other {names}"),
        ("Next = Siguiente\nPods = {n} pods\nMás = Más", "en.txt: lacks Más"),
    ] {
        let complaints = message_files(&[en.clone(), File::new("static/messages/es.txt", text)]);
        assert!(complaints.iter().any(|one| one.contains(expected)), "{text}: {complaints:?}");
    }
    assert!(
        !message_files(std::slice::from_ref(&en)).is_empty(),
        "one language alone is not enough"
    );
    let es = File::new("static/messages/es.txt", "Next = Siguiente\nPods = {n} pods");
    assert_none(&message_files(&[en, es]));
}

fn long_files(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_source() && !file.path.ends_with("/tests.rs"))
        .filter_map(|file| {
            let lines = file.text.lines().take_while(|line| *line != "#[cfg(test)]").count();
            (lines > MAX_LINES).then(|| {
                format!(
                    "{}: {lines} lines without tests, over {MAX_LINES}: split it by subject",
                    file.path
                )
            })
        })
        .collect()
}

#[test]
fn no_source_file_is_too_long_to_read() {
    assert_none(&long_files(&repository()));
}

#[test]
fn the_length_check_counts_code_and_not_tests() {
    let code = "let a = 1;\n".repeat(MAX_LINES);
    let tested = format!("{code}#[cfg(test)]\nmod tests {{\n{code}}}\n");
    assert_none(&long_files(&[File::new("src/net/a.rs", &tested)]));
    assert_eq!(long_files(&[File::new("src/net/a.rs", &format!("{code}{tested}"))]).len(), 1);
}

/// Text that must stand nowhere, with what to do about it. Put together here so that this file does
/// not contain it.
const BANNED: [(&str, &str); 6] = [
    (concat!("to", "do!"), "finish it, or return an error that says what is missing"),
    (concat!("db", "g!"), "remove it: a test or the write log says what happened"),
    (concat!("/wo", "rk/"), "name no path of one machine"),
    (concat!("/tm", "p/wt"), "name no path of one machine"),
    (concat!("/tm", "p/k8s/"), "name the file as Kubernetes' repository does: pkg/…"),
    (concat!("/ro", "ot/."), "name no path of one machine"),
];

fn banned_text(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (line, number) in file.text.lines().zip(1..) {
            for (text, remedy) in BANNED {
                if line.contains(text) {
                    complaints.push(format!("{}:{number}: says {text}: {remedy}", file.path));
                }
            }
        }
    }
    complaints
}

#[test]
fn nothing_unfinished_and_no_path_of_one_machine_is_left() {
    assert_none(&banned_text(&repository()));
}

#[test]
fn the_text_check_sees_each_banned_text() {
    for (text, _) in BANNED {
        assert_eq!(banned_text(&[File::new("docs/a.md", &format!("see {text} here"))]).len(), 1);
    }
    assert_none(&banned_text(&[File::new("docs/a.md", "a method to do it, in the network/")]));
}

fn vague_names(files: &[File]) -> Vec<String> {
    let vague = |path: &str| {
        path.split('/').any(|part| {
            let stem = part.split('.').next().unwrap_or_default();
            matches!(
                stem,
                "util"
                    | "utils"
                    | "helper"
                    | "helpers"
                    | "common"
                    | "misc"
                    | "manager"
                    | "managers"
            )
        })
    };
    files
        .iter()
        .filter(|file| vague(&file.path))
        .map(|file| format!("{}: name it after what it holds", file.path))
        .collect()
}

#[test]
fn every_file_is_named_after_what_it_holds() {
    assert_none(&vague_names(&repository()));
}

#[test]
fn the_name_check_sees_files_and_folders() {
    let bad = ["src/net/utils.rs", "tests/common/mod.rs", "src/kubelet/manager.rs"];
    assert_eq!(vague_names(&bad.map(|path| File::new(path, ""))).len(), bad.len());
    assert_none(&vague_names(&[File::new("src/controllers/controller_manager.rs", "")]));
}

/// Addresses differ from place to place: a lock file that names them works in one place only.
fn lock_addresses(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.path.ends_with("package-lock.json"))
        .filter(|file| file.text.contains("\"resolved\""))
        .map(|file| {
            format!(
                "{}: names download addresses: run `npm install` again with the repository's .npmrc",
                file.path
            )
        })
        .collect()
}

#[test]
fn the_npm_lock_file_works_with_any_registry() {
    assert_none(&lock_addresses(&repository()));
}

#[test]
fn the_lock_check_sees_an_address() {
    let bad = File::new("package-lock.json", r#"{"resolved": "https://registry.example/a.tgz"}"#);
    assert_eq!(lock_addresses(&[bad]).len(), 1);
}

#[test]
fn the_walk_finds_the_repository() {
    let files = repository();
    assert!(files.len() > 10, "{files:?}");
    assert_eq!(rooms(&files).first().map(String::as_str), Some("base"));
}
