//! Times as Go reads and writes them.
//!
//! Models Go's time/format.go Parse and staging/src/k8s.io/apimachinery/pkg/apis/meta/v1
//! Time.UnmarshalJSON and MicroTime.UnmarshalJSON.

use crate::base::SimTime;
use core::time::Duration;

/// How many digits a second has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    /// None: `2026-01-01T00:00:00Z`.
    Seconds,
    /// Six: `2026-01-01T00:00:00.000000Z`.
    Micros,
}

impl Precision {
    const fn layout(self) -> &'static str {
        match self {
            Precision::Seconds => "2006-01-02T15:04:05Z07:00",
            Precision::Micros => "2006-01-02T15:04:05.000000Z07:00",
        }
    }
}

/// Reads a time and writes it as the API server does, in UTC.
///
/// # Errors
/// Go's sentence: `parsing time "now" as "2006-…": cannot parse "now" as "2006"`.
pub(super) fn read(text: &str, precision: Precision) -> Result<String, String> {
    let mut reader = Reader { text, rest: text, precision };
    reader.time()
}

/// A text in quotes, all of it but ASCII byte by byte.
///
/// Models Go's time/format.go quote.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    precision: Precision,
}

impl Reader<'_> {
    fn cannot(&self, element: &str) -> String {
        let (text, layout, rest) = (quoted(self.text), self.precision.layout(), quoted(self.rest));
        format!("parsing time {text} as \"{layout}\": cannot parse {rest} as \"{element}\"")
    }

    fn out_of_range(&self, what: &str) -> String {
        format!("parsing time {}: {what} out of range", quoted(self.text))
    }

    /// So many digits.
    fn number(&mut self, digits: usize, element: &str) -> Result<u32, String> {
        let number = self.rest.get(..digits).filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let number = number.and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| self.cannot(element))?;
        self.rest = self.rest.get(digits..).unwrap_or_default();
        Ok(number)
    }

    fn literal(&mut self, letter: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(letter).ok_or_else(|| self.cannot(letter))?;
        Ok(())
    }

    fn time(&mut self) -> Result<String, String> {
        let year = self.number(4, "2006")?;
        self.literal("-")?;
        let month = self.number(2, "01")?;
        if !(1..=12).contains(&month) {
            return Err(self.out_of_range("month"));
        }
        self.literal("-")?;
        let day = self.number(2, "02")?;
        self.literal("T")?;
        let hour = self.number(2, "15")?;
        if hour > 23 {
            return Err(self.out_of_range("hour"));
        }
        self.literal(":")?;
        let minute = self.number(2, "04")?;
        if minute > 59 {
            return Err(self.out_of_range("minute"));
        }
        self.literal(":")?;
        let second = self.number(2, "05")?;
        if second > 59 {
            return Err(self.out_of_range("second"));
        }
        let micros = self.fraction()?;
        let zone = self.zone()?;
        if !self.rest.is_empty() {
            let (text, rest) = (quoted(self.text), quoted(self.rest));
            return Err(format!("parsing time {text}: extra text: {rest}"));
        }
        let plain =
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}");
        let time = SimTime::parse_rfc3339(&plain).ok_or_else(|| self.out_of_range("day"))?;
        Ok(match self.precision {
            Precision::Seconds => time.rfc3339(),
            Precision::Micros => (time + Duration::from_micros(micros)).rfc3339_micros(),
        })
    }

    /// Parts of a second, which may always be there.
    fn fraction(&mut self) -> Result<u64, String> {
        let digits = match self.rest.strip_prefix('.') {
            Some(rest) => rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len(),
            None => 0,
        };
        match self.precision {
            Precision::Micros if digits < 6 => return Err(self.cannot(".000000")),
            _ if digits == 0 => return Ok(0),
            _ => {}
        }
        let text: String = self.rest.chars().skip(1).take(digits.min(6)).collect();
        self.rest = self.rest.get(1 + digits..).unwrap_or_default();
        Ok(format!("{text:0<6}").parse().unwrap_or_default())
    }

    /// `Z` or `+01:00`, as it stands.
    fn zone(&mut self) -> Result<String, String> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok("Z".to_owned());
        }
        let zone = self.rest.get(..6).filter(|zone| {
            let bytes = zone.as_bytes();
            let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
            matches!(bytes.first(), Some(b'+' | b'-'))
                && bytes.get(3) == Some(&b':')
                && [1, 2, 4, 5].into_iter().all(digit)
        });
        let zone = zone.ok_or_else(|| self.cannot("Z07:00"))?.to_owned();
        self.rest = self.rest.get(6..).unwrap_or_default();
        Ok(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_refused_in_gos_words() {
        let cases = [
            (
                "yesterday",
                "parsing time \"yesterday\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"yesterday\" as \"2006\"",
            ),
            (
                "2026-01",
                "parsing time \"2026-01\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"-\"",
            ),
            ("2026-13-01T00:00:00Z", "parsing time \"2026-13-01T00:00:00Z\": month out of range"),
            ("2026-02-30T00:00:00Z", "parsing time \"2026-02-30T00:00:00Z\": day out of range"),
            (
                "2026-02-03 00:00:00Z",
                "parsing time \"2026-02-03 00:00:00Z\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \" 00:00:00Z\" as \"T\"",
            ),
            (
                "2026-02-03T00:00:00",
                "parsing time \"2026-02-03T00:00:00\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"Z07:00\"",
            ),
            ("2026-02-03T00:00:00Zx", "parsing time \"2026-02-03T00:00:00Zx\": extra text: \"x\""),
        ];
        for (text, why) in cases {
            assert_eq!(read(text, Precision::Seconds), Err(why.to_owned()));
        }
        assert_eq!(
            read("2026-02-03T04:05:06.7+01:30", Precision::Seconds).unwrap(),
            "2026-02-03T02:35:06Z"
        );
        assert_eq!(
            read("2026-02-03T04:05:06.0000070Z", Precision::Micros).unwrap(),
            "2026-02-03T04:05:06.000007Z"
        );
    }
}
