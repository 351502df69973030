//! How long a Job waits after pods that failed before it makes others.
//!
//! Models pkg/controller/job/backoff_utils.go.

use super::super::pod_control::phase;
use super::NAME;
use crate::api::Object;
use crate::api::pod::{ConditionType, ContainerState, Phase};
use crate::base::{SimTime, order};
use crate::store::{Key, Note, Store};
use core::time::Duration;
use std::sync::Arc;

const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
const MOST_BACK_OFF: Duration = Duration::from_secs(600);

/// The failures in a row since the last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BackOff {
    failures: u32,
    last: SimTime,
}

impl BackOff {
    /// What was noted about a Job.
    pub(super) fn of(store: &Store, job: &Object) -> Self {
        let note = store.note(NAME, &Key::of(job));
        note.map_or_else(Self::default, |note| Self { failures: note.count, last: note.until })
    }

    /// With the pods that have ended since. Models newBackoffRecord.
    pub(super) fn with(self, succeeded: &[Arc<Object>], failed: &[Arc<Object>]) -> Self {
        let latest = succeeded.iter().map(|pod| finished_at(pod)).max();
        let mut ends: Vec<SimTime> = failed.iter().map(|pod| finished_at(pod)).collect();
        order::sort(&mut ends);
        let before = if latest.is_some() { Self::default() } else { self };
        ends.into_iter().filter(|end| latest.is_none_or(|latest| *end > latest)).fold(
            before,
            |back_off, end| Self { failures: back_off.failures.saturating_add(1), last: end },
        )
    }

    /// How long it lasts yet.
    pub(super) fn left(self, now: SimTime) -> Option<Duration> {
        left(self.failures, self.last, now)
    }

    /// As a note for the next time.
    pub(super) fn note(self) -> Option<Note> {
        let Self { failures: count, last: until } = self;
        (count > 0).then_some(Note { since: until, until, count, ..Note::default() })
    }
}

/// How long the wait after so many failures lasts yet. Models getRemainingTimeForFailuresCount.
pub(super) fn left(failures: u32, last: SimTime, now: SimTime) -> Option<Duration> {
    let doublings = failures.checked_sub(1)?.min(10);
    let wait = (FIRST_BACK_OFF * (1 << doublings)).min(MOST_BACK_OFF);
    wait.checked_sub(now.since(last)).filter(|left| !left.is_zero())
}

/// When a pod ended, as far as it can be told.
///
/// Models getFinishedTime. The API knows these times to the second.
pub(super) fn finished_at(object: &Object) -> SimTime {
    SimTime::from_micros(exactly_finished_at(object).as_secs().saturating_mul(1_000_000))
}

fn exactly_finished_at(object: &Object) -> SimTime {
    let Some(pod) = object.pod() else { return object.meta.creation_timestamp };
    let sidecars = pod.spec.init_containers.iter().zip(&pod.status.init_containers);
    let sidecars = sidecars.filter(|(container, _)| container.is_sidecar).map(|(_, status)| status);
    let all = pod.status.containers.iter().chain(sidecars);
    let ends: Option<Vec<SimTime>> = all
        .map(|status| match status.state {
            ContainerState::Terminated { finished_at, .. } => Some(finished_at),
            _ => None,
        })
        .collect();
    if let Some(end) = ends.and_then(|ends| ends.into_iter().max()) {
        return end;
    }
    let ready = pod.status.condition(ConditionType::Ready);
    if let Some(condition) = ready.filter(|condition| !condition.status) {
        return condition.last_transition_time;
    }
    object.meta.deletion.map_or(object.meta.creation_timestamp, |deletion| {
        let grace = u64::try_from(deletion.grace_period_seconds).unwrap_or_default();
        deletion.timestamp - Duration::from_secs(grace)
    })
}

/// Whether a pod counts as failed: one that is on its way out does too, unless the Job says to
/// replace only those that have failed.
///
/// Models job_controller.go isPodFailed, onlyReplaceFailedPods.
pub(super) fn is_failed(pod: &Object, only_failed: bool) -> bool {
    match phase(pod) {
        Phase::Failed => true,
        Phase::Succeeded => false,
        _ => pod.meta.is_terminating() && !only_failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use serde_json::json;

    fn at(seconds: u64) -> SimTime {
        SimTime::WORLD_START + Duration::from_secs(seconds)
    }

    fn ended(seconds: u64) -> Arc<Object> {
        let end = at(seconds).rfc3339();
        Arc::new(Object::from_value(
            Kind::Pod,
            json!({
                "metadata": {"name": "p"},
                "spec": {"containers": [{"name": "c", "image": "a"}]},
                "status": {"containerStatuses": [{"name": "c", "state": {"terminated":
                    {"exitCode": 1, "reason": "Error", "startedAt": end, "finishedAt": end},
                }}]},
            }),
        ))
    }

    #[test]
    fn each_failure_in_a_row_doubles_the_wait_up_to_ten_minutes() {
        let cases = [(0, None), (1, Some(10)), (2, Some(20)), (3, Some(40)), (9, Some(600))];
        for (failures, seconds) in cases {
            assert_eq!(left(failures, at(5), at(5)), seconds.map(Duration::from_secs));
        }
        assert_eq!(left(1, at(5), at(12)), Some(Duration::from_secs(3)));
        assert_eq!(left(1, at(5), at(15)), None);
    }

    /// Cases of pkg/controller/job/backoff_utils_test.go TestNewBackoffRecord.
    #[test]
    fn only_failures_after_the_last_success_count() {
        let known = BackOff { failures: 2, last: at(1) };
        let cases = [
            (vec![], vec![], known),
            (vec![], vec![ended(4), ended(3)], BackOff { failures: 4, last: at(4) }),
            (vec![ended(5)], vec![], BackOff::default()),
            (vec![ended(5)], vec![ended(3), ended(6)], BackOff { failures: 1, last: at(6) }),
            (vec![ended(5)], vec![ended(5)], BackOff::default()),
        ];
        for (succeeded, failed, expected) in cases {
            assert_eq!(known.with(&succeeded, &failed), expected);
        }
    }
}
