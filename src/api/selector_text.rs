//! Label selectors as a command line writes them: `app=web,env in (dev,test),!old`.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/labels/selector.go Parse.

use super::FieldError;
use super::selector::{Operator, Requirement};
use super::validation::names;
use crate::base::order;

/// Reads a selector's requirements, sorted.
///
/// # Errors
/// The API server's sentence.
pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let mut parser = Parser { tokens: tokens(text), at: 0 };
    let mut all = parser.requirements()?;
    order::sort(&mut all);
    Ok(all)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(&'static str),
    End,
}

impl Token {
    fn literal(&self) -> &str {
        match self {
            Token::Word(text) => text,
            Token::Sign(sign) => sign,
            Token::End => "",
        }
    }
}

const SIGNS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];

fn tokens(text: &str) -> Vec<Token> {
    let is_sign = |letter: char| "=!(),><".contains(letter);
    let mut all = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            all.push(Token::End);
            return all;
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            all.push(Token::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
            continue;
        }
        let end = rest.find(|letter: char| is_sign(letter) || letter.is_ascii_whitespace());
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        all.push(Token::Word(word.to_owned()));
        rest = after;
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn requirements(&mut self) -> Result<Vec<Requirement>, String> {
        let mut all = Vec::new();
        loop {
            match self.peek() {
                Token::End => return Ok(all),
                Token::Word(_) | Token::Sign("!") => {
                    let requirement = self.requirement();
                    all.push(
                        requirement.map_err(|why| format!("unable to parse requirement: {why}"))?,
                    );
                }
                other => return expected(&other, ", expected: !, identifier, or 'end of string'"),
            }
            match self.next() {
                Token::End => return Ok(all),
                Token::Sign(",") => match self.peek() {
                    Token::Word(_) | Token::Sign("!") => {}
                    other => return expected(&other, ", expected: identifier after ','"),
                },
                other => return expected(&other, ", expected: ',' or 'end of string'"),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.next();
        let negated = token == Token::Sign("!");
        if negated {
            token = self.next();
        }
        let Token::Word(key) = token else { return expected(&token, ", expected: identifier") };
        check("<nil>", &key, names::qualified_name(&key))?;
        if negated {
            return Ok(Requirement { key, operator: Operator::DoesNotExist, values: Vec::new() });
        }
        if matches!(self.peek(), Token::End | Token::Sign(",")) {
            return Ok(Requirement { key, operator: Operator::Exists, values: Vec::new() });
        }
        let token = self.next();
        let operator = match token.literal() {
            "in" | "=" | "==" => Operator::In,
            "notin" | "!=" => Operator::NotIn,
            ">" => Operator::Gt,
            "<" => Operator::Lt,
            _ => return expected(&token, ", expected: in, notin, =, ==, !=, gt, lt"),
        };
        let mut values = match token {
            Token::Word(_) => self.set()?,
            _ => vec![self.one()?],
        };
        order::sort(&mut values);
        values.dedup();
        for (index, value) in values.iter().enumerate() {
            let whole = value.parse::<i64>().is_ok();
            if matches!(operator, Operator::Gt | Operator::Lt) && !whole {
                let why = "for 'Gt', 'Lt' operators, the value must be an integer".to_owned();
                check(&format!("values[{index}]"), value, vec![why])?;
            }
            check(&format!("values[{index}][{key}]"), value, names::label_value(value))?;
        }
        Ok(Requirement { key, operator, values })
    }

    /// `(a, b)`.
    fn set(&mut self) -> Result<Vec<String>, String> {
        let token = self.next();
        if token != Token::Sign("(") {
            return expected(&token, " expected: '('");
        }
        let mut values = Vec::new();
        if self.peek() == Token::Sign(")") {
            self.at += 1;
            return Ok(vec![String::new()]);
        }
        if !matches!(self.peek(), Token::Word(_) | Token::Sign(",")) {
            return expected(&self.peek(), ", expected: ',', ')' or identifier");
        }
        loop {
            match self.next() {
                Token::Word(word) => {
                    values.push(word);
                    match self.peek() {
                        Token::Sign(",") => {}
                        Token::Sign(")") => break,
                        other => return expected(&other, ", expected: ',' or ')'"),
                    }
                }
                Token::Sign(",") => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    match self.peek() {
                        Token::Sign(")") => {
                            values.push(String::new());
                            break;
                        }
                        Token::Sign(",") => values.push(String::new()),
                        _ => {}
                    }
                }
                other => return expected(&other, ", expected: ',', or identifier"),
            }
        }
        self.at += 1;
        Ok(values)
    }

    fn one(&mut self) -> Result<String, String> {
        match self.peek() {
            Token::End | Token::Sign(",") => Ok(String::new()),
            Token::Word(word) => {
                self.at += 1;
                Ok(word)
            }
            other => expected(&other, ", expected: identifier"),
        }
    }
}

fn expected<T>(found: &Token, rest: &str) -> Result<T, String> {
    Err(format!("found '{}'{rest}", found.literal()))
}

fn check(field: &str, value: &str, problems: Vec<String>) -> Result<(), String> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(FieldError::invalid(field, value, problems.join("; ")).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first four were printed by a real API server; the rest are derived from selector.go.
    #[test]
    fn what_is_no_selector_is_refused_in_the_api_servers_words() {
        let cases = [
            ("app in web", "unable to parse requirement: found 'web' expected: '('"),
            (
                "a b",
                "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
            ),
            ("=x", "found '=', expected: !, identifier, or 'end of string'"),
            ("app=web,", "found '', expected: identifier after ','"),
            ("app=web env=dev", "found 'env', expected: ',' or 'end of string'"),
            ("app in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'"),
            ("app=(", "unable to parse requirement: found '(', expected: identifier"),
            ("!=a", "found '!=', expected: !, identifier, or 'end of string'"),
            (
                "n>x",
                "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' \
                 operators, the value must be an integer",
            ),
        ];
        for (text, why) in cases {
            assert_eq!(parse(text), Err(why.to_owned()), "{text}");
        }
        let wrong = parse("app=a_").unwrap_err();
        let start =
            "unable to parse requirement: values[0][app]: Invalid value: \"a_\": a valid label";
        assert!(wrong.starts_with(start), "{wrong}");
    }

    #[test]
    fn sets_may_hold_empty_values() {
        for (text, values) in [
            ("x in ()", &[""] as &[&str]),
            ("x in (a,,b)", &["", "a", "b"]),
            ("x in (in, notin)", &["in", "notin"]),
            ("x=", &[""]),
        ] {
            let all = parse(text).unwrap();
            assert_eq!(all.first().map(|one| one.values.clone()).unwrap(), values, "{text}");
        }
    }
}
