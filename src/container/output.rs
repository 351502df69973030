//! What a command printed, and when.

use core::time::Duration;

/// One of the two streams that a command prints to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A moment between two things that were printed: how much of each stream was there, and how long
/// nothing happened then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Bytes of standard output.
    pub out: usize,
    /// Bytes of standard error.
    pub err: usize,
    /// How long it took until the next.
    pub pause: Duration,
}

/// What a command printed.
///
/// The streams are kept apart for pipes and files; the marks say in which order and when a terminal
/// shows them. Where no mark parts them, standard output comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code, 0 for success.
    pub exit: i32,
    /// The moments between, in their order.
    pub marks: Vec<Mark>,
}

/// A part of what was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A text on a stream.
    Text(Stream, &'a str),
    /// Nothing for a while.
    Pause(Duration),
}

impl Output {
    /// Nothing but a line on standard error.
    pub fn failed(exit: i32, line: impl AsRef<str>) -> Self {
        Output { stderr: format!("{}\n", line.as_ref()), exit, ..Output::default() }
    }

    /// Adds to standard error, after all that was printed so far.
    pub fn complain(&mut self, text: &str) {
        self.stderr.push_str(text);
        self.pause(Duration::ZERO);
    }

    /// Lets time pass after all that was printed so far.
    pub fn pause(&mut self, pause: Duration) {
        self.marks.push(Mark { out: self.stdout.len(), err: self.stderr.len(), pause });
    }

    /// Adds what another command printed after this; its exit code is the new one.
    pub fn append(&mut self, other: Output) {
        let (out, err) = (self.stdout.len(), self.stderr.len());
        let moved = |mark: Mark| Mark { out: out + mark.out, err: err + mark.err, ..mark };
        self.marks.extend(other.marks.into_iter().map(moved));
        self.stdout.push_str(&other.stdout);
        self.stderr.push_str(&other.stderr);
        if !other.stderr.is_empty() {
            self.pause(Duration::ZERO);
        }
        self.exit = other.exit;
    }

    /// How long it took to print.
    pub fn time(&self) -> Duration {
        self.marks.iter().map(|mark| mark.pause).sum()
    }

    /// The parts in the order in which they were printed.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let end = Mark { out: self.stdout.len(), err: self.stderr.len(), pause: Duration::ZERO };
        let (mut out, mut err) = (0, 0);
        let mut parts = Vec::new();
        for mark in self.marks.iter().chain([&end]) {
            let printed = [
                (Stream::Out, self.stdout.get(out..mark.out)),
                (Stream::Err, self.stderr.get(err..mark.err)),
            ];
            for (stream, text) in printed {
                parts.extend(text.filter(|it| !it.is_empty()).map(|it| Part::Text(stream, it)));
            }
            if !mark.pause.is_zero() {
                parts.push(Part::Pause(mark.pause));
            }
            (out, err) = (out.max(mark.out), err.max(mark.err));
        }
        parts
    }

    /// Parts it at the first pause: what comes before, the pause, and what comes after; `None` if
    /// it was printed at once.
    pub fn until_pause(&self) -> Option<(Output, Duration, Output)> {
        let at = self.marks.iter().position(|mark| !mark.pause.is_zero())?;
        let (before, after) = self.marks.split_at_checked(at)?;
        let (mark, after) = after.split_first()?;
        let cut = |text: &str, at: usize| {
            let (a, b) = text.split_at_checked(at).unwrap_or((text, ""));
            (a.to_owned(), b.to_owned())
        };
        let (out, rest_out) = cut(&self.stdout, mark.out);
        let (err, rest_err) = cut(&self.stderr, mark.err);
        let moved = |one: &Mark| Mark {
            out: one.out.saturating_sub(mark.out),
            err: one.err.saturating_sub(mark.err),
            pause: one.pause,
        };
        let first = Output { stdout: out, stderr: err, exit: 0, marks: before.to_vec() };
        let marks = after.iter().map(moved).collect();
        let rest = Output { stdout: rest_out, stderr: rest_err, exit: self.exit, marks };
        Some((first, mark.pause, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_both_streams_in_their_order() {
        let mut output = Output { stdout: "a\n".to_owned(), ..Output::default() };
        output.complain("b\n");
        output.stdout.push_str("c\n");
        output.append(Output { stdout: "d\n".into(), stderr: "e\n".into(), ..Output::default() });
        output.append(Output { stdout: "f\n".into(), ..Output::default() });
        let shown: Vec<&str> = output
            .parts()
            .into_iter()
            .filter_map(|part| match part {
                Part::Text(_, text) => Some(text),
                Part::Pause(_) => None,
            })
            .collect();
        assert_eq!(shown, ["a\n", "b\n", "c\nd\n", "e\n", "f\n"]);
    }

    #[test]
    fn what_takes_time_is_parted_where_it_waits() {
        let mut output = Output { stdout: "one\n".to_owned(), exit: 3, ..Output::default() };
        output.pause(Duration::from_secs(1));
        output.complain("two\n");
        output.pause(Duration::from_secs(2));
        assert_eq!(output.time(), Duration::from_secs(3));
        let (first, pause, rest) = output.until_pause().unwrap();
        assert_eq!((first.stdout.as_str(), pause), ("one\n", Duration::from_secs(1)));
        let (second, pause, rest) = rest.until_pause().unwrap();
        assert_eq!((second.stderr.as_str(), pause), ("two\n", Duration::from_secs(2)));
        assert_eq!((rest.until_pause(), rest.exit), (None, 3));
    }
}
