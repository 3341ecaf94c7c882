//! Any bytes as an encoded pod: the canonical form, its JSON, and the way back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodepods::codec::pod_bytes::PodBytes;
use nodepods::codec::schema::id;
use nodepods::codec::{canonical, json, yaml, yaml_print};

fuzz_target!(|data: &[u8]| {
    let _ = PodBytes::from_wire(data);
    let _ = json::pod_value(data);
    let Ok(pod) = canonical::pod(data) else { return };
    let again = canonical::pod(pod.as_bytes()).expect("what is canonical can be read");
    assert_eq!(again.as_bytes(), pod.as_bytes(), "canonical is a fixed point");
    // Times, quantities and text that no API server would take have no JSON.
    let Ok(value) = json::pod_value(pod.as_bytes()) else { return };
    let mut text = String::new();
    json::write_pod(pod.as_bytes(), &mut text).expect("what is a value can be written");
    let parsed: serde_json::Value = serde_json::from_str(&text).expect("what is written is JSON");
    assert_eq!(parsed, value, "the writer and the value agree");
    // What JSON says once more, as a manifest in YAML would.
    let Ok(encoded) = json::to_wire(id::POD, &value) else { return };
    let back = json::pod_value(&encoded.bytes).expect("what was encoded can be read");
    assert_eq!(back, value, "through JSON and back");
    let printed = yaml_print::print(&value);
    let read = yaml::parse(printed.as_bytes()).expect("what is printed is YAML");
    assert_eq!(read.value, value, "through YAML and back");
});
