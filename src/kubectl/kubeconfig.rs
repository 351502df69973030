//! The kubeconfig: which clusters, users and contexts kubectl knows.

use crate::api::Value;
use crate::api::tree::TreeMut as _;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The name of the one cluster that is there, of its user, and of the first context.
pub(super) const NAME: &str = "diorama";
/// Where the file is; it cannot be read or written but by `kubectl config`.
pub(super) const PATH: &str = "/home/student/.kube/config";

/// A cluster, a user and a namespace under one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The cluster.
    pub cluster: String,
    /// The user.
    pub user: String,
    /// The namespace; `default` if it is empty.
    pub namespace: String,
}

impl Context {
    /// The property of a name, to be read or set.
    pub fn property(&mut self, name: &str) -> Option<&mut String> {
        match name {
            "cluster" => Some(&mut self.cluster),
            "user" => Some(&mut self.user),
            "namespace" => Some(&mut self.namespace),
            _ => None,
        }
    }
}

/// What the kubeconfig holds. The namespace of the current context is the session's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubeconfig {
    /// The contexts by name.
    pub contexts: BTreeMap<String, Context>,
    /// The current one.
    pub current: String,
    /// The clusters with their servers.
    pub clusters: BTreeMap<String, String>,
    /// The users.
    pub users: BTreeSet<String>,
}

impl Default for Kubeconfig {
    fn default() -> Self {
        let name = || NAME.to_owned();
        let context = Context { cluster: name(), user: name(), namespace: String::new() };
        Kubeconfig {
            contexts: BTreeMap::from([(name(), context)]),
            current: name(),
            clusters: BTreeMap::from([(name(), "https://172.18.0.2:6443".to_owned())]),
            users: BTreeSet::from([name()]),
        }
    }
}

impl Kubeconfig {
    /// The namespace of a context, with the flags that name another cluster or user.
    ///
    /// # Errors
    /// What is in no kubeconfig, in client-go's words.
    ///
    /// Models staging/src/k8s.io/client-go/tools/clientcmd/client_config.go and validation.go.
    pub fn namespace_of(&self, context: &str, cluster: &str, user: &str) -> Result<&str, String> {
        let Some(found) = self.contexts.get(context) else {
            return Err(format!(
                "Error in configuration: context was not found for specified context: {context}"
            ));
        };
        if !cluster.is_empty() && !self.clusters.contains_key(cluster) {
            return Err(format!("error: no server found for cluster \"{cluster}\""));
        }
        if !user.is_empty() && !self.users.contains(user) {
            return Err(format!("error: auth info \"{user}\" does not exist"));
        }
        let cluster = if cluster.is_empty() { &found.cluster } else { cluster };
        match self.clusters.contains_key(cluster) {
            true => Ok(&found.namespace),
            false => {
                Err(format!("Error in configuration: cluster was not found for context: {context}"))
            }
        }
    }

    /// The file as `kubectl config view` shows it; only what a context uses if that is given.
    pub fn to_value(&self, only: Option<&str>) -> Value {
        let context = only.and_then(|name| self.contexts.get(name));
        let shows = |name: &str, of: Option<&String>| of.is_none_or(|of| of == name);
        let clusters = self.clusters.iter().map(|(name, server)| {
            let mut cluster = json!({"server": server});
            if name == NAME {
                cluster.put(&["certificate-authority-data"], "DATA+OMITTED");
            }
            (name, json!({"cluster": cluster, "name": name}))
        });
        let clusters = clusters.filter(|(name, _)| shows(name, context.map(|it| &it.cluster)));
        let users = self.users.iter().map(|name| match name.as_str() {
            NAME => json!({"client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED"}),
            _ => json!({}),
        });
        let users = self
            .users
            .iter()
            .zip(users)
            .filter(|(name, _)| shows(name, context.map(|it| &it.user)));
        let contexts =
            self.contexts.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
        let contexts = contexts.map(|(name, context)| {
            let mut value = json!({"cluster": context.cluster, "user": context.user});
            if !context.namespace.is_empty() {
                value.put(&["namespace"], context.namespace.clone());
            }
            json!({"context": value, "name": name})
        });
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": self.current,
            "clusters": clusters.map(|(_, cluster)| cluster).collect::<Value>(),
            "contexts": contexts.collect::<Value>(),
            "users": users.map(|(name, user)| json!({"name": name, "user": user})).collect::<Value>(),
        })
    }
}
