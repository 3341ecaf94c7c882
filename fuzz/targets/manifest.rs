//! Any bytes as a manifest: YAML or JSON, one pod or a list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodepods::codec::schema::id;
use nodepods::codec::{canonical, json, yaml};
use nodepods::pod::manifest;

fuzz_target!(|data: &[u8]| {
    let _ = manifest::read("fuzz.yaml", data);
    let _ = manifest::read_list("fuzz", data);
    let Ok(document) = yaml::parse(data) else { return };
    let Ok(encoded) = json::to_wire(id::POD, &document.value) else { return };
    let pod = canonical::pod(&encoded.bytes).expect("what was encoded can be read");
    json::pod_value(pod.as_bytes()).expect("what JSON gave can be JSON again");
});
