//! What a real API server said in a recorded session.

use super::{check, check_update};
use expect_test::expect;

#[test]
fn selector_mismatch() {
    check(
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: c, image: nginx}]}}}"#,
        expect![[r#"
        The Deployment "a" is invalid: spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`
    "#]],
    );
}

#[test]
fn no_selector() {
    check(
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec: {template: {metadata: {labels: {a: c}}, spec: {containers: [{name: c, image: nginx}]}}}"#,
        expect![[r#"
        The Deployment "a" is invalid: 
        * spec.selector: Required value
        * spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`
    "#]],
    );
}

#[test]
fn no_containers() {
    check(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: []}"#,
        expect![[r#"
        The Pod "a" is invalid: spec.containers: Required value
    "#]],
    );
}

#[test]
fn bad_name() {
    check(
        r#"apiVersion: v1
kind: Pod
metadata: {name: Bad_Name}
spec: {containers: [{name: c, image: nginx}]}"#,
        expect![[r#"
        The Pod "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
    "#]],
    );
}

#[test]
fn dup_container() {
    check(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: c, image: nginx},{name: c, image: nginx}]}"#,
        expect![[r#"
        The Pod "a" is invalid: spec.containers[1].name: Duplicate value: "c"
    "#]],
    );
}

#[test]
fn volume_missing() {
    check(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: c, image: nginx, volumeMounts: [{name: x, mountPath: /x}]}]}"#,
        expect![[r#"
        The Pod "a" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "x"
    "#]],
    );
}

#[test]
fn req_over_limit() {
    check(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]}"#,
        expect![[r#"
        The Pod "a" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1
    "#]],
    );
}

#[test]
fn neg_replicas() {
    check(
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec: {replicas: -1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}"#,
        expect![[r#"
        The Deployment "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0
    "#]],
    );
}

#[test]
fn svc_two_ports_unnamed() {
    check(
        r#"apiVersion: v1
kind: Service
metadata: {name: a}
spec: {ports: [{port: 80},{port: 81}]}"#,
        expect![[r#"
        The Service "a" is invalid: 
        * spec.ports[0].name: Required value
        * spec.ports[1].name: Required value
    "#]],
    );
}

#[test]
fn deploy_immutable_selector() {
    check_update(
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}"#,
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {replicas: 0, selector: {matchLabels: {a: z}}, template: {metadata: {labels: {a: z}}, spec: {containers: [{name: c, image: nginx}]}}}"#,
        expect![[r#"
        The Deployment "d" is invalid: spec.selector: Invalid value: {"matchLabels":{"a":"z"}}: field is immutable
    "#]],
    );
}

#[test]
fn deploy_both_zero() {
    check(
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: z}
spec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}"#,
        expect![[r#"
        The Deployment "z" is invalid: spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0
    "#]],
    );
}

#[test]
fn sts_immutable() {
    check_update(
        r#"apiVersion: apps/v1
kind: StatefulSet
metadata: {name: s}
spec: {replicas: 0, serviceName: s, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}"#,
        r#"apiVersion: apps/v1
kind: StatefulSet
metadata: {name: s}
spec: {replicas: 0, serviceName: s2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}"#,
        expect![[r#"
        The StatefulSet "s" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
    "#]],
    );
}

#[test]
fn restart_policy_deploy() {
    check(
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: r}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}}"#,
        expect![[r#"
        The Deployment "r" is invalid: spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"
    "#]],
    );
}

#[test]
fn ingress_no_pathtype() {
    check(
        r#"apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec: {rules: [{host: a.b, http: {paths: [{path: /, backend: {service: {name: s, port: {number: 80}}}}]}}]}"#,
        expect![[r#"
        The Ingress "i" is invalid: spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified
    "#]],
    );
}

#[test]
fn ingress_bad_path() {
    check(
        r#"apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec: {rules: [{host: a.b, http: {paths: [{path: x, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}}]}"#,
        expect![[r#"
        The Ingress "i" is invalid: spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path
    "#]],
    );
}

#[test]
fn cron_bad() {
    check(
        r#"apiVersion: batch/v1
kind: CronJob
metadata: {name: i}
spec: {schedule: 'x x', jobTemplate: {spec: {template: {spec: {restartPolicy: Always, containers: [{name: c, image: nginx}]}}}}}"#,
        expect![[r#"
        The CronJob "i" is invalid: 
        * spec.schedule: Invalid value: "x x": expected exactly 5 fields, found 2: [x x]
        * spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
    "#]],
    );
}

#[test]
fn job_immutable() {
    check_update(
        r#"apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}}"#,
        r#"apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec: {suspend: true, completions: 4, template: {spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}}"#,
        expect![[r#"
        The Job "j" is invalid: spec.completions: Invalid value: 4: field is immutable
    "#]],
    );
}

#[test]
fn bad_label() {
    check(
        r#"apiVersion: v1
kind: ConfigMap
metadata: {name: l, labels: {'a b': 'c'}}"#,
        expect![[r#"
        The ConfigMap "l" is invalid: metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
    "#]],
    );
}

#[test]
fn probe_two() {
    check(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: c, image: nginx, livenessProbe: {httpGet: {port: 80}, tcpSocket: {port: 80}}}]}"#,
        expect![[r#"
        The Pod "a" is invalid: spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type
    "#]],
    );
}

#[test]
fn port_range() {
    check(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 70000}]}]}"#,
        expect![[r#"
        The Pod "a" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive
    "#]],
    );
}

#[test]
fn svc_immutable() {
    let service = |address: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: b}}, spec: {{clusterIP: {address}, \
             clusterIPs: [{address}], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack, ports: [{{port: 80}}]}}}}"
        )
    };
    check_update(
        &service("10.96.100.100"),
        &service("10.96.100.101"),
        expect![[r#"
            The Service "b" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.100.101"]: may not change once set
        "#]],
    );
}

#[test]
fn pod_immutable() {
    let pod = |host_network: bool| {
        format!(
            r#"
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec:
  hostNetwork: {host_network}
  nodeName: node-1
  serviceAccountName: default
  priority: 0
  preemptionPolicy: PreemptLowerPriority
  enableServiceLinks: true
  tolerations:
  - {{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}}
  - {{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 300}}
  volumes:
  - name: kube-api-access-abcde
    projected:
      sources:
      - serviceAccountToken: {{expirationSeconds: 3607, path: token}}
      - configMap: {{name: kube-root-ca.crt, items: [{{key: ca.crt, path: ca.crt}}]}}
      - downwardAPI: {{items: [{{path: namespace, fieldRef: {{fieldPath: metadata.namespace}}}}]}}
  containers:
  - name: c
    image: nginx
    volumeMounts: [{{name: kube-api-access-abcde, readOnly: true, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}}]
"#
        )
    };
    check_update(
        &pod(false),
        &pod(true),
        expect![[r#"
            The Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)
            @@ -142,7 +142,7 @@
              "AutomountServiceAccountToken": null,
              "NodeName": "node-1",
              "SecurityContext": {
            -  "HostNetwork": false,
            +  "HostNetwork": true,
               "HostPID": false,
               "HostIPC": false,
               "ShareProcessNamespace": null,

        "#]],
    );
}
