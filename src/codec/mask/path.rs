//! Paths of a field mask: splitting the text, and looking each segment up in the schema table.

use super::{MaskError, Node};
use crate::codec::schema::{id, Field, Kind, Label, Message, MessageId, Omit, Special};

/// Splits the text form at commas that stand outside brackets and trims each path. Empty text has no paths.
pub(super) fn split(text: &str) -> Result<Vec<&str>, MaskError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let (mut paths, mut start, mut quote) = (Vec::new(), 0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(q), c) if c == q => quote = None,
            (None, ',') => {
                paths.push(text.get(start..i).unwrap_or_default().trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    if quote.is_some() {
        let path = text.get(start..).unwrap_or_default().trim().to_string();
        return Err(MaskError::Syntax { path, problem: "a quote does not close" });
    }
    paths.push(text.get(start..).unwrap_or_default().trim());
    Ok(paths)
}

/// Adds what `rest` (a tail of `path`) selects of `message` to `node`.
pub(super) fn insert(node: &mut Node, message: MessageId, path: &str, rest: &str) -> Result<(), MaskError> {
    let syntax = |problem| Err(MaskError::Syntax { path: path.into(), problem });
    if rest == "*" {
        *node = Node::All;
        return Ok(());
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (segment, tail) = rest.split_at(end);
    if segment.is_empty() {
        return syntax("a segment is empty");
    }
    let row = message.message();
    let Some(found) = find(row, segment) else {
        return Err(unknown(row, path, rest, segment));
    };
    // the field itself, or the inlined field and then the member of its message
    let (outer, inner) = found;
    let target = match inner {
        None => child(node, outer.number),
        Some(member) => child(node, outer.number).and_then(|n| child(n, member.number)),
    };
    let field = inner.unwrap_or(outer);
    let before = path.len() - rest.len();
    let so_far = || path.get(..before + end).unwrap_or(path).to_string();
    // even where everything is selected already, the path must be right
    let mut scratch = Node::Fields(Vec::new());
    let target = target.unwrap_or(&mut scratch);
    if tail.is_empty() {
        *target = Node::All;
        return Ok(());
    }
    match (field.label, field.kind) {
        (Label::Map, _) => key(target, path, &so_far(), tail),
        (label, kind) => {
            let Some(tail) = tail.strip_prefix('.') else {
                return if label == Label::Repeated {
                    index(path, &so_far(), tail)
                } else {
                    syntax("only a map has keys")
                };
            };
            match kind {
                Kind::Message(id) if id.message().special == Special::None => insert(target, id, path, tail),
                _ => Err(MaskError::BelowLeaf { path: path.into(), leaf: so_far() }),
            }
        }
    }
}

/// The node of a field below `node`; `None` where `node` selects everything already.
fn child(node: &mut Node, number: u32) -> Option<&mut Node> {
    let Node::Fields(fields) = node else { return None };
    let at = match fields.binary_search_by_key(&number, |f| f.0) {
        Ok(at) => at,
        Err(at) => {
            fields.insert(at, (number, Node::Fields(Vec::new())));
            at
        }
    };
    fields.get_mut(at).map(|f| &mut f.1)
}

/// A field by its JSON name, and where it is a member of an inlined message that member.
fn find(row: &'static Message, name: &str) -> Option<(&'static Field, Option<&'static Field>)> {
    if let Some(f) = row.by_name(name).filter(|f| f.omit != Omit::Inline) {
        return Some((f, None));
    }
    inlined(row).find_map(|(outer, members)| members.by_name(name).map(|m| (outer, Some(m))))
}

fn inlined(row: &'static Message) -> impl Iterator<Item = (&'static Field, &'static Message)> {
    row.fields.iter().filter_map(|f| match f.kind {
        Kind::Message(id) if f.omit == Omit::Inline => Some((f, id.message())),
        _ => None,
    })
}

/// `['app']`, `["app"]` or `.app` after a map.
fn key(node: &mut Node, path: &str, map: &str, tail: &str) -> Result<(), MaskError> {
    let syntax = |problem| Err(MaskError::Syntax { path: path.into(), problem });
    let name = if let Some(plain) = tail.strip_prefix('.') {
        match plain {
            "*" => {
                *node = Node::All;
                return Ok(());
            }
            "" => return syntax("a segment is empty"),
            _ if plain.contains('.') => {
                return Err(MaskError::DottedKey { path: path.into(), instead: format!("{map}['{plain}']") });
            }
            _ => plain,
        }
    } else {
        let inside = tail.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        let quoted = inside.and_then(|t| {
            let single = t.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
            single.or_else(|| t.strip_prefix('"').and_then(|t| t.strip_suffix('"')))
        });
        match quoted {
            Some(k) if !k.contains(['\'', '"']) => k,
            _ => return syntax("a map key is written ['key'], and nothing follows it"),
        }
    };
    match node {
        Node::All => {}
        Node::Keys(keys) => {
            if let Err(at) = keys.binary_search_by(|k| k.as_str().cmp(name)) {
                keys.insert(at, name.to_string());
            }
        }
        Node::Fields(_) => *node = Node::Keys(vec![name.to_string()]),
    }
    Ok(())
}

/// The error for `containers[0]`, with the path that works.
fn index(path: &str, list: &str, tail: &str) -> Result<(), MaskError> {
    match tail.split_once(']') {
        Some((_, after)) => Err(MaskError::ListIndex { path: path.into(), instead: format!("{list}{after}") }),
        None => Err(MaskError::Syntax { path: path.into(), problem: "a bracket does not close" }),
    }
}

fn unknown(row: &'static Message, path: &str, rest: &str, segment: &str) -> MaskError {
    let before = path.get(..path.len() - rest.len()).unwrap_or_default();
    let after = rest.get(segment.len()..).unwrap_or_default();
    // `pod_ips` is how protobuf's own tools write podIPs.
    let plain = segment.replace('_', "");
    let rate = |name: &str| distance(&plain, name);
    let here = names(row).map(|name| (rate(name), name.to_owned()));
    // At the top, people leave the section out: `phase`.
    let sections = row.fields.iter().filter(|_| before.is_empty()).filter_map(|f| match f.kind {
        Kind::Message(id) => Some((f.name, id.message())),
        _ => None,
    });
    let below = sections.flat_map(|(section, m)| names(m).map(move |name| (rate(name), format!("{section}.{name}"))));
    let nearest = here.chain(below).min_by_key(|(d, _)| *d).map(|(_, name)| format!("{before}{name}"));
    MaskError::UnknownField {
        path: path.into(),
        segment: segment.into(),
        message: row.name.rsplit('.').next().unwrap_or(row.name),
        nearest: nearest.map(|start| real(&format!("{start}{after}")).unwrap_or(start)),
    }
}

/// JSON names of the fields of a message, those of inlined messages among them.
fn names(row: &'static Message) -> impl Iterator<Item = &'static str> {
    let own = row.fields.iter().filter(|f| f.omit != Omit::Inline);
    own.chain(inlined(row).flat_map(|(_, m)| m.fields)).map(|f| f.name)
}

/// The path itself where it is a real one, or the real one that looks most like it.
fn real(path: &str) -> Option<String> {
    match insert(&mut Node::Fields(Vec::new()), id::POD, path, path) {
        Ok(()) => Some(path.to_owned()),
        Err(MaskError::UnknownField { nearest, .. }) => nearest,
        Err(MaskError::BelowLeaf { leaf, .. }) => Some(leaf),
        // Shorter by the position, so this ends.
        Err(MaskError::ListIndex { instead, .. }) => real(&instead),
        Err(_) => None,
    }
}

/// Edit distance in which letter case counts for less than a wrong letter.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).map(|n| n * 2).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = i * 2;
        let mut left = (i + 1) * 2;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let cost = if x == *y {
                0
            } else if x.eq_ignore_ascii_case(y) {
                1
            } else {
                2
            };
            let best = (diagonal + cost).min(left + 2).min(*cell + 2);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
    }
    row.last().copied().unwrap_or(0)
}
