//! `/v1/pods` and `/v1/export/pods`: the pod query and export of StackRox, as its gateway speaks HTTP.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::etag::Tag;
use super::indent::Indenter;
use super::outgoing::{Outgoing, Woken};
use super::query::Query as Parameters;
use super::reply::{self, Produce, Reply};
use super::request::{Method, Request};
use super::shared::Shared;
use super::warning;
use crate::query::{json, Export, Page, Pagination, Pod, Query, SortOption};
use crate::serve::export::{self, ExportError};
use crate::store::snapshot::Snapshot;

const PODS: &str = "/v1/pods";
const EXPORT_PODS: &str = "/v1/export/pods";

/// What stands under a path below `/v1`; `None` where nothing does.
pub(crate) fn name(path: &[String]) -> Option<&'static str> {
    [PODS, EXPORT_PODS].into_iter().find(|name| name.split('/').skip(1).eq(path))
}

/// The answer to a request below `/v1`.
pub(crate) fn answer(shared: &Shared, request: &Request) -> Reply {
    let (answered, failed): (_, fn(&ExportError) -> String) = match name(&request.path) {
        _ if request.method == Method::Other => (Err(ExportError::Method), export::unary_error),
        Some(PODS) => (sound(request).and_then(|()| pods(shared, request)), export::unary_error),
        Some(EXPORT_PODS) => (sound(request).and_then(|()| export_pods(shared, request)), export::error_frame),
        _ => (Err(ExportError::Path), export::unary_error),
    };
    answered.unwrap_or_else(|error| {
        let mut text = Text::of(request);
        let body = text.line(&failed(&error)).to_vec();
        let mut reply = Reply::bytes(reply::JSON, body).with_code(error.http().0);
        match error {
            ExportError::Method => reply.add("Allow", "GET, HEAD".into()),
            ExportError::NotReady => reply.add("Retry-After", "1".into()),
            _ => {}
        }
        reply
    })
}

/// Whether the parameters can be read.
fn sound(request: &Request) -> Result<(), ExportError> {
    request.flaw.as_ref().map_or(Ok(()), |flaw| Err(ExportError::Message(flaw.message())))
}

/// One page of pods.
fn pods(shared: &Shared, request: &Request) -> Result<Reply, ExportError> {
    let query = query(&request.query)?;
    let page = Page::new(&pagination(&request.query)?)?;
    let snapshot = known(shared)?;
    Ok(tagged(request, &snapshot, |snapshot| PodsBody { snapshot, query, page, text: Text::of(request) }))
}

/// All pods, a line each.
fn export_pods(shared: &Shared, request: &Request) -> Result<Reply, ExportError> {
    let seconds = number(&request.query, "timeout")?;
    let deadline = export::deadline(seconds, Instant::now())?;
    let query = query(&request.query)?;
    let snapshot = known(shared)?;
    Ok(tagged(request, &snapshot, |snapshot| {
        let pods = Export::new(snapshot, query);
        ExportBody { pods, seconds, deadline, text: Text::of(request) }
    }))
}

/// An answer with an entity tag; 304 where the client has it already.
fn tagged<B: Produce + 'static>(
    request: &Request,
    snapshot: &Arc<Snapshot>,
    body: impl FnOnce(Arc<Snapshot>) -> B,
) -> Reply {
    let tag = Tag::of(request, (), snapshot.revision);
    let mut reply = match tag.is_known(request) {
        true => Reply::not_modified(),
        false => Reply::produced(reply::JSON, body(Arc::clone(snapshot))),
    };
    tag.add(&mut reply);
    warning::add(&mut reply, snapshot);
    reply
}

fn known(shared: &Shared) -> Result<Arc<Snapshot>, ExportError> {
    shared.known().map_err(|_| ExportError::NotReady)
}

fn query(parameters: &Parameters) -> Result<Query, ExportError> {
    Ok(Query::parse(text(parameters, "query")?)?)
}

fn pagination(parameters: &Parameters) -> Result<Pagination, ExportError> {
    let reversed = match text(parameters, "pagination.sortOption.reversed")? {
        "" | "false" | "0" | "f" | "F" | "FALSE" | "False" => false,
        "true" | "1" | "t" | "T" | "TRUE" | "True" => true,
        other => return Err(wrong("pagination.sortOption.reversed", other, "true or false")),
    };
    let aggregated = match text(parameters, "pagination.sortOption.aggregateBy.aggrFunc")? {
        "" | "UNSET" | "0" => false,
        "COUNT" | "MIN" | "MAX" | "1" | "2" | "3" => true,
        other => return Err(wrong("pagination.sortOption.aggregateBy.aggrFunc", other, "UNSET, COUNT, MIN or MAX")),
    };
    let field = text(parameters, "pagination.sortOption.field")?.to_owned();
    Ok(Pagination {
        limit: number(parameters, "pagination.limit")?,
        offset: number(parameters, "pagination.offset")?,
        sort: vec![SortOption { field, reversed, aggregated }],
    })
}

fn number(parameters: &Parameters, name: &'static str) -> Result<i32, ExportError> {
    match text(parameters, name)? {
        "" => Ok(0),
        text => text.parse().map_err(|_| wrong(name, text, "a whole number of 32 bits")),
    }
}

/// The value of a parameter, empty where it was not given. Its name is in lower camel case; a gateway takes the names
/// of the proto files as well (`sort_option`), and ignores what it does not know.
fn text<'a>(parameters: &'a Parameters, name: &'static str) -> Result<&'a str, ExportError> {
    let mut values = parameters.pairs().filter(|(key, _)| camel(key) == name).map(|(_, value)| value);
    let first = values.next().unwrap_or_default();
    match values.find(|other| *other != first) {
        None => Ok(first),
        Some(other) => Err(wrong(name, other, &format!("{first:?}, as which it was given too"))),
    }
}

fn wrong(name: &'static str, value: &str, wanted: &str) -> ExportError {
    ExportError::Parameter(name, value.to_owned(), wanted.to_owned())
}

/// `sort_option` as `sortOption`.
fn camel(key: &str) -> String {
    let mut parts = key.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut rest = part.chars();
        out.extend(rest.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(rest.as_str());
    }
    out
}

/// Lines of JSON, indented where `?pretty` asks for it.
struct Text {
    pretty: bool,
    line: Vec<u8>,
}

impl Text {
    fn of(request: &Request) -> Self {
        Self { pretty: request.query.get("pretty").is_some(), line: Vec::new() }
    }

    /// The text with the end of its line.
    fn line(&mut self, compact: &str) -> &[u8] {
        self.line.clear();
        if self.pretty {
            Indenter::default().feed(compact, &mut self.line);
        } else {
            self.line.extend_from_slice(compact.as_bytes());
        }
        self.line.push(b'\n');
        &self.line
    }
}

/// An export while it is sent. It holds one pod at a time.
struct ExportBody {
    pods: Export,
    seconds: i32,
    deadline: Option<Instant>,
    text: Text,
}

impl Produce for ExportBody {
    fn produce(&mut self, out: &mut Outgoing<'_>) -> io::Result<()> {
        let mut line = String::new();
        for pod in self.pods.by_ref() {
            let now = Instant::now();
            let late = self.deadline.is_some_and(|end| end <= now);
            let error = match out.wait(None, now) {
                Woken::Gone => return Err(io::ErrorKind::BrokenPipe.into()),
                Woken::Stopping => Some(ExportError::Stopping),
                Woken::Time | Woken::Changed => late.then_some(ExportError::Timeout(self.seconds)),
            };
            if let Some(error) = error {
                return out.write(self.text.line(&export::error_frame(&error)));
            }
            line.clear();
            export::result_frame(&pod, &mut line);
            out.write(self.text.line(&line))?;
        }
        Ok(())
    }
}

/// One page of pods while it is sent: choosing and sorting them takes the time of this thread alone.
struct PodsBody {
    snapshot: Arc<Snapshot>,
    query: Query,
    page: Page,
    text: Text,
}

impl Produce for PodsBody {
    fn produce(&mut self, out: &mut Outgoing<'_>) -> io::Result<()> {
        let mut indenter = Indenter::default();
        let pretty = self.text.pretty;
        let mut put = |text: &str| {
            let mut indented = Vec::new();
            if !pretty {
                return out.write(text.as_bytes());
            }
            indenter.feed(text, &mut indented);
            out.write(&indented)
        };
        put("{\"pods\":[")?;
        let mut text = String::new();
        for (at, entry) in self.page.of(&self.snapshot.pods, &self.query).iter().enumerate() {
            text.clear();
            if at > 0 {
                text.push(',');
            }
            json::write(&Pod::of(entry, self.snapshot.ended(&entry.id.uid)), &mut text);
            put(&text)?;
        }
        put("]}")?;
        out.write(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::named;
    use crossbeam_channel::{bounded, never, Receiver};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    /// What an export of two pods writes.
    fn exported(deadline: Option<Instant>, gone: &Receiver<()>, stopped: &Receiver<()>) -> (io::Result<()>, String) {
        let pods = vec![named("default", "a"), named("default", "b")];
        let snapshot = Arc::new(Snapshot { pods, ..Snapshot::empty(1) });
        let text = Text { pretty: false, line: Vec::new() };
        let mut body = ExportBody { pods: Export::new(snapshot, Query::default()), seconds: 7, deadline, text };
        let (mut client, server) = UnixStream::pair().unwrap();
        let server = server.into();
        let mut out = Outgoing::new(&server, false, Duration::from_secs(9), gone, stopped);
        let result = body.produce(&mut out).and_then(|()| out.finish());
        drop(server);
        let mut got = String::new();
        io::Read::read_to_string(&mut client, &mut got).unwrap();
        (result, got)
    }

    #[test]
    fn what_ends_an_export_early_is_its_last_line() {
        let (never, open) = (never(), Instant::now() + Duration::from_secs(60));
        let (sender, closed) = bounded(0);
        drop(sender);
        let (_, whole) = exported(Some(open), &never, &never);
        assert_eq!(whole.lines().filter(|line| line.starts_with("{\"result\":{\"pod\":{")).count(), 2);
        let (_, late) = exported(Some(Instant::now()), &never, &never);
        assert!(late.starts_with("{\"error\":{\"code\":4,") && late.ends_with("}}\n"), "{late}");
        let (_, stopping) = exported(None, &never, &closed);
        assert!(stopping.starts_with("{\"error\":{\"code\":14,"), "{stopping}");
        let (gone, nothing) = exported(None, &closed, &never);
        assert_eq!((gone.map_err(|e| e.kind()), nothing.as_str()), (Err(io::ErrorKind::BrokenPipe), ""));
    }

    #[test]
    fn parameters_in_both_spellings() {
        let read = |text: &str| pagination(&Parameters::parse(text).unwrap());
        let by = |field: &str, reversed, aggregated| SortOption { field: field.into(), reversed, aggregated };
        for (text, limit, want) in [
            ("", 0, by("", false, false)),
            (
                "pagination.limit=5&pagination.sortOption.field=a&pagination.sortOption.reversed=1",
                5,
                by("a", true, false),
            ),
            ("pagination.sort_option.field=a&pagination.sort_option.reversed=false&x=y", 0, by("a", false, false)),
            ("pagination.sortOption.aggregate_by.aggrFunc=COUNT", 0, by("", false, true)),
            ("pagination.sort_option.aggregateBy.aggrFunc=UNSET", 0, by("", false, false)),
        ] {
            let got = read(text).unwrap();
            assert_eq!((got.limit, got.sort.as_slice()), (limit, [want].as_slice()), "{text}");
        }
        for bad in [
            "pagination.limit=1e3",
            "pagination.offset=-",
            "pagination.sortOption.reversed=no",
            "pagination.sortOption.aggregateBy.aggrFunc=SUM",
            "pagination.sortOption.field=a&pagination.sort_option.field=b",
        ] {
            assert!(matches!(read(bad), Err(ExportError::Parameter(..))), "{bad}");
        }
    }
}
