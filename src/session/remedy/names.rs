//! What mends names: CoreDNS' Corefile, which has lost a plugin.

use super::Mender;
use crate::api::Kind;
use crate::api::tree::Tree as _;
use serde_json::json;

/// The plugins without which a cluster has no names, as kubeadm writes them.
///
/// Models cmd/kubeadm/app/phases/addons/dns/manifests.go CoreDNSConfigMap.
const PLUGINS: [(&str, &str); 2] = [
    (
        "kubernetes",
        "    kubernetes cluster.local in-addr.arpa ip6.arpa {\n       pods insecure\n       fallthrough in-addr.arpa ip6.arpa\n       ttl 30\n    }\n",
    ),
    ("forward", "    forward . /etc/resolv.conf\n"),
];

impl Mender<'_> {
    /// Puts the plugin back that the Corefile has lost; all else in it stays.
    pub(super) fn corefile(&self) -> Option<String> {
        let map = self.store.find(Kind::ConfigMap, "kube-system", "coredns")?;
        let text = map.content().str_at(&["data", "Corefile"])?;
        let mended = with_plugin(text)?;
        let change = json!({"data": {"Corefile": mended}}).to_string();
        // What a shell would take for the end of the patch.
        (!change.contains('\''))
            .then(|| format!("kubectl patch configmap coredns -n kube-system -p '{change}'"))
    }
}

/// A Corefile with the first plugin that it lacks, at the beginning of the block for all names.
fn with_plugin(text: &str) -> Option<String> {
    let begins = |line: &str, plugin: &str| line.split_whitespace().next() == Some(plugin);
    let lacks = |(plugin, _): &&(&str, &str)| !text.lines().any(|line| begins(line, plugin));
    let (_, lines) = PLUGINS.iter().find(lacks)?;
    let is_for_all = |line: &str| {
        let keys = line.trim().strip_suffix('{')?;
        let mut keys = keys.split([' ', ',']).map(|key| key.split(':').next().unwrap_or_default());
        keys.any(|key| key == ".").then_some(())
    };
    let mut mended = String::new();
    let mut is_done = false;
    for line in text.split_inclusive('\n') {
        mended.push_str(line);
        if !is_done && is_for_all(line).is_some() {
            mended.push_str(lines);
            is_done = true;
        }
    }
    is_done.then_some(mended)
}
