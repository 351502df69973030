//! What Go's encoding/json says of a text that is no JSON.
//!
//! Models Go's encoding/json/scanner.go.

use crate::api::Value;

/// Deeper texts are refused, as by the parser.
const DEEPEST: usize = 100;

/// Reads JSON.
///
/// # Errors
/// Go's sentence: `invalid character 's' looking for beginning of object key string`.
pub fn parse_json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| {
        let mut scanner = Scanner { letters: text.chars().collect(), at: 0 };
        scanner.text().err().unwrap_or_else(|| error.to_string())
    })
}

/// What Go's decoder says of a text that is not values of JSON one after the other, and how many
/// bytes it had read by then; `None` if it is that.
pub(super) fn stream_fault(text: &str) -> Option<(String, usize)> {
    let mut scanner = Scanner { letters: text.chars().collect(), at: 0 };
    let why = scanner.stream().err()?;
    Some((why, scanner.letters.iter().take(scanner.at).map(|letter| letter.len_utf8()).sum()))
}

struct Scanner {
    letters: Vec<char>,
    at: usize,
}

impl Scanner {
    fn text(&mut self) -> Result<(), String> {
        self.value(0)?;
        self.blanks();
        match self.letters.get(self.at) {
            None => Ok(()),
            Some(letter) => Err(wrong(*letter, "after top-level value")),
        }
    }

    fn stream(&mut self) -> Result<(), String> {
        loop {
            self.blanks();
            if self.at >= self.letters.len() {
                return Ok(());
            }
            self.value(0)?;
        }
    }

    fn blanks(&mut self) {
        while self.letters.get(self.at).is_some_and(|letter| " \t\r\n".contains(*letter)) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Result<char, String> {
        let letter = self.letters.get(self.at).copied();
        self.at += 1;
        letter.ok_or_else(|| "unexpected end of JSON input".to_owned())
    }

    fn next_after_blanks(&mut self) -> Result<char, String> {
        self.blanks();
        self.next()
    }

    fn value(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("exceeded max depth".to_owned());
        }
        match self.next_after_blanks()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' => self.string(),
            't' => self.literal("true"),
            'f' => self.literal("false"),
            'n' => self.literal("null"),
            letter if letter == '-' || letter.is_ascii_digit() => self.number(letter),
            letter => Err(wrong(letter, "looking for beginning of value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), String> {
        let mut is_first = true;
        loop {
            match self.next_after_blanks()? {
                '"' => self.string()?,
                '}' if is_first => return Ok(()),
                letter => return Err(wrong(letter, "looking for beginning of object key string")),
            }
            is_first = false;
            match self.next_after_blanks()? {
                ':' => self.value(depth + 1)?,
                letter => return Err(wrong(letter, "after object key")),
            }
            match self.next_after_blanks()? {
                ',' => {}
                '}' => return Ok(()),
                letter => return Err(wrong(letter, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), String> {
        self.blanks();
        if self.letters.get(self.at) == Some(&']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            match self.next_after_blanks()? {
                ',' => {}
                ']' => return Ok(()),
                letter => return Err(wrong(letter, "after array element")),
            }
        }
    }

    fn string(&mut self) -> Result<(), String> {
        loop {
            match self.next()? {
                '"' => return Ok(()),
                '\\' => match self.next()? {
                    'u' => {
                        for _ in 0..4 {
                            let letter = self.next()?;
                            if !letter.is_ascii_hexdigit() {
                                let place = "in \\u hexadecimal character escape";
                                return Err(wrong(letter, place));
                            }
                        }
                    }
                    letter if "bfnrt\\/\"".contains(letter) => {}
                    letter => return Err(wrong(letter, "in string escape code")),
                },
                letter if letter < ' ' => return Err(wrong(letter, "in string literal")),
                _ => {}
            }
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for wanted in word.chars().skip(1) {
            let letter = self.next()?;
            if letter != wanted {
                return Err(wrong(
                    letter,
                    &format!("in literal {word} (expecting {})", quoted(wanted)),
                ));
            }
        }
        Ok(())
    }

    fn digits(&mut self, place: &str) -> Result<(), String> {
        match self.next()? {
            letter if letter.is_ascii_digit() => {}
            letter => return Err(wrong(letter, place)),
        }
        while self.letters.get(self.at).is_some_and(char::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self, mut first: char) -> Result<(), String> {
        if first == '-' {
            first = self.next()?;
            if !first.is_ascii_digit() {
                return Err(wrong(first, "in numeric literal"));
            }
        }
        while first != '0' && self.letters.get(self.at).is_some_and(char::is_ascii_digit) {
            self.at += 1;
        }
        if self.letters.get(self.at) == Some(&'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.letters.get(self.at), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.letters.get(self.at), Some('+' | '-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }
}

fn wrong(letter: char, place: &str) -> String {
    format!("invalid character {} {place}", quoted(letter))
}

/// A letter in single quotes.
fn quoted(letter: char) -> String {
    match letter {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        letter => {
            let text = crate::api::error::go_quote(&letter.to_string());
            format!("'{}'", text.trim_matches('"'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of Go's encoding/json/scanner.go; the first two were printed by a real API server.
    #[test]
    fn broken_json_is_named_as_go_names_it() {
        let cases = [
            ("{\"spec\":", "unexpected end of JSON input"),
            ("{spec: 1}", "invalid character 's' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("trup", "invalid character 'p' in literal true (expecting 'e')"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.e", "invalid character 'e' after decimal point in numeric literal"),
            ("01", "invalid character '1' after top-level value"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"a\nb\"", "invalid character '\\n' in string literal"),
            ("{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        ];
        for (text, why) in cases {
            assert_eq!(parse_json(text), Err(why.to_owned()), "{text}");
        }
        assert_eq!(
            stream_fault("{\"é\": 1} x"),
            Some(("invalid character 'x' looking for beginning of value".to_owned(), 11)),
            "a stream goes on after a value"
        );
        assert_eq!(stream_fault("{} {} "), None);
        assert_eq!(
            parse_json(" {\"a\": [1, -2.5e3]} "),
            Ok(serde_json::json!({"a": [1, -2500.0]}))
        );
    }
}
