//! Rows of cells in aligned columns, as kubectl prints them.

use super::cells::{cells, fitting};
use super::printable::printable;
use super::screen::{Screen, Tone};

/// Blanks between columns, and the least width of one with them (`kubernetes/cli-runtime pkg/printers/tabwriter.go`).
const GAP: usize = 3;
const LEAST: usize = 6;
/// What a cell without a value says.
const NONE: &str = "<none>";
/// Blanks between columns where the terminal is too narrow, and the width below which no column is cut.
const NARROW_GAP: usize = 2;
const NARROWEST: usize = 8;

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell that says how things are.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// Aligns rows. Widths grow with what was printed before, so that a watch stays in its columns.
#[derive(Debug, Default)]
pub struct Grid {
    screen: Screen,
    widths: Vec<usize>,
    rows: Vec<Vec<Cell>>,
    /// Columns that are left out, in falling order; decided with the first rows.
    left_out: Option<Vec<usize>>,
}

impl Grid {
    /// A grid without rows.
    #[must_use]
    pub fn new(screen: Screen) -> Self {
        Self { screen, ..Self::default() }
    }

    /// Makes room in the first columns for text that comes later.
    #[must_use]
    pub fn with_room_for(mut self, texts: &[&str]) -> Self {
        self.widths = texts.iter().map(|text| cells(text)).collect();
        self
    }

    /// Adds a row.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The rows since the last call, aligned, a line each. Where a terminal has no room, columns without any value are
    /// left out, and then the widest cells are cut in their middle.
    pub fn take(&mut self) -> String {
        if self.left_out.is_none() && !self.rows.is_empty() {
            self.left_out = Some(self.dispensable());
        }
        for row in &mut self.rows {
            for column in self.left_out.iter().flatten().filter(|column| **column < row.len()).collect::<Vec<_>>() {
                row.remove(*column);
            }
        }
        for row in &self.rows {
            self.widths.resize(self.widths.len().max(row.len()), 0);
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cells(&cell.text));
            }
        }
        let (widths, gap) = fitted(&self.widths, self.screen.width);
        let mut out = String::new();
        for row in self.rows.drain(..) {
            let last = row.len().saturating_sub(1);
            for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let text = cut(&printable(&cell.text), *width);
                out.push_str(&cell.tone.paint(&text, self.screen));
                if i < last {
                    let room = if gap == GAP { (width + gap).max(LEAST) } else { width + gap };
                    out.extend(std::iter::repeat_n(' ', room.saturating_sub(cells(&text))));
                }
            }
            out.push('\n');
        }
        out
    }
}

impl Grid {
    /// Columns that say nothing below their heading, if there is no room for all.
    fn dispensable(&self) -> Vec<usize> {
        let Some((first, rest)) = self.rows.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            return Vec::new();
        };
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|c| cells(&c.text)).max();
        let total: usize = (0..first.len()).filter_map(|column| Some(width(column)? + GAP)).sum();
        if self.screen.width.is_none_or(|screen| total <= screen + GAP) {
            return Vec::new();
        }
        let empty = |column: &usize| rest.iter().all(|row| row.get(*column).is_some_and(|c| c.text == NONE));
        (0..first.len()).rev().filter(empty).collect()
    }
}

/// Widths that fit into the screen, if they can be made to, and the gap between them.
fn fitted(natural: &[usize], screen: Option<usize>) -> (Vec<usize>, usize) {
    let total = |widths: &[usize], gap: usize| widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1);
    let mut widths = natural.to_vec();
    let Some(screen) = screen.filter(|screen| total(natural, GAP) > *screen) else { return (widths, GAP) };
    while total(&widths, NARROW_GAP) > screen {
        match widths.iter_mut().max().filter(|widest| **widest > NARROWEST) {
            Some(widest) => *widest -= 1,
            None => return (natural.to_vec(), NARROW_GAP), // lines that wrap say more than columns of nothing
        }
    }
    (widths, NARROW_GAP)
}

/// Text of at most `width` cells; both ends of a name tell more than its middle.
fn cut(text: &str, width: usize) -> String {
    if cells(text) <= width {
        return text.to_string();
    }
    let room = width.saturating_sub(1);
    let front: String = fitting(text.chars(), room.div_ceil(2)).collect();
    let back: Vec<char> = fitting(text.chars().rev(), room / 2).collect();
    format!("{front}…{}", back.into_iter().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: Option<usize>, rows: &[&[&str]]) -> Vec<String> {
        let mut grid = Grid::new(Screen { width, colour: false });
        rows.iter().for_each(|row| grid.row(row.iter().copied()));
        grid.take().lines().map(str::to_string).collect()
    }

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        assert_eq!(lines(None, &[&["NAME", "AGE"], &["etcd-n1", "5m"]]), ["NAME      AGE", "etcd-n1   5m"]);
        assert_eq!(lines(None, &[&["0", "5m"]]), ["0     5m"], "kubectl's columns have at least six characters");
        assert_eq!(lines(None, &[&["a\u{1b}[2J", "x"]]), ["a\u{fffd}[2J   x"], "a name cannot command the terminal");
    }

    #[test]
    fn scripts_of_wide_characters_stay_in_their_columns() {
        assert_eq!(
            lines(None, &[&["網頁伺服器", "x"], &["e\u{301}tcd", "x"]]),
            ["網頁伺服器   x", "e\u{301}tcd         x"]
        );
        let narrow = lines(Some(14), &[&["網頁伺服器網頁伺服器", "x"]]);
        assert_eq!(narrow, ["網頁…服器    x"], "no half of a character fits into what is left");
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_columns() {
        let rows: &[&[&str]] = &[&["NAMESPACE", "NAME"], &["kube-system", "coredns-5d78c9869d-x7x9q"]];
        assert_eq!(lines(Some(37), rows), ["NAMESPACE    NAME", "kube-system  coredns-5d78c9869d-x7x9q"]);
        assert_eq!(lines(Some(30), rows)[1], "kube-system  coredns-…9d-x7x9q");
        assert!(lines(Some(20), rows).iter().all(|line| line.chars().count() <= 20));
        assert_eq!(lines(Some(5), rows)[1], "kube-system  coredns-5d78c9869d-x7x9q", "too narrow for anything");
    }

    #[test]
    fn a_narrow_terminal_does_without_columns_that_say_nothing() {
        let rows: &[&[&str]] =
            &[&["NAME", "NOMINATED NODE", "IP"], &["a", "<none>", "10.0.0.1"], &["b", "<none>", "<none>"]];
        assert_eq!(lines(Some(20), rows), ["NAME   IP", "a      10.0.0.1", "b      <none>"]);
        assert_eq!(lines(None, rows)[1], "a      <none>           10.0.0.1");
    }

    #[test]
    fn a_watch_keeps_its_columns() {
        let mut grid = Grid::new(Screen::default()).with_room_for(&["MODIFIED"]);
        grid.row(["ADDED", "long-name", "x"]);
        assert_eq!(grid.take(), "ADDED      long-name   x\n");
        grid.row(["MODIFIED", "a", "x"]);
        assert_eq!(grid.take(), "MODIFIED   a           x\n");
        assert_eq!(grid.take(), "");
    }
}
