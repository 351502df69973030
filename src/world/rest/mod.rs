//! The API server as who speaks HTTP to it sees it: a method and a path in, a status and JSON out.
//!
//! Invariants: what is read and written here goes through the same calls on [`World`] as kubectl's;
//! errors are Status objects in the API server's words.
//!
//! Simplified: a watch takes one look, lists come whole whatever `limit` says, and of the other
//! representations (tables, protobuf) there are none.
//!
//! Reading order: `request.rs`, `json.rs`, `objects.rs`, `write.rs`, `discovery.rs`, `health.rs`,
//! `access.rs`.

mod access;
mod discovery;
mod health;
mod json;
mod objects;
mod request;
mod write;

pub use access::Attributes;
pub use objects::component_statuses;
pub use request::ApiRequest;

use super::World;
use crate::api::error::go_quote;
use crate::api::{ApiError, FieldError, Reason, Uid};
use crate::programs::Served;
use crate::trace::Request;
use request::{Query, Target, decoded};
use std::sync::Arc;

/// What the server says of a path that it does not know below one that it does.
const NO_RESOURCE: &str = "the server could not find the requested resource";

/// An answer of the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// What went wrong, as a client of Go takes it.
    pub error: Option<ApiError>,
}

/// An answer that is JSON of one line, or why there is none.
type Answer = Result<ApiResponse, ApiError>;

fn answer(status: u16, body: String) -> Answer {
    Ok(ApiResponse { status, content_type: "application/json", body, error: None })
}

/// Plain text.
fn plain(body: impl Into<String>) -> ApiResponse {
    let (status, content_type) = (200, "text/plain; charset=utf-8");
    ApiResponse { status, content_type, body: body.into(), error: None }
}

impl World {
    /// Answers a request of somebody who may do everything.
    pub fn serve(&mut self, request: &ApiRequest<'_>) -> ApiResponse {
        let (path, query) = request.uri.split_once('?').unwrap_or((request.uri, ""));
        let query = Query::read(query);
        let parts: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let answer = match words.as_slice() {
            [] => return raw(discovery::paths(self)),
            ["version"] => return raw(discovery::version()),
            ["healthz" | "livez" | "readyz", ..] => {
                return health::check(&words, &query).unwrap_or_else(no_page);
            }
            ["api", "v1", _, ..] | ["apis", _, _, _, ..] => match Target::of(&parts) {
                Some(target) if discovery::has_version(self, &target.group, &target.version) => {
                    self.answer_about(&target, request, &query)
                }
                _ => return no_page(),
            },
            ["api" | "apis", ..] => match discovery::document(self, &words) {
                Some(body) if request.method == "GET" => answer(200, body),
                Some(_) => Err(ApiError::not_allowed()),
                None => return no_page(),
            },
            _ => return no_page(),
        };
        laid_out(answer.unwrap_or_else(|error| failed(&error)), request)
    }
}

/// JSON of one line, or over several for who reads it.
///
/// Models staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go
/// isPrettyPrint.
fn laid_out(response: ApiResponse, request: &ApiRequest<'_>) -> ApiResponse {
    if response.content_type != "application/json" {
        return response;
    }
    let query = Query::read(request.uri.split_once('?').map_or("", |(_, query)| query));
    let is_pretty = match query.get("pretty") {
        "" => ["curl", "Wget", "Mozilla/5.0"].iter().any(|it| request.agent.starts_with(it)),
        text => matches!(text, "1" | "t" | "T" | "true" | "True" | "TRUE"),
    };
    let body = match is_pretty {
        true => json::indented(&response.body),
        false => response.body + "\n",
    };
    ApiResponse { body, ..response }
}

/// What a client is given over the network; `is_trusted` if whoever carries the request says who
/// asks, as `kubectl proxy` does.
pub(super) fn served(world: &mut World, asked: &Request, is_trusted: bool) -> Served {
    let header = |name: &str| asked.headers.get(name).unwrap_or_default();
    let request = ApiRequest {
        method: &asked.method,
        uri: &asked.path,
        body: &asked.body,
        content_type: header("Content-Type"),
        agent: &asked.agent,
    };
    let response = match is_trusted {
        true => world.serve(&request),
        false => world.serve_to(header("Authorization").strip_prefix("Bearer "), &request),
    };
    let warnings = world.take_warnings();
    let body = Arc::from(if &*asked.method == "HEAD" { "" } else { response.body.as_str() });
    Served { status: response.status, content_type: response.content_type, body, warnings }
}

/// JSON that is always indented.
fn raw(body: String) -> ApiResponse {
    let (status, content_type) = (200, "application/json");
    ApiResponse { status, content_type, body: json::indented(&body), error: None }
}

/// What is served by nobody.
fn no_page() -> ApiResponse {
    let error = Some(ApiError::new(Reason::NotFound, NO_RESOURCE));
    ApiResponse { status: 404, error, ..plain("404 page not found\n") }
}

/// A Status that says no.
///
/// Models staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/status.go.
pub(super) fn failed(error: &ApiError) -> ApiResponse {
    let body = json::record(&[
        ("kind", json::text("Status")),
        ("apiVersion", json::text("v1")),
        ("metadata", "{}".to_owned()),
        ("status", json::text("Failure")),
        ("message", json::text(&error.message)),
        ("reason", quoted(error.reason.name())),
        ("details", details(error)),
        ("code", error.reason.code().to_string()),
    ]);
    let error = Some(error.clone());
    let status = error.as_ref().map_or(500, |error| error.reason.code());
    ApiResponse { status, content_type: "application/json", body, error }
}

/// A Status that says that an object is gone.
fn deleted(resource: &str, name: &str, uid: Uid) -> String {
    let (kind, group) = resource.split_once('.').unwrap_or((resource, ""));
    let details = json::record(&[
        ("name", quoted(name)),
        ("group", quoted(group)),
        ("kind", quoted(kind)),
        ("uid", json::text(&uid.to_string())),
    ]);
    json::record(&[
        ("kind", json::text("Status")),
        ("apiVersion", json::text("v1")),
        ("metadata", "{}".to_owned()),
        ("status", json::text("Success")),
        ("details", details),
    ])
}

fn quoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { json::text(text) }
}

/// What an error is about; nothing for those that are about the request itself.
fn details(error: &ApiError) -> String {
    let without = [Reason::BadRequest, Reason::Unauthorized, Reason::UnsupportedMediaType];
    if without.contains(&error.reason) {
        return String::new();
    }
    let of_message = error.message.rsplit_once(&format!(" {}", go_quote(&error.name)));
    let resource = of_message.and_then(|(before, _)| before.rsplit(' ').next());
    let named = match error.kind.as_str() {
        "" if error.name.is_empty() => error.message.split_once(" is forbidden").map_or("", first),
        "" => resource.unwrap_or_default(),
        kind => kind,
    };
    let (kind, group) = named.split_once('.').unwrap_or((named, ""));
    let cause = |cause: &FieldError| {
        json::record(&[
            ("reason", json::text(cause.error_type.reason())),
            ("message", json::text(&cause.body())),
            ("field", quoted(&cause.field)),
        ])
    };
    let causes = match error.causes.as_slice() {
        [] => String::new(),
        causes => json::list(causes.iter().map(cause)),
    };
    json::record(&[
        ("name", quoted(&error.name)),
        ("group", quoted(group)),
        ("kind", quoted(kind)),
        ("causes", causes),
    ])
}

fn first<'a>((first, _): (&'a str, &'a str)) -> &'a str {
    first
}
