//! Two versions of objects, line by line: what was written and what is stored, or what is stored and
//! what would be.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use crate::kubectl::line_edits;
use crate::manifest::to_yaml;
use crate::session::{Model, Stored};

/// One object in two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `Deployment web`.
    pub title: String,
    /// Its lines.
    pub lines: Vec<DiffLine>,
}

/// A line of either version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// `+` where it is new, `-` where it is gone, a blank where it is in both.
    pub sign: char,
    /// The line.
    pub text: String,
}

impl Difference {
    fn of(value: &Value, before: &str, after: &str) -> Self {
        let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        let line = |(sign, text): (char, &str)| DiffLine { sign, text: text.to_owned() };
        let word = |path: &[&str]| value.str_at(path).unwrap_or_default();
        Difference {
            title: format!("{} {}", word(&["kind"]), word(&["metadata", "name"])),
            lines: line_edits(&a, &b).into_iter().map(line).collect(),
        }
    }

    /// How many lines are new.
    pub fn added(&self) -> usize {
        self.lines.iter().filter(|line| line.sign == '+').count()
    }

    /// Whether both versions are the same.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.sign == ' ')
    }
}

/// What the API server made of what was written: defaults, and what it filled in.
pub fn added(stored: &[Stored]) -> Vec<Difference> {
    let one = |one: &Stored| {
        let written = to_yaml(&one.written);
        Difference::of(&one.stored, &written, &to_yaml(&wanted(&one.stored)))
    };
    stored.iter().map(one).collect()
}

/// What applying the manifests would change now.
#[inline(never)]
pub fn change(model: &Model) -> Vec<Difference> {
    let rehearsed = crate::session::apply::rehearsed(model);
    let differences = rehearsed.into_iter().map(|stored| {
        let text = |path: &[&str]| stored.str_at(path).unwrap_or_default().to_owned();
        let kind = Kind::of_manifest(&text(&["apiVersion"]), &text(&["kind"]));
        let (namespace, name) = (text(&["metadata", "namespace"]), text(&["metadata", "name"]));
        let live = kind.and_then(|kind| model.world.find(kind, &namespace, &name));
        let live = live.map(|object| to_yaml(&wanted(&object.to_value()))).unwrap_or_default();
        Difference::of(&stored, &live, &to_yaml(&wanted(&stored)))
    });
    differences.filter(|difference| !difference.is_empty()).collect()
}

/// An object without what is nobody's wish: its identity, its versions and its state.
fn wanted(value: &Value) -> Value {
    let mut value = value.clone();
    value.remove(&["status"]);
    for key in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"] {
        value.remove(&["metadata", key]);
    }
    let applied = "kubectl.kubernetes.io/last-applied-configuration";
    value.remove(&["metadata", "annotations", applied]);
    if value.fields_at(&["metadata", "annotations"]).is_some_and(serde_json::Map::is_empty) {
        value.remove(&["metadata", "annotations"]);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Msg, Opening, update};

    #[test]
    fn what_defaulting_added_is_marked_and_what_was_written_is_not() {
        let model = Model::new(Opening::default());
        let all = added(&model.stored);
        assert_eq!(all.len(), 4);
        let deployment = all.first().unwrap();
        assert_eq!(deployment.title, "Deployment web");
        let has = |sign, text: &str| {
            deployment
                .lines
                .iter()
                .any(|line| line.sign == sign && line.text.trim().ends_with(text))
        };
        assert!(has('+', "imagePullPolicy: IfNotPresent") && has('+', "maxSurge: 25%"));
        assert!(has(' ', "replicas: 3") && has(' ', "image: nginx:1.27"));
        assert!(deployment.lines.iter().all(|line| line.sign != '-'), "{deployment:?}");
        assert!(!deployment.lines.iter().any(|line| line.text.contains("uid:")));
    }

    #[test]
    fn a_change_is_shown_before_it_is_applied() {
        let mut model = Model::new(Opening::default());
        assert_eq!(change(&model), []);
        let text = model.source.replace("replicas: 3", "replicas: 5");
        update(&mut model, Msg::Edit(text.into()));
        let all = change(&model);
        let signs: Vec<(char, &str)> = all
            .iter()
            .flat_map(|one| &one.lines)
            .filter(|line| line.sign != ' ')
            .map(|line| (line.sign, line.text.trim()))
            .collect();
        assert_eq!(signs, [('-', "replicas: 3"), ('+', "replicas: 5")]);
    }
}
