//! Commands that change what there is.

use super::super::commands::{
    apply, delete, diff, drain, edit, history, label, last_applied, nodes, patch, rollout, scale,
    set, set_env, wait,
};
use super::{
    ADVANCED, ALL, BASIC, CLUSTER, DEPLOY, DRY_RUN, EVERYWHERE, FIELDS, FILES, Flag, INTERMEDIATE,
    MANAGER, OUTPUT, SAVE, SELECTOR, SETTINGS, VALIDATE, Verb, int, list, switch, time_span, value,
};

const APPLY: &[Flag] = &[
    switch("server-side", "Let the server merge"),
    switch("force-conflicts", "Win conflicts with --server-side"),
    switch("overwrite", "Overwrite what others changed").default("true"),
    switch("prune", "Delete what is in no manifest any more"),
    switch("force", "Delete and create where a change is refused"),
    switch("openapi-patch", "Use the schema for the difference").default("true"),
    switch("wait", "Wait for deleted objects to be gone"),
    value("subresource", "Which subresource, with --server-side"),
    list("prune-allowlist", "Kinds that --prune looks at"),
    time_span("timeout", "How long --force waits").default("0s"),
    int("grace-period", "Seconds that pods get to end with --force").default("-1"),
    value("cascade", "background, orphan or foreground")
        .default("background")
        .optional("background"),
];

const DELETE: &[Flag] = &[
    switch("force", "Do not wait for the kubelet"),
    switch("ignore-not-found", "Succeed if an object does not exist"),
    switch("now", "Give the pods one second"),
    switch("wait", "Wait until the objects are gone").default("true"),
    switch("interactive", "Ask first").short('i'),
    int("grace-period", "Seconds that pods get to end").default("-1"),
    time_span("timeout", "How long to wait").default("0s"),
    value("cascade", "background, orphan or foreground")
        .default("background")
        .optional("background"),
    value("raw", "URI to delete"),
    value("output", "name for short output").short('o'),
];

const LABEL: &[Flag] = &[
    switch("overwrite", "Change values that are there"),
    switch("list", "Print the labels"),
    switch("local", "Do not ask the server"),
    value("resource-version", "Only at this version"),
];

const COMMON: &[&[Flag]] =
    &[LABEL, OUTPUT, FILES, DRY_RUN, MANAGER, SELECTOR, FIELDS, ALL, EVERYWHERE];

const DRAIN: &[Flag] = &[
    switch("ignore-daemonsets", "Leave pods of DaemonSets alone"),
    switch("delete-emptydir-data", "Go on although emptyDir volumes are lost"),
    switch("force", "Go on although pods have no controller"),
    switch("disable-eviction", "Delete instead of evicting"),
    int("grace-period", "Seconds that pods get to end").default("-1"),
    time_span("timeout", "How long to wait").default("0s"),
    value("pod-selector", "Only these pods"),
    int("skip-wait-for-delete-timeout", "Do not wait for pods that are deleted for longer")
        .default("0"),
    int("chunk-size", "Objects a request").default("500"),
];

const RESOURCES: &[Flag] = &[
    value("limits", "cpu=1,memory=256Mi"),
    value("requests", "cpu=100m,memory=64Mi"),
    value("containers", "Which containers").short('c').default("*"),
    switch("local", "Do not ask the server"),
];

const ENV: &[Flag] = &[
    list("env", "KEY=VALUE").short('e'),
    value("from", "configmap/NAME or secret/NAME"),
    value("containers", "Which containers").short('c').default("*"),
    value("keys", "Only these keys of --from"),
    value("prefix", "In front of the names of --from"),
    switch("list", "Print the variables"),
    switch("resolve", "Print the values of references"),
    switch("overwrite", "Change values that are there").default("true"),
    switch("local", "Do not ask the server"),
];

const ROLLOUT: &[Flag] = &[int("revision", "Which revision").default("0")];
const TO_REVISION: &[Flag] =
    &[int("to-revision", "Which revision; the one before without").default("0")];
const STATUS: &[Flag] = &[
    switch("watch", "Wait until it is done").short('w').default("true"),
    time_span("timeout", "How long to wait").default("0s"),
    int("revision", "Which revision").default("0"),
];

const SCALE: &[Flag] = &[
    int("replicas", "How many").required(),
    int("current-replicas", "Only if there are this many").default("-1"),
    value("resource-version", "Only at this version"),
    time_span("timeout", "How long to wait").default("0s"),
];

const PATCH: &[Flag] = &[
    value("patch", "The patch").short('p'),
    value("patch-file", "A file with the patch"),
    value("type", "json, merge or strategic").default("strategic"),
    value("subresource", "Which subresource"),
    switch("local", "Do not ask the server"),
];

const WAIT: &[Flag] = &[
    list("for", "create, delete, condition=NAME[=VALUE] or jsonpath='{...}'[=VALUE]"),
    time_span("timeout", "How long to wait").default("30s"),
    switch("local", "Do not ask the server"),
];

pub(super) const VERBS: &[Verb] = &[
    Verb {
        path: "apply",
        aliases: &[],
        usage: "(-f FILENAME | -k DIRECTORY)",
        help: "Apply a configuration to a resource by file name or stdin",
        group: ADVANCED,
        flags: &[APPLY, OUTPUT, FILES, DRY_RUN, MANAGER, VALIDATE, SELECTOR, ALL],
        run: apply::apply,
    },
    Verb {
        path: "apply view-last-applied",
        aliases: &[],
        usage: "(TYPE [NAME] | TYPE/NAME | -f FILENAME)",
        help: "View the latest last-applied-configuration annotations of a resource/object",
        group: "",
        flags: &[OUTPUT, FILES, SELECTOR, ALL],
        run: last_applied::view,
    },
    Verb {
        path: "apply set-last-applied",
        aliases: &[],
        usage: "-f FILENAME",
        help: "Set the last-applied-configuration annotation on a live object to match the contents of a file",
        group: "",
        flags: &[
            OUTPUT,
            FILES,
            DRY_RUN,
            MANAGER,
            &[switch("create-annotation", "Make the annotation where there is none")],
        ],
        run: last_applied::set,
    },
    Verb {
        path: "apply edit-last-applied",
        aliases: &[],
        usage: "(RESOURCE/NAME | -f FILENAME)",
        help: "Edit latest last-applied-configuration annotations of a resource/object",
        group: "",
        flags: &[OUTPUT, FILES, &[value("field-manager", "Name of the manager of the fields")]],
        run: edit::edit_last_applied,
    },
    Verb {
        path: "diff",
        aliases: &[],
        usage: "-f FILENAME",
        help: "Diff the live version against a would-be applied version",
        group: ADVANCED,
        flags: &[
            FILES,
            SELECTOR,
            &[
                switch("server-side", "Let the server merge"),
                value("field-manager", "Name of the manager"),
                switch("prune", "Show what --prune would delete"),
            ],
        ],
        run: diff::diff,
    },
    Verb {
        path: "replace",
        aliases: &[],
        usage: "-f FILENAME",
        help: "Replace a resource by file name or stdin",
        group: ADVANCED,
        flags: &[
            OUTPUT,
            FILES,
            DRY_RUN,
            MANAGER,
            VALIDATE,
            SAVE,
            &[
                switch("force", "Delete and create"),
                int("grace-period", "Seconds that pods get to end").default("-1"),
                time_span("timeout", "How long to wait").default("0s"),
                switch("wait", "Wait for deleted objects to be gone"),
                value("cascade", "background, orphan or foreground")
                    .default("background")
                    .optional("background"),
                value("raw", "URI"),
                value("subresource", "Which subresource"),
            ],
        ],
        run: apply::replace,
    },
    Verb {
        path: "delete",
        aliases: &[],
        usage: "([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
        help: "Delete resources by file names, stdin, resources and names, or by resources and label selector",
        group: INTERMEDIATE,
        flags: &[DELETE, FILES, DRY_RUN, SELECTOR, FIELDS, ALL, EVERYWHERE],
        run: delete::delete,
    },
    Verb {
        path: "patch",
        aliases: &[],
        usage: "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
        help: "Update fields of a resource",
        group: ADVANCED,
        flags: &[PATCH, OUTPUT, FILES, DRY_RUN, MANAGER],
        run: patch::patch,
    },
    Verb {
        path: "edit",
        aliases: &[],
        usage: "(TYPE/NAME | -f FILENAME)",
        help: "Edit a resource on the server",
        group: INTERMEDIATE,
        flags: &[OUTPUT, FILES],
        run: edit::edit,
    },
    Verb {
        path: "label",
        aliases: &[],
        usage: "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N",
        help: "Update the labels on a resource",
        group: SETTINGS,
        flags: COMMON,
        run: label::label,
    },
    Verb {
        path: "annotate",
        aliases: &[],
        usage: "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N",
        help: "Update the annotations on a resource",
        group: SETTINGS,
        flags: COMMON,
        run: label::annotate,
    },
    Verb {
        path: "taint",
        aliases: &[],
        usage: "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
        help: "Update the taints on one or more nodes",
        group: CLUSTER,
        flags: &[
            OUTPUT,
            DRY_RUN,
            MANAGER,
            SELECTOR,
            ALL,
            VALIDATE,
            &[switch("overwrite", "Change values that are there")],
        ],
        run: nodes::taint,
    },
    Verb {
        path: "cordon",
        aliases: &[],
        usage: "NODE",
        help: "Mark node as unschedulable",
        group: CLUSTER,
        flags: &[DRY_RUN, SELECTOR],
        run: nodes::cordon,
    },
    Verb {
        path: "uncordon",
        aliases: &[],
        usage: "NODE",
        help: "Mark node as schedulable",
        group: CLUSTER,
        flags: &[DRY_RUN, SELECTOR],
        run: nodes::uncordon,
    },
    Verb {
        path: "drain",
        aliases: &[],
        usage: "NODE",
        help: "Drain node in preparation for maintenance",
        group: CLUSTER,
        flags: &[DRAIN, DRY_RUN, SELECTOR],
        run: drain::drain,
    },
    Verb {
        path: "scale",
        aliases: &[],
        usage: "[--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
        help: "Set a new size for a deployment, replica set, or replication controller",
        group: DEPLOY,
        flags: &[SCALE, OUTPUT, FILES, DRY_RUN, SELECTOR, ALL],
        run: scale::scale,
    },
    Verb {
        path: "autoscale",
        aliases: &[],
        usage: "(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU]",
        help: "Auto-scale a deployment, replica set, stateful set, or replication controller",
        group: DEPLOY,
        flags: &[
            OUTPUT,
            FILES,
            DRY_RUN,
            MANAGER,
            SAVE,
            &[
                int("min", "Pods at least").default("-1"),
                int("max", "Pods at most").default("-1").required(),
                value("cpu", "CPU to aim at: 70% or 500m"),
                value("memory", "Memory to aim at: 70% or 512Mi"),
                int("cpu-percent", "CPU to aim at in percent").default("-1"),
                value("name", "Name of the new object"),
            ],
        ],
        run: scale::autoscale,
    },
    Verb {
        path: "rollout status",
        aliases: &[],
        usage: "(TYPE NAME | TYPE/NAME) [flags]",
        help: "Show the status of the rollout",
        group: DEPLOY,
        flags: &[STATUS, FILES, SELECTOR],
        run: rollout::status,
    },
    Verb {
        path: "rollout history",
        aliases: &[],
        usage: "(TYPE NAME | TYPE/NAME) [flags]",
        help: "View rollout history",
        group: DEPLOY,
        flags: &[ROLLOUT, OUTPUT, FILES, SELECTOR],
        run: history::history,
    },
    Verb {
        path: "rollout undo",
        aliases: &[],
        usage: "(TYPE NAME | TYPE/NAME) [flags]",
        help: "Undo a previous rollout",
        group: DEPLOY,
        flags: &[TO_REVISION, OUTPUT, FILES, DRY_RUN, SELECTOR],
        run: history::undo,
    },
    Verb {
        path: "rollout restart",
        aliases: &[],
        usage: "RESOURCE",
        help: "Restart a resource",
        group: DEPLOY,
        flags: &[OUTPUT, FILES, MANAGER, SELECTOR],
        run: rollout::restart,
    },
    Verb {
        path: "rollout pause",
        aliases: &[],
        usage: "RESOURCE",
        help: "Mark the provided resource as paused",
        group: DEPLOY,
        flags: &[OUTPUT, FILES, MANAGER, SELECTOR],
        run: rollout::pause,
    },
    Verb {
        path: "rollout resume",
        aliases: &[],
        usage: "RESOURCE",
        help: "Resume a paused resource",
        group: DEPLOY,
        flags: &[OUTPUT, FILES, MANAGER, SELECTOR],
        run: rollout::resume,
    },
    Verb {
        path: "set image",
        aliases: &[],
        usage: "(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
        help: "Update the image of a pod template",
        group: BASIC,
        flags: &[
            OUTPUT,
            FILES,
            DRY_RUN,
            MANAGER,
            SELECTOR,
            ALL,
            &[switch("local", "Do not ask the server")],
        ],
        run: set::image,
    },
    Verb {
        path: "set env",
        aliases: &[],
        usage: "RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
        help: "Update environment variables on a pod template",
        group: BASIC,
        flags: &[ENV, OUTPUT, FILES, DRY_RUN, SELECTOR, ALL],
        run: set_env::env,
    },
    Verb {
        path: "set resources",
        aliases: &[],
        usage: "(-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]",
        help: "Update resource requests/limits on objects with pod templates",
        group: BASIC,
        flags: &[RESOURCES, OUTPUT, FILES, DRY_RUN, MANAGER, SELECTOR, ALL],
        run: set::resources,
    },
    Verb {
        path: "set selector",
        aliases: &[],
        usage: "(-f FILENAME | TYPE NAME) EXPRESSIONS",
        help: "Set the selector on a resource",
        group: BASIC,
        flags: &[
            OUTPUT,
            FILES,
            DRY_RUN,
            MANAGER,
            ALL,
            &[
                switch("local", "Do not ask the server"),
                value("resource-version", "Only at this version"),
            ],
        ],
        run: set::selector,
    },
    Verb {
        path: "set serviceaccount",
        aliases: &["sa"],
        usage: "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
        help: "Update the service account of a resource",
        group: BASIC,
        flags: &[OUTPUT, FILES, DRY_RUN, MANAGER, ALL, &[switch("local", "Do not ask the server")]],
        run: set::service_account,
    },
    Verb {
        path: "wait",
        aliases: &[],
        usage: "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=...]",
        help: "Wait for a specific condition on one or many resources",
        group: ADVANCED,
        flags: &[WAIT, OUTPUT, FILES, SELECTOR, FIELDS, ALL, EVERYWHERE],
        run: wait::wait,
    },
];
