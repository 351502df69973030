//! `kubectl debug`: containers beside others, copies of pods, pods on nodes.

#![cfg(not(target_arch = "wasm32"))]

mod room;

use room::Room;

fn room() -> Room {
    let mut room = Room::new();
    for line in [
        "kubectl run who --image=traefik/whoami --port=80",
        "kubectl wait --for=condition=Ready pod/who",
    ] {
        room.done(line);
    }
    room
}

/// Models debug.go debugByEphemeralContainer and the kubelet's computePodActions.
#[test]
fn a_container_is_added_to_a_pod_that_runs_on() {
    let mut room = room();
    let said =
        room.done("kubectl debug who --image=busybox:1.36 --target=who -c look -- sleep 1000");
    assert_eq!(
        said,
        "Targeting container \"who\". If you don't see processes from this container it may be because the container runtime doesn't support this feature."
    );
    room.done("sleep 5");
    assert_eq!(room.done("kubectl get pod who --no-headers -o custom-columns=A:.status.phase,B:.status.containerStatuses[0].restartCount"), "Running   0");
    let status = "status.ephemeralContainerStatuses[0]";
    assert_eq!(room.field("pod who", &format!(".{status}.name")), "look");
    assert!(!room.field("pod who", &format!(".{status}.state.running.startedAt")).is_empty());
    assert_eq!(
        room.field("pod who", ".spec.ephemeralContainers[0].securityContext.capabilities.add[0]"),
        "SYS_PTRACE"
    );
    assert_eq!(room.field("pod who", ".spec.ephemeralContainers[0].targetContainerName"), "who");
    let events = room.events("involvedObject.fieldPath=spec.ephemeralContainers{look}");
    let reasons: Vec<&str> = events.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(reasons, ["Pulling", "Pulled", "Created", "Started"]);
    let text = room.done("kubectl describe pod who");
    assert!(text.contains("\nEphemeral Containers:\n  look:\n"), "{text}");
    assert_eq!(
        room.done("kubectl exec who -c look -- wget -qO- http://localhost | grep -c Hostname"),
        "1"
    );
    let names = room.run("kubectl exec who -- sh");
    assert!(
        names.starts_with("Defaulted container \"who\" out of: who, look (ephem)\n"),
        "{names}"
    );
    let again = room.failed("kubectl debug who --image=busybox -c look");
    assert!(
        again.contains("spec.ephemeralContainers[1].name: Duplicate value: \"look\""),
        "{again}"
    );
    let target = room.failed("kubectl debug who --image=busybox -c other --target=nosuch");
    assert!(
        target
            .ends_with("spec.ephemeralContainers[1].targetContainerName: Not found: \"nosuch\"\n"),
        "{target}"
    );
}

/// Who leaves the shell leaves a container that has ended, and a pod that runs.
#[test]
fn a_shell_in_a_new_container_ends_with_it() {
    let mut room = room();
    let text = room.run(
        "echo 'hostname; exit 3' | kubectl debug -i who --image=busybox:1.36 -q -- sh; echo $?",
    );
    assert!(text.starts_with("Defaulting debug container name") || !text.is_empty(), "{text}");
    let text = room.run("kubectl debug -it who --image=busybox:1.36 -c look");
    assert!(text.ends_with("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n") || text.contains("Session ended, the ephemeral container will not be restarted but may be reattached using 'kubectl attach who -c look -i -t' if it is still running"), "{text}");
    room.done("sleep 3");
    let path = ".status.ephemeralContainerStatuses[?(@.name==\"look\")].state.terminated.reason";
    assert_eq!(room.field("pod who", path), "Completed");
    assert_eq!(room.field("pod who", ".status.phase"), "Running");
}

/// Models generatePodCopyWithDebugContainer and profiles.go.
#[test]
fn a_copy_of_a_pod_can_be_changed() {
    let mut room = room();
    let said = room.done("kubectl debug who --copy-to=twin --set-image=who=nginx:1.27");
    assert_eq!(said, "");
    assert_eq!(room.field("pod twin", ".spec.containers[0].image"), "nginx:1.27");
    assert_eq!(room.field("pod twin", ".metadata.labels"), "{\"run\":\"who\"}");
    let said = room.done("kubectl debug who --copy-to=other --image=busybox:1.36 -- sleep 100");
    assert!(said.starts_with("Defaulting debug container name to debugger-"), "{said}");
    assert_eq!(room.field("pod other", ".spec.shareProcessNamespace"), "true");
    assert_eq!(room.field("pod other", ".metadata.labels"), "");
    room.done("kubectl wait --for=condition=Ready pod/other");
}

/// Models generateNodeDebugPod and mountRootPartition.
#[test]
fn a_pod_looks_at_a_node() {
    let mut room = room();
    let said = room.done("kubectl debug node/node-1 --image=busybox:1.36 -- sleep 100");
    let name = said.split(' ').nth(3).unwrap_or_default().to_owned();
    assert!(name.starts_with("node-debugger-node-1-"), "{said}");
    assert_eq!(
        said,
        format!("Creating debugging pod {name} with container debugger on node node-1.")
    );
    room.done(&format!("kubectl wait --for=condition=Ready pod/{name}"));
    let pod = format!("pod {name}");
    assert_eq!(
        room.field(&pod, ".spec.hostPID} {.spec.hostNetwork} {.spec.nodeName"),
        "true true node-1"
    );
    assert_eq!(room.field(&pod, ".spec.containers[0].volumeMounts[0].mountPath"), "/host");
    assert!(room.done(&format!("kubectl exec {name} -- ls /host")).contains("etc"));
}

/// Texts of debug.go Validate.
#[test]
fn what_does_not_go_together_is_refused() {
    let mut room = room();
    for (flags, why) in [
        ("who", "you must specify --image when not using --copy-to."),
        ("--image=a", "NAME or filename is required for debug"),
        ("who --image=A", "invalid image name \"A\": invalid reference format"),
        ("who --image=a --replace", "--replace may only be used with --copy-to."),
        ("who --image=a --same-node", "--same-node may only be used with --copy-to."),
        ("who --image=a --set-image=a=b", "--set-image may only be used with --copy-to."),
        ("who --copy-to=b", "you must specify --image, --set-image or command arguments."),
        (
            "who --image=a --copy-to=b --target=c",
            "--target is incompatible with --copy-to. Use --share-processes instead.",
        ),
        ("who --image=a -t", "-i/--stdin is required for containers with -t/--tty=true"),
        ("who --image=a --profile=x", "unknown profile: x"),
        ("who --image=a --image-pull-policy=x", "invalid image pull policy: x"),
        (
            "who --attach",
            "you must specify --container or create a new container using --image in order to attach.",
        ),
        ("svc/kubernetes --image=a", "\"/v1, Kind=Service\" not supported by debug"),
    ] {
        assert_eq!(
            room.failed(&format!("kubectl debug {flags}")),
            format!("error: {why}\n"),
            "{flags}"
        );
    }
}
