//! What to do about a finding: a sentence of its own beside what is wrong.

use std::borrow::Cow;

use crate::codec::schema::{id, Kind, MessageId, Omit};
use crate::config::nearest::nearest;
use crate::pod::finding::Finding;
use crate::pod::names::dns_subdomain;

/// Objects in which people look for a field that stands elsewhere.
const ELSEWHERE: [(&str, MessageId); 5] = [
    ("metadata", id::OBJECT_META),
    ("spec", id::POD_SPEC),
    ("spec.containers[]", id::CONTAINER),
    ("spec.securityContext", id::POD_SECURITY_CONTEXT),
    ("spec.containers[].securityContext", id::SECURITY_CONTEXT),
];

/// What to do about a finding; empty where the message says it all.
#[must_use]
pub fn of(finding: &Finding) -> Cow<'_, str> {
    let own = match finding.reason {
        "UnknownField" => known_field(&finding.field),
        "InvalidName" => possible_name(&finding.message),
        "UnsupportedValue" => supported(&finding.message),
        "WrongType" => type_wanted(&finding.message),
        _ => None,
    };
    match own {
        Some(hint) => Cow::Owned(hint),
        None => Cow::Borrowed(advice(&finding.message)),
    }
}

/// Whether the message does not hold the hint already.
#[must_use]
pub fn is_news(finding: &Finding, hint: &str) -> bool {
    !hint.is_empty() && !finding.message.contains(hint)
}

/// The field that was meant.
fn known_field(path: &str) -> Option<String> {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let message = message_at(parent)?;
    let names = names(message);
    let folded = names.iter().find(|n| n.eq_ignore_ascii_case(name)).copied();
    if let Some(meant) = folded.or_else(|| nearest(name, names.iter().copied())) {
        return Some(format!("did you mean {meant}?"));
    }
    let (place, _) = ELSEWHERE.into_iter().find(|(_, m)| *m != message && self::names(*m).contains(&name))?;
    Some(format!("{name} belongs under {place}"))
}

/// The message that the schema has at a path, such as `spec.containers[0]`.
fn message_at(path: &str) -> Option<MessageId> {
    let mut message = id::POD;
    for step in path.split('.').filter(|s| !s.is_empty()) {
        let name = step.split('[').next().unwrap_or_default();
        let (_, kind) = fields(message).into_iter().find(|(n, _)| *n == name)?;
        let Kind::Message(next) = kind else { return None };
        message = next;
    }
    Some(message)
}

fn names(message: MessageId) -> Vec<&'static str> {
    fields(message).into_iter().map(|(name, _)| name).collect()
}

/// The members of the JSON object, those of inlined messages among them.
fn fields(message: MessageId) -> Vec<(&'static str, Kind)> {
    let mut out = Vec::new();
    for field in message.message().fields {
        match (field.omit, field.kind) {
            (Omit::Inline, Kind::Message(inner)) => out.extend(fields(inner)),
            (Omit::Internal, _) => {}
            (_, kind) => out.push((field.name, kind)),
        }
    }
    out
}

/// The supported value that was meant, out of `Unsupported value: "a": supported values: "b", "c"`.
fn supported(message: &str) -> Option<String> {
    let (found, allowed) = message.strip_prefix("Unsupported value: ")?.split_once(": supported values: ")?;
    let allowed: Vec<&str> = allowed.split(", ").map(|a| a.trim_matches('"')).collect();
    let found = found.trim_matches('"');
    let folded = allowed.iter().find(|a| a.eq_ignore_ascii_case(found)).copied();
    match folded.or_else(|| nearest(found, allowed.iter().copied())) {
        Some(meant) => Some(format!("did you mean {meant}?")),
        None => Some(format!("write one of {}", allowed.join(", "))),
    }
}

/// How to write what the kubelet would take, out of `want a whole number, got "80"`.
fn type_wanted(message: &str) -> Option<String> {
    let (wanted, found) = message.strip_prefix("want ")?.split_once(", got ")?;
    let inside = found.strip_prefix('"').and_then(|f| f.strip_suffix('"'));
    match (wanted, inside) {
        (w, Some(number)) if w.starts_with("a whole number") && number.parse::<i64>().is_ok() => {
            Some(format!("write {number} without quotes"))
        }
        ("true or false", Some(word)) if ["true", "yes", "on", "True"].contains(&word) => {
            Some("write true, without quotes".into())
        }
        ("true or false", Some(word)) if ["false", "no", "off", "False"].contains(&word) => {
            Some("write false, without quotes".into())
        }
        ("a list", _) => Some("begin each entry in a line of its own, with '- '".into()),
        ("an object", _) if found == "a list" => Some("remove the '- ' in front: this is a map of KEY: VALUE".into()),
        ("an object", _) => Some("write a map of KEY: VALUE here".into()),
        _ => None,
    }
}

/// The nearest good name to the one in `Invalid value: "My_Name": ...`.
fn possible_name(message: &str) -> Option<String> {
    let (found, _) = message.strip_prefix("Invalid value: \"")?.split_once('"')?;
    let good: String =
        found.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let good = good.trim_matches(['-', '.']);
    (dns_subdomain(good).is_empty() && good != found).then(|| format!("write it as {good}"))
}

/// Our messages say what is wrong, then what to do; Kubernetes' own say what must hold.
fn advice(message: &str) -> &str {
    if let Some((_, advice)) = message.rsplit_once("; ") {
        return advice;
    }
    if message.starts_with("Invalid value: ") || message.starts_with("Required value: ") {
        // the value itself is quoted and may hold anything
        let after = message.rfind("\": ").map_or_else(|| message.find(": ").map(|i| i + 2), |i| Some(i + 3));
        return after.and_then(|i| message.get(i..)).unwrap_or_default();
    }
    message.strip_prefix("Forbidden: ").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(reason: &'static str, field: &str, message: &str) -> String {
        let finding = Finding { field: field.into(), ..Finding::file_error("f", reason, message.into()) };
        of(&finding).into_owned()
    }

    #[test]
    fn fields_that_were_meant() {
        let table = [
            ("spec.hostNetwrok", "did you mean hostNetwork?"),
            ("spec.HostNetwork", "did you mean hostNetwork?"),
            ("spec.containers[0].imagePullpolicy", "did you mean imagePullPolicy?"),
            ("spec.containers[0].hostNetwork", "hostNetwork belongs under spec"),
            ("spec.image", "image belongs under spec.containers[]"),
            ("spec.labels", "labels belongs under metadata"),
            ("spec.volumes[0].hostpath", "did you mean hostPath?"),
            ("spec.noSuchField", "correct its name"),
            ("nothing.like.this", "correct its name"),
        ];
        for (path, want) in table {
            assert_eq!(hint("UnknownField", path, "unknown field; correct its name"), want, "{path}");
        }
    }

    #[test]
    fn values_that_were_meant() {
        let said = |found: &str| {
            let message =
                format!("Unsupported value: {found:?}: supported values: \"Always\", \"OnFailure\", \"Never\"");
            hint("UnsupportedValue", "spec.restartPolicy", &message)
        };
        assert_eq!(said("always"), "did you mean Always?");
        assert_eq!(said("Onfailure"), "did you mean OnFailure?");
        assert_eq!(said("sometimes"), "write one of Always, OnFailure, Never");
    }

    #[test]
    fn types_that_were_meant() {
        for (message, want) in [
            ("want a whole number, got \"80\"", "write 80 without quotes"),
            ("want a whole number, got 30.5", ""),
            ("want true or false, got \"yes\"", "write true, without quotes"),
            ("want a list, got \"web\"", "begin each entry in a line of its own, with '- '"),
            ("want an object, got a list", "remove the '- ' in front: this is a map of KEY: VALUE"),
            ("want text (put it in quotes), got 1", ""),
        ] {
            assert_eq!(hint("WrongType", "spec.x", message), want, "{message}");
        }
    }

    #[test]
    fn names_that_were_meant() {
        let said =
            |name: &str| hint("InvalidName", "metadata.name", &format!("Invalid value: {name:?}: must be better"));
        assert_eq!(said("Bad_Name"), "write it as bad-name");
        assert_eq!(said("-web-"), "write it as web");
        assert_eq!(said("???"), "must be better");
    }

    #[test]
    fn what_the_message_advises() {
        let table = [
            ("static pods may not reference secrets; use a file", "use a file"),
            ("Invalid value: \"a: b\": must be a name", "must be a name"),
            ("Invalid value: 70000: must be in the range 1-65535", "70000: must be in the range 1-65535"),
            ("Required value: a pod needs at least one container", "a pod needs at least one container"),
            ("Forbidden: may not be set here", "may not be set here"),
            ("a string is wanted, not a number", ""),
        ];
        for (message, want) in table {
            assert_eq!(hint("X", "spec", message), want, "{message}");
        }
    }
}
