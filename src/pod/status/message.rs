//! Termination messages: what the runtime says, then what the container left, cut as the kubelet cuts.

/// Bytes of termination messages that one pod may have (`kubernetes/kubernetes pkg/kubelet/container`,
/// `MaxPodTerminationMessageLogLength`), divided among its containers.
const POD_LIMIT: usize = 12 * 1024;

/// Composes the message of a container that has ended. Bytes that are not UTF-8 are replaced by U+FFFD: the kubelet
/// serves them raw, and strict protobuf decoders then refuse the whole pod.
#[must_use]
pub fn compose(from_runtime: &str, log: &[u8], containers: usize) -> String {
    let mut message = from_runtime.as_bytes().to_vec();
    if !message.is_empty() && !log.is_empty() {
        message.extend_from_slice(b": ");
    }
    message.extend_from_slice(log);
    let limit = POD_LIMIT / containers.max(1);
    let kept = message.get(..limit).map_or(message.as_slice(), |cut| match std::str::from_utf8(cut) {
        // the limit fell into a character, which goes as a whole
        Err(e) if e.error_len().is_none() => cut.get(..e.valid_up_to()).unwrap_or(cut),
        _ => cut,
    });
    String::from_utf8_lossy(kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let long = vec![b'x'; 4096];
        let accents = "é".repeat(2000);
        let table: [(&str, &[u8], usize, String); 7] = [
            ("", b"bye\n", 1, "bye\n".into()),
            ("failed to start", b"", 1, "failed to start".into()),
            ("failed", b"log", 1, "failed: log".into()),
            ("", b"a\xff\xfeb\xc3\xa9", 1, "a\u{fffd}\u{fffd}bé".into()),
            ("", &long, 3, "x".repeat(4096)),
            ("", &long, 6, "x".repeat(2048)),
            ("", accents.as_bytes(), 9, "é".repeat(682)), // 1365 bytes end in the middle of one
        ];
        for (runtime, log, containers, want) in table {
            assert_eq!(compose(runtime, log, containers), want);
        }
    }
}
