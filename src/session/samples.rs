//! The samples a person can start from; each applies as it is, unless it is there to be mended.

use crate::text::{Lang, Text};
use crate::world::LoadBalancers;

/// A manifest to start from, in the order of a course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sample {
    /// A Deployment with a NodePort, a LoadBalancer and an Ingress in front.
    #[default]
    Web,
    /// A Pod with a sidecar and a directory in RAM that both containers share.
    Pod,
    /// A Deployment whose update can be watched.
    Rollout,
    /// A StatefulSet with a disk for each Pod.
    State,
    /// A DaemonSet, on the control plane too.
    Daemon,
    /// Labels, taints and topology spread.
    Placement,
    /// Node ports with either externalTrafficPolicy.
    NodePort,
    /// A Service of type LoadBalancer.
    Balancer,
    /// The same where no cloud is.
    BareMetal,
    /// The same with MetalLB.
    MetalLb,
    /// Node ports behind a load balancer that people built.
    ByHand,
    /// Two applications behind one Ingress.
    Ingress,
    /// The same two applications behind a Gateway.
    Gateway,
    /// Objects that are accepted and do not work: each request says why.
    Silent,
    /// Mistakes that Kubernetes refuses, to be found and mended.
    Broken,
}

impl Sample {
    /// Every sample, in the order of the list.
    pub const ALL: [Sample; 15] = [
        Sample::Web,
        Sample::Pod,
        Sample::Rollout,
        Sample::State,
        Sample::Daemon,
        Sample::Placement,
        Sample::NodePort,
        Sample::Balancer,
        Sample::BareMetal,
        Sample::MetalLb,
        Sample::ByHand,
        Sample::Ingress,
        Sample::Gateway,
        Sample::Silent,
        Sample::Broken,
    ];

    /// Its name in the page's address, `?sample=web`.
    pub const fn name(self) -> &'static str {
        match self {
            Sample::Web => "web",
            Sample::Pod => "pod",
            Sample::Rollout => "rollout",
            Sample::State => "state",
            Sample::Daemon => "daemon",
            Sample::Placement => "placement",
            Sample::NodePort => "nodeport",
            Sample::Balancer => "balancer",
            Sample::BareMetal => "baremetal",
            Sample::MetalLb => "metallb",
            Sample::ByHand => "byhand",
            Sample::Ingress => "ingress",
            Sample::Gateway => "gateway",
            Sample::Silent => "silent",
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
            Sample::Pod => Text::SamplePod,
            Sample::Rollout => Text::SampleRollout,
            Sample::State => Text::SampleState,
            Sample::Daemon => Text::SampleDaemon,
            Sample::Placement => Text::SamplePlacement,
            Sample::NodePort => Text::SampleNodePort,
            Sample::Balancer => Text::SampleBalancer,
            Sample::BareMetal => Text::SampleBareMetal,
            Sample::MetalLb => Text::SampleMetalLb,
            Sample::ByHand => Text::SampleByHand,
            Sample::Ingress => Text::SampleIngress,
            Sample::Gateway => Text::SampleGateway,
            Sample::Silent => Text::SampleSilent,
            Sample::Broken => Text::SampleBroken,
        }
    }

    /// Who gives external addresses in its cluster.
    pub const fn load_balancers(self) -> LoadBalancers {
        match self {
            Sample::BareMetal | Sample::ByHand => LoadBalancers::None,
            Sample::MetalLb => LoadBalancers::MetalLb,
            _ => LoadBalancers::Cloud,
        }
    }

    /// A file that lies ready in the terminal's folder: its name and text.
    pub const fn file(self) -> Option<(&'static str, &'static str)> {
        match self {
            Sample::ByHand => {
                Some(("haproxy.cfg", include_str!("../../static/samples/haproxy.cfg")))
            }
            _ => None,
        }
    }

    /// Its manifests, with comments in a language.
    pub fn yaml(self, lang: Lang) -> String {
        let mut text = String::new();
        for line in self.text().lines() {
            // `#en …` and `#es …` are comments for one language alone.
            let spoken = Lang::ALL.into_iter().find_map(|one| {
                let comment = line.strip_prefix('#')?.strip_prefix(one.tag())?.strip_prefix(' ')?;
                Some((one, comment))
            });
            match spoken {
                Some((one, comment)) if one == lang => text.push_str(&format!("# {comment}\n")),
                Some(_) => {}
                None => text.push_str(&format!("{line}\n")),
            }
        }
        text
    }

    /// Its manifests with the comments of all languages.
    const fn text(self) -> &'static str {
        match self {
            Sample::Web => include_str!("../../static/samples/web.yaml"),
            Sample::Pod => include_str!("../../static/samples/pod.yaml"),
            Sample::Rollout => include_str!("../../static/samples/rollout.yaml"),
            Sample::State => include_str!("../../static/samples/state.yaml"),
            Sample::Daemon => include_str!("../../static/samples/daemon.yaml"),
            Sample::Placement => include_str!("../../static/samples/placement.yaml"),
            Sample::NodePort => include_str!("../../static/samples/nodeport.yaml"),
            Sample::Balancer => include_str!("../../static/samples/balancer.yaml"),
            Sample::BareMetal => include_str!("../../static/samples/baremetal.yaml"),
            Sample::MetalLb => include_str!("../../static/samples/metallb.yaml"),
            Sample::ByHand => include_str!("../../static/samples/byhand.yaml"),
            Sample::Ingress => include_str!("../../static/samples/ingress.yaml"),
            Sample::Gateway => include_str!("../../static/samples/gateway.yaml"),
            Sample::Silent => include_str!("../../static/samples/silent.yaml"),
            Sample::Broken => include_str!("../../static/samples/broken.yaml"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Applied, Model, Opening};

    #[test]
    fn every_sample_applies_without_a_fault_but_the_broken_one() {
        for sample in Sample::ALL {
            let model = Model::new(Opening { sample, ..Opening::default() });
            let is_whole = matches!(model.applied, Applied::All { count: 1.., .. });
            assert_eq!(is_whole, sample != Sample::Broken, "{sample:?}: {:?}", model.faults);
        }
    }

    #[test]
    fn the_faults_of_the_broken_sample_are_on_their_lines() {
        let model = Model::new(Opening { sample: Sample::Broken, ..Opening::default() });
        let lines: Vec<u32> = model.faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [8], "{:?}", model.faults);
    }

    #[test]
    fn every_sample_speaks_both_languages_and_its_comments_fit_the_editor() {
        for sample in Sample::ALL {
            let [en, es] = [Lang::En, Lang::Es].map(|lang| sample.yaml(lang));
            let rest = |text: &str| {
                let lines = text.lines().filter(|line| !line.starts_with('#'));
                lines.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(rest(&en), rest(&es), "{sample:?}");
            assert_eq!(en == es, !sample.text().contains("#en "), "{sample:?}");
            for line in en.lines().chain(es.lines()).filter(|line| line.starts_with('#')) {
                assert!(line.chars().count() <= 52, "{sample:?}: {line}");
            }
        }
    }
}
