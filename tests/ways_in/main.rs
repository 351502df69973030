//! The ways into a cluster, as a course types them: load balancers of a cloud, Ingresses, and what
//! their controllers say meanwhile.

#![cfg(not(target_arch = "wasm32"))]

mod ingress_nginx;
mod metallb;

use diorama::console::{Console, Output};
use diorama::world::{ClusterConfig, LoadBalancers, World};

/// A cluster with its add-ons and a console.
struct Room {
    world: World,
    console: Console,
}

impl Room {
    /// Three pods of whoami behind the Service `web`.
    fn new(load_balancers: LoadBalancers) -> Self {
        let config = ClusterConfig { load_balancers, ..ClusterConfig::classroom() };
        let mut world = World::new(config, 7);
        world.run_for(core::time::Duration::from_secs(60));
        let mut room = Room { world, console: Console::new() };
        room.done("kubectl create deployment web --image=traefik/whoami --replicas=3");
        room.done("kubectl expose deployment web --port=80");
        room.done("sleep 10");
        room
    }

    fn run(&mut self, line: &str) -> Output {
        self.console.execute(&mut self.world, line, None)
    }

    /// What a command prints that must go well.
    fn done(&mut self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.exit, 0, "{line}: {}{}", output.stdout, output.stderr);
        output.stdout
    }

    /// The last word of each line that `kubectl get events` prints of an object: reason and message.
    fn events(&mut self, object: &str) -> String {
        let path = "{range .items[*]}{.reason}: {.message} x{.count}{\"\\n\"}{end}";
        let selector = format!("--field-selector=involvedObject.name={object}");
        self.done(&format!("kubectl get events -A {selector} -o jsonpath='{path}'"))
    }
}

fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn a_cloud_takes_a_while_to_make_a_load_balancer_and_says_so() {
    let mut room = Room::new(LoadBalancers::Cloud);
    room.done("kubectl expose deployment web --name=lb --port=80 --type=LoadBalancer");
    room.done("sleep 5");
    assert_contains(&room.done("kubectl get svc lb"), &["<pending>"]);
    // Models staging/src/k8s.io/cloud-provider/controllers/service/controller.go.
    assert_eq!(room.events("lb"), "EnsuringLoadBalancer: Ensuring load balancer x1\n");
    room.done("sleep 20");
    assert_contains(&room.done("kubectl get svc lb"), &["203.0.113."]);
    room.done("kubectl label node node-1 node.kubernetes.io/exclude-from-external-load-balancers=");
    room.done(
        "kubectl label node node-2 node.kubernetes.io/exclude-from-external-load-balancers=false",
    );
    room.done("sleep 1");
    assert_contains(
        &room.events("lb"),
        &[
            "EnsuredLoadBalancer: Ensured load balancer x1",
            "UpdatedLoadBalancer: Updated load balancer with new hosts x1",
        ],
    );
    let ip = room.done("kubectl get svc lb -o jsonpath={.status.loadBalancer.ingress[0].ip}");
    let trace = room.done(&format!("trace curl http://{ip}/"));
    assert_contains(&trace, &["(healthy nodes, draw", "of 2)"]);
    // Whether a node is Ready does not matter, but it no longer passes its health check.
    room.done("node stop node-3");
    let hits = (0..40).filter(|_| room.run(&format!("curl -m 1 http://{ip}/")).exit == 28).count();
    assert!(
        hits > 5,
        "until the check has failed three times, every other request is lost: {hits}"
    );
    room.done("sleep 31");
    for _ in 0..10 {
        room.done(&format!("trace curl http://{ip}/"));
    }
    room.done("kubectl label node node-2 node-3 node.kubernetes.io/exclude-from-external-load-balancers=true --overwrite");
    room.done("sleep 1");
    assert_contains(
        &room.events("lb"),
        &["UnAvailableLoadBalancer: There are no available nodes for LoadBalancer"],
    );
}

#[test]
fn kube_proxy_says_where_load_balancers_may_send() {
    let mut room = Room::new(LoadBalancers::Cloud);
    room.done("kubectl scale deployment web --replicas=1");
    room.done("kubectl expose deployment web --name=lb --port=80 --type=LoadBalancer");
    room.done(r#"kubectl patch svc lb -p '{"spec":{"externalTrafficPolicy":"Local"}}'"#);
    room.done("sleep 40");
    let port = room.done("kubectl get svc lb -o jsonpath={.spec.healthCheckNodePort}");
    let node = room.done("kubectl get pods -l app=web -o jsonpath={.items[0].spec.nodeName}");
    for name in ["node-1", "node-2"] {
        let ip = room
            .done(&format!("kubectl get node {name} -o jsonpath={{.status.addresses[0].address}}"));
        let answer = room.done(&format!("curl -si http://{ip}:{port}/"));
        let (status, count) =
            if name == node { ("HTTP/1.1 200 OK", 1) } else { ("HTTP/1.1 503 ", 0) };
        // Models pkg/proxy/healthcheck/service_health.go.
        let body = format!(
            "{{\n\t\"service\": {{\n\t\t\"namespace\": \"default\",\n\t\t\"name\": \"lb\"\n\t}},\n\t\"localEndpoints\": {count},\n\t\"serviceProxyHealthy\": true\n}}"
        );
        let weight = format!("X-Load-Balancing-Endpoint-Weight: {count}\n");
        assert_contains(&answer, &[status, &weight, &body]);
    }
    assert_eq!(room.done("node run node-1 -- curl -s localhost:10249/proxyMode"), "iptables");
    let refused = room.run("curl -s http://172.18.0.3:10249/proxyMode");
    assert_eq!(refused.exit, 7, "only its own node may ask: {refused:?}");
}
