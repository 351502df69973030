//! A person who types: lines for a shell and for the programs that it runs.

use super::super::kit::Kit;
use super::super::shell::{self, Dialect, Wrong};
use super::{Frame, Ground, Process, Typed, Wait};
use crate::base::SimTime;
use std::sync::Arc;

/// What stands before a line that goes on with the one before it.
const SECOND_PROMPT: &str = "> ";

impl Process {
    /// What stands before the line that it waits for, if it waits for one.
    pub(in crate::container) fn prompt(&self) -> Option<&Arc<str>> {
        match &self.wait {
            Wait::Line(prompt) => Some(prompt),
            _ => None,
        }
    }

    /// Gives it what was typed, if it waits for that.
    pub(in crate::container) fn hear_line(&mut self, typed: Typed, now: SimTime) {
        if matches!(self.wait, Wait::Line(_)) {
            self.typed = Some(typed);
            self.wait = Wait::Until(now);
        }
    }

    /// Whether it goes on beside what a person types, who cannot interrupt it.
    pub(in crate::container) const fn is_beside(&self) -> bool {
        self.is_beside
    }

    /// Ctrl-C: a shell that a person types into leaves what it is at, and is ready for the next
    /// line. Says whether it is one.
    pub(in crate::container) fn interrupt(&mut self, now: SimTime) -> bool {
        let is_typed_into = |frame: &Frame| match frame {
            Frame::Subshell { shell, .. } | Frame::Script { shell, .. } => shell.typing.is_some(),
            _ => false,
        };
        if self.shell.typing.is_none() && !self.frames.iter().any(is_typed_into) {
            return false;
        }
        self.back_to_prompt(130);
        self.wait = Wait::Until(now);
        true
    }

    /// Back to where a person types: what was begun there is left.
    fn back_to_prompt(&mut self, status: i32) {
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Script { .. } if self.shell.typing.is_some() => {
                    self.frames.push(frame);
                    break;
                }
                Frame::Script { shell, streams, .. } | Frame::Subshell { shell, streams, .. } => {
                    (self.shell, self.streams) = (*shell, streams);
                }
                Frame::Call { arguments, streams, .. } => {
                    (self.shell.arguments, self.streams) = (arguments, streams);
                }
                Frame::Streams(streams) => self.streams = streams,
                Frame::Loop { .. } | Frame::Case(_) | Frame::Within { .. } => {}
            }
        }
        if let Some(typing) = &mut self.shell.typing {
            typing.unfinished.take();
        }
        (self.code, self.at) = (Arc::new(Vec::new()), 0);
        (self.typed, self.reply, self.resumed, self.begun) = (None, None, false, None);
        self.heard.clear();
        self.captured.clear();
        self.capturing.clear();
        self.shell.status = status;
    }

    /// A command cannot be carried out: a script ends there, a person goes on with the next line.
    pub(super) fn give_up(&mut self, status: i32) -> Option<Wait> {
        let is_script =
            |frame: &&Frame| matches!(frame, Frame::Script { .. } | Frame::Subshell { .. });
        let innermost = self.frames.iter().rev().find(is_script);
        if self.shell.typing.is_some() && matches!(innermost, Some(Frame::Script { .. })) {
            self.back_to_prompt(status);
            return None;
        }
        self.leave(status)
    }

    /// Whether the next commands come from a person.
    pub(super) fn is_at_prompt(&self) -> bool {
        self.shell.typing.is_some() && matches!(self.frames.last(), Some(Frame::Script { .. }))
    }

    /// Takes the next line: begins with it, or waits for it.
    pub(super) fn next_line(&mut self, ground: &mut Ground<'_>) -> Option<Wait> {
        let prompt = self.first_prompt(ground);
        let Some(typing) = &mut self.shell.typing else { return None };
        match self.typed.take() {
            None if typing.unfinished.is_empty() => return Some(Wait::Line(prompt)),
            None => return Some(Wait::Line(Arc::from(SECOND_PROMPT))),
            Some(Typed::End) => self.shell.typing = None,
            Some(Typed::Line(line)) => {
                typing.line += 1;
                if !typing.unfinished.add(&line) {
                    return Some(Wait::Line(Arc::from(SECOND_PROMPT)));
                }
                match shell::parse_typed(typing.unfinished.text()) {
                    Err(Wrong::Unfinished(_)) => {
                        typing.unfinished.go_on();
                        return Some(Wait::Line(Arc::from(SECOND_PROMPT)));
                    }
                    Err(wrong) => {
                        typing.unfinished.take();
                        let why = self.shell.dialect.syntax(&wrong);
                        self.complain(&why, 2, ground);
                    }
                    Ok(code) => {
                        typing.unfinished.take();
                        self.enter(code, None, false);
                    }
                }
            }
        }
        None
    }

    /// What stands before a command.
    fn first_prompt(&self, ground: &Ground<'_>) -> Arc<str> {
        let Kit { busybox, .. } = ground.kit;
        let setting = ground.files.setting;
        let folder = &self.shell.folder;
        let folder = match self.shell.get("HOME").and_then(|home| folder.strip_prefix(home)) {
            Some(rest) if folder != "/" && (rest.is_empty() || rest.starts_with('/')) => {
                format!("~{rest}")
            }
            _ => folder.clone(),
        };
        let sign = if setting.user.uid == 0 { '#' } else { '$' };
        Arc::from(match self.shell.dialect {
            Dialect::Bash => {
                let user = if setting.user.uid == 0 { "root" } else { "I have no name!" };
                format!("{user}@{}:{folder}{sign} ", setting.host_name)
            }
            _ if busybox => format!("{folder} {sign} "),
            _ => format!("{sign} "),
        })
    }

    /// What a program reads of what is typed, if it reads it: what it waits for until it is there.
    pub(super) fn typing_is_missing(&mut self, by_line: bool) -> Option<Wait> {
        match self.typed.take() {
            None => {}
            Some(Typed::Line(line)) if !by_line => self.heard.push_str(&(line + "\n")),
            some => {
                self.typed = some;
                return None;
            }
        }
        Some(Wait::Line(Arc::from("")))
    }

    /// Takes what was typed for a program; whether that is all.
    pub(super) fn take_typed(&mut self) -> (String, bool) {
        match self.typed.take() {
            Some(Typed::Line(line)) => (line + "\n", false),
            Some(Typed::End) | None => (core::mem::take(&mut self.heard), true),
        }
    }
}
