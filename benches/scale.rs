//! Kubernetes' own limits: 5,000 nodes and 150,000 pods. `cargo bench --bench scale`.
//!
//! Not a divan benchmark: one run takes seconds, and what it reports is several numbers of one run.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    dead_code,
    reason = "a benchmark reads the real clock, and stops where its own Deployments are refused"
)]

mod shapes;

use core::time::Duration;
use diorama::api::Kind;
use diorama::world::World;
use shapes::{Limits, Scheduling};
use std::time::Instant;

/// After so long it is said how far it came.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() {
    let arguments: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (nodes, deployments, replicas) = match arguments.as_slice() {
        [nodes, deployments, replicas] => (*nodes, *deployments, *replicas),
        _ => (5000, 1000, 150),
    };
    whole_cluster(nodes, deployments, replicas);
    for owned in [false, true] {
        let mut scheduling = Scheduling::new(nodes, deployments, replicas, owned);
        let mut took = Duration::ZERO;
        let bound = scheduling.run(|decide| {
            let start = Instant::now();
            decide();
            took += start.elapsed();
        });
        let rate = bound as f64 / took.as_secs_f64();
        let whose = if owned { "spread as those of ReplicaSets are" } else { "of nobody" };
        println!("the scheduler alone, {bound} pods {whose}: {rate:.0} decisions a second");
    }
}

/// From nothing to all pods Running.
fn whole_cluster(nodes: u32, deployments: u32, replicas: u32) {
    let (start, before) = (Instant::now(), resident_bytes());
    let mut cluster = Limits::new(nodes);
    println!("{nodes} nodes in {:.2?}", start.elapsed());
    println!("{} bytes a node", grown(before) / u64::from(nodes));
    let (start, before) = (Instant::now(), resident_bytes());
    cluster.deploy(deployments, replicas);
    println!("{deployments} Deployments created in {:.2?}", start.elapsed());
    let wanted = cluster.wanted;
    let start = Instant::now();
    while cluster.bound() < wanted && start.elapsed() < PATIENCE {
        cluster.second();
    }
    let elapsed = start.elapsed();
    let rate = cluster.bound() as f64 / elapsed.as_secs_f64();
    println!("{} of {wanted} pods bound in {elapsed:.2?}: {rate:.0} a second", cluster.bound());
    while cluster.ready() < wanted && start.elapsed() < PATIENCE {
        cluster.second();
    }
    let pods = cluster.world.store().count(Kind::Pod);
    println!("{} of {pods} Running after {:.2?}", cluster.ready(), start.elapsed());
    println!("{} bytes a pod, with its events", grown(before) / (wanted as u64).max(1));
    let start = Instant::now();
    let copies: Vec<World> = (0..1000).map(|_| cluster.world.clone()).collect();
    println!("a snapshot in {:.2?}", start.elapsed() / u32::try_from(copies.len()).unwrap_or(1));
}

/// How much memory came since this was `before`.
fn grown(before: u64) -> u64 {
    resident_bytes().saturating_sub(before)
}

/// What the process has of the machine's memory; 0 where there is no such file.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kib.unwrap_or(0) * 1024
}
