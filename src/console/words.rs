//! A line into commands.

/// When a command runs after the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// `;`, or the first.
    Always,
    /// `&&`.
    And,
    /// `||`.
    Or,
}

/// One command of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Simple {
    /// Its words, without quotes.
    pub(super) words: Vec<String>,
    /// `> FILE`, and whether it is `>>`.
    pub(super) output: Option<(String, bool)>,
    /// `< FILE`.
    pub(super) input: Option<String>,
    /// `2>&1`.
    pub(super) errors_to_output: bool,
    /// `2>/dev/null`.
    pub(super) no_errors: bool,
}

/// Splits a line into pipelines.
///
/// # Errors
/// The shell's sentence where a quote does not end.
pub(super) fn read(line: &str) -> Result<Vec<(Joint, Vec<Simple>)>, String> {
    let mut commands = Vec::new();
    for (joint, text) in split(line)? {
        let mut pipeline = Vec::new();
        for part in text {
            let simple = simple(&part)?;
            if !simple.words.is_empty() || simple.output.is_some() {
                pipeline.push(simple);
            }
        }
        if !pipeline.is_empty() {
            commands.push((joint, pipeline));
        }
    }
    Ok(commands)
}

/// Splits at `;`, `&&`, `||` and `|` that stand in no quotes; a comment ends the line.
fn split(line: &str) -> Result<Vec<(Joint, Vec<String>)>, String> {
    let mut commands = vec![(Joint::Always, vec![String::new()])];
    let mut quote = None;
    let mut letters = line.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let mut keep = |text: &str| {
            if let Some(part) = commands.last_mut().and_then(|(_, parts)| parts.last_mut()) {
                part.push_str(text);
            }
        };
        match (quote, letter) {
            (None, '\\') | (Some('"'), '\\') => {
                keep("\\");
                if let Some(next) = letters.next() {
                    keep(next.encode_utf8(&mut [0; 4]));
                }
            }
            (Some(open), letter) => {
                if letter == open {
                    quote = None;
                }
                keep(letter.encode_utf8(&mut [0; 4]));
            }
            (None, '\'' | '"') => {
                quote = Some(letter);
                keep(letter.encode_utf8(&mut [0; 4]));
            }
            (None, '#') if before.is_whitespace() => {
                while letters.next_if(|letter| *letter != '\n').is_some() {}
            }
            (None, ';' | '\n') => commands.push((Joint::Always, vec![String::new()])),
            (None, '&') if before == '>' => keep("&"),
            (None, '&') => {
                let joint =
                    if letters.next_if_eq(&'&').is_some() { Joint::And } else { Joint::Always };
                commands.push((joint, vec![String::new()]));
            }
            (None, '|') if letters.next_if_eq(&'|').is_some() => {
                commands.push((Joint::Or, vec![String::new()]));
            }
            (None, '|') => {
                if let Some((_, parts)) = commands.last_mut() {
                    parts.push(String::new());
                }
            }
            (None, letter) => keep(letter.encode_utf8(&mut [0; 4])),
        }
        before = letter;
    }
    match quote {
        Some(open) => Err(format!("bash: unexpected EOF while looking for matching `{open}'")),
        None => Ok(commands),
    }
}

/// Takes redirections out of a command. A `>` in quotes is none.
fn simple(text: &str) -> Result<Simple, String> {
    let mut simple = Simple::default();
    let spaced = space_redirections(text);
    let wrong = || "bash: syntax error: unterminated quote".to_owned();
    let words = shlex::split(&spaced).ok_or_else(wrong)?;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "\u{1}>" => simple.output = words.next().map(|path| (path, false)),
            "\u{1}>>" => simple.output = words.next().map(|path| (path, true)),
            "\u{1}<" => simple.input = words.next(),
            "\u{1}2>" => match words.next().as_deref() {
                Some("&1") => simple.errors_to_output = true,
                _ => simple.no_errors = true,
            },
            _ => simple.words.push(word),
        }
    }
    Ok(simple)
}

/// Marks redirections as words of their own.
fn space_redirections(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut quote = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\\') | (Some('"'), '\\') => {
                out.push(letter);
                out.extend(letters.next());
            }
            (Some(open), letter) => {
                if letter == open {
                    quote = None;
                }
                out.push(letter);
            }
            (None, '\'' | '"') => {
                quote = Some(letter);
                out.push(letter);
            }
            (None, '>') => {
                let errors = out.ends_with(" 2");
                if errors {
                    out.pop();
                }
                let sign = if letters.next_if_eq(&'>').is_some() { ">>" } else { ">" };
                out.push_str(" '\u{1}");
                out.push_str(if errors { "2>" } else { sign });
                out.push_str("' ");
                if letters.next_if_eq(&'&').is_some() {
                    out.push_str("'&'");
                }
            }
            (None, '<') => out.push_str(" '\u{1}<' "),
            (None, letter) => out.push(letter),
        }
    }
    out
}

/// Takes a here-document out of what was entered: the command, and the document.
pub(super) fn here_document(text: &str) -> Option<(String, String)> {
    let (first, rest) = text.split_once('\n')?;
    let (tag, start, end) = tag(first)?;
    let strip = first.get(start..).is_some_and(|text| text.starts_with("<<-"));
    let mut document = String::new();
    for line in rest.lines() {
        if line.trim() == tag {
            break;
        }
        document.push_str(if strip { line.trim_start_matches('\t') } else { line });
        document.push('\n');
    }
    let command = format!("{}{}", first.get(..start)?, first.get(end..)?);
    Some((command, document))
}

/// The word that ends the here-document of a line, and where `<<WORD` stands in it.
pub(super) fn tag(line: &str) -> Option<(String, usize, usize)> {
    let start = line.find("<<").filter(|at| line.get(at + 2..at + 3) != Some("<"))?;
    let rest = line.get(start + 2..)?;
    let rest_trimmed = rest.strip_prefix('-').unwrap_or(rest).trim_start();
    let skipped = rest.len() - rest_trimmed.len();
    let length = rest_trimmed
        .find(|c: char| c.is_whitespace() || "|;&>".contains(c))
        .unwrap_or(rest_trimmed.len());
    let word = rest_trimmed.get(..length)?.trim_matches(['\'', '"']);
    (!word.is_empty()).then(|| (word.to_owned(), start, start + 2 + skipped + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<(Joint, Vec<Vec<String>>)> {
        let commands = read(line).unwrap().into_iter();
        commands
            .map(|(joint, parts)| (joint, parts.into_iter().map(|part| part.words).collect()))
            .collect()
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn quotes_keep_signs_together() {
        let line = "k get po -o jsonpath='{.a | b;c}' | grep \"x && y\" && echo a\\;b # done";
        let wanted = vec![
            (
                Joint::Always,
                vec![
                    strings(&["k", "get", "po", "-o", "jsonpath={.a | b;c}"]),
                    strings(&["grep", "x && y"]),
                ],
            ),
            (Joint::And, vec![strings(&["echo", "a;b"])]),
        ];
        assert_eq!(words(line), wanted);
    }

    #[test]
    fn redirections_are_taken_out() {
        let simple = &read("cat a.yaml > 'b c.yaml' 2>&1").unwrap()[0].1[0];
        assert_eq!(simple.words, ["cat", "a.yaml"]);
        assert_eq!(simple.output, Some(("b c.yaml".to_owned(), false)));
        assert!(simple.errors_to_output);
        let simple = &read("echo 'a > b' >>x 2>/dev/null").unwrap()[0].1[0];
        assert_eq!(simple.words, ["echo", "a > b"]);
        assert_eq!(simple.output, Some(("x".to_owned(), true)));
        assert!(simple.no_errors);
    }

    #[test]
    fn a_here_document_goes_to_its_command() {
        let (command, document) =
            here_document("kubectl apply -f - <<'EOF' | cat\na: 1\nEOF\n").unwrap();
        assert_eq!(command, "kubectl apply -f -  | cat");
        assert_eq!(document, "a: 1\n");
        assert!(here_document("echo a\necho b").is_none());
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert!(read("echo 'a").is_err());
    }
}
