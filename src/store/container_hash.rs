//! The kubelet's hash of a container's name and image, which it writes on each container that it makes.

use std::fmt::Write;

/// Annotation on containers in the runtime.
pub const ANNOTATION: &str = "io.kubernetes.container.hash";

/// The hash as the annotation has it. Source: `kubernetes/kubernetes pkg/kubelet/container/helpers.go`
/// (`HashContainer`) and `pkg/util/hash`: FNV-1a with 32 bits over the way in which Go's spew prints the bytes of
/// the JSON object of the two fields, in hex without leading zeros.
#[must_use]
pub fn of(name: &str, image: &str) -> String {
    let fields = serde_json::json!({ "image": image, "name": name }).to_string();
    let mut printed = String::from("([]uint8)[");
    for (i, byte) in fields.bytes().enumerate() {
        let blank = if i == 0 { "" } else { " " };
        let _ = write!(printed, "{blank}{byte}"); // writing to a String does not fail
    }
    printed.push(']');
    let hash = printed.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    format!("{hash:x}")
}

#[cfg(test)]
mod tests {
    /// As a kubelet v1.36.2 wrote them.
    #[test]
    fn is_the_kubelets() {
        for (name, want) in [("prep", "4650c671"), ("main", "eace149f"), ("a", "bded3b6d"), ("lines", "49e3321f")] {
            assert_eq!(super::of(name, "test.local/busybox:1"), want, "{name}");
        }
    }
}
