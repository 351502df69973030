//! A line at work: a script, the step that it is at, and the command that waits there.

use super::expand::Lookup;
use super::syntax::{Op, Pipeline, Redirect, Script, Simple, Word};
use super::work::{self, Work};
use super::{Console, MOST_BYTES};
use crate::container::filters::{self, Dialect};
use crate::kubectl::{Input, Wake};
use crate::programs::{Output, Part, Stream};
use crate::world::World;
use core::time::Duration;
use std::sync::Arc;

/// So many commands are carried out without a pause; then somebody else has a turn.
const MOST_AT_ONCE: u32 = 20;

/// A line at work. Plain data: it goes on when time has passed, and not by itself.
#[derive(Debug)]
pub struct Job {
    script: Script,
    at: usize,
    exit: i32,
    /// The words that loops have left, the next one last.
    loops: Vec<Vec<String>>,
    /// What is being captured, and what was.
    capturing: Vec<String>,
    captured: Vec<String>,
    pipe: Option<Pipe>,
    /// What standard input is, if nothing else is it.
    stdin: Option<Arc<str>>,
    /// Whether it has to let others have a turn.
    is_tired: bool,
    is_done: bool,
}

/// Commands joined by pipes, one of them at work.
#[derive(Debug)]
struct Pipe {
    /// The words of all commands, and where their streams go.
    stages: Vec<Stage>,
    at: usize,
    input: Option<String>,
    /// What the command has printed that the next one is to read.
    held: String,
    work: Option<Work>,
}

/// A command whose words are what it gets.
#[derive(Debug)]
struct Stage {
    /// Variables for the command alone, or for the shell if there is no command.
    assignments: Vec<(String, String)>,
    words: Vec<String>,
    redirects: Vec<(Redirect, String)>,
}

impl Job {
    pub(super) fn new(script: Script, stdin: Option<Arc<str>>) -> Self {
        Job {
            script,
            at: 0,
            exit: 0,
            loops: Vec::new(),
            capturing: Vec::new(),
            captured: Vec::new(),
            pipe: None,
            stdin,
            is_tired: false,
            is_done: false,
        }
    }

    /// When it is to go on; `None` when it is done.
    pub fn wake(&self, world: &World) -> Option<Wake> {
        if self.is_done {
            return None;
        }
        let work = self.pipe.as_ref().and_then(|pipe| pipe.work.as_ref());
        Some(work.map_or(Wake::At(world.now()), |work| work.wake(world)))
    }

    /// Whether nothing but a person ends what it waits for.
    pub fn is_endless(&self) -> bool {
        let work = self.pipe.as_ref().and_then(|pipe| pipe.work.as_ref());
        work.is_some_and(Work::is_endless)
    }

    /// Whether it goes on by itself at once, and only let others have a turn.
    pub const fn is_tired(&self) -> bool {
        self.is_tired
    }

    /// Goes on as far as it can. Gives back what was printed; when it is done, its exit code is in
    /// there.
    pub fn go_on(&mut self, console: &mut Console, world: &mut World, input: Input) -> Output {
        let mut shown = Output::default();
        let mut input = Some(input);
        self.is_tired = false;
        for _ in 0..MOST_AT_ONCE {
            let input = input.take().unwrap_or(Input::Time);
            let is_interrupt = input == Input::Interrupt;
            if self.pipe.is_some() {
                self.pipe_on(console, world, input, &mut shown);
                if self.pipe.is_some() {
                    shown.exit = self.exit;
                    return shown;
                }
            }
            if is_interrupt || !self.step(console, world, &mut shown) {
                self.is_done = true;
                shown.exit = self.exit;
                return shown;
            }
        }
        self.is_tired = true;
        shown.exit = self.exit;
        shown
    }

    /// Takes a step. Says whether there was one.
    fn step(&mut self, console: &mut Console, world: &mut World, shown: &mut Output) -> bool {
        let script = self.script.clone();
        let Some(op) = script.get(self.at) else { return false };
        self.at += 1;
        match op {
            Op::Run(pipeline) => {
                self.start(console, pipeline);
                self.pipe_on(console, world, Input::Time, shown);
            }
            Op::Not => self.exit = i32::from(self.exit == 0),
            Op::Succeed => self.exit = 0,
            Op::Jump(to) => self.at = *to,
            Op::JumpIf(success, to) => {
                if (self.exit == 0) == *success {
                    self.at = *to;
                }
            }
            Op::Loop(words) => {
                let mut lookup = self.lookup(console, words.captures);
                let mut left = Vec::new();
                words.words.iter().for_each(|word| left.extend(lookup.words(word)));
                left.reverse();
                self.loops.push(left);
            }
            Op::Next(name, to) => match self.loops.last_mut().and_then(Vec::pop) {
                Some(word) => drop(console.variables.insert(name.clone(), word)),
                None => self.at = *to,
            },
            Op::Leave => drop(self.loops.pop()),
            Op::Capture => self.capturing.push(String::new()),
            Op::Captured => self.captured.extend(self.capturing.pop()),
            Op::Spawn(script, name) => {
                let output = console.send_off(world, script.clone(), name);
                self.print(output, shown);
                self.exit = 0;
            }
        }
        true
    }

    /// What words are looked up in; the last `captures` texts are theirs.
    fn lookup<'a>(&mut self, console: &'a Console, captures: usize) -> Lookup<'a> {
        let from = self.captured.len().saturating_sub(captures);
        Lookup {
            variables: &console.variables,
            session: &console.session,
            exit: self.exit,
            captured: self.captured.split_off(from).into_iter(),
        }
    }

    /// Makes words of a pipeline's words, and sets its variables.
    fn start(&mut self, console: &Console, pipeline: &Pipeline) {
        let mut lookup = self.lookup(console, pipeline.captures);
        let mut stages = Vec::new();
        for Simple { assignments, words, redirects } in &pipeline.stages {
            let assignments = assignments
                .iter()
                .map(|(name, value)| (name.clone(), lookup.text(value)))
                .collect();
            let mut own = Vec::new();
            words.iter().for_each(|word: &Word| own.extend(lookup.words(word)));
            let words = own;
            let redirects =
                redirects.iter().map(|(redirect, word)| (*redirect, lookup.text(word))).collect();
            stages.push(Stage { assignments, words, redirects });
        }
        let input = match pipeline.is_fed {
            true => self.captured.pop(),
            false => self.stdin.as_deref().map(str::to_owned),
        };
        let held = String::new();
        self.pipe = Some(Pipe { stages, at: 0, input, held, work: None });
    }

    /// Goes on with the pipeline, command by command, until one waits.
    fn pipe_on(
        &mut self,
        console: &mut Console,
        world: &mut World,
        input: Input,
        shown: &mut Output,
    ) {
        let Some(mut pipe) = self.pipe.take() else { return };
        let mut input = Some(input);
        loop {
            let input = input.take().unwrap_or(Input::Time);
            let is_interrupt = input == Input::Interrupt;
            let (output, rest) = match pipe.work.take() {
                Some(work) => work.go_on(console, world, input),
                None => pipe.begin(console, world),
            };
            self.exit = output.exit;
            let is_ended = rest.is_none();
            pipe.work = rest;
            let printed = pipe.redirect(console, output);
            self.print(printed, shown);
            if !is_ended {
                self.pipe = Some(pipe);
                return;
            }
            pipe.at += 1;
            if pipe.at >= pipe.stages.len() || is_interrupt {
                return;
            }
            pipe.input = Some(core::mem::take(&mut pipe.held));
        }
    }

    /// Shows what was printed, or keeps it where it is captured.
    fn print(&mut self, mut output: Output, shown: &mut Output) {
        if let Some(captured) = self.capturing.last_mut() {
            captured.push_str(&core::mem::take(&mut output.stdout));
            output.marks.iter_mut().for_each(|mark| mark.out = 0);
        }
        if shown.stdout.len() + shown.stderr.len() < MOST_BYTES {
            shown.append(output);
        }
    }
}

impl Pipe {
    /// Begins with the command that is next.
    fn begin(&mut self, console: &mut Console, world: &mut World) -> work::Step {
        let Some(stage) = self.stages.get(self.at) else { return (Output::default(), None) };
        for (redirect, text) in &stage.redirects {
            match redirect {
                Redirect::Text => self.input = Some(text.clone()),
                Redirect::Input => match console.session.read(text) {
                    Some(content) => self.input = Some(content.to_owned()),
                    None => {
                        let why = format!("bash: {text}: No such file or directory");
                        return (Output::failed(1, why), None);
                    }
                },
                _ => {}
            }
        }
        for (redirect, path) in &stage.redirects {
            let appends = match redirect {
                Redirect::Output { appends } | Redirect::Errors { appends } => *appends,
                _ => continue,
            };
            if path != "/dev/null" && !appends {
                console.session.write(path, String::new());
            }
        }
        let before = stage.assignments.iter().map(|(name, value)| {
            (name.clone(), console.variables.insert(name.clone(), value.clone()))
        });
        let before: Vec<(String, Option<String>)> = before.collect();
        if stage.words.is_empty() {
            return (Output::default(), None);
        }
        let words = stage.words.clone();
        let stdin = self.input.take();
        let step = console.command(world, &words, stdin.as_deref());
        for (name, value) in before {
            match value {
                Some(value) => drop(console.variables.insert(name, value)),
                None => drop(console.variables.remove(&name)),
            }
        }
        step
    }

    /// Sends what the command printed where it goes; what is left is shown.
    fn redirect(&mut self, console: &mut Console, output: Output) -> Output {
        let Some(stage) = self.stages.get(self.at) else { return output };
        let is_last = self.at + 1 == self.stages.len();
        let mut shown = Output { exit: output.exit, ..Output::default() };
        let mut held = String::new();
        for part in output.parts() {
            let Part::Text(stream, text) = part else { continue };
            match where_to(stream, &stage.redirects) {
                Place::File("/dev/null") => {}
                Place::File(path) => {
                    let old = console.session.read(path).unwrap_or_default();
                    console.session.write(path, format!("{old}{text}"));
                }
                Place::Stream(Stream::Err) => shown.complain(text),
                Place::Stream(Stream::Out) if is_last => shown.stdout.push_str(text),
                Place::Stream(Stream::Out) => held.push_str(text),
            }
        }
        self.held.push_str(&held);
        // What ends is filtered when it has ended, so that the filters' exit codes are right.
        if !is_last && self.work.as_ref().is_some_and(Work::is_endless) {
            shown.stdout.push_str(&self.stream());
        }
        shown
    }

    /// What the commands behind one that goes on make of its lines, if each line is a matter of its
    /// own for all of them.
    fn stream(&mut self) -> String {
        let rest = self.stages.get(self.at + 1..).unwrap_or_default();
        let by_line = |stage: &Stage| stage.redirects.is_empty() && goes_by_line(&stage.words);
        let Some(end) = self.held.rfind('\n').filter(|_| rest.iter().all(by_line)) else {
            return String::new();
        };
        let rest_of_line = self.held.split_off(end + 1);
        let mut text = core::mem::replace(&mut self.held, rest_of_line);
        for stage in rest {
            let Some((name, words)) = stage.words.split_first() else { continue };
            let filtered = filters::run(name, words, Dialect::Gnu, &|_| None, Some(&text));
            text = filtered.map(|output| output.stdout).unwrap_or_default();
        }
        text
    }
}

/// Whether a tool makes of each line what it makes of it alone, so that it need not wait for all.
fn goes_by_line(words: &[String]) -> bool {
    let Some((name, rest)) = words.split_first() else { return false };
    let has = |letters: &str| {
        rest.iter().any(|word| word.starts_with('-') && word.contains(|c| letters.contains(c)))
    };
    match name.as_str() {
        "grep" | "egrep" | "fgrep" => !has("cqnmlLABC"),
        "cut" | "tr" => true,
        "sed" => !has("n"),
        "awk" => !rest.iter().any(|word| word.contains("NR") || word.contains("END")),
        _ => false,
    }
}

/// Where a text goes.
#[derive(Clone, Copy)]
enum Place<'a> {
    File(&'a str),
    Stream(Stream),
}

/// Where a stream goes after all redirections, in their order.
fn where_to(stream: Stream, redirects: &[(Redirect, String)]) -> Place<'_> {
    let (mut out, mut err) = (Place::Stream(Stream::Out), Place::Stream(Stream::Err));
    for (redirect, path) in redirects {
        match redirect {
            Redirect::Output { .. } => out = Place::File(path),
            Redirect::Errors { .. } => err = Place::File(path),
            Redirect::ErrorsToOutput => err = out,
            Redirect::OutputToErrors => out = err,
            Redirect::Input | Redirect::Text => {}
        }
    }
    if stream == Stream::Out { out } else { err }
}

/// Lets the world run forward until a job is done, as fast as it goes. What nothing but a person
/// ends is ended.
pub(super) fn run_to_end(console: &mut Console, world: &mut World, job: &mut Job) -> Output {
    /// No line carries out more commands than this, times [`MOST_AT_ONCE`].
    const MOST_TURNS: u32 = 5_000;
    let mut whole = job.go_on(console, world, Input::Time);
    let mut turns = 0;
    loop {
        let input = match job.wake(world) {
            None => return whole,
            Some(Wake::At(at)) => {
                turns += u32::from(job.is_tired());
                if turns > MOST_TURNS {
                    return whole;
                }
                world.run_until(at);
                Input::Time
            }
            Some(Wake::Change(limit)) => {
                if !world.step(limit) {
                    world.run_until(limit);
                }
                Input::Time
            }
            Some(Wake::Passing { limit, .. }) => match world.step(limit) {
                true => Input::Time,
                false => {
                    world.run_until(limit);
                    Input::End
                }
            },
            Some(Wake::Line(_)) => Input::End,
            Some(Wake::Text { .. }) => Input::End,
            Some(Wake::Always) => return whole,
        };
        whole.append(job.go_on(console, world, input));
        whole.marks.iter_mut().for_each(|mark| mark.pause = Duration::ZERO);
    }
}
