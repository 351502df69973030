//! Ingresses, as ingress-nginx serves them.

use crate::{Room, assert_contains};
use diorama::world::LoadBalancers;

#[test]
fn an_ingress_has_its_address_within_a_minute_and_loses_it_with_its_controller() {
    let mut room = Room::new(LoadBalancers::Cloud);
    room.done("kubectl create ingress site --class=nginx --rule=shop.example.com/*=web:80");
    room.done("sleep 1");
    // Models kubernetes/ingress-nginx internal/ingress/controller/store/store.go.
    assert_eq!(room.events("site"), "Sync: Scheduled for sync x1\n");
    let address = "kubectl get ingress site -o jsonpath={.status.loadBalancer.ingress[*].ip}";
    assert_eq!(room.done(address), "");
    assert_contains(&room.done("curl -s http://shop.example.com/"), &["Hostname: web-"]);
    room.done("sleep 60");
    assert_eq!(room.done(address), "203.0.113.10");
    assert_contains(&room.events("site"), &["Sync: Scheduled for sync x2"]);
    room.done("kubectl -n ingress-nginx scale deployment ingress-nginx-controller --replicas=0");
    room.done("sleep 5");
    assert_eq!(room.done(address), "");
}

#[test]
fn an_ingress_without_a_class_is_served_if_a_class_is_the_default_when_it_is_made() {
    let mut room = Room::new(LoadBalancers::Cloud);
    let code = "curl -s -o /dev/null -w '%{http_code}' http://shop.example.com/";
    room.done("kubectl create ingress web --rule=shop.example.com/*=web:80");
    assert_eq!(room.done(code), "404");
    let trace = room.done("trace curl http://shop.example.com/");
    assert_contains(&trace, &["names shop.example.com, but has no ingressClassName"]);
    room.done(
        "kubectl annotate ingressclass nginx ingressclass.kubernetes.io/is-default-class=true",
    );
    assert_eq!(room.done(code), "404", "it is given a class only when it is made");
    room.done("kubectl delete ingress web");
    room.done("kubectl create ingress web --rule=shop.example.com/*=web:80");
    assert_eq!(room.done(code), "200");
    assert_contains(&room.done("kubectl get ingress web"), &["nginx"]);
}

#[test]
fn https_at_the_controller_is_http_2_with_its_own_certificate() {
    let mut room = Room::new(LoadBalancers::Cloud);
    room.done(
        "kubectl create ingress web --class=nginx --rule='safe.example.com/*=web:80,tls=missing'",
    );
    let head = room.done("curl -sI http://safe.example.com/a?b=c");
    assert_contains(&head, &["HTTP/1.1 308 ", "Location: https://safe.example.com/a?b=c\n"]);
    let strict = room.run("curl https://safe.example.com/");
    assert_eq!(strict.exit, 60);
    // curl 8.14.1 of a certificate whose issuer is its owner.
    assert_contains(
        &strict.stderr,
        &["curl: (60) SSL certificate problem: self-signed certificate"],
    );
    let answer = room.done("curl -ski https://safe.example.com/");
    assert_contains(
        &answer,
        &[
            "HTTP/2 200 \n",
            "\nstrict-transport-security: max-age=31536000; includeSubDomains\n",
            "\nX-Forwarded-Proto: https\n",
            "\nX-Forwarded-For: 198.51.100.7\n",
        ],
    );
}

/// A connection that is kept alive ends at nginx, which balances each request anew.
#[test]
fn requests_over_one_connection_to_the_controller_go_to_all_pods() {
    let mut room = Room::new(LoadBalancers::Cloud);
    room.done("kubectl create ingress web --class=nginx --rule=shop.example.com/*=web:80");
    room.done("sleep 5");
    let text = room.done("burst -n 60 --keepalive 1 curl http://shop.example.com");
    assert_contains(&text, &["60 requests over 1 connections", "60 answered, 0 failed"]);
    let pods = text.lines().filter(|line| line.contains("web-") && line.contains('#'));
    assert_eq!(pods.count(), 3, "{text}");
}

#[test]
fn curl_sends_headers_cookies_and_bodies_and_keeps_cookies_in_a_file() {
    let mut room = Room::new(LoadBalancers::Cloud);
    room.done("kubectl create ingress web --class=nginx --rule=shop.example.com/*=web:80 --annotation=nginx.ingress.kubernetes.io/affinity=cookie");
    let seen = room.done(
        "curl -s -H 'X-Team: blue' -b 'a=1; b=2' -d x=1 -d y=2 -u me:pass http://shop.example.com/",
    );
    assert_contains(
        &seen,
        &[
            "POST / HTTP/1.1\n",
            "\nX-Team: blue\n",
            "\nCookie: a=1; b=2\n",
            "\nContent-Type: application/x-www-form-urlencoded\n",
            "\nContent-Length: 7\n",
            "\nAuthorization: Basic bWU6cGFzcw==\n",
            "\n\nx=1&y=2",
        ],
    );
    let first = room.done("curl -s -c jar http://shop.example.com/");
    assert_contains(
        &room.done("cat jar"),
        &["#HttpOnly_shop.example.com\tFALSE\t/\tFALSE\t0\tINGRESSCOOKIE\t"],
    );
    let host = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    for _ in 0..20 {
        assert_eq!(host(&room.done("curl -s -b jar http://shop.example.com/")), host(&first));
    }
    let others =
        (0..20).filter(|_| host(&room.done("curl -s http://shop.example.com/")) != host(&first));
    assert!(others.count() > 0, "without its cookie a client goes anywhere");
}

#[test]
fn the_controllers_webhook_refuses_what_it_could_not_serve() {
    let mut room = Room::new(LoadBalancers::Cloud);
    room.done("kubectl create ingress a --class=nginx --rule=a.example.com/*=web:80");
    room.done("sleep 2");
    let denied = "admission webhook \"validate.nginx.ingress.kubernetes.io\" denied the request: ";
    let prefix = "--annotation=nginx.ingress.kubernetes.io/";
    // Models internal/ingress/controller/controller.go CheckIngress and its tests.
    for (line, expected) in [
        (
            "create ingress b --class=nginx --rule=a.example.com/*=web:80".to_owned(),
            "host \"a.example.com\" and path \"/\" is already defined in ingress default/a",
        ),
        (
            "create ingress c --class=nginx '--rule=c.example.com/api(/|$)(.*)*=web:80'".to_owned(),
            "ingress contains invalid paths: path /api(/|$)(.*) cannot be used with pathType Prefix",
        ),
        (
            "annotate ingress a nginx.ingress.kubernetes.io/server-snippet=x".to_owned(),
            "nginx.ingress.kubernetes.io/server-snippet annotation cannot be used. Snippet directives are disabled by the Ingress administrator",
        ),
        (
            format!(
                "create ingress d --class=nginx --rule=d.example.com/*=web:80 {prefix}canary-weight=5"
            ),
            "the annotation canary does not contain a valid configuration: configured but not enabled",
        ),
    ] {
        let output = room.run(&format!("kubectl {line}"));
        assert_eq!(output.exit, 1, "{line}");
        assert_contains(&output.stderr, &[&format!("{denied}{expected}\n")]);
    }
    room.done(&format!("kubectl create ingress e --class=nginx --rule=a.example.com/*=web:80 {prefix}canary=true {prefix}canary-weight=5"));
    // Of another class it is none of its business.
    room.done("kubectl create ingress g --class=other --rule=a.example.com/*=web:80");
}

#[test]
fn a_webhook_that_cannot_be_reached_stops_what_it_is_to_look_at() {
    let mut room = Room::new(LoadBalancers::Cloud);
    let ip = room.done("kubectl -n ingress-nginx get svc ingress-nginx-controller-admission -o jsonpath={.spec.clusterIP}");
    room.done("kubectl -n ingress-nginx scale deployment ingress-nginx-controller --replicas=0");
    room.done("sleep 5");
    let line = "kubectl create ingress a --class=nginx --rule=a.example.com/*=web:80";
    let url = "https://ingress-nginx-controller-admission.ingress-nginx.svc:443/networking/v1/ingresses?timeout=10s";
    let output = room.run(line);
    // Models staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/errors.
    assert_eq!(
        output.stderr,
        format!(
            "error: failed to create ingress: Internal error occurred: failed calling webhook \"validate.nginx.ingress.kubernetes.io\": failed to call webhook: Post \"{url}\": dial tcp {ip}:443: connect: connection refused\n"
        )
    );
    room.done("kubectl delete validatingwebhookconfiguration ingress-nginx-admission");
    room.done(line);
}
