//! Times written as cron expressions: `*/5 9-17 * * mon-fri`.
//!
//! Models github.com/robfig/cron/v3 (parser.go, spec.go), which Kubernetes uses. The crates for
//! this bring a database of time zones along, which a page cannot afford.

use crate::base::SimTime;
use core::ops::RangeInclusive;
use core::time::Duration;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
/// No schedule is searched further than this; 29 February comes within eight years.
const MOST_DAYS: u64 = 9 * 366;

/// Minutes, hours, days and months as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// With both kinds of days restricted, either will do.
    either_day: bool,
}

impl Schedule {
    /// Reads five fields or `@hourly` and its like; `None` if that is no schedule.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        let starred = |field: &str| field.starts_with(['*', '?']);
        let month_names =
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let day_names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
        Some(Schedule {
            minutes: field(minutes, 0..=59, &[])?,
            hours: field(hours, 0..=23, &[])?,
            days: field(days, 1..=31, &[])?,
            months: field(months, 1..=12, &month_names)?,
            weekdays: field(weekdays, 0..=6, &day_names)?,
            either_day: !starred(days) && !starred(weekdays),
        })
    }

    /// The first due time after `time`.
    pub(super) fn after(&self, time: SimTime) -> Option<SimTime> {
        let next_minute = (time.as_secs() / MINUTE + 1) * MINUTE;
        let first_day = next_minute / DAY;
        let day = (first_day..first_day + MOST_DAYS).filter(|day| self.includes(*day));
        let due = day.flat_map(|day| self.times_of(day)).find(|at| *at >= next_minute)?;
        Some(SimTime::default() + Duration::from_secs(due))
    }

    fn times_of(&self, day: u64) -> impl Iterator<Item = u64> + use<> {
        let (hours, minutes) = (self.hours, self.minutes);
        let hours = (0..24u64).filter(move |hour| hours & (1 << hour) != 0);
        hours.flat_map(move |hour| {
            let minutes = (0..60u64).filter(move |minute| minutes & (1 << minute) != 0);
            minutes.map(move |minute| day * DAY + hour * 60 * MINUTE + minute * MINUTE)
        })
    }

    fn includes(&self, day: u64) -> bool {
        let (month, date) = SimTime::from_micros(day * DAY * 1_000_000).month_and_day();
        // 1970-01-01 was a Thursday.
        let weekday = (day + 4) % 7;
        let (by_date, by_weekday) =
            (self.days & (1 << date) != 0, self.weekdays & (1 << weekday) != 0);
        let fits = if self.either_day { by_date || by_weekday } else { by_date && by_weekday };
        self.months & (1 << month) != 0 && fits
    }
}

/// One field as bits.
fn field(text: &str, range: RangeInclusive<u64>, names: &[&str]) -> Option<u64> {
    text.split(',').try_fold(0, |bits, part| Some(bits | part_bits(part, &range, names)?))
}

fn part_bits(text: &str, range: &RangeInclusive<u64>, names: &[&str]) -> Option<u64> {
    let (span, step) = match text.split_once('/') {
        Some((span, step)) => (span, step.parse().ok().filter(|step: &u64| *step > 0)?),
        None => (text, 1),
    };
    let number = |text: &str| {
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let named = named.and_then(|place| u64::try_from(place).ok());
        named.map(|place| place + range.start()).or_else(|| text.parse().ok())
    };
    let (first, last) = match span.split_once('-') {
        _ if span == "*" || span == "?" => (*range.start(), *range.end()),
        Some((first, last)) => (number(first)?, number(last)?),
        // `5/10` goes on to the end.
        None if text.contains('/') => (number(span)?, *range.end()),
        None => (number(span)?, number(span)?),
    };
    if first < *range.start() || last > *range.end() || first > last {
        return None;
    }
    let step = usize::try_from(step).ok()?;
    Some((first..=last).step_by(step).fold(0, |bits, value| bits | (1 << value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_the_first_that_every_field_allows() {
        // A Thursday.
        let from = SimTime::parse_rfc3339("2026-01-01T00:00:30Z").unwrap();
        let cases = [
            ("* * * * *", "2026-01-01T00:01:00Z"),
            ("*/15 * * * *", "2026-01-01T00:15:00Z"),
            ("5/20 3 * * *", "2026-01-01T03:05:00Z"),
            ("@daily", "2026-01-02T00:00:00Z"),
            ("0 9 * * mon-fri", "2026-01-01T09:00:00Z"),
            ("0 0 * * SAT", "2026-01-03T00:00:00Z"),
            ("0 0 13 * 5", "2026-01-02T00:00:00Z"),
            ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
            ("30 12 1,15 jun *", "2026-06-01T12:30:00Z"),
        ];
        for (text, expected) in cases {
            let next = Schedule::parse(text).unwrap().after(from).unwrap();
            assert_eq!(next.rfc3339(), expected, "{text}");
        }
        for text in ["", "* * * *", "60 * * * *", "* * 0 * *", "*/0 * * * *", "x * * * *"] {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
    }
}
