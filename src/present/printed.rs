//! What a command printed, in parts that are drawn differently: names that lead to objects, and
//! words that say how a Pod is.

/// A part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<'a> {
    /// The text.
    pub text: &'a str,
    /// How it is drawn.
    pub role: Role,
}

/// How a part is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// As all text.
    Plain,
    /// A name that may be one of an object.
    Name,
    /// Said of what works.
    Good,
    /// Said of what waits.
    Waiting,
    /// Said of what fails.
    Bad,
}

/// Longer texts are drawn plainly, so that drawing stays quick.
const MOST_BYTES: usize = 20_000;

/// The parts of a text, one after the other; together they are the text.
pub fn spans(text: &str) -> Vec<Span<'_>> {
    if text.len() > MOST_BYTES {
        return vec![Span { text, role: Role::Plain }];
    }
    let mut all = Vec::new();
    // The column that names stand in, while lines are rows of a table.
    let mut column = None;
    for line in text.split_inclusive('\n') {
        let head = header(line);
        if head.is_some() || line.trim().is_empty() || line.starts_with(' ') {
            column = head;
            add(&mut all, line, Role::Plain);
        } else {
            row(line, column, &mut all);
        }
    }
    all
}

/// Whether a text is a table, whose lines are not broken however narrow the terminal is.
pub fn is_table(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let is_head = |word: &str| {
        word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || "-_()".contains(c))
    };
    let words: Vec<&str> = first.split_whitespace().collect();
    words.len() > 1 && words.iter().all(|word| is_head(word))
}

/// Where the names stand below a table's header.
fn header(line: &str) -> Option<usize> {
    let is_header =
        line.trim_end().chars().all(|c| c.is_ascii_uppercase() || " -_()/%:".contains(c));
    let at = line.find("NAME").filter(|_| is_header)?;
    match line.get(at..)?.starts_with("NAMESPACE") {
        true => line.find("   NAME ").map(|at| at + 3),
        false => Some(at),
    }
}

fn row<'a>(line: &'a str, column: Option<usize>, all: &mut Vec<Span<'a>>) {
    let mut rest = line;
    let mut at = 0;
    while !rest.is_empty() {
        let blank = rest.len() - rest.trim_start().len();
        let (space, after) = rest.split_at(blank);
        add(all, space, Role::Plain);
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        at += blank;
        match role(word, Some(at) == column) {
            Role::Name => name(word, all),
            role => add(all, word, role),
        }
        at += word.len();
        rest = after;
    }
}

fn role(word: &str, is_in_column: bool) -> Role {
    match word {
        "Running" | "Ready" | "Completed" | "Succeeded" | "Bound" | "Active" => Role::Good,
        "Pending" | "ContainerCreating" | "Terminating" | "PodInitializing" | "<pending>"
        | "NotReady" | "Unknown" => Role::Waiting,
        word if word.starts_with("Init:") && !word.contains("Err") && !word.contains("Back") => {
            Role::Waiting
        }
        "Error"
        | "CrashLoopBackOff"
        | "ImagePullBackOff"
        | "ErrImagePull"
        | "OOMKilled"
        | "Evicted"
        | "Failed"
        | "CreateContainerConfigError"
        | "InvalidImageName"
        | "RunContainerError" => Role::Bad,
        word if word.starts_with("Init:") => Role::Bad,
        word if is_in_column && is_name(word) => Role::Name,
        word if is_reference(word) => Role::Name,
        _ => Role::Plain,
    }
}

/// `deployment.apps/web`, `pod/web-1`: a kind and a name.
fn is_reference(word: &str) -> bool {
    let is_kind = |kind: &str| {
        kind.len() > 2 && kind.starts_with(|c: char| c.is_ascii_lowercase()) && is_name(kind)
    };
    word.split_once('/').is_some_and(|(kind, name)| is_kind(kind) && is_name(name))
}

fn is_name(word: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    word.chars().all(fits) && word.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// A name without the marks around it.
fn name<'a>(word: &'a str, all: &mut Vec<Span<'a>>) {
    let end = word.trim_end_matches([',', ':', '"']).len();
    let (name, rest) = word.split_at(end);
    add(all, name, Role::Name);
    add(all, rest, Role::Plain);
}

/// Adds a part, to the one before if both are drawn alike.
fn add<'a>(all: &mut Vec<Span<'a>>, text: &'a str, role: Role) {
    if !text.is_empty() {
        all.push(Span { text, role });
    }
}

/// The kind and the name that a printed name stands for, as far as it says them.
pub fn reference(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((kind, name)) => (Some(kind.split('.').next().unwrap_or(kind)), name),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<&str> {
        let all = spans(text);
        assert_eq!(all.iter().map(|span| span.text).collect::<String>(), text);
        all.into_iter().filter(|span| span.role == Role::Name).map(|span| span.text).collect()
    }

    #[test]
    fn names_stand_in_their_column_or_behind_their_kind() {
        let table = "NAME       READY   STATUS    AGE\nweb-1      1/1     Running   4s\nnode-web   0/1     Error     4s\n";
        assert_eq!(named(table), ["web-1", "node-web"]);
        let all = "NAMESPACE   NAME    READY\ndefault     web-1   1/1\n";
        assert_eq!(named(all), ["web-1"]);
        assert_eq!(named("NAME    READY\nweb-1   1/1\n^C\n"), ["web-1"]);
        assert_eq!(
            named("deployment.apps/web created\ningress.networking.k8s.io/web unchanged\n"),
            ["deployment.apps/web", "ingress.networking.k8s.io/web"]
        );
        assert_eq!(named("http://a/b and 1/1 and /etc/hosts\n"), [] as [&str; 0]);
    }

    #[test]
    fn a_table_is_known_by_its_header() {
        assert!(is_table("NAME    READY\nweb-1   1/1\n") && is_table("LAST SEEN   TYPE\n"));
        assert!(!is_table("pod/a created\n") && !is_table("Error from server\n") && !is_table(""));
    }

    #[test]
    fn states_are_told_apart() {
        let text =
            "NAME   STATUS\na      Running\nb      ContainerCreating\nc      CrashLoopBackOff\n";
        let roles: Vec<Role> = spans(text)
            .into_iter()
            .map(|span| span.role)
            .filter(|role| !matches!(role, Role::Plain | Role::Name))
            .collect();
        assert_eq!(roles, [Role::Good, Role::Waiting, Role::Bad]);
    }
}
