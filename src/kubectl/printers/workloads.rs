//! What runs pods for a long time.

use super::{Printer, Sight, containers, int, map_text, name, selector_text, text};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};

const CONTAINERS: (&str, bool) = ("CONTAINERS", true);
const IMAGES: (&str, bool) = ("IMAGES", true);
const SELECTOR: (&str, bool) = ("SELECTOR", true);

pub(super) const DEPLOYMENT: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("READY", false),
        ("UP-TO-DATE", false),
        ("AVAILABLE", false),
        ("AGE", false),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    row: |object, sight| {
        let mut row = vec![
            name(object),
            format!(
                "{}/{}",
                int(object, &["status", "readyReplicas"]),
                int(object, &["spec", "replicas"])
            ),
            int(object, &["status", "updatedReplicas"]).to_string(),
            int(object, &["status", "availableReplicas"]).to_string(),
            sight.age(object),
        ];
        add_template(&mut row, object);
        row.push(selector_text(object.at(&["spec", "selector"])));
        row
    },
};

const REPLICAS: &[(&str, bool)] = &[
    ("NAME", false),
    ("DESIRED", false),
    ("CURRENT", false),
    ("READY", false),
    ("AGE", false),
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) const REPLICA_SET: Printer = Printer {
    columns: REPLICAS,
    row: |object, sight| {
        let mut row = replicas(object, sight);
        row.push(selector_text(object.at(&["spec", "selector"])));
        row
    },
};

pub(super) const REPLICATION_CONTROLLER: Printer = Printer {
    columns: REPLICAS,
    row: |object, sight| {
        let mut row = replicas(object, sight);
        row.push(map_text(object.at(&["spec", "selector"]), ","));
        row
    },
};

fn replicas(object: &Value, sight: &Sight) -> Vec<String> {
    let mut row = vec![
        name(object),
        int(object, &["spec", "replicas"]).to_string(),
        int(object, &["status", "replicas"]).to_string(),
        int(object, &["status", "readyReplicas"]).to_string(),
        sight.age(object),
    ];
    add_template(&mut row, object);
    row
}

fn add_template(row: &mut Vec<String>, object: &Value) {
    let (names, images) = containers(object.at(&["spec", "template", "spec"]));
    row.extend([names, images]);
}

pub(super) const STATEFUL_SET: Printer = Printer {
    columns: &[("NAME", false), ("READY", false), ("AGE", false), CONTAINERS, IMAGES],
    row: |object, sight| {
        let ready = format!(
            "{}/{}",
            int(object, &["status", "readyReplicas"]),
            int(object, &["spec", "replicas"])
        );
        let mut row = vec![name(object), ready, sight.age(object)];
        add_template(&mut row, object);
        row
    },
};

pub(super) const DAEMON_SET: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("DESIRED", false),
        ("CURRENT", false),
        ("READY", false),
        ("UP-TO-DATE", false),
        ("AVAILABLE", false),
        ("NODE SELECTOR", false),
        ("AGE", false),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    row: |object, sight| {
        let number = |key: &str| int(object, &["status", key]).to_string();
        let mut row = vec![
            name(object),
            number("desiredNumberScheduled"),
            number("currentNumberScheduled"),
            number("numberReady"),
            number("updatedNumberScheduled"),
            number("numberAvailable"),
            map_text(object.at(&["spec", "template", "spec", "nodeSelector"]), ","),
            sight.age(object),
        ];
        add_template(&mut row, object);
        row.push(selector_text(object.at(&["spec", "selector"])));
        row
    },
};

pub(super) const CONTROLLER_REVISION: Printer = Printer {
    columns: &[("NAME", false), ("CONTROLLER", false), ("REVISION", false), ("AGE", false)],
    row: |object, sight| {
        let owners = object.items_at(&["metadata", "ownerReferences"]);
        let owner = owners.iter().find(|owner| owner.bool_at(&["controller"]) == Some(true));
        let owner = owner.map_or("<none>".to_owned(), |owner| {
            let kind = Kind::of_manifest(&text(owner, &["apiVersion"]), &text(owner, &["kind"]));
            let kind =
                kind.map_or_else(|| text(owner, &["kind"]).to_lowercase(), Kind::singular_group);
            format!("{kind}/{}", name_of(owner))
        });
        vec![name(object), owner, int(object, &["revision"]).to_string(), sight.age(object)]
    },
};

fn name_of(owner: &Value) -> String {
    text(owner, &["name"])
}

pub(super) const AUTOSCALER: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("REFERENCE", false),
        ("TARGETS", false),
        ("MINPODS", false),
        ("MAXPODS", false),
        ("REPLICAS", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        let target = |key| text(object, &["spec", "scaleTargetRef", key]);
        let least = object.int_at(&["spec", "minReplicas"]);
        vec![
            name(object),
            format!("{}/{}", target("kind"), target("name")),
            metrics(object),
            least.map_or_else(|| "<unset>".to_owned(), |least| least.to_string()),
            int(object, &["spec", "maxReplicas"]).to_string(),
            int(object, &["status", "currentReplicas"]).to_string(),
            sight.age(object),
        ]
    },
};

/// Models pkg/printers/internalversion/printers.go formatHPAMetrics.
fn metrics(object: &Value) -> String {
    let specs = object.items_at(&["spec", "metrics"]);
    if specs.is_empty() {
        return "<none>".to_owned();
    }
    let statuses = object.items_at(&["status", "currentMetrics"]);
    let list: Vec<String> =
        specs.iter().enumerate().map(|(index, spec)| metric(spec, statuses.get(index))).collect();
    match list.len() {
        0..=2 => list.join(", "),
        count => {
            let first: Vec<String> = list.into_iter().take(2).collect();
            format!("{} + {} more...", first.join(", "), count - 2)
        }
    }
}

fn metric(spec: &Value, status: Option<&Value>) -> String {
    let source = match spec.str_at(&["type"]).unwrap_or_default() {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return "<unknown type>".to_owned(),
    };
    let current = |key: &str| {
        status
            .and_then(|status| status.at(&[source, "current", key]))
            .map(crate::kubectl::go_text::scalar_text)
    };
    let unknown = || "<unknown>".to_owned();
    let target =
        |key: &str| spec.at(&[source, "target", key]).map(crate::kubectl::go_text::scalar_text);
    let of_resource = source == "resource" || source == "containerResource";
    let what =
        if of_resource { format!("{}: ", text(spec, &[source, "name"])) } else { String::new() };
    if let Some(average) = target("averageValue") {
        let average_note = if matches!(source, "object" | "external") { " (avg)" } else { "" };
        return format!(
            "{what}{}/{average}{average_note}",
            current("averageValue").unwrap_or_else(unknown)
        );
    }
    if of_resource {
        let percent = |value: String| format!("{value}%");
        let wanted = target("averageUtilization").map_or_else(|| "<auto>".to_owned(), percent);
        return format!(
            "{what}{}/{wanted}",
            current("averageUtilization").map_or_else(unknown, percent)
        );
    }
    format!("{}/{}", current("value").unwrap_or_else(unknown), target("value").unwrap_or_default())
}
