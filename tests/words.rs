//! Commands typed wrong and right: the words are those of a real kubectl 1.36.3.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// Each line, and what it prints however it ends.
fn says(room: &mut Room, lines: &[(&str, &str)]) {
    for (line, wanted) in lines {
        assert_eq!(room.run(line).trim_end(), *wanted, "{line}");
    }
}

const PART: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// Models K/cmd/label/label.go and annotate/annotate.go.
#[test]
fn labels_are_read_before_anybody_is_asked() {
    let mut room = Room::new();
    room.done("kubectl create cm solo");
    room.done("kubectl create cm other");
    let lines = [
        ("kubectl label cm solo run=x a=1", "configmap/solo labeled"),
        ("kubectl label cm solo b=1 run-", "configmap/solo modified"),
        (
            "kubectl label cm solo nosuch-",
            "label \"nosuch\" not found.\nconfigmap/solo not labeled",
        ),
        ("kubectl label cm -l nomatch=y z=w", ""),
        ("kubectl label cm solo a=b=c", "error: invalid label spec: a=b=c"),
        (
            "kubectl label cm solo a='b c'",
            "error: invalid label value: \"a=b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
        ("kubectl label cm solo --list", "a=1\nb=1"),
        ("kubectl label cm solo other x=y", "configmap/solo labeled\nconfigmap/other labeled"),
        (
            "kubectl label cm --list -l x=y",
            "Listing labels for ConfigMap./other:\n x=y\nListing labels for ConfigMap./solo:\n a=1\n b=1\n x=y",
        ),
        (
            "kubectl label cm solo --list -o yaml",
            "error: --list and --output may not be specified together",
        ),
        (
            "kubectl label cm --all -l a=b c=d",
            "error: cannot set --all and --selector at the same time",
        ),
        (
            "kubectl label cm solo a=2 --resource-version=1",
            "error: 'a' already has a value (1), and --overwrite is false",
        ),
        (
            "kubectl label cm solo c=2 --resource-version=1",
            "Error from server (Conflict): Operation cannot be fulfilled on configmaps \"solo\": the object has been modified; please apply your changes to the latest version and try again",
        ),
        (
            "kubectl annotate cm solo n=1 n-",
            "error: can not both modify and remove the following annotation(s) in the same command: n",
        ),
        (
            "kubectl label cm solo n=1 n-",
            "error: can not both modify and remove a label in the same command",
        ),
    ];
    says(&mut room, &lines);
}

/// Models K/cmd/taint/taint.go and utils.go.
#[test]
fn taints_are_read_before_anybody_is_asked() {
    let mut room = Room::new();
    let see = "\nSee 'kubectl taint -h' for help and examples";
    let no_effect = format!("error: invalid taint spec: k=v, name part {PART}{see}");
    let no_key = format!(
        "error: invalid taint spec: =v:NoSchedule, name part must be non-empty; name part {PART}{see}"
    );
    let twice = format!(
        "error: duplicated taints with the same key and effect: {{a c NoSchedule <nil>}}{see}"
    );
    let effect = format!("error: invalid taint effect: Foo, unsupported taint effect{see}");
    let lines = [
        ("kubectl taint nodes node-1 k=v:NoSchedule", "node/node-1 tainted"),
        (
            "kubectl taint nodes node-1 k=w:NoSchedule",
            "error: node node-1 already has k taint(s) with same effect(s) and --overwrite is false",
        ),
        ("kubectl taint nodes node-1 k=w:NoSchedule --overwrite", "node/node-1 modified"),
        ("kubectl taint nodes node-1 k=v", &no_effect),
        ("kubectl taint nodes node-1 k=v:Foo", &effect),
        ("kubectl taint nodes node-1 =v:NoSchedule", &no_key),
        (
            "kubectl taint nodes node-1 k=v:NoSchedule k-",
            "error: can not both modify and remove the following taint(s) in the same command: k=",
        ),
        ("kubectl taint nodes node-1 a=b:NoSchedule a=c:NoSchedule", &twice),
        (
            "kubectl taint node/node-1 k=v:NoSchedule",
            "the server doesn't have a resource type \"node/node-1\"",
        ),
        ("kubectl taint nodes node-1 a=b:NoSchedule --dry-run=client", "node/node-1 tainted"),
        ("kubectl taint nodes node-1 a=b:NoExecute k-", "node/node-1 modified"),
        ("kubectl taint nodes node-1 k-", "error: taint \"k\" not found"),
        ("kubectl taint nodes node-1 k:NoExecute-", "error: taint \"k:NoExecute\" not found"),
        ("kubectl taint nodes node-1 a-", "node/node-1 untainted"),
        (
            "kubectl taint nodes --all -l a=b c=d:NoSchedule",
            "error: setting 'all' parameter with a non empty selector is prohibited",
        ),
        (
            "kubectl cordon node-1 -l x=y",
            "error: cannot specify both a node name and a --selector option\nSee 'kubectl cordon -h' for help and examples",
        ),
    ];
    says(&mut room, &lines);
}

/// Models K/cmd/wait/wait.go and condition.go.
#[test]
fn what_waits_for_several_shares_one_time() {
    let mut room = Room::new();
    room.done("kubectl run bad --image=nginx:nonexistent");
    room.done("kubectl run good --image=nginx");
    room.done("idle 5");
    let lines = [
        ("kubectl wait pod/good", "error: unrecognized condition: []"),
        ("kubectl wait pod/good --for=foo", "error: unrecognized condition: \"foo\""),
        ("kubectl wait pod/good --for=condition=Ready", "pod/good condition met"),
        (
            "kubectl wait pod/good --for=condition=Ready --for=jsonpath='{.status.phase}'=Running",
            "pod/good condition met\npod/good condition met",
        ),
        (
            "kubectl wait pod/bad --for=condition=Ready --timeout=0",
            "error: condition not met for pods/bad",
        ),
        (
            "kubectl wait pods --all --for=condition=Ready --timeout=1s",
            "timed out waiting for the condition on pods/bad\ntimed out waiting for the condition on pods/good",
        ),
        (
            "kubectl wait pod/nosuch --for=create --timeout=1s",
            "error: timed out waiting for the condition",
        ),
        ("kubectl wait pod/nosuch --for=delete", ""),
        (
            "kubectl wait pod/nosuch --for=condition=Ready",
            "Error from server (NotFound): pods \"nosuch\" not found",
        ),
        ("kubectl scale rs --replicas=1 -l a=b", "error: no objects passed to scale"),
    ];
    says(&mut room, &lines);
}

/// Models K/scale/scale.go PreconditionError.
#[test]
fn who_scales_can_say_what_it_must_be_before() {
    let mut room = Room::new();
    room.done("kubectl create deployment web --image=nginx --replicas=2");
    let said = room.failed("kubectl scale deploy web --replicas=1 --resource-version=3");
    assert!(said.starts_with("error: Expected resource version to be 3, was "), "{said}");
    let said = room.failed("kubectl scale deploy web --replicas=1 --current-replicas=5");
    assert_eq!(said, "error: Expected replicas to be 5, was 2\n");
}

/// Models K/cmd/config and client-go/tools/clientcmd.
const CONTEXTS: &[(&str, &str)] = &[
    (
        "kubectl config set-context dev --cluster=diorama --user=diorama --namespace=kube-system",
        "Context \"dev\" created.",
    ),
    (
        "kubectl config get-contexts",
        "CURRENT   NAME      CLUSTER   AUTHINFO   NAMESPACE\n          dev       diorama   diorama    kube-system\n*         diorama   diorama   diorama",
    ),
    (
        "kubectl config get-contexts nosuch",
        "CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\nerror: context nosuch not found",
    ),
    ("kubectl config get-contexts -o name", "dev\ndiorama"),
    ("kubectl config use-context dev", "Switched to context \"dev\"."),
    ("kubectl config current-context", "dev"),
    ("kubectl get sa default -o jsonpath='{.metadata.namespace}'", "kube-system"),
    ("kubectl config set-context dev --namespace=default", "Context \"dev\" modified."),
    ("kubectl config set-context --current --namespace=kube-public", "Context \"dev\" modified."),
    ("kubectl config view --minify -o jsonpath='{..namespace}'", "kube-public"),
    ("kubectl config rename-context dev test", "Context \"dev\" renamed to \"test\"."),
    (
        "kubectl config rename-context nosuch x",
        "error: cannot rename the context \"nosuch\", it's not in /home/student/.kube/config",
    ),
    ("kubectl config use-context nosuch", "error: no context exists with the name: \"nosuch\""),
    ("kubectl config use-context diorama", "Switched to context \"diorama\"."),
    ("kubectl get sa default -o jsonpath='{.metadata.namespace}'", "default"),
    ("kubectl get sa default --context=test -o jsonpath='{.metadata.namespace}'", "kube-public"),
    (
        "kubectl get cm --context=foo",
        "Error in configuration: context was not found for specified context: foo",
    ),
    ("kubectl get cm --cluster=foo", "error: no server found for cluster \"foo\""),
    ("kubectl get cm --user=foo", "error: auth info \"foo\" does not exist"),
    ("kubectl get cm --kubeconfig=nosuch", "error: stat nosuch: no such file or directory"),
    (
        "kubectl get cm --request-timeout=x",
        "error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
    ),
    ("kubectl config delete-context test", "deleted context test from /home/student/.kube/config"),
    (
        "kubectl config delete-context test",
        "error: cannot delete context test, not in /home/student/.kube/config",
    ),
    (
        "kubectl config delete-context diorama",
        "deleted context diorama from /home/student/.kube/config\nwarning: this removed your active context, use \"kubectl config use-context\" to select a different one",
    ),
    (
        "kubectl get cm",
        "Error in configuration: context was not found for specified context: diorama",
    ),
    (
        "kubectl config set-context diorama --cluster=diorama --user=diorama",
        "Context \"diorama\" created.",
    ),
    ("kubectl config get-users", "NAME\ndiorama"),
    ("kubectl config set-context", "error: you must specify a non-empty context name or --current"),
    ("kubectl config set contexts.foo.namespace bar", "Property \"contexts.foo.namespace\" set."),
    ("kubectl config unset contexts.foo.namespace", "Property \"contexts.foo.namespace\" unset."),
    ("kubectl config set-cluster c2 --server=https://1.2.3.4", "Cluster \"c2\" set."),
    ("kubectl config delete-cluster c2", "deleted cluster c2 from /home/student/.kube/config"),
];

#[test]
fn contexts_are_made_used_and_renamed() {
    says(&mut Room::new(), CONTEXTS);
}

/// Models K/cmd/logs, exec, events and run.
#[test]
fn logs_and_runs_are_refused_in_their_own_words() {
    let mut room = Room::new();
    room.done("kubectl create deployment web --image=nginx --replicas=2");
    room.done("kubectl run one --image=busybox --command -- sh -c 'echo hi; sleep 999'");
    room.done("idle 5");
    let see = |verb: &str| format!("\nSee 'kubectl {verb} -h' for help and examples");
    let both = format!("error: only a selector (-l) or a POD name is allowed{}", see("logs"));
    let twice =
        format!("error: only one of -c or an inline [CONTAINER] arg is allowed{}", see("logs"));
    let dashes = format!(
        "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead{}",
        see("exec")
    );
    let attached = format!("error: --rm should only be used for attached containers{}", see("run"));
    let dry = format!(
        "error: --dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty){}",
        see("run")
    );
    let policy = format!("error: invalid image pull policy: Foo{}", see("run"));
    let lines = [
        (
            "kubectl logs nosuch",
            "error: error from server (NotFound): pods \"nosuch\" not found in namespace \"default\"",
        ),
        (
            "kubectl logs deploy/nosuch",
            "error: error from server (NotFound): deployments.apps \"nosuch\" not found in namespace \"default\"",
        ),
        ("kubectl logs one one", "hi"),
        ("kubectl logs one nosuch", "error: container nosuch is not valid for pod one out of: one"),
        ("kubectl logs one one -c one", &twice),
        ("kubectl logs one -l a=b", &both),
        ("kubectl logs -l app=nosuch", "No resources found in default namespace."),
        (
            "kubectl logs one --since=1x",
            "error: invalid argument \"1x\" for \"--since\" flag: time: unknown unit \"x\" in duration \"1x\"\nSee 'kubectl logs --help' for usage.",
        ),
        ("kubectl exec one ls", &dashes),
        ("kubectl events --types=Foo", "error: valid --types are Normal or Warning"),
        ("kubectl events --for one", "error: --for must be in resource/name form"),
        (
            "kubectl run b --image='bad image'",
            "error: Invalid image name \"bad image\": invalid reference format",
        ),
        (
            "kubectl run b --image=nginx --port=abc",
            "error: strconv.Atoi: parsing \"abc\": invalid syntax",
        ),
        ("kubectl run b --image=nginx --rm", &attached),
        ("kubectl run b --image=busybox -it --rm --dry-run=client -o yaml -- sh", &dry),
        ("kubectl run b --image=nginx --image-pull-policy=Foo", &policy),
        (
            "kubectl run b --image=nginx --overrides='{bad' --dry-run=client",
            "error: Invalid JSON Patch",
        ),
        ("kubectl get pod b", "Error from server (NotFound): pods \"b\" not found"),
    ];
    says(&mut room, &lines);
    let said = room.run("kubectl logs deploy/web --tail=1");
    assert!(said.contains("Found 2 pods, using pod/web-"), "{said}");
}

/// Models staging/src/k8s.io/cli-runtime/pkg/genericclioptions/record_flags.go.
#[test]
fn who_records_notes_all_that_is_no_flag_and_then_the_flags() {
    let mut room = Room::new();
    room.done("kubectl create deployment web --image=nginx");
    let cases = [
        (
            "kubectl set image deploy/web nginx=nginx:1.28 --record",
            "deployment.apps/web image updated",
            "kubectl set image deploy/web nginx=nginx:1.28 --record=true",
        ),
        (
            "kubectl -n default scale deploy web --replicas=3 --record",
            "deployment.apps/web scaled",
            "kubectl scale deploy web --namespace=default --replicas=3 --record=true",
        ),
        (
            "kubectl patch deploy web --record -p '{\"spec\":{\"minReadySeconds\":1}}'",
            "deployment.apps/web patched",
            "kubectl patch deploy web --record=true --patch={\"spec\":{\"minReadySeconds\":1}}",
        ),
        (
            "kubectl label deploy web a=b --record",
            "deployment.apps/web labeled",
            "kubectl label deploy web a=b --record=true",
        ),
        // Whoever turns it off leaves what is there.
        (
            "kubectl annotate deploy web x=y --record=false",
            "deployment.apps/web annotated",
            "kubectl label deploy web a=b --record=true",
        ),
    ];
    for (line, said, noted) in cases {
        let warned = "Flag --record has been deprecated, --record will be removed in the future";
        assert_eq!(room.run(line), format!("{said}\n{warned}\n"), "{line}");
        let path = ".metadata.annotations.kubernetes\\.io/change-cause";
        assert_eq!(room.field("deploy web", path), noted, "{line}");
    }
    // Not every command can.
    for line in ["rollout restart deploy web", "set env deploy web A=1", "replace -f x.yaml"] {
        let told = room.failed(&format!("kubectl {line} --record"));
        assert!(told.starts_with("error: unknown flag: --record\n"), "{told}");
    }
}
