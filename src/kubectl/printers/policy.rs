//! Quotas, disruption budgets, priorities and who may do what.

use super::{Printer, int, name, scalar_or, text};
use crate::api::Value;
use crate::api::tree::Tree as _;

pub(super) const QUOTA: Printer = Printer {
    columns: &[("NAME", false), ("REQUEST", false), ("LIMIT", false), ("AGE", false)],
    row: |object, sight| {
        let hard = object.fields_at(&["status", "hard"]);
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        for (resource, amount) in hard.into_iter().flatten() {
            let used = scalar_or(object, &["status", "used", resource], "0");
            let text =
                format!("{resource}: {used}/{}", crate::kubectl::go_text::scalar_text(amount));
            if resource.starts_with("limits.") { limits.push(text) } else { requests.push(text) }
        }
        vec![name(object), requests.join(", "), limits.join(", "), sight.age(object)]
    },
};

pub(super) const BUDGET: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("MIN AVAILABLE", false),
        ("MAX UNAVAILABLE", false),
        ("ALLOWED DISRUPTIONS", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        vec![
            name(object),
            scalar_or(object, &["spec", "minAvailable"], "N/A"),
            scalar_or(object, &["spec", "maxUnavailable"], "N/A"),
            int(object, &["status", "disruptionsAllowed"]).to_string(),
            sight.age(object),
        ]
    },
};

pub(super) const PRIORITY_CLASS: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("VALUE", false),
        ("GLOBAL-DEFAULT", false),
        ("AGE", false),
        ("PREEMPTIONPOLICY", false),
    ],
    row: |object, sight| {
        vec![
            name(object),
            int(object, &["value"]).to_string(),
            object.bool_at(&["globalDefault"]).unwrap_or(false).to_string(),
            sight.age(object),
            scalar_or(object, &["preemptionPolicy"], "<unset>"),
        ]
    },
};

pub(super) const ROLE_BINDING: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("ROLE", false),
        ("AGE", false),
        ("USERS", true),
        ("GROUPS", true),
        ("SERVICEACCOUNTS", true),
    ],
    row: |object, sight| {
        let role = format!(
            "{}/{}",
            text(object, &["roleRef", "kind"]),
            text(object, &["roleRef", "name"])
        );
        let subjects = object.items_at(&["subjects"]);
        let of_kind = |kind: &str| {
            let all = subjects.iter().filter(|subject| subject.str_at(&["kind"]) == Some(kind));
            let name = |subject: &Value| match kind {
                "ServiceAccount" => {
                    format!("{}/{}", text(subject, &["namespace"]), text(subject, &["name"]))
                }
                _ => text(subject, &["name"]),
            };
            all.map(name).collect::<Vec<_>>().join(", ")
        };
        vec![
            name(object),
            role,
            sight.age(object),
            of_kind("User"),
            of_kind("Group"),
            of_kind("ServiceAccount"),
        ]
    },
};
