//! SHA-1 (RFC 3174), for version 5 UUIDs and nothing else: as protection against malice it is worth nothing.

const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
const BLOCK: usize = 64;

/// The digest of `parts`, one behind the other.
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut message = parts.concat();
    let bits = (message.len() as u64).wrapping_mul(8);
    message.push(0x80);
    while message.len() % BLOCK != BLOCK - 8 {
        message.push(0);
    }
    message.extend_from_slice(&bits.to_be_bytes());
    let mut state = START;
    for block in message.chunks_exact(BLOCK) {
        state = round(state, block);
    }
    let mut out = [0; 20];
    for (to, from) in out.iter_mut().zip(state.iter().flat_map(|word| word.to_be_bytes())) {
        *to = from;
    }
    out
}

fn round(state: [u32; 5], block: &[u8]) -> [u32; 5] {
    // The schedule needs the last 16 words only: each new one takes the place of the oldest.
    let mut words: Vec<u32> =
        block.chunks_exact(4).map(|b| b.iter().fold(0, |word, byte| word << 8 | u32::from(*byte))).collect();
    let word = |words: &[u32], t: usize| words.get(t % 16).copied().unwrap_or_default();
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for t in 0..80 {
        if t >= 16 {
            let mixed = word(&words, t + 13) ^ word(&words, t + 8) ^ word(&words, t + 2) ^ word(&words, t);
            if let Some(oldest) = words.get_mut(t % 16) {
                *oldest = mixed.rotate_left(1);
            }
        }
        let (mix, constant) = match t {
            0..20 => (b & c | !b & d, 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6u32),
        };
        let next =
            a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(word(&words, t)).wrapping_add(constant);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    let [s0, s1, s2, s3, s4] = state;
    [s0.wrapping_add(a), s1.wrapping_add(b), s2.wrapping_add(c), s3.wrapping_add(d), s4.wrapping_add(e)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 3174 and of FIPS 180-4, and the lengths around a block's end.
    #[test]
    fn known_digests() {
        let hex = |text: &[u8]| sha1(&[text]).iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(b""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            hex(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        );
        assert_eq!(hex(&[b'a'; 1_000_000]), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        assert_eq!(sha1(&[b"a", b"", b"bc"]), sha1(&[b"abc"]));
    }
}
