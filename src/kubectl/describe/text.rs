//! Lines with tabs that become columns.
//!
//! Models staging/src/k8s.io/kubectl/pkg/describe/describe.go PrefixWriter, printLabelsMultiline,
//! printAnnotationsMultiline, DescribeEvents.

use crate::api::tree::Tree as _;
use crate::api::{Event, Object, Value};
use crate::base::time::human_duration;
use crate::base::{SimTime, order};
use crate::kubectl::tabwriter;
use std::sync::Arc;

/// Longer annotations stand on lines of their own.
const LONGEST_ANNOTATION: usize = 140;
const HIDDEN_ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A description as it grows.
pub(super) struct Text {
    done: String,
    open: String,
    /// How much further to the right all lines stand.
    indent: usize,
    /// Whether events are told.
    show_events: bool,
    /// The present.
    pub(super) now: SimTime,
}

impl Text {
    pub(super) fn new(now: SimTime, show_events: bool) -> Self {
        Text { done: String::new(), open: String::new(), indent: 0, show_events, now }
    }

    /// An empty one whose lines stand further to the right.
    pub(super) fn nested(&self, levels: usize) -> Self {
        Text { indent: self.indent + levels, ..Text::new(self.now, self.show_events) }
    }

    /// Appends what stands in another one.
    pub(super) fn take(&mut self, inner: Text) {
        self.open.push_str(&inner.open);
    }

    /// A line at a level of two spaces each.
    pub(super) fn line(&mut self, level: usize, text: impl AsRef<str>) {
        self.open.extend(core::iter::repeat_n("  ", self.indent + level));
        self.open.push_str(text.as_ref());
        self.open.push('\n');
    }

    /// A name and its value.
    pub(super) fn field(&mut self, level: usize, name: &str, value: impl core::fmt::Display) {
        self.line(level, format!("{name}:\t{value}"));
    }

    /// A name and its value, if there is one.
    pub(super) fn field_if(
        &mut self,
        level: usize,
        name: &str,
        value: Option<impl core::fmt::Display>,
    ) {
        if let Some(value) = value {
            self.field(level, name, value);
        }
    }

    /// The lines with their tabs.
    pub(super) fn raw(self) -> String {
        self.done + &self.open
    }

    /// Columns up to here do not depend on what comes.
    pub(super) fn flush(&mut self) {
        self.done.push_str(&tabwriter::align(&self.open, 0, 2));
        self.open.clear();
    }

    pub(super) fn finish(mut self) -> String {
        self.flush();
        self.done
    }

    /// Name and namespace.
    pub(super) fn head(&mut self, object: &Value) {
        let meta = |key| object.str_at(&["metadata", key]);
        self.field(0, "Name", meta("name").unwrap_or_default());
        self.field_if(0, "Namespace", meta("namespace"));
    }

    /// A map as `key=value` lines.
    pub(super) fn map(&mut self, title: &str, map: Option<&Value>) {
        let pairs: Vec<String> = map
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        self.list(title, &pairs);
    }

    /// A list, one item a line, the first beside the title.
    pub(super) fn list(&mut self, title: &str, items: &[String]) {
        let Some((first, rest)) = items.split_first() else {
            self.line(0, format!("{title}:\t<none>"));
            return;
        };
        self.line(0, format!("{title}:\t{first}"));
        for item in rest {
            self.line(0, format!("\t{item}"));
        }
    }

    /// The labels of an object.
    pub(super) fn labels(&mut self, object: &Value) {
        self.map("Labels", object.at(&["metadata", "labels"]));
    }

    /// The annotations of an object, but kubectl's own.
    pub(super) fn annotations(&mut self, title: &str, annotations: Option<&Value>) {
        let mut lines = Vec::new();
        let pairs = annotations.and_then(Value::as_object).into_iter().flatten();
        for (key, value) in pairs.filter(|(key, _)| *key != HIDDEN_ANNOTATION) {
            let value = value.as_str().unwrap_or_default();
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 <= LONGEST_ANNOTATION && !value.contains('\n') {
                lines.push(format!("{key}: {value}"));
                continue;
            }
            lines.push(format!("{key}:"));
            lines.extend(value.split('\n').map(|part| {
                match part.char_indices().nth(LONGEST_ANNOTATION - 2) {
                    Some((end, _)) => format!("  {}...", part.get(..end).unwrap_or_default()),
                    None => format!("  {part}"),
                }
            }));
        }
        self.list(title, &lines);
    }

    /// A time in the form of RFC 1123.
    pub(super) fn time(&self, value: Option<&str>) -> String {
        let time = value.and_then(SimTime::parse_rfc3339);
        time.map_or_else(|| "<unset>".to_owned(), SimTime::rfc1123z)
    }

    /// The same where an absent time is Go's beginning of time.
    pub(super) fn go_time(&self, value: Option<&str>) -> String {
        let time = value.and_then(SimTime::parse_rfc3339);
        time.map_or_else(|| "Mon, 01 Jan 0001 00:00:00 +0000".to_owned(), SimTime::rfc1123z)
    }

    /// How long ago.
    pub(super) fn since(&self, value: Option<&str>) -> String {
        let time = value.and_then(SimTime::parse_rfc3339);
        time.map_or_else(|| "<unknown>".to_owned(), |time| human_duration(self.now.since(time)))
    }

    /// The last part: what happened.
    pub(super) fn events(&mut self, events: &[Arc<Object>]) {
        if !self.show_events {
            return;
        }
        if events.is_empty() {
            self.field(0, "Events", "<none>");
            return;
        }
        self.flush();
        self.line(0, "Events:");
        self.line(1, "Type\tReason\tAge\tFrom\tMessage");
        self.line(1, "----\t------\t----\t----\t-------");
        let mut sorted: Vec<_> = events.iter().filter_map(|object| object.event()).collect();
        // The scheduler's have no `lastTimestamp`.
        let last = |event: &Event| Some(event.last_timestamp).filter(|_| !event.from_events_api);
        order::sort_by_key(&mut sorted, |event| last(event));
        for event in sorted {
            let age = |time| match time == SimTime::default() {
                true => "<unknown>".to_owned(),
                false => human_duration(self.now.since(time)),
            };
            let age = match event.count {
                0 | 1 => age(event.first_timestamp),
                count => format!(
                    "{} (x{count} over {})",
                    age(event.last_timestamp),
                    age(event.first_timestamp)
                ),
            };
            let kind = event.type_text();
            let message = match &event.involved.field_path {
                Some(path) => format!("{path}: {}", event.message.trim()),
                None => event.message.trim().to_owned(),
            };
            let (reason, from) = (&event.reason, &event.component);
            self.line(1, format!("{kind}\t{reason}\t{age}\t{from}\t{message}"));
        }
    }
}

/// A text, or `<none>` for an empty one.
pub(super) fn or_none(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}

/// A number or a text as it stands.
pub(super) fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "<unset>".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// `a=b,c=d`; `<none>` for none.
pub(super) fn pairs(map: Option<&Value>) -> String {
    let pairs = map.and_then(Value::as_object).into_iter().flatten();
    let pairs: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    or_none(&pairs.join(",")).to_owned()
}
