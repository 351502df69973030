//! Whatever people do to a cluster, some things hold at every moment: a pod stays on its node, no
//! address or node port is given twice, no node is promised twice, and every owner is known.

use diorama::api::pod::Resources;
use diorama::api::tree::Tree as _;
use diorama::api::{Kind, Object, Uid};
use diorama::console::Console;
use diorama::world::{ClusterConfig, World};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a person may do, as console lines.
fn command() -> impl Strategy<Value = String> {
    let app = || prop::sample::select(vec!["web", "api", "db"]);
    let node = || prop::sample::select(vec!["node-1", "node-2", "node-3"]);
    let version = prop::sample::select(vec!["nginx:1.28", "nginx:1.29", "nginx:no-such-tag"]);
    prop_oneof![
        (app(), 0..7u32).prop_map(|(app, n)| format!(
            "kubectl create deployment {app} --image=nginx:1.29 --replicas={n}"
        )),
        (app(), 0..40u32).prop_map(|(app, n)| format!("kubectl scale deploy {app} --replicas={n}")),
        (app(), version)
            .prop_map(|(app, image)| format!("kubectl set image deploy/{app} *={image}")),
        (app(), 1..9u32).prop_map(|(app, cpu)| format!(
            "kubectl set resources deploy/{app} --requests=cpu={cpu}00m,memory={cpu}00Mi"
        )),
        app().prop_map(|app| format!("kubectl expose deploy {app} --port=80 --type=NodePort")),
        app().prop_map(|app| format!("kubectl create service loadbalancer {app}-lb --tcp=80:8080")),
        (app(), any::<bool>()).prop_map(|(app, keep)| {
            let cascade = if keep { "orphan" } else { "background" };
            format!("kubectl delete deploy {app} --cascade={cascade} --wait=false")
        }),
        app().prop_map(|app| format!("kubectl delete pods -l app={app} --wait=false")),
        app().prop_map(|app| format!("kubectl rollout undo deploy/{app}")),
        Just(include_str!("../static/samples/state.yaml").to_owned())
            .prop_map(|text| format!("kubectl apply -f - <<'EOF'\n{text}\nEOF")),
        Just(include_str!("../static/samples/daemon.yaml").to_owned())
            .prop_map(|text| format!("kubectl apply -f - <<'EOF'\n{text}\nEOF")),
        node().prop_map(|node| format!("node stop {node}")),
        node().prop_map(|node| format!("node start {node}")),
        node().prop_map(|node| format!("kubectl cordon {node}")),
        node().prop_map(|node| format!("kubectl uncordon {node}")),
        node().prop_map(|node| format!(
            "kubectl drain {node} --ignore-daemonsets --delete-emptydir-data --force --timeout=20s"
        )),
        node().prop_map(|node| format!("kubectl taint node {node} a=b:NoExecute --overwrite")),
        node().prop_map(|node| format!("kubectl taint node {node} a-")),
        (1..400u32).prop_map(|seconds| format!("sleep {seconds}")),
    ]
}

/// Panics unless `item` is new.
fn once<T: Ord + core::fmt::Debug>(seen: &mut BTreeMap<T, String>, item: T, object: &Object) {
    let name = format!("{}/{}/{}", object.kind.name(), object.meta.namespace, object.meta.name);
    let shown = format!("{item:?}");
    let other = seen.insert(item, name.clone());
    assert_eq!(other, None, "{shown} belongs to {name} too");
}

fn addresses_and_ports_are_given_once(world: &World) {
    let mut addresses = BTreeMap::new();
    for object in world.store().list(Kind::Pod) {
        let Some(pod) = object.pod() else { continue };
        if let Some(ip) = pod.status.pod_ip
            && !pod.spec.host_network
            && !pod.status.phase.is_terminal()
        {
            once(&mut addresses, ip.to_string(), object);
        }
    }
    let mut ports = BTreeMap::new();
    for object in world.store().list(Kind::Service) {
        if let Some(ip) = object.spec().str_at(&["clusterIP"]).filter(|ip| *ip != "None") {
            once(&mut addresses, ip.to_owned(), object);
        }
        for port in object.spec().items_at(&["ports"]) {
            if let Some(number) = port.int_at(&["nodePort"]) {
                let protocol = port.str_at(&["protocol"]).unwrap_or("TCP").to_owned();
                assert!((30_000..=32_767).contains(&number), "{number}");
                once(&mut ports, (number, protocol), object);
            }
        }
    }
}

fn no_node_is_promised_twice(world: &World) {
    for node in world.store().list(Kind::Node) {
        let may = Resources::from_value(node.status().at(&["allocatable"]));
        let mut asked = Resources::default();
        let mut pods = 0;
        for object in world.store().pods_on(&node.meta.name) {
            if let Some(pod) = object.pod().filter(|pod| !pod.status.phase.is_terminal()) {
                asked.add(&pod.spec.requests);
                pods += 1;
            }
        }
        assert!(asked.milli_cpu <= may.milli_cpu, "{}: {asked:?} of {may:?}", node.meta.name);
        assert!(asked.memory <= may.memory, "{}: {asked:?} of {may:?}", node.meta.name);
        assert!(pods <= 110, "{}: {pods} pods", node.meta.name);
    }
}

/// A pod has one node for life.
fn pods_stay(world: &World, homes: &mut BTreeMap<Uid, Arc<str>>) {
    for object in world.store().list(Kind::Pod) {
        let node = object.pod().and_then(|pod| pod.node_name.clone());
        match (homes.get(&object.meta.uid), node) {
            (Some(home), now) => assert_eq!(Some(home), now.as_ref(), "{}", object.meta.name),
            (None, Some(node)) => drop(homes.insert(object.meta.uid, node)),
            (None, None) => {}
        }
    }
}

/// Once the garbage collector has had its time, nothing waits for an owner that is gone.
fn owners_are_known(world: &World) {
    let store = world.store();
    for object in Kind::all().flat_map(|kind| store.list(kind)) {
        for owner in object.meta.owner_references.iter() {
            let found = store.by_uid(owner.uid);
            assert!(
                found.is_some() || object.meta.is_terminating(),
                "{} {} has no owner {} {}",
                object.kind.name(),
                object.meta.name,
                owner.kind,
                owner.name
            );
        }
    }
}

/// What EndpointSlices send packets to are pods of that address.
fn endpoints_are_pods(world: &World) {
    let store = world.store();
    let address = |object: &Arc<Object>| object.pod()?.status.pod_ip.map(|ip| ip.to_string());
    let living: BTreeSet<String> = store.list(Kind::Pod).filter_map(address).collect();
    for slice in store.list(Kind::EndpointSlice) {
        for endpoint in slice.content().items_at(&["endpoints"]) {
            if endpoint.str_at(&["targetRef", "kind"]) == Some("Pod") {
                let ip = endpoint.at(&["addresses"]).and_then(|all| all.get(0)?.as_str());
                assert!(living.contains(ip.unwrap_or_default()), "{}: {ip:?}", slice.meta.name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_is_done_the_cluster_stays_sound(
        seed in any::<u64>(),
        lines in prop::collection::vec(command(), 1..25),
    ) {
        let mut world = World::new(ClusterConfig::classroom(), seed);
        let mut console = Console::new();
        let mut homes = BTreeMap::new();
        for line in &lines {
            console.execute(&mut world, line, None);
            for _ in 0..5 {
                world.run_for(core::time::Duration::from_millis(700));
                addresses_and_ports_are_given_once(&world);
                no_node_is_promised_twice(&world);
                pods_stay(&world, &mut homes);
            }
        }
        world.run_for(core::time::Duration::from_secs(60));
        owners_are_known(&world);
        endpoints_are_pods(&world);
    }
}
