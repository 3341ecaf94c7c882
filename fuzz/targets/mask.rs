//! Any mask on any pod: text up to the first line feed is the mask, the rest is the pod.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodepods::codec::mask::Mask;
use nodepods::codec::{canonical, json, wire};

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (text, pod) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let masks = [std::str::from_utf8(text).ok().and_then(|t| Mask::parse(t).ok()), Mask::parse_binary(text).ok()];
    let readable = canonical::pod(pod);
    for mask in masks.into_iter().flatten() {
        let shown = mask.apply(pod); // bytes that are no pod give something or nothing, and never a panic
        let Ok(pod) = &readable else { continue };
        if mask.is_everything() {
            assert_eq!(shown.as_slice(), pod_or(data, at), "a mask that shows everything changes nothing");
        }
        let once = mask.apply(pod.as_bytes());
        assert!(wire::fields(&once).all(|f| f.is_ok()), "what a mask shows is a message");
        assert!(once.len() <= pod.as_bytes().len(), "a mask adds nothing");
        assert_eq!(mask.apply(&once), once, "a mask shows all of what it shows");
        // It is a pod that can be printed, as the whole pod could.
        json::pod_value(&once).expect("what a mask shows is a pod");
    }
});

fn pod_or(data: &[u8], at: usize) -> &[u8] {
    data.get(at + 1..).unwrap_or_default()
}
