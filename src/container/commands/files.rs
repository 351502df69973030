//! Programs for files.

use super::super::files::{Found, NO_SUCH, normal, split};
use super::{Call, Ran};
use crate::base::SimTime;
use core::fmt::Write as _;

pub(super) fn run(call: &mut Call<'_, '_>) -> Ran {
    match call.name {
        "ls" => list(call),
        "cat" => cat(call),
        "tee" => tee(call),
        "find" => find(call),
        "stat" => stat(call),
        "mktemp" => make_temporary(call),
        "du" => {
            let (_, paths) = call.flags("");
            let path = paths.first().map_or(".", String::as_str).to_owned();
            call.say(format!("4\t{path}"));
            Ran::Done(0)
        }
        "readlink" | "realpath" => {
            let (_, paths) = call.flags("");
            for path in &paths {
                let whole = call.whole(path);
                let text = match call.view().find_here(&whole) {
                    Some(Found::Link(target)) => target.to_string(),
                    _ => whole,
                };
                call.say(text);
            }
            Ran::Done(0)
        }
        "sync" | "chown" | "chgrp" | "mkfifo" | "install" | "split" => Ran::Done(0),
        "mv" | "cp" => transfer(call),
        "ln" => link(call),
        "dd" => write_zeros(call),
        _ => each(call),
    }
}

/// `cat`: busybox and GNU complain in different words.
fn cat(call: &mut Call<'_, '_>) -> Ran {
    let (letters, paths) = call.flags("");
    let mut text = String::new();
    let mut status = 0;
    let paths = if paths.is_empty() { vec!["-".to_owned()] } else { paths };
    for path in &paths {
        if path == "-" || matches!(path.as_str(), "/dev/stdin" | "/proc/self/fd/0") {
            text.push_str(call.input);
            continue;
        }
        let whole = call.whole(path);
        let why = match call.view().find(&whole) {
            Some(Found::File { text: own, .. }) => {
                text.push_str(&own);
                continue;
            }
            Some(_) if call.is_busybox() => "read error: Is a directory",
            Some(_) => "Is a directory",
            None => NO_SUCH,
        };
        status = 1;
        let line = match (call.is_busybox(), why) {
            (true, NO_SUCH) => format!("can't open '{path}': {why}"),
            (true, why) => why.to_owned(),
            (false, why) => format!("{path}: {why}"),
        };
        call.warn(line);
    }
    if letters.contains('n') {
        for (number, line) in text.lines().enumerate() {
            let _ = writeln!(call.stdout, "{:6}\t{line}", number + 1);
        }
    } else {
        call.stdout.push_str(&text);
    }
    Ran::Done(status)
}

fn tee(call: &mut Call<'_, '_>) -> Ran {
    let (letters, paths) = call.flags("");
    let append = letters.contains('a') || call.resumed;
    let input = call.input.to_owned();
    let mut status = 0;
    for path in &paths {
        let whole = call.whole(path);
        if let Err(why) = call.ground.files.write(&whole, &input, append) {
            call.warn(format!("{path}: {why}"));
            status = 1;
        }
    }
    call.stdout.push_str(&input);
    Ran::Done(status)
}

/// Programs that do one thing to each path.
fn each(call: &mut Call<'_, '_>) -> Ran {
    let (letters, mut paths) = call.flags("mds");
    let mode =
        if call.name == "chmod" && !paths.is_empty() { paths.remove(0) } else { letters.clone() };
    if paths.is_empty() && !(call.name == "rm" && letters.contains('f')) {
        call.warn("missing operand");
        return Ran::Done(1);
    }
    let mut status = 0;
    for path in &paths {
        let whole = call.whole(path);
        if let Err(why) = one(call, &letters, &mode, &whole) {
            if call.name == "rm" && letters.contains('f') && why == NO_SUCH {
                continue;
            }
            status = 1;
            let line = complaint(call, path, why);
            call.warn(line);
        }
    }
    Ran::Done(status)
}

/// One path.
fn one(call: &mut Call<'_, '_>, letters: &str, mode: &str, path: &str) -> Result<(), &'static str> {
    let found = call.view().find_here(path);
    match call.name {
        "touch" => match found {
            Some(Found::Folder { .. }) => Ok(()),
            _ if letters.contains('c') && found.is_none() => Ok(()),
            _ => call.ground.files.write(path, "", true),
        },
        "truncate" => call.ground.files.write(path, "", false),
        "mkdir" if letters.contains('p') => {
            let mut folder = String::new();
            for part in path.split('/').filter(|part| !part.is_empty()) {
                folder = normal(&folder, part);
                if !call.view().is_folder(&folder) {
                    call.ground.files.make_folder(&folder)?;
                }
            }
            Ok(())
        }
        "mkdir" => call.ground.files.make_folder(path),
        "rmdir" => match found {
            Some(Found::Folder { .. }) if !call.view().names(path).is_empty() => {
                Err("Directory not empty")
            }
            Some(Found::Folder { .. }) => call.ground.files.remove(path),
            Some(_) => Err("Not a directory"),
            None => Err(NO_SUCH),
        },
        "rm" => match found {
            Some(Found::Folder { .. }) if !letters.contains(['r', 'R']) => Err("Is a directory"),
            _ => call.ground.files.remove(path),
        },
        "chmod" => {
            let executable = match mode.parse::<u32>() {
                Ok(_) => mode.chars().any(|digit| matches!(digit, '1' | '3' | '5' | '7')),
                Err(_) => mode.contains("+x") || mode.contains("rwx"),
            };
            call.ground.files.set_executable(path, executable || mode.contains("+r"))
        }
        _ => Ok(()),
    }
}

fn complaint(call: &Call<'_, '_>, path: &str, why: &str) -> String {
    match (call.name, call.is_busybox()) {
        ("touch" | "truncate", true) => format!("{path}: {why}"),
        ("touch", false) => format!("cannot touch '{path}': {why}"),
        ("truncate", false) => format!("cannot open '{path}' for writing: {why}"),
        ("mkdir", true) => format!("can't create directory '{path}': {why}"),
        ("mkdir", false) => format!("cannot create directory '{path}': {why}"),
        ("rmdir", true) => format!("'{path}': {why}"),
        ("rmdir", false) => format!("failed to remove '{path}': {why}"),
        ("rm", true) if why == "Is a directory" => format!("'{path}' is a directory"),
        ("rm", true) => format!("can't remove '{path}': {why}"),
        ("rm", false) => format!("cannot remove '{path}': {why}"),
        (_, true) => format!("{path}: {why}"),
        (_, false) => format!("cannot access '{path}': {why}"),
    }
}

/// `mv` and `cp`.
fn transfer(call: &mut Call<'_, '_>) -> Ran {
    let (letters, mut paths) = call.flags("");
    let Some(target) = paths.pop().filter(|_| !paths.is_empty()) else {
        call.warn("missing file operand");
        return Ran::Done(1);
    };
    let moves = call.name == "mv";
    let to = call.whole(&target);
    let into = call.view().is_folder(&to);
    let mut status = 0;
    for path in &paths {
        let from = call.whole(path);
        let to = if into { normal(&to, split(&from).1) } else { to.clone() };
        let is_folder = call.view().is_folder(&from);
        let result = match call.view().find(&from) {
            None => Err(NO_SUCH),
            Some(_) if is_folder && !moves && !letters.contains(['r', 'R', 'a']) => {
                call.warn(format!("-r not specified; omitting directory '{path}'"));
                status = 1;
                continue;
            }
            Some(_) => call.ground.files.copy(&from, &to),
        };
        let result = match moves {
            true => result.and_then(|()| call.ground.files.remove(&from)),
            false => result,
        };
        if let Err(why) = result {
            status = 1;
            let line = match (moves, call.is_busybox()) {
                (true, true) => format!("can't rename '{path}': {why}"),
                (false, true) if why == NO_SUCH => format!("can't stat '{path}': {why}"),
                (false, true) => format!("can't create '{target}': {why}"),
                (_, false) if why == NO_SUCH => format!("cannot stat '{path}': {why}"),
                (true, false) => format!("cannot move '{path}' to '{target}': {why}"),
                (false, false) => format!("cannot create regular file '{target}': {why}"),
            };
            call.warn(line);
        }
    }
    Ran::Done(status)
}

fn link(call: &mut Call<'_, '_>) -> Ran {
    let (letters, paths) = call.flags("");
    let [target, path] = paths.as_slice() else { return Ran::Done(1) };
    let mut whole = call.whole(path);
    if call.view().is_folder(&whole) {
        whole = normal(&whole, split(target).1);
    }
    if letters.contains('f') && call.view().find_here(&whole).is_some() {
        // What cannot be removed is said below.
        let _ = call.ground.files.remove(&whole);
    }
    let made = match letters.contains('s') {
        true => call.ground.files.link(&whole, target),
        false => {
            let from = call.whole(target);
            call.ground.files.copy(&from, &whole)
        }
    };
    match made {
        Ok(()) => Ran::Done(0),
        Err(why) => {
            call.warn(format!("{path}: {why}"));
            Ran::Done(1)
        }
    }
}

/// `dd of=FILE`: an empty file.
// Simplified: what it would be filled with is not kept.
fn write_zeros(call: &mut Call<'_, '_>) -> Ran {
    let target = call.arguments.iter().find_map(|it| it.strip_prefix("of=")).map(str::to_owned);
    if let Some(path) = target {
        let whole = call.whole(&path);
        if let Err(why) = call.ground.files.write(&whole, "", false) {
            call.warn(format!("can't open '{path}': {why}"));
            return Ran::Done(1);
        }
    }
    Ran::Done(0)
}

fn make_temporary(call: &mut Call<'_, '_>) -> Ran {
    let seed = call.ground.now.as_micros() ^ u64::from(call.pid);
    let hash = crate::base::names::fnv64a(seed, b"mktemp");
    let path = format!("/tmp/tmp.{:06x}", hash & 0xff_ffff);
    let made = match call.flags("").0.contains('d') {
        true => call.ground.files.make_folder(&path),
        false => call.ground.files.write(&path, "", false),
    };
    match made {
        Ok(()) => {
            call.say(&path);
            Ran::Done(0)
        }
        Err(why) => {
            call.warn(why);
            Ran::Done(1)
        }
    }
}

/// `ls`, with `-l`, `-a` and `-d`. Without a terminal, names stand one a line.
fn list(call: &mut Call<'_, '_>) -> Ran {
    let (letters, mut paths) = call.flags("");
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let mut status = 0;
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for path in &paths {
        let whole = call.whole(path);
        match call.view().find(&whole) {
            Some(Found::Folder { .. }) if !letters.contains('d') => folders.push(path.clone()),
            Some(_) => files.push((path.clone(), whole)),
            None => {
                status = if call.is_busybox() { 1 } else { 2 };
                let line = match call.is_busybox() {
                    true => format!("{path}: {NO_SUCH}"),
                    false => format!("cannot access '{path}': {NO_SUCH}"),
                };
                call.warn(line);
            }
        }
    }
    let has_files = !files.is_empty();
    let text = lines_of(call, &letters, &files);
    call.stdout.push_str(&text);
    for (number, path) in folders.iter().enumerate() {
        if paths.len() > 1 {
            if number > 0 || has_files {
                call.say("");
            }
            call.say(format!("{path}:"));
        }
        let whole = call.whole(path);
        let mut names = call.view().names(&whole);
        if !letters.contains(['a', 'A']) {
            names.retain(|name| !name.starts_with('.'));
        } else if letters.contains('a') {
            names.splice(0..0, [".".to_owned(), "..".to_owned()]);
        }
        let entries: Vec<(String, String)> =
            names.into_iter().map(|name| (name.clone(), normal(&whole, &name))).collect();
        if letters.contains('l') {
            let count = entries.len() * 4;
            call.say(format!("total {count}"));
        }
        let text = lines_of(call, &letters, &entries);
        call.stdout.push_str(&text);
    }
    Ran::Done(status)
}

fn lines_of(call: &Call<'_, '_>, letters: &str, entries: &[(String, String)]) -> String {
    let mut text = String::new();
    let user = call.user_name().unwrap_or_else(|uid| uid.to_string());
    for (name, path) in entries {
        if !letters.contains('l') {
            let _ = writeln!(text, "{name}");
            continue;
        }
        let (kind, size, modified, target) = match call.view().find_here(path) {
            Some(Found::Folder { modified }) => ("drwxr-xr-x", 4096, modified, String::new()),
            Some(Found::Link(to)) => ("lrwxrwxrwx", to.len(), None, format!(" -> {to}")),
            Some(Found::File { text, modified, executable: true }) => {
                ("-rwxr-xr-x", text.len(), modified, String::new())
            }
            Some(Found::File { text, modified, .. }) => {
                ("-rw-r--r--", text.len(), modified, String::new())
            }
            None => continue,
        };
        let owner = if modified.is_some() { &user } else { "root" };
        let modified = modified.unwrap_or(SimTime::WORLD_START);
        let date = modified.format("%b %e %H:%M");
        let _ = match call.is_busybox() {
            true => writeln!(
                text,
                "{kind}    1 {owner:<8} {:<8} {size:9} {date} {name}{target}",
                "root"
            ),
            false => writeln!(text, "{kind} 1 {owner} root {size:5} {date} {name}{target}"),
        };
    }
    text
}

/// `find DIR -name PATTERN -type f|d`.
fn find(call: &mut Call<'_, '_>) -> Ran {
    let is_path = |it: &&String| !it.starts_with('-');
    let mut roots: Vec<String> = call.arguments.iter().take_while(is_path).cloned().collect();
    if roots.is_empty() {
        roots.push(".".to_owned());
    }
    let after = |flag: &str| {
        let place = call.arguments.iter().position(|it| it == flag)?;
        call.arguments.get(place + 1).cloned()
    };
    let (pattern, kind) = (after("-name"), after("-type"));
    let mut status = 0;
    let mut open: Vec<String> = roots.into_iter().rev().collect();
    while let Some(path) = open.pop() {
        let whole = call.whole(&path);
        let Some(found) = call.view().find_here(&whole) else {
            call.warn(format!("{path}: {NO_SUCH}"));
            status = 1;
            continue;
        };
        let is_folder = matches!(found, Found::Folder { .. });
        let name = split(&whole).1;
        let fits = pattern.as_ref().is_none_or(|it| super::super::shell::matches(it, name))
            && kind.as_ref().is_none_or(|kind| is_folder == (kind == "d"));
        if fits {
            call.say(&path);
        }
        if is_folder {
            let glue = if path.ends_with('/') { "" } else { "/" };
            let names = call.view().names(&whole);
            open.extend(names.iter().rev().map(|name| format!("{path}{glue}{name}")));
        }
        if call.stdout.len() > 1 << 16 {
            break;
        }
    }
    Ran::Done(status)
}

fn stat(call: &mut Call<'_, '_>) -> Ran {
    let (_, mut paths) = call.flags("c");
    let format = call.value('c').map(str::to_owned);
    paths.retain(|path| Some(path) != format.as_ref());
    let mut status = 0;
    for path in &paths {
        let whole = call.whole(path);
        let (kind, mode, size, modified) = match call.view().find(&whole) {
            Some(Found::File { text, modified, executable }) => {
                let mode = if executable { "0755/-rwxr-xr-x" } else { "0644/-rw-r--r--" };
                let kind = if text.is_empty() { "regular empty file" } else { "regular file" };
                (kind, mode, text.len(), modified)
            }
            Some(_) => ("directory", "0755/drwxr-xr-x", 4096, None),
            None => {
                let line = match call.is_busybox() {
                    true => format!("can't stat '{path}': {NO_SUCH}"),
                    false => format!("cannot statx '{path}': {NO_SUCH}"),
                };
                call.warn(line);
                status = 1;
                continue;
            }
        };
        let time = modified.unwrap_or(SimTime::WORLD_START);
        let text = match &format {
            Some(format) => format
                .replace("%s", &size.to_string())
                .replace("%n", path)
                .replace("%F", kind)
                .replace("%U", "root")
                .replace("%a", mode.get(1..4).unwrap_or_default())
                .replace("%Y", &time.as_secs().to_string()),
            None => {
                let date = time.format("%Y-%m-%d %H:%M:%S.000000000 +0000");
                format!(
                    "  File: {path}\n  Size: {size:<10}\tBlocks: {:<10} IO Block: 4096   {kind}\nAccess: ({mode})  Uid: (    0/    root)   Gid: (    0/    root)\nAccess: {date}\nModify: {date}\nChange: {date}",
                    size.div_ceil(512)
                )
            }
        };
        call.say(text);
    }
    Ran::Done(status)
}
