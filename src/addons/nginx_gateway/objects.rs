//! What the controller makes for a Gateway: an nginx in a Deployment, and a Service in front of it.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/provisioner/objects.go.
//!
//! Simplified: of an NginxProxy the replicas, the image and the Service's type and policy are read.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::store::{ObjectKey, Store, Write};
use crate::trace::gateway::{Fabric, GATEWAY_LABEL, GROUP, Gateway, Graph, INSTANCE_LABEL};
use serde_json::json;
use std::sync::Arc;

const IMAGE: &str = "ghcr.io/nginx/nginx-gateway-fabric/nginx";

/// The NginxProxy that a class names.
pub(super) fn parameters<'a>(store: &'a Store, class: &Object) -> Option<&'a Arc<Object>> {
    let reference = class.spec().get("parametersRef")?;
    let kind = Kind::of_manifest("gateway.nginx.org/v1alpha2", reference.str_at(&["kind"])?)?;
    store.find(kind, reference.str_at(&["namespace"])?, reference.str_at(&["name"])?)
}

/// What is made for a Gateway, as far as it is to be written.
struct Maker<'a> {
    store: &'a Store,
    fabric: &'a Fabric,
    gateway: &'a Gateway,
    name: String,
    /// The part of the class's NginxProxy that is about Kubernetes.
    settings: Value,
}

/// The objects of a Gateway that are missing or other than they should be.
pub(super) fn writes(
    store: &Store,
    fabric: &Fabric,
    graph: &Graph,
    gateway: &Gateway,
) -> Vec<Write> {
    let class = graph.class.as_ref();
    let proxy = class.and_then(|class| parameters(store, class));
    let settings = proxy.and_then(|proxy| proxy.spec().get("kubernetes")).cloned();
    let name = fabric.resource_name(&gateway.object.meta.name);
    let settings = settings.unwrap_or_default();
    let maker = Maker { store, fabric, gateway, name, settings };
    let mut all: Vec<Write> = maker.configuration();
    all.extend(maker.service());
    all.extend(maker.deployment());
    all
}

impl Maker<'_> {
    fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.gateway.listeners.iter().map(|it| it.port).collect();
        crate::base::order::sort(&mut ports);
        ports.dedup();
        ports
    }

    fn selector(&self) -> Value {
        json!({
            INSTANCE_LABEL: self.fabric.instance,
            "app.kubernetes.io/managed-by":
                format!("{}-{}", self.fabric.instance, self.fabric.class),
            "app.kubernetes.io/name": self.name,
            GATEWAY_LABEL: *self.gateway.object.meta.name,
        })
    }

    /// Models buildLabelsAndAnnotations and setOwnerReference.
    fn metadata(&self, name: &str) -> Value {
        let own = &self.gateway.object;
        let mut labels = self.selector();
        let infrastructure = |key: &str| own.spec().fields_at(&["infrastructure", key]);
        for (name, value) in infrastructure("labels").into_iter().flatten() {
            labels.put(&[name], value.clone());
        }
        let owner = json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "Gateway",
            "name": *own.meta.name, "uid": own.meta.uid.to_string(),
            "controller": true, "blockOwnerDeletion": true,
        });
        let mut metadata = json!({
            "name": name, "namespace": *own.meta.namespace,
            "labels": labels, "ownerReferences": [owner],
        });
        if let Some(annotations) = infrastructure("annotations") {
            metadata.put(&["annotations"], annotations.clone());
        }
        metadata
    }

    fn known(&self, kind: Kind, name: &str) -> Option<&Arc<Object>> {
        self.store.find(kind, &self.gateway.object.meta.namespace, name)
    }

    fn create(&self, kind: Kind, name: &str, fields: Value) -> Option<Write> {
        if self.known(kind, name).is_some() {
            return None;
        }
        let mut object = json!({"metadata": self.metadata(name)});
        for (key, value) in fields.as_object().into_iter().flatten() {
            object.put(&[key], value.clone());
        }
        Some(Write::Create(Box::new(Object::from_value(kind, object))))
    }

    /// The Secret and the ConfigMaps that the agent beside nginx reads, and its account.
    fn configuration(&self) -> Vec<Write> {
        let (name, fabric) = (&self.name, self.fabric);
        let namespace = &fabric.workload.namespace;
        let source = ObjectKey::new(namespace, &fabric.agent_secret);
        let secret = self.store.get(Kind::Secret, &source).and_then(|secret| {
            let data = secret.content().get("data").cloned().unwrap_or_default();
            let fields = json!({"type": "kubernetes.io/tls", "data": data});
            self.create(Kind::Secret, &format!("{name}-{}", fabric.agent_secret), fields)
        });
        let includes = json!({"data": {
            "main.conf": "\nerror_log stderr info;",
            "events.conf": "\nworker_connections 1024;",
        }});
        let host = format!("{}.{namespace}.svc", fabric.service);
        let agent = format!(
            "command:\n    server:\n        host: {host}\n        port: 443\n    auth:\n        tokenpath: /var/run/secrets/ngf/serviceaccount/token\n    tls:\n        cert: /var/run/secrets/ngf/tls.crt\n        key: /var/run/secrets/ngf/tls.key\n        ca: /var/run/secrets/ngf/ca.crt\n        server_name: {host}\nallowed_directories:\n- /etc/nginx\n- /usr/share/nginx\n- /var/run/nginx\nfeatures:\n- configuration\n- certificates\n- metrics\n"
        );
        let agent = json!({"data": {"nginx-agent.conf": agent}});
        let account = json!({"automountServiceAccountToken": false});
        let made = [
            secret,
            self.create(Kind::ConfigMap, &format!("{name}-includes-bootstrap"), includes),
            self.create(Kind::ConfigMap, &format!("{name}-agent-config"), agent),
            self.create(Kind::ServiceAccount, name, account),
        ];
        made.into_iter().flatten().collect()
    }

    /// Models buildNginxService.
    fn service(&self) -> Option<Write> {
        let setting = |key: &str, usual: &str| {
            self.settings.str_at(&["service", key]).unwrap_or(usual).to_owned()
        };
        let ports = self.ports().into_iter().map(|port| {
            json!({
                "name": format!("port-{port}"), "port": port, "protocol": "TCP", "targetPort": port,
            })
        });
        let ports: Vec<Value> = ports.collect();
        let kind = setting("type", "LoadBalancer");
        if let Some(service) = self.known(Kind::Service, &self.name) {
            let number = |port: &Value| port.int_at(&["port"]);
            let own = service.spec().items_at(&["ports"]);
            let is_same = own.iter().map(number).eq(ports.iter().map(number))
                && service.spec().str_at(&["type"]) == Some(&kind);
            if is_same {
                return None;
            }
            let kept = |port: Value| {
                own.iter().find(|it| number(it) == number(&port)).cloned().unwrap_or(port)
            };
            let mut new = (**service).clone();
            let mut spec = service.spec().clone();
            spec.put(&["ports"], ports.into_iter().map(kept).collect::<Vec<_>>());
            spec.put(&["type"], kind);
            new.set_spec(spec);
            return Some(Write::Update(Box::new(new)));
        }
        let mut spec = json!({
            "type": kind,
            "ports": ports,
            "selector": self.selector(),
            "ipFamilyPolicy": "PreferDualStack",
        });
        let addresses = self.gateway.object.spec().items_at(&["addresses"]).iter();
        let addresses: Vec<&str> = addresses.filter_map(|it| it.str_at(&["value"])).collect();
        if kind != "ClusterIP" || !addresses.is_empty() {
            let policy = setting("externalTrafficPolicy", "Local");
            spec.put(&["externalTrafficPolicy"], policy);
        }
        if !addresses.is_empty() {
            spec.put(&["externalIPs"], addresses);
        }
        self.create(Kind::Service, &self.name, json!({"spec": spec}))
    }

    /// Models buildNginxDeployment.
    fn deployment(&self) -> Option<Write> {
        let replicas = self.settings.int_at(&["deployment", "replicas"]);
        let ports: Vec<u16> = self.ports();
        if let Some(deployment) = self.known(Kind::Deployment, &self.name) {
            let mut spec = deployment.spec().clone();
            let containers = spec.entry(&["template", "spec", "containers"]).as_array_mut()?;
            containers.first_mut()?.put(&["ports"], container_ports(&ports));
            if let Some(replicas) = replicas {
                spec.put(&["replicas"], replicas);
            }
            if spec == *deployment.spec() {
                return None;
            }
            let mut new = (**deployment).clone();
            new.set_spec(spec);
            return Some(Write::Update(Box::new(new)));
        }
        let metadata = self.metadata(&self.name);
        let template = json!({
            "metadata": {
                "labels": metadata.get("labels").cloned(),
                "annotations": {"prometheus.io/port": "9113", "prometheus.io/scrape": "true"},
            },
            "spec": self.pod(&ports),
        });
        let mut spec = json!({"selector": {"matchLabels": self.selector()}, "template": template});
        if let Some(replicas) = replicas {
            spec.put(&["replicas"], replicas);
        }
        self.create(Kind::Deployment, &self.name, json!({"spec": spec}))
    }

    /// Models buildNginxPodTemplateSpec.
    fn pod(&self, ports: &[u16]) -> Value {
        let name = &self.name;
        let image = |key: &str| self.settings.str_at(&["deployment", "container", "image", key]);
        let tag = self.fabric.image.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        let tag = image("tag").unwrap_or(tag);
        let repository = image("repository").unwrap_or(IMAGE);
        let user = json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true,
            "runAsGroup": 1001,
            "runAsUser": 101,
            "seccompProfile": {"type": "RuntimeDefault"},
        });
        let mounts = |all: &[(&str, &str)]| -> Vec<Value> {
            all.iter().map(|(path, name)| json!({"mountPath": path, "name": name})).collect()
        };
        let fabric = self.fabric;
        let audience = format!("{}.{}.svc", fabric.service, fabric.workload.namespace);
        let mut volumes = vec![
            json!({"name": "token", "projected": {"sources": [
                {"serviceAccountToken": {"path": "token", "audience": audience}},
            ]}}),
            json!({"name": "nginx-agent-config",
                "configMap": {"name": format!("{name}-agent-config")}}),
            json!({"name": "nginx-agent-tls",
                "secret": {"secretName": format!("{name}-{}", fabric.agent_secret)}}),
            json!({"name": "nginx-includes-bootstrap",
                "configMap": {"name": format!("{name}-includes-bootstrap")}}),
        ];
        volumes.extend(EMPTY.iter().map(|name| json!({"name": name, "emptyDir": {}})));
        json!({
            "automountServiceAccountToken": true,
            "serviceAccountName": name,
            "securityContext": {
                "fsGroup": 1001,
                "runAsNonRoot": true,
                "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
            },
            "volumes": volumes,
            "initContainers": [{
                "name": "init",
                "image": fabric.image,
                "imagePullPolicy": "IfNotPresent",
                "command": INITIALIZE,
                "volumeMounts": mounts(&INIT_MOUNTS),
                "securityContext": user,
            }],
            "containers": [{
                "name": "nginx",
                "image": format!("{repository}:{tag}"),
                "imagePullPolicy": "IfNotPresent",
                "ports": container_ports(ports),
                "readinessProbe": {
                    "httpGet": {"path": "/readyz", "port": 8081},
                    "initialDelaySeconds": 3,
                },
                "volumeMounts": mounts(&MOUNTS),
                "securityContext": user,
            }],
        })
    }
}

/// Models buildContainerPortsAndAnnotations.
fn container_ports(ports: &[u16]) -> Vec<Value> {
    let mut all: Vec<(u16, String)> =
        ports.iter().map(|port| (*port, format!("port-{port}"))).collect();
    all.push((9113, "metrics".to_owned()));
    crate::base::order::sort(&mut all);
    let port = |(port, name): (u16, String)| json!({"containerPort": port, "name": name, "protocol": "TCP"});
    all.into_iter().map(port).collect()
}

const EMPTY: [&str; 10] = [
    "nginx-agent",
    "nginx-agent-log",
    "nginx-agent-lib",
    "nginx-conf",
    "nginx-stream-conf",
    "nginx-main-includes",
    "nginx-events-includes",
    "nginx-secrets",
    "nginx-run",
    "nginx-cache",
];

const INITIALIZE: [&str; 14] = [
    "/usr/bin/gateway",
    "initialize",
    "--source",
    "/agent/nginx-agent.conf",
    "--destination",
    "/etc/nginx-agent",
    "--source",
    "/includes/main.conf",
    "--destination",
    "/etc/nginx/main-includes",
    "--source",
    "/includes/events.conf",
    "--destination",
    "/etc/nginx/events-includes",
];

const INIT_MOUNTS: [(&str, &str); 5] = [
    ("/agent", "nginx-agent-config"),
    ("/etc/nginx-agent", "nginx-agent"),
    ("/includes", "nginx-includes-bootstrap"),
    ("/etc/nginx/main-includes", "nginx-main-includes"),
    ("/etc/nginx/events-includes", "nginx-events-includes"),
];

const MOUNTS: [(&str, &str); 12] = [
    ("/etc/nginx-agent", "nginx-agent"),
    ("/var/run/secrets/ngf", "nginx-agent-tls"),
    ("/var/run/secrets/ngf/serviceaccount", "token"),
    ("/var/log/nginx-agent", "nginx-agent-log"),
    ("/var/lib/nginx-agent", "nginx-agent-lib"),
    ("/etc/nginx/conf.d", "nginx-conf"),
    ("/etc/nginx/stream-conf.d", "nginx-stream-conf"),
    ("/etc/nginx/main-includes", "nginx-main-includes"),
    ("/etc/nginx/events-includes", "nginx-events-includes"),
    ("/etc/nginx/secrets", "nginx-secrets"),
    ("/var/run/nginx", "nginx-run"),
    ("/var/cache/nginx", "nginx-cache"),
];
