//! Indexes: who owns what, what runs where, which labels are on which pods.

use super::storage::ObjectKey;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, StringMap, Uid, Value};
use crate::base::names::fnv64a;
use crate::base::{Map, Set};
use core::net::Ipv4Addr;
use std::sync::Arc;

/// Objects by a hash of a label pair in a namespace. Who asks looks at the labels themselves.
type ByLabel = Map<u64, Set<ObjectKey>>;

/// The objects of one owner.
pub(super) type Owned = Map<(Kind, ObjectKey), Arc<Object>>;

/// All indexes; kept in step with the tables by [`Indexes::replace`].
#[derive(Clone, Debug, Default)]
pub(super) struct Indexes {
    pub(super) by_uid: Map<Uid, (Kind, ObjectKey)>,
    /// What an owner has, as it is now: controllers count it again and again.
    pub(super) by_owner: Map<Uid, Owned>,
    pub(super) pods_by_node: Map<Arc<str>, Set<ObjectKey>>,
    pods_by_label: ByLabel,
    /// Pods and ReplicaSets without a controller.
    orphans: Set<(Kind, ObjectKey)>,
    services_by_label: ByLabel,
    /// The cluster IPs that Services have, as numbers.
    pub(super) cluster_ips: Set<u32>,
    /// The node ports that Services have.
    pub(super) node_ports: Map<u16, ObjectKey>,
}

impl Indexes {
    /// Brings the indexes from `old` to `new`, the object of `key` before and after a change.
    pub(super) fn replace(
        &mut self,
        old: Option<&Arc<Object>>,
        new: Option<&Arc<Object>>,
        key: &ObjectKey,
    ) {
        let Some(kind) = new.or(old).map(|object| object.kind) else { return };
        if kind == Kind::Event {
            // Nobody asks for an event by identity, owner or label.
            return;
        }
        self.owner(kind, old, new, key);
        let (old, new) = (old.map(|object| &**object), new.map(|object| &**object));
        self.identity(kind, old, new, key);
        match kind {
            Kind::Pod => {
                self.pod_place(old, new, key);
                self.pod_labels(old, new, key);
                self.orphan(kind, old, new, key);
            }
            Kind::ReplicaSet => self.orphan(kind, old, new, key),
            Kind::Service => {
                self.service(old, new, key);
                self.service_allocations(old, new, key);
            }
            _ => {}
        }
    }

    fn identity(
        &mut self,
        kind: Kind,
        old: Option<&Object>,
        new: Option<&Object>,
        key: &ObjectKey,
    ) {
        let uid = |object: Option<&Object>| object.map(|object| object.meta.uid);
        if uid(old) != uid(new) {
            if let Some(uid) = uid(old) {
                self.by_uid.remove(&uid);
            }
            if let Some(uid) = uid(new) {
                self.by_uid.insert(uid, (kind, key.clone()));
            }
        }
    }

    fn owner<'a>(
        &mut self,
        kind: Kind,
        old: Option<&'a Arc<Object>>,
        new: Option<&'a Arc<Object>>,
        key: &ObjectKey,
    ) {
        let owners = |object: &'a Arc<Object>| &object.meta.owner_references;
        let (before, after) = (old.map(owners), new.map(owners));
        let key = (kind, key.clone());
        let unchanged = before.zip(after);
        if !unchanged.is_some_and(|(a, b)| Arc::ptr_eq(a, b) || a == b) {
            for owner in before.iter().flat_map(|owners| owners.iter()) {
                if let Some(owned) = self.by_owner.get_mut(&owner.uid) {
                    owned.remove(&key);
                    if owned.is_empty() {
                        self.by_owner.remove(&owner.uid);
                    }
                }
            }
        }
        let Some((object, owners)) = new.zip(after) else { return };
        for owner in owners.iter() {
            let (key, object) = (key.clone(), object.clone());
            match self.by_owner.get_mut(&owner.uid) {
                Some(owned) => drop(owned.insert(key, object)),
                None => drop(self.by_owner.insert(owner.uid, Map::unit(key, object))),
            }
        }
    }

    fn orphan(&mut self, kind: Kind, old: Option<&Object>, new: Option<&Object>, key: &ObjectKey) {
        let is_orphan = |object: Option<&Object>| {
            object.is_some_and(|object| object.meta.controller().is_none())
        };
        match (is_orphan(old), is_orphan(new)) {
            (true, false) => drop(self.orphans.remove(&(kind, key.clone()))),
            (false, true) => drop(self.orphans.insert((kind, key.clone()))),
            _ => {}
        }
    }

    fn pod_place(&mut self, old: Option<&Object>, new: Option<&Object>, key: &ObjectKey) {
        let node = |object: Option<&Object>| object?.pod()?.node_name.clone();
        let (before, after) = (node(old), node(new));
        if before != after {
            if let Some(node) = before {
                remove_from(&mut self.pods_by_node, &node, key);
            }
            if let Some(node) = after {
                self.pods_by_node.entry(node).or_default().insert(key.clone());
            }
        }
    }

    fn pod_labels(&mut self, old: Option<&Object>, new: Option<&Object>, key: &ObjectKey) {
        let (before, after) = (old.map(|o| &o.meta.labels), new.map(|o| &o.meta.labels));
        if before.zip(after).is_some_and(|(a, b)| a.same(b)) {
            return;
        }
        let has = |labels: Option<&StringMap>, name: &str, value: &str| {
            labels.is_some_and(|labels| labels.get(name) == Some(value))
        };
        for (name, value) in before.into_iter().flat_map(StringMap::iter) {
            if is_indexed(name) && !has(after, name, value) {
                remove_from(&mut self.pods_by_label, &label_hash(&key.namespace, name, value), key);
            }
        }
        for (name, value) in after.into_iter().flat_map(StringMap::iter) {
            if is_indexed(name) && !has(before, name, value) {
                let label = label_hash(&key.namespace, name, value);
                self.pods_by_label.entry(label).or_default().insert(key.clone());
            }
        }
    }

    fn service(&mut self, old: Option<&Object>, new: Option<&Object>, key: &ObjectKey) {
        let label = |object: Option<&Object>| {
            let selector = Selector::from_map(object?.spec().get("selector"));
            let (name, value) = selector.required_pair()?;
            Some(label_hash(&key.namespace, name, value))
        };
        let (before, after) = (label(old), label(new));
        if before != after {
            if let Some(label) = before {
                remove_from(&mut self.services_by_label, &label, key);
            }
            if let Some(label) = after {
                self.services_by_label.entry(label).or_default().insert(key.clone());
            }
        }
    }

    fn service_allocations(&mut self, old: Option<&Object>, new: Option<&Object>, key: &ObjectKey) {
        let unchanged = old.zip(new).is_some_and(|(old, new)| old.spec() == new.spec());
        if unchanged {
            return;
        }
        if let Some(service) = old {
            for ip in cluster_ips(service) {
                self.cluster_ips.remove(&ip);
            }
            for port in node_ports(service) {
                self.node_ports.remove(&port);
            }
        }
        if let Some(service) = new {
            for ip in cluster_ips(service) {
                self.cluster_ips.insert(ip);
            }
            for port in node_ports(service) {
                self.node_ports.insert(port, key.clone());
            }
        }
    }

    /// The pods of a namespace that may have a label, among them all that have it; `None` if that
    /// label is not indexed.
    pub(super) fn pods_with_label<'a>(
        &'a self,
        namespace: &'a str,
        name: &str,
        value: &str,
    ) -> Option<impl Iterator<Item = &'a ObjectKey> + use<'a>> {
        if !is_indexed(name) {
            return None;
        }
        Some(of_label(&self.pods_by_label, namespace, name, value))
    }

    /// The keys of a namespace's objects of a kind that no controller manages.
    pub(super) fn orphans<'a>(
        &'a self,
        kind: Kind,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a ObjectKey> {
        let start = (kind, ObjectKey::new(namespace, ""));
        let all = self.orphans.range(start..);
        all.take_while(move |(other, key)| *other == kind && &*key.namespace == namespace)
            .map(|(_, key)| key)
    }

    /// The Services of a namespace whose first pair may be among these labels, all of them for which
    /// it is.
    pub(super) fn services_for<'a>(
        &'a self,
        namespace: &'a str,
        labels: &'a StringMap,
    ) -> impl Iterator<Item = &'a ObjectKey> + use<'a> {
        let of = move |(name, value): (&str, &str)| {
            of_label(&self.services_by_label, namespace, name, value)
        };
        labels.iter().flat_map(of)
    }
}

/// Whether pods are indexed by a label. Those that binding copies from the node are not: every
/// pod has them, and hardly any selector asks for them.
fn is_indexed(name: &str) -> bool {
    !name.starts_with("topology.kubernetes.io/")
}

fn cluster_ips(service: &Object) -> impl Iterator<Item = u32> + use<'_> {
    let texts = service.spec().items_at(&["clusterIPs"]).iter().filter_map(Value::as_str);
    texts.filter_map(|text| text.parse::<Ipv4Addr>().ok()).map(Ipv4Addr::to_bits)
}

fn node_ports(service: &Object) -> impl Iterator<Item = u16> + use<'_> {
    let ports = service.spec().items_at(&["ports"]).iter();
    let health = service.spec().int_at(&["healthCheckNodePort"]);
    let numbers = ports.filter_map(|port| port.int_at(&["nodePort"])).chain(health);
    numbers.filter_map(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
}

fn of_label<'a>(
    index: &'a ByLabel,
    namespace: &'a str,
    name: &str,
    value: &str,
) -> impl Iterator<Item = &'a ObjectKey> + use<'a> {
    let keys = index.get(&label_hash(namespace, name, value)).into_iter();
    keys.flat_map(|keys| keys.iter()).filter(move |key| *key.namespace == *namespace)
}

fn label_hash(namespace: &str, name: &str, value: &str) -> u64 {
    [namespace, "/", name, "=", value].iter().fold(0, |hash, part| fnv64a(hash, part.as_bytes()))
}

fn remove_from<K: Ord + Clone, T: Ord + Clone>(index: &mut Map<K, Set<T>>, key: &K, item: &T) {
    if let Some(items) = index.get_mut(key) {
        items.remove(item);
        if items.is_empty() {
            index.remove(key);
        }
    }
}
