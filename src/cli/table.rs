//! Pods as aligned columns, as kubectl prints them.

use crate::codec::pod_bytes::PodBytes;
use crate::pod::columns::Columns;

/// Blanks between columns (`kubernetes/cli-runtime pkg/printers/tabwriter.go`).
const GAP: usize = 3;

/// Which columns are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// NAMESPACE in front.
    pub namespace: bool,
    /// The columns of `-o wide`.
    pub wide: bool,
    /// EVENT in front of all, for watches.
    pub event: bool,
    /// No line of headings.
    pub no_headers: bool,
}

impl Shape {
    fn headings(self) -> Vec<String> {
        let mut row = Vec::new();
        if self.event {
            row.push("EVENT");
        }
        if self.namespace {
            row.push("NAMESPACE");
        }
        row.extend(["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
        if self.wide {
            row.extend(["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]);
        }
        row.into_iter().map(str::to_string).collect()
    }

    fn cells(self, event: &str, c: Columns) -> Vec<String> {
        let mut row = Vec::new();
        if self.event {
            row.push(event.to_string());
        }
        if self.namespace {
            row.push(c.namespace);
        }
        row.extend([c.name, c.ready, c.status, c.restarts, c.age]);
        if self.wide {
            row.extend([c.ip, c.node, c.nominated_node, c.readiness_gates]);
        }
        row
    }
}

/// Aligns rows. Widths grow with what was printed before, so that a watch stays in its columns.
#[derive(Debug, Default)]
pub struct Table {
    shape: Shape,
    widths: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table that begins with its headings.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let rows = if shape.no_headers { Vec::new() } else { vec![shape.headings()] };
        // The longest event comes later than the first rows.
        let widths = if shape.event { vec!["MODIFIED".len() + GAP] } else { Vec::new() };
        Self { shape, widths, rows }
    }

    /// A table with these headings, for rows of [`Table::row`]; without a line of them where there are none.
    #[must_use]
    pub fn with(headings: &[&str]) -> Self {
        let rows =
            if headings.is_empty() { Vec::new() } else { vec![headings.iter().map(ToString::to_string).collect()] };
        Self { rows, ..Self::default() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Adds the row of a pod.
    pub fn pod(&mut self, event: &str, pod: &PodBytes, now: i64) {
        self.rows.push(self.shape.cells(event, Columns::of(pod, now)));
    }

    /// The rows since the last call, aligned.
    pub fn take(&mut self) -> String {
        for row in &self.rows {
            self.widths.resize(self.widths.len().max(row.len()), 0);
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count() + GAP);
            }
        }
        let mut out = String::new();
        for row in self.rows.drain(..) {
            let last = row.len().saturating_sub(1);
            for (i, (cell, width)) in row.iter().zip(&self.widths).enumerate() {
                let clean: String = cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
                if i == last {
                    out.push_str(&clean);
                } else {
                    out.push_str(&format!("{clean:<width$}"));
                }
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(namespace: &str, name: &str) -> PodBytes {
        let mut metadata = Vec::new();
        crate::codec::wire::put_bytes(&mut metadata, 1, name.as_bytes());
        crate::codec::wire::put_bytes(&mut metadata, 3, namespace.as_bytes());
        PodBytes::from_sections(&metadata, b"", b"\x0a\x07Running", b"")
    }

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let mut table = Table::new(Shape { namespace: true, ..Shape::default() });
        table.pod("", &pod("kube-system", "etcd-n1"), 0);
        table.pod("", &pod("web", "a"), 0);
        assert_eq!(
            table.take(),
            "NAMESPACE     NAME      READY   STATUS    RESTARTS   AGE\n\
             kube-system   etcd-n1   0/0     Running   0          <unknown>\n\
             web           a         0/0     Running   0          <unknown>\n"
        );
    }

    #[test]
    fn a_watch_keeps_its_columns() {
        let mut table = Table::new(Shape { event: true, no_headers: true, ..Shape::default() });
        table.pod("MODIFIED", &pod("", "long-name"), 0);
        assert_eq!(table.take(), "MODIFIED   long-name   0/0   Running   0   <unknown>\n");
        table.pod("ADDED", &pod("", "a\u{1b}[2J"), 0);
        assert_eq!(table.take(), "ADDED      a\u{fffd}[2J       0/0   Running   0   <unknown>\n");
        assert_eq!(table.take(), "");
    }
}
