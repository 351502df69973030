//! Requests that change something.
//!
//! Models staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch,delete}.go.

use super::objects::{key_of, list_of, scale_text, text_of};
use super::request::{ApiRequest, Query, Target};
use super::{Answer, answer, deleted, json};
use crate::api::tree::Tree as _;
use crate::api::{ApiError, FieldError, Kind, Reason, Value, conversion};
use crate::manifest;
use crate::store::patch::{FieldValidation, Patch, PatchType, patch_locally};
use crate::store::{DeleteOptions, ObjectKey, Propagation};
use crate::world::{World, patched_scale, scale_of, scaled_to};

/// The kinds whose deletion answers with the object as it was.
///
/// Models the callers of ReturnDeletedObject in pkg/registry.
const SHOWN_WHEN_DELETED: &str = " deviceclasses resourceclaims resourceclaimtemplates resourceslices csidrivers storageclasses volumeattachments csinodes volumeattributesclasses resourcequotas persistentvolumes serviceaccounts persistentvolumeclaims namespaces pods services podtemplates ";

const BODIES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const PATCHES: &str = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";

fn bad_request(why: impl Into<String>) -> ApiError {
    ApiError::new(Reason::BadRequest, why)
}

/// Models staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation/errors.go.
fn unknown_format(accepted: &str) -> ApiError {
    let why = "the body of the request was in an unknown format - accepted media types include";
    ApiError::new(Reason::UnsupportedMediaType, format!("{why}: {accepted}"))
}

impl World {
    /// Carries out what changes something, or on a copy of the world for `dryRun`.
    pub(super) fn write_to(
        &mut self,
        kind: Kind,
        target: &Target,
        request: &ApiRequest<'_>,
        query: &Query,
    ) -> Answer {
        if query.has("dryRun") {
            return self.clone().change(kind, target, request, query);
        }
        self.change(kind, target, request, query)
    }

    fn change(
        &mut self,
        kind: Kind,
        target: &Target,
        request: &ApiRequest<'_>,
        query: &Query,
    ) -> Answer {
        self.introduce(request, query, "");
        let (namespace, name) = key_of(kind, target);
        let key = ObjectKey::new(namespace, name);
        match request.method {
            "POST" => {
                let value = body_of(kind, target, request)?;
                answer(201, text_of(&*self.create(kind, &value, namespace)?, false))
            }
            "PUT" => {
                let value = body_of(kind, target, request)?;
                answer(200, text_of(&*self.update(kind, &value, namespace)?, false))
            }
            "PATCH" => self.patched(kind, &key, request, query, false),
            "DELETE" if name.is_empty() => {
                let objects = self.chosen(kind, target, query)?;
                let options = options_of(request, query)?;
                for object in &objects {
                    self.delete(kind, &ObjectKey::of(object), &options)?;
                }
                answer(200, list_of(kind, &objects, self.store().revision()))
            }
            _ => {
                let options = options_of(request, query)?;
                let gone = self.delete(kind, &key, &options)?;
                let is_there = self.store().get(kind, &key).is_some();
                let shown = SHOWN_WHEN_DELETED.contains(&format!(" {} ", kind.plural()));
                let resource = kind.group_resource();
                match is_there || shown {
                    true => answer(200, text_of(&gone, false)),
                    false => answer(200, deleted(&resource, name, gone.meta.uid)),
                }
            }
        }
    }

    /// The same for what stands below an object.
    pub(super) fn write_below(
        &mut self,
        kind: Kind,
        target: &Target,
        request: &ApiRequest<'_>,
        query: &Query,
    ) -> Answer {
        let (namespace, name) = key_of(kind, target);
        let key = ObjectKey::new(namespace, name);
        match (kind, target.subresource.as_str(), request.method) {
            (_, "status", "PUT") => {
                let value = body_of(kind, target, request)?;
                self.introduce(request, query, "status");
                answer(200, text_of(&*self.update_status(kind, &value, namespace)?, false))
            }
            (_, "status", "PATCH") => {
                self.introduce(request, query, "status");
                self.patched(kind, &key, request, query, true)
            }
            (_, "scale", "PUT" | "PATCH") => self.scaled(kind, target, request, query),
            (Kind::Pod, "ephemeralcontainers", "PUT" | "PATCH") => {
                let mut value = self.object_at(kind, target)?.to_value();
                match request.method {
                    "PUT" => value = body_of(kind, target, request)?,
                    _ => {
                        let how = patch_type(request)?;
                        let patch = Patch::parse(how, request.body)?;
                        patch_locally(kind, &mut value, &patch).map_err(bad_request)?;
                    }
                }
                self.introduce(request, query, "ephemeralcontainers");
                let wanted = value.items_at(&["spec", "ephemeralContainers"]);
                answer(200, text_of(&*self.update_ephemeral_containers(&key, wanted)?, false))
            }
            (Kind::Pod, "eviction", "POST") => {
                self.object_at(kind, target)?;
                self.evict(&key, &DeleteOptions::default())?;
                answer(
                    201,
                    json::record(&[
                        ("kind", json::text("Status")),
                        ("apiVersion", json::text("v1")),
                        ("metadata", "{}".to_owned()),
                        ("status", json::text("Success")),
                        ("code", "201".to_owned()),
                    ]),
                )
            }
            // Simplified: tokens, bindings, approvals and the like are refused.
            _ => Err(ApiError::not_allowed()),
        }
    }

    /// Another number of replicas.
    fn scaled(
        &mut self,
        kind: Kind,
        target: &Target,
        request: &ApiRequest<'_>,
        query: &Query,
    ) -> Answer {
        let object = self.object_at(kind, target)?;
        let before = scale_of(self.store(), &object)?;
        let scale = match request.method {
            "PUT" => manifest::parse_json(request.body).map_err(bad_request)?,
            _ => patched_scale(&before, &Patch::parse(patch_type(request)?, request.body)?)?,
        };
        let patch = scaled_to(self.store(), &object, &scale)?;
        self.introduce(request, query, "scale");
        let patched = self.patch(kind, &ObjectKey::of(&object), &patch)?;
        answer(200, scale_text(&scale_of(self.store(), &patched.object)?))
    }

    fn patched(
        &mut self,
        kind: Kind,
        key: &ObjectKey,
        request: &ApiRequest<'_>,
        query: &Query,
        of_status: bool,
    ) -> Answer {
        let media = media_type(request);
        if media == "application/apply-patch+yaml" && !of_status {
            if query.get("fieldManager").is_empty() {
                let why = "is required for apply patch";
                let cause = FieldError::required("fieldManager", why);
                return Err(ApiError::invalid("PatchOptions.meta.k8s.io", "", vec![cause]));
            }
            let value = yaml_of(request.body)?;
            let object = self.apply(kind, key, &value, query.on("force"))?;
            return answer(200, text_of(&object, false));
        }
        let mut patch = Patch::parse(patch_type(request)?, request.body)?;
        (patch.fields, patch.of_status) = (validation(query), of_status);
        let patched = self.patch(kind, key, &patch)?;
        answer(200, text_of(&patched.object, false))
    }

    /// Says who asks, and what becomes of unknown fields.
    fn introduce(&mut self, request: &ApiRequest<'_>, query: &Query, subresource: &'static str) {
        let manager = match query.get("fieldManager") {
            "" => request.agent.split('/').next().unwrap_or_default(),
            manager => manager,
        };
        self.speak_as(manager, subresource);
        self.hold_against(validation(query));
    }
}

fn media_type<'a>(request: &ApiRequest<'a>) -> &'a str {
    request.content_type.split(';').next().unwrap_or_default().trim()
}

fn patch_type(request: &ApiRequest<'_>) -> Result<PatchType, ApiError> {
    let types = [PatchType::Json, PatchType::Merge, PatchType::Strategic];
    let how = types.into_iter().find(|how| how.media_type() == media_type(request));
    how.ok_or_else(|| unknown_format(PATCHES))
}

fn validation(query: &Query) -> FieldValidation {
    match query.get("fieldValidation") {
        "Strict" => FieldValidation::Strict,
        "Ignore" => FieldValidation::Ignore,
        _ => FieldValidation::Warn,
    }
}

fn yaml_of(text: &str) -> Result<Value, ApiError> {
    let parsed = manifest::parse(text);
    let first = parsed.documents.into_iter().next().map(|document| document.value);
    let why = parsed.problems.first().map(|problem| problem.message.clone());
    first.ok_or_else(|| bad_request(why.unwrap_or_default()))
}

/// The object in a body, which must be of the kind and the name that the path says.
///
/// Models create.go createHandler and rest.go transformDecodeError.
fn body_of(kind: Kind, target: &Target, request: &ApiRequest<'_>) -> Result<Value, ApiError> {
    let value = match media_type(request) {
        "application/yaml" => yaml_of(request.body)?,
        "" | "application/json" => manifest::parse_json(request.body).map_err(|why| {
            let summary = summary(request.body);
            bad_request(format!(
                "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {why} ({summary})",
                kind.name()
            ))
        })?,
        _ => return Err(unknown_format(BODIES)),
    };
    let text = |path: &[&str]| value.str_at(path).unwrap_or_default();
    let (version, named) = (text(&["apiVersion"]), text(&["kind"]));
    let own = kind.api_version();
    let wanted = match target.group.as_str() {
        "" => target.version.clone(),
        group => format!("{group}/{}", target.version),
    };
    let is_own = [own.as_str(), wanted.as_str()].contains(&version)
        || conversion::stored_version(version, named) == Some(own.as_str());
    if !version.is_empty() && !is_own {
        return Err(bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({wanted})"
        )));
    }
    if !named.is_empty() && named != kind.name() {
        let (bare, name) = (target.version.as_str(), kind.name());
        let package = if target.group.is_empty() { "core" } else { target.group.as_str() };
        let package = package.split('.').next().unwrap_or_default();
        return Err(bad_request(format!(
            "{named} in version \"{bare}\" cannot be handled as a {name}: converting ({bare}.{named}) to ({package}.{name}): unknown conversion"
        )));
    }
    let (namespace, name) = key_of(kind, target);
    if !text(&["metadata", "namespace"]).is_empty() && text(&["metadata", "namespace"]) != namespace
    {
        return Err(bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    let given = text(&["metadata", "name"]);
    if !name.is_empty() && given != name {
        return Err(bad_request(match given {
            "" => format!(
                "the name of the object ({name} based on URL) was undeterminable: name must be provided"
            ),
            given => format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            ),
        }));
    }
    Ok(value)
}

/// Models rest.go summarizeData.
fn summary(body: &str) -> String {
    const MOST: usize = 30;
    let more = if body.len() > MOST { " ..." } else { "" };
    let start = body.as_bytes().get(..MOST).unwrap_or(body.as_bytes());
    match start.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(start).into_owned() + more,
        Some(_) => data_encoding::HEXLOWER.encode(start) + more,
    }
}

/// How to delete: what the body says, and what the query says over it.
fn options_of(request: &ApiRequest<'_>, query: &Query) -> Result<DeleteOptions, ApiError> {
    let body = match request.body.trim() {
        "" => Value::Null,
        text => manifest::parse_json(text).map_err(bad_request)?,
    };
    let word = match query.get("propagationPolicy") {
        "" => body.str_at(&["propagationPolicy"]).unwrap_or_default(),
        word => word,
    };
    let propagation = match word {
        "Foreground" => Propagation::Foreground,
        "Orphan" => Propagation::Orphan,
        _ => Propagation::Background,
    };
    let of_query = query.get("gracePeriodSeconds").parse().ok();
    let grace_period_seconds = of_query.or_else(|| body.int_at(&["gracePeriodSeconds"]));
    Ok(DeleteOptions { grace_period_seconds, propagation, ..DeleteOptions::default() })
}
