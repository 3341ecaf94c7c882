//! `storage.Pod` as protobuf. Fields: `proto/storage/deployment.proto`.

use super::pod::{ContainerInstance, InstanceId, Pod, Runtime};
use crate::codec::time::Time;
use crate::codec::wire::{fields, put_bytes, put_number, Value, WireError};

/// The encoded pod. Zero values are left out, as proto3 has it.
#[must_use]
pub fn encode(pod: &Pod) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, value) in
        [(1, &pod.id), (2, &pod.name), (3, &pod.deployment_id), (4, &pod.namespace), (5, &pod.cluster_id)]
    {
        put_text(&mut out, number, value);
    }
    for instance in &pod.live_instances {
        put_bytes(&mut out, 6, &encode_instance(instance));
    }
    for instances in &pod.terminated_instances {
        let mut list = Vec::new();
        for instance in instances {
            put_bytes(&mut list, 1, &encode_instance(instance));
        }
        put_bytes(&mut out, 7, &list);
    }
    put_time(&mut out, 8, pod.started);
    out
}

fn encode_instance(instance: &ContainerInstance) -> Vec<u8> {
    let (mut out, mut id) = (Vec::new(), Vec::new());
    put_int(&mut id, 1, instance.instance_id.container_runtime as i32);
    put_text(&mut id, 2, &instance.instance_id.id);
    put_text(&mut id, 3, &instance.instance_id.node);
    put_bytes(&mut out, 1, &id);
    put_text(&mut out, 2, &instance.containing_pod_id);
    for ip in &instance.container_ips {
        put_bytes(&mut out, 3, ip.as_bytes());
    }
    put_time(&mut out, 4, instance.started);
    put_text(&mut out, 5, &instance.image_digest);
    put_text(&mut out, 6, &instance.container_name);
    put_time(&mut out, 7, instance.finished);
    put_int(&mut out, 8, instance.exit_code);
    put_text(&mut out, 9, &instance.termination_reason);
    out
}

fn put_text(out: &mut Vec<u8>, number: u32, value: &str) {
    if !value.is_empty() {
        put_bytes(out, number, value.as_bytes());
    }
}

fn put_int(out: &mut Vec<u8>, number: u32, value: i32) {
    if value != 0 {
        put_number(out, number, i64::from(value) as u64);
    }
}

/// `google.protobuf.Timestamp`. Nothing here has fractions of a second.
fn put_time(out: &mut Vec<u8>, number: u32, time: Option<Time>) {
    if let Some(time) = time {
        let mut message = Vec::new();
        if time.unix() != 0 {
            put_number(&mut message, 1, time.unix() as u64);
        }
        put_bytes(out, number, &message);
    }
}

/// Reads an encoded pod. Fields that are not known are skipped.
///
/// # Errors
/// The bytes are not a protobuf message.
pub fn decode(bytes: &[u8]) -> Result<Pod, WireError> {
    let mut pod = Pod::default();
    for field in fields(bytes) {
        let field = field?;
        let Value::Bytes(value) = field.value else { continue };
        match field.number {
            1 => pod.id = text(value),
            2 => pod.name = text(value),
            3 => pod.deployment_id = text(value),
            4 => pod.namespace = text(value),
            5 => pod.cluster_id = text(value),
            6 => pod.live_instances.push(decode_instance(value)?),
            7 => {
                let mut instances = Vec::new();
                for field in fields(value) {
                    if let (1, Value::Bytes(instance)) = field.map(|f| (f.number, f.value))? {
                        instances.push(decode_instance(instance)?);
                    }
                }
                pod.terminated_instances.push(instances);
            }
            8 => pod.started = Some(time(value)?),
            _ => {}
        }
    }
    Ok(pod)
}

fn decode_instance(bytes: &[u8]) -> Result<ContainerInstance, WireError> {
    let mut instance = ContainerInstance::default();
    for field in fields(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(value)) => instance.instance_id = decode_id(value)?,
            (2, Value::Bytes(value)) => instance.containing_pod_id = text(value),
            (3, Value::Bytes(value)) => instance.container_ips.push(text(value)),
            (4, Value::Bytes(value)) => instance.started = Some(time(value)?),
            (5, Value::Bytes(value)) => instance.image_digest = text(value),
            (6, Value::Bytes(value)) => instance.container_name = text(value),
            (7, Value::Bytes(value)) => instance.finished = Some(time(value)?),
            (8, Value::Varint(value)) => instance.exit_code = value as i32,
            (9, Value::Bytes(value)) => instance.termination_reason = text(value),
            _ => {}
        }
    }
    Ok(instance)
}

fn decode_id(bytes: &[u8]) -> Result<InstanceId, WireError> {
    let mut id = InstanceId::default();
    for field in fields(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Varint(1)) => id.container_runtime = Runtime::Docker,
            (1, Value::Varint(2)) => id.container_runtime = Runtime::Crio,
            (2, Value::Bytes(value)) => id.id = text(value),
            (3, Value::Bytes(value)) => id.node = text(value),
            _ => {}
        }
    }
    Ok(id)
}

fn time(bytes: &[u8]) -> Result<Time, WireError> {
    let mut seconds = 0;
    for field in fields(bytes) {
        if let (1, Value::Varint(n)) = field.map(|f| (f.number, f.value))? {
            seconds = n as i64;
        }
    }
    Ok(Time::from_unix(seconds))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::replica;
    use proptest::prelude::*;

    #[test]
    fn reads_what_it_writes() {
        let mut pod = Pod::of(&replica(), &[]);
        pod.cluster_id = "c".into();
        pod.live_instances[0].instance_id.container_runtime = Runtime::Crio;
        pod.live_instances[0].exit_code = -1;
        assert_eq!(decode(&encode(&pod)), Ok(pod));
        assert!(encode(&Pod::default()).is_empty());
    }

    #[test]
    fn field_numbers_of_the_reference() {
        let instance = ContainerInstance { container_name: "c".into(), exit_code: 3, ..ContainerInstance::default() };
        let started = Some(Time::from_unix(5));
        let pod = Pod { name: "p".into(), terminated_instances: vec![vec![instance]], started, ..Pod::default() };
        assert_eq!(encode(&pod), b"\x12\x01p\x3a\x09\x0a\x07\x0a\x00\x32\x01c\x40\x03\x42\x02\x08\x05");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
