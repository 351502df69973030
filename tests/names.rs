//! Names, typed into a classroom's console: what CoreDNS answers, how resolvers ask, what programs
//! print of it, and what becomes of them when nobody answers.
//!
//! Texts of BIND's programs, of iputils, GNU wget, netcat and glibc were taken from BIND 9.18.49,
//! glibc 2.36 and their kin on Debian 12, asking a server that answers as CoreDNS does and one
//! behind `-j REJECT` and `-j DROP`; those of busybox were read from its networking/nslookup.c,
//! nc_bloaty.c, ping.c and wget.c.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use diorama::trace::{Cause, Outcome};
use room::Room;

/// A Service with a cluster IP and one without, one that stands for a host of the internet, and
/// pods to ask from.
fn room() -> Room {
    Room::classroom(&[
        "kubectl create namespace demo",
        "kubectl config set-context --current --namespace=demo",
        "kubectl create deployment web --image=traefik/whoami --replicas=2",
        "kubectl create service clusterip web --tcp=80:80 --clusterip=10.96.71.33",
        r#"kubectl patch svc web --type=json -p '[{"op":"replace","path":"/spec/ports/0/name","value":"http"}]'"#,
        "kubectl create service externalname ext --external-name=example.com",
        "kubectl apply -f - <<EOF\napiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {clusterIP: None, selector: {app: db}, ports: [{name: pg, port: 5432}]}\n---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  serviceName: db\n  replicas: 2\n  selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    spec: {containers: [{name: db, image: postgres:17}]}\nEOF",
        "kubectl run box --image=busybox:1.37 -- sleep infinity",
        "kubectl run alpine --image=alpine:3.22 -- sleep infinity",
        "kubectl run net --image=nicolaka/netshoot -- sleep infinity",
        "kubectl run old --image=registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7 -- sleep infinity",
        "kubectl run curl --image=curlimages/curl --command -- sleep infinity",
        "kubectl run debian --image=debian:12 -- sleep infinity",
        "sleep 90",
    ])
}

const BUSYBOX: &str = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n";
const BIND: &str = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n";
const NO_RECURSION: &str = ";; Got recursion not available from 10.96.0.10\n";

#[test]
fn busybox_asks_under_every_name_of_the_search_list_for_both_families() {
    let mut room = room();
    let found = "Name:\tweb.demo.svc.cluster.local\nAddress: 10.96.71.33\n\n";
    let not = |name: &str| format!("** server can't find {name}: NXDOMAIN\n\n");
    let none = not("web.svc.cluster.local") + &not("web.cluster.local");
    for pod in ["box", "alpine", "curl"] {
        room.check(pod, "nslookup web", (&format!("{BUSYBOX}{found}{none}\n{none}"), 1, 0));
    }
    let cases = [
        ("web.demo.svc.cluster.local", format!("{found}\n"), 0),
        // A name with a dot is asked for as it stands.
        ("web.demo", not("web.demo") + &not("web.demo"), 1),
        (
            "ext.demo.svc.cluster.local",
            "ext.demo.svc.cluster.local\tcanonical name = example.com\nName:\texample.com\nAddress: 198.18.246.126\n\next.demo.svc.cluster.local\tcanonical name = example.com\n\n".to_owned(),
            0,
        ),
        ("example.com", "Non-authoritative answer:\nName:\texample.com\nAddress: 198.18.246.126\n\nNon-authoritative answer:\n\n".to_owned(), 0),
        ("10.96.71.33", "33.71.96.10.in-addr.arpa\tname = web.demo.svc.cluster.local\n\n".to_owned(), 0),
        ("10.96.71.99", not("99.71.96.10.in-addr.arpa"), 1),
        ("-type=srv _http._tcp.web.demo.svc.cluster.local", "_http._tcp.web.demo.svc.cluster.local\tservice = 0 100 80 web.demo.svc.cluster.local\n\n".to_owned(), 0),
        ("-type=a web 10.96.0.10", not("web"), 1),
    ];
    for (words, expected, exit) in cases {
        room.check("box", &format!("nslookup {words}"), (&format!("{BUSYBOX}{expected}"), exit, 0));
    }
    room.check("box", "nslookup -type=foo web", ("nslookup: invalid query type \"foo\"\n", 1, 0));
    room.check("box", "nslookup web nosuch", ("nslookup: bad address 'nosuch'\n", 1, 0));
}

#[test]
fn binds_programs_search_and_say_that_core_dns_asks_nobody() {
    let mut room = room();
    let web = "Name:\tweb.demo.svc.cluster.local\nAddress: 10.96.71.33\n";
    let cases = [
        ("web", format!("{NO_RECURSION}{BIND}{web}{NO_RECURSION}\n"), 0),
        ("web.demo", format!("{NO_RECURSION}{NO_RECURSION}{BIND}{web}{NO_RECURSION}\n"), 0),
        (
            "nobody",
            format!("{}{BIND}** server can't find nobody: NXDOMAIN\n\n", NO_RECURSION.repeat(3)),
            1,
        ),
        (
            "ext",
            format!(
                "{NO_RECURSION}{BIND}ext.demo.svc.cluster.local\tcanonical name = example.com.\nName:\texample.com\nAddress: 198.18.246.126\n{NO_RECURSION}\n"
            ),
            0,
        ),
        (
            "example.com",
            format!(
                "{}{BIND}Non-authoritative answer:\nName:\texample.com\nAddress: 198.18.246.126\n\n",
                NO_RECURSION.repeat(3)
            ),
            0,
        ),
        (
            "10.96.71.33",
            "33.71.96.10.in-addr.arpa\tname = web.demo.svc.cluster.local.\n\n".to_owned(),
            0,
        ),
        (
            "10.96.71.99",
            "** server can't find 99.71.96.10.in-addr.arpa: NXDOMAIN\n\n".to_owned(),
            1,
        ),
        ("-type=a web 10.96.0.10", format!("{BIND}{web}\n"), 0),
        (
            "-type=txt web.demo.svc.cluster.local",
            format!(
                "{}{BIND}*** Can't find web.demo.svc.cluster.local: No answer\n\n",
                NO_RECURSION.repeat(4)
            ),
            0,
        ),
        ("web nosuch", "nslookup: couldn't get address for 'nosuch': not found\n".to_owned(), 1),
    ];
    for (words, expected, exit) in cases {
        room.check("net", &format!("nslookup {words}"), (&expected, exit, 0));
    }
    // BIND 9.9 says less.
    room.check("old", "nslookup web", (&format!("{BIND}{web}\n"), 0, 0));
}

#[test]
fn host_getent_and_dig_say_it_in_short() {
    let mut room = room();
    let cases = [
        ("host web", "web.demo.svc.cluster.local has address 10.96.71.33\n", 0),
        ("host nobody", "Host nobody not found: 3(NXDOMAIN)\n", 1),
        (
            "host ext",
            "ext.demo.svc.cluster.local is an alias for example.com.\nexample.com has address 198.18.246.126\n",
            0,
        ),
        (
            "host 10.96.71.33",
            "33.71.96.10.in-addr.arpa domain name pointer web.demo.svc.cluster.local.\n",
            0,
        ),
        ("host 10.96.71.99", "Host 99.71.96.10.in-addr.arpa. not found: 3(NXDOMAIN)\n", 1),
        (
            "host -t srv _http._tcp.web",
            "_http._tcp.web.demo.svc.cluster.local has SRV record 0 100 80 web.demo.svc.cluster.local.\n",
            0,
        ),
        ("host -t aaaa web", "web.demo.svc.cluster.local has no AAAA record\n", 0),
        ("getent hosts web", "10.96.71.33     web.demo.svc.cluster.local\n", 0),
        ("getent hosts nobody", "", 2),
        ("dig +short web.demo.svc.cluster.local", "10.96.71.33\n", 0),
        ("dig +short web", "", 0),
        ("dig +search +short web", "10.96.71.33\n", 0),
        ("dig +short ext.demo.svc.cluster.local", "example.com.\n198.18.246.126\n", 0),
        ("dig -x 10.96.71.33 +short", "web.demo.svc.cluster.local.\n", 0),
        (
            "dig +noall +answer web.demo.svc.cluster.local",
            "web.demo.svc.cluster.local. 30\tIN\tA\t10.96.71.33\n",
            0,
        ),
        ("dig @nosuch web", "dig: couldn't get address for 'nosuch': not found\n", 1),
    ];
    for (command, expected, exit) in cases {
        room.check("net", command, (expected, exit, 0));
    }
}

#[test]
fn dig_shows_the_sections_of_an_answer() {
    let mut room = room();
    // The numbers of the message and of its cookie are drawn.
    let lines = |text: &str| {
        let kept = text.lines().map(|line| match line.split_once(" id: ") {
            Some((line, _)) => line,
            None if line.starts_with("; COOKIE:") || line.starts_with(";; WHEN:") => "",
            None => line,
        });
        kept.collect::<Vec<_>>().join("\n")
    };
    let head = |words: &str, found: &str, code: &str, counts: &str| {
        format!(
            "\n; <<>> DiG 9.18.49 <<>> {words}\n{found};; global options: +cmd\n;; Got answer:\n;; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n;; ->>HEADER<<- opcode: QUERY, status: {code},\n;; flags: qr aa rd; QUERY: 1, {counts}\n;; WARNING: recursion requested but not available\n\n;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n\n"
        )
    };
    let tail = |size| {
        format!(
            "\n;; Query time: 0 msec\n;; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)\n\n;; MSG SIZE  rcvd: {size}\n"
        )
    };
    let words = "@10.96.0.10 web.demo.svc.cluster.local";
    let (text, exit, _) = room.exec("net", &format!("dig {words}"));
    let expected = head(words, "; (1 server found)\n", "NOERROR", "ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1")
        + ";; QUESTION SECTION:\n;web.demo.svc.cluster.local.\tIN\tA\n\n;; ANSWER SECTION:\nweb.demo.svc.cluster.local. 30\tIN\tA\t10.96.71.33\n"
        // 86 bytes, the pseudosection of 11 and a cookie of 12.
        + &tail(109);
    assert_eq!((lines(&text), exit), (expected, 0));
    // Nobody knows the name: who is responsible says for how long.
    let words = "nobody.demo.svc.cluster.local";
    let (text, exit, _) = room.exec("net", &format!("dig {words}"));
    let begin = head(words, "", "NXDOMAIN", "ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 1")
        + ";; QUESTION SECTION:\n;nobody.demo.svc.cluster.local.\tIN\tA\n\n;; AUTHORITY SECTION:\ncluster.local.\t\t30\tIN\tSOA\tns.dns.cluster.local. hostmaster.cluster.local. ";
    let text = lines(&text);
    assert!(exit == 0 && text.starts_with(&begin), "{text}");
    assert!(text.contains(" 7200 1800 86400 30\n") && text.ends_with(&tail(163)), "{text}");
    // Ports of pods with names, and their addresses beside.
    let (text, ..) =
        room.exec("net", "dig +nocmd +nostats +noquestion SRV _pg._tcp.db.demo.svc.cluster.local");
    assert!(text.contains("_pg._tcp.db.demo.svc.cluster.local. 30 IN SRV\t0 50 5432 db-1.db.demo.svc.cluster.local.\n"), "{text}");
    assert!(
        text.contains(";; ADDITIONAL SECTION:\ndb-0.db.demo.svc.cluster.local.\t30 IN\tA\t10.244."),
        "{text}"
    );
}

#[test]
fn a_request_shows_each_question_in_the_order_of_the_search_list() {
    let mut room = room();
    let asked = |room: &mut Room, pod: &str, host: &str| {
        let text = room.done(&format!("trace --from pod/demo/{pod} curl http://{host}"));
        let lines = text.lines().filter_map(|line| line.split_once("dns 10.96.0.10: "));
        lines.map(|(_, question)| question.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        asked(&mut room, "box", "web"),
        ["A web.demo.svc.cluster.local -> 10.96.71.33; AAAA -> NODATA"]
    );
    assert_eq!(
        asked(&mut room, "box", "web.demo"),
        [
            "A web.demo.demo.svc.cluster.local -> NXDOMAIN; AAAA -> NXDOMAIN",
            "A web.demo.svc.cluster.local -> 10.96.71.33; AAAA -> NODATA",
        ]
    );
    // The lesson of ndots:5: eight questions for a host of the internet, two with a dot behind it.
    assert_eq!(
        asked(&mut room, "box", "api.example.com"),
        [
            "A api.example.com.demo.svc.cluster.local -> NXDOMAIN; AAAA -> NXDOMAIN",
            "A api.example.com.svc.cluster.local -> NXDOMAIN; AAAA -> NXDOMAIN",
            "A api.example.com.cluster.local -> NXDOMAIN; AAAA -> NXDOMAIN",
            "A api.example.com -> 198.18.185.200; AAAA -> NODATA",
        ]
    );
    assert_eq!(asked(&mut room, "box", "api.example.com.").len(), 1);
    room.done(r#"kubectl run two --image=busybox:1.37 --overrides='{"spec":{"dnsConfig":{"options":[{"name":"ndots","value":"2"}]}}}' -- sleep infinity"#);
    room.done("sleep 20");
    assert_eq!(asked(&mut room, "two", "api.example.com").len(), 1);
    assert_eq!(asked(&mut room, "two", "web.demo").len(), 2);
    // The first of two servers is not there: five seconds pass before the second is asked.
    room.done(r#"kubectl run late --image=busybox:1.37 --overrides='{"spec":{"dnsPolicy":"None","dnsConfig":{"nameservers":["10.96.99.99","10.96.0.10"],"searches":["demo.svc.cluster.local"]}}}' -- sleep infinity"#);
    room.done("sleep 20");
    let text = room.done("trace --from pod/demo/late curl http://web");
    assert!(text.contains("dns 10.96.99.99: no answer about web\n"), "{text}");
    let (text, exit, seconds) = room.exec("late", "wget -qO- http://web");
    assert!(text.contains("Hostname: web-"), "{text}");
    assert_eq!((exit, seconds), (0, 5));
}

#[test]
fn a_pod_asks_whom_its_policy_names() {
    let mut room = room();
    let cases = [
        ("host", r#"{"hostNetwork":true}"#, "nameserver 172.18.0.1\n", false),
        (
            "both",
            r#"{"hostNetwork":true,"dnsPolicy":"ClusterFirstWithHostNet"}"#,
            "search demo.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
            true,
        ),
        ("node", r#"{"dnsPolicy":"Default"}"#, "nameserver 172.18.0.1\n", false),
        (
            "own",
            r#"{"dnsPolicy":"None","dnsConfig":{"nameservers":["10.96.0.10"],"searches":["demo.svc.cluster.local"],"options":[{"name":"ndots","value":"2"}]}}"#,
            "search demo.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:2\n",
            true,
        ),
    ];
    for (name, spec, conf, finds) in cases {
        room.done(&format!(
            "kubectl run {name} --image=busybox:1.37 --overrides='{{\"spec\":{spec}}}' -- sleep infinity"
        ));
        room.done("sleep 20");
        room.check(name, "cat /etc/resolv.conf", (conf, 0, 0));
        let (text, exit, _) = room.exec(name, "wget -qO- http://web");
        match finds {
            true => assert!(exit == 0 && text.contains("Hostname: web-"), "{name}: {text}"),
            false => assert_eq!(text, "wget: bad address 'web'\n", "{name}"),
        }
    }
}

/// What every program says when CoreDNS has no pods: kube-proxy refuses what is for its Service, so
/// that who hears of it gives up at once. musl does not hear of it.
#[test]
fn without_core_dns_questions_are_refused_and_programs_say_so() {
    let mut room = room();
    room.done("kubectl scale deployment coredns -n kube-system --replicas=0");
    room.done("sleep 40");
    let bind = ";; communications error to 10.96.0.10#53: connection refused\n";
    let three = bind.repeat(3);
    let cases = [
        ("net", "nslookup web", format!("{three};; no servers could be reached\n\n"), 1, 0),
        ("net", "dig web", format!("{three}\n; <<>> DiG 9.18.49 <<>> web\n;; global options: +cmd\n;; no servers could be reached\n"), 9, 0),
        ("net", "host web", format!("{};; no servers could be reached\n", bind.repeat(2)), 1, 0),
        ("net", "ping -c 1 web", "ping: web: Try again\n".to_owned(), 2, 5),
        ("box", "nslookup web", ";; connection timed out; no servers could be reached\n\nnslookup: write to '10.96.0.10': Connection refused\n".to_owned(), 1, 0),
        ("box", "wget -qO- http://web", "wget: bad address 'web'\n".to_owned(), 1, 0),
        ("box", "ping -c 1 web", "ping: bad address 'web'\n".to_owned(), 1, 0),
        ("alpine", "wget -qO- http://web", "wget: bad address 'web'\n".to_owned(), 1, 5),
        ("debian", "getent hosts web", String::new(), 2, 0),
        ("curl", "curl -sS http://web", "curl: (6) Could not resolve host: web\n".to_owned(), 6, 5),
        ("curl", "curl -sS -m 2 http://web", "curl: (28) Resolving timed out after 2000 milliseconds\n".to_owned(), 28, 2),
    ];
    for (pod, command, expected, exit, seconds) in cases {
        room.check(pod, command, (&expected, exit, seconds));
    }
    // Addresses need no names.
    let (text, ..) = room.exec("box", "wget -qO- http://10.96.71.33");
    assert!(text.contains("Hostname: web-"), "{text}");
    room.output("kubectl exec curl -- curl -sS http://web");
    let trace = room.trace();
    let Outcome::Failed(failure) = &trace.outcome else { panic!("{}", trace.to_text()) };
    let Cause::NoNameServer { why, .. } = &failure.cause else { panic!("{}", trace.to_text()) };
    assert!(matches!(&**why, Cause::NoEndpoints { service, .. } if &*service.name == "kube-dns"));
    assert!(trace.to_text().contains("sends [udp 10.244."), "{}", trace.to_text());
    room.done("kubectl scale deployment coredns -n kube-system --replicas=2");
    room.done("sleep 60");
    let (text, ..) = room.exec("box", "wget -qO- http://web");
    assert!(text.contains("Hostname: web-"), "{text}");
}

/// A policy lets questions vanish: programs wait as long as their resolver does.
#[test]
fn where_questions_vanish_programs_wait() {
    let mut room = room();
    room.done("kubectl apply -f - <<EOF\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec: {podSelector: {}, policyTypes: [Egress]}\nEOF");
    let three = ";; communications error to 10.96.0.10#53: timed out\n".repeat(3);
    let cases = [
        ("net", "nslookup web", format!("{three};; no servers could be reached\n\n"), 1, 15),
        (
            "net",
            "dig +tries=1 +time=2 +short web",
            ";; communications error to 10.96.0.10#53: timed out\n;; no servers could be reached\n"
                .to_owned(),
            9,
            2,
        ),
        (
            "old",
            "nslookup web",
            ";; connection timed out; no servers could be reached\n\n".to_owned(),
            1,
            15,
        ),
        (
            "box",
            "nslookup web",
            ";; connection timed out; no servers could be reached\n\n".to_owned(),
            1,
            5,
        ),
        // glibc: twice five seconds for the first name of the list, and for the name as it stands.
        ("box", "wget -qO- http://web", "wget: bad address 'web'\n".to_owned(), 1, 20),
        ("alpine", "wget -qO- http://web", "wget: bad address 'web'\n".to_owned(), 1, 5),
        ("debian", "getent hosts web", String::new(), 2, 20),
    ];
    for (pod, command, expected, exit, seconds) in cases {
        room.check(pod, command, (&expected, exit, seconds));
    }
}

/// Models plugin/log of CoreDNS: a line for each question, with what the client sent and got.
#[test]
fn core_dns_logs_the_questions_if_its_corefile_says_so() {
    let mut room = room();
    let logs = "kubectl logs -n kube-system -l k8s-app=kube-dns --tail=-1";
    room.done("kubectl exec box -- wget -qO- http://web");
    assert_eq!(room.done(logs), "");
    room.done("kubectl get cm coredns -n kube-system -o yaml | sed 's/^        errors/        log/' | kubectl apply -f -");
    room.done("kubectl exec box -- wget -qO- http://api.example.com");
    let log = room.done(logs);
    let ip = room.done("kubectl get pod box -o jsonpath='{.status.podIP}'");
    assert_eq!(log.lines().count(), 8, "{log}");
    let first = log.lines().next().unwrap_or_default();
    assert!(first.starts_with(&format!("[INFO] {ip}:")), "{log}");
    let question = "\"A IN api.example.com.demo.svc.cluster.local. udp 56 false 512\" NXDOMAIN qr,aa,rd 149 0.000";
    assert!(first.contains(question), "{log}");
    let last = "\"A IN api.example.com. udp 33 false 512\" NOERROR qr,rd,ra 64 0.000";
    assert!(log.contains(last), "{log}");
}

#[test]
fn the_corefile_and_the_service_decide_what_there_is() {
    let mut room = room();
    let corefile =
        room.done("kubectl get cm coredns -n kube-system -o jsonpath='{.data.Corefile}'");
    // cmd/kubeadm/app/phases/addons/dns/manifests.go of Kubernetes 1.36.
    assert!(corefile.contains("cache 30 {\n       disable success cluster.local\n"), "{corefile}");
    room.done(r#"kubectl patch cm coredns -n kube-system -p '{"data":{"Corefile":".:53 {\n hosts {\n 192.0.2.7 nas.corp\n fallthrough\n }\n kubernetes cluster.local {\n pods disabled\n }\n}\n"}}'"#);
    room.check(
        "net",
        "dig +noall +answer nas.corp",
        ("nas.corp.\t\t3600\tIN\tA\t192.0.2.7\n", 0, 0),
    );
    room.check(
        "net",
        "dig +noall +answer web.demo.svc.cluster.local",
        ("web.demo.svc.cluster.local. 5\tIN\tA\t10.96.71.33\n", 0, 0),
    );
    // Without `forward` nobody else is asked.
    room.check("net", "host example.com.", ("Host example.com not found: 2(SERVFAIL)\n", 1, 0));
    room.check("net", "ping -c 1 example.com", ("ping: example.com: Try again\n", 2, 0));
    room.done("kubectl delete svc kube-dns -n kube-system");
    room.done("sleep 3");
    let (text, exit, _) = room.exec("box", "wget -qO- http://web");
    assert_eq!((text.as_str(), exit), ("wget: bad address 'web'\n", 1));
}

/// The pods of CoreDNS fall silent with their nodes, and stay endpoints until that is known.
#[test]
fn a_silent_node_takes_its_core_dns_along() {
    let mut room = room();
    let list = "kubectl get pods -n kube-system -l k8s-app=kube-dns -o jsonpath='{.items[*].spec.nodeName}'";
    let nodes = room.done(list);
    for node in nodes.split(' ') {
        room.done(&format!("node stop {node}"));
    }
    let pods = room.done("kubectl get pods -o jsonpath='{range .items[*]}{.metadata.name} {.spec.nodeName}{\"\\n\"}{end}'");
    let elsewhere = pods.lines().find_map(|line| {
        let (pod, node) = line.split_once(' ')?;
        let has_curl = ["net", "curl"].contains(&pod);
        (has_curl && !nodes.split(' ').any(|own| own == node)).then(|| pod.to_owned())
    });
    let pod = elsewhere.expect("a pod on a node that still runs");
    let silent = "curl: (28) Resolving timed out after 3000 milliseconds\n";
    room.check(&pod, "curl -sS -m 3 http://web", (silent, 28, 3));
    let trace = room.trace();
    let Outcome::Failed(failure) = &trace.outcome else { panic!("{}", trace.to_text()) };
    let Cause::NoNameServer { why, .. } = &failure.cause else { panic!("{}", trace.to_text()) };
    assert!(matches!(&**why, Cause::NodeDown(_)), "{why}");
}
