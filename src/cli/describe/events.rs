//! What happened to the pod (`kubernetes/kubectl pkg/describe/describe.go`, DescribeEvents).

use serde_json::Value;

use super::lines::Lines;
use super::value::text;
use crate::codec::time::Time;
use crate::pod::columns::age;

/// The events of one pod; `None` where the daemon does not tell them.
pub fn describe(lines: &mut Lines, events: Option<&[Value]>, now: i64) {
    match events {
        None => lines.field(0, "Events", "<unknown>"),
        Some([]) => lines.field(0, "Events", "<none>"),
        Some(events) => {
            let mut events: Vec<_> = events.iter().collect();
            events.sort_by_cached_key(|event| text(event, "/lastTimestamp"));
            lines.line(0, "Events:");
            lines.line(0, "  Type\tReason\tAge\tFrom\tMessage");
            lines.line(0, "  ----\t------\t----\t----\t-------");
            events.into_iter().for_each(|event| row(lines, event, now));
        }
    }
}

fn row(lines: &mut Lines, event: &Value, now: i64) {
    let t = |pointer: &str| text(event, pointer);
    let ago =
        |pointer: &str| Time::parse(&t(pointer)).map_or_else(|| "<unknown>".to_owned(), |at| age(now - at.unix()));
    let count = event.get("count").and_then(Value::as_u64).unwrap_or(1);
    let when = match count {
        0 | 1 => ago("/firstTimestamp"),
        _ => format!("{} (x{count} over {})", ago("/lastTimestamp"), ago("/firstTimestamp")),
    };
    let from = t("/source/component");
    let message = t("/message");
    lines.line(1, &format!("{}\t{}\t{when}\t{from}\t{}", t("/type"), t("/reason"), message.trim()));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text_of(events: Option<&[Value]>) -> String {
        let mut lines = Lines::default();
        describe(&mut lines, events, 3600);
        lines.finish()
    }

    #[test]
    fn kubectls_layout() {
        let event = |first: &str, last: &str, count: u64, reason: &str, message: &str| {
            json!({
                "type": "Normal", "reason": reason, "count": count, "source": {"component": "nodepods"},
                "firstTimestamp": first, "lastTimestamp": last, "message": message,
            })
        };
        let events = [
            event("1970-01-01T00:30:00Z", "1970-01-01T00:59:50Z", 3, "Started", "Started container main\n"),
            event("1970-01-01T00:30:00Z", "1970-01-01T00:30:00Z", 1, "Created", "Created container main"),
        ];
        assert_eq!(
            text_of(Some(&events)),
            "Events:\n\
             \x20 Type    Reason   Age                From      Message\n\
             \x20 ----    ------   ----               ----      -------\n\
             \x20 Normal  Created  30m                nodepods  Created container main\n\
             \x20 Normal  Started  10s (x3 over 30m)  nodepods  Started container main\n"
        );
    }

    #[test]
    fn none_is_not_unknown() {
        assert_eq!(text_of(Some(&[])), "Events:  <none>\n");
        assert_eq!(text_of(None), "Events:  <unknown>\n");
    }
}
