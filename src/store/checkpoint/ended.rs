//! The ended instances of one pod, as bytes: 1 uid, 2 instance (repeated). An instance: 1 container, 2 id,
//! 3 `image_id`, 4 ip (repeated), 5 started and 6 finished in seconds since the epoch, 7 exit code, 8 reason.

use std::sync::Arc;

use crate::codec::time::Time;
use crate::codec::wire::{fields, put_bytes, put_number, Value, WireError};
use crate::pod::instance::{End, Instance, MOST_ENDED};

/// Most instances that are read for one pod, so that a file cannot fill the memory: ten each of a hundred containers.
const MOST: usize = 100 * MOST_ENDED;

pub(super) fn encode(uid: &str, instances: &[Instance]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 1, uid.as_bytes());
    for instance in instances {
        let mut bytes = Vec::new();
        let end = instance.end.clone().unwrap_or_default();
        let texts = [(1, &instance.container), (2, &instance.id), (3, &instance.image_id)];
        for (number, text) in texts.into_iter().chain(instance.ips.iter().map(|ip| (4, ip))).chain([(8, &end.reason)]) {
            put_bytes(&mut bytes, number, text.as_bytes());
        }
        for (number, time) in [(5, instance.started), (6, end.finished)] {
            if let Some(time) = time {
                put_number(&mut bytes, number, time.unix() as u64);
            }
        }
        put_number(&mut bytes, 7, i64::from(end.exit_code) as u64);
        put_bytes(&mut out, 2, &bytes);
    }
    out
}

pub(super) fn decode(bytes: &[u8]) -> Result<(String, Arc<[Instance]>), WireError> {
    let (mut uid, mut instances) = (String::new(), Vec::new());
    for field in fields(bytes) {
        match field.map(|f| (f.number, f.value))? {
            (1, Value::Bytes(b)) => uid = text(b),
            (2, Value::Bytes(b)) if instances.len() < MOST => instances.push(instance(b)?),
            _ => {}
        }
    }
    Ok((uid, instances.into()))
}

fn instance(bytes: &[u8]) -> Result<Instance, WireError> {
    let (mut instance, mut end) = (Instance::default(), End::default());
    for field in fields(bytes) {
        match field.map(|f| (f.number, f.value))? {
            (1, Value::Bytes(b)) => instance.container = text(b),
            (2, Value::Bytes(b)) => instance.id = text(b),
            (3, Value::Bytes(b)) => instance.image_id = text(b),
            (4, Value::Bytes(b)) => instance.ips.push(text(b)),
            (5, Value::Varint(n)) => instance.started = Some(Time::from_unix(n as i64)),
            (6, Value::Varint(n)) => end.finished = Some(Time::from_unix(n as i64)),
            (7, Value::Varint(n)) => end.exit_code = n as i32,
            (8, Value::Bytes(b)) => end.reason = text(b),
            _ => {}
        }
    }
    Ok(Instance { end: Some(end), ..instance })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ended() -> impl Strategy<Value = Instance> {
        let texts = ("[a-z]{0,5}", "[a-z:/]{0,9}", "[a-z@:]{0,9}", "[A-Za-z]{0,9}");
        let rest =
            (proptest::collection::vec("[0-9.]{1,9}", 0..2), any::<Option<i32>>(), any::<Option<i32>>(), any::<i32>());
        (texts, rest).prop_map(|((container, id, image_id, reason), (ips, started, finished, exit_code))| {
            let time = |seconds: Option<i32>| seconds.map(|s| Time::from_unix(s.into()));
            let end = Some(End { finished: time(finished), exit_code, reason });
            Instance { container, id, image_id, ips, started: time(started), end }
        })
    }

    proptest! {
        #[test]
        fn written_and_read(instances in proptest::collection::vec(ended(), 0..4)) {
            let (uid, read) = decode(&encode("u", &instances)).unwrap();
            prop_assert_eq!((uid.as_str(), read.as_ref()), ("u", instances.as_slice()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
