//! Traced requests with 10,000 Services, and the rules of a node. `cargo bench --bench trace`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops where its own objects are refused"
)]

use core::time::Duration;
use diorama::api::Kind;
use diorama::base::Rng;
use diorama::proxy::{Input, Mode};
use diorama::trace::{Cluster, Network, Request, Source};
use diorama::world::{CLIENT_ADDRESS, ClusterConfig, World};
use divan::{Bencher, counter::ItemsCount};
use serde_json::json;
use std::sync::OnceLock;

const SERVICES: u32 = 10_000;
const PODS: u32 = 300;
/// Requests in one measurement.
const BATCH: u32 = 1_000;

fn main() {
    divan::main();
}

/// Three workers, 300 pods, and 10,000 Services with three endpoints and a node port each.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut world = World::new(ClusterConfig::default(), 1);
        let deployment = json!({
            "metadata": {"name": "web"},
            "spec": {
                "replicas": PODS,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]},
                },
            },
        });
        world.create(Kind::Deployment, &deployment, "default").expect("a valid Deployment");
        world.run_for(Duration::from_secs(120));
        let pods = world.store().list(Kind::Pod);
        let ips: Vec<String> =
            pods.filter_map(|pod| pod.pod()?.status.pod_ip.map(|ip| ip.to_string())).collect();
        for number in 0..SERVICES {
            let name = format!("s{number}");
            let mut port = json!({"name": "http", "port": 80, "targetPort": 80});
            if number < 2_000 {
                port["nodePort"] = (30_000 + number).into();
            }
            let service = json!({
                "metadata": {"name": name},
                "spec": {
                    "type": if number < 2_000 { "NodePort" } else { "ClusterIP" },
                    "clusterIP": format!("10.96.{}.{}", 64 + number / 250, 1 + number % 250),
                    "ports": [port],
                },
            });
            world.create(Kind::Service, &service, "default").expect("a valid Service");
            let three = ips.iter().cycle().skip((number * 7 % PODS) as usize).take(3);
            let slice = json!({
                "metadata": {
                    "name": format!("{name}-x"),
                    "labels": {"kubernetes.io/service-name": name},
                },
                "addressType": "IPv4",
                "endpoints": three
                    .map(|ip| json!({"addresses": [ip], "conditions": {"ready": true}}))
                    .collect::<Vec<_>>(),
                "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
            });
            world.create(Kind::EndpointSlice, &slice, "default").expect("a valid EndpointSlice");
        }
        world
    })
}

/// Requests of pods to Services by name, and of clients outside to node ports: nine to one.
fn requests() -> Vec<Request> {
    let pods: Vec<_> = world().store().list(Kind::Pod).map(|pod| pod.meta.name.clone()).collect();
    let mut rng = Rng::new(1);
    (0..BATCH)
        .map(|number| {
            if number % 10 == 0 {
                let (node, port) = (2 + rng.below(4), 30_000 + rng.below(2_000));
                let from = Source::Internet { ip: CLIENT_ADDRESS };
                let url = format!("http://172.18.0.{node}:{port}/");
                return Request::from_url(from, &url).expect("a URL");
            }
            let pod = &pods[rng.below(PODS) as usize];
            let from = Source::Pod { namespace: "default".into(), name: pod.clone() };
            let url = format!("http://s{}/", rng.below(SERVICES));
            Request::from_url(from, &url).expect("a URL")
        })
        .collect()
}

#[divan::bench(args = [Mode::Iptables, Mode::Nftables, Mode::Ipvs], max_time = 5)]
fn requests_a_second(bencher: Bencher<'_, '_>, mode: Mode) {
    let world = world();
    let requests = requests();
    let mut network = Network::new(mode);
    let mut rng = Rng::new(7);
    let disks = diorama::container::Trees::new();
    let cluster =
        Cluster { store: world.store(), nodes: world.nodes(), disks: &disks, now: world.now() };
    for request in &requests {
        assert!(network.send(&cluster, request, &mut rng).is_answered());
    }
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for request in &requests {
            divan::black_box(network.send(&cluster, request, &mut rng));
        }
    });
}

#[divan::bench(args = [Mode::Iptables, Mode::Nftables, Mode::Ipvs], max_time = 5)]
fn rules_of_a_node(bencher: Bencher<'_, '_>, mode: Mode) {
    let input = Input::from_store(world().store());
    let node = input.node("node-1").expect("a node");
    bencher.bench_local(|| diorama::proxy::rules(&input, node, mode));
}

#[divan::bench(max_time = 5)]
fn what_kube_proxy_sees(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| Input::from_store(world().store()));
}
