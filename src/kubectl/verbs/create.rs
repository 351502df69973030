//! Commands that make new objects.

use super::super::commands::{apply, create, expose, run};
use super::{
    BASIC, DELETING, DRY_RUN, FILES, Flag, MANAGER, OUTPUT, SAVE, SELECTOR, VALIDATE, Verb, int,
    list, pairs, switch, time_span, value,
};

const OVERRIDE_TYPE: Flag = value("override-type", "json, merge or strategic").default("merge");

const RUN: &[Flag] = &[
    value("image", "The image of the container").required(),
    value("port", "The port that the container opens"),
    list("env", "KEY=VALUE, may be repeated"),
    value("labels", "Labels of the pod").short('l'),
    list("annotations", "Annotation of the pod, may be repeated"),
    value("restart", "Always, OnFailure or Never").default("Always"),
    value("image-pull-policy", "Always, IfNotPresent or Never"),
    value("overrides", "JSON that changes the object"),
    OVERRIDE_TYPE,
    time_span("pod-running-timeout", "How long to wait for the pod").default("1m0s"),
    switch("command", "What follows is the command, not its arguments"),
    switch("expose", "Make a Service too"),
    switch("rm", "Delete the pod when it is done"),
    switch("wait", "Wait for the deleted pod to be gone"),
    switch("attach", "Attach to the pod"),
    switch("stdin", "Keep standard input open").short('i'),
    switch("tty", "Standard input is a terminal").short('t'),
    switch("quiet", "Say less").short('q'),
    switch("privileged", "Run in privileged mode"),
    switch("leave-stdin-open", "Keep standard input open after the first session"),
];

const EXPOSE: &[Flag] = &[
    value("port", "The port of the Service"),
    value("target-port", "Name or number of the container's port"),
    value("protocol", "TCP, UDP or SCTP"),
    value("type", "ClusterIP, NodePort, LoadBalancer or ExternalName"),
    value("name", "Name of the Service"),
    value("selector", "Which pods"),
    value("labels", "Labels of the Service").short('l'),
    value("cluster-ip", "Address of the Service"),
    value("external-ip", "Another address"),
    value("load-balancer-ip", "Address of the load balancer"),
    value("session-affinity", "None or ClientIP"),
    value("overrides", "JSON that changes the object"),
    OVERRIDE_TYPE,
];

const SOURCES: &[Flag] = &[
    list("from-literal", "KEY=VALUE, may be repeated"),
    list("from-file", "[KEY=]FILE, may be repeated"),
    list("from-env-file", "A file of KEY=VALUE lines"),
];

const HASH: &[Flag] = &[switch("append-hash", "Append a hash to the name")];

const PORTS: &[Flag] = &[list("tcp", "PORT[:TARGET]")];

const RULES: &[Flag] = &[
    list("verb", "get, list, …"),
    list("resource", "pods, deployments.apps, …"),
    list("resource-name", "Only objects of this name"),
];

const BINDING: &[Flag] = &[
    list("user", "A user, may be repeated"),
    list("group", "A group, may be repeated"),
    list("serviceaccount", "NAMESPACE:NAME, may be repeated"),
];

macro_rules! verb {
    ($path:literal, [$($alias:literal),*], $usage:literal, $help:literal, [$($flags:expr),*], $run:expr) => {
        Verb {
            path: $path,
            aliases: &[$($alias),*],
            usage: $usage,
            help: $help,
            group: "",
            flags: &[OUTPUT, DRY_RUN, MANAGER, SAVE, VALIDATE, $($flags),*],
            run: $run,
        }
    };
}

pub(super) const VERBS: &[Verb] = &[
    Verb {
        path: "create",
        aliases: &[],
        usage: "-f FILENAME",
        help: "Create a resource from a file or from stdin",
        group: BASIC,
        flags: &[
            OUTPUT,
            FILES,
            DRY_RUN,
            MANAGER,
            SAVE,
            VALIDATE,
            SELECTOR,
            &[
                switch("edit", "Edit first"),
                value("raw", "URI"),
                switch("windows-line-endings", "End lines as Windows does, for the editor"),
            ],
        ],
        run: apply::create,
    },
    Verb {
        path: "run",
        aliases: &[],
        usage: "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]",
        help: "Run a particular image on the cluster",
        group: BASIC,
        flags: &[RUN, DELETING, OUTPUT, DRY_RUN, MANAGER, SAVE],
        run: run::run,
    },
    Verb {
        path: "expose",
        aliases: &[],
        usage: "(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]",
        help: "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
        group: BASIC,
        flags: &[EXPOSE, OUTPUT, FILES, DRY_RUN, MANAGER, SAVE],
        run: expose::expose,
    },
    verb!(
        "create deployment",
        ["deploy"],
        "NAME --image=image -- [COMMAND] [args...]",
        "Create a deployment with the specified name",
        [&[
            list("image", "Image, may be repeated").required(),
            int("replicas", "How many pods").small().short('r').default("1"),
            int("port", "The port that the container opens").small().default("-1")
        ]],
        create::deployment
    ),
    verb!(
        "create namespace",
        ["ns"],
        "NAME",
        "Create a namespace with the specified name",
        [],
        create::namespace
    ),
    verb!(
        "create configmap",
        ["cm"],
        "NAME [--from-file=[key=]source] [--from-literal=key1=value1]",
        "Create a config map from a local file, directory or literal value",
        [SOURCES, HASH],
        create::config_map
    ),
    verb!(
        "create secret generic",
        [],
        "NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1]",
        "Create a secret from a local file, directory, or literal value",
        [SOURCES, HASH, &[value("type", "The type of the secret")]],
        create::secret_generic
    ),
    verb!(
        "create secret tls",
        [],
        "NAME --cert=path/to/cert/file --key=path/to/key/file",
        "Create a TLS secret",
        [HASH, &[value("cert", "File with the certificate"), value("key", "File with the key")]],
        create::secret_tls
    ),
    verb!(
        "create secret docker-registry",
        [],
        "NAME --docker-username=user --docker-password=password --docker-email=email",
        "Create a secret for use with a Docker registry",
        [
            HASH,
            &[
                list("from-file", "[KEY=]FILE, may be repeated"),
                value("docker-username", "User"),
                value("docker-password", "Password"),
                value("docker-email", "Address"),
                value("docker-server", "Registry").default("https://index.docker.io/v1/")
            ]
        ],
        create::secret_docker
    ),
    verb!(
        "create job",
        [],
        "NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
        "Create a job with the specified name",
        [&[value("image", "Image"), value("from", "cronjob/NAME")]],
        create::job
    ),
    verb!(
        "create cronjob",
        ["cj"],
        "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
        "Create a cron job with the specified name",
        [&[
            value("image", "Image").required(),
            value("schedule", "When, in cron's format").required(),
            value("restart", "OnFailure or Never")
        ]],
        create::cron_job
    ),
    verb!(
        "create service clusterip",
        [],
        "NAME [--tcp=<port>:<targetPort>]",
        "Create a ClusterIP service",
        [PORTS, &[value("clusterip", "The address, or None")]],
        create::service
    ),
    verb!(
        "create service nodeport",
        [],
        "NAME [--tcp=port:targetPort]",
        "Create a NodePort service",
        [PORTS, &[int("node-port", "The port on each node")]],
        create::service
    ),
    verb!(
        "create service loadbalancer",
        [],
        "NAME [--tcp=port:targetPort]",
        "Create a LoadBalancer service",
        [PORTS],
        create::service
    ),
    verb!(
        "create service externalname",
        [],
        "NAME --external-name external.name",
        "Create an ExternalName service",
        [PORTS, &[value("external-name", "Another name for the Service").required()]],
        create::service
    ),
    verb!(
        "create ingress",
        ["ing"],
        "NAME --rule=host/path=service:port[,tls[=secret]]",
        "Create an ingress with the specified name",
        [&[
            value("class", "The IngressClass"),
            list("rule", "host/path=service:port[,tls[=secret]], may be repeated"),
            value("default-backend", "service:port"),
            list("annotation", "KEY=VALUE, may be repeated")
        ]],
        create::ingress
    ),
    verb!(
        "create quota",
        ["resourcequota"],
        "NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2]",
        "Create a quota with the specified name",
        [&[value("hard", "pods=10,requests.cpu=2"), value("scopes", "BestEffort, Terminating, …")]],
        create::quota
    ),
    verb!(
        "create serviceaccount",
        ["sa"],
        "NAME",
        "Create a service account with the specified name",
        [],
        create::service_account
    ),
    verb!(
        "create role",
        [],
        "NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename]",
        "Create a role with single rule",
        [RULES],
        create::role
    ),
    verb!(
        "create clusterrole",
        [],
        "NAME --verb=verb --resource=resource.group [--resource-name=resourcename]",
        "Create a cluster role",
        [
            RULES,
            &[
                list("non-resource-url", "A path"),
                pairs("aggregation-rule", "Labels of the roles that it collects"),
            ]
        ],
        create::cluster_role
    ),
    verb!(
        "create rolebinding",
        [],
        "NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname]",
        "Create a role binding for a particular role or cluster role",
        [BINDING, &[value("role", "The Role"), value("clusterrole", "The ClusterRole")]],
        create::role_binding
    ),
    verb!(
        "create clusterrolebinding",
        [],
        "NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname]",
        "Create a cluster role binding for a particular cluster role",
        [BINDING, &[value("clusterrole", "The ClusterRole").required()]],
        create::cluster_role_binding
    ),
    verb!(
        "create poddisruptionbudget",
        ["pdb"],
        "NAME --selector=SELECTOR --min-available=N",
        "Create a pod disruption budget with the specified name",
        [&[
            value("selector", "Which pods"),
            value("min-available", "Number or percentage"),
            value("max-unavailable", "Number or percentage")
        ]],
        create::budget
    ),
    verb!(
        "create priorityclass",
        ["pc"],
        "NAME --value=VALUE --global-default=BOOL",
        "Create a priority class with the specified name",
        [&[
            int("value", "The priority").small().default("0"),
            switch("global-default", "For pods without a class"),
            value("description", "When to use it"),
            value("preemption-policy", "PreemptLowerPriority or Never")
                .default("PreemptLowerPriority")
        ]],
        create::priority_class
    ),
    Verb {
        path: "create token",
        aliases: &[],
        usage: "SERVICE_ACCOUNT_NAME",
        help: "Request a service account token",
        group: "",
        flags: &[
            OUTPUT,
            &[
                list("audience", "For whom, may be repeated"),
                time_span("duration", "How long").default("0s"),
                value("bound-object-kind", "Node, Pod or Secret"),
                value("bound-object-name", "Its name"),
                value("bound-object-uid", "Its uid"),
            ],
        ],
        run: create::token,
    },
];
