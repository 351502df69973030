use super::*;
use crate::proxy::Mode;
use crate::trace::fixture::Fixture;
use serde_json::{Value, json};

/// A shop: a Service with a cluster IP, a headless one of two pods with names, one without ready
/// pods, names that stand for others.
fn shop() -> Fixture {
    let mut it = Fixture::new(Mode::Iptables);
    let ports = json!([
        {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080},
        {"name": "metrics", "port": 9090, "protocol": "TCP", "targetPort": 9090},
    ]);
    it.service("demo/web", json!({"clusterIP": "10.96.71.33", "ports": ports}), &[(1, 9)]);
    it.service("demo/idle", json!({"clusterIP": "10.96.71.34"}), &[]);
    let ports = json!([{"name": "pg", "port": 5432, "protocol": "TCP", "targetPort": 5433}]);
    it.service("demo/none", json!({"clusterIP": "None"}), &[]);
    it.add(json!({
        "kind": "Service", "metadata": {"namespace": "demo", "name": "db"},
        "spec": {"type": "ClusterIP", "clusterIP": "None", "ports": ports},
        "status": {"loadBalancer": {}},
    }));
    let endpoint = |last: u8, host: &str, ready: bool| {
        json!({
            "addresses": [format!("10.244.{last}.5")], "hostname": host,
            "conditions": {"ready": ready},
        })
    };
    it.add(json!({
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "demo", "name": "db-x", "labels": {"kubernetes.io/service-name": "db"},
        },
        "addressType": "IPv4",
        "endpoints": [endpoint(1, "db-0", true), endpoint(2, "db-1", true), endpoint(3, "db-2", false)],
        "ports": [{"name": "pg", "port": 5433, "protocol": "TCP"}],
    }));
    let mut alias = |name: &str, target: &str| {
        it.add(json!({
            "kind": "Service", "metadata": {"namespace": "demo", "name": name},
            "spec": {"type": "ExternalName", "externalName": target},
            "status": {"loadBalancer": {}},
        }));
    };
    alias("ext", "example.com");
    alias("inside", "web.demo.svc.cluster.local");
    alias("twice", "ext.demo.svc.cluster.local");
    alias("lost", "nobody.invalid");
    alias("self", "self.demo.svc.cluster.local");
    it
}

fn say(it: &Fixture, corefile: &str, question: &str) -> Response {
    let (record, name) = question.split_once(' ').unwrap();
    let question = Question::new(name, RecordType::parse(record).unwrap());
    let server = NameServer::CoreDns(Arc::new(Corefile::parse(corefile)));
    server.ask(&it.cluster(), &question, &Memo::default(), &mut |_| 0)
}

/// The Corefile of cmd/kubeadm/app/phases/addons/dns/manifests.go.
fn usual() -> String {
    let manifests = include_str!("../../addons/manifests/system.yaml");
    let begin = manifests.split_once("Corefile: |\n").unwrap().1;
    begin.split_once("---").unwrap().0.to_owned()
}

/// Read from plugin/kubernetes of CoreDNS: parse.go, kubernetes.go, reverse.go, and
/// plugin/backend_lookup.go.
const ANSWERS: &[(&str, &str, &str)] = &[
    ("a cluster IP", "A web.demo.svc.cluster.local", "10.96.71.33"),
    ("no matter whether anybody is ready", "A idle.demo.svc.cluster.local", "10.96.71.34"),
    ("names are of any size", "A WEB.Demo.svc.cluster.LOCAL", "10.96.71.33"),
    ("no IPv6", "AAAA web.demo.svc.cluster.local", "NODATA"),
    ("the ready pods of a headless one", "A db.demo.svc.cluster.local", "10.244.1.5 10.244.2.5"),
    ("one of them", "A db-1.db.demo.svc.cluster.local", "10.244.2.5"),
    ("one that is not ready", "A db-2.db.demo.svc.cluster.local", "NXDOMAIN"),
    ("endpoints of others have names too", "A 10-244-1-9.web.demo.svc.cluster.local", "10.244.1.9"),
    ("headless without anybody", "A none.demo.svc.cluster.local", "NXDOMAIN"),
    ("no such Service", "A nobody.demo.svc.cluster.local", "NXDOMAIN"),
    ("no such namespace", "A web.nowhere.svc.cluster.local", "NXDOMAIN"),
    ("a namespace alone", "A demo.svc.cluster.local", "NODATA"),
    ("that is not there", "A nowhere.svc.cluster.local", "NXDOMAIN"),
    ("the zones themselves", "A svc.cluster.local", "NODATA"),
    ("and theirs", "A cluster.local", "NODATA"),
    ("neither svc nor pod", "A web.demo.cluster.local", "NXDOMAIN"),
    ("too many labels", "A a.b.c.web.demo.svc.cluster.local", "NXDOMAIN"),
    (
        "all ports",
        "SRV web.demo.svc.cluster.local",
        "80 web.demo.svc.cluster.local, 9090 web.demo.svc.cluster.local",
    ),
    (
        "a port by its name",
        "SRV _http._tcp.web.demo.svc.cluster.local",
        "80 web.demo.svc.cluster.local",
    ),
    (
        "underscores may be left out",
        "SRV http.tcp.web.demo.svc.cluster.local",
        "80 web.demo.svc.cluster.local",
    ),
    ("and it is a name like others", "A _http._tcp.web.demo.svc.cluster.local", "10.96.71.33"),
    ("another protocol", "SRV _http._udp.web.demo.svc.cluster.local", "NXDOMAIN"),
    (
        "ports of pods",
        "SRV _pg._tcp.db.demo.svc.cluster.local",
        "5433 db-0.db.demo.svc.cluster.local, 5433 db-1.db.demo.svc.cluster.local",
    ),
    (
        "another name with its addresses",
        "A ext.demo.svc.cluster.local",
        "CNAME example.com 198.18.246.126",
    ),
    ("that has no IPv6", "AAAA ext.demo.svc.cluster.local", "CNAME example.com"),
    (
        "of the cluster",
        "A inside.demo.svc.cluster.local",
        "CNAME web.demo.svc.cluster.local 10.96.71.33",
    ),
    (
        "a chain",
        "A twice.demo.svc.cluster.local",
        "CNAME ext.demo.svc.cluster.local, CNAME example.com 198.18.246.126",
    ),
    ("that leads nowhere", "A lost.demo.svc.cluster.local", "CNAME nobody.invalid"),
    ("that leads to itself", "A self.demo.svc.cluster.local", "NODATA"),
    ("no ports of it", "SRV ext.demo.svc.cluster.local", "NODATA"),
    ("a pod's address", "A 10-244-1-99.demo.pod.cluster.local", "10.244.1.99"),
    ("is none", "A web.demo.pod.cluster.local", "NXDOMAIN"),
    ("in no namespace", "A 10-244-1-99.nowhere.pod.cluster.local", "NXDOMAIN"),
    ("the name of a cluster IP", "PTR 33.71.96.10.in-addr.arpa", "web.demo.svc.cluster.local"),
    ("of a pod with a name", "PTR 5.2.244.10.in-addr.arpa", "db-1.db.demo.svc.cluster.local"),
    ("and without", "PTR 9.1.244.10.in-addr.arpa", "10-244-1-9.web.demo.svc.cluster.local"),
    ("of nobody", "PTR 99.71.96.10.in-addr.arpa", "NXDOMAIN"),
    ("the version", "TXT dns-version.cluster.local", "\"1.1.0\""),
    ("no texts", "TXT web.demo.svc.cluster.local", "NODATA"),
    ("no mail", "MX web.demo.svc.cluster.local", "NODATA"),
    ("the server", "NS cluster.local", "kube-dns.kube-system.svc.cluster.local"),
    ("the internet", "A example.com", "198.18.246.126"),
    ("is no namespace", "A web.qa", "NXDOMAIN"),
];

#[test]
fn core_dns_answers_as_its_plugin_for_kubernetes_does() {
    let it = shop();
    for (name, question, expected) in ANSWERS.iter().copied() {
        assert_eq!(say(&it, &usual(), question).to_string(), expected, "{name}: {question}");
    }
}

#[test]
fn answers_say_how_long_they_hold_and_who_is_responsible() {
    let it = shop();
    let text = |question: &str| {
        let response = say(&it, &usual(), question);
        let records = response.answers.iter().chain(&response.authority);
        let records = records.chain(&response.additional);
        let records = records.map(|it| format!("{} {} {}", it.name, it.ttl, it.data));
        let aa = if response.authoritative { "aa " } else { "" };
        let ra = if response.recursion { "ra " } else { "" };
        format!("{aa}{ra}{}", records.collect::<Vec<_>>().join("; "))
    };
    let soa =
        "cluster.local 30 ns.dns.cluster.local. hostmaster.cluster.local. 0 7200 1800 86400 30";
    let cases = [
        ("A web.demo.svc.cluster.local", "aa web.demo.svc.cluster.local 30 10.96.71.33".to_owned()),
        ("A nobody.demo.svc.cluster.local", format!("aa {soa}")),
        ("AAAA web.demo.svc.cluster.local", format!("aa {soa}")),
        // The kubeadm Corefile caches what is not of the cluster, for 30 seconds.
        ("A example.com", "ra example.com 30 198.18.246.126".to_owned()),
        (
            "SRV _pg._tcp.db.demo.svc.cluster.local",
            "aa _pg._tcp.db.demo.svc.cluster.local 30 0 50 5433 db-0.db.demo.svc.cluster.local.; \
             _pg._tcp.db.demo.svc.cluster.local 30 0 50 5433 db-1.db.demo.svc.cluster.local.; \
             db-0.db.demo.svc.cluster.local 30 10.244.1.5; \
             db-1.db.demo.svc.cluster.local 30 10.244.2.5"
                .to_owned(),
        ),
    ];
    for (question, expected) in cases {
        assert_eq!(text(question), expected, "{question}");
    }
}

#[test]
fn the_corefile_decides() {
    let it = shop();
    let bare = ".:53 {\n kubernetes cluster.local {\n pods verified\n }\n}\n";
    let hosts = ".:53 {\n hosts {\n 192.168.0.7 nas.local\n fallthrough\n }\n kubernetes cluster.local\n forward . 1.1.1.1\n}\n";
    let stub = "corp.example {\n forward . 10.150.0.1\n}\n.:53 {\n forward . 8.8.8.8\n}\n";
    let rewrite = ".:53 {\n rewrite name old.demo.svc.cluster.local web.demo.svc.cluster.local\n kubernetes cluster.local\n}\n";
    let cases = [
        ("its time to live by default", bare, "A web.demo.svc.cluster.local", "5 10.96.71.33"),
        ("only pods that there are", bare, "A 10-244-1-99.demo.pod.cluster.local", "5 NXDOMAIN"),
        ("nobody to ask further", bare, "A example.com", "- SERVFAIL"),
        ("names by hand", hosts, "A nas.local", "3600 192.168.0.7"),
        ("of no other family", hosts, "AAAA nas.local", "- NODATA"),
        ("the others as ever", hosts, "A web.demo.svc.cluster.local", "5 10.96.71.33"),
        ("no names for pods", hosts, "A 10-244-1-9.demo.pod.cluster.local", "5 NXDOMAIN"),
        ("a server that is not there", stub, "A ldap.corp.example", "- SERVFAIL"),
        ("nobody knows the cluster", stub, "A web.demo.svc.cluster.local", "- NXDOMAIN"),
        ("another name", rewrite, "A old.demo.svc.cluster.local", "5 10.96.71.33"),
    ];
    for (name, corefile, question, expected) in cases {
        let response = say(&it, corefile, question);
        let first = response.answers.iter().chain(&response.authority).next();
        let ttl = first.map_or("-".to_owned(), |record| record.ttl.to_string());
        assert_eq!(format!("{ttl} {response}"), expected, "{name}");
    }
    let refused = say(&it, "cluster.local {\n kubernetes\n}\n", "A example.com");
    assert_eq!(refused.code, Code::Refused);
}

#[test]
fn of_several_addresses_a_drawn_one_comes_first() {
    let it = shop();
    let question = Question::new("db.demo.svc.cluster.local", RecordType::A);
    let server = NameServer::CoreDns(Corefile::usual());
    let response = server.ask(&it.cluster(), &question, &Memo::default(), &mut |among| among - 1);
    assert_eq!(response.to_string(), "10.244.2.5 10.244.1.5");
}

#[test]
fn a_short_name_is_searched_for_and_a_long_one_asked_first() {
    let conf = |spec: Value| {
        let mut value = json!({"metadata": {"name": "p", "namespace": "shop"}, "spec": spec});
        value["spec"]["containers"] = json!([]);
        ResolvConf::of_pod(&crate::api::Object::from_value(crate::api::Kind::Pod, value))
    };
    let names = |conf: &ResolvConf, host: &str| search(conf, host).collect::<Vec<_>>().join(" ");
    let usual = conf(json!({}));
    let cases = [
        ("web", "web.shop.svc.cluster.local web.svc.cluster.local web.cluster.local web"),
        ("web.shop.", "web.shop"),
        (
            "a.b.c.d.e.f",
            "a.b.c.d.e.f a.b.c.d.e.f.shop.svc.cluster.local a.b.c.d.e.f.svc.cluster.local \
             a.b.c.d.e.f.cluster.local",
        ),
        (
            "api.example.com",
            "api.example.com.shop.svc.cluster.local api.example.com.svc.cluster.local \
             api.example.com.cluster.local api.example.com",
        ),
    ];
    for (host, expected) in cases {
        assert_eq!(names(&usual, host), expected, "{host}");
    }
    let two = json!({"dnsConfig": {"options": [{"name": "ndots", "value": "2"}]}});
    assert!(
        names(&conf(two), "api.example.com").starts_with("api.example.com api.example.com.shop")
    );
    assert_eq!(names(&conf(json!({"dnsPolicy": "Default"})), "web"), "web");
}
