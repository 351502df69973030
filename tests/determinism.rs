//! The same seed and the same commands give the same world, natively and in a browser.

use diorama::console::Console;
use diorama::world::{ClusterConfig, World};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// The world after the script, the same on every machine. A change of the model changes it too:
/// then put the new value here, and both tests must agree on it.
const HASH: u64 = 5_991_673_150_916_838_674;

const SCRIPT: [&str; 6] = [
    "kubectl create deployment web --image=nginx:1.29 --replicas=5",
    "kubectl expose deployment web --port=80 --type=NodePort",
    "sleep 30",
    "node stop node-2",
    "sleep 400",
    "kubectl scale deployment web --replicas=2",
];

fn hash() -> u64 {
    let mut world = World::new(ClusterConfig::classroom(), 7);
    let mut console = Console::new();
    for line in SCRIPT {
        let output = console.execute(&mut world, line, None);
        assert_eq!(output.exit, 0, "{line}: {}", output.stderr);
    }
    world.run_for(core::time::Duration::from_secs(60));
    world.state_hash()
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn a_seed_and_a_script_give_one_world_everywhere() {
    assert_eq!(hash(), HASH);
}
