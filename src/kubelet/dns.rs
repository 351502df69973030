//! What a pod's resolver is told: its `/etc/resolv.conf`.

use crate::api::Object;
use crate::api::Value;
use crate::api::tree::Tree as _;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::sync::{Arc, LazyLock};

/// The cluster's name server, as every kubelet's configuration names it (`clusterDNS`): whether a
/// Service has that address is another matter.
pub const CLUSTER_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 10));
/// The cluster's domain (`clusterDomain`).
pub const CLUSTER_DOMAIN: &str = "cluster.local";
/// The name server of the nodes: the gateway of their network.
pub const NODE_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(172, 18, 0, 1));
/// The most name servers that a resolver knows.
const MAX_SERVERS: usize = 3;
/// The most names in a search list.
const MAX_SEARCH: usize = 32;

/// A resolver's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvConf {
    /// Name servers, asked in turn.
    pub servers: Vec<IpAddr>,
    /// The search list.
    pub search: Vec<Arc<str>>,
    /// Options with their values, `ndots:5`.
    pub options: Vec<Arc<str>>,
}

impl ResolvConf {
    /// The configuration of a node.
    pub fn of_node() -> Self {
        ResolvConf { servers: vec![NODE_DNS], ..ResolvConf::default() }
    }

    /// The configuration of a pod.
    ///
    /// Models pkg/kubelet/network/dns/dns.go GetPodDNS.
    // Simplified: what is beyond a resolver's limits is cut off without an event.
    pub fn of_pod(object: &Object) -> Self {
        let tree = object.pod().map(|pod| &pod.spec.tree);
        let policy = tree.and_then(|tree| tree.str_at(&["dnsPolicy"])).unwrap_or("ClusterFirst");
        let on_host = object.pod().is_some_and(|pod| pod.spec.host_network);
        let mut conf = match policy {
            "None" => ResolvConf::default(),
            "ClusterFirst" if !on_host => ResolvConf::of_cluster(&object.meta.namespace),
            "ClusterFirstWithHostNet" => ResolvConf::of_cluster(&object.meta.namespace),
            _ => ResolvConf::of_node(),
        };
        if let Some(config) = tree.and_then(|tree| tree.at(&["dnsConfig"])) {
            conf.append(config);
        }
        conf.servers.truncate(MAX_SERVERS);
        conf.search.truncate(MAX_SEARCH);
        conf
    }

    /// The configuration of a pod that asks the cluster first.
    fn of_cluster(namespace: &str) -> Self {
        // What all pods have, they share.
        static SHARED: LazyLock<[Arc<str>; 3]> = LazyLock::new(|| {
            let all = ["svc.", CLUSTER_DOMAIN].concat();
            [Arc::from(all), Arc::from(CLUSTER_DOMAIN), Arc::from("ndots:5")]
        });
        let [all, domain, ndots] = &*SHARED;
        let own = Arc::from([namespace, ".", all].concat());
        ResolvConf {
            servers: vec![CLUSTER_DNS],
            search: vec![own, all.clone(), domain.clone()],
            options: vec![ndots.clone()],
        }
    }

    /// Adds a pod's `dnsConfig`: options of the same name take the place of others.
    ///
    /// Models pkg/kubelet/network/dns/dns.go appendDNSConfig.
    // Simplified: options stay in their order; upstream's is that of a map of Go.
    fn append(&mut self, config: &Value) {
        let texts = |key: &str| config.items_at(&[key]).iter().filter_map(Value::as_str);
        for server in texts("nameservers").filter_map(|text| text.parse().ok()) {
            if !self.servers.contains(&server) {
                self.servers.push(server);
            }
        }
        for domain in texts("searches") {
            if !self.search.iter().any(|own| &**own == domain) {
                self.search.push(Arc::from(domain));
            }
        }
        for option in config.items_at(&["options"]) {
            let name = option.str_at(&["name"]).unwrap_or_default();
            let text = match option.str_at(&["value"]) {
                Some(value) if !value.is_empty() => Arc::from([name, ":", value].concat()),
                _ => Arc::from(name),
            };
            match self.options.iter_mut().find(|own| own.split(':').next() == Some(name)) {
                Some(own) => *own = text,
                None => self.options.push(text),
            }
        }
    }

    /// The number of an option, as far as the C library lets it count.
    fn number(&self, name: &str, default: u32, most: u32) -> u32 {
        let mut values = self.options.iter().filter_map(|option| {
            let (own, value) = option.split_once(':')?;
            (own == name).then(|| value.parse::<u32>().ok()).flatten()
        });
        values.next_back().unwrap_or(default).min(most)
    }

    /// A name with fewer dots is first looked for in the search list.
    pub fn ndots(&self) -> u32 {
        self.number("ndots", 1, 15)
    }

    /// How long an answer is waited for.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.number("timeout", 5, 30).max(1).into())
    }

    /// How often each server is asked.
    pub fn attempts(&self) -> u32 {
        self.number("attempts", 2, 5).max(1)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if !self.search.is_empty() {
            text.push_str(&format!("search {}\n", self.search.join(" ")));
        }
        for server in &self.servers {
            text.push_str(&format!("nameserver {server}\n"));
        }
        if !self.options.is_empty() {
            text.push_str(&format!("options {}\n", self.options.join(" ")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use serde_json::json;

    #[test]
    fn a_pods_policy_says_whom_it_asks() {
        let conf = |mut spec: Value| {
            spec["containers"] = json!([]);
            let meta = json!({"name": "p", "namespace": "shop"});
            let value = json!({"kind": "Pod", "metadata": meta, "spec": spec});
            ResolvConf::of_pod(&Object::from_value(Kind::Pod, value)).text().replace('\n', "; ")
        };
        let own = "shop.svc.cluster.local svc.cluster.local cluster.local";
        let of_cluster = format!("search {own}; nameserver 10.96.0.10; options ndots:5; ");
        let of_node = "nameserver 172.18.0.1; ";
        let config = json!({
            "nameservers": ["1.1.1.1", "10.96.0.10"],
            "searches": ["corp.example", "cluster.local"],
            "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
        });
        let alone = "search corp.example cluster.local; nameserver 1.1.1.1; nameserver 10.96.0.10; options ndots:2 edns0; ";
        let both = format!(
            "search {own} corp.example; nameserver 10.96.0.10; nameserver 1.1.1.1; options ndots:2 edns0; "
        );
        let with = |policy: &str, host: bool| json!({"dnsPolicy": policy, "hostNetwork": host});
        let cases = [
            ("the default", with("ClusterFirst", false), &*of_cluster),
            ("on the host's network", with("ClusterFirst", true), of_node),
            ("there all the same", with("ClusterFirstWithHostNet", true), &of_cluster),
            ("as the node", with("Default", false), of_node),
            ("only its own", json!({"dnsPolicy": "None", "dnsConfig": config}), alone),
            ("and its own", json!({"dnsPolicy": "ClusterFirst", "dnsConfig": config}), &both),
        ];
        for (name, spec, expected) in cases {
            assert_eq!(conf(spec), expected, "{name}");
        }
    }
}
