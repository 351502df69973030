//! Traced requests with 10,000 Services, and the rules of a node. `cargo bench --bench trace`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "a benchmark stops where its own objects are refused"
)]

mod shapes;

use diorama::base::Rng;
use diorama::proxy::{Input, Mode};
use diorama::trace::Network;
use diorama::world::World;
use divan::{Bencher, counter::ItemsCount};
use std::sync::OnceLock;

/// Requests in one measurement.
const BATCH: u32 = 1_000;

fn main() {
    divan::main();
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(shapes::many_services)
}

#[divan::bench(args = [Mode::Iptables, Mode::Nftables, Mode::Ipvs], max_time = 5)]
fn requests_a_second(bencher: Bencher<'_, '_>, mode: Mode) {
    let world = world();
    let requests = shapes::requests(world, BATCH);
    let mut network = Network::new(mode);
    let mut rng = Rng::new(7);
    let cluster = world.cluster();
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
