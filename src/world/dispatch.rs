//! Carrying out what is due, applying writes, and telling everybody what changed.

use super::World;
use super::queue::Due;
use crate::addons;
use crate::api::{ApiError, Kind, Object, Uid};
use crate::base::SimTime;
use crate::controllers;
use crate::kubelet::{self, Kubelet};
use crate::store::{
    Cause, Change, Context, Controller, FINISH_TIME, Key, Manager, ObjectKey, Outcome, Plan, Store,
    Write,
};
use core::time::Duration;
use std::sync::Arc;

/// From a change to the controllers that watch for it: an informer's delay.
const WATCH_DELAY: Duration = Duration::from_millis(3);
/// From a change to the scheduler's next cycle.
const SCHEDULE_DELAY: Duration = Duration::from_millis(5);

/// Every control loop, those of the controller manager first; the place of each is its number.
fn control_loops() -> impl Iterator<Item = &'static dyn Controller> {
    controllers::all().iter().chain(addons::all()).copied()
}

impl World {
    pub(super) fn carry_out(&mut self, due: Due) {
        match due {
            Due::Reconcile { controller, key } => self.reconcile(controller, &key),
            Due::Schedule => self.schedule(),
            Due::Pod { node, key, uid } => self.sync_pod(&node, &key, uid),
            Due::Heartbeat { node } => self.heartbeat(&node),
            Due::EventSeries => self.finish_series(),
            Due::ProxySync => self.sync_kube_proxy(),
        }
        self.tell();
    }

    fn reconcile(&mut self, controller: u16, key: &Key) {
        let Some(control_loop) = control_loops().nth(usize::from(controller)) else { return };
        let cause = Cause { writer: control_loop.name().into(), working_on: Some(key.clone()) };
        let plan = control_loop.reconcile(&self.store, key, self.now);
        let requeue = plan.requeue_after;
        let outcomes = self.apply_writes(plan.writes, &cause);
        let report = control_loop.report(&self.store, key, &outcomes, self.now);
        let requeue = requeue.into_iter().chain(report.requeue_after).min();
        let reported = self.apply_writes(report.writes, &cause);
        let failed = outcomes.iter().chain(&reported).any(|outcome| outcome.result.is_err());
        let retry = self.next_retry(controller, key, control_loop.retries(), failed);
        if let Some(after) = requeue.into_iter().chain(retry).min() {
            self.queue.push(self.now + after, Due::Reconcile { controller, key: key.clone() });
        }
    }

    /// After how long a key is tried again, if it failed: twice as long for each failure in a row.
    ///
    /// Models staging/src/k8s.io/client-go/util/workqueue/default_rate_limiters.go
    /// ItemExponentialFailureRateLimiter.
    fn next_retry(
        &mut self,
        controller: u16,
        key: &Key,
        (first, most): (Duration, Duration),
        failed: bool,
    ) -> Option<Duration> {
        let place = (controller, key.clone());
        if !failed {
            self.failures.remove(&place);
            return None;
        }
        let count = self.failures.entry(place).or_default();
        let doublings = *count;
        *count = count.saturating_add(1);
        Some(first.saturating_mul(1u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(most))
    }

    fn finish_series(&mut self) {
        self.queue.push(self.now + FINISH_TIME, Due::EventSeries);
        let cause = Cause { writer: "default-scheduler".into(), working_on: None };
        self.store.finish_series(&Context {
            now: self.now,
            cause,
            validate: false,
            webhooks: &[],
            manager: Manager::Component,
        });
    }

    fn schedule(&mut self) {
        let cause = Cause { writer: "default-scheduler".into(), working_on: None };
        let plan = self.scheduler.cycle(&self.store, self.now, &mut self.rng);
        self.apply_writes(plan.writes, &cause);
    }

    pub(super) fn sync_pod(&mut self, node: &Arc<str>, key: &ObjectKey, uid: Uid) {
        let object =
            self.store.get(Kind::Pod, key).filter(|object| object.meta.uid == uid).cloned();
        let synced = self.with_kubelet(node, |kubelet| {
            let plan = kubelet::sync(kubelet, uid, object.as_ref());
            let (pod, machine) = (object.as_ref().and_then(|it| it.pod()), &mut *kubelet.node);
            let gains_network =
                !machine.network_ready && pod.is_some_and(|pod| machine.gains_network(uid, pod));
            machine.network_ready |= gains_network;
            let has_scene = machine.pods.get(&uid).is_some_and(|pod| pod.scene.is_some());
            (plan, gains_network, has_scene)
        });
        let Some((plan, gains_network, has_scene)) = synced else { return };
        let requeue = plan.requeue_after;
        self.apply_kubelet_plan(node, key, plan);
        if gains_network {
            self.heartbeat(node);
        }
        if let Some(after) = requeue {
            let (node, key) = (node.clone(), key.clone());
            self.queue.push(self.now + after, Due::Pod { node, key, uid });
        }
        if has_scene {
            self.answer_programs(node, key, uid);
        }
    }

    /// Lets the kubelet of a node work, if that is up.
    pub(super) fn with_kubelet<T>(
        &mut self,
        node: &Arc<str>,
        work: impl FnOnce(&mut Kubelet<'_>) -> T,
    ) -> Option<T> {
        let runtime = self.nodes.get_mut(node).filter(|runtime| runtime.up)?;
        let mut kubelet = Kubelet {
            name: node,
            node: runtime,
            disks: &mut self.disks,
            api: &self.store,
            now: self.now,
        };
        Some(work(&mut kubelet))
    }

    fn apply_kubelet_plan(&mut self, node: &Arc<str>, key: &ObjectKey, plan: Plan) {
        if plan.writes.is_empty() {
            return;
        }
        let cause = Cause {
            writer: format!("kubelet/{node}").into(),
            working_on: Some(Key { kind: Kind::Pod, object: key.clone() }),
        };
        self.apply_plan(plan, &cause);
    }

    /// Carries out the writes of a plan.
    pub(super) fn apply_plan(&mut self, plan: Plan, cause: &Cause) -> Vec<Outcome> {
        self.apply_writes(plan.writes, cause)
    }

    fn apply_writes(&mut self, writes: Vec<Write>, cause: &Cause) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let context = Context {
            now: self.now,
            cause: cause.clone(),
            validate: false,
            webhooks: addons::webhooks(),
            manager: Manager::Component,
        };
        for (write, asked) in writes.into_iter().enumerate() {
            let mut note = |key: Key, created, result| {
                outcomes.push(Outcome { write, key, created, result });
            };
            match asked {
                Write::Create(object) => {
                    let key = Key::of(&object);
                    note(key, true, self.store.create(&context, *object));
                }
                Write::CreateBatch(objects) => {
                    for (key, result) in create_batch(&mut self.store, &context, objects) {
                        note(key, true, result);
                    }
                }
                Write::CreateInTurn(objects) => {
                    for object in objects {
                        let key = Key::of(&object);
                        let result = self.store.create(&context, object);
                        let failed = result.is_err();
                        note(key, true, result);
                        if failed {
                            break;
                        }
                    }
                }
                Write::Update(object) => {
                    note(Key::of(&object), false, self.store.update(&context, *object));
                }
                Write::UpdateStatus(object) => {
                    note(Key::of(&object), false, self.store.update_status(&context, *object));
                }
                Write::Bind { pod, node } => {
                    let result = self.store.bind(&context, &pod, &node);
                    note(Key { kind: Kind::Pod, object: pod }, false, result);
                }
                Write::Delete { key, options } => {
                    let result = self.store.delete(&context, key.kind, &key.object, &options);
                    note(key, false, result);
                }
                Write::Event(event) => self.store.record(&context, *event),
                Write::Note { writer, key, note } => self.store.set_note(writer, key, note),
            }
        }
        outcomes
    }

    /// Tells everybody who watches what has changed since the last time.
    pub(super) fn tell(&mut self) {
        loop {
            let changes = self.take_news();
            if changes.is_empty() {
                break;
            }
            for change in &changes {
                self.tell_of(change);
            }
        }
    }

    /// What has changed since the last time. When there is nothing more, the scheduler is asked when
    /// it wants to work.
    pub(super) fn take_news(&mut self) -> Vec<Change> {
        let changes = self.store.take_changes();
        if changes.is_empty()
            && let Some(at) = self.scheduler.next_due(self.now)
        {
            self.queue.push(at.max(self.now + SCHEDULE_DELAY), Due::Schedule);
        }
        changes
    }

    /// Tells everybody of one change.
    pub(super) fn tell_of(&mut self, change: &Change) {
        self.note_time(change);
        self.scheduler.observe(&self.store, change, self.now);
        self.wake_control_loops(change);
        self.wake_kubelet(change);
        self.wake_kube_proxy(change);
    }

    /// Heartbeats are no news.
    fn note_time(&mut self, change: &Change) {
        let heartbeat = match change.kind {
            Kind::Lease => true,
            Kind::Node => change.old.as_ref().zip(change.new.as_ref()).is_some_and(|(old, new)| {
                old.content() == new.content() && old.meta.labels == new.meta.labels
            }),
            _ => false,
        };
        if !heartbeat {
            self.last_change = self.now;
            self.activity.note(change);
        }
    }

    fn wake_control_loops(&mut self, change: &Change) {
        if change.kind == Kind::Event {
            return;
        }
        for (number, control_loop) in control_loops().enumerate() {
            let Ok(controller) = u16::try_from(number) else { continue };
            let keys = control_loop.wants(&self.store, change);
            if keys.is_empty() {
                continue;
            }
            let at = self.now + WATCH_DELAY + control_loop.delay(&self.store, change);
            for key in keys {
                self.queue.push(at, Due::Reconcile { controller, key });
            }
        }
    }

    /// Tells those who speak with a machine that it has fallen silent, or that it speaks again.
    pub(super) fn note_machine(&mut self, node: &Arc<str>, is_up: bool) {
        self.store.set_silent(node, (!is_up).then_some(self.now));
        for (number, control_loop) in control_loops().enumerate() {
            let Ok(controller) = u16::try_from(number) else { continue };
            for key in control_loop.hears(&self.store, node) {
                self.queue.push(self.now, Due::Reconcile { controller, key });
            }
        }
    }

    fn wake_kubelet(&mut self, change: &Change) {
        if change.kind == Kind::Node {
            self.node_changed(change);
            return;
        }
        if change.kind != Kind::Pod {
            return;
        }
        let node = |object: &Option<Arc<Object>>| object.as_ref()?.pod()?.node_name.clone();
        let Some(node) = node(&change.new).or_else(|| node(&change.old)) else { return };
        // What the kubelet itself reported is no news to it.
        let own = change.cause.writer.strip_prefix("kubelet/") == Some(&*node);
        let Some(object) = change.object().filter(|_| !own || change.new.is_none()) else { return };
        let (key, uid) = (change.key.clone(), object.meta.uid);
        if change.new.is_none() {
            // It is gone from the API, and the kubelet may not have ended it.
            let plan = self.with_kubelet(&node, |kubelet| kubelet::removed(kubelet, object));
            self.apply_kubelet_plan(&node, &key, plan.unwrap_or_default());
            return;
        }
        self.queue.push(self.now + WATCH_DELAY, Due::Pod { node, key, uid });
    }

    /// Puts off a wake-up of every pod of a node: it has come back.
    pub(super) fn wake_all_pods(&mut self, node: &Arc<str>) {
        let pods: Vec<_> =
            self.store.pods_on(node).map(|pod| (ObjectKey::of(pod), pod.meta.uid)).collect();
        let known: Vec<_> =
            self.nodes.get(node).into_iter().flat_map(|n| n.pods.keys()).copied().collect();
        let gone = known.into_iter().filter(|uid| pods.iter().all(|(_, other)| other != uid));
        let gone: Vec<_> = gone.map(|uid| (ObjectKey::new("", ""), uid)).collect();
        for (key, uid) in pods.into_iter().chain(gone) {
            self.queue.push(self.now + WATCH_DELAY, Due::Pod { node: node.clone(), key, uid });
        }
    }

    /// When the last object changed, heartbeats aside.
    pub const fn last_change(&self) -> SimTime {
        self.last_change
    }

    /// How many things are due.
    pub fn due_count(&self) -> usize {
        self.queue.len()
    }
}

/// Batches of 1, 2, 4 … objects; after one with a failure the rest is not tried.
#[inline(never)]
fn create_batch(
    store: &mut Store,
    context: &Context,
    objects: Vec<Object>,
) -> Vec<(Key, Result<Arc<Object>, ApiError>)> {
    let mut results = Vec::with_capacity(objects.len());
    let (mut size, mut in_batch, mut failed) = (1usize, 0usize, false);
    for object in objects {
        if in_batch == size {
            if failed {
                break;
            }
            (size, in_batch) = (size.saturating_mul(2), 0);
        }
        in_batch += 1;
        let key = Key::of(&object);
        let result = store.create(context, object);
        failed |= result.is_err();
        results.push((key, result));
    }
    results
}
