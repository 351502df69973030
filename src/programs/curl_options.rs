//! curl's command line.

use super::Output;
use super::exchange::Trust;
use core::time::Duration;

/// What the command line asks for.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) urls: Vec<String>,
    pub(super) silent: bool,
    pub(super) show_errors: bool,
    pub(super) include: bool,
    pub(super) head: bool,
    pub(super) verbose: bool,
    pub(super) trust: Trust,
    pub(super) follow: bool,
    pub(super) fail: bool,
    pub(super) fail_with_body: bool,
    /// Where bodies go; `None` for standard output.
    pub(super) outputs: Vec<String>,
    pub(super) host: Option<String>,
    pub(super) method: Option<String>,
    pub(super) agent: Option<String>,
    /// The bodies of `-d`, to be joined.
    pub(super) data: Vec<String>,
    /// The other headers that are given; one without a value takes it away.
    pub(super) headers: Vec<(String, String)>,
    /// `-b`: cookies as they stand, or the files that they are in.
    pub(super) cookies: Vec<String>,
    /// `-c`: the file that cookies are kept in.
    pub(super) jar: Option<String>,
    pub(super) resolve: Vec<String>,
    /// In all, and for the connection alone.
    pub(super) max_time: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) write_out: Option<String>,
    pub(super) retries: u32,
    /// What a refusal is, and any error, for `--retry`.
    pub(super) retry_refused: bool,
    pub(super) retry_all: bool,
    pub(super) retry_delay: Option<Duration>,
}

/// In the place of a file's name: the one that the URL ends with (`-O`).
pub(super) const REMOTE_NAME: &str = "\0";

/// The text of `--help` for who says nothing.
const TRY: &str = "curl: try 'curl --help' or 'curl --manual' for more information";

/// Flags of one letter that take a value.
const WITH_VALUE: &str = "oHXmwdAueTbc";

pub(super) fn parse(words: &[String]) -> Result<Options, Output> {
    if words.is_empty() {
        return Err(Output::failed(2, TRY));
    }
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let takes = long_takes_value(long).ok_or_else(|| {
                Output::failed(2, format!("curl: option --{long}: is unknown\n{TRY}"))
            })?;
            let value = if takes { words.next() } else { None };
            let missing =
                || Output::failed(2, format!("curl: option --{long}: requires parameter\n{TRY}"));
            if takes && value.is_none() {
                return Err(missing());
            }
            long_flag(&mut options, long, value.map_or("", String::as_str))?;
            continue;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            options.urls.push(word.clone());
            continue;
        };
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            if !WITH_VALUE.contains(letter) {
                short_flag(&mut options, letter)?;
                continue;
            }
            let glued = rest.as_str();
            let value =
                if glued.is_empty() { words.next().map(String::as_str) } else { Some(glued) };
            let Some(value) = value else {
                let why = format!("curl: option -{letter}: requires parameter\n{TRY}");
                return Err(Output::failed(2, why));
            };
            value_flag(&mut options, letter, value)?;
            break;
        }
    }
    match options.urls.is_empty() {
        true => Err(Output::failed(2, format!("curl: (2) no URL specified\n{TRY}"))),
        false => Ok(options),
    }
}

fn short_flag(options: &mut Options, letter: char) -> Result<(), Output> {
    match letter {
        's' => options.silent = true,
        'S' => options.show_errors = true,
        'i' => options.include = true,
        'I' => options.head = true,
        'v' => options.verbose = true,
        'k' => options.trust = Trust::Anybody,
        'L' => options.follow = true,
        'f' => options.fail = true,
        'O' => options.outputs.push(REMOTE_NAME.to_owned()),
        '4' | 'N' | '#' | 'g' | 'q' => {}
        other => {
            return Err(Output::failed(2, format!("curl: option -{other}: is unknown\n{TRY}")));
        }
    }
    Ok(())
}

fn value_flag(options: &mut Options, letter: char, value: &str) -> Result<(), Output> {
    match letter {
        'o' => options.outputs.push(value.to_owned()),
        'X' => options.method = Some(value.to_owned()),
        'm' => options.max_time = Some(seconds("--max-time", value)?),
        'w' => options.write_out = Some(value.to_owned()),
        'A' => options.agent = Some(value.to_owned()),
        'd' => options.data.push(value.to_owned()),
        'b' => options.cookies.push(value.to_owned()),
        'c' => options.jar = Some(value.to_owned()),
        'e' => options.headers.push(("Referer".to_owned(), value.to_owned())),
        'u' => {
            let code = data_encoding::BASE64.encode(value.as_bytes());
            options.headers.push(("Authorization".to_owned(), format!("Basic {code}")));
        }
        'H' => {
            // `Name;` is a header with nothing in it, `Name:` takes curl's own away.
            let (name, value) = match value.split_once(':') {
                Some((name, value)) => (name.trim(), value.trim()),
                None => (value.trim_end_matches(';'), ""),
            };
            match name.to_ascii_lowercase().as_str() {
                "host" => options.host = Some(value.to_owned()),
                "user-agent" => options.agent = Some(value.to_owned()),
                _ => options.headers.push((name.to_owned(), value.to_owned())),
            }
        }
        // Simplified: files are not uploaded.
        _ => {}
    }
    Ok(())
}

/// Whether a long flag takes a value; `None` for one that curl, or this model, does not know.
fn long_takes_value(name: &str) -> Option<bool> {
    match name {
        "silent" | "show-error" | "remote-name" | "include" | "head" | "verbose" | "insecure"
        | "location" | "fail" | "fail-with-body" | "no-progress-meter" | "compressed"
        | "http1.1" | "ipv4" | "no-buffer" | "progress-bar" | "retry-connrefused"
        | "retry-all-errors" => Some(false),
        "output" | "header" | "request" | "max-time" | "connect-timeout" | "write-out" | "data"
        | "data-raw" | "data-binary" | "json" | "cookie" | "cookie-jar" | "user" | "referer"
        | "user-agent" | "resolve" | "url" | "retry" | "retry-delay" | "cacert" | "cert"
        | "key" => Some(true),
        _ => None,
    }
}

fn long_flag(options: &mut Options, name: &str, value: &str) -> Result<(), Output> {
    match name {
        "silent" => short_flag(options, 's'),
        "show-error" => short_flag(options, 'S'),
        "include" => short_flag(options, 'i'),
        "head" => short_flag(options, 'I'),
        "verbose" => short_flag(options, 'v'),
        "insecure" => short_flag(options, 'k'),
        "location" => short_flag(options, 'L'),
        "fail" => short_flag(options, 'f'),
        "remote-name" => short_flag(options, 'O'),
        "output" => value_flag(options, 'o', value),
        "header" => value_flag(options, 'H', value),
        "request" => value_flag(options, 'X', value),
        "max-time" => value_flag(options, 'm', value),
        "write-out" => value_flag(options, 'w', value),
        "data" | "data-raw" | "data-binary" => value_flag(options, 'd', value),
        "cookie" => value_flag(options, 'b', value),
        "cookie-jar" => value_flag(options, 'c', value),
        "user" => value_flag(options, 'u', value),
        "referer" => value_flag(options, 'e', value),
        "json" => {
            for name in ["Content-Type", "Accept"] {
                options.headers.push((name.to_owned(), "application/json".to_owned()));
            }
            value_flag(options, 'd', value)
        }
        // Simplified: files are not read, so a name that the cluster's authority usually has is its.
        "cacert" if value.ends_with("ca.crt") && options.trust == Trust::Usual => {
            options.trust = Trust::Cluster;
            Ok(())
        }
        "user-agent" => value_flag(options, 'A', value),
        "fail-with-body" => {
            options.fail_with_body = true;
            Ok(())
        }
        "connect-timeout" => {
            options.connect_timeout = Some(seconds("--connect-timeout", value)?);
            Ok(())
        }
        "resolve" => {
            options.resolve.push(value.to_owned());
            Ok(())
        }
        "url" => {
            options.urls.push(value.to_owned());
            Ok(())
        }
        "retry" => {
            options.retries = value.parse().unwrap_or(0);
            Ok(())
        }
        "retry-delay" => {
            let delay = seconds("--retry-delay", value)?;
            options.retry_delay = Some(delay).filter(|delay| !delay.is_zero());
            Ok(())
        }
        "retry-connrefused" => {
            options.retry_refused = true;
            Ok(())
        }
        "retry-all-errors" => {
            options.retry_all = true;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `5`, `0.5`.
fn seconds(flag: &str, text: &str) -> Result<Duration, Output> {
    let wrong = || {
        let why = format!("curl: option {flag}: expected a proper numerical parameter\n{TRY}");
        Output::failed(2, why)
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let millis: String = format!("{part:0<3}").chars().take(3).collect();
    let millis: u64 = millis.parse().map_err(|_| wrong())?;
    Ok(Duration::from_millis(whole.saturating_mul(1000).saturating_add(millis)))
}
