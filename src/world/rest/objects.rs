//! Objects and lists of them, and what stands below objects.
//!
//! Models staging/src/k8s.io/apiserver/pkg/endpoints/handlers/get.go, and pkg/registry/core for
//! logs, components and proxies.

use super::request::{ApiRequest, Query, Target};
use super::{Answer, ApiResponse, NO_RESOURCE, answer, discovery, json, plain};
use crate::api::field_selector;
use crate::api::pod::ContainerState;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Reason, Selector, Value};
use crate::store::{ObjectKey, managed};
use crate::trace::{Outcome, Request, Source};
use crate::world::{World, scale_of};
use serde_json::json;
use std::sync::Arc;

/// An object as the server writes it.
pub(super) fn text_of(object: &Object, is_item: bool) -> String {
    let mut value = object.to_value();
    let managers = managed::shown(object);
    let is_stored = object.kind.name() != "ComponentStatus";
    if is_stored && managers.as_array().is_some_and(|all| !all.is_empty()) {
        value.put(&["metadata", "managedFields"], managers);
    }
    if is_item && !object.kind.is_custom() {
        value.remove(&["kind"]);
        value.remove(&["apiVersion"]);
    }
    json::object(object.kind, &value)
}

/// A list as the server writes it.
pub(super) fn list_of(kind: Kind, objects: &[Arc<Object>], revision: u64) -> String {
    let name = json::text(&format!("{}List", kind.name()));
    let version = json::text(&kind.api_version());
    let items = json::list(objects.iter().map(|object| text_of(object, true)));
    let revision = format!("\"{revision}\"");
    if kind.is_custom() {
        let metadata =
            json::record(&[("continue", "\"\"".to_owned()), ("resourceVersion", revision)]);
        return json::record(&[
            ("apiVersion", version),
            ("items", items),
            ("kind", name),
            ("metadata", metadata),
        ]);
    }
    let metadata = match kind.name() {
        "ComponentStatus" => "{}".to_owned(),
        _ => json::record(&[("resourceVersion", revision)]),
    };
    let kind = ("kind", name);
    json::record(&[kind, ("apiVersion", version), ("metadata", metadata), ("items", items)])
}

/// What the API server finds of the control plane when it is asked: here all of it is well.
///
/// Models pkg/registry/core/componentstatus/rest.go.
pub fn component_statuses(kind: Kind) -> impl Iterator<Item = Arc<Object>> {
    ["controller-manager", "scheduler", "etcd-0"].into_iter().map(move |name| {
        let healthy = json!([{"type": "Healthy", "status": "True", "message": "ok"}]);
        let value = json!({"metadata": {"name": name}, "conditions": healthy});
        Arc::new(Object::from_value(kind, value))
    })
}

fn bad_request(why: impl Into<String>) -> ApiError {
    ApiError::new(Reason::BadRequest, why)
}

impl World {
    /// Answers a request about a resource.
    pub(super) fn answer_about(
        &mut self,
        target: &Target,
        request: &ApiRequest<'_>,
        query: &Query,
    ) -> Answer {
        let unknown = || ApiError::new(Reason::NotFound, NO_RESOURCE);
        let kind = discovery::kind_of(self, &target.group, &target.version, &target.resource);
        let kind = kind.ok_or_else(unknown)?;
        let is_inside = !target.namespace.is_empty() && target.resource != "namespaces";
        let verb = target.verb(request.method, query);
        if (!kind.namespaced() && is_inside)
            || (kind.namespaced() && !is_inside && !target.name.is_empty())
        {
            return Err(unknown());
        }
        let is_everywhere = kind.namespaced() && !is_inside;
        if verb.is_empty() || (is_everywhere && !matches!(verb, "list" | "watch")) {
            return Err(ApiError::not_allowed());
        }
        if !target.subresource.is_empty() {
            return self.answer_below(kind, target, request, query);
        }
        let names = verb == "create" && !target.name.is_empty();
        let posts_nothing = verb == "update" && target.name.is_empty();
        if names || posts_nothing || !kind.resource().has_verb(verb) {
            return Err(ApiError::not_allowed());
        }
        if matches!(verb, "get" | "list" | "watch") {
            self.warn_of(kind);
        }
        self.furnish(kind);
        match verb {
            "get" => answer(200, text_of(&*self.object_at(kind, target)?, false)),
            "list" => {
                let objects = self.chosen(kind, target, query)?;
                answer(200, list_of(kind, &objects, self.store().revision()))
            }
            "watch" => {
                let objects = self.chosen(kind, target, query)?;
                let event = |object: &Arc<Object>| {
                    let object = text_of(object, false);
                    json::record(&[("type", "\"ADDED\"".to_owned()), ("object", object)]) + "\n"
                };
                let body = objects.iter().map(event).collect();
                let content_type = "application/json;stream=watch";
                Ok(ApiResponse { status: 200, content_type, body, error: None })
            }
            _ => self.write_to(kind, target, request, query),
        }
    }

    /// The object of a target.
    pub(super) fn object_at(&self, kind: Kind, target: &Target) -> Result<Arc<Object>, ApiError> {
        if kind.name() == "ComponentStatus" {
            let found = component_statuses(kind).find(|one| *one.meta.name == *target.name);
            return found.ok_or_else(|| ApiError::not_found("componentstatus", &target.name));
        }
        let found = self.find(kind, key_of(kind, target).0, &target.name).cloned();
        found.ok_or_else(|| ApiError::not_found(&kind.group_resource(), &target.name))
    }

    /// The objects of a collection that the query selects.
    pub(super) fn chosen(
        &self,
        kind: Kind,
        target: &Target,
        query: &Query,
    ) -> Result<Vec<Arc<Object>>, ApiError> {
        let selector = Selector::parse(query.get("labelSelector")).map_err(bad_request)?;
        let terms = field_selector::terms(kind, query.get("fieldSelector")).map_err(bad_request)?;
        let has = |object: &Arc<Object>| {
            selector.matches(&object.meta.labels) && field_selector::matches(object, &terms)
        };
        if kind.name() == "ComponentStatus" {
            return Ok(component_statuses(kind).filter(has).collect());
        }
        let store = self.store();
        let all: Vec<Arc<Object>> = match key_of(kind, target).0 {
            "" => store.list(kind).filter(|object| has(object)).cloned().collect(),
            own => store.list_in(kind, own).filter(|object| has(object)).cloned().collect(),
        };
        Ok(all)
    }

    /// What stands below an object.
    fn answer_below(
        &mut self,
        kind: Kind,
        target: &Target,
        request: &ApiRequest<'_>,
        query: &Query,
    ) -> Answer {
        let reads = matches!(request.method, "GET" | "HEAD");
        match (kind, target.subresource.as_str()) {
            (Kind::Pod, "log") if reads => self.log_of(target, query),
            (Kind::Pod, "exec" | "attach" | "portforward") => {
                self.object_at(kind, target)?;
                Err(bad_request("Upgrade request required"))
            }
            (Kind::Pod | Kind::Service, "proxy") => self.pass_on(kind, target, request),
            (_, "scale") if reads => {
                let object = self.object_at(kind, target)?;
                answer(200, scale_text(&scale_of(self.store(), &object)?))
            }
            (_, "status") | (Kind::Pod, "ephemeralcontainers") if reads => {
                answer(200, text_of(&*self.object_at(kind, target)?, false))
            }
            _ => self.write_below(kind, target, request, query),
        }
    }

    /// A container's log.
    ///
    /// Models pkg/registry/core/pod/strategy.go LogLocation.
    fn log_of(&mut self, target: &Target, query: &Query) -> Answer {
        let object = self.object_at(Kind::Pod, target)?;
        let Some(pod) = object.pod() else { return Err(ApiError::not_allowed()) };
        let names = |all: &[crate::api::pod::Container]| {
            all.iter().map(|it| it.name.clone()).collect::<Vec<_>>()
        };
        let own = names(&pod.spec.containers);
        let name = match (query.get("container"), own.as_slice()) {
            ("", [one]) => one.clone(),
            ("", many) => {
                let init = names(&pod.spec.init_containers);
                let init = match init.as_slice() {
                    [] => String::new(),
                    init => format!(" or one of the init containers: [{}]", init.join(" ")),
                };
                let (pod, many) = (&object.meta.name, many.join(" "));
                return Err(bad_request(format!(
                    "a container name must be specified for pod {pod}, choose one of: [{many}]{init}"
                )));
            }
            (name, _) => name.to_owned(),
        };
        if pod.spec.container(&name).is_none() {
            let pod = &object.meta.name;
            return Err(bad_request(format!("container {name} is not valid for pod {pod}")));
        }
        let place = own.iter().position(|own| *own == name);
        let status = place.and_then(|place| pod.status.containers.get(place));
        if let Some(ContainerState::Waiting { reason, .. }) = status.map(|it| &it.state)
            && status.is_some_and(|it| it.last_state.is_none())
        {
            return Err(bad_request(format!(
                "container \"{name}\" in pod \"{}\" is waiting to start: {reason}",
                object.meta.name
            )));
        }
        let mut lines = self.printed(&ObjectKey::of(&object), &name, query.on("previous"));
        if let Ok(tail) = query.get("tailLines").parse::<usize>() {
            lines = lines.split_off(lines.len().saturating_sub(tail));
        }
        let stamped = query.on("timestamps");
        let line = |(time, line): (crate::base::SimTime, String)| match stamped {
            true => format!("{} {line}\n", time.format("%FT%T.%NZ")),
            false => line + "\n",
        };
        Ok(ApiResponse {
            content_type: "text/plain",
            ..plain(lines.into_iter().map(line).collect::<String>())
        })
    }

    /// Hands a request on to a pod, or to one of a Service's.
    ///
    /// Models pkg/registry/core/service/storage/storage.go ResourceLocation and
    /// pkg/registry/core/pod/strategy.go ResourceLocation.
    fn pass_on(&mut self, kind: Kind, target: &Target, request: &ApiRequest<'_>) -> Answer {
        let mut words: Vec<&str> = target.name.split(':').collect();
        let scheme = if words.len() > 2 { words.remove(0) } else { "http" };
        let (name, port) = (*words.first().unwrap_or(&""), *words.get(1).unwrap_or(&""));
        let plain_target = Target { name: name.to_owned(), ..target.clone() };
        let object = self.object_at(kind, &plain_target)?;
        let (host, port) = match kind {
            Kind::Pod => pod_address(&object, port),
            _ => self.service_address(&object, port),
        }?;
        let control_plane = self
            .store()
            .list(Kind::Node)
            .find(|node| node.meta.labels.get("node-role.kubernetes.io/control-plane").is_some());
        let from =
            Source::Node(control_plane.map(|node| node.meta.name.clone()).unwrap_or_default());
        let path = format!("/{}", target.rest.join("/"));
        let query = request.uri.split_once('?').map(|(_, query)| format!("?{query}"));
        let connection = Request::connect(from, &host, port, crate::net::packet::Protocol::Tcp);
        let trace = self.send(&Request {
            path: Arc::from(path + &query.unwrap_or_default()),
            tls: scheme == "https",
            method: Arc::from(request.method),
            agent: Arc::from(request.agent),
            body: Arc::from(request.body),
            ..connection
        });
        match &trace.outcome {
            Outcome::Answered { status, body, .. } if *status > 0 => {
                let error = (*status >= 400).then(|| generic(*status, body));
                Ok(ApiResponse { status: *status, error, ..plain(body.to_string()) })
            }
            _ => Err(ApiError::new(
                Reason::ServiceUnavailable,
                format!(
                    "error trying to reach service: dial tcp {host}:{port}: connect: connection refused"
                ),
            )),
        }
    }

    /// An address behind a Service, and its port.
    fn service_address(&self, service: &Object, port: &str) -> Result<(String, u16), ApiError> {
        let name = &service.meta.name;
        let unavailable = |why: String| ApiError::new(Reason::ServiceUnavailable, why);
        let ports = service.spec().items_at(&["ports"]);
        let number = port.parse::<i64>().ok();
        let found = ports.iter().find(|own| match number {
            _ if port.is_empty() => ports.len() == 1 || own.str_at(&["name"]).is_none(),
            Some(number) => own.int_at(&["port"]) == Some(number),
            None => own.str_at(&["name"]) == Some(port),
        });
        if found.is_none() && number.is_some() {
            return Err(unavailable(format!(
                "no service port {port} found for service \"{name}\""
            )));
        }
        let wanted = match found {
            Some(own) => own.str_at(&["name"]).unwrap_or_default(),
            None => port,
        };
        let slices = self.store().list_in(Kind::EndpointSlice, &service.meta.namespace);
        let own = slices
            .filter(|slice| slice.meta.labels.get("kubernetes.io/service-name") == Some(&**name));
        for slice in own {
            let content = slice.content();
            let ready = content
                .items_at(&["endpoints"])
                .iter()
                .find(|endpoint| endpoint.bool_at(&["conditions", "ready"]) != Some(false));
            let port = content
                .items_at(&["ports"])
                .iter()
                .find(|own| own.str_at(&["name"]).unwrap_or_default() == wanted);
            let address = ready.and_then(|it| it.items_at(&["addresses"]).first()?.as_str());
            let port = port.and_then(|it| u16::try_from(it.int_at(&["port"])?).ok());
            if let Some((address, port)) = address.zip(port) {
                return Ok((address.to_owned(), port));
            }
        }
        Err(unavailable(format!("no endpoints available for service \"{name}\"")))
    }
}

/// What a client of Go says of an answer that is no Status.
///
/// Models staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go NewGenericServerResponse.
fn generic(status: u16, body: &str) -> ApiError {
    let body = body.trim();
    let (reason, why) = match status {
        400 => {
            (Reason::BadRequest, "the server rejected our request for an unknown reason".to_owned())
        }
        401 => (
            Reason::Unauthorized,
            "the server has asked for the client to provide credentials".to_owned(),
        ),
        403 => (Reason::Forbidden, body.to_owned()),
        404 => (Reason::NotFound, NO_RESOURCE.to_owned()),
        405 => return ApiError::not_allowed(),
        503 => (
            Reason::ServiceUnavailable,
            "the server is currently unable to handle the request".to_owned(),
        ),
        500.. => {
            let body = crate::api::error::go_quote(body);
            let why = format!(
                "an error on the server ({body}) has prevented the request from succeeding"
            );
            (Reason::InternalError, why)
        }
        _ => (
            Reason::Unknown,
            format!(
                "the server responded with the status code {status} but did not return more information"
            ),
        ),
    };
    ApiError::new(reason, why)
}

/// The address of a pod, and the port that is asked for or its first one.
fn pod_address(object: &Object, port: &str) -> Result<(String, u16), ApiError> {
    let pod = object.pod().ok_or_else(ApiError::not_allowed)?;
    let Some(ip) = pod.status.pod_ip else {
        return Err(bad_request("address not allowed"));
    };
    let mut ports = pod.spec.containers.iter().flat_map(|it| &it.ports);
    let usual = ports.next().map_or(80, |port| port.container_port);
    let port = if port.is_empty() { usual } else { port.parse().unwrap_or(usual) };
    Ok((ip.to_string(), port))
}

/// Namespace and name of a target.
pub(super) fn key_of(kind: Kind, target: &Target) -> (&str, &str) {
    let namespace = if kind.namespaced() { target.namespace.as_str() } else { "" };
    (namespace, &target.name)
}

/// A `Scale` as the server writes it.
pub(super) fn scale_text(scale: &Value) -> String {
    let part = |key: &str| {
        let part = scale.get(key).cloned().unwrap_or_default();
        part.to_string()
    };
    let metadata = scale.get("metadata").cloned().unwrap_or_default();
    let metadata = json::structure("ObjectMeta", &metadata);
    json::record(&[
        ("kind", json::text("Scale")),
        ("apiVersion", json::text("autoscaling/v1")),
        ("metadata", metadata),
        ("spec", part("spec")),
        ("status", part("status")),
    ])
}
