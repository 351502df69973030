//! `-w`: changes as they come.

use super::get;
use crate::api::{Kind, Object, Value};
use crate::base::{Map, order};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::output::{GET_FORMATS, Objects, Printer};
use crate::kubectl::printers::Sight;
use crate::kubectl::tabwriter::Remembered;
use crate::kubectl::task::{Task, Wake};
use crate::kubectl::{resources, table};
use crate::store::ObjectKey;
use std::sync::Arc;

/// Objects of a kind whose changes are printed.
#[derive(Debug)]
pub(crate) struct Watch {
    kind: Kind,
    chosen: resources::Chosen,
    /// Which events of those, for `kubectl events`.
    events: Option<get::Wanted>,
    /// All objects of the kind as they were when they were looked at last.
    seen: Map<ObjectKey, Arc<Object>>,
    columns: Remembered,
    has_header: bool,
}

/// Prints objects, and then each change of one.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/get/get.go watch, and cmd/events/events.go.
pub(crate) fn watch(
    call: &mut Call<'_>,
    kind: Kind,
    chosen: resources::Chosen,
    events: Option<get::Wanted>,
) -> Outcome {
    let seen = call.world.store().table(kind);
    let mut watch = Watch {
        kind,
        chosen,
        events,
        columns: Remembered::default(),
        has_header: call.flags.on("no-headers"),
        seen,
    };
    if !call.flags.on("watch-only") {
        let mut now: Vec<Arc<Object>> =
            watch.seen.values().filter(|object| watch.has(object)).cloned().collect();
        if watch.events.is_some() {
            order::sort_by_key(&mut now, |event| event.event().map(|event| event.last_timestamp));
        }
        watch.print(call, &now)?;
    }
    call.wait_for(Wake::Always, Task::Watch(watch))
}

/// The one kind that a command line asks for, and which of its objects.
pub(crate) fn subject(call: &Call<'_>) -> Result<(Kind, resources::Chosen), Failure> {
    let found = resources::find(call)?;
    if !call.flags.on("ignore-not-found") {
        Failure::of(found.failures)?;
    }
    let [kind] = found.kinds.as_slice() else {
        return plain("you may only specify a single resource type");
    };
    let name = found.objects.first().filter(|_| found.single).map(|one| one.meta.name.clone());
    Ok((*kind, resources::Chosen::new(call, *kind, name)?))
}

impl Watch {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        let now = call.world.store().table(self.kind);
        if !now.ptr_eq(&self.seen) {
            let mut changed = call.world.store().changed_since(self.kind, &self.seen);
            changed.retain(|object| self.has(object));
            self.print(call, &changed)?;
            self.seen = now;
        }
        call.wait_for(Wake::Always, Task::Watch(self))
    }

    fn has(&self, object: &Object) -> bool {
        self.chosen.has(object) && self.events.as_ref().is_none_or(|wanted| wanted.has(object))
    }

    fn print(&mut self, call: &mut Call<'_>, objects: &[Arc<Object>]) -> Outcome {
        if objects.is_empty() {
            return Ok(());
        }
        let values: Vec<Value> = objects.iter().map(|object| shown(object)).collect();
        if let Some(printer) = Printer::of(call, GET_FORMATS)? {
            let is_yaml = matches!(printer, Printer::Yaml);
            for value in values {
                let begin = if is_yaml && self.has_header { "---\n" } else { "" };
                self.has_header = true;
                call.out.push_str(begin);
                call.print(&printer, &Objects::One(value))?;
            }
            return Ok(());
        }
        let lines = match self.events {
            Some(_) => get::event_lines(call, &values, self.has_header),
            None => {
                let mut extras = get::extras(call);
                extras.no_headers = self.has_header;
                let definition = call.world.store().definition_of(self.kind);
                let version = self.kind.resource().version;
                extras.columns = definition.and_then(|one| table::columns_of(one, version));
                let sight = Sight { now: call.world.now(), wide: extras.wide };
                let rows: Vec<(&Object, &Value)> =
                    objects.iter().map(|object| &**object).zip(&values).collect();
                table::lines(self.kind, &rows, &sight, &extras)
            }
        };
        self.has_header = true;
        call.out.push_str(&self.columns.align(&lines, 6, 3));
        Ok(())
    }
}
