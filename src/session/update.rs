//! One door for every change.

use super::apply::{apply, check};
use super::effect::Effect;
use super::fault::Fix;
use super::model::{Applied, Compare, Model, Panel, Theme};
use super::msg::Msg;
use super::object_id::ObjectId;
use super::running::Place;
use super::share::{self, Shared};
use super::{burst, enter, jobs, request, setting_up, timeline, tracer};
use crate::api::Kind;
use crate::telling;
use crate::text::Lang;
use core::time::Duration;
use std::rc::Rc;

/// The kinds that a name alone may be of.
const LOOKED_FOR: [Kind; 5] =
    [Kind::Pod, Kind::Node, Kind::Service, Kind::Deployment, Kind::Ingress];
/// Texts up to this many bytes are kept for the next time.
const KEPT: usize = 500_000;
/// Texts up to this many bytes are kept with every letter, so that no reload loses one; longer ones
/// when a person stops typing.
const KEPT_AT_ONCE: usize = 20_000;
/// The longest time that one tick may stand for: after a pause of the browser (another tab was in
/// front) time goes on from where it was.
const LONGEST_TICK_MICROS: u32 = 250_000;
/// How long a moment may take, in milliseconds of our time, and the most events of the cluster that
/// it carries out: a crowded one slows virtual time down and not the page.
const MOMENT_MILLIS: f64 = 9.0;
/// The same while a large cluster is being set up, which has no speed of its own.
pub(super) const SET_UP_MILLIS: f64 = 30.0;
pub(super) const MOST_STEPS: u32 = 3_000;
/// How long a person must have stopped typing before the text is checked.
const CHECK_AFTER_MICROS: u32 = 400_000;

/// Does what `msg` says and answers with what the browser has to do.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let (kept, touched) = (model.kept_text(), model.is_touched);
    let sample = model.sample;
    let mut effects = match msg {
        Msg::UseLang(lang) => {
            speak(model, lang);
            vec![Effect::UseLang(lang)]
        }
        Msg::ToggleTheme => {
            model.theme = match model.theme {
                Theme::Light => Theme::Dark,
                Theme::Dark => Theme::Light,
            };
            vec![Effect::UseTheme(model.theme)]
        }
        Msg::CopyTrace => {
            let text = model.journey.as_ref();
            let text = text.map(|journey| telling::to_text(&journey.trace, model.lang));
            text.map(Effect::Copy).into_iter().collect()
        }
        Msg::Share => {
            model.shared = model.shared.wrapping_add(1);
            vec![Effect::Share(Shared::of(model).to_text())]
        }
        Msg::Split(split, pixels) => {
            model.panes.choose(split, pixels);
            vec![Effect::KeepPanes(model.panes)]
        }
        Msg::ToggleWide => {
            model.panes.is_wide = !model.panes.is_wide;
            vec![Effect::KeepPanes(model.panes)]
        }
        Msg::Tick(micros) => {
            tick(model, micros);
            Vec::new()
        }
        other => {
            act(model, other);
            Vec::new()
        }
    };
    let now = model.kept_text();
    if model.sample == sample && now != kept {
        effects.push(Effect::Keep(sample, now));
    }
    if model.is_touched != touched && !model.embedded {
        effects.push(Effect::Guard(model.is_touched));
    }
    effects
}

/// Does what asks nothing of the browser.
fn act(model: &mut Model, msg: Msg) {
    if setting_up::is_early(model, &msg) {
        return;
    }
    if model.timeline.is_back() && timeline::is_deed(&msg) {
        timeline::go_on(model);
    }
    match msg {
        Msg::Show(panel) => show(model, panel),
        Msg::Edit(_)
        | Msg::Fix(_)
        | Msg::Apply
        | Msg::CancelEdit
        | Msg::Compare(_)
        | Msg::OwnText => {
            write(model, msg);
        }
        Msg::GoToLine(line) => {
            show(model, Panel::Editor);
            model.compare = None;
            model.go_to = (line, model.go_to.1.wrapping_add(1));
        }
        Msg::PickSample(sample) => model.restart(sample, true),
        Msg::Reset => {
            let sample = model.sample;
            model.keep_text(None);
            model.restart(sample, false);
        }
        Msg::CancelSetUp => setting_up::cancel(model),
        Msg::Undo => model.take_back(),
        Msg::Timeline(msg) => timeline::act(model, msg),
        Msg::Present(on) => model.presenting = on.unwrap_or(!model.presenting),
        Msg::Filter(filter) => model.events = filter,
        Msg::Look { name, entry } => look(model, &name, entry),
        Msg::Open(shared) => share::open(model, *shared),
        Msg::ToggleAsText => model.as_text = !model.as_text,
        Msg::TogglePlaying => model.playing = !model.playing,
        Msg::SetSpeed(speed) => model.speed = speed,
        Msg::Select(selected) => {
            if selected.is_some() {
                show(model, Panel::Inspector);
            }
            model.selected = selected;
        }
        Msg::LookCloser(names) => model.in_sight = names,
        Msg::Run(line) => {
            model.is_touched = true;
            enter::begin(model, &line, Place::Beside);
        }
        Msg::Aim(_) | Msg::Send | Msg::Burst => request(model, msg),
        Msg::Roll => {
            model.is_touched = true;
            burst::roll(model);
        }
        Msg::GoToHop(_) | Msg::StepHop(_) | Msg::TogglePacket | Msg::ToggleSlow => {
            travel(model, &msg);
        }
        Msg::Trace(msg) => tracer::act(model, msg),
        other => type_into_terminal(model, other),
    }
}

/// Chooses the object that a printed name stands for, if there is one: by its kind, or by what the
/// command that printed it was about.
#[inline(never)]
fn look(model: &mut Model, name: &str, entry: u32) {
    let line = model.terminal.entries.iter().find(|one| one.number == entry);
    let line = line.map(|entry| entry.line.clone()).unwrap_or_default();
    let (kind, name) = match name.split_once('/') {
        Some((kind, name)) => (Kind::of_word(kind), name),
        None => (line.split_whitespace().find_map(Kind::of_word), name),
    };
    let mut words = line.split_whitespace();
    let namespace = words.find_map(|word| match word {
        "-n" | "--namespace" => Some(None),
        word => word.strip_prefix("--namespace=").map(Some),
    });
    let namespace = namespace.and_then(|given| given.or_else(|| words.next()));
    let namespace = namespace.unwrap_or(&model.console.session.namespace);
    let kinds = kind.map_or_else(|| LOOKED_FOR.to_vec(), |kind| vec![kind]);
    let store = model.world.store();
    let found = kinds.into_iter().find_map(|kind| {
        let own = if kind.namespaced() { namespace } else { "" };
        // With -A the namespace is in another column: the name alone has to do.
        let anywhere = || store.list(kind).find(|object| *object.meta.name == *name);
        store.find(kind, own, name).or_else(anywhere).map(|object| ObjectId::of(object))
    });
    if let Some(id) = found {
        show(model, Panel::Inspector);
        model.selected = Some(id);
    }
}

/// What a person does in the editor.
#[inline(never)]
fn write(model: &mut Model, msg: Msg) {
    match msg {
        Msg::Edit(text) => match &mut model.editing {
            Some(editing) => editing.text = text,
            None => change(model, text),
        },
        Msg::Fix(at) => mend(model, at),
        Msg::Apply => match model.editing.take() {
            Some(editing) => enter::edited(model, Some(editing.text.to_string())),
            None => {
                model.check_in_micros = None;
                model.compare = None;
                model.is_touched = true;
                apply(model);
            }
        },
        Msg::CancelEdit => enter::edited(model, None),
        Msg::Compare(which) => {
            model.compare = which;
            if which == Some(Compare::Change) {
                let file = model.file_name();
                model.console.session.write(&file, model.source.to_string());
                enter::begin(model, &format!("kubectl diff -f {file}"), Place::Beside);
            }
        }
        _ => {
            model.keep_text(None);
            model.is_kept = false;
            change(model, model.sample.yaml(model.lang).into());
        }
    }
}

/// Takes another text for the manifests.
fn change(model: &mut Model, text: Rc<str>) {
    if model.source == text {
        return;
    }
    model.source = text;
    model.applied = Applied::No;
    model.compare = None;
    model.is_touched = true;
    model.check_in_micros = Some(CHECK_AFTER_MICROS);
    if model.source.len() <= KEPT_AT_ONCE {
        keep(model);
    }
}

/// Speaks another language: the comments of a sample that nobody has changed, too.
#[inline(never)]
fn speak(model: &mut Model, lang: Lang) {
    if *model.source == *model.sample.yaml(model.lang) {
        model.source = model.sample.yaml(lang).into();
    }
    (model.lang, model.console.lang) = (lang, lang);
}

/// What a person does in the terminal.
#[inline(never)]
fn type_into_terminal(model: &mut Model, msg: Msg) {
    let terminal = &mut model.terminal;
    match msg {
        Msg::Type(line) => terminal.type_in(line),
        Msg::Enter => {
            model.is_touched = true;
            let line = terminal.accept();
            enter::enter(model, line);
        }
        Msg::Complete(cursor) => {
            let found = model.console.complete(&model.world, &terminal.input, cursor);
            terminal.offer(found, cursor);
        }
        Msg::Paste { text, cursor } => enter::paste(model, &text, cursor),
        Msg::Recall(step) => terminal.recall(step),
        Msg::Search => terminal.search(),
        Msg::Interrupt => enter::interrupt(model),
        Msg::EndInput => enter::end_input(model),
        Msg::Clear => terminal.clear(),
        _ => {}
    }
}

/// Writes the fix of a fault into the text and looks what is still wrong, or runs its command and
/// applies again.
#[inline(never)]
fn mend(model: &mut Model, at: usize) {
    let Some(fault) = model.faults.get(at).cloned() else { return };
    if let Some(Fix::Command(command)) = &fault.fix {
        super::apply::apply_after(model, command);
    } else if let Some(mended) = fault.mend(&model.source) {
        change(model, mended.into());
        model.check_in_micros = None;
        keep(model);
        check(model);
    }
}

/// Keeps the text for the next time, unless it is the sample's own.
fn keep(model: &mut Model) {
    let is_own = Lang::ALL.iter().any(|lang| *model.source == model.sample.yaml(*lang));
    let is_kept = !is_own && model.source.len() <= KEPT;
    let text = is_kept.then(|| model.source.clone());
    model.keep_text(text);
}

pub(super) fn show(model: &mut Model, panel: Panel) {
    model.panel = panel;
    if Panel::SIDE.contains(&panel) {
        model.side = panel;
    }
}

/// Sends requests, and shows what becomes of them.
#[inline(never)]
fn request(model: &mut Model, msg: Msg) {
    match msg {
        Msg::Aim(target) => {
            model.aim = Some(target);
            model.tracer.own = Default::default();
        }
        Msg::Burst => burst::burst(model),
        _ => request::send(model),
    }
    if model.journey.is_some() {
        model.side = Panel::Trace;
    }
}

/// Moves the packet along its trace.
#[inline(never)]
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
            keep(model);
        }
    }
    if let Some(left) = &mut model.left {
        left.micros = left.micros.saturating_sub(micros);
        if left.micros == 0 {
            model.left = None;
        }
    }
    if let Some(journey) = &mut model.journey {
        journey.advance(micros.min(LONGEST_TICK_MICROS));
    }
    if setting_up::go_on(model) || !model.playing || model.timeline.is_back() {
        return;
    }
    let micros = u64::from(micros.min(LONGEST_TICK_MICROS));
    let passed = Duration::from_micros(micros.saturating_mul(u64::from(model.speed.factor())));
    let is_early = model.world.now() < model.origin;
    let (limit, millis) = match is_early {
        true => (model.origin, SET_UP_MILLIS),
        false => (model.world.now() + passed, MOMENT_MILLIS),
    };
    let ends = (model.clock)() + millis;
    for _ in 0..MOST_STEPS {
        // A command that waits is asked after each event, so that it misses none.
        let next = jobs::next_wake(model).map_or(limit, |at| at.min(limit));
        if !model.world.step(next) {
            model.world.run_until(next);
            if next >= limit {
                break;
            }
        }
        jobs::go_on(model, false);
        if (model.clock)() >= ends {
            break;
        }
    }
    if is_early {
        model.apply_once_set_up();
        return;
    }
    jobs::go_on(model, true);
    tracer::tick(model);
    timeline::note(model);
}

#[cfg(test)]
mod tests {
    use super::super::model::Opening;
    use super::*;
    use crate::console::Stream;
    use crate::session::{Sample, Speed};
    use crate::world::World;
    use core::sync::atomic::{AtomicU32, Ordering};

    fn model() -> Model {
        Model::new(Opening::default())
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
        let said = model.terminal.entries.last().map(|entry| entry.printed(Stream::Err));
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
        assert_eq!(&*model.source, Sample::Web.yaml(Lang::En));
        assert_eq!(model.world.store().revision(), revision);
        update(&mut model, Msg::Undo);
        assert_eq!(&*model.source, "kind: Pod");
        assert!(model.left.is_none());
    }

    #[test]
    fn a_text_is_kept_for_its_sample_and_comes_back_with_it() {
        let mut model = model();
        let text: Rc<str> = "kind: Pod".into();
        // At once: a reload may come before the next moment.
        let effects = update(&mut model, Msg::Edit(text.clone()));
        assert!(effects.contains(&Effect::Keep(Sample::Web, Some(text.clone()))), "{effects:?}");
        let long: Rc<str> = format!("a: {}", "x".repeat(KEPT_AT_ONCE)).into();
        assert_eq!(update(&mut model, Msg::Edit(long.clone())), []);
        let effects = update(&mut model, Msg::Tick(500_000));
        assert_eq!(effects, [Effect::Keep(Sample::Web, Some(long))]);
        update(&mut model, Msg::Edit(text.clone()));
        update(&mut model, Msg::PickSample(Sample::Pod));
        assert!(!model.is_kept && model.source != text);
        update(&mut model, Msg::PickSample(Sample::Web));
        assert!(model.is_kept && model.source == text);
        let effects = update(&mut model, Msg::OwnText);
        assert!(effects.contains(&Effect::Keep(Sample::Web, None)), "{effects:?}");
        assert_eq!(&*model.source, Sample::Web.yaml(Lang::En));
        let kept = vec![(Sample::Web, "kind: Pod".to_owned())];
        let model = Model::new(Opening { kept, ..Opening::default() });
        assert!(model.is_kept && model.source == text);
    }

    #[test]
    fn the_page_asks_before_it_is_left_once_something_was_done() {
        let mut model = model();
        assert_eq!(update(&mut model, Msg::Tick(250_000)), []);
        update(&mut model, Msg::Type("kubectl get pods".into()));
        assert_eq!(update(&mut model, Msg::Enter), [Effect::Guard(true)]);
        assert_eq!(update(&mut model, Msg::Reset), [Effect::Guard(false)]);
    }

    #[test]
    fn a_name_in_the_output_leads_to_its_object() {
        let mut model = model();
        let entry = |model: &mut Model, line: &str| {
            update(model, Msg::Run(line.into()));
            model.terminal.entries.last().unwrap().number
        };
        let cases = [
            ("kubectl get nodes", "node-2", Some("node//node-2")),
            ("kubectl get svc -n kube-system", "kube-dns", Some("service/kube-system/kube-dns")),
            ("kubectl get pods -A", "deployment.apps/web", Some("deployment/default/web")),
            ("kubectl get pods", "nothing", None),
        ];
        for (line, name, wanted) in cases {
            model.selected = None;
            let entry = entry(&mut model, line);
            update(&mut model, Msg::Look { name: name.into(), entry });
            let found = model.selected.as_ref().map(ObjectId::key);
            assert_eq!(found.as_deref(), wanted, "{line}");
        }
    }

    #[test]
    fn a_sample_speaks_the_language_of_the_page_until_it_is_changed() {
        let mut model = model();
        update(&mut model, Msg::PickSample(Sample::Silent));
        update(&mut model, Msg::UseLang(Lang::Es));
        assert_eq!(&*model.source, Sample::Silent.yaml(Lang::Es));
        assert_ne!(&*model.source, Sample::Silent.yaml(Lang::En));
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

    #[test]
    fn a_large_cluster_is_set_up_as_fast_as_it_goes_and_then_has_its_manifests() {
        let mut model = model();
        (model.world, model.is_set_up) = (World::begin((*model.config).clone(), 1), false);
        let has_web =
            |model: &Model| model.world.store().find(Kind::Deployment, "default", "web").is_some();
        update(&mut model, Msg::Tick(16_000));
        let ticks = (0..100).take_while(|_| {
            update(&mut model, Msg::Tick(16_000));
            !has_web(&model)
        });
        assert!(ticks.count() < 50);
        assert!(model.world.now() >= model.origin);
    }

    #[test]
    fn a_moment_ends_when_it_has_taken_long_enough() {
        let mut model = model();
        update(&mut model, Msg::SetSpeed(Speed::Sixty));
        // Each look at this clock takes a minute.
        model.clock = || {
            static LOOKS: AtomicU32 = AtomicU32::new(0);
            60_000.0 * f64::from(LOOKS.fetch_add(1, Ordering::Relaxed))
        };
        update(&mut model, Msg::Tick(250_000));
        assert!(model.world.now().since(model.origin) < Duration::from_secs(15));
        model.clock = || 0.0;
        update(&mut model, Msg::Tick(250_000));
        assert!(model.world.now().since(model.origin) >= Duration::from_secs(15));
    }
}
