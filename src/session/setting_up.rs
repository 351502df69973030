//! A large cluster that comes to be while the page is alive: its machines join, then its add-ons
//! start, and each moment sees to a part of it.
//!
//! Until the machines are there, nothing but that changes the cluster: it would not be the same one.
//! What is typed meanwhile is carried out afterwards.

use super::Msg;
use super::model::{ADDONS_START, Model, origin_of};
use super::timeline::is_deed;
use super::update::{MOST_STEPS, SET_UP_MILLIS};
use crate::api::Kind;
use crate::world::{ClusterConfig, SET_UP_TIME};
use std::rc::Rc;

/// The shares of the work, in percent: the machines join; those add-ons that run on every node are
/// created; all of them start.
const SHARES: [u64; 3] = [30, 60, 10];
/// How many add-ons run on every node: kube-proxy and the network plugin.
const ON_EVERY_NODE: usize = 2;

/// How far a cluster is that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingUp {
    /// How many machines have joined.
    pub joined: usize,
    /// How many there will be.
    pub nodes: usize,
    /// How much of the work is done, in percent.
    pub percent: u64,
}

impl Model {
    /// How far the cluster is, if it is not there yet.
    pub fn setting_up(&self) -> Option<SettingUp> {
        let (joined, nodes) = self.world.joined();
        let is_there = !self.world.is_being_set_up() && self.world.now() >= self.origin;
        if is_there {
            return None;
        }
        let share = |part: u64, of: u64, most: u64| part.min(of) * most / of.max(1);
        let pods = self.world.store().count(Kind::Pod);
        let time = (SET_UP_TIME + ADDONS_START).as_secs();
        let left = match self.world.is_being_set_up() {
            true => time,
            false => self.origin.since(self.world.now()).as_secs(),
        };
        let percent = share(joined as u64, nodes as u64, SHARES[0])
            + share(pods as u64, (nodes * ON_EVERY_NODE) as u64, SHARES[1])
            + share(time.saturating_sub(left), time, SHARES[2]);
        Some(SettingUp { joined, nodes, percent })
    }
}

/// Lets more machines join, for as long as a moment may take. Says whether some were missing.
pub(super) fn go_on(model: &mut Model) -> bool {
    if !model.world.is_being_set_up() {
        return false;
    }
    let ends = (model.clock)() + SET_UP_MILLIS;
    for _ in 0..MOST_STEPS {
        if !model.world.go_on_setting_up() {
            model.origin = origin_of(&model.world);
            break;
        }
        if (model.clock)() >= ends {
            break;
        }
    }
    true
}

/// Whether something has to wait until the machines are there.
pub(super) fn is_early(model: &Model, msg: &Msg) -> bool {
    let is_kept = matches!(msg, Msg::Enter | Msg::Paste { .. } | Msg::TogglePlaying);
    model.world.is_being_set_up() && is_deed(msg) && !is_kept
}

/// Takes the usual small cluster in place of the one that is not there yet.
#[inline(never)]
pub(super) fn cancel(model: &mut Model) {
    let large = core::mem::replace(&mut model.config, Rc::new(ClusterConfig::classroom()));
    model.restart(model.sample, true);
    if let Some(left) = &mut model.left {
        left.model.config = large;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Opening, update};
    use super::*;

    fn large() -> Model {
        Model::new(Opening { nodes: Some(301), ..Opening::default() })
    }

    fn is_applied(model: &Model) -> bool {
        model.world.store().find(Kind::Deployment, "default", "web").is_some()
    }

    #[test]
    fn a_large_cluster_comes_to_be_moment_by_moment_and_then_has_its_manifests_and_what_was_typed()
    {
        let mut model = large();
        // A clock by which each look takes ten milliseconds.
        model.clock = || {
            use core::sync::atomic::{AtomicU32, Ordering};
            static LOOKS: AtomicU32 = AtomicU32::new(0);
            10.0 * f64::from(LOOKS.fetch_add(1, Ordering::Relaxed))
        };
        assert_eq!(model.setting_up(), Some(SettingUp { joined: 0, nodes: 302, percent: 0 }));
        update(&mut model, Msg::Type("kubectl scale deployment web --replicas=1".into()));
        update(&mut model, Msg::Enter);
        update(&mut model, Msg::Apply);
        let mut told = Vec::new();
        for _ in 0..2_000 {
            update(&mut model, Msg::Tick(16_000));
            told.extend(model.setting_up().map(|it| it.percent));
        }
        assert!(told.is_sorted() && told.len() > 50, "{told:?}");
        model.clock = || 0.0;
        while model.setting_up().is_some() {
            assert!(!is_applied(&model));
            update(&mut model, Msg::Tick(16_000));
        }
        let web = model.world.store().find(Kind::Deployment, "default", "web").unwrap();
        assert_eq!(web.spec()["replicas"], 1);
        assert_eq!(model.world.joined(), (302, 302));
    }

    #[test]
    fn who_cancels_has_the_usual_cluster_and_can_have_the_large_one_after_all() {
        let mut model = large();
        update(&mut model, Msg::Tick(16_000));
        let nodes = model.world.nodes().len();
        update(&mut model, Msg::CancelSetUp);
        assert_eq!((model.world.nodes().len(), model.setting_up()), (4, None));
        assert!(is_applied(&model));
        update(&mut model, Msg::Undo);
        assert_eq!((model.world.nodes().len(), model.config.nodes.len()), (nodes, 302));
        for _ in 0..1_000 {
            update(&mut model, Msg::Tick(16_000));
        }
        assert_eq!((model.setting_up(), is_applied(&model)), (None, true));
    }
}
