//! What a container printed, and when.

use crate::base::SimTime;

/// More than this is not kept: the oldest lines go first.
// Simplified: a node keeps ten megabytes.
const MOST_BYTES: usize = 64 * 1024;

/// Lines with the moments they were finished at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    text: String,
    /// When each line was begun, and where it begins in the text.
    lines: Vec<(SimTime, usize)>,
}

impl Log {
    /// Adds what was printed.
    pub fn push(&mut self, now: SimTime, text: &str) {
        for line in text.split_inclusive('\n') {
            if self.text.is_empty() || self.text.ends_with('\n') {
                self.lines.push((now, self.text.len()));
            }
            self.text.push_str(line);
        }
        if self.text.len() > MOST_BYTES {
            self.forget_half();
        }
    }

    fn forget_half(&mut self) {
        let keep = self.lines.len() / 2;
        let gone = self.lines.get(keep).map_or(self.text.len(), |(_, at)| *at);
        self.text.drain(..gone);
        self.lines.drain(..keep);
        for (_, at) in &mut self.lines {
            *at = at.saturating_sub(gone);
        }
    }

    /// The lines, each with its moment and without its end.
    pub fn lines(&self) -> impl Iterator<Item = (SimTime, &str)> {
        let ends = self.lines.iter().skip(1).map(|(_, at)| *at).chain([self.text.len()]);
        self.lines.iter().zip(ends).map(|((time, from), to)| {
            let line = self.text.get(*from..to).unwrap_or_default();
            (*time, line.strip_suffix('\n').unwrap_or(line))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_moment_they_were_begun() {
        let mut log = Log::default();
        let time = SimTime::from_micros;
        log.push(time(1), "a\nb");
        log.push(time(2), "c\n\nd\n");
        let lines: Vec<_> = log.lines().collect();
        assert_eq!(lines, [(time(1), "a"), (time(1), "bc"), (time(2), ""), (time(2), "d")]);
    }

    #[test]
    fn a_long_log_forgets_its_oldest_lines() {
        let mut log = Log::default();
        for number in 0..20_000u64 {
            log.push(SimTime::from_micros(number), &format!("line {number}\n"));
        }
        assert!(log.text.len() <= MOST_BYTES);
        assert!(log.lines().all(|(time, line)| line == format!("line {}", time.as_micros())));
        assert_eq!(log.lines().last().map(|(_, line)| line), Some("line 19999"));
    }
}
