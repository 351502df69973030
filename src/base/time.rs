//! Virtual time.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, PrimitiveDateTime};

/// A whole number of seconds, as Kubernetes' `…Seconds` fields hold them.
pub type Seconds = i64;

/// A moment of virtual time: microseconds since the Unix epoch.
///
/// A world starts at [`SimTime::WORLD_START`] and moves only when somebody advances it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SimTime(u64);

impl SimTime {
    /// 2026-01-01T00:00:00Z, when every world begins.
    pub const WORLD_START: SimTime = SimTime(1_767_225_600_000_000);

    /// The moment `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: u64) -> Self {
        SimTime(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch; the precision of `metav1.Time`.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: SimTime) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// `metav1.Time` as JSON shows it: RFC 3339 in UTC with whole seconds.
    pub fn rfc3339(self) -> String {
        let (date, time) = self.civil();
        format!("{date}T{time}Z")
    }

    /// `metav1.MicroTime` as JSON shows it: RFC 3339 in UTC with six decimals.
    pub fn rfc3339_micros(self) -> String {
        let (date, time) = self.civil();
        format!("{date}T{time}.{:06}Z", self.0 % 1_000_000)
    }

    /// The form of `kubectl describe`: RFC 1123 with a numeric zone, `Mon, 23 Nov 2026 11:03:24 +0000`.
    pub fn rfc1123z(self) -> String {
        let moment = self.moment();
        let three = |word: String| word.chars().take(3).collect::<String>();
        let (weekday, month) = (moment.weekday().to_string(), moment.month().to_string());
        let (day, year, (_, time)) = (moment.day(), moment.year(), self.civil());
        format!("{}, {day:02} {} {year:04} {time} +0000", three(weekday), three(month))
    }

    /// As C's `ctime` shows it: `Mon Nov 23 11:03:24 2026`.
    pub fn ctime(self) -> String {
        let moment = self.moment();
        let three = |word: String| word.chars().take(3).collect::<String>();
        let (weekday, month) = (moment.weekday().to_string(), moment.month().to_string());
        let (day, year, (_, time)) = (moment.day(), moment.year(), self.civil());
        format!("{} {} {day:>2} {time} {year}", three(weekday), three(month))
    }

    /// The form that `date +FORMAT` prints, in UTC; letters that are none of its stay.
    pub fn format(self, format: &str) -> String {
        let moment = self.moment();
        let three = |word: String| word.chars().take(3).collect::<String>();
        let (weekday, month) = (moment.weekday().to_string(), moment.month().to_string());
        let (date, time) = self.civil();
        let mut out = String::new();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            let text = match letters.next() {
                Some('a') => three(weekday.clone()),
                Some('A') => weekday.clone(),
                Some('b' | 'h') => three(month.clone()),
                Some('B') => month.clone(),
                Some('d') => format!("{:02}", moment.day()),
                Some('e') => format!("{:2}", moment.day()),
                Some('m') => format!("{:02}", u8::from(moment.month())),
                Some('y') => format!("{:02}", moment.year() % 100),
                Some('Y') => format!("{:04}", moment.year()),
                Some('j') => format!("{:03}", moment.ordinal()),
                Some('H') => format!("{:02}", moment.hour()),
                Some('M') => format!("{:02}", moment.minute()),
                Some('S') => format!("{:02}", moment.second()),
                Some('N') => format!("{:09}", self.0 % 1_000_000 * 1000),
                Some('s') => self.as_secs().to_string(),
                Some('F') => date.clone(),
                Some('T') => time.clone(),
                Some('R') => time.chars().take(5).collect(),
                Some('Z') => "UTC".to_owned(),
                Some('z') => "+0000".to_owned(),
                Some('n') => "\n".to_owned(),
                Some('%') => "%".to_owned(),
                Some(other) => format!("%{other}"),
                None => "%".to_owned(),
            };
            out.push_str(&text);
        }
        out
    }

    /// Reads what [`rfc3339`](Self::rfc3339) and [`rfc3339_micros`](Self::rfc3339_micros) write,
    /// with any offset; `None` for other text and for times before the epoch.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(moment.unix_timestamp_nanos().div_euclid(1000)).ok().map(SimTime)
    }

    /// Month (1 to 12) and day of the month (1 to 31), in UTC.
    pub fn month_and_day(self) -> (u8, u8) {
        let moment = self.moment();
        (moment.month().into(), moment.day())
    }

    /// The date `2026-01-31` and the time of day `23:59:59`, in UTC.
    fn civil(self) -> (String, String) {
        let moment = self.moment();
        let (date, time) = (moment.date(), moment.to_hms());
        let date = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
        (date, format!("{:02}:{:02}:{:02}", time.0, time.1, time.2))
    }

    /// As a date; the year 9999 ends the calendar.
    fn moment(self) -> OffsetDateTime {
        let last = PrimitiveDateTime::MAX.assume_utc();
        i64::try_from(self.as_secs())
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(last)
    }
}

impl Add<Duration> for SimTime {
    type Output = SimTime;

    fn add(self, rhs: Duration) -> SimTime {
        SimTime(self.0.saturating_add(u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for SimTime {
    type Output = SimTime;

    fn sub(self, rhs: Duration) -> SimTime {
        SimTime(self.0.saturating_sub(u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// How kubectl shows an age, `8s`, `6m22s`, `51m`, `3h12m`, `2d4h`.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/duration/duration.go HumanDuration.
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    let years = days / 365;
    let two = |big: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{small_unit}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 730 => format!("{days}d"),
        () if years < 8 => two(years, "y", days % 365, "d"),
        () => format!("{years}y"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_starts_on_new_years_day_2026() {
        assert_eq!(SimTime::WORLD_START.rfc3339(), "2026-01-01T00:00:00Z");
        let later = SimTime::WORLD_START + Duration::from_micros(1_500_000);
        assert_eq!(later.rfc3339_micros(), "2026-01-01T00:00:01.500000Z");
        assert_eq!(later.rfc1123z(), "Thu, 01 Jan 2026 00:00:01 +0000");
        assert_eq!(SimTime::parse_rfc3339(&later.rfc3339_micros()), Some(later));
        assert_eq!(later.format("%a %b %e %T %Z %Y"), "Thu Jan  1 00:00:01 UTC 2026");
        assert_eq!(later.format("%F-%j %s.%N 100%%"), "2026-01-01-001 1767225601.500000000 100%");
    }

    #[test]
    fn ages_are_written_as_kubectl_writes_them() {
        let cases: [(u64, &str); 12] = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (382, "6m22s"),
            (600, "10m"),
            (3060, "51m"),
            (10_800, "3h"),
            (11_520, "3h12m"),
            (36_000, "10h"),
            (187_200, "2d4h"),
            (1_000_000, "11d"),
            (63_072_000, "2y"),
        ];
        for (seconds, text) in cases {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text, "{seconds} seconds");
        }
    }
}
