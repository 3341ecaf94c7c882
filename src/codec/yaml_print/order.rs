//! The order of keys (`kubernetes-sigs/yaml goyaml.v2/sorter.go`): numbers within names by their value, so that
//! `a2` comes before `a10`, and letters after other characters.

use std::cmp::Ordering;

/// Compares two keys.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (Some(x), Some(y)) = (a.get(same), b.get(same)) else {
        return a.len().cmp(&b.len());
    };
    let before = a.get(..same).unwrap_or_default();
    let in_digits = before.last().is_some_and(|c| c.is_numeric());
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => x.cmp(y),
        // behind digits the shorter number comes first, elsewhere letters come last
        (true, false) if in_digits => Ordering::Less,
        (false, true) if in_digits => Ordering::Greater,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            // a zero within a number does not begin a number of its own
            let zero = *x == '0' || *y == '0';
            let within = before.iter().rev().take_while(|c| c.is_numeric()).any(|c| *c != '0');
            let start = i64::from(zero && within);
            let (n, m) = (run(&a, same, start), run(&b, same, start));
            n.cmp(&m).then(x.cmp(y))
        }
    }
}

/// The number that begins here and its last place.
fn run(chars: &[char], at: usize, start: i64) -> (i64, usize) {
    let digits = chars.get(at..).unwrap_or_default().iter().map_while(|c| c.to_digit(10));
    digits.fold((start, at), |(n, end), d| (n.wrapping_mul(10).wrapping_add(i64::from(d)), end + 1))
}
