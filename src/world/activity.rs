//! Which parts of the cluster have been at work: the log of changes, counted by who wrote.

use crate::store::Change;

/// How often each part of the cluster has written something, renewed leases aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// People, with kubectl.
    pub people: u64,
    /// The scheduler.
    pub scheduler: u64,
    /// The loops of the controller manager, and those of the addons.
    pub controllers: u64,
    /// The nodes' kubelets.
    pub kubelets: u64,
}

impl Activity {
    /// How often anybody has: each time the API server took a write, and etcd kept it.
    pub const fn writes(&self) -> u64 {
        self.people + self.scheduler + self.controllers + self.kubelets
    }

    /// Takes note of a change.
    pub(super) fn note(&mut self, change: &Change) {
        let counter = match &*change.cause.writer {
            "kubectl" => &mut self.people,
            "default-scheduler" => &mut self.scheduler,
            writer if writer.starts_with("kubelet/") => &mut self.kubelets,
            _ => &mut self.controllers,
        };
        *counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use crate::api::Kind;
    use crate::world::{ClusterConfig, World};
    use core::time::Duration;
    use serde_json::json;

    #[test]
    fn a_deployment_sets_every_part_to_work_and_an_idle_cluster_none() {
        let mut world = World::new(ClusterConfig::default(), 1);
        world.run_for(Duration::from_secs(60));
        let before = world.activity();
        world.run_for(Duration::from_secs(60));
        assert_eq!(world.activity(), before);
        let labels = json!({"app": "web"});
        let deployment = json!({
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27"}]},
                },
            },
        });
        world.create(Kind::Deployment, &deployment, "default").unwrap();
        world.run_for(Duration::from_secs(20));
        let after = world.activity();
        assert_eq!(after.people, before.people + 1);
        assert!(after.scheduler >= before.scheduler + 2);
        assert!(after.controllers > before.controllers && after.kubelets > before.kubelets);
        assert!(after.writes() > before.writes());
    }
}
