//! What a control plane makes for itself: roles, addresses, leases of its parts.
//!
//! Nobody sees it before somebody asks, so it is made then, and a cluster that nobody asks carries
//! nothing of it.
//!
//! Models plugin/pkg/auth/authorizer/rbac/bootstrappolicy, pkg/registry/core/service/ipallocator,
//! pkg/controlplane/controller/{defaultservicecidr,leaderelection}.
//!
//! Simplified: changes of what is derived from other objects (IPAddresses, CSINodes) are seen when
//! somebody asks again; roles of people are not aggregated; FlowSchemas, PriorityLevelConfigurations
//! and the roles of the system's namespaces are not there.

use super::World;
use super::nodes::is_control_plane;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Uid, Value};
use crate::base::{SimTime, names};
use crate::store::admission::SERVICE_CIDR;
use crate::store::{DeleteOptions, ObjectKey};
use serde_json::json;

/// Every ClusterRole: its name, `+` what it is a part of, `=` what it is made of; below it its rules:
/// verbs, groups, resources and names, or verbs and paths.
const ROLES: &str = include_str!("cluster_roles.txt");
const CONTROLLER: &str = "system:controller:";
const AGGREGATE: &str = "rbac.authorization.k8s.io/aggregate-to-";

/// ClusterRoleBindings that bind the role of their name to something else than a controller.
const BINDINGS: [(&str, &[(&str, &str)]); 13] = [
    ("cluster-admin", &[("Group", "system:masters")]),
    ("kubeadm:cluster-admins", &[("Group", "kubeadm:cluster-admins")]),
    ("system:basic-user", &[("Group", "system:authenticated")]),
    ("system:discovery", &[("Group", "system:authenticated")]),
    ("system:kube-controller-manager", &[("User", "system:kube-controller-manager")]),
    ("system:kube-dns", &[("ServiceAccount", "kube-dns")]),
    ("system:kube-scheduler", &[("User", "system:kube-scheduler")]),
    ("system:monitoring", &[("Group", "system:monitoring")]),
    ("system:node", &[]),
    ("system:node-proxier", &[("User", "system:kube-proxy")]),
    (
        "system:public-info-viewer",
        &[("Group", "system:authenticated"), ("Group", "system:unauthenticated")],
    ),
    ("system:service-account-issuer-discovery", &[("Group", "system:serviceaccounts")]),
    ("system:volume-scheduler", &[("User", "system:kube-scheduler")]),
];

impl World {
    /// Makes the objects of a kind that the control plane has made for itself, as far as they are not
    /// there.
    pub fn furnish(&mut self, kind: Kind) {
        let is_made = match kind {
            Kind::ClusterRole | Kind::ClusterRoleBinding | Kind::Lease => true,
            Kind::Other(_) => ["ServiceCIDR", "IPAddress", "CSINode"].contains(&kind.name()),
            _ => false,
        };
        if is_made {
            self.make_furniture(kind);
        }
    }

    /// It stands alone, so that the page can fetch it after its first view (scripts/annex.txt).
    #[inline(never)]
    fn make_furniture(&mut self, kind: Kind) {
        let wanted = match kind {
            Kind::ClusterRole => roles(),
            Kind::ClusterRoleBinding => bindings(),
            Kind::Lease => self.leases(),
            Kind::Other(_) => match kind.name() {
                "ServiceCIDR" => vec![service_cidr()],
                "IPAddress" => self.addresses(kind),
                "CSINode" => self.drivers(),
                _ => return,
            },
            _ => return,
        };
        for value in wanted {
            let mut object = Object::from_value(kind, value);
            let key = ObjectKey::of(&object);
            if self.store().get(kind, &key).is_some() {
                continue;
            }
            let id = format!("{kind}/{}/{}", key.namespace, key.name);
            object.meta.uid = Uid(names::fnv128a(id.as_bytes()));
            if object.meta.creation_timestamp == SimTime::default() {
                object.meta.creation_timestamp = SimTime::WORLD_START;
            }
            self.store.restore(object);
        }
        self.tell();
    }

    /// Models pkg/registry/core/service/ipallocator/ipallocator.go createIPAddress.
    fn addresses(&mut self, kind: Kind) -> Vec<Value> {
        let mut wanted = Vec::new();
        for service in self.store().list(Kind::Service) {
            let Some(ip) = service.spec().str_at(&["clusterIP"]).filter(|ip| ip.contains('.'))
            else {
                continue;
            };
            wanted.push(json!({
                "metadata": {
                    "name": ip, "creationTimestamp": service.meta.creation_timestamp.rfc3339(),
                    "labels": {
                        "ipaddress.kubernetes.io/ip-family": "IPv4",
                        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
                    },
                },
                "spec": {"parentRef": {
                    "group": "", "resource": "services", "name": *service.meta.name,
                    "namespace": *service.meta.namespace,
                }},
            }));
        }
        let spec_of = |name: &str| {
            let own = wanted.iter().find(|one| one.str_at(&["metadata", "name"]) == Some(name));
            own.and_then(|own| own.get("spec"))
        };
        let all = self.store().list(kind);
        let stale = all.filter(|object| spec_of(&object.meta.name) != Some(object.spec()));
        let stale: Vec<ObjectKey> = stale.map(|object| ObjectKey::of(object)).collect();
        let context = self.set_up_context();
        for key in stale {
            // What is gone already need not go.
            let _ = self.store.delete(&context, kind, &key, &DeleteOptions::default());
        }
        wanted
    }

    /// Models pkg/volume/csi/nodeinfomanager/nodeinfomanager.go CreateCSINode.
    fn drivers(&self) -> Vec<Value> {
        let node = |node: &std::sync::Arc<Object>| {
            let owner = json!({
                "apiVersion": "v1", "kind": "Node", "name": *node.meta.name,
                "uid": node.meta.uid.to_string(),
            });
            json!({
                "metadata": {
                    "name": *node.meta.name, "ownerReferences": [owner],
                    "creationTimestamp": node.meta.creation_timestamp.rfc3339(),
                },
                "spec": {"drivers": null},
            })
        };
        self.store().list(Kind::Node).map(node).collect()
    }

    /// The leases by which the parts of the control plane agree on who leads.
    fn leases(&self) -> Vec<Value> {
        let nodes = self.store().list(Kind::Node);
        let Some(node) = nodes.into_iter().find(|node| is_control_plane(node)) else {
            return Vec::new();
        };
        let lease = |name: &str| {
            let id = Uid(names::fnv128a(format!("{name}/{}", node.meta.name).as_bytes()));
            let since = SimTime::WORLD_START.rfc3339_micros();
            json!({
                "metadata": {"name": name, "namespace": "kube-system"},
                "spec": {
                    "acquireTime": since, "holderIdentity": format!("{}_{id}", node.meta.name),
                    "leaseDurationSeconds": 15, "leaseTransitions": 0, "renewTime": since,
                },
            })
        };
        ["kube-controller-manager", "kube-scheduler"].map(lease).to_vec()
    }
}

/// Models pkg/controlplane/controller/defaultservicecidr and pkg/controller/servicecidrs.
fn service_cidr() -> Value {
    let (first, count) = SERVICE_CIDR;
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "", "message": "Kubernetes Service CIDR is ready",
        "lastTransitionTime": SimTime::WORLD_START.rfc3339(),
    });
    json!({
        "metadata": {
            "name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"],
        },
        "spec": {"cidrs": [format!("{first}/{}", 32 - count.ilog2())]},
        "status": {"conditions": [ready]},
    })
}

fn metadata(name: &str) -> Value {
    json!({
        "name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
    })
}

/// All ClusterRoles with their rules; those that are made of others have these.
#[inline(never)]
fn roles() -> Vec<Value> {
    // Of each role its object, and what it is made of.
    let mut all: Vec<(Value, Option<&str>)> = Vec::new();
    for line in ROLES.lines() {
        if let Some(line) = line.strip_prefix("  ") {
            let rules = all.last_mut().and_then(|(role, _)| role["rules"].as_array_mut());
            rules.into_iter().for_each(|rules| rules.push(rule(line)));
            continue;
        }
        let mut words = line.split(' ');
        let mut role = json!({"metadata": metadata(words.next().unwrap_or_default()), "rules": []});
        let mut made_of = None;
        for word in words {
            let (sign, of) = word.split_at(1);
            let label = format!("{AGGREGATE}{of}");
            match sign {
                "+" => role.put(&["metadata", "labels", &label], "true"),
                _ => {
                    made_of = Some(of);
                    let selector = json!({"matchLabels": {label: "true"}});
                    role.put(&["aggregationRule", "clusterRoleSelectors"], json!([selector]));
                }
            }
        }
        all.push((role, made_of));
    }
    // Those that are made of others that are made of others come last of all.
    for wanted in ["view", "edit", "admin"] {
        let label = format!("{AGGREGATE}{wanted}");
        let parts = all.iter().map(|(role, _)| role);
        let parts = parts.filter(|role| role.at(&["metadata", "labels", &label]).is_some());
        let rules: Vec<Value> = parts.flat_map(|role| role.items_at(&["rules"]).to_vec()).collect();
        if let Some((role, _)) = all.iter_mut().find(|(_, made_of)| *made_of == Some(wanted)) {
            role.put(&["rules"], rules);
        }
    }
    all.into_iter().map(|(role, _)| role).collect()
}

/// The rules of a ClusterRole that the control plane made.
pub(super) fn rules_of(name: &str) -> Vec<Value> {
    let all = roles();
    let role = all.iter().find(|role| role.str_at(&["metadata", "name"]) == Some(name));
    role.map_or_else(Vec::new, |role| role.items_at(&["rules"]).to_vec())
}

/// `get,list core pods a,b`, `get /healthz`.
fn rule(line: &str) -> Value {
    let mut parts = line.split(' ').map(|part| {
        let core = |word: &str| if word == "core" { "" } else { word }.to_owned();
        part.split(',').map(core).collect::<Vec<String>>()
    });
    let (verbs, second) = (parts.next(), parts.next());
    match (parts.next(), parts.next()) {
        (None, _) => json!({"verbs": verbs, "nonResourceURLs": second}),
        (resources, None) => json!({"verbs": verbs, "apiGroups": second, "resources": resources}),
        (resources, names) => json!({
            "verbs": verbs, "apiGroups": second, "resources": resources, "resourceNames": names,
        }),
    }
}

#[inline(never)]
fn bindings() -> Vec<Value> {
    let binding = |name: &str, subjects: Vec<Value>| {
        let role = if name.starts_with("kubeadm:") { "cluster-admin" } else { name };
        let mut binding = json!({
            "metadata": metadata(name),
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role,
            },
        });
        if name != role {
            binding.put(&["metadata"], json!({"name": name}));
        }
        if !subjects.is_empty() {
            binding.put(&["subjects"], subjects);
        }
        binding
    };
    let account =
        |name: &str| json!({"kind": "ServiceAccount", "name": name, "namespace": "kube-system"});
    let of_controllers = ROLES.lines().filter_map(|line| line.strip_prefix(CONTROLLER));
    let of_controllers =
        of_controllers.map(|name| binding(&format!("{CONTROLLER}{name}"), vec![account(name)]));
    let others = BINDINGS.iter().map(|(name, subjects)| {
        let subject = |(kind, name): &(&str, &str)| match *kind {
            "ServiceAccount" => account(name),
            kind => json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}),
        };
        binding(name, subjects.iter().map(subject).collect())
    });
    others.chain(of_controllers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of upstream's testdata, without the roles of features that are off.
    #[test]
    fn every_role_has_rules_and_every_controller_a_binding() {
        let roles = roles();
        assert!(roles.len() > 60, "{}", roles.len());
        let bare = roles.iter().filter(|role| role.items_at(&["rules"]).is_empty());
        let bare: Vec<&str> = bare.filter_map(|role| role.str_at(&["metadata", "name"])).collect();
        assert_eq!(bare, [] as [&str; 0]);
        let of = |name: &str| {
            let role = roles.iter().find(|role| role["metadata"]["name"] == name);
            role.map(|role| role.items_at(&["rules"]).len()).unwrap_or_default()
        };
        assert_eq!(of("edit") + of("system:aggregate-to-admin"), of("admin"));
        assert_eq!(of("view"), of("system:aggregate-to-view"));
        let named = |name: &str| bindings().iter().any(|one| one["metadata"]["name"] == name);
        assert!(named("system:controller:job-controller") && named("cluster-admin"));
    }
}
