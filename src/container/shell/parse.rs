//! A script into steps.

use super::dialect::{Missing, Wrong};
use super::step::{Part, Redirect, Simple, Step, To, Word};
use super::word::Reader;
use core::mem;

/// Scripts nested deeper than this are refused.
const MOST_DEPTH: u32 = 40;

/// Reads a script.
///
/// # Errors
/// Where the text is no script.
pub(in crate::container) fn parse(script: &str) -> Result<Vec<Step>, Wrong> {
    Ok(read(script)?.0)
}

/// Reads what somebody types, who may go on typing: a here-document wants its end.
///
/// # Errors
/// Where the text is no script, or not yet.
pub(in crate::container) fn parse_typed(script: &str) -> Result<Vec<Step>, Wrong> {
    match read(script)? {
        (steps, None) => Ok(steps),
        (_, Some(missing)) => Err(Wrong::Unfinished(missing)),
    }
}

/// The line that would end the here-document which a text ends in, if it ends in one.
pub(in crate::container) fn open_document(text: &str) -> Option<String> {
    let mut parser = Parser { reader: Reader::new(text), depth: 0 };
    // Whether it is a script shows when the document is whole.
    let _ = parser.list(&[]);
    match parser.reader.open {
        Some(Missing::Document(tag)) => Some(tag),
        _ => None,
    }
}

fn read(script: &str) -> Result<(Vec<Step>, Option<Missing>), Wrong> {
    let mut parser = Parser { reader: Reader::new(script), depth: 0 };
    let mut steps = parser.list(&[])?;
    doubt_endless_loops(&mut steps);
    match parser.reader.peek() {
        None => Ok((steps, parser.reader.open)),
        Some(_) => Err(parser.unexpected()),
    }
}

/// A step's way as the number it is.
pub(super) fn way(steps: usize) -> i32 {
    i32::try_from(steps).unwrap_or(i32::MAX)
}

/// Reads commands; `word.rs` reads words, and asks back for what is in `$(…)`.
pub(super) struct Parser {
    pub(super) reader: Reader,
    depth: u32,
}

type Steps = Result<Vec<Step>, Wrong>;

impl Parser {
    /// Reads commands until one of these words stands where a command could begin.
    pub(super) fn list(&mut self, ends: &[&str]) -> Steps {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(Wrong::TooDeep);
        }
        let mut steps = Vec::new();
        loop {
            self.reader.skip_to_command();
            if self.reader.peek().is_none() || self.is_at_end(ends) {
                break;
            }
            let begin = self.reader.place();
            let mut one = self.and_or()?;
            self.reader.skip_blanks();
            match self.reader.peek() {
                Some('&') => {
                    let text = self.reader.since(begin);
                    self.reader.next();
                    one.push(Step::Return);
                    steps.push(Step::Spawn(way(one.len()), text.trim().into()));
                }
                Some(';') if !self.reader.starts_with(";;") => {
                    self.reader.next();
                }
                Some('\n') | None => {}
                Some(_) if self.is_at_end(ends) => {}
                Some(_) => return Err(self.unexpected()),
            }
            steps.append(&mut one);
        }
        self.depth -= 1;
        Ok(steps)
    }

    fn is_at_end(&self, ends: &[&str]) -> bool {
        let word = self.reader.peek_word();
        ends.iter().any(|end| match *end {
            ")" | ";;" => self.reader.starts_with(end),
            end => word == end,
        })
    }

    fn and_or(&mut self) -> Steps {
        let mut steps = self.pipeline()?;
        loop {
            self.reader.skip_blanks();
            let success = match () {
                () if self.reader.take("&&") => false,
                () if self.reader.take("||") => true,
                () => return Ok(steps),
            };
            self.reader.skip_to_command();
            let mut next = self.pipeline()?;
            steps.push(Step::JumpIf { success, by: way(next.len()) });
            steps.append(&mut next);
        }
    }

    fn pipeline(&mut self) -> Steps {
        let mut negated = false;
        while self.reader.peek_word() == "!" {
            self.reader.take("!");
            self.reader.skip_blanks();
            negated = !negated;
        }
        let mut stages = vec![self.command()?];
        loop {
            self.reader.skip_blanks();
            if self.reader.peek() != Some('|') || self.reader.starts_with("||") {
                break;
            }
            self.reader.next();
            self.reader.skip_to_command();
            stages.push(self.command()?);
        }
        let mut steps = match stages.len() {
            1 => stages.remove(0),
            count => {
                let last = count - 1;
                for (number, stage) in stages.iter_mut().enumerate() {
                    stage.push(if number == last { Step::EndSubshell } else { Step::Return });
                }
                let lens = stages.iter().map(|stage| way(stage.len())).collect();
                let mut all = vec![Step::Pipe(lens)];
                all.extend(stages.into_iter().flatten());
                all
            }
        };
        if negated {
            steps.push(Step::Not);
        }
        Ok(steps)
    }

    fn command(&mut self) -> Steps {
        const KEYWORDS: [&str; 14] = [
            "if", "while", "until", "for", "case", "{", "function", "then", "else", "elif", "fi",
            "do", "done", "esac",
        ];
        let keyword = self.reader.peek_word();
        let is_simple = keyword != "}"
            && !KEYWORDS.contains(&keyword.as_str())
            && self.reader.peek() != Some('(')
            && !self.reader.is_function();
        if is_simple { self.simple() } else { self.compound(keyword) }
    }

    /// A command that holds others.
    #[inline(never)]
    fn compound(&mut self, keyword: String) -> Steps {
        let body = match keyword.as_str() {
            "if" => self.conditional()?,
            "while" | "until" => self.repetition(keyword == "while")?,
            "for" => self.each()?,
            "case" => self.case()?,
            "{" => {
                self.reader.take("{");
                let steps = self.list(&["}"])?;
                self.expect("}")?;
                steps
            }
            "function" => {
                self.reader.take("function");
                self.reader.skip_blanks();
                return self.function();
            }
            "then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "}" => {
                return Err(Wrong::Unexpected(keyword));
            }
            _ if self.reader.starts_with("((") => return self.sum_command(),
            _ if self.reader.peek() == Some('(') => {
                self.reader.next();
                let mut steps = self.list(&[")"])?;
                self.expect(")")?;
                steps.push(Step::EndSubshell);
                steps.insert(0, Step::Subshell { captured: false, len: way(steps.len()) });
                steps
            }
            _ if self.reader.is_function() => return self.function(),
            _ => return self.simple(),
        };
        self.with_redirects(body)
    }

    /// Redirections behind a compound command.
    fn with_redirects(&mut self, mut body: Vec<Step>) -> Steps {
        let mut redirects = Vec::new();
        let before = self.words(|parser| {
            while let Some(redirect) = parser.redirect()? {
                redirects.push(redirect);
            }
            Ok(())
        })?;
        if redirects.is_empty() {
            return Ok(body);
        }
        let (mut steps, captures) = before;
        steps.push(Step::Redirect(redirects, captures));
        steps.append(&mut body);
        steps.push(Step::Restore);
        Ok(steps)
    }

    /// What comes next stands where it may not.
    fn unexpected(&self) -> Wrong {
        const SIGNS: [&str; 8] = ["&&", "||", ";;", "|", "&", ";", "(", ")"];
        if self.reader.peek().is_none() {
            return Wrong::Unfinished(Missing::Command);
        }
        let sign = SIGNS.into_iter().find(|sign| self.reader.starts_with(sign));
        Wrong::Unexpected(match sign {
            Some(sign) => sign.to_owned(),
            None if self.reader.peek() == Some('\n') => "newline".to_owned(),
            None => self.reader.peek_word(),
        })
    }

    pub(super) fn expect(&mut self, word: &str) -> Result<(), Wrong> {
        self.reader.skip_to_command();
        match self.reader.take(word) {
            true => Ok(()),
            false if self.reader.peek().is_none() => {
                Err(Wrong::Unfinished(Missing::Word(word.to_owned())))
            }
            false => Err(self.unexpected()),
        }
    }

    fn conditional(&mut self) -> Steps {
        self.reader.take("if");
        let mut arms = Vec::new();
        let mut last = None;
        loop {
            let condition = self.list(&["then"])?;
            self.expect("then")?;
            let body = self.list(&["elif", "else", "fi"])?;
            arms.push((condition, body));
            if self.reader.take("elif") {
                continue;
            }
            if self.reader.take("else") {
                last = Some(self.list(&["fi"])?);
            }
            self.expect("fi")?;
            break;
        }
        let mut steps = last.unwrap_or_else(|| vec![Step::Status(0)]);
        for (mut condition, mut body) in arms.into_iter().rev() {
            let rest = mem::take(&mut steps);
            body.push(Step::Jump(way(rest.len())));
            condition.push(Step::JumpIf { success: false, by: way(body.len()) });
            steps = condition.into_iter().chain(body).chain(rest).collect();
        }
        Ok(steps)
    }

    fn repetition(&mut self, success: bool) -> Steps {
        self.reader.take(if success { "while" } else { "until" });
        let mut steps = self.list(&["do"])?;
        self.expect("do")?;
        let mut body = self.list(&["done"])?;
        self.expect("done")?;
        let endless = success && is_always_true(&steps) && stays_inside(&body);
        steps.push(Step::JumpIf { success: !success, by: way(body.len() + 1) });
        steps.append(&mut body);
        steps.push(Step::Jump(-way(steps.len() + 1)));
        // Simplified: the status is not that of the body's last command.
        steps.push(Step::Status(0));
        steps.push(Step::EndLoop);
        steps.insert(0, Step::Loop { len: way(steps.len()), endless });
        Ok(steps)
    }

    fn each(&mut self) -> Steps {
        self.reader.take("for");
        self.reader.skip_blanks();
        let variable = self.reader.take_name();
        self.reader.skip_to_command();
        let mut words = None;
        let mut before = (Vec::new(), 0);
        if self.reader.peek_word() == "in" {
            self.reader.take("in");
            let mut all = Vec::new();
            before = self.words(|parser| {
                while let Some(word) = parser.word()? {
                    all.push(word);
                }
                Ok(())
            })?;
            words = Some(all);
        }
        self.reader.skip_blanks();
        self.reader.take(";");
        self.expect("do")?;
        let mut body = self.list(&["done"])?;
        self.expect("done")?;
        let (mut steps, captures) = before;
        // Next, the body, the way back, the end.
        let len = way(body.len() + 3);
        steps.push(Step::For { variable, words, captures, len });
        steps.push(Step::Next);
        body.push(Step::Jump(-way(body.len() + 2)));
        steps.append(&mut body);
        steps.push(Step::EndLoop);
        Ok(steps)
    }

    fn case(&mut self) -> Steps {
        self.reader.take("case");
        let mut subject = Word::new();
        let (mut steps, captures) = self.words(|parser| {
            subject = parser.word()?.unwrap_or_default();
            Ok(())
        })?;
        steps.push(Step::Case(subject, captures));
        self.expect("in")?;
        let mut arms = Vec::new();
        loop {
            self.reader.skip_to_command();
            if self.reader.peek_word() == "esac" {
                self.reader.take("esac");
                break;
            }
            self.reader.take("(");
            let mut patterns = Vec::new();
            self.words(|parser| {
                while let Some(word) = parser.word()? {
                    patterns.push(word);
                    parser.reader.skip_blanks();
                    if !parser.reader.take("|") {
                        break;
                    }
                }
                Ok(())
            })?;
            self.expect(")")?;
            let body = self.list(&[";;", "esac"])?;
            self.reader.take(";;");
            arms.push((patterns, body));
        }
        let mut rest = vec![Step::Status(0)];
        for (patterns, mut body) in arms.into_iter().rev() {
            body.push(Step::Jump(way(rest.len())));
            let otherwise = way(body.len());
            body.insert(0, Step::Match { patterns, otherwise });
            body.append(&mut rest);
            rest = body;
        }
        steps.append(&mut rest);
        steps.push(Step::EndCase);
        Ok(steps)
    }

    fn function(&mut self) -> Steps {
        let name = self.reader.take_name();
        self.reader.skip_blanks();
        if self.reader.take("(") {
            self.reader.skip_blanks();
            self.expect(")")?;
        }
        self.reader.skip_to_command();
        let mut body = self.command()?;
        body.push(Step::Return);
        body.insert(0, Step::Define(name, way(body.len())));
        Ok(body)
    }

    /// `((i++))`.
    fn sum_command(&mut self) -> Steps {
        let mut sum = None;
        let (mut steps, captures) = self.words(|parser| {
            parser.reader.take("((");
            sum = Some(parser.sum()?);
            Ok(())
        })?;
        let words = vec![vec![Part::Text("((".into())], sum.into_iter().collect()];
        let simple = Simple { words, ..Simple::default() };
        steps.push(Step::Simple(Box::new(simple), captures));
        Ok(steps)
    }

    fn simple(&mut self) -> Steps {
        let mut simple = Simple::default();
        let (mut steps, captures) = self.words(|parser| {
            loop {
                if let Some(redirect) = parser.redirect()? {
                    simple.redirects.push(redirect);
                    continue;
                }
                if simple.words.is_empty()
                    && let Some(name) = parser.reader.take_assignment()
                {
                    simple.assignments.push((name, parser.glued_word()?));
                    continue;
                }
                match parser.word()? {
                    Some(word) => simple.words.push(word),
                    None => return Ok(()),
                }
            }
        })?;
        if simple == Simple::default() {
            return Err(self.unexpected());
        }
        steps.push(Step::Simple(Box::new(simple), captures));
        Ok(steps)
    }

    /// Reads words, and gives the steps that must come before them: those of their `$(…)`.
    fn words(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), Wrong>,
    ) -> Result<(Vec<Step>, usize), Wrong> {
        let outer = mem::take(&mut self.reader.captures);
        read(self)?;
        let own = mem::replace(&mut self.reader.captures, outer);
        let count = own.len();
        Ok((own.into_iter().flatten().collect(), count))
    }

    fn redirect(&mut self) -> Result<Option<Redirect>, Wrong> {
        let Some((stream, sign)) = self.reader.take_redirection() else { return Ok(None) };
        if sign == "<<<" {
            let mut text = self.word()?.ok_or_else(|| Wrong::Unexpected("newline".to_owned()))?;
            text.push(Part::Quoted("\n".to_owned()));
            return Ok(Some(Redirect { stream: 0, to: To::Here(text) }));
        }
        if sign.starts_with("<<") {
            let text = self.here_document(sign == "<<-")?;
            return Ok(Some(Redirect { stream: 0, to: To::Here(text) }));
        }
        if sign.ends_with('&') {
            self.reader.skip_blanks();
            let same = self.reader.next().and_then(|letter| letter.to_digit(10));
            let same = same.and_then(|same| u8::try_from(same).ok()).unwrap_or(1);
            return Ok(Some(Redirect { stream, to: To::Same(same) }));
        }
        let target = self.word()?.ok_or_else(|| Wrong::Unexpected("newline".to_owned()))?;
        let to = match sign {
            "<" => To::Read(target),
            ">>" => To::Append(target),
            _ => To::Write(target),
        };
        Ok(Some(Redirect { stream, to }))
    }
}

/// `true`, `:` or `[ 1 ]`.
fn is_always_true(condition: &[Step]) -> bool {
    let [Step::Simple(simple, 0)] = condition else { return false };
    let words: Vec<Option<&str>> = simple.words.iter().map(literal).collect();
    matches!(words.as_slice(), [Some("true" | ":")] | [Some("["), Some("1" | "true"), Some("]")])
}

/// Whether nothing in a loop leaves it, ends the script or asks anybody outside of the pod.
fn stays_inside(body: &[Step]) -> bool {
    const LEAVING: [&str; 8] = ["break", "return", "exit", "exec", "kill", "set", "eval", "."];
    body.iter().all(|step| match step {
        Step::Simple(simple, _) => {
            let name = first_word(simple).map(|word| word.rsplit('/').next().unwrap_or(word));
            simple.words.is_empty()
                || name.is_some_and(|name| {
                    !LEAVING.contains(&name) && !crate::container::kit::ASKING.contains(&name)
                })
        }
        Step::Spawn(..) | Step::Define(..) => false,
        _ => true,
    })
}

/// What is defined or set somewhere may end the script from anywhere.
fn doubt_endless_loops(steps: &mut [Step]) {
    let doubtful = steps.iter().any(|step| match step {
        Step::Define(..) => true,
        Step::Simple(simple, _) => matches!(first_word(simple), Some("set" | "trap" | "eval")),
        _ => false,
    });
    for step in steps.iter_mut().filter(|_| doubtful) {
        if let Step::Loop { endless, .. } = step {
            *endless = false;
        }
    }
}

fn first_word(simple: &Simple) -> Option<&str> {
    literal(simple.words.first()?)
}

/// A word without variables.
fn literal(word: &Word) -> Option<&str> {
    match word.as_slice() {
        [Part::Text(text) | Part::Quoted(text)] => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::*;

    #[test]
    fn what_more_lines_could_finish_is_told_from_what_is_wrong() {
        let unfinished = [
            "echo 'a",
            "echo \"a",
            "echo a \\",
            "echo a |",
            "echo a &&",
            "echo $(echo a",
            "echo ${a",
            "echo $((1 + 2",
            "cat <<EOF",
            "cat <<EOF\na: 1",
            "for i in 1 2 3; do",
            "for i in 1 2",
            "while true; do echo a",
            "if true; then",
            "case a in",
            "case a in a) echo a;;",
            "f() {",
            "f()",
            "{ echo a;",
            "(echo a",
        ];
        for text in unfinished {
            let read = parse_typed(text);
            assert!(matches!(read, Err(Wrong::Unfinished(_))), "{text}: {read:?}");
        }
        for text in ["done", "echo a; fi", "echo a | | b", ";", "echo )", "cat <", "&& a"] {
            let read = parse_typed(text);
            assert!(matches!(read, Err(Wrong::Unexpected(_))), "{text}: {read:?}");
        }
        for text in ["", "# nothing", "a; b &", "cat <<EOF\nEOF", "f() { a; }", "(a) > b"] {
            assert!(parse_typed(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn each_shell_says_in_its_own_words_what_is_wrong() {
        // Read in bash 5.2, dash 0.5.12 and busybox 1.36.
        let cases = [
            ("done", "near unexpected token `done'", "\"done\" unexpected", "unexpected \"done\""),
            (
                "if true; then echo",
                ": unexpected end of file",
                "end of file unexpected (expecting \"fi\")",
                "unexpected end of file (expecting \"fi\")",
            ),
            (
                "cat <",
                "near unexpected token `newline'",
                "newline unexpected",
                "unexpected newline",
            ),
        ];
        for (script, bash, dash, ash) in cases {
            let wrong = parse(script).unwrap_err();
            let bash =
                format!("syntax error{}{bash}", if bash.starts_with(':') { "" } else { " " });
            assert_eq!(Dialect::Bash.syntax(&wrong), bash);
            assert_eq!(Dialect::Dash.syntax(&wrong), format!("Syntax error: {dash}"));
            assert_eq!(Dialect::Ash.syntax(&wrong), format!("syntax error: {ash}"));
        }
        let quote = parse("echo 'a").unwrap_err();
        assert_eq!(Dialect::Bash.syntax(&quote), "unexpected EOF while looking for matching `''");
        assert_eq!(Dialect::Dash.syntax(&quote), "Syntax error: Unterminated quoted string");
    }

    fn is_endless(script: &str) -> bool {
        let steps = parse(script).unwrap();
        steps.iter().any(|step| matches!(step, Step::Loop { endless: true, .. }))
    }

    #[test]
    fn a_loop_is_endless_if_nothing_in_it_leaves() {
        for script in [
            "while true; do date; sleep 1; done",
            "while :; do date >> /log/x; sleep 1; done",
            "i=0; while [ 1 ]; do echo $i; i=$((i+1)); sleep 5; done",
        ] {
            assert!(is_endless(script), "{script}");
        }
        for script in [
            "while [ ! -f /x ]; do sleep 1; done",
            "while true; do sleep 1; [ -f /x ] && break; done",
            "while true; do wget -q -O- http://web; sleep 1; done",
            "until nslookup web; do sleep 2; done",
            "set -e; while true; do ls /x; sleep 1; done",
            "while true; do $THING; sleep 1; done",
        ] {
            assert!(!is_endless(script), "{script}");
        }
    }

    #[test]
    fn what_is_no_script_is_refused() {
        for (script, why) in [
            ("if true; then echo", "syntax error: unexpected end of file (expecting \"fi\")"),
            ("done", "syntax error: unexpected \"done\""),
            ("echo 'a", "syntax error: unterminated quoted string"),
            ("echo a )", "syntax error: unexpected \")\""),
            ("| cat", "syntax error: unexpected \"|\""),
        ] {
            let said = parse(script).map_err(|wrong| Dialect::Ash.syntax(&wrong));
            assert_eq!(said, Err(why.to_owned()), "{script}");
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
    }

    #[test]
    fn a_here_document_belongs_to_its_line() {
        let steps = parse("cat <<EOF > /x; echo b\nfirst $A\nEOF\necho c").unwrap();
        let count = steps.iter().filter(|step| matches!(step, Step::Simple(..))).count();
        assert_eq!(count, 3);
        let Some(Step::Simple(cat, _)) = steps.first() else { panic!("{steps:?}") };
        let here = cat.redirects.iter().find(|redirect| matches!(redirect.to, To::Here(_)));
        assert!(here.is_some() && cat.redirects.len() == 2, "{cat:?}");
    }
}
