use super::*;
use crate::codec::wire::{put_bytes, put_number};

/// A field of the tests' pods: a number and either more fields or bytes.
enum T<'a> {
    M(u32, &'a [T<'a>]),
    S(u32, &'a str),
    N(u32, u64),
}
use T::{M, N, S};

fn encode(fields: &[T]) -> Vec<u8> {
    let mut out = Vec::new();
    for f in fields {
        match f {
            M(n, inner) => put_bytes(&mut out, *n, &encode(inner)),
            S(n, s) => put_bytes(&mut out, *n, s.as_bytes()),
            N(n, v) => put_number(&mut out, *n, *v),
        }
    }
    out
}

fn pod() -> Vec<u8> {
    encode(&[
        M(1, &[S(1, "web"), S(3, "default"), M(11, &[S(1, "app"), S(2, "x")]), M(11, &[S(1, "a.b/c"), S(2, "y")])]),
        M(
            2,
            &[
                M(1, &[S(1, "v"), M(2, &[M(1, &[S(1, "/etc")])])]),
                M(2, &[S(1, "c1"), S(2, "img1")]),
                M(2, &[S(2, "img2")]),
                N(11, 1),
            ],
        ),
        M(3, &[S(1, "Running"), S(6, "10.0.0.1"), M(12, &[S(1, "10.0.0.1")])]),
        S(99, "from the future"),
    ])
}

fn masked(mask: &str) -> Vec<u8> {
    Mask::parse(mask).unwrap_or_else(|e| panic!("{mask}: {e}")).apply(&pod())
}

#[test]
fn selects_what_was_asked_and_nothing_else() {
    for (mask, want) in [
        ("", pod()),
        (" * ", pod()),
        ("status.phase", encode(&[M(3, &[S(1, "Running")])])),
        ("metadata.name, status.phase", encode(&[M(1, &[S(1, "web")]), M(3, &[S(1, "Running")])])),
        ("status.podIPs", encode(&[M(3, &[M(12, &[S(1, "10.0.0.1")])])])),
        ("spec.containers.name", encode(&[M(2, &[M(2, &[S(1, "c1")]), M(2, &[])])])),
        ("spec.volumes.hostPath", encode(&[M(2, &[M(1, &[M(2, &[M(1, &[S(1, "/etc")])])])])])),
        ("spec.volumes.hostPath.path", encode(&[M(2, &[M(1, &[M(2, &[M(1, &[S(1, "/etc")])])])])])),
        ("metadata.labels['app']", encode(&[M(1, &[M(11, &[S(1, "app"), S(2, "x")])])])),
        ("metadata.labels.app", encode(&[M(1, &[M(11, &[S(1, "app"), S(2, "x")])])])),
        ("metadata.labels[\"a.b/c\"]", encode(&[M(1, &[M(11, &[S(1, "a.b/c"), S(2, "y")])])])),
        ("metadata.annotations", encode(&[M(1, &[])])),
        ("spec.hostNetwork,spec.hostNetwork", encode(&[M(2, &[N(11, 1)])])),
        ("status.phase,status", encode(&[M(3, &[S(1, "Running"), S(6, "10.0.0.1"), M(12, &[S(1, "10.0.0.1")])])])),
        ("status,status.phase", encode(&[M(3, &[S(1, "Running"), S(6, "10.0.0.1"), M(12, &[S(1, "10.0.0.1")])])])),
        (
            "metadata.labels.app,metadata.labels",
            encode(&[M(1, &[M(11, &[S(1, "app"), S(2, "x")]), M(11, &[S(1, "a.b/c"), S(2, "y")])])]),
        ),
    ] {
        assert_eq!(masked(mask), want, "{mask}");
    }
}

#[test]
fn refuses_what_is_no_path_of_a_pod() {
    for (mask, want) in [
        (
            "status.fase",
            "invalid field mask: path \"status.fase\": PodStatus has no field \"fase\"; did you mean \"status.phase\"?",
        ),
        ("status.podIps.ip", "did you mean \"status.podIPs.ip\"?"),
        ("pod_ips", "did you mean \"status.podIPs\"?"),
        ("phase", "did you mean \"status.phase\"?"),
        ("Metadata.Name", "did you mean \"metadata.name\"?"),
        ("spek.container[0].imag", "did you mean \"spec.containers.image\"?"),
        ("metadta.creationTimestamp.seconds", "did you mean \"metadata.creationTimestamp\"?"),
        ("metadata.lables['app']", "did you mean \"metadata.labels['app']\"?"),
        ("metadata.lables['app", "a quote does not close"),
        ("Status", "did you mean \"status\"?"),
        ("status.phase.x", "\"status.phase\" has no fields below it"),
        ("status.startTime.seconds", "\"status.startTime\" has no fields below it"),
        ("spec.containers.resources.limits.cpu.string", "written \"spec.containers.resources.limits['cpu.string']\""),
        ("spec.containers[0].name", "write \"spec.containers.name\""),
        ("spec.containers[0", "a bracket does not close"),
        ("metadata.labels.a.b/c", "written \"metadata.labels['a.b/c']\""),
        ("metadata.labels['a", "a quote does not close"),
        ("metadata.labels[app]", "a map key is written ['key']"),
        ("metadata.labels['a'].b", "nothing follows it"),
        ("metadata..name", "a segment is empty"),
        ("metadata.name,", "a segment is empty"),
        ("spec.volumes.volumeSource", "Volume has no field \"volumeSource\""),
        ("status,status.fase", "PodStatus has no field"),
        ("spec['x']", "only a map has keys"),
    ] {
        let got = Mask::parse(mask).map(|_| ()).map_err(|e| e.to_string());
        assert!(got.as_ref().is_err_and(|e| e.contains(want)), "{mask}: {got:?}");
    }
    assert_eq!(Mask::parse(&"a".repeat(MAX_LEN + 1)), Err(MaskError::TooLong { len: MAX_LEN + 1 }));
}

#[test]
fn the_binary_form_is_the_same_mask() {
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, 1, b"metadata.name");
    put_bytes(&mut bytes, 1, b"status.phase");
    assert_eq!(Mask::parse_binary(&bytes), Mask::parse("metadata.name,status.phase"));
    assert!(Mask::parse_binary(&[]).is_ok_and(|m| m.is_everything()));
    assert!(matches!(Mask::parse_binary(b"\xff"), Err(MaskError::NotAFieldMask(_))));
    assert_eq!(Mask::parse_binary(b"\x0a\x01\xff"), Err(MaskError::NotText));
}

#[test]
fn every_field_of_the_schema_can_be_reached() {
    use crate::codec::schema::{Kind, Label, MessageId, Omit, Special, MESSAGES};
    fn walk(id: MessageId, prefix: &str, seen: &mut Vec<MessageId>, reached: &mut usize) {
        if seen.contains(&id) {
            return;
        }
        seen.push(id);
        for f in id.message().fields {
            let path = if f.omit == Omit::Inline { prefix.to_string() } else { format!("{prefix}{}", f.name) };
            *reached += 1;
            if f.omit != Omit::Inline {
                assert!(Mask::parse(&path).is_ok(), "{path}");
            }
            if let (Kind::Message(next), true) = (f.kind, f.label != Label::Map) {
                if next.message().special == Special::None {
                    let below = if f.omit == Omit::Inline { path } else { format!("{path}.") };
                    walk(next, &below, seen, reached);
                }
            }
        }
    }
    let mut reached = 0;
    walk(id::POD, "", &mut Vec::new(), &mut reached);
    let internal = MESSAGES.iter().filter(|m| m.special != Special::None).map(|m| m.fields.len()).sum::<usize>();
    assert_eq!(reached, 640 - internal);
}

proptest::proptest! {
    #[test]
    fn hostile_bytes_and_texts_do_not_panic(bytes: Vec<u8>, text: String) {
        let _ = Mask::parse(&text);
        let _ = Mask::parse_binary(&bytes);
        for mask in ["metadata.name,spec.containers.ports,status", "metadata.labels.app,spec.volumes.hostPath.path"] {
            let _ = Mask::parse(mask).unwrap().apply(&bytes);
        }
    }
}
