//! `$(NAME)` in values, commands and arguments.
//!
//! Source: `kubernetes/kubernetes third_party/forked/golang/expansion/expand.go`.

/// Replaces each `$(NAME)` by what `lookup` gives for it; one for which that is `None` stays as it stands. `$$` is a
/// dollar sign; any other `$`, and a `$(` that is never closed, stay.
///
/// # Errors
/// The first one of `lookup`.
pub fn expand<E>(text: &str, mut lookup: impl FnMut(&str) -> Result<Option<String>, E>) -> Result<String, E> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            match lookup(name)? {
                Some(value) => out.push_str(&value),
                None => out.extend(["$(", name, ")"]),
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        let lookup = |name: &str| -> Result<Option<String>, ()> {
            Ok(match name {
                "VAR_A" => Some("A"),
                "VAR_B" => Some("B"),
                "VAR_REF" => Some("$(VAR_A)"),
                "VAR_EMPTY" => Some(""),
                "" => None,
                _ => None,
            }
            .map(str::to_string))
        };
        for (text, want) in [
            ("", ""),
            ("plain", "plain"),
            ("$(VAR_A)", "A"),
            ("___$(VAR_B)___", "___B___"),
            ("$(VAR_A)$(VAR_B)", "AB"),
            ("$(VAR_EMPTY)x", "x"),
            ("$(VAR_REF)", "$(VAR_A)"),
            ("$(NOPE)-$(VAR_A)", "$(NOPE)-A"),
            ("$$(VAR_A)", "$(VAR_A)"),
            ("$$$(VAR_A)", "$A"),
            ("$$$$(VAR_A)", "$$(VAR_A)"),
            ("$VAR_A", "$VAR_A"),
            ("${VAR_A}", "${VAR_A}"),
            ("$(VAR_A", "$(VAR_A"),
            ("$(VAR_A$(VAR_B)", "$(VAR_A$(VAR_B)"),
            ("a$", "a$"),
            ("a$$", "a$"),
            ("$)", "$)"),
            ("$()", "$()"),
            ("$(VAR_A))", "A)"),
            ("\u{e4}$(VAR_A)\u{e4}", "\u{e4}A\u{e4}"),
        ] {
            assert_eq!(expand(text, lookup).as_deref(), Ok(want), "{text}");
        }
        assert_eq!(expand("a $(X)", |n| Err::<Option<String>, _>(n.to_string())), Err("X".to_string()));
    }
}
