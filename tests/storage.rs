//! Claims and volumes typed into a console: what is bound to what, who waits for whom, and what
//! happens to the disks of those that go.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// A cluster with a class of volumes that are made by hand.
fn room() -> Room {
    let mut room = Room::new();
    room.apply(
        "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: local}, provisioner: \
         kubernetes.io/no-provisioner, volumeBindingMode: WaitForFirstConsumer}",
    );
    room
}

/// A volume of 1Gi with more of a specification, without its braces.
fn volume(room: &mut Room, name: &str, class: &str, more: &str) {
    room.apply(&format!(
        "{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: {name}}}, spec: {{capacity: \
         {{storage: 1Gi}}, accessModes: [ReadWriteOnce], storageClassName: {class}, {more}}}}}"
    ));
}

fn claim(room: &mut Room, name: &str, class: &str, size: &str, more: &str) {
    room.apply(&format!(
        "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}}}, spec: \
         {{accessModes: [ReadWriteOnce], storageClassName: {class}, resources: {{requests: \
         {{storage: {size}}}}}{more}}}}}"
    ));
}

fn pod(room: &mut Room, name: &str, claim: &str) {
    room.apply(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{volumes: [{{name: v, \
         persistentVolumeClaim: {{claimName: {claim}}}}}], containers: [{{name: c, image: \
         'nginx:1.27'}}]}}}}"
    ));
}

/// The events about an object.
fn events(room: &mut Room, name: &str) -> Vec<String> {
    room.events(&format!("involvedObject.name={name}"))
}

/// A `local` volume on a node.
fn on(node: &str) -> String {
    format!(
        "persistentVolumeReclaimPolicy: Retain, local: {{path: /d}}, nodeAffinity: {{required: \
         {{nodeSelectorTerms: [{{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, \
         values: [{node}]}}]}}]}}}}"
    )
}

#[test]
fn a_volume_that_comes_late_is_found_at_the_next_look_fifteen_seconds_apart() {
    let mut room = room();
    room.done("sleep 1");
    claim(&mut room, "late", "manual", "1Gi", "");
    room.done("sleep 15");
    volume(&mut room, "late", "manual", "hostPath: {path: /d}");
    room.done("sleep 5");
    assert_eq!(room.field("pvc late", ".status.phase"), "Pending");
    assert_eq!(room.field("pv late", ".status.phase"), "Available");
    room.done("sleep 10");
    assert_eq!(room.field("pvc late", ".status.phase"), "Bound");
    assert_eq!(room.field("pv late", ".spec.claimRef.name"), "late");
}

/// Texts from pkg/controller/volume/persistentvolume/pv_controller.go.
#[test]
fn a_claim_that_names_a_volume_gets_it_only_if_that_fits_and_is_free() {
    let mut room = room();
    volume(&mut room, "a", "manual", "hostPath: {path: /a}");
    volume(&mut room, "b", "manual", "hostPath: {path: /b}");
    claim(&mut room, "class", "other", "1Gi", ", volumeName: a");
    claim(&mut room, "size", "manual", "2Gi", ", volumeName: a");
    claim(&mut room, "fits", "manual", "1Gi", ", volumeName: b");
    room.done("sleep 2");
    claim(&mut room, "taken", "manual", "1Gi", ", volumeName: b");
    room.done("sleep 2");
    let mismatch = "VolumeMismatch x1: Cannot bind to requested volume \"a\": ";
    assert_eq!(events(&mut room, "class"), [format!("{mismatch}storageClassName does not match")]);
    assert_eq!(events(&mut room, "size"), [format!("{mismatch}requested PV is too small")]);
    let taken = "FailedBinding x1: volume \"b\" already bound to a different claim.";
    assert_eq!(events(&mut room, "taken"), [taken]);
    let phases = room.field("pvc", ".items[*].status.phase");
    assert_eq!(phases, "Pending Bound Pending Pending");
}

#[test]
fn a_released_volume_is_deleted_only_by_somebody_who_can() {
    let mut room = room();
    for (name, source) in [
        ("tmp", "hostPath: {path: /tmp/a}"),
        ("mnt", "hostPath: {path: /mnt/a}"),
        ("nfs", "nfs: {server: s, path: /}"),
        ("csi", "csi: {driver: d, volumeHandle: h}"),
    ] {
        volume(&mut room, name, name, &format!("persistentVolumeReclaimPolicy: Delete, {source}"));
        claim(&mut room, name, name, "1Gi", "");
    }
    room.done("sleep 20");
    room.done("kubectl delete pvc --all");
    room.done("sleep 2");
    assert_eq!(room.done("kubectl get pv -o name | grep -c tmp || true"), "0");
    let failed = "host_path deleter only supports /tmp/.+ but received provided /mnt/a";
    assert_eq!(room.field("pv mnt", ".status.message"), failed);
    assert_eq!(
        events(&mut room, "mnt").last().cloned(),
        Some(format!("VolumeFailedDelete x1: {failed}"))
    );
    let failed = "error getting deleter volume plugin for volume \"nfs\": no deletable volume \
                  plugin matched";
    assert_eq!(room.field("pv nfs", ".status.message"), failed);
    assert_eq!(room.field("pv", ".items[*].status.phase"), "Released Failed Failed");
}

/// Texts from pkg/scheduler/framework/plugins/volumebinding/binder.go and pv_controller.go.
#[test]
fn a_claim_that_waits_for_its_pod_gets_a_volume_where_the_pod_can_go() {
    let mut room = room();
    volume(&mut room, "here", "local", &on("node-2"));
    claim(&mut room, "small", "local", "1Gi", "");
    claim(&mut room, "big", "local", "5Gi", "");
    room.done("sleep 1");
    pod(&mut room, "fits", "small");
    pod(&mut room, "waits", "big");
    room.done("sleep 3");
    assert_eq!(room.field("pod fits", ".spec.nodeName"), "node-2");
    assert_eq!(room.field("pvc small", ".spec.volumeName"), "here");
    let annotations = room.field("pvc small", ".metadata.annotations");
    assert!(!annotations.contains("selected-node"), "{annotations}");
    let waiting =
        "WaitForFirstConsumer x1: waiting for first consumer to be created before binding";
    assert_eq!(events(&mut room, "small"), [waiting]);
    let message = events(&mut room, "waits").join("\n");
    let refused = "3 node(s) didn't find available persistent volumes to bind.";
    assert!(message.contains(refused), "{message}");
    room.done("sleep 15");
    let waiting = events(&mut room, "big");
    let for_pod = "WaitForPodScheduled x1: waiting for pod waits to be scheduled";
    assert_eq!(waiting.last().map(String::as_str), Some(for_pod));
}

#[test]
fn each_claim_of_a_pod_needs_a_volume_of_its_own() {
    let mut room = room();
    volume(&mut room, "one", "local", &on("node-1"));
    claim(&mut room, "a", "local", "1Gi", "");
    claim(&mut room, "b", "local", "1Gi", "");
    room.apply(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {volumes: [{name: a, \
         persistentVolumeClaim: {claimName: a}}, {name: b, persistentVolumeClaim: {claimName: b}}], \
         containers: [{name: c, image: 'nginx:1.27'}]}}",
    );
    room.done("sleep 5");
    assert_eq!(room.field("pod p", ".spec.nodeName"), "");
    assert_eq!(room.field("pv one", ".status.phase"), "Available");
    volume(&mut room, "two", "local", &on("node-1"));
    room.done("sleep 5");
    assert_eq!(room.field("pod p", ".spec.nodeName"), "node-1");
}

/// Text from pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go.
#[test]
fn a_claim_for_one_pod_keeps_all_others_away() {
    let mut room = room();
    room.apply(
        "{apiVersion: v1, kind: PersistentVolume, metadata: {name: v}, spec: {capacity: {storage: \
         1Gi}, accessModes: [ReadWriteOncePod], storageClassName: m, hostPath: {path: /d}}}\n---\n\
         {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: \
         [ReadWriteOncePod], storageClassName: m, resources: {requests: {storage: 1Gi}}}}",
    );
    room.done("sleep 2");
    pod(&mut room, "first", "c");
    room.done("sleep 2");
    pod(&mut room, "second", "c");
    room.done("sleep 2");
    let message = events(&mut room, "second").join("\n");
    let refused = "3 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access \
                   mode already in-use by another pod.";
    assert!(message.contains(refused), "{message}");
    room.done("kubectl delete pod first");
    room.done("sleep 2");
    assert_eq!(room.field("pod second", ".status.phase"), "Running");
}

/// A StatefulSet of three pods with a disk each, kept or deleted as the policies say.
fn set_with_disks(room: &mut Room, scaled: &str, deleted: &str) {
    for number in 0..3 {
        let path = format!("hostPath: {{path: /d{number}}}");
        volume(room, &format!("v{number}"), "manual", &path);
    }
    room.apply(&format!(
        "{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: db}}, spec: {{serviceName: db, \
         replicas: 3, persistentVolumeClaimRetentionPolicy: {{whenScaled: {scaled}, whenDeleted: \
         {deleted}}}, selector: {{matchLabels: {{a: db}}}}, template: {{metadata: {{labels: {{a: \
         db}}}}, spec: {{containers: [{{name: c, image: 'nginx:1.27'}}]}}}}, volumeClaimTemplates: \
         [{{metadata: {{name: data}}, spec: {{accessModes: [ReadWriteOnce], storageClassName: \
         manual, resources: {{requests: {{storage: 1Gi}}}}}}}}]}}}}"
    ));
    room.done("sleep 30");
}

#[test]
fn the_disks_of_a_stateful_set_go_with_its_pods_or_with_itself_as_it_says() {
    let cases = [
        ("Retain", "Retain", 3, 3),
        ("Delete", "Retain", 1, 1),
        ("Retain", "Delete", 3, 0),
        ("Delete", "Delete", 1, 0),
    ];
    for (scaled, deleted, after_scaling, after_deletion) in cases {
        let mut room = room();
        set_with_disks(&mut room, scaled, deleted);
        let claims = |room: &mut Room| room.done("kubectl get pvc -o name").lines().count();
        assert_eq!(claims(&mut room), 3, "{scaled} {deleted}");
        room.done("kubectl scale sts db --replicas=1");
        room.done("sleep 30");
        assert_eq!(claims(&mut room), after_scaling, "{scaled} {deleted}");
        room.done("kubectl delete sts db");
        room.done("sleep 30");
        assert_eq!(claims(&mut room), after_deletion, "{scaled} {deleted}");
    }
}

#[test]
fn a_set_that_is_scaled_up_again_waits_for_the_disks_that_are_going() {
    let mut room = room();
    set_with_disks(&mut room, "Delete", "Retain");
    let first = room.field("pvc data-db-2", ".metadata.uid");
    room.done("kubectl scale sts db --replicas=2");
    room.done("kubectl scale sts db --replicas=3");
    room.done("kubectl delete pod db-2 --wait=false");
    room.done("sleep 30");
    assert_eq!(room.field("pvc data-db-2", ".metadata.uid"), first);
    room.done("kubectl scale sts db --replicas=2");
    room.done("sleep 1");
    room.done("kubectl scale sts db --replicas=3");
    room.done("sleep 40");
    assert!(room.field("pvc data-db-2", ".metadata.uid") != first);
}

/// Models pkg/registry/apps/statefulset/strategy.go dropStatefulSetDisabledFields.
#[test]
fn a_stateful_set_does_not_keep_max_unavailable() {
    let mut room = room();
    room.apply(
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {serviceName: s, \
         updateStrategy: {rollingUpdate: {maxUnavailable: 2}}, selector: {matchLabels: {a: s}}, \
         template: {metadata: {labels: {a: s}}, spec: {containers: [{name: c, image: nginx}]}}}}",
    );
    let strategy = room.field("sts s", ".spec.updateStrategy.rollingUpdate");
    assert_eq!(strategy, "{\"partition\":0}");
}

/// Texts from pkg/controller/statefulset/stateful_pod_control.go.
#[test]
fn a_stateful_set_says_which_pod_or_claim_it_could_not_make() {
    let mut room = room();
    room.done("kubectl create quota none --hard=pods=0");
    room.apply(
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {serviceName: s, \
         selector: {matchLabels: {a: s}}, template: {metadata: {labels: {a: s}}, spec: \
         {containers: [{name: c, image: nginx}]}}}}",
    );
    room.done("sleep 1");
    let refused = "pods \"s-0\" is forbidden: exceeded quota: none, requested: pods=1, used: \
                   pods=0, limited: pods=0";
    let said = events(&mut room, "s");
    let wanted = format!(": Create Pod s-0 in StatefulSet s failed error: {refused}");
    assert!(said.iter().all(|event| event.ends_with(&wanted)), "{said:?}");
    room.done("kubectl create quota claims --hard=persistentvolumeclaims=0");
    set_with_disks(&mut room, "Retain", "Retain");
    let refused = "persistentvolumeclaims \"data-db-0\" is forbidden: exceeded quota: claims, \
                   requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, limited: \
                   persistentvolumeclaims=0";
    let messages: Vec<String> = events(&mut room, "db")
        .iter()
        .filter_map(|e| Some(e.split_once(": ")?.1.to_owned()))
        .collect();
    let expected = [
        format!("Create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: {refused}"),
        format!(
            "Create Pod db-0 in StatefulSet db failed error: failed to create PVC data-db-0: \
             {refused}"
        ),
    ];
    assert_eq!(messages, expected);
}
