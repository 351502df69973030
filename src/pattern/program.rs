//! A tree into steps.

use super::Pattern;
use super::read::{Check, Class, Node, Tree};
use super::words::Wrong;

/// Longer programs are refused.
const MOST_STEPS: usize = 20_000;

/// One step of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next letter must be one of these.
    Letter(Class),
    /// Here must be such a place.
    Check(Check),
    /// Goes on at both, at the first one first.
    Fork(usize, usize),
    Jump(usize),
    /// Notes the place.
    Save(usize),
    /// What a group matched must stand here.
    Back(usize, bool),
    /// The place must be another one than was noted: a turn that takes nothing would never end.
    Moved(usize),
    /// What stands from the next step on, up to a `Found`, must match here, or must not; then it
    /// goes on at the step that is named.
    Look {
        wanted: bool,
        after: usize,
    },
    Found,
}

/// Compiles a tree.
pub(super) fn compile(tree: &Tree, is_posix: bool) -> Result<Pattern, Wrong> {
    let pattern = Pattern {
        steps: Vec::new(),
        slots: (tree.groups + 1) * 2,
        groups: tree.groups,
        is_posix,
        looks_back: tree.looks_back,
    };
    let mut compiler = Compiler { pattern, work: 0 };
    compiler.add(&tree.node)?;
    compiler.push(Step::Found);
    Ok(compiler.pattern)
}

struct Compiler {
    pattern: Pattern,
    /// How many nodes were visited: empty ones make no steps.
    work: usize,
}

impl Compiler {
    /// Adds a step; its place.
    fn push(&mut self, step: Step) -> usize {
        self.pattern.steps.push(step);
        self.here() - 1
    }

    fn here(&self) -> usize {
        self.pattern.steps.len()
    }

    fn fill(&mut self, place: usize, step: Step) {
        if let Some(hole) = self.pattern.steps.get_mut(place) {
            *hole = step;
        }
    }

    fn add(&mut self, node: &Node) -> Result<(), Wrong> {
        self.work += 1;
        if self.work > MOST_STEPS {
            return Err(Wrong::TooBig);
        }
        match node {
            Node::Letter(class) => drop(self.push(Step::Letter(class.clone()))),
            Node::Check(check) => drop(self.push(Step::Check(*check))),
            Node::Back(number, folds) => drop(self.push(Step::Back(*number, *folds))),
            Node::Row(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Node::Either(nodes) => self.either(nodes)?,
            Node::Group(number, node) => {
                self.push(Step::Save(number * 2));
                self.add(node)?;
                self.push(Step::Save(number * 2 + 1));
            }
            Node::Look { wanted, node } => {
                let look = self.push(Step::Found);
                self.add(node)?;
                self.push(Step::Found);
                let after = self.here();
                self.fill(look, Step::Look { wanted: *wanted, after });
            }
            Node::Repeat { node, least, most, is_lazy } => {
                for _ in 0..*least {
                    self.add(node)?;
                }
                let mut forks = Vec::new();
                match most {
                    None => {
                        forks.push(self.push(Step::Found));
                        self.turn(node)?;
                    }
                    Some(most) => {
                        for _ in *least..*most {
                            forks.push(self.push(Step::Found));
                            self.add(node)?;
                        }
                    }
                }
                let end = self.here();
                for fork in forks {
                    let (one, other) = if *is_lazy { (end, fork + 1) } else { (fork + 1, end) };
                    self.fill(fork, Step::Fork(one, other));
                }
            }
        }
        Ok(())
    }

    fn either(&mut self, nodes: &[Node]) -> Result<(), Wrong> {
        let Some((last, before)) = nodes.split_last() else { return Ok(()) };
        let mut ends = Vec::new();
        for node in before {
            let fork = self.push(Step::Found);
            self.add(node)?;
            ends.push(self.push(Step::Found));
            let next = self.here();
            self.fill(fork, Step::Fork(fork + 1, next));
        }
        self.add(last)?;
        let end = self.here();
        ends.into_iter().for_each(|jump| self.fill(jump, Step::Jump(end)));
        Ok(())
    }

    /// What is repeated without an end, behind its fork, and the way back to that.
    fn turn(&mut self, node: &Node) -> Result<(), Wrong> {
        let fork = self.here() - 1;
        // Where no step is taken twice at one place, turns that take nothing end by themselves.
        let slot = self.pattern.looks_back.then_some(self.pattern.slots);
        if let Some(slot) = slot {
            self.pattern.slots += 1;
            self.push(Step::Save(slot));
        }
        self.add(node)?;
        slot.map(|slot| self.push(Step::Moved(slot)));
        self.push(Step::Jump(fork));
        Ok(())
    }
}
