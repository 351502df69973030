//! The Gateway API in a classroom: what NGINX Gateway Fabric takes and refuses, and where its nginx
//! leads requests. Its words are those of nginx/nginx-gateway-fabric v2.6
//! internal/controller/state/conditions/conditions.go and graph/.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// A Gateway for `*.shop.test`, Services in two namespaces, and routes of every kind.
const SHOP: &str = r#"
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  gatewayClassName: nginx
  listeners:
  - {name: http, port: 80, protocol: HTTP, hostname: "*.shop.test"}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: gw}]
  hostnames: [a.shop.test, elsewhere.test]
  rules:
  - backendRefs: [{name: web, port: 80}]
  - matches: [{path: {type: Exact, value: /cart}}]
    backendRefs: [{name: cart, port: 80}]
  - matches: [{path: {value: /cart}}]
    backendRefs: [{name: web, port: 80}]
  - matches: [{path: {value: /cross}}]
    backendRefs: [{name: web, namespace: other, port: 80}]
  - matches: [{path: {value: /missing}}]
    backendRefs: [{name: nosuch, port: 80}]
  - matches: [{path: {value: /env}, headers: [{name: X-Env, value: test}]}]
    backendRefs: [{name: cart, port: 80}]
  - matches: [{path: {value: /env}, queryParams: [{name: env, value: test}], method: GET}]
    backendRefs: [{name: web, port: 80}]
  - matches: [{path: {type: RegularExpression, value: "/v[0-9]+/x"}}]
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: X-A, value: b}], remove: [X-B]}
    backendRefs: [{name: web, port: 80}]
  - matches: [{path: {value: /old}}]
    filters:
    - type: RequestRedirect
      requestRedirect: {scheme: https, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}
  - matches: [{path: {value: /app}}]
    filters:
    - type: URLRewrite
      urlRewrite: {hostname: in.side, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
    backendRefs: [{name: web, port: 80}]
"#;

fn shop() -> Room {
    let mut room = Room::with_gateways();
    for line in [
        "kubectl create deployment web --image=traefik/whoami",
        "kubectl expose deployment web --port=80",
        "kubectl create deployment cart --image=traefik/whoami",
        "kubectl expose deployment cart --port=80",
        "kubectl create namespace other",
        "kubectl create deployment web -n other --image=traefik/whoami --replicas=2",
        "kubectl expose deployment web -n other --port=80",
    ] {
        room.done(line);
    }
    room.apply(SHOP);
    room.done("sleep 60");
    room
}

/// Conditions of a listener, a Gateway or a route: type, status and reason, then the message.
fn conditions(room: &mut Room, what: &str, path: &str) -> Vec<String> {
    let path = format!(
        "{{range {path}}}{{.type}}={{.status}} {{.reason}}: {{.message}}{{\"\\n\"}}{{end}}"
    );
    let line = format!("kubectl get {what} -o jsonpath='{path}'");
    room.done(&line).lines().map(str::to_owned).collect()
}

/// What whoami says that it was asked.
fn asked(room: &mut Room, what: &str) -> String {
    room.done(&format!("curl -s {what}"))
}

#[test]
fn without_definitions_there_are_no_such_kinds() {
    let mut room = Room::new();
    let said = room.failed("kubectl get gateways");
    assert_eq!(said.trim_end(), "error: the server doesn't have a resource type \"gateways\"");
    let manifest = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw}";
    let said = room.failed(&format!("kubectl apply -f - <<'EOF'\n{manifest}\nEOF"));
    assert!(
        said.contains(
            "no matches for kind \"Gateway\" in version \"gateway.networking.k8s.io/v1\""
        ),
        "{said}"
    );
    let release = "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.5.1";
    room.done(&format!("kubectl apply --server-side -f {release}/standard-install.yaml"));
    assert_eq!(room.run("kubectl get gtw"), "No resources found in default namespace.\n");
    // Nobody acts on it, and the definition's own default says so.
    room.apply(SHOP.split("---").next().unwrap_or_default());
    room.done("sleep 30");
    assert_eq!(
        conditions(&mut room, "gtw gw", ".status.conditions[*]"),
        [
            "Accepted=Unknown Pending: Waiting for controller",
            "Programmed=Unknown Pending: Waiting for controller"
        ]
    );
}

#[test]
fn a_gateway_gets_an_nginx_and_a_service_of_its_own_that_go_with_it() {
    let mut room = shop();
    let line = room.done("kubectl get gtw gw --no-headers");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words.get(1..4), Some(["nginx", "203.0.113.11", "True"].as_slice()), "{line}");
    assert_eq!(
        room.done("kubectl get gc nginx --no-headers").split_whitespace().nth(2),
        Some("True")
    );
    assert_eq!(room.field("svc gw-nginx", ".spec.type"), "LoadBalancer");
    assert_eq!(room.field("svc gw-nginx", ".spec.externalTrafficPolicy"), "Local");
    assert_eq!(room.field("deploy gw-nginx", ".metadata.ownerReferences[0].kind"), "Gateway");
    assert_eq!(room.field("deploy gw-nginx", ".status.readyReplicas"), "1");
    // Another listener opens another port of both.
    let port = r#"[{"op":"add","path":"/spec/listeners/-","value":{"name":"more","port":8080,"protocol":"HTTP"}}]"#;
    room.done(&format!("kubectl patch gtw gw --type=json -p '{port}'"));
    room.done("sleep 30");
    assert_eq!(room.field("svc gw-nginx", ".spec.ports[*].port"), "80 8080");
    assert!(
        asked(&mut room, "http://203.0.113.11:8080/ -H 'Host: a.shop.test'").contains("GET / ")
    );
    room.done("kubectl delete gtw gw");
    room.done("sleep 60");
    let left = room
        .run("kubectl get deploy,svc,sa,cm,secret -l gateway.networking.k8s.io/gateway-name=gw");
    assert!(left.starts_with("No resources found"), "{left}");
}

#[test]
fn a_route_leads_by_host_path_header_query_and_method() {
    let mut room = shop();
    let web = |text: &str| text.contains("Hostname: web-");
    let cart = |text: &str| text.contains("Hostname: cart-");
    let status = |room: &mut Room, what: &str| {
        room.done(&format!("curl -s -o /dev/null -w '%{{http_code}}' http://a.shop.test{what}"))
    };
    // Exactly /cart is cart's; what is below it, and what only begins so, is not.
    assert!(cart(&asked(&mut room, "http://a.shop.test/cart")));
    assert!(web(&asked(&mut room, "http://a.shop.test/cart/7")));
    assert!(web(&asked(&mut room, "http://a.shop.test/carts")));
    // More headers come before more parameters; a method before both.
    assert!(cart(&asked(&mut room, "http://a.shop.test/env -H 'X-Env: test'")));
    assert!(web(&asked(&mut room, "'http://a.shop.test/env?env=test'")));
    assert!(web(&asked(&mut room, "'http://a.shop.test/env?env=test' -H 'X-Env: test'")));
    // As with the real controller, who comes to a location and to none of its matches is not led on.
    assert_eq!(status(&mut room, "/env"), "404");
    // A host outside of the listener's does not come to the route, though it names it.
    assert_eq!(status(&mut room, "/ -H 'Host: elsewhere.test'"), "404");
    assert_eq!(status(&mut room, "/"), "200");
}

#[test]
fn filters_change_headers_paths_and_hosts_or_send_the_client_away() {
    let mut room = shop();
    let text = asked(&mut room, "http://a.shop.test/v12/x -H 'X-B: c'");
    assert!(text.contains("X-A: b") && !text.contains("X-B"), "{text}");
    let text = asked(&mut room, "'http://a.shop.test/app/one?two=3'");
    assert!(text.contains("GET /one?two=3 ") && text.contains("Host: in.side"), "{text}");
    assert!(asked(&mut room, "http://a.shop.test/app").contains("GET / "));
    let sent = room.done("curl -si 'http://a.shop.test/old/z?q=1'");
    assert!(sent.starts_with("HTTP/1.1 302 ") && sent.contains("Server: nginx"), "{sent}");
    assert!(sent.contains("Location: https://a.shop.test/new/z?q=1"), "{sent}");
}

#[test]
fn backends_that_may_not_be_asked_answer_500_and_the_status_says_why() {
    let mut room = shop();
    let status =
        |room: &mut Room| conditions(room, "httproute shop", ".status.parents[*].conditions[*]");
    let missing = "ResolvedRefs=False BackendNotFound: spec.rules[4].backendRefs[0].name: Not found: \"nosuch\"";
    assert!(status(&mut room).contains(&missing.to_owned()), "{:?}", status(&mut room));
    let trace = room.done("trace curl -s http://a.shop.test/missing");
    assert!(trace.contains("answered 500") && trace.contains("Not found: \"nosuch\""), "{trace}");
    let trace = room.done("trace curl -s http://a.shop.test/cross");
    let why = "spec.rules[3].backendRefs[0].namespace: Forbidden: Backend ref to Service other/web not permitted by any ReferenceGrant";
    assert!(trace.contains("answered 500") && trace.contains(why), "{trace}");
    room.apply(
        "{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: g, namespace: other}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}], to: [{group: \"\", kind: Service, name: web}]}}",
    );
    room.done("sleep 1");
    assert!(asked(&mut room, "http://a.shop.test/cross").contains("Hostname: web-"));
    room.done("kubectl scale deployment cart --replicas=0");
    room.done("sleep 10");
    let trace = room.done("trace curl -s http://a.shop.test/cart");
    assert!(trace.contains("answered 503") && trace.contains("no endpoints"), "{trace}");
}

#[test]
fn routes_that_a_gateway_does_not_take_say_so() {
    let mut room = shop();
    let route = |name: &str, spec: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name}, spec: {spec}}}"
        )
    };
    let rules = "rules: [{backendRefs: [{name: web, port: 80}]}]";
    room.apply(&route(
        "{name: far, namespace: other}",
        &format!(
            "{{parentRefs: [{{name: gw, namespace: default}}], hostnames: [b.shop.test], {rules}}}"
        ),
    ));
    room.apply(&route(
        "{name: section}",
        &format!("{{parentRefs: [{{name: gw, sectionName: nosuch}}], {rules}}}"),
    ));
    room.apply(&route(
        "{name: host}",
        &format!("{{parentRefs: [{{name: gw}}], hostnames: [b.example.test], {rules}}}"),
    ));
    room.done("sleep 1");
    for (what, expected) in [
        ("far -n other", "NotAllowedByListeners: The Route is not allowed by any listener"),
        ("section", "NoMatchingParent: The Listener is not found for this parent ref"),
        (
            "host",
            "NoMatchingListenerHostname: The Listener hostname does not match the Route hostnames",
        ),
    ] {
        let said =
            conditions(&mut room, &format!("httproute {what}"), ".status.parents[*].conditions[*]");
        assert!(said.contains(&format!("Accepted=False {expected}")), "{what}: {said:?}");
    }
    let trace = room.done("trace curl -s http://a.shop.test/ -H 'Host: b.shop.test'");
    assert!(
        trace.contains("answered 404")
            && trace.contains("The Route is not allowed by any listener"),
        "{trace}"
    );
    // What the listener says decides: routes of all namespaces.
    let from = r#"[{"op":"replace","path":"/spec/listeners/0/allowedRoutes/namespaces/from","value":"All"}]"#;
    room.done(&format!("kubectl patch gtw gw --type=json -p '{from}'"));
    room.done("sleep 1");
    assert!(asked(&mut room, "http://b.shop.test/").contains("Hostname: web-"));
    assert_eq!(room.field("gtw gw", ".status.listeners[0].attachedRoutes"), "2");
}

#[test]
fn a_listener_with_tls_needs_its_secret_and_shows_it_for_its_hosts_alone() {
    let mut room = shop();
    let listener = r#"[{"op":"add","path":"/spec/listeners/-","value":{"name":"https","port":443,"protocol":"HTTPS","hostname":"a.shop.test","tls":{"certificateRefs":[{"name":"cert"}]}}}]"#;
    room.done(&format!("kubectl patch gtw gw --type=json -p '{listener}'"));
    room.done("sleep 20");
    let said = conditions(&mut room, "gtw gw", ".status.listeners[1].conditions[*]");
    let why = "tls.certificateRefs[0]: Invalid value: {\"Namespace\":\"default\",\"Name\":\"cert\"}: Secret default/cert does not exist";
    assert_eq!(
        said,
        [
            format!("Accepted=False InvalidCertificateRef: {why}"),
            format!("ResolvedRefs=False InvalidCertificateRef: {why}"),
            format!("Programmed=False Invalid: {why}"),
        ]
    );
    assert!(conditions(&mut room, "gtw gw", ".status.conditions[*]").contains(
        &"Accepted=True ListenersNotValid: The Gateway has at least one valid listener".to_owned()
    ));
    assert!(
        room.failed("curl -sS https://a.shop.test/").contains("Connection refused")
            || room.failed("curl -sS https://a.shop.test/").contains("Could not connect")
    );
    room.apply("{apiVersion: v1, kind: Secret, metadata: {name: cert}, type: kubernetes.io/tls, stringData: {tls.crt: x, tls.key: z}}");
    room.done("sleep 20");
    let said = room.failed("curl -sS https://a.shop.test/");
    assert!(said.contains("(60) SSL certificate problem: self-signed certificate"), "{said}");
    assert!(asked(&mut room, "-k https://a.shop.test/").contains("X-Forwarded-Proto: https"));
    // Another host of the Gateway has no certificate.
    let said =
        room.failed("curl -k -sS https://b.shop.test/ --resolve b.shop.test:443:203.0.113.11");
    assert!(
        said.contains(
            "(35) TLS connect error: error:0A000458:SSL routines::tlsv1 unrecognized name"
        ),
        "{said}"
    );
}

#[test]
fn weights_are_shares() {
    let mut room = shop();
    room.apply(
        "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: split}, spec: {parentRefs: [{name: gw}], hostnames: [split.shop.test], rules: [{backendRefs: [{name: web, port: 80, weight: 9}, {name: cart, port: 80, weight: 1}, {name: nosuch, port: 80, weight: 0}]}]}}",
    );
    room.done("sleep 1");
    let burst = room.done("burst -n 400 http://split.shop.test/");
    let count = |name: &str| -> u32 {
        let line = burst.lines().find(|line| line.contains(name)).unwrap_or_default();
        line.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_default()
    };
    let (web, cart) = (count("web-"), count("cart-"));
    assert!(web + cart == 400 && (20..=70).contains(&cart), "{burst}");
}

/// What the definitions' rules in CEL say; texts of kubernetes-sigs/gateway-api v1.5 config/crd/standard.
#[test]
fn the_definitions_own_rules_refuse_what_cannot_be_meant() {
    let mut room = Room::with_gateways();
    let gateway = |listeners: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: x}}, spec: {{gatewayClassName: nginx, listeners: [{listeners}]}}}}"
        )
    };
    let route = |rule: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: x}}, spec: {{parentRefs: [{{name: gw}}], rules: [{rule}]}}}}"
        )
    };
    let cases = [
        (
            gateway("{name: a, port: 80, protocol: HTTP, tls: {certificateRefs: [{name: c}]}}"),
            "spec.listeners: Invalid value: tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
        ),
        (
            gateway("{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}"),
            "spec.listeners: Invalid value: Combination of port, protocol and hostname must be unique for each listener",
        ),
        (
            gateway("{name: a, port: 443, protocol: HTTPS, tls: {}}"),
            "spec.listeners[0].tls: Invalid value: \"object\": no such key: certificateRefs evaluating rule: certificateRefs or options must be specified when mode is Terminate",
        ),
        (
            route("{matches: [{path: {value: cart}}]}"),
            "spec.rules[0].matches[0].path: Invalid value: value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
        ),
        (
            route("{backendRefs: [{name: web}]}"),
            "spec.rules[0].backendRefs[0]: Invalid value: Must have port for Service reference",
        ),
        (
            route(
                "{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}], backendRefs: [{name: web, port: 80}]}",
            ),
            "spec.rules[0]: Invalid value: RequestRedirect filter must not be used together with backendRefs",
        ),
        (
            route("{filters: [{type: URLRewrite, requestRedirect: {scheme: https}}]}"),
            "spec.rules[0].filters[0]: Invalid value: filter.requestRedirect must be nil if the filter.type is not RequestRedirect",
        ),
        (
            route(
                "{matches: [{path: {type: Exact, value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]}",
            ),
            "spec.rules[0]: Invalid value: When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified",
        ),
    ];
    for (manifest, expected) in cases {
        let said = room.failed(&format!("kubectl apply -f - <<'EOF'\n{manifest}\nEOF"));
        assert!(said.contains(expected), "{manifest}\n{said}");
    }
    let other = r#"{"spec":{"controllerName":"example.com/other"}}"#;
    let said = room.failed(&format!("kubectl patch gc nginx --type=merge -p '{other}'"));
    assert!(
        said.contains(
            "spec.controllerName: Invalid value: \"example.com/other\": Value is immutable"
        ),
        "{said}"
    );
}
