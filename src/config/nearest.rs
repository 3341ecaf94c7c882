//! Which known word a mistyped one was meant to be.

/// The candidate that is closest to `word`, if one is close enough to be what was meant: at most a third of its
/// letters changed, added, left out or swapped with a neighbour.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let best = candidates.into_iter().map(|c| (distance(word, c), c)).min_by_key(|(d, _)| *d)?;
    let allowed = (best.1.chars().count() / 3).max(1);
    (best.0 <= allowed).then_some(best.1)
}

/// Optimal string alignment distance.
#[allow(clippy::indexing_slicing)] // rows are as long as `b` plus one
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut cost = (above[j] + usize::from(a[i] != b[j])).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_recognised_and_strangers_are_not() {
        let words = ["socket", "socket-mode", "state-dir", "output"];
        let table = [
            ("sokcet", Some("socket")),
            ("sockets", Some("socket")),
            ("statedir", Some("state-dir")),
            ("ouptut", Some("output")),
            ("kubeconfig", None),
            ("", None),
        ];
        for (word, want) in table {
            assert_eq!(nearest(word, words), want, "{word}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("x", []), None);
    }
}
