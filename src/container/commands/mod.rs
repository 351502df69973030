//! The small programs that images have, as far as scripts and people use them.
//!
//! Invariants: a program sees files only through its [`Ground`], and prints what the real one
//! prints: busybox' words in images with busybox, GNU's elsewhere.
//!
//! Simplified: options that change nothing a script decides on are not looked at.
//!
//! Reading order: `files` (ls, cat, rm …), `test`, `text` (grep, sed …), `system` (date, ps …),
//! `client` (redis-cli and its kin).

mod client;
mod files;
mod system;
mod test;
mod text;

pub use system::duration;
pub(super) use text::reads_input;

use super::files::{View, normal};
use super::process::Ground;
use core::time::Duration;

/// A program at work.
pub(super) struct Call<'a, 'b> {
    /// Its name without its folder.
    pub(super) name: &'a str,
    /// Its words.
    pub(super) arguments: &'a [String],
    /// Standard input, as far as it is there.
    pub(super) input: &'a str,
    /// Whether this is not the first part of its input.
    pub(super) resumed: bool,
    /// The folder it runs in.
    pub(super) folder: &'a str,
    /// The shell's variables.
    pub(super) variables: &'a dyn Fn(&str) -> Option<String>,
    /// The variables that programs see.
    pub(super) exported: &'a dyn Fn() -> Vec<(String, String)>,
    /// Whether dash started it.
    pub(super) is_dash: bool,
    /// Who runs it.
    pub(super) pid: u32,
    /// What it stands on.
    pub(super) ground: &'a mut Ground<'b>,
    /// Standard output.
    pub(super) stdout: String,
    /// Standard error.
    pub(super) stderr: String,
}

/// What came of a program.
pub(super) enum Ran {
    /// It has ended with this code.
    Done(i32),
    /// It takes this long, and ends with this code.
    Sleeps(Duration, i32),
    /// It runs until it is stopped.
    Forever,
    /// It prints what is added to a file; so many bytes were there.
    Follows(String, usize),
    /// Nobody knows it.
    Unknown,
}

impl Call<'_, '_> {
    fn view(&self) -> View<'_> {
        self.ground.files.view()
    }

    /// A path from the root on.
    fn whole(&self, path: &str) -> String {
        normal(self.folder, path)
    }

    /// The name of who it runs as, or the number if that has none.
    fn user_name(&self) -> Result<String, u32> {
        let uid = self.ground.files.setting.user.uid;
        let known = self.view().text("/etc/passwd").unwrap_or_default();
        let own = known.lines().find(|line| line.split(':').nth(2) == Some(&uid.to_string()));
        own.and_then(|line| line.split(':').next()).map(str::to_owned).ok_or(uid)
    }

    fn is_busybox(&self) -> bool {
        self.ground.kit.busybox
    }

    /// A line of standard output.
    fn say(&mut self, line: impl AsRef<str>) {
        self.stdout.push_str(line.as_ref());
        self.stdout.push('\n');
    }

    /// A line of standard error that begins with the program's name.
    fn warn(&mut self, line: impl AsRef<str>) {
        self.stderr.push_str(self.name);
        self.stderr.push_str(": ");
        self.stderr.push_str(line.as_ref());
        self.stderr.push('\n');
    }

    fn flags(&self, with_value: &str) -> (String, Vec<String>) {
        flags(self.arguments, with_value)
    }

    /// The value of a flag of one letter, glued to it or after it.
    fn value(&self, letter: char) -> Option<&str> {
        let mut words = self.arguments.iter();
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix('-') else { continue };
            if let Some(glued) = flag.strip_prefix(letter) {
                return if glued.is_empty() {
                    words.next().map(String::as_str)
                } else {
                    Some(glued)
                };
            }
        }
        None
    }
}

/// The letters of the flags, and the other words. `with_value` are letters of flags that take a
/// word of their own.
fn flags(arguments: &[String], with_value: &str) -> (String, Vec<String>) {
    let (mut letters, mut rest) = (String::new(), Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some("-") => {
                rest.extend(words.cloned());
                break;
            }
            Some(flag) if !flag.is_empty() => {
                letters.push_str(flag);
                if flag.len() == 1 && with_value.contains(flag) {
                    words.next();
                }
            }
            _ => rest.push(word.clone()),
        }
    }
    (letters, rest)
}

/// Runs a program.
pub(super) fn run(call: &mut Call<'_, '_>) -> Ran {
    match call.name {
        "ls" | "cat" | "touch" | "mkdir" | "rmdir" | "rm" | "mv" | "cp" | "ln" | "chmod"
        | "chown" | "chgrp" | "stat" | "readlink" | "realpath" | "find" | "du" | "mktemp"
        | "truncate" | "dd" | "tee" | "split" | "install" | "mkfifo" | "sync" => files::run(call),
        "test" | "[" | "[[" => test::run(call),
        "echo" | "printf" | "grep" | "egrep" | "fgrep" | "sed" | "awk" | "head" | "tail" | "wc"
        | "sort" | "uniq" | "cut" | "tr" | "tac" | "base64" | "seq" | "expr" | "basename"
        | "dirname" | "yes" | "md5sum" | "sha256sum" | "diff" => text::run(call),
        "redis-cli"
        | "valkey-cli"
        | "pg_isready"
        | "psql"
        | "mysqladmin"
        | "mariadb-admin"
        | "mysql"
        | "mariadb"
        | "mongosh"
        | "mongo"
        | "rabbitmqctl"
        | "rabbitmq-diagnostics"
        | "healthcheck.sh"
        | "nodetool"
        | "cqlsh" => client::run(call),
        _ => system::run(call),
    }
}

/// Whether a program is a server that runs until it is stopped, however it is called.
pub(super) fn is_server(name: &str) -> bool {
    matches!(
        name,
        "httpd"
            | "httpd-foreground"
            | "apache2-foreground"
            | "redis-server"
            | "valkey-server"
            | "memcached"
            | "postgres"
            | "mysqld"
            | "mariadbd"
            | "mongod"
            | "rabbitmq-server"
            | "caddy"
            | "traefik"
            | "haproxy"
            | "registry"
            | "fluentd"
            | "cassandra"
            | "agnhost"
            | "elasticsearch"
            | "catalina.sh"
            | "jenkins.sh"
            | "zkServer.sh"
            | "consul"
            | "vault"
            | "influxd"
            | "influxdb3"
            | "ghost"
    )
}
