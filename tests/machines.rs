//! Machines that join and leave, typed into a classroom's console.

#![cfg(not(target_arch = "wasm32"))]

use core::time::Duration;
use diorama::console::Console;
use diorama::world::{ClusterConfig, World};

/// A classroom with a console.
struct Room {
    world: World,
    console: Console,
}

impl Room {
    fn new(config: ClusterConfig) -> Self {
        let mut world = World::new(config, 7);
        world.run_for(Duration::from_secs(60));
        Room { world, console: Console::new() }
    }

    /// What a command prints, errors included.
    fn run(&mut self, line: &str) -> String {
        let output = self.console.execute(&mut self.world, line, None);
        output.stdout + &output.stderr
    }

    /// The first words of each line that a command prints.
    fn table(&mut self, line: &str, columns: usize) -> Vec<String> {
        let text = self.run(line);
        let words =
            |line: &str| line.split_whitespace().take(columns).collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect()
    }
}

#[test]
fn a_machine_that_joins_is_ready_once_it_has_its_network_and_then_runs_pods() {
    let mut room = Room::new(ClusterConfig::classroom());
    assert_eq!(room.run("node add"), "node/node-4 joined\n");
    let status = "kubectl get node node-4 --no-headers";
    // pkg/kubelet/nodestatus/setters.go ReadyCondition; plugin/pkg/admission/nodetaint.
    assert_eq!(room.table(status, 2), ["node-4 NotReady"]);
    let why = room.run("kubectl get node node-4 -o jsonpath={.status.conditions[3].message}");
    assert!(why.contains("cni plugin not initialized"), "{why}");
    let taint = room.run("kubectl get node node-4 -o jsonpath={.spec.taints[0].key}");
    assert_eq!(taint, "node.kubernetes.io/not-ready");
    room.run("sleep 15");
    assert_eq!(room.table(status, 2), ["node-4 Ready"]);
    let daemons = "kubectl get pods -n kube-system --field-selector spec.nodeName=node-4 --no-headers \
                   -o custom-columns=S:.status.phase,A:.metadata.labels.k8s-app --sort-by=.metadata.name";
    assert_eq!(room.table(daemons, 2), ["Running kindnet", "Running kube-proxy"]);
    room.run(
        "kubectl run first --image=nginx:1.27 --overrides='{\"spec\":{\"nodeName\":\"node-4\"}}'",
    );
    room.run("sleep 20");
    let pod = room.table("kubectl get pod first --no-headers -o wide", 6);
    assert_eq!(pod.len(), 1);
    assert!(pod[0].starts_with("first 1/1 Running 0") && pod[0].ends_with("10.244.4.2"), "{pod:?}");
    let events = room.run("kubectl get events --field-selector involvedObject.name=node-4");
    for reason in ["Starting", "RegisteredNode", "NodeReady"] {
        let is_it = |line: &&str| line.split_whitespace().nth(2) == Some(reason);
        assert_eq!(events.lines().filter(is_it).count(), 1, "{reason}: {events}");
    }
}

#[test]
fn a_pod_of_its_own_network_waits_for_the_network_plugin() {
    let mut room = Room::new(ClusterConfig::classroom());
    room.run("kubectl delete daemonset kindnet -n kube-system");
    room.run(
        "kubectl create -n kube-system -f - <<EOF\n\
         apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: plugin}\nspec:\n  \
         selector: {matchLabels: {app: plugin}}\n  template:\n    \
         metadata: {labels: {app: plugin}}\n    spec:\n      \
         nodeSelector: {plugin: wanted}\n      hostNetwork: true\n      \
         tolerations: [{operator: Exists}]\n      \
         containers: [{name: c, image: busybox:1.36, command: [sleep, infinity]}]\n      \
         volumes: [{name: conf, hostPath: {path: /etc/cni/net.d}}]\nEOF",
    );
    room.run("node add late");
    room.run(
        "kubectl run first --image=nginx:1.27 --overrides='{\"spec\":{\"nodeName\":\"late\"}}'",
    );
    room.run("sleep 30");
    let status = "kubectl get node late --no-headers";
    assert_eq!(room.table(status, 2), ["late NotReady"]);
    // pkg/kubelet/kubelet.go SyncPod.
    let events = room.run("kubectl get events --field-selector involvedObject.name=first");
    assert!(
        events.contains("NetworkNotReady") && events.contains("network is not ready: "),
        "{events}"
    );
    room.run("kubectl label node late plugin=wanted");
    room.run("sleep 30");
    assert_eq!(room.table(status, 2), ["late Ready"]);
    assert_eq!(room.table("kubectl get pod first --no-headers", 3), ["first 1/1 Running"]);
}

#[test]
fn a_machine_that_is_taken_away_takes_its_pods_along_and_leaves_its_address() {
    let mut room = Room::new(ClusterConfig::classroom());
    room.run("kubectl create deployment web --image=nginx:1.27 --replicas=6");
    room.run("sleep 20");
    assert_eq!(room.run("node remove node-2"), "node/node-2 removed\n");
    assert_eq!(room.table("kubectl get nodes --no-headers", 1), ["cp-1", "node-1", "node-3"]);
    // pkg/controller/podgc: quarantine, then the pods of a node that is no more are deleted.
    room.run("sleep 60");
    let nodes = room.run("kubectl get pods -l app=web -o jsonpath={.items[*].spec.nodeName}");
    assert_eq!(nodes.split(' ').count(), 6, "{nodes}");
    assert!(!nodes.contains("node-2"), "{nodes}");
    assert_eq!(room.run("node add"), "node/node-2 joined\n");
    let ip = room.run("kubectl get node node-2 -o jsonpath={.status.addresses[0].address}");
    assert_eq!(ip, "172.18.0.4");
}

#[test]
fn a_node_that_somebody_described_becomes_real_when_its_machine_joins() {
    let mut room = Room::new(ClusterConfig::classroom());
    room.run(
        "kubectl create -f - <<EOF\napiVersion: v1\nkind: Node\n\
         metadata: {name: node-4, labels: {disk: ssd}}\nEOF",
    );
    let status = "kubectl get node node-4 --no-headers";
    assert_eq!(room.table(status, 2), ["node-4 Unknown"]);
    room.run("node add");
    room.run("sleep 20");
    assert_eq!(room.table(status, 2), ["node-4 Ready"]);
    assert_eq!(room.run("kubectl get node node-4 -o jsonpath={.metadata.labels.disk}"), "ssd");
}

#[test]
fn a_name_that_is_taken_or_none_and_the_control_plane_are_refused() {
    let mut room = Room::new(ClusterConfig::classroom());
    let cases = [
        ("node add node-1", "node: nodes \"node-1\" already exists\n"),
        (
            "node add Mine",
            "node: Node \"Mine\" is invalid: metadata.name: Invalid value: \"Mine\": a lowercase",
        ),
        ("node remove node-9", "node: nodes \"node-9\" not found\n"),
        ("node remove cp-1", "node: nodes \"cp-1\" is forbidden: the control plane runs on it\n"),
        ("node add a b", "usage: node "),
    ];
    for (line, said) in cases {
        let output = room.run(line);
        assert!(output.starts_with(said), "{line}: {output}");
    }
}

#[test]
fn a_cluster_of_any_size_has_dns_a_cloud_and_an_ingress_controller() {
    let mut room = Room::new(ClusterConfig::classroom_of(20));
    room.run("kubectl create deployment web --image=nginx:1.27 --replicas=3");
    room.run("kubectl expose deployment web --port=80 --type=LoadBalancer");
    room.run("kubectl create ingress web --class=nginx --rule=shop.example.com/*=web:80");
    room.run("sleep 20");
    let balancer = "kubectl get svc web -o jsonpath={.status.loadBalancer.ingress[0].ip}";
    assert_eq!(room.run(balancer), "203.0.113.11");
    assert!(room.run("curl -s http://shop.example.com/").contains("Welcome to nginx!"));
}
