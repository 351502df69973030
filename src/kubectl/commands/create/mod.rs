//! `kubectl create KIND`: objects made from flags.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/create, one file for each family: `config` (ConfigMaps
//! and Secrets), `workloads`, `network`, `access` (roles and accounts), `policy` (what holds for
//! many objects).

mod access;
mod config;
mod network;
mod policy;
mod token;
mod workloads;

pub(super) use access::{PATH_VERBS, VERBS};
pub(crate) use access::{cluster_role, cluster_role_binding, role, role_binding, service_account};
pub(crate) use config::{config_map, secret_docker, secret_generic, secret_tls};
pub(crate) use network::{ingress, service};
pub(crate) use policy::{budget, namespace, priority_class, quota};
pub(crate) use token::token;
pub(crate) use workloads::{cron_job, deployment, job};

use crate::api::{Kind, Value};
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::output::{self, Printer, complete_for_client};
use serde_json::json;

/// An object of a kind with its name.
fn named(kind: Kind, name: &str) -> Value {
    json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": {"name": name}})
}

/// The name that was given, after what all generators look at first.
fn begin(call: &Call<'_>) -> Result<String, Failure> {
    let name = call.one_name()?;
    call.dry_run()?;
    Printer::of(call, output::FORMATS)?;
    call.field_validation()?;
    Ok(name)
}

/// The same for the generators that look at the name themselves.
fn begin_named(call: &Call<'_>) -> Result<String, Failure> {
    let name = begin(call)?;
    if name.is_empty() {
        return plain("name must be specified");
    }
    Ok(name)
}

/// Creates it; what fails is said in the words of `create`.
fn finish(call: &mut Call<'_>, kind: Kind, mut value: Value, what: &str) -> Outcome {
    complete_for_client(kind, &mut value);
    call.create_generated(kind, value, "created").map_err(|failure| match failure {
        Failure::Api(error) => Failure::Plain(format!("failed to create {what} {}", error.message)),
        other => other,
    })
}
