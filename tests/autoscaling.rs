//! HorizontalPodAutoscalers in a cluster without metrics, typed into a console. The texts are
//! those of a real 1.36 that had no metrics server.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// A Deployment of two pods and an autoscaler of the given bounds and metrics.
fn scaled(spec: &str) -> Room {
    let mut room = Room::new();
    room.done("kubectl create deployment w --image=nginx --replicas=2");
    room.apply(&format!(
        "{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{name: h}}, spec: \
         {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: w}}, {spec}}}}}"
    ));
    room.done("sleep 17");
    room
}

#[test]
fn each_metric_that_cannot_be_read_is_told_and_the_first_is_the_condition() {
    let mut room = scaled(
        "maxReplicas: 4, metrics: [{type: Pods, pods: {metric: {name: rps}, target: {type: \
         AverageValue, averageValue: 10}}}, {type: Resource, resource: {name: memory, target: \
         {type: AverageValue, averageValue: 100Mi}}}]",
    );
    let custom = "unable to get metric rps: unable to fetch metrics from custom metrics API: no \
                  custom metrics API (custom.metrics.k8s.io) registered";
    let memory = "failed to get memory usage: unable to get metrics for resource memory: unable \
                  to fetch metrics from resource metrics API: the server could not find the \
                  requested resource (get pods.metrics.k8s.io)";
    let events = room.events("involvedObject.kind=HorizontalPodAutoscaler");
    let all = format!(
        "FailedComputeMetricsReplicas x1: invalid metrics (2 invalid out of 2), first error is: \
         failed to get pods metric value: {custom}"
    );
    let told = [
        format!("FailedGetPodsMetric x1: {custom}"),
        format!("FailedGetResourceMetric x1: {memory}"),
        all,
    ];
    for one in &told {
        assert!(events.contains(one), "{one}\nis not among\n{events:#?}");
    }
    assert_eq!(events.len(), told.len());
    let why = room.field("hpa h", ".status.conditions[?(@.type==\"ScalingActive\")].message");
    assert_eq!(why, format!("the HPA was unable to compute the replica count: {custom}"));
    // Models setCurrentReplicasAndMetricsInStatus: what is wanted was never computed.
    assert_eq!(room.field("hpa h", ".status.desiredReplicas"), "0");
    assert_eq!(room.field("hpa h", ".status.currentMetrics"), "[{\"type\":\"\"},{\"type\":\"\"}]");
}

#[test]
fn the_bounds_are_kept_without_metrics() {
    let mut room = scaled("minReplicas: 3, maxReplicas: 5");
    assert_eq!(room.field("deploy w", ".spec.replicas"), "3");
    let told = "SuccessfulRescale x1: New size: 3; reason: Current number of replicas below \
                Spec.MinReplicas";
    assert_eq!(room.events("involvedObject.kind=HorizontalPodAutoscaler"), [told]);
    let status = "{.status.currentReplicas} {.status.desiredReplicas} \
                  {.status.conditions[*].reason}";
    assert_eq!(
        room.done(&format!("kubectl get hpa h -o jsonpath='{status}'")),
        "2 3 SucceededRescale"
    );
    assert_ne!(room.field("hpa h", ".status.lastScaleTime"), "");
}

#[test]
fn a_target_of_no_replicas_is_left_alone() {
    let mut room = scaled("minReplicas: 3, maxReplicas: 5");
    room.done("kubectl scale deploy w --replicas=0");
    room.done("sleep 17");
    assert_eq!(room.field("deploy w", ".spec.replicas"), "0");
    let active = ".status.conditions[?(@.type==\"ScalingActive\")].reason";
    assert_eq!(room.field("hpa h", active), "ScalingDisabled");
}
