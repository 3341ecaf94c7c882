//! What is waited for: the value of `--for`.

use serde_json::Value;

use crate::cli::exit::Failure;
use crate::cli::objects;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::jsonpath::{self, Path};
use crate::pod::lookup::text;

/// `PodPhase`, in the order of a pod's life. Case does not matter when one is typed.
const PHASES: [&str; 5] = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];

/// How a pod should be.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A condition of its status has this value; case does not matter.
    Status { kind: String, value: String },
    /// `status.phase`.
    Phase(&'static str),
    /// Gone.
    Deleted,
    /// There.
    Created,
    /// A path finds something, or this value.
    Path { text: String, path: Path, value: Option<String> },
}

impl Condition {
    /// Reads the value of `--for`.
    ///
    /// # Errors
    /// It is none of those: words for the person who typed it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = "condition=NAME[=VALUE], phase=PHASE, delete, create, jsonpath=PATH[=VALUE]";
        match text.split_once('=').map_or((text, None), |(kind, rest)| (kind, Some(rest))) {
            ("delete", None) => Ok(Self::Deleted),
            ("create", None) => Ok(Self::Created),
            ("phase", Some(phase)) if !phase.is_empty() => {
                let known = PHASES.iter().find(|p| p.eq_ignore_ascii_case(phase));
                let wrong = || format!("--for: there is no phase {phase:?}; known are {}", PHASES.join(", "));
                known.map(|p| Self::Phase(p)).ok_or_else(wrong)
            }
            ("condition", Some(rest)) if !rest.is_empty() => {
                let (kind, value) = rest.split_once('=').unwrap_or((rest, "true"));
                Ok(Self::Status { kind: kind.into(), value: value.into() })
            }
            ("jsonpath", Some(rest)) => {
                let (path, value) = split(rest);
                let read = Path::relaxed(path).map_err(|e| format!("--for: {path:?}: {e}"))?;
                Ok(Self::Path { text: path.into(), path: read, value: value.map(unquoted) })
            }
            _ => Err(format!("--for: {text:?} is unknown; known are {known}")),
        }
    }

    /// Whether a pod is as it should be. One that is there is never deleted.
    ///
    /// # Errors
    /// The server sent something that is no pod, or the path does not fit.
    pub fn holds(&self, pod: &PodBytes) -> Result<bool, Failure> {
        match self {
            Self::Deleted => Ok(false),
            Self::Created => Ok(true),
            Self::Phase(phase) => Ok(text(pod, "status.phase") == **phase),
            Self::Status { kind, value } => {
                let pod = objects::value(pod)?;
                let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
                let named = |c: &&Value| matches(c, "type", kind);
                let condition = conditions.into_iter().flatten().find(named);
                Ok(condition.is_some_and(|c| matches(c, "status", value)))
            }
            Self::Path { path, value, .. } => {
                let pod = objects::value(pod)?;
                let found = path.find(&pod);
                // An index beyond the end means that what is waited for is not there yet.
                let found = found.unwrap_or_default();
                Ok(match value {
                    None => !found.is_empty(),
                    Some(value) => found.len() == 1 && found.iter().all(|v| printed(v) == *value),
                })
            }
        }
    }

    /// What is said of a pod for which it holds.
    pub const fn met(&self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            _ => "condition met",
        }
    }

    /// For messages.
    pub fn wanted(&self) -> String {
        match self {
            Self::Status { kind, value } if value == "true" => format!("the condition {kind}"),
            Self::Status { kind, value } => format!("the condition {kind}={value}"),
            Self::Phase(phase) => format!("the phase {phase}"),
            Self::Deleted => "the deletion".into(),
            Self::Created => "the creation".into(),
            Self::Path { text, value: None, .. } => text.clone(),
            Self::Path { text, value: Some(value), .. } => format!("{text}={value}"),
        }
    }
}

fn matches(condition: &Value, key: &str, want: &str) -> bool {
    condition.get(key).and_then(Value::as_str).is_some_and(|is| is.eq_ignore_ascii_case(want))
}

fn printed(value: &Value) -> String {
    let mut out = String::new();
    jsonpath::text(value, &mut out);
    out
}

/// `{.a[?(@.b=="c")]}=value`: the `=` behind the closing brace, or the first one where there are no braces.
fn split(text: &str) -> (&str, Option<&str>) {
    if text.starts_with('{') {
        return match text.split_once("}=") {
            Some((path, value)) => (text.get(..=path.len()).unwrap_or(text), Some(value)),
            None => (text, None),
        };
    }
    text.split_once('=').map_or((text, None), |(path, value)| (path, Some(value)))
}

fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    inner.or_else(|| text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''))).unwrap_or(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::codec::json::to_wire;
    use crate::codec::schema::id;

    fn pod() -> PodBytes {
        let status = json!({
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "False"}]
        });
        PodBytes::from_sections(b"", b"", &to_wire(id::POD_STATUS, &status).unwrap().bytes, b"")
    }

    #[test]
    fn what_can_be_waited_for() {
        let table = [
            ("condition=Ready", true),
            ("condition=ready", true),
            ("condition=Ready=True", true),
            ("condition=Ready=false", false),
            ("condition=Initialized", false),
            ("condition=Initialized=False", true),
            ("condition=None", false),
            ("phase=Running", true),
            ("phase=running", true),
            ("phase=Pending", false),
            ("create", true),
            ("delete", false),
            ("jsonpath={.status.podIP}", true),
            ("jsonpath={.status.hostIP}", false),
            ("jsonpath={.status.phase}=Running", true),
            ("jsonpath=.status.phase=\"Running\"", true),
            ("jsonpath={.status.phase}=Pending", false),
            ("jsonpath={.status.conditions[?(@.type==\"Ready\")].status}=True", true),
            ("jsonpath={.status.conditions[5].status}=True", false),
        ];
        for (text, want) in table {
            assert_eq!(Condition::parse(text).unwrap().holds(&pod()), Ok(want), "{text}");
        }
        for bad in
            ["", "ready", "condition=", "condition", "phase", "phase=", "phase=Runing", "jsonpath={.a", "jsonpath="]
        {
            assert!(Condition::parse(bad).unwrap_err().contains("--for"), "{bad}");
        }
    }
}
