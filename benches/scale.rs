//! Kubernetes' own limits: 5,000 nodes and 150,000 pods. `cargo bench --bench scale`.
//!
//! Not a divan benchmark: one run takes seconds, and what it reports is several numbers of one run.

#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the real clock, and stops where its own Deployments are refused"
)]

use core::time::Duration;
use diorama::api::Kind;
use diorama::world::{ClusterConfig, World};
use serde_json::json;
use std::time::Instant;

fn main() {
    let arguments: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (nodes, deployments, replicas) = match arguments.as_slice() {
        [nodes, deployments, replicas] => (*nodes, *deployments, *replicas),
        _ => (5000, 1000, 150),
    };
    let start = Instant::now();
    let mut world = World::new(ClusterConfig::of_size(nodes, "32", "128Gi", "110"), 1);
    println!("{nodes} nodes in {:.2?}", start.elapsed());
    let start = Instant::now();
    for number in 0..deployments {
        let name = format!("app-{number}");
        let deployment = json!({
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{
                        "name": "c", "image": "nginx:1.27",
                        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
                    }]},
                },
            },
        });
        world.create(Kind::Deployment, &deployment, "default").expect("a valid Deployment");
    }
    println!("{deployments} Deployments created in {:.2?}", start.elapsed());
    let wanted = (deployments * replicas) as usize;
    let pods = |world: &World| world.store().count(Kind::Pod);
    let bound = |world: &World| {
        world
            .store()
            .list(Kind::Pod)
            .filter(|p| p.pod().is_some_and(|p| p.node_name.is_some()))
            .count()
    };
    let running = |world: &World| {
        world
            .store()
            .list(Kind::Pod)
            .filter(|p| p.pod().is_some_and(|p| p.status.is_ready()))
            .count()
    };
    let start = Instant::now();
    while bound(&world) < wanted && start.elapsed() < Duration::from_secs(300) {
        world.run_for(Duration::from_secs(1));
    }
    let elapsed = start.elapsed();
    let rate = bound(&world) as f64 / elapsed.as_secs_f64();
    println!("{} of {wanted} pods bound in {elapsed:.2?}: {rate:.0} a second", bound(&world));
    while running(&world) < wanted && start.elapsed() < Duration::from_secs(300) {
        world.run_for(Duration::from_secs(1));
    }
    println!("{} of {} Running after {:.2?}", running(&world), pods(&world), start.elapsed());
    println!("resident: {} bytes a pod", resident_bytes().unwrap_or_default() / wanted.max(1));
    let start = Instant::now();
    let copies: Vec<World> = (0..1000).map(|_| world.clone()).collect();
    println!("a snapshot in {:.2?}", start.elapsed() / u32::try_from(copies.len()).unwrap_or(1));
}

fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
