//! `kubectl create deployment`, `job` and `cronjob`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/create/create_deployment.go, create_job.go and
//! create_cronjob.go.

use super::{begin, finish, named};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::{Rng, names};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources::{self, Query};
use serde_json::json;
use std::sync::Arc;

fn container(call: &Call<'_>, name: &str, image: &str) -> Value {
    let mut container = json!({"name": name, "image": image, "resources": {}});
    if let Some(command) = call.after_dash.as_ref().filter(|command| !command.is_empty()) {
        container.put(&["command"], command.clone());
    }
    container
}

/// The last part of an image's name, `nginx` of `registry/nginx:1.27`; one that had to be changed
/// is made unique.
///
/// Models buildPodSpec and sanitizeAndUniquify.
fn container_name(call: &Call<'_>, image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or_default();
    let last = last.split([':', '@']).next().unwrap_or_default();
    if !last.contains(['_', '.']) {
        return last.to_owned();
    }
    let mut rng = Rng::new(call.world.now().as_micros());
    format!("{}-{}", last.replace(['_', '.'], "-"), names::random_suffix(&mut rng, 5))
}

/// `kubectl create deployment`.
pub(crate) fn deployment(call: &mut Call<'_>) -> Outcome {
    let name = begin(call)?;
    let images = call.flags.list("image");
    if images.len() > 1 && call.after_dash.as_ref().is_some_and(|command| !command.is_empty()) {
        return plain("cannot specify multiple --image options and command");
    }
    let mut containers: Vec<Value> =
        images.iter().map(|image| container(call, &container_name(call, image), image)).collect();
    if let (Some(port), Some(first)) =
        (call.flags.int("port")?.filter(|port| *port >= 0), containers.first_mut())
    {
        first.put(&["ports"], json!([{"containerPort": port}]));
    }
    let marks = json!({"app": name});
    let mut value = named(Kind::Deployment, &name);
    value.put(&["metadata", "labels"], marks.clone());
    value.put(
        &["spec"],
        json!({
            "replicas": call.flags.int("replicas")?.unwrap_or(1),
            "selector": {"matchLabels": marks}, "strategy": {},
            "template": {"metadata": {"labels": marks}, "spec": {"containers": containers}},
        }),
    );
    finish(call, Kind::Deployment, value, "deployment:")
}

/// The template of pods with one container.
fn template(call: &Call<'_>, name: &str, image: &str, restart: &str) -> Value {
    let spec = json!({"containers": [container(call, name, image)], "restartPolicy": restart});
    json!({"metadata": {}, "spec": spec})
}

/// `kubectl create job`.
pub(crate) fn job(call: &mut Call<'_>) -> Outcome {
    let name = begin(call)?;
    let (image, from) = (call.flags.text("image").to_owned(), call.flags.text("from").to_owned());
    if image.is_empty() == from.is_empty() {
        return plain("either --image or --from must be specified");
    }
    let has_command = call.after_dash.as_ref().is_some_and(|command| !command.is_empty());
    if has_command && !from.is_empty() {
        return plain("cannot specify --from and command");
    }
    let value = match from.is_empty() {
        false => job_of(&name, &*the_cron_job(call, &from)?),
        true => {
            let mut value = named(Kind::Job, &name);
            value.put(&["spec", "template"], template(call, &name, &image, "Never"));
            value
        }
    };
    finish(call, Kind::Job, value, "job:")
}

/// The one object that `--from` names.
fn the_cron_job(call: &Call<'_>, from: &str) -> Result<Arc<Object>, Failure> {
    let queries = resources::queries(call.world.store(), &[from.to_owned()])?;
    if queries.iter().any(|query| matches!(query, Query::All(_))) {
        return plain("resource(s) were provided, but no name was specified");
    }
    let found = resources::find_queries(call, &queries)?;
    if let Some(failure) = found.failures.into_iter().next() {
        return Err(failure);
    }
    match found.objects.as_slice() {
        [one] if one.kind == Kind::CronJob => Ok(one.clone()),
        [one] => {
            plain(format!("unknown object type *{}.{}", one.kind.resource().version, one.kind))
        }
        _ => plain("from must be an existing cronjob"),
    }
}

/// Models createJobFromCronJob.
fn job_of(name: &str, cron: &Object) -> Value {
    let mut value = named(Kind::Job, name);
    let owner = &cron.meta;
    let template = shown(cron).at(&["spec", "jobTemplate"]).cloned().unwrap_or(Value::Null);
    value.put(&["spec"], template.get("spec").cloned().unwrap_or(Value::Null));
    for field in ["labels", "annotations"] {
        if let Some(map) = template.at(&["metadata", field]) {
            value.put(&["metadata", field], map.clone());
        }
    }
    value.put(&["metadata", "annotations", "cronjob.kubernetes.io/instantiate"], "manual");
    value.put(
        &["metadata", "ownerReferences"],
        json!([{
            "apiVersion": "batch/v1", "kind": "CronJob", "name": *owner.name,
            "uid": owner.uid.to_string(), "controller": true,
        }]),
    );
    value
}

/// `kubectl create cronjob`.
pub(crate) fn cron_job(call: &mut Call<'_>) -> Outcome {
    let name = begin(call)?;
    let restart = call.flags.get("restart").unwrap_or("OnFailure");
    let template = template(call, &name, call.flags.text("image"), restart);
    let mut value = named(Kind::CronJob, &name);
    value.put(
        &["spec"],
        json!({
            "schedule": call.flags.text("schedule"),
            "jobTemplate": {"metadata": {"name": name}, "spec": {"template": template}},
        }),
    );
    finish(call, Kind::CronJob, value, "cronjob:")
}
