//! Tables of what hosts and paths become.

use super::filters::{redirect, rewritten};
use super::hostnames::{accepted, best};
use super::locate::{Path, PathType};
use crate::trace::request::{Request, Source};
use serde_json::json;
use std::sync::Arc;

/// Models nginx/nginx-gateway-fabric internal/controller/state/graph/route_common_test.go
/// TestFindAcceptedHostnames.
#[test]
fn a_route_has_the_hosts_that_it_has_in_common_with_a_listener() {
    let cases: [(&str, &[&str], &[&str]); 9] = [
        ("", &[], &[""]),
        ("", &["foo.example.com"], &["foo.example.com"]),
        ("foo.example.com", &[], &["foo.example.com"]),
        ("foo.example.com", &["foo.example.com", "bar.example.com"], &["foo.example.com"]),
        ("foo.example.com", &["bar.example.com"], &[]),
        (
            "*.example.com",
            &["foo.example.com", "a.b.example.com"],
            &["foo.example.com", "a.b.example.com"],
        ),
        ("*.example.com", &["*.bar.example.com", "example.com"], &["*.bar.example.com"]),
        ("foo.example.com", &["*.example.com"], &["foo.example.com"]),
        ("*.bar.example.com", &["*.example.com"], &["*.bar.example.com"]),
    ];
    for (listener, route, expected) in cases {
        let found = accepted(listener, route.iter().copied());
        assert_eq!(
            found.iter().map(|it| &**it).collect::<Vec<_>>(),
            expected,
            "{listener} {route:?}"
        );
    }
}

/// What the Gateway API asks for: an exact host before one with a star, of those the longest.
#[test]
fn the_most_specific_host_is_taken() {
    let names: Vec<Arc<str>> =
        ["", "*.example.com", "*.a.example.com", "b.a.example.com"].map(Arc::from).to_vec();
    let cases = [
        ("b.a.example.com", Some("b.a.example.com")),
        ("C.a.example.com", Some("*.a.example.com")),
        ("x.example.com", Some("*.example.com")),
        ("example.com", Some("")),
    ];
    for (host, expected) in cases {
        assert_eq!(best(names.iter(), host).map(|it| &**it), expected, "{host}");
    }
    assert_eq!(best(names.iter().skip(1), "example.com"), None);
}

/// Models nginx/nginx-gateway-fabric internal/controller/nginx/config/servers_test.go
/// TestCreateRewritesValForRewriteFilter.
#[test]
fn the_slash_between_a_prefix_and_the_rest_stands_once() {
    let cases = [
        ("/foo", "/xyz", "/foo/bar?a=b", "/xyz/bar?a=b"),
        ("/foo", "/xyz", "/foo", "/xyz"),
        ("/foo", "/xyz/", "/foo/bar", "/xyz/bar"),
        ("/foo", "/", "/foo/bar", "/bar"),
        ("/foo", "", "/foo", "/"),
        ("/foo/", "/xyz", "/foo/bar", "/xyz/bar"),
        ("/", "/xyz", "/bar", "/xyz/bar"),
    ];
    for (prefix, new, asked, expected) in cases {
        let filter = json!({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": new}});
        let path = Path { kind: PathType::Prefix, value: prefix };
        let found = rewritten(&filter, path, asked);
        assert_eq!(found.as_deref(), Some(expected), "{prefix} {new} {asked}");
    }
    let full = json!({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/all"}});
    let path = Path { kind: PathType::Exact, value: "/one" };
    assert_eq!(rewritten(&full, path, "/one?q=1").as_deref(), Some("/all?q=1"));
}

/// Models nginx/nginx-gateway-fabric internal/controller/nginx/config/servers_test.go
/// TestCreateReturnAndRewriteConfigForRedirectFilter.
#[test]
fn a_redirect_names_the_port_unless_the_scheme_says_it() {
    let cases = [
        (json!({}), 80, "302 http://a.test:80/x?y"),
        (json!({"scheme": "https"}), 80, "302 https://a.test/x?y"),
        (json!({"scheme": "http", "port": 80}), 8080, "302 http://a.test/x?y"),
        (json!({"scheme": "https", "port": 8443}), 80, "302 https://a.test:8443/x?y"),
        (json!({"hostname": "b.test", "statusCode": 301}), 8080, "301 http://b.test:8080/x?y"),
    ];
    let client = Source::Node(Arc::from("n"));
    let Ok(request) = Request::from_url(client, "http://a.test/x?y") else { return };
    for (filter, port, expected) in cases {
        let path = Path { kind: PathType::Prefix, value: "/" };
        let (status, place) = redirect(&filter, path, &request, port);
        assert_eq!(format!("{status} {place}"), expected, "{filter}");
    }
}
