use serde_json::json;

use super::*;
use crate::codec::json::{from_wire, to_wire};

fn put(parts: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, bytes) in parts {
        wire::put_bytes(&mut out, *number, bytes);
    }
    out
}

#[test]
fn empty_pod_has_its_sections() {
    let empty = pod(b"").unwrap();
    assert_eq!(empty.as_bytes(), b"\x0a\x00\x12\x00\x1a\x00");
    assert_eq!(empty.as_bytes(), to_wire(id::POD, &json!({})).unwrap().bytes);
}

#[test]
fn split_messages_are_joined_at_every_depth() {
    // Pod.spec.securityContext.seLinuxOptions with user and type, split at each level
    let options = |parts: &[(u32, &[u8])]| put(&[(14, &put(&[(1, &put(parts))]))]);
    let split = put(&[(2, &options(&[(1, b"u")])), (1, b""), (2, &options(&[(3, b"t")]))]);
    let whole = put(&[(1, b""), (2, &options(&[(1, b"u"), (3, b"t")])), (3, b"")]);
    assert_eq!(pod(&split).unwrap().as_bytes(), whole);
}

#[test]
fn zero_values_go_and_pointers_stay() {
    let mut raw = Vec::new();
    wire::put_number(&mut raw, 11, 0); // hostNetwork: a value
    wire::put_number(&mut raw, 4, 0); // terminationGracePeriodSeconds: a pointer
    wire::put_bytes(&mut raw, 3, b""); // restartPolicy: a value
    wire::put_bytes(&mut raw, 14, b""); // securityContext: a pointer
    let got = from_wire(id::POD_SPEC, &message(id::POD_SPEC, &raw).unwrap()).unwrap();
    assert_eq!(got, json!({"containers": null, "terminationGracePeriodSeconds": 0, "securityContext": {}}));
    let clean = to_wire(id::POD_SPEC, &got).unwrap().bytes;
    assert_eq!(message(id::POD_SPEC, &raw).unwrap(), clean);
}

#[test]
fn maps_are_sorted_and_the_last_value_wins() {
    let entry = |k: &[u8], v: &[u8]| put(&[(1, k), (2, v)]);
    let raw = put(&[(11, &entry(b"b", b"1")), (11, &entry(b"a", b"")), (11, &entry(b"b", b"2")), (11, b"")]);
    let want = put(&[(11, &entry(b"", b"")), (11, &entry(b"a", b"")), (11, &entry(b"b", b"2"))]);
    assert_eq!(message(id::OBJECT_META, &raw).unwrap(), want);
}

#[test]
fn unknown_fields_follow_in_their_order() {
    let raw = put(&[(900, b"new"), (1, b"n"), (99, b"x"), (900, b"er")]);
    let want = put(&[(1, b"n"), (900, b"new"), (99, b"x"), (900, b"er")]);
    assert_eq!(message(id::OBJECT_META, &raw).unwrap(), want);
    let odd = b"\x08\x05"; // `name` as a number: unknown
    assert_eq!(message(id::OBJECT_META, odd).unwrap(), odd);
}

#[test]
fn special_messages() {
    for (id, raw, want) in [
        (id::TIME, &b"\x08\x05\x10\x07"[..], &b"\x08\x05"[..]),
        (id::TIME, b"\x08\x00\x10\x00", b"\x08\x00"),
        (id::TIME, b"\x10\x01", b"\x08\x00"),
        (id::TIME, b"", b""),
        (id::QUANTITY, b"", b"\x0a\x010"),
        (id::QUANTITY, b"\x0a\x030.5", b"\x0a\x04500m"),
        (id::QUANTITY, b"\x0a\x01x", b"\x0a\x01x"),
        (id::INT_OR_STRING, b"\x08\x00\x10\x50\x1a\x00", b"\x10\x50"),
        (id::INT_OR_STRING, b"\x08\x01\x10\x00\x1a\x0280", b"\x08\x01\x1a\x0280"),
        (id::LINUX_CONTAINER_USER, b"\x1a\x02\x01\x02", b"\x18\x01\x18\x02"),
    ] {
        assert_eq!(message(id, raw).unwrap(), want, "{raw:?}");
    }
}

#[test]
fn strings_become_utf8_and_numbers_have_one_form() {
    assert_eq!(message(id::OBJECT_META, b"\x0a\x01\xff").unwrap(), "\u{a}\u{3}\u{fffd}".as_bytes());
    let minus = b"\x08\xff\xff\xff\xff\x0f"; // -1 as 32 bits
    assert_eq!(message(id::HOST_IP, b"\x0a\x00").unwrap(), b"");
    let got = message(id::GRPC_ACTION, minus).unwrap();
    assert_eq!(got, b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}
