//! An awk program's text into rules, statements and expressions.

/// Expressions in expressions no deeper than this.
const MOST_DEPTH: u32 = 40;

/// A pattern with what is done where it holds.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) when: When,
    pub(super) body: Vec<Statement>,
}

/// When a rule's body is carried out.
#[derive(Debug)]
pub(super) enum When {
    Begin,
    End,
    /// For each line for which it holds.
    Line(Option<Expression>),
}

#[derive(Debug)]
pub(super) enum Statement {
    Print {
        values: Vec<Expression>,
        is_formatted: bool,
    },
    Do(Expression),
    If(Expression, Vec<Statement>, Vec<Statement>),
    /// A condition, the body, what is done after it.
    While(Expression, Vec<Statement>, Option<Expression>),
    /// `for (NAME in ARRAY)`.
    Each(String, String, Vec<Statement>),
    Next,
    Exit,
    Break,
}

#[derive(Clone, Debug)]
pub(super) enum Expression {
    Number(f64),
    Text(String),
    /// `/…/`: whether the line fits.
    Pattern(String),
    /// What can be assigned to.
    Place(Place),
    /// A place, the sign before `=` or none, the value.
    Assign(Place, Option<char>, Box<Expression>),
    /// `++`, `--`: by how much, and whether the old value is meant.
    Step(Place, f64, bool),
    Not(Box<Expression>),
    Minus(Box<Expression>),
    /// A sign between two values; the empty sign puts them together.
    Pair(&'static str, Box<Expression>, Box<Expression>),
    Choice(Box<[Expression; 3]>),
    Call(String, Vec<Expression>),
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    Variable(String),
    Field(Box<Expression>),
    Item(String, Box<Expression>),
}

/// Signs between two values, from those that bind least.
const LEVELS: [&[&str]; 7] = [
    &["||"],
    &["&&"],
    &["!~", "~"],
    &["<=", ">=", "==", "!=", "<", ">"],
    &[""],
    &["+", "-"],
    &["*", "/", "%"],
];

/// Reads a program; `None` if it is none that is known here.
pub(super) fn program(text: &str) -> Option<Vec<Rule>> {
    let mut parser = Parser { rest: text, depth: 0 };
    let mut rules = Vec::new();
    loop {
        parser.skip_lines();
        if parser.rest.is_empty() {
            return (!rules.is_empty()).then_some(rules);
        }
        let when = if parser.word("BEGIN") {
            When::Begin
        } else if parser.word("END") {
            When::End
        } else if parser.rest.starts_with('{') {
            When::Line(None)
        } else {
            When::Line(Some(parser.expression()?))
        };
        parser.skip();
        let body = match parser.rest.starts_with('{') {
            true => parser.block()?,
            // A pattern alone prints its lines.
            false => vec![Statement::Print { values: Vec::new(), is_formatted: false }],
        };
        rules.push(Rule { when, body });
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: u32,
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
    }

    fn skip_lines(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ';']);
    }

    fn sign(&mut self, sign: &str) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes a word, if it is all of the name that comes next.
    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(word).filter(|rest| !rest.starts_with(is_of_name));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn name(&mut self) -> Option<String> {
        self.skip();
        let end = self.rest.find(|it| !is_of_name(it)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn block(&mut self) -> Option<Vec<Statement>> {
        self.depth += 1;
        if !self.sign("{") || self.depth > MOST_DEPTH {
            return None;
        }
        let mut all = Vec::new();
        loop {
            self.skip_lines();
            if self.sign("}") {
                self.depth -= 1;
                return Some(all);
            }
            all.push(self.statement()?);
        }
    }

    /// A block, or one statement.
    fn body(&mut self) -> Option<Vec<Statement>> {
        self.rest = self.rest.trim_start();
        match self.rest.starts_with('{') {
            true => self.block(),
            false => {
                let one = self.statement()?;
                self.skip();
                self.rest = self.rest.strip_prefix(';').unwrap_or(self.rest);
                Some(vec![one])
            }
        }
    }

    fn statement(&mut self) -> Option<Statement> {
        for (word, is_formatted) in [("printf", true), ("print", false)] {
            if self.word(word) {
                let values = self.values()?;
                return Some(Statement::Print { values, is_formatted });
            }
        }
        if self.word("if") {
            let condition = self.in_brackets()?;
            let yes = self.body()?;
            let before = self.rest;
            self.skip_lines();
            if self.word("else") {
                return Some(Statement::If(condition, yes, self.body()?));
            }
            self.rest = before;
            return Some(Statement::If(condition, yes, Vec::new()));
        }
        if self.word("while") {
            let condition = self.in_brackets()?;
            return Some(Statement::While(condition, self.body()?, None));
        }
        if self.word("for") {
            return self.repetition();
        }
        for (word, statement) in
            [("next", Statement::Next), ("exit", Statement::Exit), ("break", Statement::Break)]
        {
            if self.word(word) {
                return Some(statement);
            }
        }
        self.expression().map(Statement::Do)
    }

    fn in_brackets(&mut self) -> Option<Expression> {
        let condition = self.sign("(").then(|| self.expression())??;
        self.sign(")").then_some(condition)
    }

    /// `for (NAME in ARRAY)`, `for (i = 1; i <= NF; i++)`.
    fn repetition(&mut self) -> Option<Statement> {
        if !self.sign("(") {
            return None;
        }
        let before = self.rest;
        if let Some(name) = self.name()
            && self.word("in")
        {
            let array = self.name()?;
            return self.sign(")").then(|| Some(Statement::Each(name, array, self.body()?)))?;
        }
        self.rest = before;
        let first = self.expression()?;
        let condition = self.sign(";").then(|| self.expression())??;
        let after = self.sign(";").then(|| self.expression())??;
        if !self.sign(")") {
            return None;
        }
        let repeated = Statement::While(condition, self.body()?, Some(after));
        // What comes first is done once.
        let once = Expression::Number(1.0);
        Some(Statement::If(once, vec![Statement::Do(first), repeated], Vec::new()))
    }

    /// What is printed: values, perhaps in brackets.
    fn values(&mut self) -> Option<Vec<Expression>> {
        const ENDS: [char; 3] = ['}', ';', '\n'];
        let before = self.rest;
        if self.sign("(")
            && let Some(all) = self.list(&[')'])
            && self.sign(")")
        {
            self.skip();
            if self.rest.is_empty() || self.rest.starts_with(ENDS) {
                return Some(all);
            }
        }
        self.rest = before;
        self.list(&ENDS)
    }

    /// Values parted by commas, up to one of these signs.
    fn list(&mut self, ends: &[char]) -> Option<Vec<Expression>> {
        let mut all = Vec::new();
        self.skip();
        if self.rest.is_empty() || self.rest.starts_with(ends) {
            return Some(all);
        }
        loop {
            all.push(self.expression()?);
            if !self.sign(",") {
                return Some(all);
            }
        }
    }

    fn expression(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return None;
        }
        let condition = self.level(0)?;
        self.depth -= 1;
        if !self.sign("?") {
            return Some(condition);
        }
        let yes = self.expression()?;
        let no = self.sign(":").then(|| self.expression())??;
        Some(Expression::Choice(Box::new([condition, yes, no])))
    }

    fn level(&mut self, level: usize) -> Option<Expression> {
        let Some(signs) = LEVELS.get(level) else { return self.single() };
        let mut left = self.level(level + 1)?;
        loop {
            self.skip();
            let sign = match *signs {
                [""] => self.begins_value().then_some(""),
                signs => signs.iter().copied().find(|sign| self.sign(sign)),
            };
            let Some(sign) = sign else { return Some(left) };
            let right = self.level(level + 1)?;
            left = Expression::Pair(sign, Box::new(left), Box::new(right));
        }
    }

    /// Whether a value comes next, to be put behind the one before it.
    fn begins_value(&self) -> bool {
        let is_keyword = self.rest.strip_prefix("in").is_some_and(|it| !it.starts_with(is_of_name));
        !is_keyword && self.rest.starts_with(|it: char| is_of_name(it) || "$\"(".contains(it))
    }

    fn single(&mut self) -> Option<Expression> {
        self.skip();
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.sign(sign) {
                return Some(Expression::Step(self.place()?, by, false));
            }
        }
        let first = self.rest.chars().next()?;
        match first {
            '!' if self.sign("!") => Some(Expression::Not(Box::new(self.single()?))),
            '-' if self.sign("-") => Some(Expression::Minus(Box::new(self.single()?))),
            '(' if self.sign("(") => {
                let inner = self.expression()?;
                self.sign(")").then_some(inner)
            }
            '"' => self.until('"').map(|text| Expression::Text(super::super::unescape(&text).0)),
            '/' => self.until('/').map(|text| Expression::Pattern(text.replace("\\/", "/"))),
            '0'..='9' | '.' => {
                let is_digit = |it: char| it.is_ascii_digit() || it == '.';
                let end = self.rest.find(|it| !is_digit(it)).unwrap_or(self.rest.len());
                let (digits, rest) = self.rest.split_at_checked(end)?;
                self.rest = rest;
                digits.parse().ok().map(Expression::Number)
            }
            _ => self.call_or_place(),
        }
    }

    /// The text up to a sign that has no backslash before it.
    fn until(&mut self, end: char) -> Option<String> {
        let mut escaped = true;
        let at = self.rest.char_indices().position(|(_, letter)| {
            let is_end = letter == end && !escaped;
            escaped = letter == '\\' && !escaped;
            is_end
        })?;
        let text: String = self.rest.chars().take(at).skip(1).collect();
        self.rest = self.rest.get(text.len() + 2..)?;
        Some(text)
    }

    fn call_or_place(&mut self) -> Option<Expression> {
        const KNOWN: [&str; 10] = [
            "length", "substr", "index", "split", "toupper", "tolower", "sub", "gsub", "int",
            "sprintf",
        ];
        let before = self.rest;
        if let Some(name) = self.name()
            && (self.rest.starts_with('(') || name == "length")
        {
            if !KNOWN.contains(&name.as_str()) {
                return None;
            }
            let mut words = Vec::new();
            if self.rest.starts_with('(') {
                self.sign("(");
                words = self.list(&[')'])?;
                if !self.sign(")") {
                    return None;
                }
            }
            return Some(Expression::Call(name, words));
        }
        self.rest = before;
        let place = self.place()?;
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.sign(sign) {
                return Some(Expression::Step(place, by, true));
            }
        }
        for sign in ['+', '-', '*', '/', '%'] {
            if self.sign(&format!("{sign}=")) {
                let value = Box::new(self.expression()?);
                return Some(Expression::Assign(place, Some(sign), value));
            }
        }
        self.skip();
        if self.rest.starts_with('=') && !self.rest.starts_with("==") {
            self.sign("=");
            return Some(Expression::Assign(place, None, Box::new(self.expression()?)));
        }
        Some(Expression::Place(place))
    }

    fn place(&mut self) -> Option<Place> {
        if self.sign("$") {
            self.depth += 1;
            if self.depth > MOST_DEPTH {
                return None;
            }
            let number = match self.rest.starts_with(|it: char| it.is_ascii_digit() || it == '(') {
                true => self.single()?,
                false => Expression::Place(self.place()?),
            };
            self.depth -= 1;
            return Some(Place::Field(Box::new(number)));
        }
        let name = self.name().filter(|name| !name.starts_with(|it: char| it.is_ascii_digit()))?;
        if !self.rest.starts_with('[') {
            return Some(Place::Variable(name));
        }
        self.sign("[");
        let key = Box::new(self.expression()?);
        self.sign("]").then_some(Place::Item(name, key))
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}
