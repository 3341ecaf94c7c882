//! Where the values of a document stand in its text.

/// A place in a text; line and column count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mark {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// The places of all values of a document. A member stands where its key stands, an element where it begins.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    root: Mark,
    nodes: Vec<Children>,
}

/// The members or elements of one value. What stands behind an alias is there once, however often it is used.
#[derive(Clone, Debug)]
pub(super) enum Children {
    List(Vec<Entry>),
    /// Of a key that occurs twice the last entry counts.
    Map(Vec<(Box<str>, Entry)>),
}

/// One member or element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) mark: Mark,
    /// Position of its own children; `None` for a scalar.
    pub(super) node: Option<u32>,
}

impl Marks {
    /// Keeps the children of one value; gives their position.
    pub(super) fn add(&mut self, children: Children) -> u32 {
        self.nodes.push(children);
        (self.nodes.len() - 1) as u32 // far fewer nodes than 2^32 are let in
    }

    pub(super) fn set_root(&mut self, mark: Mark) {
        self.root = mark;
    }

    pub(super) fn children(&self, node: Option<u32>) -> Option<&Children> {
        self.nodes.get(node? as usize)
    }

    /// The place of the value with this path, such as `spec.containers[0].image` or
    /// `metadata.labels[example.com/name]`; where there is none, the place of the nearest parent that exists.
    #[must_use]
    pub fn locate(&self, path: &str) -> Option<Mark> {
        // the root is the last node: it is complete after all others
        let mut here = Entry { mark: self.root, node: self.nodes.len().checked_sub(1).map(|n| n as u32) };
        for step in steps(path) {
            let next = match self.children(here.node) {
                Some(Children::List(list)) => step.parse().ok().and_then(|i: usize| list.get(i)),
                Some(Children::Map(map)) => map.iter().rev().find(|(key, _)| **key == *step).map(|(_, entry)| entry),
                None => None,
            };
            match next {
                Some(entry) => here = *entry,
                None => break,
            }
        }
        (here.mark != Mark::default()).then_some(here.mark)
    }
}

/// Splits a path at its dots and brackets; dots within brackets belong to a key.
fn steps(mut path: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        path = path.strip_prefix('.').unwrap_or(path);
        if path.is_empty() {
            return None;
        }
        let (step, rest) = match path.strip_prefix('[') {
            Some(inner) => inner.split_once(']').unwrap_or((inner, "")),
            None => path.split_at(path.find(['.', '[']).unwrap_or(path.len())),
        };
        path = rest;
        Some(step)
    })
}
