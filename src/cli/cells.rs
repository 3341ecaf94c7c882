//! How many cells of a terminal a text takes: two for the wide scripts and pictures, none for marks that stand on the
//! character before them.

use std::cmp::Ordering;

/// First and last of the characters that take two cells (UAX #11, `W` and `F`), in order. Rare symbols are left out.
const WIDE: [(u32, u32); 43] = [
    (0x1100, 0x115f),
    (0x231a, 0x231b),
    (0x2329, 0x232a),
    (0x23e9, 0x23ec),
    (0x23f0, 0x23f0),
    (0x23f3, 0x23f3),
    (0x25fd, 0x25fe),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x267f, 0x267f),
    (0x2693, 0x2693),
    (0x26a1, 0x26a1),
    (0x26aa, 0x26ab),
    (0x26bd, 0x26be),
    (0x26c4, 0x26c5),
    (0x26ce, 0x26ce),
    (0x26d4, 0x26d4),
    (0x26ea, 0x26ea),
    (0x26fa, 0x26fa),
    (0x26fd, 0x26fd),
    (0x2705, 0x2705),
    (0x270a, 0x270b),
    (0x2728, 0x2728),
    (0x274c, 0x274c),
    (0x2753, 0x2755),
    (0x2757, 0x2757),
    (0x2795, 0x2797),
    (0x2b1b, 0x2b1c),
    (0x2b50, 0x2b50),
    (0x2e80, 0x3029),
    (0x302e, 0x303e),
    (0x3041, 0x3098),
    (0x309b, 0x3247),
    (0x3250, 0xa4cf),
    (0xa960, 0xa97c),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6b),
    (0xff01, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f300, 0x1f64f),
    (0x1f680, 0x1f9ff),
    (0x20000, 0x3fffd),
];

/// First and last of the characters that take none: marks of the common scripts, joiners, variation selectors.
const NONE: [(u32, u32); 18] = [
    (0x300, 0x36f),
    (0x483, 0x489),
    (0x591, 0x5bd),
    (0x610, 0x61a),
    (0x64b, 0x65f),
    (0x93c, 0x93c),
    (0x941, 0x948),
    (0x94d, 0x94d),
    (0xe31, 0xe31),
    (0xe34, 0xe3a),
    (0xe47, 0xe4e),
    (0x1160, 0x11ff),
    (0x1dc0, 0x1dff),
    (0x200b, 0x200d),
    (0x20d0, 0x20f0),
    (0x3099, 0x309a),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
];

/// Cells of a line of text.
#[must_use]
pub fn cells(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(of).sum()
}

/// As many of these characters as fit into so many cells.
pub fn fitting(chars: impl Iterator<Item = char>, room: usize) -> impl Iterator<Item = char> {
    let mut taken = 0;
    chars.take_while(move |c| {
        taken += of(*c);
        taken <= room
    })
}

fn of(c: char) -> usize {
    let is_in = |ranges: &[(u32, u32)]| {
        let place = |(first, last): &(u32, u32)| match u32::from(c) {
            n if n < *first => Ordering::Greater,
            n if n > *last => Ordering::Less,
            _ => Ordering::Equal,
        };
        ranges.binary_search_by(place).is_ok()
    };
    match c {
        '\0'..='\u{2ff}' => 1,
        _ if is_in(&WIDE) => 2,
        _ => usize::from(!is_in(&NONE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_a_terminal_shows_them() {
        for (text, want) in [
            ("", 0),
            ("web-1", 5),
            ("größe", 5),
            ("網頁", 4),
            ("e\u{301}t", 2),
            ("한", 2),
            ("✅ ok", 5),
            ("…", 1),
            ("🦀", 2),
        ] {
            assert_eq!(cells(text), want, "{text}");
        }
        assert_eq!(fitting("a網頁".chars(), 4).collect::<String>(), "a網", "half a character fits nowhere");
    }

    #[test]
    fn the_tables_are_in_order() {
        for table in [&WIDE[..], &NONE[..]] {
            assert!(table.windows(2).all(|w| w[0].1 < w[1].0) && table.iter().all(|(first, last)| first <= last));
        }
    }
}
