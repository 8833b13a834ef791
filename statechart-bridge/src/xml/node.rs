//! Elements with their places, and the checks that all of them need.

use std::sync::Arc;

use roxmltree::{Document, ParsingOptions};

use super::ast::Text;
use super::error::{one_of, problem};
use crate::Place;
use crate::Problem;

/// A longer file is no model.
pub(crate) const LONGEST: usize = 16 * 1024 * 1024;
/// States in states, and everything around them.
const DEEPEST: usize = 128;
const MOST_NODES: u32 = 1_000_000;

/// A file and where its lines begin.
pub(crate) struct Source<'a> {
    name: Arc<str>,
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(name: Arc<str>, text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { name, text, lines }
    }

    pub(crate) fn parse(&self) -> Result<Document<'a>, Problem> {
        if self.text.len() > LONGEST {
            let message = format!("{} bytes: expected {LONGEST} at most", self.text.len());
            return Err(problem(Place::new(Arc::clone(&self.name), 0, 0), message));
        }
        let options = ParsingOptions {
            nodes_limit: MOST_NODES,
            ..ParsingOptions::default()
        };
        Document::parse_with_options(self.text, options).map_err(|error| {
            let at = error.pos();
            // The library's text ends with the place, which ours begins with.
            let text = error.to_string();
            let what = text.rsplit_once(" at ").map_or(&*text, |(what, _)| what);
            let place = Place::new(Arc::clone(&self.name), at.row, at.col);
            problem(place, format!("not well-formed XML: {what}"))
        })
    }

    /// The place of a byte.
    fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Place::new(Arc::clone(&self.name), number(line), number(column + 1))
    }
}

/// An element.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    node: roxmltree::Node<'a, 'a>,
    source: &'a Source<'a>,
    depth: usize,
}

impl<'a> Node<'a> {
    pub(crate) fn root(document: &'a Document<'a>, source: &'a Source<'a>) -> Self {
        let node = document.root_element();
        Self { node, source, depth: 0 }
    }

    pub(crate) fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    pub(crate) fn namespace(&self) -> Option<&'a str> {
        self.node.tag_name().namespace()
    }

    pub(crate) fn place(&self) -> Place {
        self.source.place(self.node.range().start)
    }

    /// An error at this element.
    pub(crate) fn error(&self, message: impl Into<String>) -> Problem {
        problem(self.place(), message)
    }

    /// An error that says that this child doesn't belong here.
    pub(crate) fn unexpected(&self, child: &Node<'_>, expected: &[&str]) -> Problem {
        let (parent, child_name) = (self.name(), child.name());
        child.error(format!(
            "element `{child_name}` in `{parent}` is unknown: expected {}",
            one_of(expected)
        ))
    }

    /// Refuses all attributes but these.
    pub(crate) fn only(&self, expected: &[&str]) -> Result<(), Problem> {
        for attribute in self.node.attributes() {
            if attribute.namespace().is_some() || !expected.contains(&attribute.name()) {
                let place = self.source.place(attribute.range().start);
                let (element, name) = (self.name(), attribute.name());
                let message = match expected {
                    [] => format!("element `{element}` takes no attributes, but has `{name}`"),
                    _ => format!(
                        "attribute `{name}` of `{element}` is unknown: expected {}",
                        one_of(expected)
                    ),
                };
                return Err(problem(place, message));
            }
        }
        Ok(())
    }

    /// The attribute, if it is there.
    pub(crate) fn attribute(&self, name: &str) -> Option<Text> {
        let attribute = self
            .node
            .attributes()
            .find(|attribute| attribute.namespace().is_none() && attribute.name() == name)?;
        let place = self.source.place(attribute.range_value().start);
        Some(Text::new(attribute.value(), place))
    }

    /// The attribute, if it is there; it must not be empty then.
    pub(crate) fn filled(&self, name: &str) -> Result<Option<Text>, Problem> {
        match self.attribute(name) {
            Some(text) if text.text.trim().is_empty() => Err(problem(
                text.place,
                format!("attribute `{name}` of `{}` is empty", self.name()),
            )),
            text => Ok(text),
        }
    }

    /// The attribute, which must be there and not empty.
    pub(crate) fn required(&self, name: &str) -> Result<Text, Problem> {
        self.filled(name)?
            .ok_or_else(|| self.error(format!("element `{}` needs the attribute `{name}`", self.name())))
    }

    /// An attribute that is true or false.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.attribute(name) {
            None => Ok(false),
            Some(text) => match &*text.text.trim().to_ascii_lowercase() {
                "true" | "1" | "yes" => Ok(true),
                "false" | "0" | "no" | "" => Ok(false),
                other => Err(problem(
                    text.place,
                    format!("attribute `{name}` is `{other}`: expected true or false"),
                )),
            },
        }
    }

    /// The child elements; text between them is refused.
    pub(crate) fn children(&self) -> Result<Vec<Node<'a>>, Problem> {
        let depth = self.depth + 1;
        if depth > DEEPEST {
            return Err(self.error(format!("{DEEPEST} elements inside each other: expected fewer")));
        }
        let mut children = Vec::new();
        for node in self.node.children() {
            if node.is_element() {
                let source = self.source;
                children.push(Node { node, source, depth });
            } else if let Some(text) = node.text().filter(|_| node.is_text())
                && !text.trim().is_empty()
            {
                let start = self.inner_start(node, text);
                return Err(problem(
                    self.source.place(start),
                    format!("text in `{}`, which takes only elements", self.name()),
                ));
            }
        }
        Ok(children)
    }

    /// Where the first character that is no space stands.
    fn inner_start(&self, node: roxmltree::Node<'_, '_>, text: &str) -> usize {
        let start = node.range().start;
        let spaces = text.len() - text.trim_start().len();
        start + if self.is_cdata(start) { CDATA.len() } else { 0 } + spaces
    }

    fn is_cdata(&self, at: usize) -> bool {
        self.source.text.get(at..).is_some_and(|rest| rest.starts_with(CDATA))
    }

    /// Refuses children.
    pub(crate) fn leaf(&self) -> Result<(), Problem> {
        match self.children()?.first() {
            None => Ok(()),
            Some(child) => Err(self.unexpected(child, &[])),
        }
    }

    /// The text inside, which may be in a CDATA section; elements are refused.
    pub(crate) fn text(&self) -> Result<Text, Problem> {
        let mut text = String::new();
        let mut place = None;
        for node in self.node.children() {
            if node.is_element() {
                let child = Node { node, ..*self };
                return Err(child.error(format!(
                    "element `{}` in `{}`, which takes only text (write `<` as `&lt;`, or use a CDATA section)",
                    child.name(),
                    self.name()
                )));
            }
            if let Some(part) = node.text().filter(|_| node.is_text()) {
                let start = node.range().start;
                if place.is_none() {
                    let skip = if self.is_cdata(start) { CDATA.len() } else { 0 };
                    place = Some(self.source.place(start + skip));
                }
                text.push_str(part);
            }
        }
        Ok(Text::new(&text, place.unwrap_or_else(|| self.place())))
    }
}

const CDATA: &str = "<![CDATA[";
