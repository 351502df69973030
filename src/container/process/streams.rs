//! Where a process reads from and writes to.

use super::super::files::{self, normal};
use super::super::shell::{self, Redirect, To};
use super::{Ground, Process, Shell, Stream};
use std::sync::Arc;

/// More than this is not kept of what somebody is told, or of what is in a pipe.
const MOST_BYTES: usize = 1 << 20;

impl Process {
    /// Carries out redirections.
    pub(super) fn redirect(
        &mut self,
        redirects: &[Redirect],
        captures: usize,
        ground: &mut Ground<'_>,
    ) -> Result<(), String> {
        for Redirect { stream, to } in redirects {
            let target = match to {
                To::Write(word) | To::Append(word) => {
                    let path = self.fill(word, captures, ground)?;
                    let append = matches!(to, To::Append(_)) || self.resumed;
                    self.open(&path, append, ground)?
                }
                To::Read(word) => {
                    let path = self.fill(word, captures, ground)?;
                    let whole = normal(&self.shell.folder, &path);
                    let text = ground.files.view().text(&whole);
                    let text = text.ok_or_else(|| self.shell.dialect.cannot_open(&path, false))?;
                    Stream::Text(Arc::from(text.as_str()), 0)
                }
                To::Here(word) => Stream::Text(Arc::from(self.fill(word, captures, ground)?), 0),
                To::Same(other) => {
                    self.streams.get(usize::from(*other)).cloned().unwrap_or(Stream::Nothing)
                }
            };
            match *stream {
                0 => self.streams[0] = target,
                2 => self.streams[2] = target,
                shell::BOTH => {
                    self.streams[1] = target.clone();
                    self.streams[2] = target;
                }
                _ => self.streams[1] = target,
            }
        }
        Ok(())
    }

    fn open(&self, path: &str, append: bool, ground: &mut Ground<'_>) -> Result<Stream, String> {
        let whole = normal(&self.shell.folder, path);
        match whole.as_str() {
            "/dev/stdout" | "/proc/self/fd/1" => return Ok(self.streams[1].clone()),
            "/dev/stderr" | "/proc/self/fd/2" => return Ok(self.streams[2].clone()),
            "/proc/1/fd/1" | "/proc/1/fd/2" => return Ok(Stream::File(Arc::from("/proc/1/fd/1"))),
            "/dev/null" => return Ok(Stream::Nothing),
            _ => {}
        }
        if let Err(why) = ground.files.write(&whole, "", append) {
            return Err(match why {
                files::NO_SUCH => self.shell.dialect.cannot_open(path, true),
                why => self.shell.dialect.cannot_create(path, why),
            });
        }
        Ok(Stream::File(Arc::from(whole)))
    }

    /// Writes to a stream.
    pub(super) fn put(&mut self, stream: usize, text: &str, ground: &mut Ground<'_>) {
        if text.is_empty() {
            return;
        }
        match self.streams.get(stream) {
            Some(Stream::Role { errors }) => match self.role.talk() {
                None => ground.log.push(ground.now, text),
                Some(number) => {
                    let mut talks = ground.talks.iter_mut();
                    if let Some(talk) = talks.find(|talk| talk.number == number) {
                        let said = &mut talk.said;
                        match errors {
                            true if said.stderr.len() < MOST_BYTES => said.complain(text),
                            false if said.stdout.len() < MOST_BYTES => said.stdout.push_str(text),
                            _ => {}
                        }
                    }
                }
            },
            Some(Stream::File(path)) if &**path == "/proc/1/fd/1" => {
                ground.log.push(ground.now, text);
            }
            Some(Stream::File(path)) => {
                // Where a file cannot be written to was said when it was opened.
                let _ = ground.files.write(path, text, true);
            }
            Some(Stream::Pipe(number)) => {
                if let Some(pipe) = ground.pipe(*number)
                    && pipe.text.len() < MOST_BYTES
                {
                    pipe.text.push_str(text);
                }
            }
            Some(Stream::Captured) => {
                if let Some(capturing) = self.capturing.last_mut() {
                    capturing.push_str(text);
                }
            }
            Some(Stream::Nothing | Stream::Text(..) | Stream::Terminal) | None => {}
        }
    }

    /// The shell's own complaint, which sets the status.
    pub(super) fn complain(&mut self, why: &str, status: i32, ground: &mut Ground<'_>) {
        let line = format!("{}: {why}\n", self.shell.prefix());
        self.put(2, &line, ground);
        self.shell.status = status;
    }
}

impl Shell {
    /// How its complaints begin.
    pub(super) fn prefix(&self) -> String {
        self.dialect.prefix(&self.name, self.typing.as_ref().map(|typing| typing.line))
    }
}
