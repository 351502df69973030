//! A told trace as text and as JSON, as `trace` prints it and the page copies it.

use super::draw::{self, Chance, Lots};
use super::{Told, changes, ending, is_idle, is_in_pod};
use crate::api::Value;
use crate::base::SimTime;
use crate::net::conntrack::Connection;
use crate::text::{Lang, Text};
use crate::trace::{Hop, Outcome, PacketTrace, Reason};
use core::fmt::Write as _;
use serde_json::json;

/// What is told of a hop beside its trade words.
struct Note {
    sentence: String,
    /// What changed in the packet: what, before, after.
    changes: Vec<super::Change>,
    /// The entry that connection tracking makes, as `conntrack -L` prints it.
    entry: Option<String>,
    /// What chance could have done.
    lots: Option<Lots>,
}

/// What is told of each hop.
fn notes(trace: &PacketTrace, lang: Lang) -> Vec<Note> {
    let hops = &trace.hops;
    let mut notes: Vec<Note> = hops
        .iter()
        .enumerate()
        .map(|(at, hop)| {
            let before = at.checked_sub(1).and_then(|at| hops.get(at));
            let is_from_pod = matches!(hop.reason, Reason::Enters) && before.is_some_and(is_in_pod);
            let is_idle = is_idle(hop, hops.get(at + 1));
            Note {
                sentence: Told { hop, is_from_pod, is_idle, lang }.sentence(),
                changes: hop.packet.filter(|_| hop.changes()).map(changes).unwrap_or_default(),
                entry: entry(hop),
                lots: None,
            }
        })
        .collect();
    for stage in trace.stages() {
        let own = hops.get(stage.hops.clone()).unwrap_or_default();
        for (at, lots) in draw::at_hops(own) {
            if let Some(note) = notes.get_mut(stage.hops.start + at) {
                note.lots = Some(lots);
            }
        }
    }
    notes
}

fn entry(hop: &Hop) -> Option<String> {
    let (before, after) = hop.packet.filter(|_| matches!(hop.reason, Reason::Tracks))?;
    let connection = Connection::new(&before, &after, SimTime::default());
    Some(connection.line(false, SimTime::default()).trim_end().to_owned())
}

/// A trace as text: to each hop a line in the words of the trade, and below it what they mean: a
/// sentence, what changed in the packet, the entry in connection tracking, and what chance could have
/// done, with what it did between asterisks. The last line says how it ended.
pub fn to_text(trace: &PacketTrace, lang: Lang) -> String {
    let mut out = String::new();
    for (number, (hop, note)) in (1_u32..).zip(trace.hops.iter().zip(notes(trace, lang))) {
        // Writing to a String cannot fail.
        let arrow = if hop.is_reply { '<' } else { '>' };
        let _ = writeln!(out, "{number:<2} {arrow} {hop}");
        let mut below = |text: &str| {
            if !text.is_empty() {
                let _ = writeln!(out, "     {text}");
            }
        };
        below(&note.sentence);
        for (what, before, after) in &note.changes {
            below(&format!("{what}: {before} => {after}"));
        }
        below(note.entry.as_deref().unwrap_or_default());
        below(&note.lots.map(|lots| possibilities(&lots, lang)).unwrap_or_default());
    }
    let (verdict, cause) = ending(trace, lang);
    let _ = writeln!(out, "     {verdict} {cause}");
    let _ = writeln!(out, "= {}", trace.outcome);
    out
}

/// `One of 3, by chance: 10.244.1.2:80 (1/3) · *10.244.2.2:80 (1/2)* · 10.244.3.2:80`.
fn possibilities(lots: &Lots, lang: Lang) -> String {
    let title = if lots.in_turn { Text::LotsTurn } else { Text::LotsTitle };
    let mut all: Vec<String> = lots
        .chances
        .iter()
        .map(|chance| {
            let odds = match chance.odds.as_str() {
                "" => String::new(),
                odds => format!(" ({odds})"),
            };
            let mark = if chance.place == lots.drawn { "*" } else { "" };
            format!("{mark}{}{odds}{mark}", chance.leads_to)
        })
        .collect();
    if lots.hidden() > 0 {
        all.push(lang.fill(Text::LotsMore, &[("count", &lots.hidden())]));
    }
    format!("{}: {}", lang.fill(title, &[("count", &lots.among)]), all.join(" · "))
}

/// A trace as JSON: its data, and to each hop a `sentence`, what `changed` in the packet, the `entry` in
/// connection tracking and the `lots` that were drawn, where there are such.
pub fn to_value(trace: &PacketTrace, lang: Lang) -> Value {
    let mut value = trace.to_value();
    let hops = value.get_mut("hops").and_then(Value::as_array_mut);
    let fields = hops.into_iter().flatten().filter_map(Value::as_object_mut);
    for (hop, note) in fields.zip(notes(trace, lang)) {
        hop.insert("sentence".into(), note.sentence.into());
        let changed = note
            .changes
            .iter()
            .map(|(what, before, after)| json!({"field": what, "before": before, "after": after}));
        hop.insert("changed".into(), changed.collect());
        hop.extend(note.entry.map(|entry| ("entry".into(), entry.into())));
        hop.extend(note.lots.map(|lots| ("lots".into(), lots_value(&lots))));
    }
    let (verdict, cause) = ending(trace, lang);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("language".into(), lang.tag().into());
        fields.insert("verdict".into(), verdict.into());
        let key = match trace.outcome {
            Outcome::Answered { .. } => "remark",
            Outcome::Failed(_) => "cause",
        };
        fields.insert(key.into(), cause.into());
    }
    value
}

fn lots_value(lots: &Lots) -> Value {
    let chance = |chance: &Chance| {
        json!({
            "place": chance.place,
            "leadsTo": chance.leads_to,
            "odds": chance.odds,
            "drawn": chance.lot.map(|(drawn, _)| drawn),
            "among": chance.lot.map(|(_, among)| among),
        })
    };
    json!({
        "by": lots.by,
        "among": lots.among,
        "chosen": lots.drawn,
        "inTurn": lots.in_turn,
        "chances": lots.chances.iter().map(chance).collect::<Value>(),
    })
}
