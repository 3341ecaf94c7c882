//! Builds a document from the events of the YAML parser, on a stack of its own.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use serde_json::{Map, Value};

use super::marks::{Children, Entry, Mark};
use super::outdent::Outdented;
use super::scalar::{self, Scalar};
use super::{advice, Document, Duplicate, YamlError, MAX_COPIED, MAX_DEPTH, MAX_DUPLICATES, MAX_NODES};

pub(super) fn parse(source: &str) -> Result<Document, YamlError> {
    let mut text = Outdented::new(source);
    loop {
        match read(&text) {
            Ok(read) => return read,
            Err(refused) if text.moves(&refused) => {}
            Err(refused) => {
                let refused = error(text.mark(refused.marker()), advice::plain(refused.info()));
                return Err(advice::at_the_tab(refused, source));
            }
        }
    }
}

/// What the parser refuses, and within what it takes, what we do.
fn read(text: &Outdented<'_>) -> Result<Result<Document, YamlError>, ScanError> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text.text());
    while let Some(event) = parser.next_event() {
        let (event, span) = event?;
        // further documents are not even looked at, as in Go
        if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
            break;
        }
        if let Err(e) = builder.event(event, text.mark(&span.start)) {
            return Ok(Err(e));
        }
    }
    Ok(Ok(builder.document))
}

fn error(mark: Mark, problem: impl Into<String>) -> YamlError {
    YamlError { line: mark.line, column: mark.column, problem: problem.into() }
}

/// What a value takes up, for the limits on copies.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.bytes += other.bytes;
    }
}

/// A complete value.
#[derive(Clone)]
struct Built {
    value: Value,
    node: Option<u32>,
    size: Size,
    /// The text of a scalar as a key; `Err` says why it cannot be one. `None` for a collection.
    key: Option<Result<String, String>>,
    /// A plain `<<`.
    merge: bool,
}

enum Content {
    List(Vec<Value>, Vec<Entry>),
    Map(Members),
}

#[derive(Default)]
struct Members {
    values: Map<String, Value>,
    entries: Vec<(Box<str>, Entry)>,
    /// Keys that came from a merge; to set them again is no mistake.
    merged: BTreeSet<String>,
    pending: Option<(Key, Mark)>,
}

enum Key {
    Name(String),
    Merge,
}

/// A collection that is not complete.
struct Frame {
    content: Content,
    anchor: usize,
    mark: Mark,
    size: Size,
}

#[derive(Default)]
struct Builder {
    document: Document,
    open: Vec<Frame>,
    anchors: BTreeMap<usize, Built>,
    nodes: usize,
    copied: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, mark: Mark) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let built = read_scalar(&text, style, tag.as_deref()).map_err(|p| error(mark, p))?;
                self.complete(built, anchor, mark)
            }
            Event::SequenceStart(anchor, _) => self.begin(Content::List(Vec::new(), Vec::new()), anchor, mark),
            Event::MappingStart(anchor, _) => self.begin(Content::Map(Members::default()), anchor, mark),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(id) => {
                let Some(named) = self.anchors.get(&id) else {
                    return Err(error(mark, "an alias stands inside the value that it names; remove it"));
                };
                let size = named.size;
                self.copy(size, mark)?;
                let Some(named) = self.anchors.get(&id).cloned() else { return Ok(()) };
                self.place(Built { merge: false, ..named }, mark)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, content: Content, anchor: usize, mark: Mark) -> Result<(), YamlError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(error(
                mark,
                format!("more than {MAX_DEPTH} lists and mappings within each other; write fewer levels"),
            ));
        }
        self.count(1, mark)?;
        self.open.push(Frame { content, anchor, mark, size: Size { nodes: 1, bytes: 0 } });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let (value, children) = match frame.content {
            Content::List(values, entries) => (Value::Array(values), Children::List(entries)),
            Content::Map(members) => (Value::Object(members.values), Children::Map(members.entries)),
        };
        let node = Some(self.document.marks.add(children));
        let built = Built { value, node, size: frame.size, key: None, merge: false };
        self.remember(&built, frame.anchor, frame.mark)?;
        self.place(built, frame.mark)
    }

    fn complete(&mut self, built: Built, anchor: usize, mark: Mark) -> Result<(), YamlError> {
        self.count(1, mark)?;
        self.remember(&built, anchor, mark)?;
        self.place(built, mark)
    }

    fn remember(&mut self, built: &Built, anchor: usize, mark: Mark) -> Result<(), YamlError> {
        if anchor > 0 {
            self.copy(built.size, mark)?;
            self.anchors.insert(anchor, built.clone());
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, mark: Mark) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(error(
                mark,
                format!("more than {MAX_NODES} values, those that aliases repeat included; write fewer"),
            ));
        }
        Ok(())
    }

    fn copy(&mut self, size: Size, mark: Mark) -> Result<(), YamlError> {
        self.copied = self.copied.saturating_add(size.bytes);
        if self.copied > MAX_COPIED {
            return Err(error(
                mark,
                format!("anchors and aliases copy more than {} MiB; write fewer", MAX_COPIED >> 20),
            ));
        }
        self.count(size.nodes, mark)
    }

    /// Puts a complete value where it belongs: as the root, an element, a key or the value of a key.
    fn place(&mut self, built: Built, mark: Mark) -> Result<(), YamlError> {
        let path = self.duplicate_path();
        let Some(frame) = self.open.last_mut() else {
            self.document.marks.set_root(mark);
            self.document.value = built.value;
            return Ok(());
        };
        frame.size.add(built.size);
        let entry = Entry { mark, node: built.node };
        match &mut frame.content {
            Content::List(values, entries) => {
                values.push(built.value);
                entries.push(entry);
            }
            Content::Map(members) => match members.pending.take() {
                None => {
                    let key = match (built.merge, built.key) {
                        (true, _) => Key::Merge,
                        (false, Some(Ok(name))) => Key::Name(name),
                        (false, Some(Err(problem))) => return Err(error(mark, problem)),
                        (false, None) => {
                            return Err(error(
                                mark,
                                "a list or a mapping cannot be a key; a value that begins with { or [ needs quotes",
                            ))
                        }
                    };
                    members.pending = Some((key, mark));
                }
                Some((Key::Name(name), mark)) => {
                    members.entries.push((name.as_str().into(), Entry { mark, ..entry }));
                    let merged = members.merged.remove(&name);
                    if members.values.insert(name, built.value).is_some() && !merged {
                        if let Some(path) = path {
                            self.document.duplicates.push(Duplicate::at(&path, mark));
                        }
                    }
                }
                Some((Key::Merge, at)) => self.merge(built.value, built.node, at)?,
            },
        }
        Ok(())
    }

    /// The path of the value that is about to be placed, if its key is there already.
    fn duplicate_path(&self) -> Option<String> {
        let Content::Map(Members { pending: Some((Key::Name(name), _)), values, .. }) = &self.open.last()?.content
        else {
            return None;
        };
        if !values.contains_key(name) || self.document.duplicates.len() >= MAX_DUPLICATES {
            return None;
        }
        let mut path = String::new();
        for frame in &self.open {
            match &frame.content {
                Content::List(values, _) => {
                    let _ = write!(path, "[{}]", values.len()); // a String takes everything
                }
                Content::Map(Members { pending: Some((Key::Name(name), _)), .. }) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                Content::Map(_) => {}
            }
        }
        Some(path)
    }

    /// `<<`: takes in the members of a mapping, or of several, of which the first has the last word. As in Go,
    /// what is merged replaces what stood before it and gives way to what follows.
    fn merge(&mut self, value: Value, node: Option<u32>, mark: Mark) -> Result<(), YamlError> {
        const WANT: &str = "<< wants a mapping or a list of mappings";
        let mut sources = Vec::new();
        match value {
            Value::Object(map) => sources.push((map, node)),
            Value::Array(list) => {
                let nodes = match self.document.marks.children(node) {
                    Some(Children::List(entries)) => entries.iter().map(|e| e.node).collect(),
                    _ => Vec::new(),
                };
                for (value, node) in list.into_iter().zip(nodes).rev() {
                    let Value::Object(map) = value else { return Err(error(mark, WANT)) };
                    sources.push((map, node));
                }
            }
            _ => return Err(error(mark, WANT)),
        }
        for (map, node) in sources {
            let entries = match self.document.marks.children(node) {
                Some(Children::Map(entries)) => entries.clone(),
                _ => Vec::new(),
            };
            let Some(Frame { content: Content::Map(members), .. }) = self.open.last_mut() else { return Ok(()) };
            members.entries.extend(entries);
            for (key, value) in map {
                members.merged.insert(key.clone());
                members.values.insert(key, value);
            }
        }
        Ok(())
    }
}

fn read_scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Built, String> {
    let name = tag.map(|t| format!("{}{}", t.handle, t.suffix));
    let (scalar, decoded) = match name.as_deref() {
        None if style == ScalarStyle::Plain => (scalar::plain(text), None),
        None => (Scalar::Text, None),
        Some("!") => (scalar::plain(text), None),
        Some(name) => scalar::tagged(text, name.strip_prefix("tag:yaml.org,2002:"))?,
    };
    let text = decoded.map_or(Cow::Borrowed(text), Cow::Owned);
    Ok(Built {
        value: scalar.value(&text)?,
        node: None,
        size: Size { nodes: 1, bytes: text.len() },
        key: Some(scalar.key(&text)),
        merge: text == "<<" && tag.is_none() && style == ScalarStyle::Plain,
    })
}
