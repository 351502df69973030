//! Kinds that are stored and on which nothing acts: admission, drivers, certificates, devices.

use super::{CREATED, PLAIN, Printer, Sight, int, name, scalar_or, selector_text, text};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};
use crate::base::time::human_duration;
use core::time::Duration;

/// The printer of a built-in kind that is only stored.
pub(super) fn printer(kind: Kind) -> &'static Printer {
    match kind.name() {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => &WEBHOOKS,
        "ValidatingAdmissionPolicy" => &VALIDATING_POLICY,
        "MutatingAdmissionPolicy" => &MUTATING_POLICY,
        "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding" => &POLICY_BINDING,
        "RuntimeClass" => &RUNTIME_CLASS,
        "VolumeAttributesClass" => &ATTRIBUTES_CLASS,
        "VolumeAttachment" => &ATTACHMENT,
        "CSIDriver" => &DRIVER,
        "CSINode" => &DRIVERS_OF_NODE,
        "CertificateSigningRequest" => &SIGNING_REQUEST,
        "APIService" => &API_SERVICE,
        "FlowSchema" => &FLOW_SCHEMA,
        "PriorityLevelConfiguration" => &PRIORITY_LEVEL,
        "ServiceCIDR" => &SERVICE_CIDR,
        "IPAddress" => &IP_ADDRESS,
        "ResourceClaim" => &RESOURCE_CLAIM,
        "ResourceSlice" => &RESOURCE_SLICE,
        "ComponentStatus" => &COMPONENT,
        "CSIStorageCapacity" => &CREATED,
        _ => &PLAIN,
    }
}

fn count(object: &Value, path: &[&str]) -> String {
    object.items_at(path).len().to_string()
}

fn truth(object: &Value, path: &[&str], default: bool) -> String {
    object.bool_at(path).unwrap_or(default).to_string()
}

/// The texts of a list, parted by commas.
fn joined<'a>(items: impl Iterator<Item = Option<&'a str>>) -> String {
    items.flatten().collect::<Vec<_>>().join(",")
}

/// Name, something, and age.
macro_rules! with_age {
    ($title:literal, $cell:expr) => {
        Printer {
            columns: &[("NAME", false), ($title, false), ("AGE", false)],
            row: |object, sight| {
                let cell: fn(&Value) -> String = $cell;
                vec![name(object), cell(object), sight.age(object)]
            },
        }
    };
}

const WEBHOOKS: Printer = with_age!("WEBHOOKS", |object| count(object, &["webhooks"]));
const RUNTIME_CLASS: Printer = with_age!("HANDLER", |object| text(object, &["handler"]));
const ATTRIBUTES_CLASS: Printer = with_age!("DRIVERNAME", |object| text(object, &["driverName"]));
const DRIVERS_OF_NODE: Printer = with_age!("DRIVERS", |object| count(object, &["spec", "drivers"]));
const SERVICE_CIDR: Printer = with_age!("CIDRS", |object| {
    joined(object.items_at(&["spec", "cidrs"]).iter().map(Value::as_str))
});

const VALIDATING_POLICY: Printer = Printer {
    columns: &[("NAME", false), ("VALIDATIONS", false), ("PARAMKIND", false), ("AGE", false)],
    row: |object, sight| policy(object, sight, "validations"),
};

const MUTATING_POLICY: Printer = Printer {
    columns: &[("NAME", false), ("MUTATIONS", false), ("PARAMKIND", false), ("AGE", false)],
    row: |object, sight| policy(object, sight, "mutations"),
};

fn policy(object: &Value, sight: &Sight, rules: &str) -> Vec<String> {
    let kind = object.at(&["spec", "paramKind"]).map_or_else(
        || "<unset>".to_owned(),
        |kind| format!("{}/{}", text(kind, &["apiVersion"]), text(kind, &["kind"])),
    );
    vec![name(object), count(object, &["spec", rules]), kind, sight.age(object)]
}

const POLICY_BINDING: Printer = Printer {
    columns: &[("NAME", false), ("POLICYNAME", false), ("PARAMREF", false), ("AGE", false)],
    row: |object, sight| {
        let at = |key| object.str_at(&["spec", "paramRef", key]).filter(|text| !text.is_empty());
        let parameter = match (at("name"), object.at(&["spec", "paramRef", "selector"])) {
            (Some(name), _) => format!("{}/{name}", at("namespace").unwrap_or("*")),
            (None, Some(selector)) => selector_text(Some(selector)),
            (None, None) => "<unset>".to_owned(),
        };
        vec![name(object), text(object, &["spec", "policyName"]), parameter, sight.age(object)]
    },
};

const ATTACHMENT: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("ATTACHER", false),
        ("PV", false),
        ("NODE", false),
        ("ATTACHED", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        vec![
            name(object),
            text(object, &["spec", "attacher"]),
            text(object, &["spec", "source", "persistentVolumeName"]),
            text(object, &["spec", "nodeName"]),
            truth(object, &["status", "attached"], false),
            sight.age(object),
        ]
    },
};

const DRIVER: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("ATTACHREQUIRED", false),
        ("PODINFOONMOUNT", false),
        ("STORAGECAPACITY", false),
        ("TOKENREQUESTS", false),
        ("REQUIRESREPUBLISH", false),
        ("MODES", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        let of = |key, default| truth(object, &["spec", key], default);
        let tokens = object.at(&["spec", "tokenRequests"]).and_then(Value::as_array);
        let tokens = tokens.map_or_else(
            || "<unset>".to_owned(),
            |all| joined(all.iter().map(|token| token.str_at(&["audience"]))),
        );
        let modes = object.items_at(&["spec", "volumeLifecycleModes"]).iter().map(Value::as_str);
        let modes = joined(modes);
        vec![
            name(object),
            of("attachRequired", true),
            of("podInfoOnMount", false),
            of("storageCapacity", false),
            tokens,
            of("requiresRepublish", false),
            if modes.is_empty() { "<none>".to_owned() } else { modes },
            sight.age(object),
        ]
    },
};

const SIGNING_REQUEST: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("AGE", false),
        ("SIGNERNAME", false),
        ("REQUESTOR", false),
        ("REQUESTEDDURATION", false),
        ("CONDITION", false),
    ],
    row: |object, sight| {
        vec![
            name(object),
            sight.age(object),
            scalar_or(object, &["spec", "signerName"], "<none>"),
            text(object, &["spec", "username"]),
            requested_duration(object).unwrap_or_else(|| "<none>".to_owned()),
            signing_status(object),
        ]
    },
};

/// For how long a certificate is asked for; `None` if the signer may say.
pub(crate) fn requested_duration(object: &Value) -> Option<String> {
    let seconds = object.int_at(&["spec", "expirationSeconds"])?;
    Some(human_duration(Duration::from_secs(u64::try_from(seconds).unwrap_or_default())))
}

/// `Approved,Issued`.
///
/// Models pkg/printers/internalversion/printers.go extractCSRStatus.
pub(crate) fn signing_status(object: &Value) -> String {
    let conditions = object.items_at(&["status", "conditions"]);
    let has = |name| conditions.iter().any(|one| one.str_at(&["type"]) == Some(name));
    let mut status = match () {
        () if has("Denied") => "Denied",
        () if has("Approved") => "Approved",
        () => "Pending",
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !text(object, &["status", "certificate"]).is_empty() {
        status.push_str(",Issued");
    }
    status
}

const API_SERVICE: Printer = Printer {
    columns: &[("NAME", false), ("SERVICE", false), ("AVAILABLE", false), ("AGE", false)],
    row: |object, sight| {
        let service = object.at(&["spec", "service"]).map_or_else(
            || "Local".to_owned(),
            |service| format!("{}/{}", text(service, &["namespace"]), text(service, &["name"])),
        );
        let mut conditions = object.items_at(&["status", "conditions"]).iter();
        let available = match conditions.find(|it| it.str_at(&["type"]) == Some("Available")) {
            None => "Unknown".to_owned(),
            Some(it) if it.str_at(&["status"]) == Some("True") => "True".to_owned(),
            Some(it) => format!("{} ({})", text(it, &["status"]), text(it, &["reason"])),
        };
        vec![name(object), service, available, sight.age(object)]
    },
};

const FLOW_SCHEMA: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("PRIORITYLEVEL", false),
        ("MATCHINGPRECEDENCE", false),
        ("DISTINGUISHERMETHOD", false),
        ("AGE", false),
        ("MISSINGPL", false),
    ],
    row: |object, sight| {
        let mut conditions = object.items_at(&["status", "conditions"]).iter();
        let dangling = conditions.find(|it| it.str_at(&["type"]) == Some("Dangling"));
        vec![
            name(object),
            text(object, &["spec", "priorityLevelConfiguration", "name"]),
            int(object, &["spec", "matchingPrecedence"]).to_string(),
            scalar_or(object, &["spec", "distinguisherMethod", "type"], "<none>"),
            sight.age(object),
            dangling.map_or_else(|| "?".to_owned(), |it| text(it, &["status"])),
        ]
    },
};

const PRIORITY_LEVEL: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("TYPE", false),
        ("NOMINALCONCURRENCYSHARES", false),
        ("QUEUES", false),
        ("HANDSIZE", false),
        ("QUEUELENGTHLIMIT", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        let queuing = |key| {
            scalar_or(object, &["spec", "limited", "limitResponse", "queuing", key], "<none>")
        };
        vec![
            name(object),
            text(object, &["spec", "type"]),
            scalar_or(object, &["spec", "limited", "nominalConcurrencyShares"], "<none>"),
            queuing("queues"),
            queuing("handSize"),
            queuing("queueLengthLimit"),
            sight.age(object),
        ]
    },
};

const IP_ADDRESS: Printer = Printer {
    columns: &[("NAME", false), ("PARENTREF", false)],
    row: |object, _| {
        let Some(parent) = object.at(&["spec", "parentRef"]) else {
            return vec![name(object), "<none>".to_owned()];
        };
        let at = |key| parent.str_at(&[key]).filter(|text| !text.is_empty());
        let group = at("group").map(|group| format!(".{group}")).unwrap_or_default();
        let resource = format!("{}{group}", text(parent, &["resource"])).to_lowercase();
        let parts = [Some(resource.as_str()), at("namespace"), at("name")];
        vec![name(object), parts.into_iter().flatten().collect::<Vec<_>>().join("/")]
    },
};

const RESOURCE_CLAIM: Printer = Printer {
    columns: &[("NAME", false), ("STATE", false), ("AGE", false)],
    row: |object, sight| {
        let is_going = object.at(&["metadata", "deletionTimestamp"]).is_some();
        let is_allocated = object.at(&["status", "allocation"]).is_some();
        let is_reserved = !object.items_at(&["status", "reservedFor"]).is_empty();
        let states = [
            ("deleted", is_going),
            ("pending", !is_allocated && !is_going),
            ("allocated", is_allocated),
            ("reserved", is_allocated && is_reserved),
        ];
        let states = states.into_iter().map(|(word, holds)| holds.then_some(word));
        vec![name(object), joined(states), sight.age(object)]
    },
};

const RESOURCE_SLICE: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("NODE", false),
        ("DRIVER", false),
        ("POOL", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        vec![
            name(object),
            text(object, &["spec", "nodeName"]),
            text(object, &["spec", "driver"]),
            text(object, &["spec", "pool", "name"]),
            sight.age(object),
        ]
    },
};

const COMPONENT: Printer = Printer {
    columns: &[("NAME", false), ("STATUS", false), ("MESSAGE", false), ("ERROR", false)],
    row: |object, _| {
        let mut conditions = object.items_at(&["conditions"]).iter();
        let healthy = conditions.find(|it| it.str_at(&["type"]) == Some("Healthy"));
        let at = |key: &str| healthy.map(|it| text(it, &[key])).unwrap_or_default();
        let status = if at("status") == "True" { "Healthy" } else { "Unhealthy" };
        vec![name(object), status.to_owned(), at("message"), at("error")]
    },
};
