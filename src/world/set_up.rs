//! Setting a cluster up, piece by piece: a large one takes longer than a page may stand still.

use super::World;
use super::config::LoadBalancers;
use super::nodes::is_control_plane;
use super::queue::Due;
use crate::addons;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Cause, Change, Context, FINISH_TIME, Manager};
use core::time::Duration;
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The priority classes of every cluster.
const PRIORITY_CLASSES: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another \
         node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];
/// The namespaces of every cluster.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
/// Where the control plane is if no node says so.
const CONTROL_PLANE: Ipv4Addr = Ipv4Addr::new(172, 18, 0, 2);
/// How long a namespace has for what every one begins with, before anything else is put in it.
const NAMESPACE_TIME: Duration = Duration::from_secs(1);

/// A piece of what is left to do.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// The machine of this number joins, and those after it.
    Join(u32),
    /// The API server makes itself known, and what runs in every cluster is asked for.
    Equip,
    /// Everybody who watches is told what has changed.
    Tell,
    /// They are told of these changes, from the one of a number on.
    TellOf(Arc<[Change]>, usize),
    /// So much time passes.
    Wait(Duration),
    /// Time passes until then.
    WaitUntil(SimTime),
    /// An object of the add-ons is created.
    Create(Value),
}

impl World {
    /// Namespaces, priority classes and the API server's own Service, and the list of what else there
    /// is to do, the last first.
    pub(super) fn begin_set_up(&mut self) {
        let context = self.set_up_context();
        self.queue.push(self.now + FINISH_TIME, Due::EventSeries);
        for name in NAMESPACES {
            let namespace = json!({"metadata": {"name": name}, "spec": {}});
            self.create_quietly(&context, Kind::Namespace, namespace);
        }
        for (name, value, description) in PRIORITY_CLASSES {
            let class = json!({
                "metadata": {"name": name}, "value": value, "description": description,
                "preemptionPolicy": "PreemptLowerPriority",
            });
            self.create_quietly(&context, Kind::PriorityClass, class);
        }
        self.tell();
        let service = json!({
            "metadata": {
                "name": "kubernetes", "namespace": "default",
                "labels": {"component": "apiserver", "provider": "kubernetes"},
            },
            "spec": {
                "clusterIP": "10.96.0.1",
                "clusterIPs": ["10.96.0.1"],
                "internalTrafficPolicy": "Cluster",
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
                "sessionAffinity": "None",
                "type": "ClusterIP",
            },
        });
        self.create_quietly(&context, Kind::Service, service);
        self.set_up = vec![Piece::Tell, Piece::Equip, Piece::Join(0)];
    }

    /// Whether the cluster is not there yet: no time passes but what setting it up takes, and nobody
    /// should ask it for anything.
    pub const fn is_being_set_up(&self) -> bool {
        !self.set_up.is_empty()
    }

    /// Sets the cluster up by one more piece, a fraction of a millisecond. Says whether there is more
    /// to do.
    pub fn go_on_setting_up(&mut self) -> bool {
        match self.set_up.pop() {
            Some(Piece::Join(number)) => {
                let node = self.config.nodes.get(number as usize).cloned();
                if let Some(node) = node {
                    self.set_up.push(Piece::Join(number + 1));
                    self.join(number, node.manifest, true);
                }
            }
            Some(Piece::Equip) => {
                self.publish_api_server();
                if self.config.addons {
                    self.set_up.extend(self.pieces_of_addons().into_iter().rev());
                }
            }
            Some(Piece::Tell) => {
                let changes = self.take_news();
                if !changes.is_empty() {
                    self.set_up.extend([Piece::Tell, Piece::TellOf(changes.into(), 0)]);
                }
            }
            Some(Piece::TellOf(changes, at)) => {
                if let Some(change) = changes.get(at) {
                    self.tell_of(change);
                    self.set_up.push(Piece::TellOf(changes, at + 1));
                }
            }
            Some(Piece::Wait(duration)) => self.set_up.push(Piece::WaitUntil(self.now + duration)),
            Some(Piece::WaitUntil(limit)) => {
                if self.step(limit) {
                    self.set_up.push(Piece::WaitUntil(limit));
                } else {
                    self.run_until(limit);
                }
            }
            Some(Piece::Create(value)) => self.create_of_addons(&value),
            None => {}
        }
        self.is_being_set_up()
    }

    /// How many machines have joined, of how many there will be.
    pub fn joined(&self) -> (usize, usize) {
        (self.nodes.len(), self.config.nodes.len())
    }

    /// The add-ons' objects, one after the other. Namespaces have what every one begins with before
    /// anything is put in them.
    fn pieces_of_addons(&self) -> Vec<Piece> {
        let metallb = match self.config.load_balancers {
            LoadBalancers::MetalLb => addons::METALLB,
            LoadBalancers::Cloud | LoadBalancers::None => "",
        };
        let gateways: &[&str] = match self.config.gateway_api {
            true => &[addons::GATEWAY_API, addons::NGINX_GATEWAY_CRDS, addons::NGINX_GATEWAY],
            false => &[],
        };
        let texts = [addons::CLASSROOM, metallb].into_iter().chain(gateways.iter().copied());
        let documents = texts.flat_map(|text| crate::manifest::parse(text).documents);
        let objects = documents.map(|document| Piece::Create(document.value));
        [Piece::Tell, Piece::Wait(NAMESPACE_TIME)].into_iter().chain(objects).collect()
    }

    /// Creates an object of the add-ons. Its kind may be known only since its definition is there.
    fn create_of_addons(&mut self, value: &Value) {
        let Some(kind) = value.str_at(&["kind"]).and_then(Kind::of_word) else { return };
        // Ours, and tested to be valid.
        let _ = self.create(kind, value, "default");
        if kind == Kind::Namespace {
            self.set_up.push(Piece::Wait(NAMESPACE_TIME));
        }
    }

    /// The API server makes itself the endpoint of the Service `kubernetes`.
    ///
    /// Models pkg/controlplane/reconcilers.
    fn publish_api_server(&mut self) {
        let node = self.store.list(Kind::Node).find(|node| is_control_plane(node));
        let machine = node.and_then(|node| self.nodes.get(&node.meta.name));
        // A list of nodes may leave the control plane out; it is somewhere.
        let ip =
            machine.map_or_else(|| CONTROL_PLANE.to_string(), |machine| machine.ip.to_string());
        let slice = json!({
            "metadata": {
                "name": "kubernetes", "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [ip], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
        });
        let endpoints = json!({
            "metadata": {
                "name": "kubernetes", "namespace": "default",
                "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
            },
            "subsets": [{
                "addresses": [{"ip": ip}],
                "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
            }],
        });
        let context = self.set_up_context();
        self.create_quietly(&context, Kind::EndpointSlice, slice);
        self.create_quietly(&context, Kind::Endpoints, endpoints);
    }

    pub(super) fn set_up_context(&self) -> Context {
        let cause = Cause { writer: "kubeadm".into(), working_on: None };
        Context {
            now: self.now,
            cause,
            validate: false,
            webhooks: addons::webhooks(),
            manager: Manager::Component,
        }
    }

    fn create_quietly(&mut self, context: &Context, kind: Kind, value: Value) {
        // The objects of the set-up are ours and valid; a user's node list may repeat a name, and
        // then the first of that name stays.
        let _ = self.store.create(context, Object::from_value(kind, value));
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClusterConfig;
    use super::*;

    #[test]
    fn a_cluster_that_is_set_up_piece_by_piece_is_the_same_one() {
        let config = ClusterConfig::classroom_of(7);
        let mut world = World::switched_on(config.clone(), 3);
        let mut joined = Vec::new();
        while world.go_on_setting_up() {
            joined.push(world.joined().0);
            // Who looks at it meanwhile changes nothing.
            world = world.clone();
        }
        assert_eq!((world.joined(), joined.first()), ((8, 8), Some(&1)));
        assert!(!world.go_on_setting_up());
        assert_eq!(world.state_hash(), World::begin(config, 3).state_hash());
    }
}
