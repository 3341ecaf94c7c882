//! Copying the selected ranges of encoded bytes.

use super::Node;
use crate::codec::schema::{Kind, Label, MessageId};
use crate::codec::wire::{self, Value};

/// Appends what `node` selects of `message` to `out`. Messages on a path keep their presence and list elements
/// their place, even when nothing is left of them.
pub(super) fn node(node: &Node, id: MessageId, message: &[u8], out: &mut Vec<u8>) {
    let wanted = match node {
        Node::All => return out.extend_from_slice(message),
        Node::Fields(wanted) => wanted,
        Node::Keys(_) => return,
    };
    let row = id.message();
    for field in wire::fields(message).map_while(Result::ok) {
        let Ok(at) = wanted.binary_search_by_key(&field.number, |w| w.0) else { continue };
        let Some((_, below)) = wanted.get(at) else { continue };
        match (below, field.value, row.by_number(field.number)) {
            (Node::All, _, _) => out.extend_from_slice(field.raw),
            (Node::Keys(keys), Value::Bytes(entry), Some(f))
                if f.label == Label::Map && keys.binary_search_by(|k| k.as_bytes().cmp(map_key(entry))).is_ok() =>
            {
                out.extend_from_slice(field.raw);
            }
            (Node::Fields(_), Value::Bytes(inner), Some(f)) => {
                if let Kind::Message(id) = f.kind {
                    nested(field.number, out, |out| self::node(below, id, inner, out));
                }
            }
            _ => {}
        }
    }
}

/// The key of an encoded map entry (`{1: key, 2: value}`), empty where it has none.
fn map_key(entry: &[u8]) -> &[u8] {
    let key = wire::fields(entry).map_while(Result::ok).filter(|f| f.number == 1).last();
    match key.map(|f| f.value) {
        Some(Value::Bytes(k)) => k,
        _ => &[],
    }
}

/// Writes a length-delimited field whose content `fill` appends. One byte is kept for the length and more are
/// made room for where that was too little.
fn nested(number: u32, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    wire::put_varint(out, u64::from(number) << 3 | 2);
    let length_at = out.len();
    out.push(0);
    fill(out);
    let len = out.len() - length_at - 1;
    let mut varint = Vec::with_capacity(4);
    wire::put_varint(&mut varint, len as u64);
    out.splice(length_at..=length_at, varint);
}
