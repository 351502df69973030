//! The samples a person can start from; each applies as it is, unless it is there to be mended.

use crate::text::Text;

/// A manifest to start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sample {
    /// A Deployment with a NodePort, a LoadBalancer and an Ingress in front.
    #[default]
    Web,
    /// A Deployment whose update can be watched.
    Rollout,
    /// A StatefulSet with a disk for each Pod.
    State,
    /// Mistakes that Kubernetes refuses, to be found and mended.
    Broken,
}

impl Sample {
    /// Every sample, in the order of the list.
    pub const ALL: [Sample; 4] = [Sample::Web, Sample::Rollout, Sample::State, Sample::Broken];

    /// Its name in the page's address, `?sample=web`.
    pub const fn name(self) -> &'static str {
        match self {
            Sample::Web => "web",
            Sample::Rollout => "rollout",
            Sample::State => "state",
            Sample::Broken => "broken",
        }
    }

    /// The sample of that name.
    pub fn of_name(name: &str) -> Option<Sample> {
        Self::ALL.into_iter().find(|sample| sample.name() == name)
    }

    /// Its title.
    pub const fn title(self) -> Text {
        match self {
            Sample::Web => Text::SampleWeb,
            Sample::Rollout => Text::SampleRollout,
            Sample::State => Text::SampleState,
            Sample::Broken => Text::SampleBroken,
        }
    }

    /// Its manifests.
    pub const fn yaml(self) -> &'static str {
        match self {
            Sample::Web => include_str!("../../static/samples/web.yaml"),
            Sample::Rollout => include_str!("../../static/samples/rollout.yaml"),
            Sample::State => include_str!("../../static/samples/state.yaml"),
            Sample::Broken => include_str!("../../static/samples/broken.yaml"),
        }
    }
}
