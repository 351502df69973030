//! Commands at work: going on with the clock, until they are done or ended.

use super::enter::take_next;
use super::model::{Editing, Model};
use super::running::{Place, Running};
use super::{burst, request};
use crate::base::SimTime;
use crate::console::{Input, Output, Wake};

/// The next moment at which a command has something to do, if one waits for a moment.
pub(super) fn next_wake(model: &Model) -> Option<SimTime> {
    let times = model.terminal.jobs.iter().filter(|running| !running.job.is_tired());
    times
        .filter_map(|running| match running.job.wake(&model.world) {
            Some(Wake::At(at) | Wake::Change(at)) => Some(at),
            _ => None,
        })
        .min()
}

/// Goes on with all commands that have something to do; `at_tick` once for each moment that is
/// drawn.
pub(super) fn go_on(model: &mut Model, at_tick: bool) {
    if model.terminal.jobs.is_empty() {
        return;
    }
    let world = &model.world;
    if !model.terminal.jobs.iter().any(|running| running.is_due(world, at_tick)) {
        return;
    }
    let (due, rest) = core::mem::take(&mut model.terminal.jobs)
        .into_iter()
        .partition(|running| running.is_due(&model.world, at_tick));
    model.terminal.jobs = rest;
    for running in Vec::from_iter::<Vec<Running>>(due) {
        advance(model, running, Input::Time);
    }
    take_next(model);
}

/// Goes on with a command, shows what it printed, and keeps it if it is not done.
pub(super) fn advance(model: &mut Model, mut running: Running, input: Input) {
    let output = running.job.go_on(&mut model.console, &mut model.world, input);
    model.terminal.write(running.entry, &output);
    request::show_latest(model);
    burst::show_counted(model);
    send_off(model, running.entry);
    running.seen = model.world.store().revision();
    let wake = running.job.wake(&model.world);
    if let Some(Wake::Text { name, text }) = &wake {
        model.editing = Some(Editing::new(name, text));
        super::update::show(model, super::model::Panel::Editor);
    }
    match (wake, running.place) {
        (Some(_), _) => model.terminal.jobs.push(running),
        (None, Place::Background(number)) => {
            let name = &running.name;
            let text = format!("[{number}]+  Done                    {name}\n");
            model.terminal.write(running.entry, &Output { stdout: text, ..Output::default() });
        }
        (None, _) => {}
    }
    end_those_asked(model);
    list_background(model);
}

/// Takes the commands that were sent to the background.
fn send_off(model: &mut Model, entry: u32) {
    for (number, name, job) in core::mem::take(&mut model.console.sent_off) {
        let place = Place::Background(number);
        advance(model, Running { entry, place, name, job, seen: 0 }, Input::Time);
    }
}

/// Ends the commands in the background that `kill` named.
fn end_those_asked(model: &mut Model) {
    for number in core::mem::take(&mut model.console.ended) {
        let is_it = |running: &Running| running.place == Place::Background(number);
        let Some(at) = model.terminal.jobs.iter().position(is_it) else { continue };
        let mut running = model.terminal.jobs.remove(at);
        let mut output = running.job.go_on(&mut model.console, &mut model.world, Input::Interrupt);
        let name = &running.name;
        output.stdout.push_str(&format!("[{number}]+  Terminated              {name}\n"));
        model.terminal.write(running.entry, &output);
    }
}

fn list_background(model: &mut Model) {
    model.console.background.clear();
    for running in &model.terminal.jobs {
        if let Place::Background(number) = running.place {
            model.console.background.push((number, running.name.clone()));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Msg, Opening, update};
    use super::*;
    use crate::api::Kind;
    use crate::console::{Console, Stream};

    pub(in crate::session) fn model() -> Model {
        let mut model = Model::new(Opening::default());
        tick(&mut model, 30);
        model
    }

    pub(in crate::session) fn typed(model: &mut Model, line: &str) {
        update(model, Msg::Type(line.to_owned()));
        update(model, Msg::Enter);
    }

    /// Lets so many seconds pass, four ticks each.
    pub(in crate::session) fn tick(model: &mut Model, seconds: u32) {
        for _ in 0..seconds * 4 {
            update(model, Msg::Tick(250_000));
        }
    }

    /// All that the last entry with this line printed, in its order.
    pub(in crate::session) fn said(model: &Model, line: &str) -> String {
        let entry = model.terminal.entries.iter().rev().find(|entry| entry.line == line);
        let pieces = entry.map(|entry| entry.pieces.clone()).unwrap_or_default();
        pieces.into_iter().map(|(_, text)| text).collect()
    }

    /// What `kubectl get pods` says of each pod's status.
    pub(in crate::session) fn phases(model: &Model) -> Vec<String> {
        let (mut world, mut console) = (model.world.clone(), Console::new());
        let output = console.execute(&mut world, "kubectl get pods --no-headers", None);
        let status = |line: &str| line.split_whitespace().nth(2).unwrap_or_default().to_owned();
        output.stdout.lines().map(status).collect()
    }

    #[test]
    fn a_pod_that_is_deleted_is_seen_terminating_and_the_prompt_comes_back_when_it_is_gone() {
        let mut model = model();
        let pod = model.world.store().list_in(Kind::Pod, "default").next().cloned().unwrap();
        let line = format!("kubectl delete pod {}", pod.meta.name);
        typed(&mut model, &line);
        assert_eq!(phases(&model).iter().filter(|word| *word == "Terminating").count(), 1);
        assert!(model.terminal.front().is_some());
        assert!(said(&model, &line).contains("deleted from default namespace"));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            update(&mut model, Msg::Tick(20_000));
            seen.extend(phases(&model));
        }
        tick(&mut model, 20);
        for word in ["Terminating", "ContainerCreating", "Running"] {
            assert!(seen.contains(word), "{word}: {seen:?}");
        }
        assert!(model.terminal.front().is_none());
        assert_eq!(phases(&model), ["Running"; 3]);
    }

    #[test]
    fn a_rollout_is_told_as_it_goes_on_and_ctrl_c_ends_the_telling() {
        let mut model = model();
        typed(&mut model, "kubectl set image deployment/web nginx=nginx:1.28");
        let line = "kubectl rollout status deployment/web";
        typed(&mut model, line);
        tick(&mut model, 1);
        let told = said(&model, line);
        assert!(told.contains("out of 3 new replicas have been updated"), "{told}");
        update(&mut model, Msg::Interrupt);
        assert!(model.terminal.front().is_none());
        let told = said(&model, line);
        tick(&mut model, 60);
        assert_eq!(said(&model, line), told);
        assert!(told.ends_with("^C\n"), "{told}");
        typed(&mut model, line);
        assert_eq!(said(&model, line), "deployment \"web\" successfully rolled out\n");
    }

    #[test]
    fn a_line_goes_on_behind_a_command_that_waits() {
        let mut model = model();
        let line = "echo one; sleep 3 && echo two | tr a-z A-Z; echo $?";
        typed(&mut model, line);
        tick(&mut model, 2);
        assert_eq!(said(&model, line), "one\n");
        tick(&mut model, 2);
        assert_eq!(said(&model, line), "one\nTWO\n0\n");
        let line = "for i in 1 2 3; do echo $i; sleep 1; done";
        typed(&mut model, line);
        tick(&mut model, 1);
        assert_eq!(said(&model, line), "1\n2\n");
        update(&mut model, Msg::Interrupt);
        tick(&mut model, 5);
        assert_eq!(said(&model, line), "1\n2\n^C\n");
    }

    #[test]
    fn a_watch_adds_a_line_for_each_change_until_it_is_interrupted() {
        let mut model = Model::new(Opening::default());
        let line = "kubectl get pods -w";
        typed(&mut model, line);
        tick(&mut model, 20);
        let text = said(&model, line);
        assert_eq!(text.matches("NAME").count(), 1, "{text}");
        assert_eq!(text.matches(" Running ").count(), 3, "{text}");
        assert!(text.matches("ContainerCreating").count() >= 3, "{text}");
        update(&mut model, Msg::Interrupt);
        typed(&mut model, "kubectl scale deployment web --replicas=5");
        tick(&mut model, 20);
        assert_eq!(said(&model, line), format!("{text}^C\n"));
    }

    #[test]
    fn a_watch_goes_through_a_filter_line_by_line() {
        let mut model = Model::new(Opening::default());
        let line = "kubectl get pods -w | grep Running";
        typed(&mut model, line);
        tick(&mut model, 20);
        let text = said(&model, line);
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn watch_draws_the_screen_again() {
        let mut model = model();
        let line = "watch kubectl get deployments";
        typed(&mut model, line);
        tick(&mut model, 5);
        let text = said(&model, line);
        assert!(text.starts_with("Every 2.0s: kubectl get deployments\n\nNAME"), "{text}");
        assert_eq!(text.matches("NAME").count(), 1, "{text}");
    }

    #[test]
    fn warnings_stand_where_they_were_said() {
        let mut model = model();
        let line = "kubectl drain node-1 --ignore-daemonsets --delete-emptydir-data";
        typed(&mut model, line);
        tick(&mut model, 60);
        let entry = model.terminal.entries.iter().find(|entry| entry.line == line).unwrap();
        let streams: Vec<Stream> = entry.pieces.iter().map(|(stream, _)| *stream).collect();
        assert_eq!(streams, [Stream::Out, Stream::Err, Stream::Out], "{:?}", entry.pieces);
        assert!(said(&model, line).ends_with("node/node-1 drained\n"));
        let line = "pwd; nosuch; echo $HOME";
        typed(&mut model, line);
        let text = "/home/student\nbash: nosuch: command not found\n/home/student\n";
        assert_eq!(said(&model, line), text);
    }
}
