//! Pods as objects: JSON, YAML and names, in the shape that kubectl prints.

use serde_json::{json, Value};

use super::exit::{Exit, Failure};
use crate::codec::pod_bytes::PodBytes;
use crate::codec::{json as codec, yaml_print};

/// How objects are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON with four blanks of indentation, keys sorted.
    Json,
    /// YAML, keys sorted.
    Yaml,
}

/// One pod.
///
/// # Errors
/// The bytes that the server sent are no pod.
pub fn single(pod: &PodBytes, format: Format) -> Result<String, Failure> {
    Ok(print(&value(pod)?, format))
}

/// A `List` of pods, as kubectl wraps them.
///
/// # Errors
/// The bytes that the server sent are no pod.
pub fn list(pods: &[PodBytes], format: Format) -> Result<String, Failure> {
    Ok(print(&list_value(pods)?, format))
}

/// A `List` of pods as a JSON value.
///
/// # Errors
/// The bytes that the server sent are no pod.
pub fn list_value(pods: &[PodBytes]) -> Result<Value, Failure> {
    let items = pods.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "apiVersion": "v1", "items": items, "kind": "List", "metadata": { "resourceVersion": "" } }))
}

/// A pod as a JSON value with `kind` and `apiVersion`.
///
/// # Errors
/// The bytes that the server sent are no pod.
pub fn value(pod: &PodBytes) -> Result<Value, Failure> {
    codec::pod_value(pod.as_bytes())
        .map_err(|e| Failure::new(Exit::Failure, format!("error: the server sent something that is no pod: {e}")))
}

/// Any value in one of the forms.
#[must_use]
pub fn print(value: &Value, format: Format) -> String {
    match format {
        Format::Yaml => yaml_print::print(value),
        Format::Json => {
            let mut out = String::new();
            indented(value, 0, &mut out);
            out.push('\n');
            out
        }
    }
}

/// Go's `json.MarshalIndent` with four blanks.
fn indented(value: &Value, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    match value {
        Value::Array(list) if !list.is_empty() => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                line(out, depth + 1);
                indented(item, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                line(out, depth + 1);
                codec::escape(key, out);
                out.push_str(": ");
                indented(item, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        Value::String(text) => codec::escape(text, out),
        Value::Number(n) => out.push_str(&codec::number(n)),
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> PodBytes {
        PodBytes::from_sections(b"\x0a\x01a", b"", b"", b"")
    }

    #[test]
    fn a_list_as_kubectl_prints_it() {
        let text = list(&[pod()], Format::Json).unwrap();
        assert!(
            text.starts_with(
                "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n        {\n            \"apiVersion\": \"v1\",\n"
            ),
            "{text}"
        );
        assert!(
            text.ends_with(
                "    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n"
            ),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["items"][0]["metadata"]["name"], "a");
        assert!(list(&[], Format::Json).unwrap().contains("\"items\": [],"));
    }

    #[test]
    fn one_pod_stands_alone() {
        assert!(single(&pod(), Format::Yaml).unwrap().starts_with("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"));
        let text = single(&pod(), Format::Json).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["kind"], "Pod");
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        assert_eq!(print(&json!({"a<b": [{}, [], "&", 1, true, null]}), Format::Json),
            "{\n    \"a\\u003cb\": [\n        {},\n        [],\n        \"\\u0026\",\n        1,\n        true,\n        null\n    ]\n}\n");
    }
}
