//! Flags, as pflag reads them.

use super::commands::duration;
use super::failure::Failure;
use crate::api::error::go_quote;
use crate::base::order;
use std::collections::BTreeMap;

/// What follows a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: it is on or off (`--flag=false` turns it off).
    Nothing,
    /// A value.
    Value,
    /// A value, `=`-joined only; without one it is this.
    Optional(&'static str),
}

/// What a value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Anything.
    Text,
    /// Anything, several times.
    List,
    /// `true` or `false`.
    Bool,
    /// `key=value`, several times.
    Pairs,
    /// A whole number.
    Int,
    /// A whole number of 32 bits.
    Small,
    /// A time span, `1m30s`.
    Duration,
}

/// One flag of a verb.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    /// `selector` of `--selector`.
    pub name: &'static str,
    /// `l` of `-l`.
    pub short: Option<char>,
    /// What follows.
    pub takes: Takes,
    /// What its value has to be.
    pub of: Of,
    /// Whether it must be given.
    pub required: bool,
    /// Its value if it is not given; empty for none.
    pub default: &'static str,
    /// In a few words.
    pub help: &'static str,
}

const fn flag(name: &'static str, help: &'static str, takes: Takes, of: Of) -> Flag {
    Flag { name, short: None, takes, of, required: false, default: "", help }
}

/// A switch.
pub(crate) const fn switch(name: &'static str, help: &'static str) -> Flag {
    flag(name, help, Takes::Nothing, Of::Bool)
}

/// A flag with a value.
pub(crate) const fn value(name: &'static str, help: &'static str) -> Flag {
    flag(name, help, Takes::Value, Of::Text)
}

/// A flag with values.
pub(crate) const fn list(name: &'static str, help: &'static str) -> Flag {
    flag(name, help, Takes::Value, Of::List)
}

/// A flag with pairs.
pub(crate) const fn pairs(name: &'static str, help: &'static str) -> Flag {
    flag(name, help, Takes::Value, Of::Pairs)
}

/// A flag with a whole number.
pub(crate) const fn int(name: &'static str, help: &'static str) -> Flag {
    flag(name, help, Takes::Value, Of::Int)
}

/// A flag with a time span.
pub(crate) const fn time_span(name: &'static str, help: &'static str) -> Flag {
    flag(name, help, Takes::Value, Of::Duration)
}

impl Flag {
    /// The same with a letter.
    pub(crate) const fn short(mut self, letter: char) -> Flag {
        self.short = Some(letter);
        self
    }

    /// The same with a default.
    pub(crate) const fn default(mut self, default: &'static str) -> Flag {
        self.default = default;
        self
    }

    /// The same, without which the command does nothing.
    pub(crate) const fn required(mut self) -> Flag {
        self.required = true;
        self
    }

    /// The same with 32 bits.
    pub(crate) const fn small(mut self) -> Flag {
        self.of = Of::Small;
        self
    }

    /// Whether its value is one.
    ///
    /// Models github.com/spf13/pflag's Set of each type.
    fn check(&self, value: &str) -> Result<(), String> {
        let why = match self.of {
            Of::Text | Of::List => return Ok(()),
            Of::Bool if is_true(value) || is_false(value) => return Ok(()),
            Of::Bool => format!("strconv.ParseBool: parsing {}: invalid syntax", go_quote(value)),
            Of::Pairs => match value.split(',').all(|pair| pair.contains('=')) {
                true => return Ok(()),
                false => "malformed pair, expect string=string".to_owned(),
            },
            Of::Int | Of::Small => match int_error(value, self.of == Of::Small) {
                None => return Ok(()),
                Some(why) => format!("strconv.ParseInt: parsing {}: {why}", go_quote(value)),
            },
            Of::Duration => match duration(value) {
                Ok(_) => return Ok(()),
                Err(why) => why.sentence(),
            },
        };
        let letter = self.short.map_or_else(String::new, |letter| format!("-{letter}, "));
        let value = go_quote(value);
        Err(format!("invalid argument {value} for \"{letter}--{}\" flag: {why}", self.name))
    }

    /// The same, whose value may be left away.
    pub(crate) const fn optional(mut self, without: &'static str) -> Flag {
        self.takes = Takes::Optional(without);
        self
    }
}

/// Models strconv.ParseBool.
pub(crate) fn is_true(value: &str) -> bool {
    matches!(value, "true" | "1" | "t" | "T" | "TRUE" | "True")
}

/// Models strconv.ParseBool.
pub(crate) fn is_false(value: &str) -> bool {
    matches!(value, "false" | "0" | "f" | "F" | "FALSE" | "False")
}

/// What is wrong with a whole number.
fn int_error(value: &str, small: bool) -> Option<&'static str> {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    match digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Some("invalid syntax"),
        false if value.parse::<i64>().is_err() => Some("value out of range"),
        false if small && value.parse::<i32>().is_err() => Some("value out of range"),
        false => None,
    }
}

/// The flags that were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    given: BTreeMap<&'static str, Vec<String>>,
    defaults: BTreeMap<&'static str, &'static str>,
    /// Those given, in their order, as ` --name=value`.
    order: String,
    /// The whole command, if `--record` is on.
    cause: Option<String>,
}

impl Flags {
    /// The last value given, or the default; `None` if neither.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let given = self.given.get(name).and_then(|all| all.last()).map(String::as_str);
        given.or_else(|| self.defaults.get(name).copied()).filter(|value| !value.is_empty())
    }

    /// The value as text, empty if there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// All values given.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.given.get(name).map_or(&[], Vec::as_slice)
    }

    /// All values given, each split at its commas; one without any text is none.
    ///
    /// Models github.com/spf13/pflag string_slice.go.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let all = self.all(name).iter().filter(|text| !text.is_empty());
        all.flat_map(|text| text.split(',')).map(str::to_owned).collect()
    }

    /// Whether a switch is on.
    pub(crate) fn on(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_true)
    }

    /// Whether it was given at all.
    pub(crate) fn given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// What `--record` notes: the command's words, then its flags.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    fn give(&mut self, name: &'static str, value: String) {
        self.order.push_str(&format!(" --{name}={value}"));
        self.given.entry(name).or_default().push(value);
    }

    /// Sets a value that was not given.
    pub(crate) fn assume(&mut self, name: &'static str, value: String) {
        self.given.entry(name).or_insert_with(|| vec![value]);
    }

    /// A whole number.
    pub(crate) fn int(&self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let why = "strconv.ParseInt: parsing";
            let reason = format!("invalid argument \"{text}\" for \"--{name}\" flag: {why} \"{text}\": invalid syntax");
            Failure::Plain(reason)
        })
    }
}

/// What a command line says after its verb.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    /// What is no flag.
    pub(crate) args: Vec<String>,
    /// What stands after `--`, if that was there.
    pub(crate) after_dash: Option<Vec<String>>,
    /// The flags.
    pub(crate) flags: Flags,
    /// Whether `-h` or `--help` was among them.
    pub(crate) help: bool,
}

impl Parsed {
    /// Keeps the command as `--record` notes it: all that is no flag, then the flags.
    ///
    /// Models staging/src/k8s.io/cli-runtime/pkg/genericclioptions/record_flags.go
    /// parseCommandArguments.
    pub(crate) fn keep_cause(&mut self, verb: &str) {
        if self.flags.on("record") {
            let words = self.args.iter().chain(self.after_dash.iter().flatten());
            let words: String = words.map(|word| format!(" {word}")).collect();
            self.flags.cause = Some(format!("kubectl {verb}{words}{}", self.flags.order));
        }
    }

    fn note(&mut self, flag: &Flag, value: String) -> Result<(), String> {
        flag.check(&value)?;
        self.flags.give(flag.name, value);
        Ok(())
    }
}

/// What cobra says if flags are missing without which a command does nothing.
///
/// Models github.com/spf13/cobra command.go ValidateRequiredFlags.
pub(crate) fn missing(flags: &Flags, known: &[&'static [Flag]]) -> Option<String> {
    let all = known.iter().flat_map(|group| group.iter());
    let mut names: Vec<&str> =
        all.filter(|flag| flag.required && !flags.given(flag.name)).map(|flag| flag.name).collect();
    order::sort(&mut names);
    (!names.is_empty()).then(|| format!("required flag(s) \"{}\" not set", names.join("\", \"")))
}

/// Reads what stands after the verb. Flags and plain words mix freely.
///
/// # Errors
/// pflag's sentence, without `error: `.
pub(crate) fn parse(words: &[String], known: &[&'static [Flag]]) -> Result<Parsed, String> {
    let known = || known.iter().flat_map(|group| group.iter());
    let mut parsed = Parsed::default();
    for flag in known() {
        if !flag.default.is_empty() {
            parsed.flags.defaults.insert(flag.name, flag.default);
        }
    }
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.after_dash = Some(words.cloned().collect());
            break;
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            if name == "help" {
                parsed.help = true;
                continue;
            }
            let flag = known().find(|flag| flag.name == name);
            let flag = flag.ok_or_else(|| format!("unknown flag: --{name}"))?;
            let value = match (value, flag.takes) {
                (Some(value), _) => value,
                (None, Takes::Nothing) => "true".to_owned(),
                (None, Takes::Optional(without)) => without.to_owned(),
                (None, Takes::Value) => {
                    let next = words.next().cloned();
                    next.ok_or_else(|| format!("flag needs an argument: --{name}"))?
                }
            };
            parsed.note(flag, value)?;
        } else if word.starts_with('-') && word.len() > 1 {
            letters(word, &mut words, known, &mut parsed)?;
        } else {
            parsed.args.push(word.clone());
        }
    }
    Ok(parsed)
}

/// `-itn shop`, `-nshop`, `-n=shop`.
fn letters<'a, I: Iterator<Item = &'static Flag>>(
    word: &str,
    words: &mut impl Iterator<Item = &'a String>,
    known: impl Fn() -> I,
    parsed: &mut Parsed,
) -> Result<(), String> {
    let mut rest = word.chars();
    rest.next();
    while let Some(letter) = rest.next() {
        if letter == 'h' {
            parsed.help = true;
            continue;
        }
        let flag = known().find(|flag| flag.short == Some(letter));
        let flag = flag.ok_or_else(|| format!("unknown shorthand flag: '{letter}' in {word}"))?;
        let tail = rest.as_str();
        let value = match flag.takes {
            Takes::Nothing if !tail.starts_with('=') => {
                parsed.flags.give(flag.name, "true".to_owned());
                continue;
            }
            Takes::Optional(without) if tail.is_empty() => without.to_owned(),
            _ if !tail.is_empty() => tail.strip_prefix('=').unwrap_or(tail).to_owned(),
            _ => {
                let next = words.next().cloned();
                next.ok_or_else(|| format!("flag needs an argument: '{letter}' in {word}"))?
            }
        };
        parsed.note(flag, value)?;
        break;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Flag] = &[
        value("namespace", "").short('n'),
        switch("all", "").short('A'),
        switch("stdin", "").short('i'),
        value("dry-run", "").default("none").optional("client"),
    ];

    fn read(line: &str) -> Result<Parsed, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse(&words, &[KNOWN])
    }

    #[test]
    fn flags_and_names_mix_freely() {
        let parsed = read("pods -n shop web --all=false -- sleep -n 1").unwrap();
        assert_eq!(parsed.args, ["pods", "web"]);
        assert_eq!(parsed.after_dash.unwrap(), ["sleep", "-n", "1"]);
        assert_eq!(parsed.flags.get("namespace"), Some("shop"));
        assert!(!parsed.flags.on("all") && parsed.flags.given("all"));
    }

    #[test]
    fn letters_may_be_joined() {
        for line in ["-Ain shop", "-Ainshop", "-A -i -n=shop"] {
            let flags = read(line).unwrap().flags;
            assert!(flags.on("all") && flags.on("stdin"), "{line}");
            assert_eq!(flags.get("namespace"), Some("shop"), "{line}");
        }
    }

    #[test]
    fn a_value_that_may_be_left_away_is_never_the_next_word() {
        let parsed = read("--dry-run server").unwrap();
        assert_eq!(parsed.flags.get("dry-run"), Some("client"));
        assert_eq!(parsed.args, ["server"]);
        assert_eq!(read("x").unwrap().flags.get("dry-run"), Some("none"));
    }

    #[test]
    fn wrong_flags_are_named() {
        assert_eq!(read("--x").unwrap_err(), "unknown flag: --x");
        assert_eq!(read("-x").unwrap_err(), "unknown shorthand flag: 'x' in -x");
        assert_eq!(read("-n").unwrap_err(), "flag needs an argument: 'n' in -n");
        assert_eq!(read("--namespace").unwrap_err(), "flag needs an argument: --namespace");
    }
}
