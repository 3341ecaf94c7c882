//! Indented lines whose values stand below each other: cells end with a tab, and neighbouring lines that have a cell
//! share its width (Go's `text/tabwriter` with a padding of two, which kubectl uses).

use crate::cli::cells;
use crate::cli::printable::printable;

/// Blanks behind the widest cell.
const PADDING: usize = 2;

/// Lines while they are written.
#[derive(Debug, Default)]
pub struct Lines(Vec<Vec<String>>);

impl Lines {
    /// A line; tabs in `text` end cells.
    pub fn line(&mut self, level: usize, text: &str) {
        let mut cells: Vec<String> = text.split('\t').map(printable).collect();
        if let Some(first) = cells.first_mut() {
            first.insert_str(0, &"  ".repeat(level));
        }
        self.0.push(cells);
    }

    /// `NAME:` and a value.
    pub fn field(&mut self, level: usize, name: &str, value: &str) {
        self.line(level, &format!("{name}:\t{value}"));
    }

    /// `NAME:` and a value, unless that is empty.
    pub fn given(&mut self, level: usize, name: &str, value: &str) {
        if !value.is_empty() {
            self.field(level, name, value);
        }
    }

    /// `NAME:` and one value a line, all below the first.
    pub fn list(&mut self, level: usize, name: &str, values: &[String]) {
        match values.split_first() {
            None => self.field(level, name, "<none>"),
            Some((first, rest)) => {
                self.field(level, name, first);
                rest.iter().for_each(|value| self.line(level, &format!("\t{value}")));
            }
        }
    }

    /// The text.
    pub fn finish(self) -> String {
        let lines = self.0;
        let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len().saturating_sub(1)]).collect();
        let columns = widths.iter().map(Vec::len).max().unwrap_or(0);
        for column in 0..columns {
            let mut start = 0;
            while start < lines.len() {
                // A run of lines that have this cell.
                let run = widths.iter().skip(start).take_while(|w| w.len() > column).count();
                let cells = lines.iter().skip(start).take(run).filter_map(|cells| cells.get(column));
                let width = cells.map(|cell| cells::cells(cell) + PADDING).max().unwrap_or(0);
                widths.iter_mut().skip(start).take(run).filter_map(|w| w.get_mut(column)).for_each(|w| *w = width);
                start += run.max(1);
            }
        }
        let mut out = String::new();
        for (cells, widths) in lines.iter().zip(&widths) {
            for (i, cell) in cells.iter().enumerate() {
                let width = widths.get(i).copied().unwrap_or(0);
                out.push_str(cell);
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(cells::cells(cell))));
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_their_columns() {
        let mut lines = Lines::default();
        lines.field(0, "Name", "web");
        lines.list(0, "Labels", &["a=b".into(), "c=d".into()]);
        lines.line(0, "Containers:");
        lines.field(2, "Image", "x");
        lines.field(2, "Image ID", "y");
        lines.list(0, "Tolerations", &[]);
        assert_eq!(
            lines.finish(),
            "Name:    web\n\
             Labels:  a=b\n         c=d\n\
             Containers:\n    Image:     x\n    Image ID:  y\n\
             Tolerations:   <none>\n"
        );
    }
}
