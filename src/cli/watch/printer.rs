//! The forms in which events are shown.

use serde_json::json;

use super::news;
use crate::cli::exit::Failure;
use crate::cli::form::Form;
use crate::cli::objects::{self, Format};
use crate::cli::printable::printable;
use crate::cli::screen::{Screen, Tone};
use crate::cli::table::Table;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::time::Time;
use crate::pod::columns::Columns;

/// How events are shown.
#[derive(Debug)]
pub enum Printer {
    /// A row of a table each.
    Rows(Box<Table>),
    /// A line each that says what has changed.
    News(Screen),
    /// A line of JSON each, with the type of the event.
    Lines,
    /// The object each, in a form of `-o`.
    Objects {
        /// The form.
        form: Form,
        /// With the type of the event around JSON and YAML.
        events: bool,
    },
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub kind: &'static str,
    /// What was shown before of this pod.
    pub before: Option<&'a PodBytes>,
    /// How it is now, or was last.
    pub pod: &'a PodBytes,
    /// Seconds since the epoch.
    pub now: i64,
}

impl Printer {
    /// Lines for people.
    #[must_use]
    pub const fn news(screen: Screen) -> Self {
        Self::News(screen)
    }

    /// What `-o` says; `table` is used where it says nothing else.
    #[must_use]
    pub fn of_form(form: Form, events: bool, table: Table) -> Self {
        match form {
            Form::Table { .. } => Self::Rows(Box::new(table)),
            form => Self::Objects { form, events },
        }
    }

    /// Whether a reader would see a difference between these two.
    pub fn differ(&self, before: &PodBytes, pod: &PodBytes) -> bool {
        match self {
            // Time alone is no change: rows are compared as of the same moment.
            Self::Rows(_) => Columns::of(before, 0) != Columns::of(pod, 0),
            _ => before != pod,
        }
    }

    /// Shows one event. Rows are held back until [`Printer::rows`] asks for them.
    ///
    /// # Errors
    /// The server sent something that is no pod, or a template does not fit it.
    pub fn show(&mut self, change: Change<'_>) -> Result<String, Failure> {
        let Change { kind, before, pod, now } = change;
        match self {
            Self::Rows(table) => {
                table.pod(kind, pod, now);
                Ok(String::new())
            }
            Self::Lines => Ok(format!("{}\n", json!({ "type": kind, "object": objects::value(pod)? }))),
            Self::News(screen) => {
                let time = Time::from_unix(now).to_string();
                let time = time.split('T').nth(1).unwrap_or_default();
                let columns = Columns::of(pod, now);
                let name = printable(&format!("{}/{}", columns.namespace, columns.name));
                let what = match before {
                    Some(before) if kind == "MODIFIED" => {
                        news::between(&objects::value(before)?, &objects::value(pod)?)
                    }
                    _ if kind == "ADDED" => format!("{} {}", columns.status, columns.ready),
                    _ => String::new(),
                };
                let what = printable(&what);
                let tone = if kind == "DELETED" { Tone::Faint } else { Tone::Plain };
                let line = format!(
                    "{}  {}  {}  {what}",
                    Tone::Faint.paint(time, *screen),
                    tone.paint(&format!("{kind:8}"), *screen),
                    name
                );
                Ok(format!("{}\n", line.trim_end()))
            }
            Self::Objects { form: Form::Object(format), events: true } => {
                Ok(objects::print(&json!({ "type": kind, "object": objects::value(pod)? }), *format))
            }
            Self::Objects { form, .. } => {
                let between = if matches!(form, Form::Object(Format::Yaml)) { "---\n" } else { "" };
                Ok(format!(
                    "{between}{}",
                    form.text(std::slice::from_ref(pod), true, before.is_none(), Screen::default())?
                ))
            }
        }
    }

    /// The rows that were held back.
    pub fn rows(&mut self) -> String {
        match self {
            Self::Rows(table) => table.take(),
            _ => String::new(),
        }
    }
}
