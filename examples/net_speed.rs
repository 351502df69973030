use diorama::api::{Kind, Object};
use diorama::base::{Map, Rng, SimTime};
use diorama::kubelet::NodeRuntime;
use diorama::proxy::Mode;
use diorama::store::{Cause, Context, Store};
use diorama::trace::{Cluster, Network, Request, Source};
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;
fn main() {
    let cx = Context {
        now: SimTime::default(),
        cause: Cause { writer: "t".into(), working_on: None },
        validate: false,
    };
    let mut store = Store::new(Rng::new(1));
    let mut nodes: Map<Arc<str>, NodeRuntime> = Map::new();
    let mut add = |store: &mut Store, v: serde_json::Value| {
        let kind = Kind::of_word(v["kind"].as_str().unwrap()).unwrap();
        let o = Object::from_value(kind, v);
        let c = store.create(&cx, o.clone()).unwrap();
        let mut w = (*c).clone();
        w.body = o.body;
        store.update_status(&cx, w).unwrap();
    };
    add(&mut store, json!({"kind":"Namespace","metadata":{"name":"demo"}}));
    add(
        &mut store,
        json!({"kind":"ServiceAccount","metadata":{"name":"default","namespace":"demo"}}),
    );
    for n in 0..100u8 {
        let ip = Ipv4Addr::new(172, 18, 1, n + 2);
        add(
            &mut store,
            json!({"kind":"Node","metadata":{"name":format!("node-{n}")},"spec":{"podCIDRs":[format!("10.244.{n}.0/24")]},"status":{"addresses":[{"type":"InternalIP","address":ip.to_string()}],"conditions":[{"type":"Ready","status":"True"}]}}),
        );
        nodes.insert(
            Arc::from(format!("node-{n}")),
            NodeRuntime::new(ip, Ipv4Addr::new(10, 244, n, 0)),
        );
        for p in 0..100u8 {
            add(
                &mut store,
                json!({"kind":"Pod","metadata":{"namespace":"demo","name":format!("p-{n}-{p}")},"spec":{"nodeName":format!("node-{n}"),"containers":[{"name":"c","image":"nginx"}]},"status":{"phase":"Running","podIP":format!("10.244.{n}.{}",p+2),"containerStatuses":[{"name":"c","ready":true,"restartCount":0,"state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}}),
            );
        }
    }
    for s in 0..10000u32 {
        let ip = Ipv4Addr::from_bits(0x0A60_0100 + s);
        add(
            &mut store,
            json!({"kind":"Service","metadata":{"namespace":"demo","name":format!("s{s}")},"spec":{"type":"ClusterIP","clusterIP":ip.to_string(),"ports":[{"port":80,"protocol":"TCP","targetPort":80}]},"status":{"loadBalancer":{}}}),
        );
        let eps: Vec<_> = (0..3u32).map(|e| { let n=(s*7+e*13)%100; let p=(s+e)%100; json!({"addresses":[format!("10.244.{n}.{}",p+2)],"nodeName":format!("node-{n}"),"conditions":{"ready":true}})}).collect();
        add(
            &mut store,
            json!({"kind":"EndpointSlice","metadata":{"namespace":"demo","name":format!("s{s}-x"),"labels":{"kubernetes.io/service-name":format!("s{s}")}},"addressType":"IPv4","endpoints":eps,"ports":[{"name":"","port":80,"protocol":"TCP"}]}),
        );
    }
    let cluster = Cluster { store: &store, nodes: &nodes, now: SimTime::default() };
    for mode in Mode::ALL {
        let mut network = Network::new(mode);
        let mut rng = Rng::new(3);
        let begin = Instant::now();
        network.refresh(&cluster);
        println!("{mode:?} read {:?}", begin.elapsed());
        let begin = Instant::now();
        for n in 0..100 {
            network.ruleset(&format!("node-{n}"));
            if n == 0 {
                println!("one ruleset {:?}", begin.elapsed());
            }
            if n == 19 {
                break;
            }
        }
        println!("20 rulesets {:?}", begin.elapsed());
        // warm
        let mut ask = |i: u32, network: &mut Network, rng: &mut Rng| {
            let from = Source::Pod {
                namespace: Arc::from("demo"),
                name: Arc::from(format!("p-{}-{}", i % 10, i % 100)),
            };
            let request =
                Request::from_url(from, &format!("http://s{}", (i * 37) % 10000)).unwrap();
            network.send(&cluster, &request, rng)
        };
        let mut ok = 0;
        let mut hops = 0;
        for i in 0..1000 {
            ask(i, &mut network, &mut rng);
        }
        let begin = Instant::now();
        for i in 0..20000 {
            let t = ask(i, &mut network, &mut rng);
            ok += u32::from(t.is_answered());
            hops += t.hops.len();
        }
        let e = begin.elapsed();
        println!(
            "{mode:?} 20000 traces {e:?} = {:.0}/s ok {ok} hops {}",
            20000.0 / e.as_secs_f64(),
            hops / 20000
        );
    }
}
