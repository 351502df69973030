//! The model at its limits in headless Chromium: what a student's tab can bear. `make bench`.
//!
//! The numbers of `scale.rs` and `trace.rs`, and the 1,000-line manifest of the editor, by the
//! tab's clock, printed to its console.

#![cfg_attr(
    target_arch = "wasm32",
    expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "a benchmark stops where its own objects are refused"
    )
)]

#[cfg(target_arch = "wasm32")]
mod shapes;

#[cfg(target_arch = "wasm32")]
mod in_the_tab {
    use super::shapes::{self, Limits, Scheduling};
    use diorama::base::Rng;
    use diorama::console::Console;
    use diorama::proxy::Mode;
    use diorama::trace::Network;
    use diorama::world::{ClusterConfig, World};
    use wasm_bindgen::JsCast;
    use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

    wasm_bindgen_test_configure!(run_in_browser);

    /// Milliseconds since the tab was opened.
    fn now() -> f64 {
        js_sys::Reflect::get(&js_sys::global(), &"performance".into())
            .and_then(|performance| {
                js_sys::Reflect::get(&performance, &"now".into()).map(|now| (performance, now))
            })
            .ok()
            .and_then(|(performance, now)| {
                now.unchecked_into::<js_sys::Function>().call0(&performance).ok()
            })
            .and_then(|value| value.as_f64())
            .expect("every browser has a clock")
    }

    /// Bytes that the model's memory has grown to; it never shrinks.
    fn memory() -> f64 {
        let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
        f64::from(memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length())
    }

    /// Lets the tab breathe: who drives it gives up on one that is silent for half a minute.
    async fn breathe() {
        let later = js_sys::Promise::new(&mut |done, _| {
            let window: web_sys::Window = js_sys::global().unchecked_into();
            let set = window.set_timeout_with_callback_and_timeout_and_arguments_0(&done, 0);
            set.expect("a tab has timers");
        });
        wasm_bindgen_futures::JsFuture::from(later).await.expect("a timer ends");
    }

    #[wasm_bindgen_test]
    async fn five_thousand_nodes_and_150_000_pods() {
        let start = now();
        let mut cluster = Limits::new(5_000);
        console_log!("5000 nodes in {:.0} ms", now() - start);
        breathe().await;
        let (start, before) = (now(), memory());
        cluster.deploy(1_000, 150);
        console_log!("1000 Deployments created in {:.0} ms", now() - start);
        let wanted = cluster.wanted;
        let start = now();
        while cluster.bound() < wanted && now() - start < 100_000.0 {
            cluster.second();
            breathe().await;
        }
        let seconds = (now() - start) / 1000.0;
        let bound = cluster.bound();
        console_log!(
            "{bound} of {wanted} pods bound in {seconds:.1} s: {:.0} a second",
            bound as f64 / seconds
        );
        while cluster.ready() < wanted && now() - start < 100_000.0 {
            cluster.second();
            breathe().await;
        }
        let ready = cluster.ready();
        console_log!("{ready} of {wanted} Ready after {:.1} s", (now() - start) / 1000.0);
        console_log!("{:.0} bytes a pod", (memory() - before) / wanted as f64);
        let start = now();
        let copies: Vec<_> = (0..1000).map(|_| cluster.world.clone()).collect();
        console_log!("a snapshot in {:.1} µs", (now() - start) * 1000.0 / copies.len() as f64);
        let start = now();
        cluster.world.run_for(core::time::Duration::from_secs(60));
        console_log!("a minute of it at rest in {:.0} ms", now() - start);
    }

    #[wasm_bindgen_test]
    async fn decisions_a_second_of_the_scheduler_alone() {
        for owned in [false, true] {
            let mut scheduling = Scheduling::new(5_000, 1_000, 150, owned);
            breathe().await;
            let mut took = 0.0;
            let bound = scheduling.run(|decide| {
                let start = now();
                decide();
                took += now() - start;
            });
            let whose = if owned { "spread as those of ReplicaSets are" } else { "of nobody" };
            let rate = bound as f64 / took * 1000.0;
            console_log!("{bound} pods {whose}: {rate:.0} decisions a second");
            breathe().await;
        }
    }

    /// Deployments of the manifest of [`a_manifest_of_1000_lines`], 25 lines each.
    const DEPLOYMENTS: u32 = 40;

    #[wasm_bindgen_test]
    fn a_manifest_of_1000_lines() {
        let mut world = World::new(ClusterConfig::default(), 1);
        let mut console = Console::new();
        let text: String = (0..DEPLOYMENTS).map(shapes::deployment_of_25_lines).collect();
        let mut apply = |options: &str| {
            let line = format!("kubectl apply -f - {options}");
            let start = now();
            let output = console.execute(&mut world, &line, Some(&text));
            assert_eq!(output.exit, 0, "{}", output.stderr);
            now() - start
        };
        apply("--dry-run=server");
        console_log!(
            "{} lines decoded, defaulted and validated in {:.1} ms",
            text.lines().count(),
            apply("--dry-run=server")
        );
        console_log!("applied in {:.1} ms, and again in {:.1} ms", apply(""), apply(""));
    }

    #[wasm_bindgen_test]
    fn requests_a_second_among_ten_thousand_services() {
        let world = shapes::many_services();
        let requests = shapes::requests(&world, 10_000);
        let cluster = world.cluster();
        for mode in [Mode::Iptables, Mode::Nftables, Mode::Ipvs] {
            let mut network = Network::new(mode);
            let mut rng = Rng::new(7);
            let start = now();
            assert!(network.send(&cluster, &requests[0], &mut rng).is_answered());
            let first = now() - start;
            let start = now();
            let answered = requests
                .iter()
                .filter(|request| network.send(&cluster, request, &mut rng).is_answered())
                .count();
            let seconds = (now() - start) / 1000.0;
            assert_eq!(answered, requests.len());
            console_log!(
                "{mode:?}: first answer {first:.0} ms, then {:.0} a second",
                answered as f64 / seconds
            );
        }
    }
}

fn main() {
    #[cfg(not(target_arch = "wasm32"))]
    println!("browser: runs in Chromium, by `make bench`");
}
