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
use shapes::Limits;
use std::time::Instant;

fn main() {
    let arguments: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (nodes, deployments, replicas) = match arguments.as_slice() {
        [nodes, deployments, replicas] => (*nodes, *deployments, *replicas),
        _ => (5000, 1000, 150),
    };
    let start = Instant::now();
    let mut cluster = Limits::new(nodes);
    println!("{nodes} nodes in {:.2?}", start.elapsed());
    let start = Instant::now();
    cluster.deploy(deployments, replicas);
    println!("{deployments} Deployments created in {:.2?}", start.elapsed());
    let wanted = cluster.wanted;
    let start = Instant::now();
    while cluster.bound() < wanted && start.elapsed() < Duration::from_secs(300) {
        cluster.second();
    }
    let elapsed = start.elapsed();
    let rate = cluster.bound() as f64 / elapsed.as_secs_f64();
    println!("{} of {wanted} pods bound in {elapsed:.2?}: {rate:.0} a second", cluster.bound());
    while cluster.ready() < wanted && start.elapsed() < Duration::from_secs(300) {
        cluster.second();
    }
    let pods = cluster.world.store().count(Kind::Pod);
    println!("{} of {pods} Running after {:.2?}", cluster.ready(), start.elapsed());
    println!("resident: {} bytes a pod", resident_bytes().unwrap_or_default() / wanted.max(1));
    let start = Instant::now();
    let copies: Vec<World> = (0..1000).map(|_| cluster.world.clone()).collect();
    println!("a snapshot in {:.2?}", start.elapsed() / u32::try_from(copies.len()).unwrap_or(1));
}

fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
