//! Programs that tell of the machine, and those that take their time.

use super::{Call, Ran};
use core::fmt::Write as _;
use core::time::Duration;

pub(super) fn run(call: &mut Call<'_, '_>) -> Ran {
    let text = match call.name {
        "sleep" => return sleep(call),
        "pause" => return Ran::Forever,
        "usleep" => {
            let micros = call.arguments.first().and_then(|it| it.parse().ok()).unwrap_or(0);
            return Ran::Sleeps(Duration::from_micros(micros), 0);
        }
        "true" => return Ran::Done(0),
        "false" => return Ran::Done(1),
        "pwd" => call.folder.to_owned(),
        "date" => date(call),
        "hostname" => hostname(call),
        "id" => identity(call),
        "whoami" => match call.user_name() {
            Ok(name) => name,
            Err(uid) => {
                call.warn(match call.is_busybox() {
                    true => format!("unknown uid {uid}"),
                    false => format!("cannot find name for user ID {uid}"),
                });
                return Ran::Done(1);
            }
        },
        "uname" => uname(call),
        "env" | "printenv" => return environment(call),
        "ps" => processes(call),
        "pidof" | "pgrep" => return find_processes(call),
        "pkill" | "killall" => return kill_processes(call),
        "nproc" => "4".to_owned(),
        "arch" => "x86_64".to_owned(),
        "df" => {
            "Filesystem           1K-blocks      Used Available Use% Mounted on\noverlay              102625208  12345678  90279530  12% /".to_owned()
        }
        "free" => {
            "              total        used        free      shared  buff/cache   available\nMem:        8388608     1048576     5242880           0     2097152     7340032\nSwap:             0           0           0".to_owned()
        }
        "uptime" => call.ground.now.format(" %H:%M:%S up 1 day,  load average: 0.00, 0.00, 0.00"),
        "mount" => "overlay on / type overlay (rw,relatime)".to_owned(),
        "perl" => return perl(call),
        "stress" | "stress-ng" => return Ran::Forever,
        "top" | "watch" | "less" | "more" | "vi" | "crond" => return Ran::Forever,
        "clear" | "tty" | "stty" | "umount" | "go" | "pip" | "pip3" | "npm"
        | "initdb" | "createdb" => return Ran::Done(0),
        "python" | "python3" | "node" | "php" => return interpreter(call),
        _ => return Ran::Unknown,
    };
    call.say(text);
    Ran::Done(0)
}

/// A length of time: `5`, `1.5`, `2m`, `infinity`; `None` for ever.
pub fn duration(text: &str) -> Option<Option<Duration>> {
    if text == "infinity" || text == "inf" {
        return Some(None);
    }
    let unit = match text.chars().last()? {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => 1_000,
    };
    let number = text.trim_end_matches(['s', 'm', 'h', 'd']);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut millis = whole.checked_mul(unit)?;
    let mut scale = unit;
    for digit in part.chars() {
        scale /= 10;
        millis = millis.checked_add(u64::from(digit.to_digit(10)?) * scale)?;
    }
    // Beyond a century nobody waits.
    Some((millis < 3_200_000_000_000).then(|| Duration::from_millis(millis)))
}

fn sleep(call: &mut Call<'_, '_>) -> Ran {
    let mut total = Duration::ZERO;
    for word in call.arguments {
        match duration(word) {
            Some(Some(time)) => total = total.saturating_add(time),
            Some(None) => return Ran::Forever,
            None => {
                let line = match call.is_busybox() {
                    true => format!("invalid number '{word}'"),
                    false => format!("invalid time interval '{word}'"),
                };
                call.warn(line);
                return Ran::Done(1);
            }
        }
    }
    if call.arguments.is_empty() {
        call.warn("missing operand");
        return Ran::Done(1);
    }
    Ran::Sleeps(total, 0)
}

fn date(call: &Call<'_, '_>) -> String {
    let now = call.ground.now;
    let is_value = |it: &&String| !it.starts_with('-');
    match call.arguments.iter().find(is_value).and_then(|it| it.strip_prefix('+')) {
        Some(format) => now.format(format),
        None if call.arguments.iter().any(|it| it == "-R") => now.rfc1123z(),
        None if call.arguments.iter().any(|it| it.starts_with("-I")) => {
            let seconds = call.arguments.iter().any(|it| it.starts_with("-Is"));
            now.format(if seconds { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%Y-%m-%d" })
        }
        None => now.format("%a %b %e %H:%M:%S UTC %Y"),
    }
}

fn hostname(call: &Call<'_, '_>) -> String {
    let setting = call.ground.files.setting;
    match call.arguments.first().map(String::as_str) {
        Some("-i" | "-I") => setting.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        _ => setting.host_name.clone(),
    }
}

fn identity(call: &Call<'_, '_>) -> String {
    let user = &call.ground.files.setting.user;
    let named = |id: u32| if id == 0 { "0(root)".to_owned() } else { id.to_string() };
    match call.arguments.first().map(String::as_str) {
        Some("-u") => user.uid.to_string(),
        Some("-g") => user.gid.to_string(),
        Some("-un") if user.uid == 0 => "root".to_owned(),
        _ => {
            let mut groups = vec![named(user.gid)];
            groups.extend(user.groups.iter().filter(|it| **it != user.gid).map(|it| named(*it)));
            if user.uid == 0 && call.is_busybox() {
                groups.push("10(wheel)".to_owned());
            }
            let groups = groups.join(",");
            format!("uid={} gid={} groups={groups}", named(user.uid), named(user.gid))
        }
    }
}

fn uname(call: &Call<'_, '_>) -> String {
    let host = &call.ground.files.setting.host_name;
    match call.arguments.first().map(String::as_str) {
        Some("-r") => "6.1.0".to_owned(),
        Some("-m") => "x86_64".to_owned(),
        Some("-n") => host.clone(),
        Some("-a") => format!("Linux {host} 6.1.0 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux"),
        _ => "Linux".to_owned(),
    }
}

fn environment(call: &mut Call<'_, '_>) -> Ran {
    let all = (call.exported)();
    match call.arguments.first().filter(|_| call.name == "printenv") {
        Some(name) => match all.into_iter().find(|(own, _)| own == name) {
            Some((_, text)) => {
                call.say(text);
                Ran::Done(0)
            }
            None => Ran::Done(1),
        },
        None => {
            for (name, text) in all {
                let _ = writeln!(call.stdout, "{name}={text}");
            }
            Ran::Done(0)
        }
    }
}

/// The container's processes: numbers and words.
fn table(call: &Call<'_, '_>) -> Vec<(u32, String)> {
    let first = call.ground.first.map(|words| (1, words.to_owned()));
    let others = call.ground.others.iter().flat_map(|process| process.lines());
    let others = others.map(|(pid, words)| (pid, words.to_owned()));
    let own = [call.name.to_owned()].into_iter().chain(call.arguments.iter().cloned());
    let own = (call.pid, own.collect::<Vec<_>>().join(" "));
    let mut all: Vec<(u32, String)> = first.into_iter().chain(others).chain([own]).collect();
    crate::base::order::sort_by_key(&mut all, |(pid, _)| *pid);
    all.dedup_by_key(|(pid, _)| *pid);
    all
}

fn processes(call: &Call<'_, '_>) -> String {
    let user = match call.ground.files.setting.user.uid {
        0 => "root".to_owned(),
        uid => uid.to_string(),
    };
    let mut text = "PID   USER     TIME  COMMAND".to_owned();
    for (pid, words) in table(call) {
        let _ = write!(text, "\n{pid:5} {user:<8}  0:00 {words}");
    }
    text
}

fn matching(call: &Call<'_, '_>) -> Vec<u32> {
    let Some(name) = call.arguments.iter().rev().find(|it| !it.starts_with('-')) else {
        return Vec::new();
    };
    let by_words = call.arguments.iter().any(|it| it.starts_with('-') && it.contains('f'));
    let fits = |(pid, words): &(u32, String)| {
        let program = words.split_whitespace().next().unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or_default().trim_end_matches(':');
        *pid != call.pid && if by_words { words.contains(name) } else { program == name }
    };
    table(call).iter().filter(|it| fits(it)).map(|(pid, _)| *pid).collect()
}

fn find_processes(call: &mut Call<'_, '_>) -> Ran {
    let found: Vec<String> = matching(call).iter().map(u32::to_string).collect();
    if found.is_empty() {
        return Ran::Done(1);
    }
    let by = if call.name == "pidof" { " " } else { "\n" };
    call.say(found.join(by));
    Ran::Done(0)
}

fn kill_processes(call: &mut Call<'_, '_>) -> Ran {
    let found = matching(call);
    let number = if call.arguments.iter().any(|it| it == "-9" || it == "-KILL") { 9 } else { 15 };
    call.ground.signals.extend(found.iter().map(|pid| (*pid, number)));
    Ran::Done(i32::from(found.is_empty()))
}

/// The task on Jobs of the documentation: `perl -Mbignum=bpi -wle 'print bpi(2000)'`.
fn perl(call: &mut Call<'_, '_>) -> Ran {
    let words = call.arguments.join(" ");
    let digits =
        words.split_once("bpi(").and_then(|(_, rest)| rest.split(')').next()?.parse().ok());
    if let Some(digits) = digits {
        let text = pi(digits);
        call.say(text);
    }
    Ran::Sleeps(Duration::from_secs(2), 0)
}

/// π with so many digits, the last one rounded, by the spigot of Rabinowitz and Wagon.
fn pi(digits: usize) -> String {
    let digits = digits.clamp(1, 5_000);
    let wanted = digits + 2;
    let size = wanted * 10 / 3 + 2;
    let mut parts = vec![2u64; size];
    let mut found: Vec<u64> = Vec::with_capacity(wanted + 1);
    // A nine may still become a nought.
    let (mut held, mut nines) = (None, 0usize);
    while found.len() < wanted {
        let mut carry = 0;
        for (place, part) in parts.iter_mut().enumerate().rev() {
            let place = place as u64;
            let value = *part * 10 + carry * (place + 1);
            let divisor = if place == 0 { 10 } else { 2 * place + 1 };
            *part = value % divisor;
            carry = value / divisor;
        }
        match carry {
            9 => nines += 1,
            10 => {
                found.push(held.unwrap_or(0) + 1);
                found.extend(core::iter::repeat_n(0, nines));
                (held, nines) = (Some(0), 0);
            }
            digit => {
                found.extend(held);
                found.extend(core::iter::repeat_n(9, nines));
                (held, nines) = (Some(digit), 0);
            }
        }
    }
    let mut carry = u64::from(found.get(digits).is_some_and(|digit| *digit >= 5));
    found.truncate(digits);
    for digit in found.iter_mut().rev() {
        carry += *digit;
        *digit = carry % 10;
        carry /= 10;
    }
    let mut text: String = found
        .iter()
        .filter_map(|digit| char::from_digit(u32::try_from(*digit).ok()?, 10))
        .collect();
    text.insert(1, '.');
    text
}

/// Python and its kin.
// Simplified: their programs are not run; files that are not there are missed.
fn interpreter(call: &mut Call<'_, '_>) -> Ran {
    let version = match call.name {
        "node" => "v24.11.0",
        "php" => "PHP 8.4.14 (cli)",
        _ => "Python 3.12.12",
    };
    match call.arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--version" | "-V" | "-v"] => {
            call.say(version);
            Ran::Done(0)
        }
        ["-c" | "-e", ..] | ["-m", ..] => Ran::Sleeps(Duration::from_millis(200), 0),
        [path, ..] if !path.starts_with('-') => {
            let whole = call.whole(path);
            if call.view().text(&whole).is_some() || call.ground.kit.is_unknown {
                return Ran::Unknown;
            }
            let line = match call.name {
                "node" => format!(
                    "node:internal/modules/cjs/loader:1386\n  throw err;\n  ^\n\nError: Cannot find module '{whole}'\n"
                ),
                "php" => format!("Could not open input file: {path}\n"),
                name => format!(
                    "{name}: can't open file '{whole}': [Errno 2] No such file or directory\n"
                ),
            };
            call.stderr.push_str(&line);
            Ran::Done(if call.name == "node" || call.name == "php" { 1 } else { 2 })
        }
        _ => Ran::Done(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pi_has_the_digits_that_it_has() {
        assert_eq!(pi(10), "3.141592654");
        // As the documentation shows it.
        assert!(pi(2000).ends_with("780275901"));
        // The digits behind the 762nd are six nines: the Feynman point.
        assert!(pi(1000).contains("134999999837"));
        assert_eq!(pi(2000).len(), 2001);
    }

    #[test]
    fn lengths_of_time_are_read_as_sleep_reads_them() {
        let millis = |text| duration(text).map(|time| time.map(|time| time.as_millis()));
        assert_eq!(millis("5"), Some(Some(5_000)));
        assert_eq!(millis("1.25"), Some(Some(1_250)));
        assert_eq!(millis(".5s"), Some(Some(500)));
        assert_eq!(millis("2m"), Some(Some(120_000)));
        assert_eq!(millis("infinity"), Some(None));
        assert_eq!(millis("99999999999999999d"), None);
        assert_eq!(millis("soon"), None);
    }
}
