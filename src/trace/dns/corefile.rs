//! CoreDNS' configuration, as far as it changes answers.
//!
//! Simplified: of CoreDNS' plugins `kubernetes`, `hosts`, `rewrite name`, `forward`, `cache`, `log`
//! and `loadbalance` act; others are taken and do nothing. What the ConfigMap says holds at once, and
//! words that a real CoreDNS would not start with are passed over.

use super::message::Question;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

/// A Corefile: blocks of plugins, by the zones that they serve on port 53.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corefile {
    blocks: Vec<Block>,
}

/// The plugins that serve some zones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    zones: Vec<Arc<str>>,
    pub(super) rewrites: Vec<Rewrite>,
    pub(super) cache: Option<Cache>,
    pub(super) hosts: Option<Hosts>,
    pub(super) kubernetes: Option<Kubernetes>,
    pub(super) forwards: Vec<Forward>,
    pub(super) loadbalance: bool,
    /// Whether each question is logged.
    log: bool,
}

/// `rewrite name`: another name is asked for, and the answer is told of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rewrite {
    is_suffix: bool,
    from: Arc<str>,
    to: Arc<str>,
}

impl Rewrite {
    /// The name that is asked for in the place of another.
    pub(super) fn apply(&self, name: &str) -> Option<String> {
        match self.is_suffix {
            true => name.strip_suffix(&*self.from).map(|rest| format!("{rest}{}", self.to)),
            false => (*name == *self.from).then(|| self.to.to_string()),
        }
    }
}

/// `cache`: no time to live is longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cache {
    pub(super) most: u32,
    pub(super) most_of_denials: u32,
    pub(super) zones: Vec<Arc<str>>,
    disabled: Vec<Arc<str>>,
}

impl Cache {
    /// Whether answers about a name go through it.
    pub(super) fn serves(&self, name: &str) -> bool {
        (self.zones.is_empty() || zone_of(&self.zones, name).is_some())
            && zone_of(&self.disabled, name).is_none()
    }
}

/// `hosts`: names by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hosts {
    pub(super) zones: Vec<Arc<str>>,
    pub(super) entries: Vec<(IpAddr, Arc<str>)>,
    pub(super) ttl: u32,
    pub(super) fall: Fall,
}

/// How pods have names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PodNames {
    /// They have none.
    #[default]
    Disabled,
    /// Any address has one.
    Insecure,
    /// Those that there are.
    Verified,
}

/// `kubernetes`: names of Services and pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kubernetes {
    pub(super) zones: Vec<Arc<str>>,
    pub(super) ttl: u32,
    pub(super) pods: PodNames,
    pub(super) endpoint_pod_names: bool,
    pub(super) namespaces: Vec<Arc<str>>,
    pub(super) fall: Fall,
}

impl Kubernetes {
    /// The zone that names of Services are in: the first that is no reverse one.
    pub(super) fn primary_zone(&self) -> &str {
        let mut zones = self.zones.iter().filter(|zone| !zone.ends_with(".arpa"));
        zones.next().map_or("", |zone| zone)
    }
}

/// `forward`: who is asked of names in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forward {
    pub(super) zone: Arc<str>,
    /// Whether the first server is one that can be there: `/etc/resolv.conf`, or an address.
    pub(super) to: Option<IpAddr>,
}

/// Whether what is not found is asked of the next plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fall(Option<Vec<Arc<str>>>);

impl Fall {
    pub(super) fn through(&self, name: &str) -> bool {
        let Fall(zones) = self;
        zones.as_ref().is_some_and(|zones| zones.is_empty() || zone_of(zones, name).is_some())
    }
}

/// The longest of some zones that a name is in; "" is the root.
///
/// Models plugin/normalize.go Zones.Matches.
pub(super) fn zone_of<'a>(zones: &'a [Arc<str>], name: &str) -> Option<&'a Arc<str>> {
    let fits = |zone: &&Arc<str>| {
        let rest = name.strip_suffix(&***zone);
        zone.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    zones.iter().filter(fits).max_by_key(|zone| zone.len())
}

/// A zone without its last dot, in small letters.
fn zone(word: &str) -> Arc<str> {
    Arc::from(word.trim_end_matches('.').to_ascii_lowercase())
}

/// A directive: its words, and the lines in its braces.
struct Directive {
    words: Vec<String>,
    inside: Vec<Vec<String>>,
}

/// The Corefile that kubeadm installs, as far as it matters: what a cluster whose DNS was never
/// set up answers by.
const USUAL: &str = ".:53 {\nkubernetes cluster.local in-addr.arpa ip6.arpa {\npods insecure\nfallthrough in-addr.arpa ip6.arpa\nttl 30\n}\nforward . /etc/resolv.conf\nloadbalance\n}\n";

impl Corefile {
    /// The usual one, which is read once.
    pub fn usual() -> Arc<Self> {
        static READ: LazyLock<Arc<Corefile>> = LazyLock::new(|| Arc::new(Corefile::parse(USUAL)));
        READ.clone()
    }

    /// Reads a Corefile.
    pub fn parse(text: &str) -> Self {
        let mut blocks = Vec::new();
        let mut lines = text.lines().map(words_of).filter(|words| !words.is_empty());
        while let Some(mut keys) = lines.next() {
            // Only what stands in braces serves.
            if keys.pop().as_deref() != Some("{") {
                continue;
            }
            let directives = directives(&mut lines);
            let zones = keys.iter().flat_map(|key| key.split(',')).filter_map(zone_on_port_53);
            let zones: Vec<Arc<str>> = zones.collect();
            if !zones.is_empty() {
                blocks.push(Block::new(zones, &directives));
            }
        }
        Corefile { blocks }
    }

    /// Whether a question is logged.
    pub(crate) fn logs(&self, question: &Question) -> bool {
        self.block_for(question).is_some_and(|block| block.log)
    }

    /// The plugins that answer a question.
    pub(super) fn block_for(&self, question: &Question) -> Option<&Block> {
        let fits = self.blocks.iter().filter_map(|block| {
            let zone = zone_of(&block.zones, &question.name)?;
            Some((zone.len(), block))
        });
        fits.max_by_key(|(length, _)| *length).map(|(_, block)| block)
    }
}

/// The zone of `example.org:53`, `dns://.`, `.`, if it is served on the usual port.
fn zone_on_port_53(key: &str) -> Option<Arc<str>> {
    let key = match key.split_once("://") {
        Some(("dns", rest)) => rest,
        Some(_) => return None,
        None => key,
    };
    let (name, port) = key.rsplit_once(':').unwrap_or((key, "53"));
    (!key.is_empty() && port == "53").then(|| zone(name))
}

fn words_of(line: &str) -> Vec<String> {
    let line = line.split_whitespace().take_while(|word| !word.starts_with('#'));
    line.map(|word| word.trim_matches('"').to_owned()).collect()
}

/// The directives of a block, up to its closing brace.
fn directives(lines: &mut dyn Iterator<Item = Vec<String>>) -> Vec<Directive> {
    let mut found: Vec<Directive> = Vec::new();
    let mut depth = 0u32;
    for mut words in lines {
        let opens = words.last().is_some_and(|last| last == "{");
        if opens {
            words.pop();
        }
        match (words.first().map(String::as_str), depth) {
            (Some("}"), 0) => break,
            (Some("}"), _) => depth -= 1,
            (_, 0) => found.push(Directive { words, inside: Vec::new() }),
            _ => found.last_mut().into_iter().for_each(|last| last.inside.push(words.clone())),
        }
        depth += u32::from(opens);
    }
    found
}

impl Block {
    fn new(zones: Vec<Arc<str>>, directives: &[Directive]) -> Self {
        let mut block = Block { zones, ..Block::default() };
        for directive in directives {
            let Some((name, words)) = directive.words.split_first() else { continue };
            match name.as_str() {
                "rewrite" => block.rewrites.extend(rewrite(words)),
                "cache" => block.cache = Some(cache(words, &directive.inside)),
                "hosts" => block.hosts = Some(hosts(words, directive, &block.zones)),
                "kubernetes" => block.kubernetes = Some(kubernetes(words, directive, &block.zones)),
                "forward" => block.forwards.extend(forward(words)),
                "loadbalance" => block.loadbalance = true,
                "log" => block.log = true,
                _ => {}
            }
        }
        block
    }
}

fn zones_or(words: &[String], own: &[Arc<str>]) -> Vec<Arc<str>> {
    match words.is_empty() {
        true => own.to_vec(),
        false => words.iter().map(|word| zone(word)).collect(),
    }
}

fn fall(words: &[String]) -> Fall {
    Fall(Some(words.iter().map(|word| zone(word)).collect()))
}

/// `rewrite [stop|continue] name [exact|suffix] FROM TO …`.
fn rewrite(words: &[String]) -> Option<Rewrite> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let rest = match words.as_slice() {
        ["stop" | "continue", "name", rest @ ..] | ["name", rest @ ..] => rest,
        _ => return None,
    };
    let (is_suffix, from, to) = match rest {
        ["exact", from, to, ..] => (false, from, to),
        ["suffix", from, to, ..] => (true, from, to),
        ["prefix" | "substring" | "regex", ..] => return None,
        [from, to] => (false, from, to),
        _ => return None,
    };
    Some(Rewrite { is_suffix, from: zone(from), to: zone(to) })
}

/// `cache [TTL] [ZONES…]`.
fn cache(words: &[String], inside: &[Vec<String>]) -> Cache {
    let number = words.first().and_then(|word| word.parse().ok());
    let zones = words.iter().skip(usize::from(number.is_some())).map(|word| zone(word)).collect();
    // Models plugin/cache/cache.go maxTTL and maxNTTL.
    let (most, most_of_denials) = number.map_or((3600, 1800), |number| (number, number));
    let disabled = inside.iter().filter(|words| words.first().is_some_and(|it| it == "disable"));
    let disabled = disabled.flat_map(|words| words.iter().skip(2)).map(|word| zone(word));
    Cache { most, most_of_denials, zones, disabled: disabled.collect() }
}

/// `hosts [FILE [ZONES…]] { ADDRESS NAME… }`.
fn hosts(words: &[String], directive: &Directive, own: &[Arc<str>]) -> Hosts {
    let zones = zones_or(words.get(1..).unwrap_or_default(), own);
    let mut hosts = Hosts { zones, ttl: 3600, ..Hosts::default() };
    for line in &directive.inside {
        let Some((first, rest)) = line.split_first() else { continue };
        match (first.as_str(), first.parse::<IpAddr>()) {
            ("fallthrough", _) => hosts.fall = fall(rest),
            ("ttl", _) => hosts.ttl = number(rest).unwrap_or(hosts.ttl),
            (_, Ok(ip)) => hosts.entries.extend(rest.iter().map(|name| (ip, zone(name)))),
            _ => {}
        }
    }
    hosts
}

fn number(words: &[String]) -> Option<u32> {
    words.first()?.parse().ok()
}

/// `kubernetes [ZONES…] { … }`.
///
/// Models plugin/kubernetes/setup.go ParseStanza.
fn kubernetes(words: &[String], directive: &Directive, own: &[Arc<str>]) -> Kubernetes {
    let zones = zones_or(words, own);
    let mut plugin = Kubernetes { zones, ttl: 5, ..Kubernetes::default() };
    for line in &directive.inside {
        let Some((first, rest)) = line.split_first() else { continue };
        match first.as_str() {
            "pods" => {
                plugin.pods = match rest.first().map(String::as_str) {
                    Some("insecure") => PodNames::Insecure,
                    Some("verified") => PodNames::Verified,
                    _ => PodNames::Disabled,
                }
            }
            "ttl" => plugin.ttl = number(rest).unwrap_or(plugin.ttl),
            "fallthrough" => plugin.fall = fall(rest),
            "endpoint_pod_names" => plugin.endpoint_pod_names = true,
            "namespaces" => plugin.namespaces = rest.iter().map(|name| zone(name)).collect(),
            _ => {}
        }
    }
    plugin
}

/// `forward ZONE TO…`.
fn forward(words: &[String]) -> Option<Forward> {
    let (from, to) = words.split_first()?;
    let first = to.first()?;
    let address = first.strip_prefix("dns://").unwrap_or(first);
    let address = address.strip_suffix(":53").unwrap_or(address);
    Some(Forward { zone: zone(from), to: address.parse().ok() })
}

#[cfg(test)]
mod tests {
    use super::super::message::RecordType;
    use super::*;

    #[test]
    fn the_longest_zone_serves_and_plugins_are_read_with_their_settings() {
        let file = Corefile::parse(
            "# stub domain\ncorp.example:53 dns://other.example {\n  errors\n  forward . 10.150.0.1:53\n}\nx.example:1053 {\n}\n.:53 {\n  log\n  rewrite name exact old.demo.svc.cluster.local new.demo.svc.cluster.local\n  hosts {\n    192.168.0.7 nas.local box.local # two\n    fallthrough\n  }\n  kubernetes cluster.local in-addr.arpa {\n    pods verified\n    fallthrough in-addr.arpa\n  }\n  forward . /etc/resolv.conf {\n    max_concurrent 1000\n  }\n  cache 30 {\n    disable success cluster.local\n    disable denial cluster.local\n  }\n}\n",
        );
        let block = |name| file.block_for(&Question::new(name, RecordType::A)).unwrap();
        let stub = block("a.corp.example");
        assert_eq!(stub.forwards[0].to, Some(IpAddr::from([10, 150, 0, 1])));
        assert_eq!(stub, block("other.example"));
        let root = block("web.demo.svc.cluster.local");
        assert_eq!(root, block("acorp.example"));
        assert_eq!(root, block("x.example"));
        let kubernetes = root.kubernetes.as_ref().unwrap();
        assert_eq!((kubernetes.ttl, kubernetes.pods), (5, PodNames::Verified));
        assert!(kubernetes.fall.through("1.in-addr.arpa") && !kubernetes.fall.through("a.local"));
        let hosts = root.hosts.as_ref().unwrap();
        assert_eq!((hosts.entries.len(), hosts.ttl), (2, 3600));
        assert!(hosts.fall.through("anything"));
        let cache = root.cache.as_ref().unwrap();
        assert!(cache.serves("example.com") && !cache.serves("web.demo.svc.cluster.local"));
        let rewritten = root.rewrites[0].apply("old.demo.svc.cluster.local");
        assert_eq!(rewritten.as_deref(), Some("new.demo.svc.cluster.local"));
        assert_eq!(root.forwards[0].to, None);
    }

    #[test]
    fn nobody_serves_what_no_block_names() {
        let file = Corefile::parse("cluster.local {\n  kubernetes cluster.local\n}\n");
        assert_eq!(file.block_for(&Question::new("example.com", RecordType::A)), None);
        assert!(file.block_for(&Question::new("a.cluster.local", RecordType::A)).is_some());
    }
}
