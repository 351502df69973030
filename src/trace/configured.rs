//! What programs on the way are configured to do, made anew when its objects have changed: nginx'
//! of ingress controllers and Gateways, CoreDNS, the load balancer that people built.

use super::cluster::Cluster;
use super::dns::Corefile;
use super::gateway::{self, Graph};
use super::haproxy;
use super::names::{self, QueryLog};
use super::network::Network;
use super::nginx::{Balancers, Configuration, Settings};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Uid};
use crate::base::Map;
use crate::store::{ObjectKey, Store};
use std::sync::Arc;

/// What was made of the objects when it was last asked for, and where programs are in their turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Configured {
    /// What ingress controllers were configured to do, by revision, when that was last asked.
    nginx: Option<(u64, Settings, Arc<Configuration>)>,
    /// What CoreDNS goes by, of the ConfigMap's version.
    corefile: Option<((Uid, u64), Arc<Corefile>)>,
    /// Whether there is anything of a CoreDNS, by revision, when that was last asked.
    dns: Option<(u64, bool)>,
    /// The questions that CoreDNS has logged.
    pub(super) queries: QueryLog,
    /// Where their workers are in their turns.
    nginx_turns: Balancers,
    /// What was made of Gateways of a class, by revision, when that was last asked.
    gateways: Option<(u64, Arc<str>, Arc<Graph>)>,
    /// The file of the load balancer that people built, if they did.
    hand_built: Option<Arc<haproxy::Config>>,
    /// Where it is in the turns of its backends.
    hand_turns: Map<Arc<str>, u32>,
}

impl Network {
    /// What the ingress controller with these settings is configured to do now.
    pub fn nginx(&mut self, cluster: &Cluster<'_>, settings: &Settings) -> Arc<Configuration> {
        let revision = cluster.store.revision();
        if let Some((at, own, known)) = &self.configured.nginx
            && *at == revision
            && own == settings
        {
            return known.clone();
        }
        let made = Arc::new(Configuration::of(cluster.store, settings));
        self.configured.nginx = Some((revision, settings.clone(), made.clone()));
        made
    }

    /// What their controller makes of the Gateways of the class that this one is of.
    ///
    /// Simplified: a Gateway's nginx follows the objects at once, its control plane may be away.
    pub(super) fn gateways(&mut self, cluster: &Cluster<'_>, own: &ObjectKey) -> Arc<Graph> {
        let store = cluster.store;
        let found = gateway::kind("Gateway").and_then(|kind| store.get(kind, own));
        let class = found.and_then(|it| it.spec().str_at(&["gatewayClassName"]));
        let Some(class) = class else { return Arc::default() };
        let revision = store.revision();
        if let Some((at, known_class, known)) = &self.configured.gateways
            && *at == revision
            && **known_class == *class
        {
            return known.clone();
        }
        let object = gateway::kind("GatewayClass").and_then(|kind| store.find(kind, "", class));
        let controller = object.and_then(|it| it.spec().str_at(&["controllerName"]));
        let made = Arc::new(Graph::of(store, class, controller.unwrap_or_default()));
        self.configured.gateways = Some((revision, Arc::from(class), made.clone()));
        made
    }

    /// Where the workers of ingress controllers are in their turns.
    pub(super) const fn nginx_turns(&mut self) -> &mut Balancers {
        &mut self.configured.nginx_turns
    }

    /// The file of the load balancer that people built, if they did.
    pub const fn hand_built(&self) -> Option<&Arc<haproxy::Config>> {
        self.configured.hand_built.as_ref()
    }

    /// A load balancer that people built starts with a file, loads another one, or goes.
    pub fn set_hand_built(&mut self, config: Option<haproxy::Config>) {
        self.configured.hand_built = config.map(Arc::new);
        self.configured.hand_turns = Map::new();
    }

    pub(super) fn hand_turn(&self, pool: &str) -> u32 {
        self.configured.hand_turns.get(pool).copied().unwrap_or_default()
    }

    pub(super) fn next_hand_turn(&mut self, pool: &Arc<str>) {
        let next = self.hand_turn(pool).wrapping_add(1);
        self.configured.hand_turns.insert(pool.clone(), next);
    }

    /// The questions that CoreDNS in a pod has logged.
    pub const fn queries(&self) -> &QueryLog {
        &self.configured.queries
    }

    /// Whether somebody has set up the cluster's DNS.
    pub(super) fn has_dns(&mut self, store: &Store) -> bool {
        let revision = store.revision();
        if let Some((at, known)) = self.configured.dns
            && at == revision
        {
            return known;
        }
        let is_there = |kind, name| store.find(kind, "kube-system", name).is_some();
        let found = is_there(Kind::Service, "kube-dns") || is_there(Kind::ConfigMap, "coredns");
        self.configured.dns = Some((revision, found));
        found
    }

    /// CoreDNS' configuration in a ConfigMap.
    pub(super) fn corefile(&mut self, map: &Object) -> Arc<Corefile> {
        let version = (map.meta.uid, map.meta.resource_version);
        if let Some((at, known)) = &self.configured.corefile
            && *at == version
        {
            return known.clone();
        }
        let made = Arc::new(Corefile::parse(names::text_of(map).unwrap_or_default()));
        self.configured.corefile = Some((version, made.clone()));
        made
    }
}
