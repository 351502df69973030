//! One door for every change.

use super::apply::{apply, check};
use super::effect::Effect;
use super::model::{Applied, Model, Panel, Theme};
use super::msg::Msg;
use super::watch::{self, Watch};
use super::{burst, request, tracer};
use core::time::Duration;

/// The longest time that one tick may stand for: after a pause of the browser (another tab was in
/// front) time goes on from where it was.
const LONGEST_TICK_MICROS: u32 = 250_000;
/// How long a person must have stopped typing before the text is checked.
const CHECK_AFTER_MICROS: u32 = 400_000;
/// The most events of the cluster that one tick carries out, so that a crowded moment slows
/// virtual time down and not the page.
const MOST_STEPS: u32 = 3_000;

/// Does what `msg` says and answers with what the browser has to do.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::UseLang(lang) => {
            model.lang = lang;
            return vec![Effect::UseLang(lang)];
        }
        Msg::ToggleTheme => {
            model.theme = match model.theme {
                Theme::Light => Theme::Dark,
                Theme::Dark => Theme::Light,
            };
            return vec![Effect::UseTheme(model.theme)];
        }
        Msg::Show(panel) => show(model, panel),
        Msg::Edit(source) => {
            model.source = source;
            model.applied = Applied::No;
            model.check_in_micros = Some(CHECK_AFTER_MICROS);
        }
        Msg::GoToLine(line) => {
            show(model, Panel::Editor);
            model.go_to = (line, model.go_to.1.wrapping_add(1));
        }
        Msg::Fix(at) => mend(model, at),
        Msg::CopyTrace => {
            let text = model.journey.as_ref().map(|journey| journey.trace.to_text());
            return text.map(Effect::Copy).into_iter().collect();
        }
        Msg::Apply => {
            model.check_in_micros = None;
            apply(model);
        }
        Msg::PickSample(sample) => model.restart(sample),
        Msg::Reset => model.restart(model.sample),
        Msg::ToggleAsText => model.as_text = !model.as_text,
        Msg::TogglePlaying => model.playing = !model.playing,
        Msg::SetSpeed(speed) => model.speed = speed,
        Msg::Tick(micros) => tick(model, micros),
        Msg::Select(selected) => {
            if selected.is_some() {
                show(model, Panel::Inspector);
            }
            model.selected = selected;
        }
        Msg::Look(names) => model.in_sight = names,
        Msg::Run(line) => run(model, &line),
        Msg::Type(line) => {
            model.terminal.input = line;
            model.terminal.offers.clear();
        }
        Msg::Enter => {
            let line = model.terminal.accept();
            if model.terminal.watch.is_some() {
                model.terminal.interrupt();
            }
            run(model, &line);
        }
        Msg::Complete => complete(model),
        Msg::Aim(_) | Msg::Send | Msg::Burst => request(model, msg),
        Msg::GoToHop(_) | Msg::StepHop(_) | Msg::TogglePacket | Msg::ToggleSlow => {
            travel(model, &msg);
        }
        Msg::Trace(msg) => tracer::act(model, msg),
        Msg::Recall(step) => model.terminal.recall(step),
        Msg::Interrupt => model.terminal.interrupt(),
        Msg::Clear => model.terminal.clear(),
    }
    Vec::new()
}

/// Writes the fix of a fault into the text, and looks what is still wrong.
fn mend(model: &mut Model, at: usize) {
    let mended = model.faults.get(at).and_then(|fault| fault.mend(&model.source));
    if let Some(mended) = mended {
        model.source = mended.into();
        model.applied = Applied::No;
        check(model);
    }
}

fn show(model: &mut Model, panel: Panel) {
    model.panel = panel;
    if Panel::SIDE.contains(&panel) {
        model.side = panel;
    }
}

/// Sends requests, and shows what becomes of them.
fn request(model: &mut Model, msg: Msg) {
    match msg {
        Msg::Aim(target) => {
            model.aim = Some(target);
            model.tracer.own = Default::default();
        }
        Msg::Burst => {
            burst::burst(model);
            // On a narrow screen the counts would be behind the map.
            if model.panel == Panel::Map {
                model.panel = Panel::Trace;
            }
        }
        _ => request::send(model),
    }
    if model.journey.is_some() {
        model.side = Panel::Trace;
    }
}

/// Moves the packet along its trace.
fn travel(model: &mut Model, msg: &Msg) {
    if *msg == Msg::ToggleSlow {
        model.tracer.pace.is_slow ^= true;
    }
    let Some(journey) = &mut model.journey else { return };
    match msg {
        Msg::GoToHop(hop) => journey.go_to(*hop),
        Msg::StepHop(step) => journey.step(*step < 0),
        Msg::TogglePacket => journey.toggle(),
        _ => journey.pace = model.tracer.pace,
    }
}

/// Lets virtual time run.
fn tick(model: &mut Model, micros: u32) {
    if let Some(left) = model.check_in_micros {
        model.check_in_micros = left.checked_sub(micros);
        if model.check_in_micros.is_none() {
            check(model);
        }
    }
    if let Some(journey) = &mut model.journey {
        journey.advance(micros.min(LONGEST_TICK_MICROS));
    }
    if !model.playing {
        return;
    }
    let micros = u64::from(micros.min(LONGEST_TICK_MICROS));
    let passed = Duration::from_micros(micros.saturating_mul(u64::from(model.speed.factor())));
    let limit = model.world.now() + passed;
    for _ in 0..MOST_STEPS {
        if !model.world.step(limit) {
            model.world.run_until(limit);
            break;
        }
    }
    watch::go_on(model);
    tracer::tick(model);
}

/// Runs a line of the console and shows it in the terminal.
fn run(model: &mut Model, line: &str) {
    if line.trim() == "clear" {
        model.terminal.clear();
        return;
    }
    if let Some(watch) = Watch::of(line) {
        watch::begin(model, line, watch);
        return;
    }
    let output = model.console.execute(&mut model.world, line, None);
    model.terminal.record(line, &output.stdout, &output.stderr);
    request::show_latest(model);
}

/// Completes the word that is being typed, as far as all that could stand there agrees.
fn complete(model: &mut Model) {
    let line = model.terminal.input.clone();
    let offers = model.console.complete(&model.world, &line, line.len());
    model.terminal.offer(offers);
}

#[cfg(test)]
mod tests {
    use super::super::model::Opening;
    use super::*;
    use crate::session::{Sample, Speed};
    use crate::text::Lang;

    fn model() -> Model {
        let (lang, theme, sample) = (Lang::En, Theme::Light, Sample::Web);
        Model::new(Opening { lang, theme, sample, embedded: false, nodes: None })
    }

    #[test]
    fn a_panel_of_the_side_stays_in_front_there_while_others_come_and_go() {
        let mut model = model();
        update(&mut model, Msg::Show(Panel::Events));
        update(&mut model, Msg::Show(Panel::Terminal));
        assert_eq!((model.panel, model.side), (Panel::Terminal, Panel::Events));
    }

    #[test]
    fn a_request_typed_into_the_terminal_is_shown_on_the_map_too() {
        let mut model = model();
        update(&mut model, Msg::Run("kubectl get pods".into()));
        assert!(model.journey.is_none());
        update(&mut model, Msg::Run("curl -m 2 http://172.18.0.3:31999/".into()));
        let said = model.terminal.entries.last().map(|entry| entry.stderr.clone());
        assert!(said.is_some_and(|said| said.starts_with("curl: (7) Failed to connect")));
        assert!(model.journey.is_some_and(|journey| journey.trace.hops.len() > 2));
        assert_eq!(model.side, Panel::Trace);
    }

    #[test]
    fn reset_puts_the_sample_back_into_the_editor_and_the_cluster() {
        let mut model = model();
        let revision = model.world.store().revision();
        update(&mut model, Msg::Edit("kind: Pod".into()));
        update(&mut model, Msg::Tick(200_000));
        update(&mut model, Msg::Reset);
        assert_eq!(&*model.source, Sample::Web.yaml());
        assert_eq!(model.world.store().revision(), revision);
    }

    #[test]
    fn a_tick_moves_time_by_the_speed_and_a_pause_stops_it() {
        let mut model = model();
        update(&mut model, Msg::SetSpeed(Speed::Twenty));
        update(&mut model, Msg::Tick(100_000));
        assert_eq!(model.world.now().since(model.origin), Duration::from_secs(2));
        update(&mut model, Msg::TogglePlaying);
        update(&mut model, Msg::Tick(100_000));
        assert_eq!(model.world.now().since(model.origin), Duration::from_secs(2));
    }
}
