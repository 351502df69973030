//! What a rule does to a request before it is handed on, or instead.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/nginx/config/servers.go
//! createReturnAndRewriteConfigForRedirectFilter and createMainRewriteForFilters.

use super::locate::{Path, PathType};
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::container::Headers;
use crate::trace::request::Request;

/// The filter of a type that a rule has.
pub(super) fn filter<'a>(rule: &'a Value, kind: &str, field: &str) -> Option<&'a Value> {
    let mut all = rule.items_at(&["filters"]).iter();
    all.find(|it| it.str_at(&["type"]) == Some(kind))?.get(field)
}

/// The path, without its query, that a filter makes of a request's.
fn modified(modifier: &Value, location: Path<'_>, path: &str) -> Option<String> {
    if let Some(full) = modifier.str_at(&["replaceFullPath"]) {
        return Some(full.to_owned());
    }
    let new = modifier.str_at(&["replacePrefixMatch"])?;
    if location.kind != PathType::Prefix {
        return None;
    }
    let new = if new.is_empty() { "/" } else { new };
    let rest = path.strip_prefix(location.value)?;
    // The slash between both parts stands once.
    Some(match (new.ends_with('/'), location.value.ends_with('/')) {
        (true, false) => format!("{new}{}", rest.strip_prefix('/').unwrap_or(rest)),
        (false, true) => format!("{new}/{rest}"),
        _ => format!("{new}{rest}"),
    })
}

/// A path with the query of another one.
fn with_query(path: String, asked: &str) -> String {
    match asked.split_once('?') {
        Some((_, query)) => format!("{path}?{query}"),
        None => path,
    }
}

fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or("/")
}

/// `URLRewrite`: the path that the backend is asked for.
pub(super) fn rewritten(rewrite: &Value, location: Path<'_>, asked: &str) -> Option<String> {
    let path = modified(rewrite.get("path")?, location, without_query(asked))?;
    Some(with_query(path, asked))
}

/// `RequestRedirect`: the status and where the client is sent.
pub(super) fn redirect(
    redirect: &Value,
    location: Path<'_>,
    request: &Request,
    listener_port: u16,
) -> (u16, String) {
    let host = redirect.str_at(&["hostname"]).unwrap_or(request.asked_host());
    let own_port = redirect.int_at(&["port"]).and_then(|port| u16::try_from(port).ok());
    let port = own_port.unwrap_or(listener_port);
    let given = redirect.str_at(&["scheme"]);
    let scheme = given.unwrap_or(if request.tls { "https" } else { "http" });
    let usual = matches!((scheme, port), ("http", 80) | ("https", 443));
    let is_hidden = given.is_some() && (usual || own_port.is_none());
    let port = if is_hidden { String::new() } else { format!(":{port}") };
    let path = redirect.get("path");
    let path = path.and_then(|it| modified(it, location, without_query(&request.path)));
    let path =
        path.map_or_else(|| request.path.to_string(), |path| with_query(path, &request.path));
    let status = redirect.int_at(&["statusCode"]).and_then(|code| u16::try_from(code).ok());
    (status.unwrap_or(302), format!("{scheme}://{host}{port}{path}"))
}

/// The headers as a modifier leaves them, and what it did in short; `add` puts a value behind the one
/// that is there.
pub(super) fn modify(modifier: &Value, headers: &Headers) -> (Headers, Vec<String>) {
    let (mut headers, mut told) = (headers.clone(), Vec::new());
    for key in ["add", "set"] {
        for one in modifier.items_at(&[key]) {
            let name = one.str_at(&["name"]).unwrap_or_default();
            let value = one.str_at(&["value"]).unwrap_or_default();
            let before = headers.get(name).filter(|_| key == "add");
            let value =
                before.map_or_else(|| value.to_owned(), |before| format!("{before},{value}"));
            told.push(format!("{name}: {value}"));
            headers = headers.with(name, &value);
        }
    }
    for name in modifier.items_at(&["remove"]).iter().filter_map(Value::as_str) {
        told.push(format!("-{name}"));
        headers = headers.with(name, "");
    }
    (headers, told)
}
