use proptest::prelude::*;

use super::*;
use crate::codec::time::Time;
use crate::pod::instance::{End, Instance};

fn pod(n: u8, size: usize) -> PodBytes {
    PodBytes::from_sections(&[0x0a, 1, n], &[], &[], &wire_bytes(9, size))
}

fn wire_bytes(number: u32, size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_bytes(&mut out, number, &vec![7; size]);
    out
}

fn kept(origin: &str, uid: Option<&str>) -> Kept {
    let manifest = Manifest {
        name: "web".into(),
        namespace: "shop".into(),
        uid: uid.map(str::to_owned),
        metadata: vec![0x0a, 3, b'w', b'e', b'b'],
        spec: vec![],
    };
    let source = if origin.starts_with("http") { SourceId::Http } else { SourceId::File };
    Kept { source, origin: origin.into(), manifest: manifest.into() }
}

fn ended() -> Instance {
    let end = End { finished: Some(Time::from_unix(7)), exit_code: 1, reason: "Error".into() };
    Instance { container: "web".into(), id: "containerd://a".into(), end: Some(end), ..Instance::default() }
}

fn sample() -> Checkpoint {
    Checkpoint {
        revision: u64::MAX,
        as_of_ms: 1_700_000_000_000,
        pods: vec![pod(1, 0), pod(2, 300)],
        manifests: vec![kept("/m/web.yaml", None), kept("http://127.0.0.1/pods", Some("u"))],
        ended: Arc::new([("u".to_owned(), vec![ended()].into())].into()),
    }
}

#[test]
fn reads_what_it_writes() {
    for checkpoint in [Checkpoint::default(), sample()] {
        let Encoded { bytes, left_out } = checkpoint.encode();
        assert_eq!((Checkpoint::decode(&bytes), left_out), (Ok(checkpoint), 0));
    }
}

#[test]
fn the_hash_is_the_published_one() {
    // Vectors of the FNV reference (draft-eastlake-fnv).
    let vectors = [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)];
    for (text, hash) in vectors {
        assert_eq!(fnv1a(text.as_bytes()), hash, "{text:?}");
    }
}

#[test]
fn what_does_not_fit_is_left_out_and_counted() {
    let checkpoint = Checkpoint { pods: vec![pod(1, 10), pod(2, 5000), pod(3, 20)], ..sample() };
    let Encoded { bytes, left_out } = checkpoint.encode_within(1000);
    assert!(bytes.len() <= 1000);
    assert_eq!(left_out, 1);
    let read = Checkpoint::decode(&bytes).unwrap();
    assert_eq!(read.pods, [pod(1, 10), pod(3, 20)]);
    assert_eq!(read.manifests, checkpoint.manifests);
}

#[test]
fn refusals_say_why() {
    let good = sample().encode().bytes;
    let length = good.len() as u64;
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Checkpoint::decode(&bytes)
    };
    assert_eq!(Checkpoint::decode(b""), Err(CheckpointError::Foreign));
    assert_eq!(Checkpoint::decode(b"apiVersion: v1\nkind: Pod\nmetadata: {}"), Err(CheckpointError::Foreign));
    assert_eq!(with(8, 2), Err(CheckpointError::Newer(2)));
    assert_eq!(with(8, 0), Err(CheckpointError::Foreign));
    assert_eq!(with(40, good[40] ^ 1), Err(CheckpointError::Checksum));
    let cut = &good[..good.len() - 1];
    assert_eq!(Checkpoint::decode(cut), Err(CheckpointError::Length { want: length, have: length - 1 }));
    let long = [&good[..], b"x"].concat();
    assert_eq!(Checkpoint::decode(&long), Err(CheckpointError::Length { want: length, have: length + 1 }));
}

/// A right head for any body.
fn sealed(body: &[u8]) -> Vec<u8> {
    head(body).chain(body.iter().copied()).collect()
}

#[test]
fn a_reader_skips_what_it_does_not_know() {
    let mut body = wire_bytes(99, 3);
    wire::put_number(&mut body, REVISION, 5);
    let read = Checkpoint::decode(&sealed(&body)).unwrap();
    assert_eq!(read, Checkpoint { revision: 5, ..Checkpoint::default() });
}

proptest! {
    #[test]
    fn rubbish_is_refused_or_read_and_never_worse(bytes: Vec<u8>) {
        prop_assert!(Checkpoint::decode(&bytes).is_err());
        let _ = Checkpoint::decode(&sealed(&bytes));
        let _ = Kept::decode(&bytes);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed(at in 0_usize..400, bit in 0_u8..8) {
        let good = sample().encode().bytes;
        let mut bytes = good.clone();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(Checkpoint::decode(&bytes).is_err());
        prop_assert!(Checkpoint::decode(&good[..at]).is_err());
    }
}
