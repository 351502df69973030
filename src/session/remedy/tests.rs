//! Something is broken, the remedy is carried out as it stands, and the request is answered.

use super::super::{Model, Msg, Opening, Sample, update};
use super::asks;
use crate::text::Lang;
use crate::trace::Outcome;
use core::time::Duration;

const BOX: &str = "kubectl run box --image=busybox --labels=app=box -- sleep infinity";

fn model(sample: Sample) -> Model {
    let mut model = Model::new(Opening { sample, lang: Lang::En, ..Opening::default() });
    model.world.run_for(Duration::from_secs(60));
    model
}

fn run(model: &mut Model, line: &str) {
    update(model, Msg::Run(line.into()));
}

fn is_well(model: &Model) -> bool {
    match &model.journey.as_ref().unwrap().trace.outcome {
        Outcome::Answered { because, .. } => because.is_none(),
        Outcome::Failed(_) => false,
    }
}

/// Breaks something, asks, and does what is advised until the answer is well; gives the advice.
fn mended(model: &mut Model, broken: &[&str], request: &str) -> Vec<String> {
    for line in broken {
        run(model, line);
        model.world.run_for(Duration::from_secs(45));
    }
    run(model, request);
    assert!(!is_well(model), "{request} is not broken by {broken:?}");
    let mut advice = Vec::new();
    while !is_well(model) {
        let journey = model.journey.as_ref().unwrap();
        let text = crate::telling::to_text(&journey.trace, Lang::En);
        let Some(line) = journey.remedy.clone() else {
            panic!("no advice after {advice:?} to {broken:?}: {text}")
        };
        assert!(advice.len() < 4, "{advice:?} does not mend {broken:?}: {text}");
        run(model, &line);
        if !asks(&line) {
            model.world.run_for(Duration::from_secs(60));
            run(model, request);
        }
        advice.push(line.to_string());
    }
    advice
}

fn check(sample: Sample, cases: &[(&[&str], &str, &str)]) {
    let mut model = model(sample);
    let world = model.world.clone();
    for (broken, request, expected) in cases {
        model.world = world.clone();
        let advice = mended(&mut model, broken, request);
        let said = advice.join(" ; ");
        assert!(said.contains(expected), "{broken:?} {request}: {said}");
    }
}

const NODE_PORT: &str = "curl http://172.18.0.3:30080";
const PATH: &str = "/spec/rules/0/http/paths/0";

#[test]
fn a_service_is_mended_by_the_command_that_is_advised() {
    let recreate = r#"kubectl patch deployment web -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}'"#;
    let local = r#"kubectl patch service web-np -p '{"spec":{"externalTrafficPolicy":"Local"}}'"#;
    let exclude = "kubectl label node node-1 node-2 node-3 node.kubernetes.io/exclude-from-external-load-balancers=";
    let cases: [(&[&str], &str, &str); 10] = [
        (
            &[local],
            "curl http://172.18.0.2:30080",
            r#"{"spec":{"externalTrafficPolicy":"Cluster"}}"#,
        ),
        (&[exclude], "curl http://203.0.113.11", "exclude-from-external-load-balancers-"),
        (
            &["kubectl scale deployment web --replicas=0"],
            NODE_PORT,
            "kubectl scale deployment web --replicas=1",
        ),
        (
            &[r#"kubectl patch service web-np -p '{"spec":{"selector":{"tier":"front"}}}'"#],
            NODE_PORT,
            r#"{"spec":{"selector":{"tier":null}}}"#,
        ),
        (
            &[recreate, "kubectl set image deployment/web nginx=nginx:nosuch"],
            NODE_PORT,
            "kubectl rollout undo deployment web",
        ),
        (&[], "curl http://172.18.0.3:30088", "curl http://172.18.0.3:30080/"),
        (
            &[BOX],
            "trace --from pod/box curl http://web-np:81",
            "pod/default/box curl http://web-np/",
        ),
        (&[BOX], "trace --from pod/box ping web-np", "curl http://web-np/"),
        (
            &[
                BOX,
                "kubectl create namespace shop",
                "kubectl create deployment cart --image=nginx --port=80 -n shop",
                "kubectl expose deployment cart -n shop --port=80",
            ],
            "trace --from pod/box curl http://cart",
            "curl http://cart.shop/",
        ),
        (
            &[
                r#"kubectl patch service web-lb -p '{"spec":{"loadBalancerSourceRanges":["203.0.113.0/24"]}}'"#,
            ],
            "curl http://203.0.113.11",
            r#""value":"198.51.100.7/32""#,
        ),
    ];
    check(Sample::Web, &cases);
}

#[test]
fn a_node_is_mended_by_the_command_that_is_advised() {
    let mut model = model(Sample::Web);
    let world = model.world.clone();
    let ip = "172.18.0.3".parse::<core::net::Ipv4Addr>().unwrap();
    let mut nodes = world.cluster().nodes.iter();
    let node = nodes.find(|(_, machine)| machine.ip == ip).map(|(node, _)| node.clone()).unwrap();
    let at = |line: &str| format!("node run {node} -- {line}");
    let reject = at("iptables -I FORWARD -p tcp --dport 80 -j REJECT");
    let drop = at("iptables -P OUTPUT DROP");
    let local = format!("trace --from node/{node} {NODE_PORT}");
    let silent = at("iptables -I OUTPUT -p icmp -j DROP");
    let forward = at("sysctl -w net.ipv4.ip_forward=0");
    let stop = format!("node stop {node}");
    let none = "kubectl scale deployment web --replicas=0";
    let from = format!("trace --from node/{node} curl http://172.18.0.4:30080");
    let cases: [(&[&str], &str, &str); 6] = [
        (&[&stop], &from, "node start"),
        (&[&reject], NODE_PORT, "-D FORWARD -p tcp -m tcp --dport 80 -j REJECT"),
        (&[&drop], &local, "iptables -t filter -P OUTPUT ACCEPT"),
        (&[&forward], NODE_PORT, "net.ipv4.ip_forward=1"),
        (&[&stop], NODE_PORT, "node start"),
        (&[none, &silent], NODE_PORT, "--replicas=1"),
    ];
    for (broken, request, expected) in cases {
        model.world = world.clone();
        let said = mended(&mut model, broken, request).join(" ; ");
        assert!(said.contains(expected), "{broken:?}: {said}");
    }
}

#[test]
fn a_policy_gets_a_rule_for_who_asks_and_no_more() {
    let deny = r#"echo '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny"},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"]}}' | kubectl apply -f -"#;
    let mut model = model(Sample::Web);
    let said = mended(&mut model, &[BOX, deny], "trace --from pod/box curl http://web-np");
    let [dns, out, into] = said.as_slice() else { panic!("{said:?}") };
    assert!(dns.contains("/spec/egress\"") && dns.contains(r#""port":53"#), "{dns}");
    assert!(dns.contains(r#""kubernetes.io/metadata.name":"kube-system""#), "{dns}");
    assert!(out.contains("/spec/egress/-") && out.contains(r#"{"app":"web"}"#), "{out}");
    assert!(into.contains("/spec/ingress\"") && into.contains(r#"{"app":"box"}"#), "{into}");
    // Others stay out.
    run(&mut model, NODE_PORT);
    assert!(!is_well(&model));
}

#[test]
fn an_ingress_is_mended_by_the_command_that_is_advised() {
    let change = |path: &str, value: &str| {
        format!(
            r#"kubectl patch ingress web --type=json -p '[{{"op":"replace","path":"{PATH}{path}","value":{value}}}]'"#
        )
    };
    let service = change("/backend/service/name", r#""api""#);
    let port = change("/backend/service/port/number", "8080");
    let path = change("/path", r#""/shop""#);
    let annotate =
        |pair: &str| format!("kubectl annotate ingress web nginx.ingress.kubernetes.io/{pair}");
    let tls = annotate("force-ssl-redirect=true");
    let range = annotate("whitelist-source-range=10.0.0.0/8");
    let (auth, kind) = (annotate("auth-secret=users"), annotate("auth-type=basic"));
    let url = "curl http://shop.example";
    let cases: [(&[&str], &str, &str); 9] = [
        (
            &["kubectl create deployment api --image=nginx --port=80", &service],
            url,
            "kubectl expose deployment api --port=80 --target-port=80",
        ),
        (&[&port], url, r#"/backend/service/port","value":{"number":80}}"#),
        (
            &[r#"kubectl patch ingress web -p '{"spec":{"ingressClassName":"other"}}'"#],
            url,
            r#"{"spec":{"ingressClassName":"nginx"}}"#,
        ),
        (&[&path], url, "curl http://shop.example/shop"),
        (&[&tls], url, "curl https://shop.example/"),
        (
            &[&range],
            url,
            "--overwrite nginx.ingress.kubernetes.io/whitelist-source-range='10.0.0.0/8,",
        ),
        (
            &["kubectl create secret generic users --from-literal=auth=me:secret", &auth, &kind],
            url,
            "curl -u user:password http://shop.example/",
        ),
        (&["kubectl scale deployment web --replicas=0"], url, "--replicas=1"),
        (&[], "curl -H 'Host: shp.example' http://shop.example", "curl http://shop.example/"),
    ];
    check(Sample::Web, &cases);
}

#[test]
fn gateways_and_metal_lb_are_mended_by_the_command_that_is_advised() {
    let mut fresh = model(Sample::MetalLb);
    let services = fresh.world.store().list(crate::api::Kind::Service);
    let ip = services
        .filter(|it| &*it.meta.name == "tickets")
        .find_map(|it| it.status()["loadBalancer"]["ingress"][0]["ip"].as_str().map(str::to_owned));
    let request = format!("curl http://{}", ip.unwrap());
    let broken = ["kubectl delete l2advertisement lan -n metallb-system"];
    let said = mended(&mut fresh, &broken, &request);
    assert!(said[0].contains("L2Advertisement"), "{said:?}");
    let gone = ["kubectl scale deployment tickets --replicas=0"];
    let said = mended(&mut fresh, &gone, &request);
    assert!(said[0].contains("--replicas=1"), "{said:?}");
    run(&mut fresh, &request);
    let hops = &fresh.journey.as_ref().unwrap().trace.hops;
    let announcer = hops.iter().find_map(|hop| match hop.balancer_reason()? {
        crate::trace::BalancerReason::AnswersArp { node, .. } => Some(node.clone()),
        _ => None,
    });
    let announcer = announcer.unwrap();
    run(&mut fresh, &format!("node stop {announcer}"));
    run(&mut fresh, &request);
    let advice = fresh.journey.as_ref().unwrap().remedy.clone();
    assert_eq!(advice.as_deref(), Some(&*format!("node start {announcer}")));
    let mut pending = model(Sample::BareMetal);
    let broken = ["kubectl create ingress shop --class=nginx --rule=shop.test/*=tickets:80"];
    let said = mended(&mut pending, &broken, "curl http://shop.test");
    assert!(said[0].starts_with("curl -H 'Host: shop.test' http://172.18.0."), "{said:?}");
    let mut gateway = model(Sample::Gateway);
    let hosts = crate::trace::gateway::objects(gateway.world.store(), "HTTPRoute")
        .find_map(|route| route.spec()["hostnames"][0].as_str().map(str::to_owned));
    let request = format!("curl http://{}", hosts.unwrap());
    run(&mut gateway, &request);
    assert!(is_well(&gateway), "{request}");
    let backend = gateway.journey.as_ref().unwrap().asked.clone();
    let elsewhere = [
        "kubectl delete httproute blog",
        r#"kubectl patch httproute shop --type=json -p '[{"op":"replace","path":"/spec/parentRefs/0/name","value":"exit"}]'"#,
    ];
    // Nobody knows a host by name that no Gateway takes.
    let hops = &gateway.journey.as_ref().unwrap().trace.hops;
    let ip = hops.iter().find_map(|hop| hop.packet).map(|(packet, _)| packet.destination.ip);
    let host = request.trim_start_matches("curl http://");
    let by_address = format!("curl -H 'Host: {host}' http://{}", ip.unwrap());
    let said = mended(&mut gateway, &elsewhere, &by_address);
    assert!(said[0].starts_with("kubectl patch httproute"), "{said:?}");
    let said = mended(&mut gateway, &["kubectl delete service shop blog"], &request);
    assert!(said[0].starts_with("kubectl expose deployment"), "{said:?} {backend:?}");
}
