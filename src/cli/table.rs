//! Pods as rows, in kubectl's columns.

use super::grid::{Cell, Grid};
use super::screen::{Screen, Tone};
use crate::codec::pod_bytes::PodBytes;
use crate::pod::columns::Columns;
use crate::pod::lookup;

/// Which columns are shown.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// NAMESPACE in front.
    pub namespace: bool,
    /// The columns of `-o wide`.
    pub wide: bool,
    /// EVENT in front of all, for watches.
    pub event: bool,
    /// No line of headings.
    pub no_headers: bool,
    /// A column for each of these labels.
    pub label_columns: Vec<String>,
    /// All labels in a last column.
    pub show_labels: bool,
}

impl Shape {
    fn headings(&self) -> Vec<String> {
        let mut row = Vec::new();
        row.extend(self.event.then_some("EVENT"));
        row.extend(self.namespace.then_some("NAMESPACE"));
        row.extend(["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
        if self.wide {
            row.extend(["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]);
        }
        let mut row: Vec<String> = row.into_iter().map(str::to_string).collect();
        row.extend(self.label_columns.iter().map(|key| key.rsplit('/').next().unwrap_or_default().to_uppercase()));
        row.extend(self.show_labels.then(|| "LABELS".to_string()));
        row
    }

    fn cells(&self, event: &str, pod: &PodBytes, now: i64) -> Vec<Cell> {
        let c = Columns::of(pod, now);
        let tone = tone(&c);
        let mut row = Vec::new();
        row.extend(self.event.then(|| event.into()));
        row.extend(self.namespace.then(|| c.namespace.into()));
        row.extend([c.name.into(), c.ready.into(), Cell::toned(c.status, tone), c.restarts.into(), c.age.into()]);
        if self.wide {
            row.extend([c.ip, c.node, c.nominated_node, c.readiness_gates].map(Cell::from));
        }
        let label = |key: &String| lookup::label(pod, key).map_or_else(String::new, std::borrow::Cow::into_owned);
        row.extend(self.label_columns.iter().map(|key| Cell::from(label(key))));
        row.extend(self.show_labels.then(|| Cell::from(labels(pod))));
        row
    }
}

/// `key=value,...`, as kubectl joins them.
fn labels(pod: &PodBytes) -> String {
    let labels: Vec<_> = lookup::labels(pod).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    if labels.is_empty() {
        "<none>".into()
    } else {
        labels.join(",")
    }
}

/// What a STATUS says about the state of things.
fn tone(c: &Columns) -> Tone {
    let all_ready = c.ready.split_once('/').is_some_and(|(ready, all)| ready == all);
    match c.status.as_str() {
        "Running" if all_ready => Tone::Good,
        "Completed" | "Succeeded" => Tone::Faint,
        "Running" | "Pending" | "NotReady" | "Terminating" | "ContainerCreating" | "PodInitializing" | "Unknown"
        | "SchedulingGated" => Tone::Careful,
        status => match status.strip_prefix("Init:") {
            Some(progress) if progress.starts_with(|c: char| c.is_ascii_digit()) => Tone::Careful,
            _ => Tone::Bad,
        },
    }
}

/// A table of pods.
#[derive(Debug)]
pub struct Table {
    shape: Shape,
    grid: Grid,
}

impl Table {
    /// A table that begins with its headings.
    #[must_use]
    pub fn new(shape: Shape, screen: Screen) -> Self {
        let mut grid = Grid::new(screen);
        if shape.event {
            grid = grid.with_room_for(&["MODIFIED"]); // the longest event comes later than the first rows
        }
        if !shape.no_headers {
            grid.row(shape.headings());
        }
        Self { shape, grid }
    }

    /// Adds the row of a pod.
    pub fn pod(&mut self, event: &str, pod: &PodBytes, now: i64) {
        self.grid.row(self.shape.cells(event, pod, now));
    }

    /// The rows since the last call, aligned.
    pub fn take(&mut self) -> String {
        self.grid.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(namespace: &str, name: &str) -> PodBytes {
        let mut metadata = Vec::new();
        crate::codec::wire::put_bytes(&mut metadata, 1, name.as_bytes());
        crate::codec::wire::put_bytes(&mut metadata, 3, namespace.as_bytes());
        crate::codec::wire::put_bytes(&mut metadata, 11, b"\x0a\x03app\x12\x01x");
        PodBytes::from_sections(&metadata, b"", b"\x0a\x07Running", b"")
    }

    fn table(shape: Shape) -> String {
        let mut table = Table::new(shape, Screen::default());
        table.pod("", &pod("kube-system", "etcd-n1"), 0);
        table.pod("", &pod("web", "a"), 0);
        table.take()
    }

    #[test]
    fn rows_as_kubectl_prints_them() {
        assert_eq!(
            table(Shape { namespace: true, ..Shape::default() }),
            "NAMESPACE     NAME      READY   STATUS    RESTARTS   AGE\n\
             kube-system   etcd-n1   0/0     Running   0          <unknown>\n\
             web           a         0/0     Running   0          <unknown>\n"
        );
        let labels = Shape {
            label_columns: vec!["x/app".into(), "app".into()],
            show_labels: true,
            no_headers: true,
            ..Shape::default()
        };
        assert_eq!(table(labels).lines().next(), Some("etcd-n1   0/0   Running   0     <unknown>         x     app=x"));
    }

    #[test]
    fn what_is_wrong_stands_out() {
        let tone = |status: &str, ready: &str| {
            super::tone(&Columns { status: status.into(), ready: ready.into(), ..Columns::default() })
        };
        assert_eq!(tone("Running", "2/2"), Tone::Good);
        assert_eq!(tone("Running", "1/2"), Tone::Careful);
        assert_eq!(tone("Init:0/1", "0/1"), Tone::Careful);
        assert_eq!(tone("Init:Error", "0/1"), Tone::Bad);
        assert_eq!(tone("CrashLoopBackOff", "0/1"), Tone::Bad);
        assert_eq!(tone("Completed", "0/1"), Tone::Faint);
    }
}
