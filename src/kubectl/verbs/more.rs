//! Commands that courses name seldom.

use super::super::commands::{attach, certificate, cp, debug, kuberc, local, proxy, set};
use super::super::kustomize;
use super::{
    ADVANCED, ALL, DRY_RUN, FILES, Flag, MANAGER, OUTPUT, SELECTOR, SETTINGS, TROUBLE, Verb, int,
    list, switch, time_span, value,
};

const STREAMS: &[Flag] = &[
    switch("stdin", "Pass standard input").short('i'),
    switch("tty", "Standard input is a terminal").short('t'),
    switch("quiet", "Print only what the container prints").short('q'),
    value("container", "Which container").short('c'),
];

const DEBUG: &[Flag] = &[
    switch("attach", "Attach to the container"),
    switch("arguments-only", "What follows are arguments, not the command"),
    switch("keep-annotations", "Keep the annotations of the pod that is copied"),
    switch("keep-init-containers", "Keep the init containers of the pod that is copied")
        .default("true"),
    switch("keep-labels", "Keep the labels of the pod that is copied"),
    switch("keep-liveness", "Keep the liveness probes of the pod that is copied"),
    switch("keep-readiness", "Keep the readiness probes of the pod that is copied"),
    switch("keep-startup", "Keep the startup probes of the pod that is copied"),
    switch("replace", "Delete the pod that is copied"),
    switch("same-node", "On the node of the pod that is copied"),
    switch("share-processes", "Share processes between the containers").default("true"),
    value("copy-to", "Name of a copy of the pod"),
    value("custom", "File with fields of the container"),
    value("image", "The image of the container"),
    value("image-pull-policy", "Always, IfNotPresent or Never"),
    value("profile", "general, baseline, restricted, netadmin, sysadmin or legacy")
        .default("general"),
    list("set-image", "CONTAINER=IMAGE of the copy, * for all"),
    value("target", "The container whose processes are to be seen"),
    list("env", "KEY=VALUE, may be repeated"),
];

const CERTIFICATE: &[&[Flag]] = &[OUTPUT, FILES, &[switch("force", "Even if it is done already")]];

pub(super) const VERBS: &[Verb] = &[
    Verb {
        path: "attach",
        aliases: &[],
        usage: "(POD | TYPE/NAME) -c CONTAINER",
        help: "Attach to a running container",
        group: TROUBLE,
        flags: &[
            STREAMS,
            &[time_span("pod-running-timeout", "How long to wait for a pod").default("1m0s")],
        ],
        run: attach::attach,
    },
    Verb {
        path: "proxy",
        aliases: &[],
        usage: "[--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]",
        help: "Run a proxy to the Kubernetes API server",
        group: TROUBLE,
        flags: &[&[
            value("accept-hosts", "Expressions for hosts that are let through")
                .default("^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$"),
            value("accept-paths", "Expressions for paths that are let through").default("^.*"),
            value("address", "The address to listen on").default("127.0.0.1"),
            value("api-prefix", "The path below which the API is").default("/"),
            switch("append-server-path", "Append the path of the context's server"),
            switch("disable-filter", "Let everything through"),
            time_span("keepalive", "How long a connection is kept").default("0s"),
            int("port", "The port to listen on, 0 for any").short('p').default("8001"),
            value("reject-methods", "Expressions for methods that are not let through")
                .default("^$"),
            value("reject-paths", "Expressions for paths that are not let through")
                .default("^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach"),
            value("unix-socket", "A socket to listen on").short('u'),
            value("www", "A folder with files to serve too").short('w'),
            value("www-prefix", "The path below which these are").short('P').default("/static/"),
        ]],
        run: proxy::proxy,
    },
    Verb {
        path: "cp",
        aliases: &[],
        usage: "<file-spec-src> <file-spec-dest>",
        help: "Copy files and directories to and from containers",
        group: TROUBLE,
        flags: &[&[
            value("container", "Which container").short('c'),
            switch("no-preserve", "Not the owner and the permissions"),
            int("retries", "How often to try again").default("0"),
        ]],
        run: cp::cp,
    },
    Verb {
        path: "debug",
        aliases: &[],
        usage: "(POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]",
        help: "Create debugging sessions for troubleshooting workloads and nodes",
        group: TROUBLE,
        flags: &[STREAMS, DEBUG, FILES],
        run: debug::debug,
    },
    Verb {
        path: "kuberc view",
        aliases: &[],
        usage: "",
        help: "Display the current kuberc configuration",
        group: "",
        flags: &[OUTPUT],
        run: kuberc::view,
    },
    Verb {
        path: "kuberc set",
        aliases: &[],
        usage: "--section (defaults|aliases) --command COMMAND",
        help: "Set values in the kuberc configuration",
        group: "",
        flags: &[&[
            value("section", "defaults, aliases or credentialplugin").required(),
            value("command", "The command: get, create, set env"),
            value("name", "The alias"),
            value("policy", "AllowAll, DenyAll or Allowlist"),
            list("option", "FLAG=VALUE, may be repeated"),
            list("prependarg", "What stands before the alias' own arguments"),
            list("appendarg", "What stands behind them"),
            list("allowlist-entry", "command=COMMAND, may be repeated"),
            switch("overwrite", "Even if there is such an entry"),
        ]],
        run: kuberc::set,
    },
    Verb {
        path: "kustomize",
        aliases: &[],
        usage: "DIR [flags]",
        help: "Build a kustomization target from a directory or URL",
        group: ADVANCED,
        flags: &[],
        run: kustomize::kustomize,
    },
    Verb {
        path: "completion",
        aliases: &[],
        usage: "SHELL",
        help: "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)",
        group: SETTINGS,
        flags: &[],
        run: local::completion,
    },
    Verb {
        path: "alpha",
        aliases: &[],
        usage: "",
        help: "Commands for features in alpha",
        group: "",
        flags: &[],
        run: local::alpha,
    },
    Verb {
        path: "plugin list",
        aliases: &[],
        usage: "[flags]",
        help: "List all visible plugin executables on a user's PATH",
        group: "",
        flags: &[&[switch("name-only", "Names without paths")]],
        run: local::plugins,
    },
    Verb {
        path: "certificate approve",
        aliases: &[],
        usage: "(-f FILENAME | NAME)",
        help: "Approve a certificate signing request",
        group: "",
        flags: CERTIFICATE,
        run: certificate::approve,
    },
    Verb {
        path: "certificate deny",
        aliases: &[],
        usage: "(-f FILENAME | NAME)",
        help: "Deny a certificate signing request",
        group: "",
        flags: CERTIFICATE,
        run: certificate::deny,
    },
    Verb {
        path: "set subject",
        aliases: &[],
        usage: "(-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
        help: "Update the user, group, or service account in a role binding or cluster role binding",
        group: "",
        flags: &[
            OUTPUT,
            FILES,
            DRY_RUN,
            MANAGER,
            SELECTOR,
            ALL,
            &[
                switch("local", "Do not ask the server"),
                list("user", "Users, may be repeated"),
                list("group", "Groups, may be repeated"),
                list("serviceaccount", "NAMESPACE:NAME, may be repeated"),
            ],
        ],
        run: set::subject,
    },
];
