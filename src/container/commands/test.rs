//! `test`, `[` and `[[`.

use super::super::files::Found;
use super::super::filters::{self, Dialect};
use super::super::shell;
use super::{Call, Ran};

/// An expression as it is read.
struct Test<'a, 'b, 'c> {
    call: &'a Call<'b, 'c>,
    words: Vec<&'a str>,
    at: usize,
    depth: u32,
    /// `[[`: texts are patterns.
    double: bool,
}

pub(super) fn run(call: &mut Call<'_, '_>) -> Ran {
    let end = match call.name {
        "[" => Some("]"),
        "[[" => Some("]]"),
        _ => None,
    };
    let mut words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
    if let Some(end) = end
        && words.pop() != Some(end)
    {
        let why = if call.is_busybox() || call.is_dash { "missing ]" } else { "missing `]'" };
        call.warn(why);
        return Ran::Done(2);
    }
    if words.is_empty() {
        return Ran::Done(1);
    }
    let result = {
        let double = call.name == "[[";
        let mut test = Test { call, words, at: 0, depth: 0, double };
        test.any().and_then(|value| match test.next() {
            None => Ok(value),
            Some(word) => Err(format!("{word}: unexpected operator")),
        })
    };
    match result {
        Ok(value) => Ran::Done(i32::from(!value)),
        Err(why) => {
            call.warn(why);
            Ran::Done(2)
        }
    }
}

type Truth = Result<bool, String>;

impl<'a> Test<'a, '_, '_> {
    fn peek(&self, steps: usize) -> Option<&'a str> {
        self.words.get(self.at + steps).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek(0)?;
        self.at += 1;
        Some(word)
    }

    fn any(&mut self) -> Truth {
        let mut value = self.all()?;
        while matches!(self.peek(0), Some("-o" | "||")) {
            self.at += 1;
            value |= self.all()?;
        }
        Ok(value)
    }

    fn all(&mut self) -> Truth {
        let mut value = self.single()?;
        while matches!(self.peek(0), Some("-a" | "&&")) {
            self.at += 1;
            value &= self.single()?;
        }
        Ok(value)
    }

    fn single(&mut self) -> Truth {
        self.depth += 1;
        if self.depth > 100 {
            return Err("too many arguments".to_owned());
        }
        let sign = self.peek(1);
        let is_pair = sign.is_some_and(|sign| PAIRS.contains(&sign)) && self.peek(2).is_some();
        let first = self.next().ok_or("argument expected")?;
        let result = match first {
            _ if is_pair => {
                let sign = self.next().unwrap_or_default();
                let second = self.next().unwrap_or_default();
                self.pair(first, sign, second)
            }
            "!" if self.peek(0).is_some() => self.single().map(|value| !value),
            "(" => {
                let value = self.any()?;
                match self.next() {
                    Some(")") => Ok(value),
                    _ => Err("closing paren expected".to_owned()),
                }
            }
            flag if flag.len() == 2 && flag.starts_with('-') && self.peek(0).is_some() => {
                let operand = self.next().unwrap_or_default();
                self.flag(flag, operand)
            }
            word => Ok(!word.is_empty()),
        };
        self.depth -= 1;
        result
    }

    fn pair(&self, first: &str, sign: &str, second: &str) -> Truth {
        let number = |text: &str| {
            text.trim().parse::<i64>().map_err(|_| match self.call.is_busybox() {
                true => format!("{text}: bad number"),
                false if self.call.is_dash => format!("Illegal number: {text}"),
                false => format!("{text}: integer expression expected"),
            })
        };
        Ok(match sign {
            "=" | "==" if self.double => shell::matches(second, first),
            "=" | "==" => first == second,
            "!=" if self.double => !shell::matches(second, first),
            "!=" => first != second,
            "=~" => {
                let grep = ["-E".to_owned(), second.to_owned()];
                let found = filters::run("grep", &grep, Dialect::Gnu, &|_| None, Some(first));
                found.is_some_and(|output| output.exit == 0)
            }
            "<" => first < second,
            ">" => first > second,
            "-eq" => number(first)? == number(second)?,
            "-ne" => number(first)? != number(second)?,
            "-lt" => number(first)? < number(second)?,
            "-le" => number(first)? <= number(second)?,
            "-gt" => number(first)? > number(second)?,
            "-ge" => number(first)? >= number(second)?,
            _ => {
                let time = |path: &str| match self.call.view().find(&self.call.whole(path)) {
                    Some(Found::File { modified, .. } | Found::Folder { modified }) => {
                        Some(modified.unwrap_or_default())
                    }
                    _ => None,
                };
                if sign == "-nt" { time(first) > time(second) } else { time(first) < time(second) }
            }
        })
    }

    fn flag(&self, flag: &str, operand: &str) -> Truth {
        let found = || self.call.view().find(&self.call.whole(operand));
        Ok(match flag {
            "-z" => operand.is_empty(),
            "-n" => !operand.is_empty(),
            "-e" | "-r" | "-w" | "-a" => found().is_some(),
            "-f" => matches!(found(), Some(Found::File { .. })),
            "-d" => matches!(found(), Some(Found::Folder { .. })),
            "-s" => match found() {
                Some(Found::File { text, .. }) => !text.is_empty(),
                other => other.is_some(),
            },
            "-x" => match found() {
                Some(Found::File { executable, .. }) => executable,
                other => other.is_some(),
            },
            "-L" | "-h" => {
                let here = self.call.view().find_here(&self.call.whole(operand));
                matches!(here, Some(Found::Link(_)))
            }
            "-v" => (self.call.variables)(operand).is_some(),
            "-t" | "-S" | "-p" | "-b" | "-c" => false,
            other => return Err(format!("{other}: unknown operand")),
        })
    }
}

const PAIRS: [&str; 14] =
    ["=", "==", "!=", "=~", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot"];
