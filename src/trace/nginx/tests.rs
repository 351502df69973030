//! What nginx makes of Ingresses, and what becomes of requests.

use super::annotations::PREFIX;
use crate::api::Value;
use crate::proxy::Mode;
use crate::trace::chances::Chance;
use crate::trace::fixture::{Fixture, source};
use crate::trace::{Headers, Outcome, PacketTrace, Request, Server};
use serde_json::json;
use std::collections::BTreeMap;

const CLIENT: &str = "203.0.113.7";

/// A cluster with the controller on node-3, and the Services `one` (a pod on node-1), `two` (pods
/// on node-1 and node-2) and `none`, all of them of whoami.
fn room() -> Fixture {
    let mut it = Fixture::new(Mode::Iptables);
    it.controller("ingress-nginx-controller-abc", 3, 4);
    it.add(json!({
        "kind": "IngressClass", "metadata": {"name": "nginx"},
        "spec": {"controller": "k8s.io/ingress-nginx"},
    }));
    let ports = |node: u16| {
        json!([
            {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": node},
            {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443, "nodePort": node + 1},
        ])
    };
    let spec = json!({
        "spec": {"type": "LoadBalancer", "clusterIP": "10.96.10.20", "ports": ports(31080)},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.20", "ipMode": "VIP"}]}},
    });
    it.service("ingress-nginx/ingress-nginx-controller", spec, &[(3, 4)]);
    for (name, node, last) in [("one-a", 1, 58), ("two-a", 1, 60), ("two-b", 2, 60)] {
        it.pod_of(&format!("demo/{name}"), node, last, json!({}), "traefik/whoami:v1.11", true);
    }
    it.service("demo/one", json!({"clusterIP": "10.96.10.1"}), &[(1, 58)]);
    it.service("demo/two", json!({"clusterIP": "10.96.10.2"}), &[(1, 60), (2, 60)]);
    it.service("demo/none", json!({"clusterIP": "10.96.10.3", "selector": {"app": "none"}}), &[]);
    it
}

/// An Ingress for `shop.io` with these annotations and `path=type=service` rules.
fn ingress(it: &mut Fixture, name: &str, annotations: &[(&str, &str)], rules: &[&str]) {
    let annotations: BTreeMap<String, &str> =
        annotations.iter().map(|(key, value)| (format!("{PREFIX}{key}"), *value)).collect();
    let paths = rules.iter().map(|rule| {
        let parts: Vec<&str> = rule.split('=').collect();
        let [path, kind, service] = parts.as_slice() else { panic!("{rule}") };
        let kind = match *kind {
            "E" => "Exact",
            "P" => "Prefix",
            _ => "ImplementationSpecific",
        };
        json!({
            "path": path, "pathType": kind,
            "backend": {"service": {"name": service, "port": {"number": 80}}},
        })
    });
    it.add(json!({
        "kind": "Ingress",
        "metadata": {"namespace": "demo", "name": name, "annotations": annotations},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": "shop.io", "http": {"paths": paths.collect::<Value>()}}],
        },
    }));
}

fn ask(it: &mut Fixture, url: &str, headers: Headers) -> PacketTrace {
    let mut request = Request::from_url(source(CLIENT), url).unwrap();
    request.host_header = Some(request.host.clone());
    request.host = "192.0.2.20".into();
    request.headers = headers;
    it.send(&request)
}

/// `200 one-a /path`: the status, who answered, and the path that they saw; or the status and why.
fn brief(trace: &PacketTrace) -> String {
    let Outcome::Answered { status, body, because, headers, .. } = &trace.outcome else {
        return trace.outcome.to_string();
    };
    if let Some(because) = because {
        return format!("{status} {because}");
    }
    if let Some(place) = headers.get("Location") {
        return format!("{status} {place}");
    }
    let pod = body.lines().find_map(|line| line.strip_prefix("Hostname: ")).unwrap_or("nginx");
    let path = body.lines().find_map(|line| line.strip_prefix("GET ")).unwrap_or_default();
    format!("{status} {pod} {}", path.trim_end_matches(" HTTP/1.1")).trim_end().to_owned()
}

fn get(it: &mut Fixture, url: &str) -> String {
    brief(&ask(it, url, Headers::default()))
}

#[test]
fn nginx_takes_the_exact_path_then_the_longest_beginning() {
    let mut it = room();
    ingress(
        &mut it,
        "web",
        &[],
        &["/=P=two", "/api=P=one", "/exact=E=one", "/foo=I=one", "/foo/deep=P=two"],
    );
    // Models internal/ingress/controller/location_test.go and nginx' own rules.
    for (path, expected) in [
        ("/", "two"),
        ("/api", "one"),
        ("/api/", "one"),
        ("/api/x", "one"),
        ("/apix", "two"),
        ("/exact", "one"),
        ("/exact/", "two"),
        ("/foo", "one"),
        ("/foobar", "one"),
        ("/foo/deep", "two"),
        ("/foo/deeper", "one"),
    ] {
        let found = get(&mut it, &format!("http://shop.io{path}"));
        assert!(found.starts_with(&format!("200 {expected}-")), "{path}: {found}");
    }
    assert!(get(&mut it, "http://other.io/").starts_with("404 no Ingress names host other.io"));
}

#[test]
fn an_ingress_without_a_class_is_nobodys() {
    let mut it = room();
    for (name, class) in [("classless", Value::Null), ("alien", "traefik".into())] {
        let backend = json!({"service": {"name": "one", "port": {"number": 80}}});
        it.add(json!({
            "kind": "Ingress", "metadata": {"namespace": "demo", "name": name},
            "spec": {
                "ingressClassName": class,
                "rules": [{
                    "host": format!("{name}.io"),
                    "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                }],
            },
        }));
    }
    assert_eq!(
        get(&mut it, "http://classless.io/"),
        "404 Ingress demo/classless names classless.io, but has no ingressClassName"
    );
    assert_eq!(
        get(&mut it, "http://alien.io/"),
        "404 Ingress demo/alien names alien.io, but is of another class"
    );
}

#[test]
fn what_nginx_answers_itself_has_its_reason() {
    let mut it = room();
    ingress(&mut it, "web", &[], &["/one=P=one", "/none=P=none", "/missing=P=missing"]);
    for (path, expected) in [
        ("/none", "503 demo/none has no endpoints (selector app=none selects no pod)"),
        ("/missing", "503 Ingress demo/web leads to Service demo/missing, which is not there"),
        ("/two", "404 Ingress demo/web names shop.io, but has no path for /two"),
    ] {
        assert_eq!(get(&mut it, &format!("http://shop.io{path}")), expected);
    }
}

#[test]
fn a_port_is_found_by_its_number_its_name_and_its_target() {
    let mut it = room();
    let ports = json!([{"name": "web", "port": 8080, "protocol": "TCP", "targetPort": 80}]);
    it.service("demo/far", json!({"clusterIP": "10.96.10.9", "ports": ports}), &[(1, 58)]);
    let backend = |port: Value| json!({"service": {"name": "far", "port": port}});
    let rule = |path: &str, port: Value| json!({"path": path, "pathType": "Prefix", "backend": backend(port)});
    it.add(json!({
        "kind": "Ingress", "metadata": {"namespace": "demo", "name": "far"},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "shop.io", "http": {"paths": [
            rule("/number", json!({"number": 8080})),
            rule("/target", json!({"number": 80})),
            rule("/name", json!({"name": "web"})),
            rule("/wrong", json!({"number": 81})),
        ]}}]},
    }));
    for path in ["/number", "/target", "/name"] {
        assert_eq!(get(&mut it, &format!("http://shop.io{path}")), format!("200 one-a {path}"));
    }
    assert_eq!(
        get(&mut it, "http://shop.io/wrong"),
        "503 Ingress demo/far leads to port 81 of Service demo/far, which has only 8080"
    );
}

#[test]
fn of_two_rules_for_the_same_path_the_older_ingress_wins_and_of_one_age_the_later_name() {
    let mut it = room();
    ingress(&mut it, "a", &[], &["/=P=one"]);
    ingress(&mut it, "b", &[], &["/=P=two"]);
    assert!(get(&mut it, "http://shop.io/").starts_with("200 two-"));
}

#[test]
fn an_endpoint_that_does_not_answer_costs_five_seconds_and_another_one_is_asked() {
    let mut it = room();
    let all = [(1, 60), (2, 60), (3, 60)];
    it.pod_of("demo/two-c", 3, 60, json!({}), "traefik/whoami:v1.11", true);
    it.service("demo/three", json!({"clusterIP": "10.96.10.9"}), &all);
    ingress(&mut it, "web", &[], &["/=P=three", "/one=P=one"]);
    it.nodes.get_mut("node-1").unwrap().up = false;
    let mut waits = std::collections::BTreeSet::new();
    for _ in 0..40 {
        // The balancer in front knows nothing of this and would send to node-1 too.
        let trace = ask(&mut it, "http://shop.io/", Headers::default());
        if trace.is_answered() {
            let found = brief(&trace);
            assert!(["200 two-b /", "200 two-c /"].contains(&&*found), "{}", trace.to_text());
            waits.insert(trace.waited.as_secs());
        }
    }
    assert_eq!(waits.into_iter().collect::<Vec<_>>(), [0, 5]);
    let trace = loop {
        let trace = ask(&mut it, "http://shop.io/one", Headers::default());
        if trace.is_answered() {
            break trace;
        }
    };
    assert_eq!((brief(&trace).as_str(), trace.waited.as_secs()), ("504 node node-1 is down", 15));
}

#[test]
fn an_endpoint_that_refuses_costs_nothing() {
    let mut it = room();
    let ports = json!([{"port": 80, "protocol": "TCP", "targetPort": 81}]);
    it.service("demo/deaf", json!({"clusterIP": "10.96.10.9", "ports": ports}), &[(1, 58)]);
    ingress(&mut it, "web", &[], &["/=P=deaf"]);
    let trace = ask(&mut it, "http://shop.io/", Headers::default());
    assert_eq!(brief(&trace), "502 nothing listens on port 81 of pod demo/one-a");
    assert_eq!(trace.to_text().matches("endpoint 10.244.1.58:81 refused").count(), 3);
    assert!(trace.waited.is_zero());
}

#[test]
fn a_path_is_rewritten_by_its_groups_and_its_query_stays() {
    let mut it = room();
    ingress(&mut it, "web", &[("rewrite-target", "/$2")], &["/api(/|$)(.*)=I=one"]);
    for (path, seen) in [("/api", "/"), ("/API/v1/x?y=1", "/v1/x?y=1"), ("/api/", "/")] {
        assert_eq!(get(&mut it, &format!("http://shop.io{path}")), format!("200 one-a {seen}"));
    }
    assert!(get(&mut it, "http://shop.io/apis").starts_with("404"));
    // Without groups every path becomes the target.
    let mut it = room();
    ingress(&mut it, "web", &[("rewrite-target", "/")], &["/app=P=one"]);
    assert_eq!(get(&mut it, "http://shop.io/app/deep"), "200 one-a /");
    // A rewrite makes patterns of all paths of the host.
    ingress(&mut it, "other", &[], &["/exact=E=two"]);
    assert!(get(&mut it, "http://shop.io/exactly").starts_with("200 two-"));
}

fn tls(it: &mut Fixture, annotations: Value) {
    it.add(json!({
        "kind": "Ingress",
        "metadata": {"namespace": "demo", "name": "safe", "annotations": annotations},
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": ["safe.io"], "secretName": "missing"}],
            "rules": [{"host": "safe.io", "http": {"paths": [{
                "path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "one", "port": {"number": 80}}},
            }]}}],
        },
    }));
}

#[test]
fn a_host_with_a_tls_section_is_asked_by_https_whether_its_secret_is_there_or_not() {
    let mut it = room();
    tls(&mut it, json!({}));
    assert_eq!(get(&mut it, "http://safe.io/x"), "308 safe.io is to be asked by https");
    let trace = ask(&mut it, "https://safe.io:443/x", Headers::default());
    assert_eq!(
        brief(&trace),
        "200 Ingress demo/safe names Secret missing, which has no certificate"
    );
    let Outcome::Answered { body, .. } = &trace.outcome else { panic!("{}", trace.to_text()) };
    assert!(body.contains("one-a"), "{body}");
    let trace = ask(&mut it, "http://safe.io:443/x", Headers::default());
    assert_eq!(brief(&trace), "400 nginx");
    let mut it = room();
    tls(&mut it, json!({format!("{PREFIX}ssl-redirect"): "false"}));
    assert_eq!(get(&mut it, "http://safe.io/x"), "200 one-a /x");
}

#[test]
fn servers_hear_from_the_controller_who_asked_and_how() {
    let mut it = room();
    tls(&mut it, json!({}));
    let mut request = Request::from_url(source(CLIENT), "https://192.0.2.20/").unwrap();
    request.host_header = Some("safe.io".into());
    request.headers = [("X-Forwarded-For", "1.2.3.4"), ("x-token", "s3")].into_iter().collect();
    let trace = it.send(&request);
    let Outcome::Answered { body, headers, .. } = &trace.outcome else { panic!() };
    for line in [
        "X-Forwarded-For: 172.18.0.",
        "X-Forwarded-Host: safe.io",
        "X-Forwarded-Port: 443",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Scheme: https",
        "X-Original-Forwarded-For: 1.2.3.4",
        "X-Scheme: https",
        "X-Token: s3",
    ] {
        assert!(body.contains(&format!("\n{line}")), "{line}: {body}");
    }
    let id = body.lines().find_map(|line| line.strip_prefix("X-Request-Id: ")).unwrap();
    assert_eq!(id.len(), 32, "{id}");
    assert_eq!(
        headers.get("strict-transport-security"),
        Some("max-age=31536000; includeSubDomains")
    );
}

#[test]
fn a_canary_gets_what_its_header_its_cookie_and_its_weight_give_it() {
    let weight = |it: &mut Fixture, headers: &[(&str, &str)]| {
        let all = (0..200).map(|_| {
            let headers = headers.iter().copied().collect();
            u32::from(brief(&ask(it, "http://shop.io/", headers)).starts_with("200 one-"))
        });
        all.sum::<u32>()
    };
    let mut it = room();
    ingress(&mut it, "web", &[], &["/=P=two"]);
    let rules = [
        ("canary", "true"),
        ("canary-weight", "20"),
        ("canary-by-header", "X-Canary"),
        ("canary-by-cookie", "beta"),
    ];
    ingress(&mut it, "canary", &rules, &["/=P=one"]);
    let drawn = weight(&mut it, &[]);
    assert!((20..60).contains(&drawn), "{drawn} of 200 at 20 %");
    assert_eq!(weight(&mut it, &[("X-Canary", "always")]), 200);
    assert_eq!(weight(&mut it, &[("X-Canary", "never"), ("Cookie", "beta=always")]), 0);
    assert_eq!(weight(&mut it, &[("Cookie", "a=b; beta=always")]), 200);
    let other = weight(&mut it, &[("X-Canary", "perhaps")]);
    assert!((20..60).contains(&other), "another value counts as none: {other}");
    // A value of its own, and a canary of nothing.
    let mut it = room();
    let rules =
        [("canary", "true"), ("canary-by-header", "region"), ("canary-by-header-value", "eu")];
    ingress(&mut it, "canary", &rules, &["/=P=one"]);
    assert_eq!(
        get(&mut it, "http://shop.io/"),
        "404 Ingress demo/canary is a canary, and no other Ingress has its host and path"
    );
    ingress(&mut it, "web", &[], &["/=P=two"]);
    assert_eq!(weight(&mut it, &[("region", "eu")]), 200);
    assert_eq!(weight(&mut it, &[("region", "us")]), 0);
}

#[test]
fn a_cookie_keeps_a_client_with_its_server() {
    for mode in ["balanced", "persistent"] {
        let mut it = room();
        let rules = [("affinity", "cookie"), ("affinity-mode", mode)];
        ingress(&mut it, "web", &rules, &["/=P=two"]);
        let first = ask(&mut it, "http://shop.io/", Headers::default());
        let Outcome::Answered { headers, .. } = &first.outcome else { panic!() };
        let cookie = headers.get("Set-Cookie").unwrap().to_owned();
        // md5(md5(name) + name), as test/e2e/annotations/affinity.go expects it after the bar.
        let (value, rest) = cookie.split_once(';').unwrap();
        assert!(value.starts_with("INGRESSCOOKIE=") && value.contains('|'), "{cookie}");
        assert_eq!(rest, " Path=/; HttpOnly");
        for _ in 0..20 {
            let headers = [("Cookie", value)].into_iter().collect();
            let again = ask(&mut it, "http://shop.io/", headers);
            assert_eq!(brief(&again), brief(&first));
            let Outcome::Answered { headers, .. } = &again.outcome else { panic!() };
            assert_eq!(headers.get("Set-Cookie"), None);
        }
    }
}

#[test]
fn each_worker_takes_turns() {
    let mut it = room();
    ingress(&mut it, "web", &[], &["/=P=two"]);
    let count = (0..40).filter(|_| get(&mut it, "http://shop.io/").contains("two-a")).count();
    assert_eq!(count, 20, "one worker, since the fixture's nodes say nothing of CPUs");
}

#[test]
fn annotations_let_in_send_elsewhere_and_ask_for_a_password() {
    for (annotation, value, path, expected) in [
        (
            "whitelist-source-range",
            "10.0.0.0/8",
            "/",
            "403 Ingress demo/web does not let 172.18.0.",
        ),
        ("allowlist-source-range", "172.18.0.0/16", "/", "200 one-a /"),
        ("denylist-source-range", "172.18.0.0/16", "/", "403 "),
        ("permanent-redirect", "https://new.io", "/x", "301 https://new.io"),
        ("temporal-redirect", "https://new.io", "/x", "302 https://new.io"),
        ("app-root", "/app", "/", "302 http://shop.io/app"),
        ("app-root", "/app", "/x", "200 one-a /x"),
        ("force-ssl-redirect", "true", "/x", "308 "),
    ] {
        let mut it = room();
        ingress(&mut it, "web", &[(annotation, value)], &["/=P=one"]);
        let found = get(&mut it, &format!("http://shop.io{path}"));
        assert!(found.starts_with(expected), "{annotation}: {found}");
    }
    let mut it = room();
    let auth = [("auth-type", "basic"), ("auth-secret", "users"), ("auth-realm", "Staff")];
    ingress(&mut it, "web", &auth, &["/=P=one"]);
    let trace = ask(&mut it, "http://shop.io/", Headers::default());
    assert_eq!(brief(&trace), "401 a name and a password of Secret users are wanted");
    let Outcome::Answered { headers, .. } = &trace.outcome else { panic!() };
    assert_eq!(headers.get("WWW-Authenticate"), Some("Basic realm=\"Staff\""));
    let headers = [("Authorization", "Basic YTpi")].into_iter().collect();
    assert_eq!(brief(&ask(&mut it, "http://shop.io/", headers)), "200 one-a /");
}

#[test]
fn a_default_backend_answers_what_no_rule_does() {
    let mut it = room();
    it.add(json!({
        "kind": "Ingress", "metadata": {"namespace": "demo", "name": "rest"},
        "spec": {
            "ingressClassName": "nginx",
            "defaultBackend": {"service": {"name": "one", "port": {"number": 80}}},
        },
    }));
    ingress(&mut it, "web", &[], &["/api=P=two"]);
    assert_eq!(get(&mut it, "http://anything.io/x"), "200 one-a /x");
    assert!(get(&mut it, "http://shop.io/api").starts_with("200 two-"));
    // A host with rules of its own does not come to the default backend of another Ingress.
    assert!(get(&mut it, "http://shop.io/x").starts_with("404 "));
}

/// The exact share of requests that each pod gets.
fn shares(it: &Fixture) -> String {
    let mut request = Request::from_url(source(CLIENT), "http://shop.io/").unwrap();
    request.host_header = Some(request.host.clone());
    request.host = "192.0.2.20".into();
    let chances = it.network.chances(&it.cluster(), &request);
    let one = |it: &Chance| match &it.end {
        Ok(Server::Pod { pod, .. }) => format!("{} {}", pod.name, it.share),
        other => format!("{other:?}"),
    };
    chances.ends.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn shares_are_those_of_turns_of_new_cookies_and_of_canaries_by_weight() {
    let halves = "two-a 1/2, two-b 1/2";
    let mut it = room();
    ingress(&mut it, "turns", &[], &["/=P=two"]);
    assert_eq!(shares(&it), halves);
    // A worker whose turn is known has no other share than one that begins.
    get(&mut it, "http://shop.io/");
    assert_eq!(shares(&it), halves);
    for mode in ["balanced", "persistent"] {
        let mut it = room();
        ingress(
            &mut it,
            "sticky",
            &[("affinity", "cookie"), ("affinity-mode", mode)],
            &["/=P=two"],
        );
        assert_eq!(shares(&it), halves, "{mode}");
    }
    let mut it = room();
    ingress(&mut it, "stable", &[], &["/=P=one"]);
    ingress(&mut it, "canary", &[("canary", "true"), ("canary-weight", "20")], &["/=P=two"]);
    assert_eq!(shares(&it), "one-a 4/5, two-a 1/10, two-b 1/10");
}
