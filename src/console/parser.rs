//! Tokens into steps.

use super::lexer::{Token, Wrong, tokens};
use super::syntax::{Op, Pipeline, Redirect, Script, Simple, Word, Words};
use std::sync::Arc;

/// Scripts in scripts no deeper than this.
const MOST_DEPTH: usize = 40;

/// Reads a script.
///
/// # Errors
/// bash's sentence; [`Wrong::Unfinished`] if more lines could make it a script.
pub(super) fn read(text: &str) -> Result<Script, Wrong> {
    nested(text, 0)
}

fn nested(text: &str, depth: usize) -> Result<Script, Wrong> {
    let mut tokens = tokens(text)?;
    tokens.reverse();
    let mut parser = Parser { tokens, ops: Vec::new(), loops: Vec::new(), depth };
    parser.list(&[])?;
    match parser.tokens.pop() {
        None => Ok(parser.ops.into()),
        Some(token) => Err(unexpected(&token)),
    }
}

fn unexpected(token: &Token) -> Wrong {
    let name = match token {
        Token::Sign("\n") => "newline",
        Token::Sign(sign) | Token::Redirect(sign) => sign,
        Token::Word(word) => word.plain().unwrap_or("word"),
        Token::Document(_) => "<<",
    };
    Wrong::Syntax(format!("bash: syntax error near unexpected token `{name}'"))
}

fn unfinished() -> Wrong {
    Wrong::Unfinished("bash: syntax error: unexpected end of file".to_owned())
}

/// A loop that is being read: where `continue` goes, and which steps are jumps of `break`.
struct Loop {
    again: usize,
    breaks: Vec<usize>,
}

struct Parser {
    /// The next one last.
    tokens: Vec<Token>,
    ops: Vec<Op>,
    loops: Vec<Loop>,
    depth: usize,
}

/// Words that end what stands before them.
const ENDS: [&str; 8] = ["then", "else", "elif", "fi", "do", "done", "}", ")"];

impl Parser {
    fn here(&self) -> usize {
        self.ops.len()
    }

    /// Makes an earlier step jump to the next one.
    fn land(&mut self, at: usize) {
        let here = self.here();
        if let Some(to) = self.ops.get_mut(at).and_then(Op::jump) {
            *to = here;
        }
    }

    /// A step whose place is filled in later.
    fn push(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.tokens.last(), Some(Token::Sign(one)) if *one == sign);
        if is_next {
            self.tokens.pop();
        }
        is_next
    }

    fn skip_lines(&mut self) {
        while self.sign("\n") {}
    }

    /// The next token as a keyword.
    fn keyword(&self) -> Option<&str> {
        match self.tokens.last()? {
            Token::Word(word) => word.plain(),
            Token::Sign(")") => Some(")"),
            _ => None,
        }
    }

    fn expect(&mut self, keyword: &str) -> Result<(), Wrong> {
        self.skip_lines();
        if self.keyword() == Some(keyword) {
            self.tokens.pop();
            return Ok(());
        }
        Err(self.tokens.last().map_or_else(unfinished, unexpected))
    }

    /// Commands up to one of `ends`, which stays.
    fn list(&mut self, ends: &[&str]) -> Result<(), Wrong> {
        let begin = self.here();
        loop {
            while self.sign("\n") || (self.here() > begin && self.sign(";")) {}
            let Some(token) = self.tokens.last() else {
                return if ends.is_empty() { Ok(()) } else { Err(unfinished()) };
            };
            if let Some(word) = self.keyword().filter(|word| ENDS.contains(word)) {
                return if ends.contains(&word) { Ok(()) } else { Err(unexpected(token)) };
            }
            let start = self.here();
            self.joined()?;
            if self.sign("&") {
                self.send_off(start);
            } else if !(self.sign(";") || self.sign("\n") || self.tokens.is_empty()) {
                // A bracket may follow without a sign between.
                if self.keyword() == Some(")") && ends.contains(&")") {
                    return Ok(());
                }

                return Err(self.tokens.last().map_or_else(unfinished, unexpected));
            }
        }
    }

    /// Makes the steps from `start` on a script of their own, carried out beside the others.
    fn send_off(&mut self, start: usize) {
        let mut ops: Vec<Op> = self.ops.drain(start..).collect();
        let end = ops.len();
        // `break` leaves no loop of the script that this one is not a part of any more.
        for op in &mut ops {
            if let Some(to) = op.jump() {
                *to = to.checked_sub(start).unwrap_or(end);
            }
        }
        self.forget_breaks(start);
        let name = ops.iter().find_map(|op| match op {
            Op::Run(pipeline) => Some(pipeline.as_text()),
            _ => None,
        });
        self.ops.push(Op::Spawn(ops.into(), name.unwrap_or_default().into()));
    }

    fn forget_breaks(&mut self, start: usize) {
        self.loops.iter_mut().for_each(|one| one.breaks.retain(|at| *at < start));
    }

    /// Pipelines joined by `&&` and `||`.
    fn joined(&mut self) -> Result<(), Wrong> {
        self.pipeline()?;
        loop {
            let wants = match self.tokens.last() {
                Some(Token::Sign("&&")) => true,
                Some(Token::Sign("||")) => false,
                _ => return Ok(()),
            };
            self.tokens.pop();
            self.skip_lines();
            let skip = self.push(Op::JumpIf(!wants, 0));
            if self.tokens.is_empty() {
                return Err(unfinished());
            }
            self.pipeline()?;
            self.land(skip);
        }
    }

    fn pipeline(&mut self) -> Result<(), Wrong> {
        let mut is_negated = false;
        while self.keyword() == Some("!") {
            self.tokens.pop();
            is_negated = !is_negated;
        }
        let start = self.here();
        let mut pipeline = Pipeline::default();
        if self.compound()? {
            // What a compound command prints is captured, if it goes anywhere else.
            let redirects = self.redirects()?;
            let is_piped = matches!(self.tokens.last(), Some(Token::Sign("|")));
            if is_piped || !redirects.is_empty() {
                self.capture(start);
                pipeline.is_fed = true;
                if !redirects.is_empty() || !is_piped {
                    let words = vec![Word::quoted("cat")];
                    pipeline.stages.push(Simple { words, redirects, ..Simple::default() });
                }
            }
        } else {
            pipeline.stages.push(self.simple()?);
        }
        while self.sign("|") {
            self.skip_lines();
            if self.tokens.is_empty() {
                return Err(unfinished());
            }
            pipeline.stages.push(self.simple()?);
        }
        if !pipeline.stages.is_empty() {
            self.run(pipeline)?;
        }
        if is_negated {
            self.push(Op::Not);
        }
        Ok(())
    }

    /// Puts a capture around the steps from `start` on.
    fn capture(&mut self, start: usize) {
        self.ops.insert(start, Op::Capture);
        let end = self.here();
        for op in self.ops.iter_mut().skip(start + 1) {
            if let Some(to) = op.jump() {
                *to = if *to < start { end } else { *to + 1 };
            }
        }
        self.forget_breaks(start);
        self.push(Op::Captured);
    }

    /// A pipeline, after what its words have to wait for.
    fn run(&mut self, mut pipeline: Pipeline) -> Result<(), Wrong> {
        if let [simple] = pipeline.stages.as_slice()
            && let Some(word @ ("break" | "continue")) = simple.words.first().and_then(Word::plain)
        {
            let jump = self.here();
            if let Some(innermost) = self.loops.last_mut() {
                let to = innermost.again;
                if word == "break" {
                    innermost.breaks.push(jump);
                }
                self.push(Op::Jump(to));
                return Ok(());
            }
        }
        let mut words: Vec<&Word> = Vec::new();
        for stage in &pipeline.stages {
            words.extend(stage.assignments.iter().map(|(_, word)| word));
            words.extend(&stage.words);
            words.extend(stage.redirects.iter().map(|(_, word)| word));
        }
        pipeline.captures = scripts_of(&mut self.ops, &words, self.depth)?;
        self.push(Op::Run(Arc::new(pipeline)));
        Ok(())
    }

    fn simple(&mut self) -> Result<Simple, Wrong> {
        let mut simple = Simple::default();
        loop {
            match self.tokens.last() {
                Some(Token::Word(_)) => {
                    let Some(Token::Word(word)) = self.tokens.pop() else { break };
                    match assignment(&word).filter(|_| simple.words.is_empty()) {
                        Some(found) => simple.assignments.push(found),
                        None => simple.words.extend(word.braces()),
                    }
                }
                Some(Token::Redirect(_) | Token::Document(_)) => {
                    simple.redirects.extend(self.redirects()?);
                }
                _ => break,
            }
        }
        if simple == Simple::default() {
            return Err(self.tokens.last().map_or_else(unfinished, unexpected));
        }
        Ok(simple)
    }

    fn redirects(&mut self) -> Result<Vec<(Redirect, Word)>, Wrong> {
        let mut all = Vec::new();
        while let Some(Token::Redirect(_) | Token::Document(_)) = self.tokens.last() {
            let sign = match self.tokens.pop() {
                Some(Token::Document(text)) => {
                    all.push((Redirect::Text, text));
                    continue;
                }
                Some(Token::Redirect(sign)) => sign,
                _ => break,
            };
            let redirect = match sign {
                "2>&1" => {
                    all.push((Redirect::ErrorsToOutput, Word::default()));
                    continue;
                }
                ">&2" => {
                    all.push((Redirect::OutputToErrors, Word::default()));
                    continue;
                }
                "<" => Redirect::Input,
                "<<<" => Redirect::Text,
                "2>" | "2>>" => Redirect::Errors { appends: sign == "2>>" },
                _ => Redirect::Output { appends: sign == ">>" },
            };
            let Some(Token::Word(mut word)) = self.tokens.pop() else {
                let what = "bash: syntax error near unexpected token `newline'";
                return Err(Wrong::Syntax(what.to_owned()));
            };
            if sign == "<<<" {
                word.0.extend(Word::quoted("\n").0);
            }
            if sign == "&>" {
                all.push((Redirect::ErrorsToOutput, Word::default()));
            }
            all.push((redirect, word));
        }
        Ok(all)
    }

    /// A loop, a condition or a group; says whether there was one.
    fn compound(&mut self) -> Result<bool, Wrong> {
        if self.sign("(") {
            // Simplified: a subshell shares its variables with the shell around it.
            self.list(&[")"])?;
            self.expect(")")?;
            return Ok(true);
        }
        match self.keyword() {
            Some("for") => self.for_loop()?,
            Some("while") => self.while_loop(false)?,
            Some("until") => self.while_loop(true)?,
            Some("if") => self.condition()?,
            Some("{") => {
                self.tokens.pop();
                self.list(&["}"])?;
                self.expect("}")?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn for_loop(&mut self) -> Result<(), Wrong> {
        self.tokens.pop();
        let name = match self.tokens.pop() {
            Some(Token::Word(word)) => word.plain().map(str::to_owned),
            Some(token) => return Err(unexpected(&token)),
            None => return Err(unfinished()),
        };
        let Some(name) = name else { return Err(unfinished()) };
        self.expect("in")?;
        let mut words = Vec::new();
        while let Some(Token::Word(_)) = self.tokens.last() {
            if let Some(Token::Word(word)) = self.tokens.pop() {
                words.extend(word.braces());
            }
        }
        let _semicolon = self.sign(";");
        let all: Vec<&Word> = words.iter().collect();
        let captures = scripts_of(&mut self.ops, &all, self.depth)?;
        self.push(Op::Loop(Words { words, captures }));
        let again = self.push(Op::Next(name, 0));
        self.body(again)?;
        self.land(again);
        self.end_loop();
        self.push(Op::Leave);
        Ok(())
    }

    fn while_loop(&mut self, until: bool) -> Result<(), Wrong> {
        self.tokens.pop();
        let again = self.here();
        self.list(&["do"])?;
        let out = self.push(Op::JumpIf(until, 0));
        self.body(again)?;
        self.land(out);
        self.end_loop();
        self.push(Op::Succeed);
        Ok(())
    }

    /// `do … done`, and back to the start.
    fn body(&mut self, again: usize) -> Result<(), Wrong> {
        self.expect("do")?;
        self.loops.push(Loop { again, breaks: Vec::new() });
        self.list(&["done"])?;
        self.expect("done")?;
        self.push(Op::Jump(again));
        Ok(())
    }

    fn end_loop(&mut self) {
        for jump in self.loops.pop().map(|ended| ended.breaks).unwrap_or_default() {
            self.land(jump);
        }
    }

    fn condition(&mut self) -> Result<(), Wrong> {
        self.tokens.pop();
        let mut outs = Vec::new();
        loop {
            self.list(&["then"])?;
            self.expect("then")?;
            let skip = self.push(Op::JumpIf(false, 0));
            self.list(&["elif", "else", "fi"])?;
            outs.push(self.push(Op::Jump(0)));
            self.land(skip);
            match self.keyword() {
                Some("elif") => drop(self.tokens.pop()),
                Some("else") => {
                    self.tokens.pop();
                    self.list(&["fi"])?;
                    break;
                }
                _ => {
                    self.push(Op::Succeed);
                    break;
                }
            }
        }
        self.expect("fi")?;
        outs.into_iter().for_each(|out| self.land(out));
        Ok(())
    }
}

/// The steps that capture what the scripts in words print; how many there are.
fn scripts_of(ops: &mut Vec<Op>, words: &[&Word], depth: usize) -> Result<usize, Wrong> {
    let mut count = 0;
    for script in words.iter().flat_map(|word| word.captures()) {
        if depth >= MOST_DEPTH {
            return Err(Wrong::Syntax("bash: syntax error: nested too deeply".to_owned()));
        }
        ops.push(Op::Capture);
        let start = ops.len();
        let moved = |op: &Op| {
            let mut op = op.clone();
            if let Some(to) = op.jump() {
                *to += start;
            }
            op
        };
        ops.extend(nested(script, depth + 1)?.iter().map(moved));
        ops.push(Op::Captured);
        count += 1;
    }
    Ok(count)
}

/// `NAME=value`.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let super::syntax::Part::Text { text, is_quoted: false } = word.0.first()? else { return None };
    let (name, value) = text.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return None;
    }
    let first = super::syntax::Part::Text { text: value.to_owned(), is_quoted: false };
    let rest = word.0.iter().skip(1).cloned();
    Some((name.to_owned(), Word([first].into_iter().chain(rest).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_unfinished(text: &str) -> bool {
        matches!(read(text), Err(Wrong::Unfinished(_)))
    }

    #[test]
    fn what_more_lines_could_finish_is_told_from_what_is_wrong() {
        let unfinished = [
            "echo 'a",
            "echo \"a",
            "echo a \\",
            "echo a |",
            "echo a &&",
            "echo $(echo a",
            "kubectl apply -f - <<EOF",
            "kubectl apply -f - <<EOF\na: 1",
            "for i in 1 2 3; do",
            "for i in 1 2",
            "while true; do echo a",
            "if true; then",
            "{ echo a;",
            "(echo a",
        ];
        for text in unfinished {
            assert!(is_unfinished(text), "{text}: {:?}", read(text));
        }
        for text in ["done", "echo a; fi", "echo a | | b", ";", "echo )", "cat <", "&& a"] {
            assert!(matches!(read(text), Err(Wrong::Syntax(_))), "{text}: {:?}", read(text));
        }
        for text in ["", "# nothing", "a; b &", "cat <<EOF\nEOF", "for i in {1..3}; do a; done"] {
            assert!(read(text).is_ok(), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn quotes_keep_signs_together() {
        let line = "k get po -o jsonpath='{.a | b;c}' | grep \"x && y\" && echo a\\;b # done";
        let ops = read(line).unwrap();
        let [Op::Run(first), Op::JumpIf(false, 3), Op::Run(second)] = &*ops else {
            panic!("{ops:?}")
        };
        assert_eq!(first.as_text(), "k get po -o jsonpath={.a | b;c} | grep x && y");
        assert_eq!(second.as_text(), "echo a;b");
    }

    #[test]
    fn redirections_are_no_words() {
        let ops =
            read("cat a.yaml > 'b c.yaml' 2>&1; echo 'a > b' >>x 2>/dev/null <in 3>4").unwrap();
        let simple: Vec<&Simple> = ops
            .iter()
            .filter_map(|op| match op {
                Op::Run(pipeline) => pipeline.stages.first(),
                _ => None,
            })
            .collect();
        let kinds = |simple: &Simple| -> Vec<Redirect> {
            simple.redirects.iter().map(|(redirect, _)| *redirect).collect()
        };
        assert_eq!(simple[0].words.len(), 2);
        let first = [Redirect::Output { appends: false }, Redirect::ErrorsToOutput];
        assert_eq!(kinds(simple[0]), first);
        assert_eq!(simple[1].words.len(), 3);
        assert_eq!(simple[1].redirects[0].0, Redirect::Output { appends: true });
        assert_eq!(simple[1].redirects[1].0, Redirect::Errors { appends: false });
    }
}
