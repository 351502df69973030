//! Jobs that make certificates: the two of ingress-nginx, of which one makes that of its webhook and
//! the other tells the API server of it, and the one of NGINX Gateway Fabric, whose processes know
//! each other by theirs.
//!
//! Models kubernetes/ingress-nginx images/kube-webhook-certgen and nginx/nginx-gateway-fabric
//! cmd/gateway/certs.go.
//!
//! Simplified: certificates and keys are placeholders.

use crate::api::pod::{Container, ContainerState};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;

const IMAGE: &str = "kube-webhook-certgen";
const GATEWAY_IMAGE: &str = "/nginx-gateway-fabric:";
const PLACEHOLDER: &[u8] = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";

/// The Jobs' work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certgen;

impl Controller for Certgen {
    fn name(&self) -> &'static str {
        IMAGE
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        let is_own = |pod: &Object| change.kind == Kind::Pod && container(pod).is_some();
        let own = change.new.as_ref().filter(|pod| is_own(pod));
        own.map(|pod| Key::of(pod)).into_iter().collect()
    }

    fn reconcile(&self, store: &Store, key: &Key, _now: SimTime) -> Plan {
        let pod = store.get(key.kind, &key.object);
        let Some((pod, container)) = pod.and_then(|pod| Some((pod, container(pod)?))) else {
            return Plan::default();
        };
        let statuses = pod.pod().map(|pod| &pod.status.containers);
        let runs = statuses.into_iter().flatten().any(|status| {
            matches!(
                status.state,
                ContainerState::Running { .. } | ContainerState::Terminated { .. }
            )
        });
        if !runs {
            return Plan::default();
        }
        let namespace = &*pod.meta.namespace;
        if container.image.contains(GATEWAY_IMAGE) {
            let names =
                ["--server-tls-secret=", "--agent-tls-secret="].map(|it| flag(container, it));
            let missing =
                names.iter().filter(|it| store.find(Kind::Secret, namespace, it).is_none());
            let made = missing.map(|name| Write::Create(Box::new(tls_secret(namespace, name))));
            return Plan::of(made.collect());
        }
        let secret_name = flag(container, "--secret-name=");
        let secret = store.find(Kind::Secret, namespace, secret_name);
        if container.command.iter().any(|word| word == "create") {
            let made = secret
                .is_none()
                .then(|| Write::Create(Box::new(new_secret(namespace, secret_name))));
            return Plan::of(made.into_iter().collect());
        }
        let Some(secret) = secret else {
            return Plan { requeue_after: Some(Duration::from_secs(1)), ..Plan::default() };
        };
        let kind = Kind::of_word("ValidatingWebhookConfiguration");
        let name = flag(container, "--webhook-name=");
        let webhook = kind.and_then(|kind| store.find(kind, "", name));
        Plan::of(webhook.map(|webhook| patched(webhook, secret)).into_iter().collect())
    }
}

/// The container that does the work, in a pod of these Jobs.
fn container(pod: &Object) -> Option<&Container> {
    let container = pod.pod()?.spec.containers.first()?;
    let makes = || container.command.iter().any(|word| word == "generate-certs");
    let is_own =
        container.image.contains(IMAGE) || container.image.contains(GATEWAY_IMAGE) && makes();
    is_own.then_some(container)
}

fn flag<'a>(container: &'a Container, prefix: &str) -> &'a str {
    container.command.iter().find_map(|word| word.strip_prefix(prefix)).unwrap_or_default()
}

fn new_secret(namespace: &str, name: &str) -> Object {
    let text = data_encoding::BASE64.encode(PLACEHOLDER);
    Object::from_value(
        Kind::Secret,
        json!({
            "metadata": {"name": name, "namespace": namespace},
            "type": "Opaque",
            "data": {"ca": text, "cert": text, "key": text},
        }),
    )
}

fn tls_secret(namespace: &str, name: &str) -> Object {
    let text = data_encoding::BASE64.encode(PLACEHOLDER);
    Object::from_value(
        Kind::Secret,
        json!({
            "metadata": {"name": name, "namespace": namespace},
            "type": "kubernetes.io/tls",
            "data": {"ca.crt": text, "tls.crt": text, "tls.key": text},
        }),
    )
}

/// The configuration with the authority of its webhooks' certificates.
fn patched(webhook: &Object, secret: &Object) -> Write {
    let mut new = webhook.clone();
    let mut content = webhook.content().clone();
    let bundle = secret.content().at(&["data", "ca"]).cloned().unwrap_or_default();
    for hook in content.entry(&["webhooks"]).as_array_mut().into_iter().flatten() {
        hook.put(&["clientConfig", "caBundle"], bundle.clone());
        hook.put(&["failurePolicy"], "Fail");
    }
    new.set_content(content);
    Write::Update(Box::new(new))
}
