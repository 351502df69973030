//! The schedule of a CronJob.

/// A field of a schedule: its range and the names that stand for numbers.
struct Bounds {
    least: u64,
    most: u64,
    names: &'static [&'static str],
    first_name: u64,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Bounds; 5] = [
    Bounds { least: 0, most: 59, names: &[], first_name: 0 },
    Bounds { least: 0, most: 23, names: &[], first_name: 0 },
    Bounds { least: 1, most: 31, names: &[], first_name: 0 },
    Bounds { least: 1, most: 12, names: &MONTHS, first_name: 1 },
    Bounds { least: 0, most: 6, names: &DAYS, first_name: 0 },
];

const DESCRIPTORS: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Says what is wrong with a schedule.
///
/// Models github.com/robfig/cron/v3 ParseStandard.
///
/// # Errors
/// The parser's sentence.
pub(super) fn check(schedule: &str) -> Result<(), String> {
    let mut schedule = schedule;
    if schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=") {
        schedule = schedule.split_once(' ').map_or("", |(_, rest)| rest.trim());
    }
    if schedule.is_empty() {
        return Err("empty spec string".to_owned());
    }
    if schedule.starts_with('@') {
        return descriptor(schedule);
    }
    let words: Vec<&str> = schedule.split_whitespace().collect();
    if words.len() != FIELDS.len() {
        let found = words.len();
        return Err(format!("expected exactly 5 fields, found {found}: [{}]", words.join(" ")));
    }
    for (word, bounds) in words.iter().zip(&FIELDS) {
        for part in word.split(',').filter(|part| !part.is_empty()) {
            range(part, bounds)?;
        }
    }
    Ok(())
}

fn descriptor(text: &str) -> Result<(), String> {
    if DESCRIPTORS.contains(&text) {
        return Ok(());
    }
    match text.strip_prefix("@every ") {
        Some(duration) if is_duration(duration) => Ok(()),
        Some(duration) => Err(format!(
            "failed to parse duration {text}: time: invalid duration {}",
            crate::api::error::go_quote(duration)
        )),
        None => Err(format!("unrecognized descriptor: {text}")),
    }
}

/// Whether a text is a duration as Go writes it, `1h30m`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if number.len() == rest.len() {
            return false;
        }
        let units = ["ns", "us", "µs", "ms", "s", "m", "h"];
        match units.iter().find_map(|unit| number.strip_prefix(unit)) {
            Some(next) => rest = next,
            None => return false,
        }
    }
    true
}

fn range(text: &str, bounds: &Bounds) -> Result<(), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = parts.first().copied().unwrap_or_default().split('-').collect();
    let is_any = matches!(ends.first(), Some(&"*" | &"?"));
    let (start, mut end) = match ends.as_slice() {
        _ if is_any => (bounds.least, bounds.most),
        [one] => {
            let number = number_or_name(one, bounds)?;
            (number, number)
        }
        [low, high] => (number_or_name(low, bounds)?, number_or_name(high, bounds)?),
        _ => return Err(format!("too many hyphens: {text}")),
    };
    let step = match parts.as_slice() {
        [_] => 1,
        [_, step] => {
            if ends.len() == 1 {
                end = bounds.most;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    let (least, most) = (bounds.least, bounds.most);
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {text}"));
    }
    if end > most {
        return Err(format!("end of range ({end}) above maximum ({most}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(())
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let lower = text.to_lowercase();
    match bounds.names.iter().zip(bounds.first_name..).find(|(name, _)| **name == lower) {
        Some((_, number)) => Ok(number),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let quoted = crate::api::error::go_quote(text);
        let problem = format!("strconv.Atoi: parsing {quoted}: invalid syntax");
        return Err(format!("failed to parse int from {text}: {problem}"));
    }
    if text.starts_with('-') && digits.bytes().any(|byte| byte != b'0') {
        return Err(format!("negative number ({text}) not allowed: {text}"));
    }
    digits.parse().map_err(|_| {
        let quoted = crate::api::error::go_quote(text);
        let problem = format!("strconv.Atoi: parsing {quoted}: value out of range");
        format!("failed to parse int from {text}: {problem}")
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn schedules_are_refused_in_the_parsers_words() {
        let cases = [
            ("* * * * *", ""),
            ("*/5 1-3,7 ? jan-MAR mon", ""),
            ("@every 1h30m", ""),
            ("@daily", ""),
            ("x x", "expected exactly 5 fields, found 2: [x x]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            (
                "a * * * *",
                "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax",
            ),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("@never", "unrecognized descriptor: @never"),
        ];
        for (schedule, problem) in cases {
            assert_eq!(check(schedule).err().unwrap_or_default(), problem, "{schedule}");
        }
    }
}
