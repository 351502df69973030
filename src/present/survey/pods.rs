//! Pods: what each looks like, told from its own status, its siblings' template and its kubelet.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Uid};
use crate::kubelet::{ContainerRuntime, RunState};
use crate::present::condition;
use crate::present::palette::Palette;
use crate::present::scene::{Countdown, Dot, PodChip, PodState};
use crate::session::ObjectId;
use crate::session::request::is_system;
use crate::store::Store;
use crate::world::World;
use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

const REVISION: &str = "deployment.kubernetes.io/revision";
/// The label by which Pods of a StatefulSet or a DaemonSet name their template.
const TEMPLATE: &str = "controller-revision-hash";
/// The kinds whose controllers make Pods.
const MAKERS: [Kind; 5] =
    [Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::ReplicationController];

/// What Pods are told by.
pub(super) struct Pods<'a> {
    world: &'a World,
    palette: &'a Palette,
    /// What is known of makers so far, by their UID, sorted.
    families: RefCell<Vec<(Uid, Option<Rc<Family>>)>>,
}

/// What Pods of one maker have in common.
struct Family {
    name: Arc<str>,
    colour: u8,
    /// Whether the maker itself has been replaced by a newer one.
    is_old: bool,
    /// The newest template's name, where one maker has several.
    newest: Option<String>,
}

impl<'a> Pods<'a> {
    pub(super) const fn new(world: &'a World, palette: &'a Palette) -> Self {
        Pods { world, palette, families: RefCell::new(Vec::new()) }
    }

    fn family(&self, pod: &Object) -> Option<Rc<Family>> {
        let uid = pod.meta.controller()?.uid;
        let mut known = self.families.borrow_mut();
        match known.binary_search_by(|(one, _)| one.cmp(&uid)) {
            Ok(at) => known.get(at).and_then(|(_, family)| family.clone()),
            Err(at) => {
                let store = self.world.store();
                let maker = store.by_uid(uid).filter(|maker| MAKERS.contains(&maker.kind));
                let found = maker.map(|maker| Rc::new(family(store, self.palette, maker)));
                known.insert(at, (uid, found.clone()));
                found
            }
        }
    }

    /// A Pod as a dot.
    pub(super) fn dot(&self, pod: &Object) -> Dot {
        let colour = self.family(pod).map(|family| family.colour);
        Dot {
            state: condition::pod_state(pod),
            colour: colour.unwrap_or_else(|| self.palette.of_pod(pod)),
            system: is_system(&pod.meta.namespace),
        }
    }

    /// A Pod at length.
    pub(super) fn chip(&self, object: &Object) -> PodChip {
        let Dot { state, colour, system } = self.dot(object);
        let family = self.family(object);
        let spec = object.pod().map(|pod| &*pod.spec);
        let volumes = spec.map(|spec| spec.tree.items_at(&["volumes"])).unwrap_or_default();
        let image = spec.and_then(|spec| spec.containers.first()).map(|one| one.image.as_str());
        PodChip {
            id: ObjectId::of(object),
            ip: condition::pod_ip(object),
            state,
            status: condition::pod_word(object),
            ready: condition::ready_count(object),
            colour,
            family: family.as_ref().map_or(&object.meta.name, |family| &family.name).to_string(),
            tag: tag(image.unwrap_or_default()).to_owned(),
            is_old: family.as_ref().is_some_and(|family| is_old(family, object)),
            containers: condition::containers(object),
            disk: volumes.iter().any(|v| v.get("persistentVolumeClaim").is_some()),
            shared: volumes.iter().any(|v| v.get("emptyDir").is_some()),
            system,
            on_host: spec.is_some_and(|spec| spec.host_network),
            countdown: self.countdown(object, state),
        }
    }

    /// What the Pod waits for, if it is known how long.
    fn countdown(&self, object: &Object, state: PodState) -> Option<Countdown> {
        if let Some(deletion) = object.meta.deletion {
            let grace = u64::try_from(deletion.grace_period_seconds).unwrap_or_default();
            let until = deletion.timestamp;
            let from = until - Duration::from_secs(grace);
            return Some(Countdown { from, until, exit_code: None });
        }
        if state != PodState::Failed {
            return None;
        }
        let machine = self.world.nodes().get(object.pod()?.node_name.as_ref()?)?;
        let pod = machine.pods.get(&object.meta.uid)?;
        pod.init_containers.iter().chain(&pod.containers).find_map(next_try)
    }
}

/// Until when a container that failed waits.
fn next_try(container: &ContainerRuntime) -> Option<Countdown> {
    let RunState::Blocked { until, reason, .. } = container.state else { return None };
    let back_off = Duration::from_secs(u64::from(container.back_off_seconds));
    match (reason, &container.last_end) {
        ("CrashLoopBackOff", Some(end)) => {
            Some(Countdown { from: end.at, until, exit_code: Some(end.code) })
        }
        ("ImagePullBackOff", _) => {
            Some(Countdown { from: until - back_off, until, exit_code: None })
        }
        _ => None,
    }
}

fn family(store: &Store, palette: &Palette, maker: &Arc<Object>) -> Family {
    let above = maker.meta.controller().and_then(|owner| store.by_uid(owner.uid));
    let revision = |object: &Object| object.meta.annotations.get(REVISION).map(str::to_owned);
    let newest = match maker.kind {
        Kind::StatefulSet => maker.status().str_at(&["updateRevision"]).map(str::to_owned),
        Kind::DaemonSet => newest_template(store, maker),
        _ => None,
    };
    Family {
        name: above.unwrap_or(maker).meta.name.clone(),
        colour: palette.of_workload(maker),
        is_old: maker.kind == Kind::ReplicaSet
            && above.is_some_and(|deployment| revision(deployment) != revision(maker)),
        newest,
    }
}

/// The newest of a DaemonSet's templates, as its Pods' label names it.
fn newest_template(store: &Store, set: &Object) -> Option<String> {
    let revisions = store.owned_by(set.meta.uid).filter(|it| it.kind == Kind::ControllerRevision);
    let newest = revisions.max_by_key(|revision| revision.content().int_at(&["revision"]))?;
    newest.meta.labels.get(TEMPLATE).map(str::to_owned)
}

fn is_old(family: &Family, pod: &Object) -> bool {
    let template = pod.meta.labels.get(TEMPLATE);
    let is_outdated = family.newest.as_deref().zip(template).is_some_and(|(a, b)| a != b);
    family.is_old || is_outdated
}

/// The tag of an image: `1.27` of `nginx:1.27`.
fn tag(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or_default();
    match name.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn a_tag_is_told_from_a_port_and_from_a_digest() {
        let cases = [
            ("nginx:1.27", "1.27"),
            ("nginx", ""),
            ("registry.example:5000/nginx", ""),
            ("registry.example:5000/nginx:1.27@sha256:abc", "1.27"),
        ];
        for (image, wanted) in cases {
            assert_eq!(tag(image), wanted, "{image}");
        }
    }
}
