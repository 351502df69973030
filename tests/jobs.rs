//! Jobs typed into a console: what is counted, what is left, and how policies end them.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// Applies a Job of this specification (without its braces) whose container runs a script.
fn job(room: &mut Room, name: &str, spec: &str, script: &str) {
    room.apply(&format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec: {{{spec}, template: \
         {{spec: {{restartPolicy: Never, containers: [{{name: c, image: 'busybox:1.36', command: \
         [sh, -c, '{script}']}}]}}}}}}"
    ));
}

/// How a Job's counts stand: succeeded, failed, active; empty where absent.
fn counts(room: &mut Room, job: &str) -> [String; 3] {
    [".status.succeeded", ".status.failed", ".status.active"]
        .map(|path| room.field(&format!("job {job}"), path))
}

/// The reasons of a Job's conditions.
fn reasons(room: &mut Room, job: &str) -> String {
    let path = "{range .status.conditions[*]}{.type}={.reason} {end}";
    room.done(&format!("kubectl get job {job} -o jsonpath='{path}'"))
}

#[test]
fn what_a_job_itself_stops_has_failed_or_does_not_count_and_never_succeeded() {
    let mut room = Room::new();
    job(&mut room, "late", "activeDeadlineSeconds: 4", "sleep 1000");
    job(&mut room, "fewer", "completions: 6, parallelism: 4", "sleep 1000");
    job(&mut room, "paused", "completions: 2, parallelism: 2", "sleep 1000");
    room.done("sleep 3");
    room.done("kubectl patch job fewer -p '{\"spec\":{\"parallelism\":2}}'");
    room.done("kubectl patch job paused -p '{\"spec\":{\"suspend\":true}}'");
    room.done("sleep 60");
    assert_eq!(counts(&mut room, "late"), ["", "1", ""]);
    assert_eq!(
        reasons(&mut room, "late"),
        "FailureTarget=DeadlineExceeded Failed=DeadlineExceeded"
    );
    assert_eq!(counts(&mut room, "fewer"), ["", "", "2"]);
    assert_eq!(counts(&mut room, "paused"), ["", "", ""]);
    assert_eq!(reasons(&mut room, "paused"), "Suspended=JobSuspended");
    assert_eq!(room.field("job paused", ".status.startTime"), "");
    let left = room.done("kubectl get pods -o name");
    assert_eq!(left.lines().count(), 2, "{left}");
}

#[test]
fn a_pod_that_failed_is_replaced_after_the_back_off_even_if_nothing_is_left_of_it() {
    let mut room = Room::new();
    job(&mut room, "one", "backoffLimit: 6", "exit 1");
    room.done("sleep 3");
    assert_eq!(counts(&mut room, "one"), ["", "1", ""]);
    // The record of the failure is the controller's, not the pod's.
    room.done("kubectl delete pods --all");
    room.done("sleep 5");
    assert_eq!(room.done("kubectl get pods -o name"), "");
    room.done("sleep 4");
    assert_eq!(room.done("kubectl get pods -o name").lines().count(), 1);
    assert_eq!(counts(&mut room, "one"), ["", "2", ""]);
}

#[test]
fn pods_of_a_deleted_job_are_gone_and_so_is_its_namespace() {
    let mut room = Room::new();
    room.done("kubectl create namespace x");
    for (name, flags) in [("a", ""), ("b", "--cascade=foreground"), ("c", "--cascade=orphan")] {
        room.done(&format!("kubectl create job {name} -n x --image=busybox:1.36 -- sleep 1000"));
        room.done("sleep 2");
        room.done(&format!("kubectl delete job {name} -n x {flags} --timeout=60s"));
    }
    room.done("sleep 40");
    let pods = room.done("kubectl get pods -n x -o jsonpath='{range .items[*]}{.metadata.generateName}{.metadata.finalizers}{end}'");
    assert_eq!(pods, "c-");
    room.done("kubectl delete namespace x --timeout=60s");
}

/// Models pkg/apis/batch/v1/defaults.go SetDefaults_Job.
#[test]
fn a_job_has_the_labels_of_its_pods() {
    let mut room = Room::new();
    room.done("kubectl create job a --image=busybox:1.36");
    let labels = room.field("job a", ".metadata.labels");
    assert_eq!(labels, room.field("job a", ".spec.template.metadata.labels"));
    assert!(labels.contains("\"batch.kubernetes.io/job-name\":\"a\""), "{labels}");
}

/// Texts from pkg/controller/job/pod_failure_policy.go and staging/src/k8s.io/api/batch/v1/types.go.
#[test]
fn a_failure_policy_ends_a_job_at_the_first_pod_that_a_rule_names() {
    let mut room = Room::new();
    let rule = "{action: FailJob, onExitCodes: {operator: In, values: [42]}}";
    job(&mut room, "j", &format!("podFailurePolicy: {{rules: [{rule}]}}"), "exit 42");
    room.done("sleep 5");
    assert_eq!(counts(&mut room, "j"), ["", "1", ""]);
    assert_eq!(reasons(&mut room, "j"), "FailureTarget=PodFailurePolicy Failed=PodFailurePolicy");
    let pod = room.field("pods", ".items[*].metadata.name");
    let message = room.field("job j", ".status.conditions[1].message");
    let expected = format!(
        "Container c for pod default/{pod} failed with exit code 42 matching FailJob rule at index 0"
    );
    assert_eq!(message, expected);
}

#[test]
fn a_failure_that_is_to_be_ignored_is_made_up_for_without_being_counted() {
    let mut room = Room::new();
    let rule = "{action: Ignore, onExitCodes: {operator: In, values: [3]}}";
    job(
        &mut room,
        "j",
        &format!("backoffLimit: 0, podFailurePolicy: {{rules: [{rule}]}}"),
        "exit 3",
    );
    room.done("sleep 15");
    assert_eq!(counts(&mut room, "j"), ["", "", ""]);
    assert_eq!(room.done("kubectl get pods -o name").lines().count(), 2);
    assert_eq!(reasons(&mut room, "j"), "");
}

#[test]
fn a_pod_that_is_to_be_replaced_once_it_has_failed_holds_its_place_until_then() {
    let mut room = Room::new();
    job(&mut room, "soon", "podReplacementPolicy: TerminatingOrFailed", "sleep 1000");
    job(&mut room, "late", "podReplacementPolicy: Failed", "sleep 1000");
    room.done("sleep 3");
    for job in ["soon", "late"] {
        let pod = room.field(&format!("pods -l job-name={job}"), ".items[0].metadata.name");
        room.done(&format!("kubectl annotate pod {pod} test.sim/term-seconds=20"));
        room.done(&format!("kubectl delete pod {pod} --wait=false"));
    }
    room.done("sleep 13");
    let pods = |room: &mut Room, job: &str| {
        room.done(&format!("kubectl get pods -l job-name={job} -o name")).lines().count()
    };
    assert_eq!((pods(&mut room, "soon"), pods(&mut room, "late")), (2, 1));
    assert_eq!(room.field("job late", ".status.terminating"), "1");
}

/// Texts from pkg/controller/job/job_controller.go.
#[test]
fn each_index_has_its_own_limit_and_its_own_back_off() {
    let mut room = Room::new();
    let spec = "completionMode: Indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 1";
    job(&mut room, "bi", spec, "exit 1");
    job(&mut room, "most", &format!("{spec}, maxFailedIndexes: 0"), "sleep 1; exit 1");
    room.done("sleep 16");
    let failures = room.field(
        "pods -l job-name=bi",
        ".items[*].metadata.annotations.batch\\.kubernetes\\.io/job-index-failure-count",
    );
    let mut failures: Vec<&str> = failures.split(' ').collect();
    diorama::base::order::sort(&mut failures);
    assert_eq!(failures, ["0", "0", "1", "1"]);
    assert_eq!(counts(&mut room, "bi"), ["", "4", ""]);
    assert_eq!(room.field("job bi", ".status.failedIndexes"), "0,1");
    assert_eq!(reasons(&mut room, "bi"), "FailureTarget=FailedIndexes Failed=FailedIndexes");
    let reason = "MaxFailedIndexesExceeded";
    assert_eq!(reasons(&mut room, "most"), format!("FailureTarget={reason} Failed={reason}"));
    let finalizers = room.field("pods", ".items[*].metadata.finalizers");
    assert_eq!(finalizers, "");
}

#[test]
fn a_success_policy_ends_a_job_while_other_pods_still_run() {
    let mut room = Room::new();
    let rule = "{succeededIndexes: \"0\"}";
    let spec = format!(
        "completionMode: Indexed, completions: 3, parallelism: 1, \
         successPolicy: {{rules: [{rule}]}}"
    );
    job(&mut room, "sp", &spec, "sleep 10");
    room.done("sleep 5");
    room.done("kubectl patch job sp -p '{\"spec\":{\"parallelism\":3}}'");
    room.done("sleep 8");
    assert_eq!(counts(&mut room, "sp"), ["1", "", ""]);
    room.done("sleep 40");
    assert_eq!(reasons(&mut room, "sp"), "SuccessCriteriaMet=SuccessPolicy Complete=SuccessPolicy");
    assert_eq!(room.field("job sp", ".status.conditions[1].message"), "Matched rules at index 0");
    assert_eq!(room.done("kubectl get pods -o name").lines().count(), 1);
}

#[test]
fn a_job_that_cannot_make_pods_says_so_ever_more_seldom() {
    let mut room = Room::new();
    room.done("kubectl create quota none --hard=pods=0");
    room.done("kubectl create job j --image=busybox:1.36");
    room.done("sleep 64");
    // After 0, 1, 3, 7, 15, 31 and 63 seconds.
    let events = room.events("reason=FailedCreate");
    let count =
        |line: &String| line.split([' ', ':']).nth(1)?.strip_prefix('x')?.parse::<i64>().ok();
    let total: i64 = events.iter().filter_map(count).sum();
    assert_eq!(total, 7, "{events:?}");
    assert_eq!(counts(&mut room, "j"), ["", "", ""]);
}
