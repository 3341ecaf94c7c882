//! A status that a kubelet or an API server gave, held against what the runtime shows now.

use super::container_status::{ContainerStatus, State};
use super::instances::Instances;
use crate::codec::time::Time;
use crate::pod::observed::{Container, ContainerState};

/// Seconds for which a container that a kubelet says runs may be missing in the runtime: the poll may be older.
const POLL_LAG: i64 = 10;

/// Whether the given status of a container still holds. It does not where the runtime shows a newer instance, or
/// that the same one has started or ended since.
#[must_use]
pub fn holds(given: &ContainerStatus, instances: &Instances<'_>, now: i64) -> bool {
    let Some(newest) = instances.of(&given.name).next() else {
        return !given.state.is_running() || since(&given.state).is_some_and(|t| t + POLL_LAG >= now);
    };
    if newest.id == given.bare_id() {
        return same_instance(given, newest);
    }
    let outrun = instances.of(&given.name).any(|i| i.id == given.bare_id());
    !outrun && since(&given.state).is_some_and(|t| t >= newest.created_at / 1_000_000_000)
}

fn same_instance(given: &ContainerStatus, newest: &Container) -> bool {
    match newest.state {
        // the one who gave the status looked later than we did
        ContainerState::Created | ContainerState::Unknown => true,
        ContainerState::Running => !given.state.is_waiting(),
        ContainerState::Exited => match &given.state {
            State::Running(_) => false,
            State::Terminated(_) | State::None => true,
            // in back-off the end of this instance is the last state already
            State::Waiting(_) => given.last_state.is_terminated(),
        },
    }
}

fn since(state: &State) -> Option<i64> {
    Some(Time::parse(state.since()?)?.unix())
}
