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

#[test]
fn a_corefile_gets_the_plugin_back_that_it_lost() {
    let corefile = |plugins: &str| {
        let text = format!(
            r".:53 {{\n    errors\n    hosts {{\n      10.0.0.9 old.shop\n      fallthrough\n    }}\n{plugins}}}\n"
        );
        format!(
            r#"kubectl patch configmap coredns -n kube-system -p '{{"data":{{"Corefile":"{text}"}}}}'"#
        )
    };
    let no_zone = corefile(r"    forward . /etc/resolv.conf\n");
    let no_way_out = corefile(r"    kubernetes cluster.local in-addr.arpa ip6.arpa\n");
    let ask = |url: &str| format!("trace --from pod/box curl {url}");
    let (inside, outside) = (ask("http://web-np"), ask("http://example.org"));
    let cases: [(&[&str], &str, &str); 2] = [
        (&[BOX, &no_zone], &inside, r"{\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n"),
        (&[BOX, &no_way_out], &outside, r"{\n    forward . /etc/resolv.conf\n    errors\n"),
    ];
    check(Sample::Web, &cases);
    let mut model = model(Sample::Web);
    let said = mended(&mut model, &[BOX, &no_zone], &inside);
    assert!(said[0].contains("10.0.0.9 old.shop"), "what people wrote stays: {said:?}");
    // A Pod that asks somebody else is another matter.
    let stranger = r#"kubectl run stranger --image=busybox --overrides='{"spec":{"dnsPolicy":"Default"}}' -- sleep infinity"#;
    run(&mut model, stranger);
    model.world.run_for(Duration::from_secs(45));
    run(&mut model, "trace --from pod/stranger curl http://web-np.default.svc.cluster.local");
    let journey = model.journey.as_ref().unwrap();
    let text = crate::telling::to_text(&journey.trace, Lang::En);
    assert!(text.contains("knows nothing of the cluster"), "{text}");
    assert!(journey.remedy.as_ref().unwrap().contains("pod/default/stranger curl http://10.96."));
}

#[test]
fn what_only_other_modes_take_is_asked_otherwise() {
    let mut model = model(Sample::Web);
    let nodes = model.world.cluster().nodes.iter().map(|(node, _)| node.to_string());
    let nodes: Vec<String> = nodes.collect();
    let world = model.world.clone();
    let loopback = format!("trace --from node/{} curl http://127.0.0.1:30080", nodes[1]);
    let said = mended(&mut model, &["proxy mode nftables"], &loopback);
    assert!(said[0].contains("curl http://172.18.0."), "{said:?}");
    // IPVS sends on what comes to a node without a Pod, and the answer comes from the Pod.
    model.world = world;
    let local = r#"kubectl patch service web-np -p '{"spec":{"externalTrafficPolicy":"Local"}}'"#;
    let broken = ["proxy mode ipvs", local];
    let said = mended(&mut model, &broken, "curl http://172.18.0.2:30080");
    assert!(said[0].contains(r#"{"externalTrafficPolicy":"Cluster"}"#), "{said:?}");
}

const CERTIFICATE: &str = r#"echo '{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/tls","metadata":{"name":"shop-cert"},"data":{"tls.crt":"eA==","tls.key":"eA=="}}' | kubectl apply -f -"#;

#[test]
fn a_certificate_that_is_named_wrongly_is_named_rightly() {
    let tls = r#"kubectl patch ingress web -p '{"spec":{"tls":[{"hosts":["shop.example"],"secretName":"shop-crt"}]}}'"#;
    let cases: [(&[&str], &str, &str); 1] = [(
        &[CERTIFICATE, tls],
        "curl -k https://shop.example",
        r#""path":"/spec/tls/0/secretName","value":"shop-cert""#,
    )];
    check(Sample::Web, &cases);
    let listener = r#"kubectl patch gateway entrance --type=json -p '[{"op":"add","path":"/spec/listeners/-","value":{"name":"https","port":443,"protocol":"HTTPS","tls":{"certificateRefs":[{"name":"shop-crt"}]}}}]'"#;
    let cases: [(&[&str], &str, &str); 1] = [(
        &[CERTIFICATE, listener],
        "curl -k https://example.test",
        r#""path":"/spec/listeners/1/tls/certificateRefs","value":[{"name":"shop-cert"}]"#,
    )];
    check(Sample::Gateway, &cases);
}

#[test]
fn a_route_is_asked_as_it_wants_to_be() {
    let matches = |value: &str| {
        format!(
            r#"kubectl patch httproute shop --type=json -p '[{{"op":"add","path":"/spec/rules/0/matches","value":[{value}]}}]'"#
        )
    };
    let path = matches(r#"{"path":{"type":"PathPrefix","value":"/cart"}}"#);
    let header = matches(r#"{"method":"GET","headers":[{"name":"x-beta","value":"yes"}]}"#);
    let cases: [(&[&str], &str, &str); 2] = [
        (&[&path], "curl http://example.test/basket", "curl http://example.test/cart"),
        (
            &[&header],
            "curl http://example.test",
            "curl -X GET -H 'x-beta: yes' http://example.test",
        ),
    ];
    check(Sample::Gateway, &cases);
}

#[test]
fn a_bgp_session_comes_up_by_the_command_that_is_advised() {
    let mut model = model(Sample::MetalLb);
    let services = model.world.store().list(crate::api::Kind::Service);
    let ip = services
        .filter(|it| &*it.meta.name == "tickets")
        .find_map(|it| it.status()["loadBalancer"]["ingress"][0]["ip"].as_str().map(str::to_owned));
    let request = format!("curl http://{}", ip.unwrap());
    let by_bgp = [
        "kubectl delete l2advertisement lan -n metallb-system",
        r#"echo '{"apiVersion":"metallb.io/v1beta1","kind":"BGPAdvertisement","metadata":{"name":"lan","namespace":"metallb-system"},"spec":{"ipAddressPools":["lan"]}}' | kubectl apply -f -"#,
    ];
    let said = mended(&mut model, &by_bgp, &request);
    assert!(said[0].contains(r#""kind":"BGPPeer""#), "{said:?}");
    let world = model.world.clone();
    let wrong = |spec: &str| {
        format!(
            r#"kubectl patch bgppeer router -n metallb-system --type=merge -p '{{"spec":{spec}}}'"#
        )
    };
    for (spec, expected) in [
        (r#"{"peerASN":64999}"#, r#""path":"/spec/peerASN","value":64501"#),
        (r#"{"peerAddress":"172.18.0.9"}"#, r#""path":"/spec/peerAddress","value":"172.18.0.1""#),
        (r#"{"peerPort":1179}"#, r#""path":"/spec/peerPort","value":179"#),
        (r#"{"password":"secret"}"#, r#""op":"remove","path":"/spec/password""#),
    ] {
        model.world = world.clone();
        let said = mended(&mut model, &[&wrong(spec)], &request);
        assert!(said[0].contains(expected), "{spec}: {said:?}");
    }
}
