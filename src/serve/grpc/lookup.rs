//! `nodepods.v1.Lookup`: the pod behind a container id, a cgroup, an address or a UID.
//!
//! Answered from the snapshot alone. What needs other processes' `/proc` (a process id, a port) is done by `nodepods
//! whois` in the process of whoever asks, so that the daemon needs no right to look into them.

use std::net::IpAddr;

use grpcio::{Service, ServiceBuilder};

use super::headers;
use super::refusal::Refusal;
use super::reply::{self, Request};
use super::service::{answer, Answer, Handle};
use crate::codec::wire::{self, Value};
use crate::pod::cgroup::CgroupNames;
use crate::pod::lookup::text;
use crate::serve::connections::Kind;
use crate::serve::metrics::Own;
use crate::store::locate::{self, Clue, Found, FoundContainer, LEAST_PREFIX};
use crate::store::snapshot::Snapshot;

/// A `FindRequest`.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    clue: Clue,
    with_pod: bool,
}

/// The service.
pub(crate) fn service(shared: &Handle) -> Service {
    let shared = Handle::clone(shared);
    ServiceBuilder::new()
        .add_unary_handler(&reply::LOOKUP_FIND, move |ctx, request, sink| {
            let snapshot = shared.store.current();
            let reply = shared.admitted(&ctx, Kind::Unary).and_then(|()| find(&snapshot, &request));
            shared.count_own(Own::Find, &reply);
            answer(&ctx, sink, reply);
        })
        .build()
}

fn find(snapshot: &Snapshot, request: &Request) -> Result<Answer, Refusal> {
    let asked = read(request.as_ref())?;
    Refusal::unless_initialized(snapshot)?;
    let found = locate::find(snapshot, &asked.clue);
    if found.is_empty() {
        return Err(Refusal::NobodyBehind(asked.clue));
    }
    Ok(Answer { reply: response(&found, asked.with_pod).into(), headers: headers::of(snapshot) })
}

fn read(request: &[u8]) -> Result<Asked, Refusal> {
    let mut clue = None;
    let mut with_pod = false;
    for field in wire::fields(request) {
        let field = field.map_err(|e| Refusal::BadRequest(e.to_string()))?;
        match (field.number, field.value) {
            (number @ 1..=4, Value::Bytes(bytes)) => clue = Some((number, bytes)), // of a oneof the last one counts
            (5, Value::Varint(n)) => with_pod = n != 0,
            _ => {}
        }
    }
    let bad = |problem: &str| Refusal::BadRequest(problem.into());
    let (number, bytes) = clue.ok_or_else(|| bad("name a container_id, a cgroup, an ip or a pod_uid"))?;
    let text = std::str::from_utf8(bytes).map_err(|_| bad("the clue is not UTF-8"))?;
    let clue = match number {
        1 => {
            let id = text.split_once("://").map_or(text, |(_, id)| id);
            if id.len() < LEAST_PREFIX {
                return Err(bad("a container_id, or the beginning of one, has at least 4 characters"));
            }
            Clue::ContainerId(id.into())
        }
        2 => {
            let names = CgroupNames::of_process(text);
            if names.is_empty() {
                return Err(Refusal::NobodyBehind(Clue::Cgroup(names)));
            }
            Clue::Cgroup(names)
        }
        3 => Clue::Ip(text.parse::<IpAddr>().map_err(|_| bad("ip is no IPv4 or IPv6 address"))?),
        _ => Clue::PodUid(text.into()),
    };
    Ok(Asked { clue, with_pod })
}

/// A `FindResponse`.
fn response(found: &[Found], with_pod: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for one in found {
        let mut matched = Vec::new();
        let mut put = |number, value: &str| put_text(&mut matched, number, value);
        let id = &one.pod.id;
        put(1, &id.uid);
        put(2, &id.namespace);
        put(3, &id.name);
        put(4, &one.pod.phase);
        put(5, &text(&one.pod.bytes, "spec.serviceAccountName"));
        put(6, &text(&one.pod.bytes, "spec.nodeName"));
        one.pod.ips.iter().for_each(|ip| put(7, ip));
        if let Some(container) = &one.container {
            wire::put_bytes(&mut matched, 8, &encoded(container));
        }
        if with_pod {
            wire::put_bytes(&mut matched, 9, one.pod.bytes.as_bytes());
        }
        wire::put_bytes(&mut out, 1, &matched);
    }
    out.shrink_to_fit(); // gRPC takes a full vector over without a copy
    out
}

fn encoded(container: &FoundContainer) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, &container.name);
    put_text(&mut out, 2, &container.id);
    if container.kind as u64 != 0 {
        wire::put_number(&mut out, 3, container.kind as u64);
    }
    put_text(&mut out, 4, &container.image);
    put_text(&mut out, 5, &container.image_id);
    out
}

fn put_text(out: &mut Vec<u8>, number: u32, value: &str) {
    if !value.is_empty() {
        wire::put_bytes(out, number, value.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::lookup::find_request::Clue as Asks;
    use crate::proto::lookup::{found_container::Kind as ContainerKind, FindRequest, FindResponse};
    use crate::serve::grpc::testing::{entry, snapshot};
    use crate::store::snapshot::{PodEntry, RuntimeId};
    use grpcio::RpcStatusCode;
    use protobuf::Message;
    use std::sync::Arc;

    fn ask(clue: Asks, with_pod: bool) -> Vec<u8> {
        FindRequest { clue: Some(clue), with_pod, ..Default::default() }.write_to_bytes().unwrap()
    }

    #[test]
    fn requests() {
        let a = "a".repeat(64);
        let clue = |asks| read(&ask(asks, false)).map(|asked| asked.clue);
        assert_eq!(clue(Asks::ContainerId(format!("containerd://{a}"))), Ok(Clue::ContainerId(a.clone())));
        assert_eq!(clue(Asks::Ip("fd00:0::1".into())), Ok(Clue::Ip("fd00::1".parse().unwrap())));
        assert_eq!(clue(Asks::PodUid("u".into())), Ok(Clue::PodUid("u".into())));
        let names = CgroupNames { pod_uid: None, container_ids: vec![a.clone()] };
        assert_eq!(clue(Asks::Cgroup(format!("0::/init.scope\n1:cpu:/k8s.io/{a}\n"))), Ok(Clue::Cgroup(names)));
        assert!(read(&ask(Asks::PodUid("u".into()), true)).unwrap().with_pod);
        for (bad, code) in [
            (ask(Asks::ContainerId("abc".into()), false), RpcStatusCode::INVALID_ARGUMENT),
            (ask(Asks::Ip("10.0.0".into()), false), RpcStatusCode::INVALID_ARGUMENT),
            (ask(Asks::Cgroup("/user.slice".into()), false), RpcStatusCode::NOT_FOUND),
            (Vec::new(), RpcStatusCode::INVALID_ARGUMENT),
            (b"\x0a\x09rubbish".to_vec(), RpcStatusCode::INVALID_ARGUMENT),
            (b"\x22\x01\xff".to_vec(), RpcStatusCode::INVALID_ARGUMENT),
        ] {
            assert_eq!(read(&bad).unwrap_err().code(), code, "{bad:?}");
        }
    }

    #[test]
    fn typed_messages_read_what_is_written() {
        let pod = entry("u1", 1);
        let mut pod = Arc::into_inner(pod).unwrap();
        let known = |id: &str, name: &str| RuntimeId { id: id.into(), name: name.into() };
        pod.container_ids = vec![known("aaaa1", "main"), known("aaaa2", "")];
        pod.ips = vec!["10.0.0.5".into()];
        let pod: Arc<PodEntry> = Arc::new(pod);
        let current = snapshot(1, &[&pod]);
        let answer = |bytes: &[u8]| {
            let asked = read(bytes).unwrap();
            FindResponse::parse_from_bytes(&response(&locate::find(&current, &asked.clue), asked.with_pod)).unwrap()
        };
        let found = answer(&ask(Asks::ContainerId("aaaa".into()), true)).pods;
        assert_eq!(found.len(), 2);
        let first = &found[0];
        assert_eq!((first.pod_uid.as_str(), first.namespace.as_str(), first.name.as_str()), ("u1", "default", "u1"));
        assert_eq!((first.phase.as_str(), first.ips.as_slice()), ("Running", &["10.0.0.5".to_string()][..]));
        assert_eq!((first.container.name.as_str(), first.container.id.as_str()), ("main", "aaaa1"));
        assert_eq!(first.pod, pod.bytes.as_bytes());
        assert_eq!(found[1].container.kind.unwrap(), ContainerKind::SANDBOX);
        let found = answer(&ask(Asks::Ip("10.0.0.5".into()), false)).pods;
        assert!(found[0].container.is_none() && found[0].pod.is_empty());
    }
}
