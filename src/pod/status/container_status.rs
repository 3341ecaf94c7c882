//! One `ContainerStatus`: the fields that decide about phase and conditions in typed form, the rest as it came.

use serde_json::{json, Map, Value};

/// A `ContainerStatus` that is being derived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerStatus {
    /// `name`.
    pub name: String,
    /// `state`.
    pub state: State,
    /// `lastState`.
    pub last_state: State,
    /// `ready`; false also where nobody can say.
    pub ready: bool,
    /// The container runs, and only a probe or hook result that the runtime does not show decides whether it is ready.
    pub ready_unknown: bool,
    /// `started`; `None` where it is not known.
    pub started: Option<bool>,
    /// `restartCount`.
    pub restart_count: i64,
    /// `image`.
    pub image: String,
    /// `imageID`.
    pub image_id: String,
    /// `containerID`, with the runtime's name in front.
    pub container_id: String,
    /// Every other field, by its JSON name.
    pub rest: Map<String, Value>,
}

/// A `ContainerState`; each variant holds the object of its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    /// No state at all: `{}`.
    #[default]
    None,
    /// `waiting`.
    Waiting(Value),
    /// `running`.
    Running(Value),
    /// `terminated`.
    Terminated(Value),
}

impl State {
    /// Reads a `ContainerState`.
    #[must_use]
    pub fn from_json(value: Option<&Value>) -> Self {
        let of = |key| value.and_then(|v| v.get(key)).filter(|v: &&Value| !v.is_null()).cloned();
        if let Some(running) = of("running") {
            return Self::Running(running);
        }
        if let Some(terminated) = of("terminated") {
            return Self::Terminated(terminated);
        }
        of("waiting").map_or(Self::None, Self::Waiting)
    }

    /// The JSON form.
    #[must_use]
    pub fn into_json(self) -> Value {
        match self {
            Self::None => json!({}),
            Self::Waiting(v) => json!({ "waiting": v }),
            Self::Running(v) => json!({ "running": v }),
            Self::Terminated(v) => json!({ "terminated": v }),
        }
    }

    /// Waiting for this reason; empty for none.
    #[must_use]
    pub fn waiting(reason: &str) -> Self {
        Self::Waiting(if reason.is_empty() { json!({}) } else { json!({ "reason": reason }) })
    }

    /// The exit code of a container that has ended.
    #[must_use]
    pub fn exit_code(&self) -> Option<i64> {
        match self {
            Self::Terminated(v) => Some(v.get("exitCode").and_then(Value::as_i64).unwrap_or_default()),
            _ => None,
        }
    }

    /// Whether it is the state `waiting`.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(_))
    }

    /// Whether it is the state `running`.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// Whether it is the state `terminated`.
    #[must_use]
    pub const fn is_terminated(&self) -> bool {
        matches!(self, Self::Terminated(_))
    }

    /// When it began (running) or ended (terminated), RFC 3339.
    #[must_use]
    pub fn since(&self) -> Option<&str> {
        match self {
            Self::Running(v) => v.get("startedAt")?.as_str(),
            Self::Terminated(v) => v.get("finishedAt")?.as_str(),
            _ => None,
        }
    }
}

impl ContainerStatus {
    /// Reads a `ContainerStatus` that somebody else made.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        let mut rest = value.as_object().cloned().unwrap_or_default();
        let mut text = |key| match rest.remove(key) {
            Some(Value::String(s)) => s,
            _ => String::new(),
        };
        let (name, image, image_id) = (text("name"), text("image"), text("imageID"));
        let container_id = text("containerID");
        let (state, last_state) = (rest.remove("state"), rest.remove("lastState"));
        Self {
            name,
            state: State::from_json(state.as_ref()),
            last_state: State::from_json(last_state.as_ref()),
            ready: rest.remove("ready").and_then(|v| v.as_bool()).unwrap_or_default(),
            ready_unknown: false,
            started: rest.remove("started").and_then(|v| v.as_bool()),
            restart_count: rest.remove("restartCount").and_then(|v| v.as_i64()).unwrap_or_default(),
            image,
            image_id,
            container_id,
            rest,
        }
    }

    /// The JSON form.
    #[must_use]
    pub fn into_json(self) -> Value {
        let mut out = self.rest;
        let mut put = |key: &str, value: Value| out.insert(key.to_string(), value);
        put("name", self.name.into());
        put("state", self.state.into_json());
        put("lastState", self.last_state.into_json());
        put("ready", self.ready.into());
        // What a runtime carries as an annotation may be larger than the field, and would cost the pod its whole status.
        put("restartCount", self.restart_count.min(i32::MAX.into()).into());
        put("image", self.image.into());
        put("imageID", self.image_id.into());
        if !self.container_id.is_empty() {
            put("containerID", self.container_id.into());
        }
        if let Some(started) = self.started {
            put("started", started.into());
        }
        Value::Object(out)
    }

    /// The id without the runtime's name in front.
    #[must_use]
    pub fn bare_id(&self) -> &str {
        self.container_id.split_once("://").map_or(self.container_id.as_str(), |(_, id)| id)
    }

    /// The exit code of the last end: of this state, or of the one before while it waits.
    #[must_use]
    pub fn last_exit_code(&self) -> Option<i64> {
        match self.state {
            State::Waiting(_) => self.last_state.exit_code(),
            _ => self.state.exit_code(),
        }
    }
}

/// The statuses of one list, such as `containerStatuses`.
#[must_use]
pub fn list(status: &Value, key: &str) -> Vec<ContainerStatus> {
    let items = status.get(key).and_then(Value::as_array);
    items.into_iter().flatten().map(ContainerStatus::from_json).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_does_not_know() {
        let status = json!({
            "name": "a", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "lastState": {},
            "ready": true, "restartCount": 2, "image": "i", "imageID": "r", "containerID": "cri-o://1", "started": false,
            "resources": {}, "allocatedResourcesStatus": [{"name": "gpu"}],
        });
        let read = ContainerStatus::from_json(&status);
        assert_eq!(read.bare_id(), "1");
        assert_eq!(read.state.since(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(read.into_json(), status);
    }
}
