//! `$((…))`: sums of whole numbers.

use super::expand::Variables;

/// What an expression comes to.
///
/// # Errors
/// The shell's sentence if it is no expression.
pub(super) fn value(text: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    let letters: Vec<char> = text.chars().collect();
    let mut sum = Sum { letters, at: 0, depth: 0, variables };
    let value = sum.choice()?;
    sum.skip();
    match sum.letters.get(sum.at) {
        None => Ok(value),
        Some(_) => Err("arithmetic syntax error".to_owned()),
    }
}

struct Sum<'a> {
    letters: Vec<char>,
    at: usize,
    depth: u32,
    variables: &'a mut dyn Variables,
}

/// Signs between two values, from those that bind least.
const LEVELS: [&[&str]; 8] = [
    &["||"],
    &["&&"],
    &["|", "^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Sum<'_> {
    fn skip(&mut self) {
        while self.letters.get(self.at).is_some_and(|letter| letter.is_whitespace()) {
            self.at += 1;
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip();
        let mut letters = sign.chars().enumerate();
        let found = letters.all(|(steps, it)| self.letters.get(self.at + steps) == Some(&it));
        if found {
            self.at += sign.len();
        }
        found
    }

    fn choice(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > 50 {
            return Err("arithmetic syntax error".to_owned());
        }
        let condition = self.level(0)?;
        let mut value = condition;
        if self.take("?") {
            let (yes, _) = (self.choice()?, self.take(":"));
            let no = self.choice()?;
            value = if condition != 0 { yes } else { no };
        }
        self.depth -= 1;
        Ok(value)
    }

    fn level(&mut self, level: usize) -> Result<i64, String> {
        let Some(signs) = LEVELS.get(level) else { return self.single() };
        let mut left = self.level(level + 1)?;
        while let Some(sign) = self.sign(signs) {
            let right = self.level(level + 1)?;
            left = apply(sign, left, right)?;
        }
        Ok(left)
    }

    /// One of these signs, unless a longer one comes.
    fn sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        self.skip();
        let next = |sum: &Self, steps| sum.letters.get(sum.at + steps).copied();
        if matches!((next(self, 0), next(self, 1)), (Some('|' | '&'), Some('|' | '&')))
            && signs.iter().all(|sign| sign.len() == 1)
        {
            return None;
        }
        signs.iter().copied().find(|sign| self.take(sign))
    }

    fn single(&mut self) -> Result<i64, String> {
        self.skip();
        for sign in ["++", "--"] {
            if self.take(sign) {
                let name = self.name();
                return Ok(self.change(&name, if sign == "++" { 1 } else { -1 }).1);
            }
        }
        if self.take("-") {
            return Ok(self.single()?.wrapping_neg());
        }
        if self.take("+") {
            return self.single();
        }
        if self.take("!") {
            return Ok(i64::from(self.single()? == 0));
        }
        if self.take("(") {
            let value = self.choice()?;
            return match self.take(")") {
                true => Ok(value),
                false => Err("arithmetic syntax error".to_owned()),
            };
        }
        let name = self.name();
        match name.chars().next() {
            None => Err("arithmetic syntax error".to_owned()),
            Some(letter) if letter.is_ascii_digit() => {
                name.parse().map_err(|_| "arithmetic syntax error".to_owned())
            }
            Some(_) => self.variable(&name),
        }
    }

    fn name(&mut self) -> String {
        self.skip();
        let mut name = String::new();
        while let Some(letter) =
            self.letters.get(self.at).filter(|it| it.is_ascii_alphanumeric() || **it == '_')
        {
            name.push(*letter);
            self.at += 1;
        }
        name
    }

    /// A variable, and what is done to it.
    fn variable(&mut self, name: &str) -> Result<i64, String> {
        for (sign, by) in [("++", 1), ("--", -1)] {
            if self.take(sign) {
                return Ok(self.change(name, by).0);
            }
        }
        for sign in ["+", "-", "*", "/", "%"] {
            if self.take(&format!("{sign}=")) {
                let value = apply(sign, self.number(name), self.choice()?)?;
                self.variables.assign(name, value.to_string());
                return Ok(value);
            }
        }
        let next = self.letters.get(self.at + 1);
        if self.letters.get(self.at) == Some(&'=') && next != Some(&'=') {
            self.at += 1;
            let value = self.choice()?;
            self.variables.assign(name, value.to_string());
            return Ok(value);
        }
        Ok(self.number(name))
    }

    fn number(&self, name: &str) -> i64 {
        self.variables.value(name).and_then(|text| text.trim().parse().ok()).unwrap_or_default()
    }

    /// Adds to a variable: what it was, and what it is.
    fn change(&mut self, name: &str, by: i64) -> (i64, i64) {
        let before = self.number(name);
        let after = before.wrapping_add(by);
        self.variables.assign(name, after.to_string());
        (before, after)
    }
}

fn apply(sign: &str, left: i64, right: i64) -> Result<i64, String> {
    let truth = i64::from;
    Ok(match sign {
        "||" => truth(left != 0 || right != 0),
        "&&" => truth(left != 0 && right != 0),
        "|" => left | right,
        "^" => left ^ right,
        "&" => left & right,
        "==" => truth(left == right),
        "!=" => truth(left != right),
        "<=" => truth(left <= right),
        ">=" => truth(left >= right),
        "<" => truth(left < right),
        ">" => truth(left > right),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        _ if right == 0 => return Err("divide by zero".to_owned()),
        "/" => left.wrapping_div(right),
        _ => left.wrapping_rem(right),
    })
}
