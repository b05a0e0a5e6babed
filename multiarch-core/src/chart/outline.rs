//! The positions of the values in a YAML text.

use std::{borrow::Cow, ops::Range};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use crate::{
    error::{Error, ErrorKind, Result},
    limit,
};

/// A value and its position, in bytes.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    /// The value itself, without its anchor and tag.
    pub(super) span: Range<usize>,
    /// The parser's number for its anchor, if it has one.
    pub(super) anchor: Option<usize>,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    Scalar(ScalarStyle),
    /// An alias of this anchor.
    Alias(usize),
    List(Vec<Node>),
    Mapping {
        members: Vec<KeyValue>,
        flow: bool,
    },
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct KeyValue {
    pub(super) key: String,
    pub(super) key_start: usize,
    pub(super) value: Node,
    /// The key is `<<`, and the value's members are this mapping's.
    pub(super) merges: bool,
}

/// The positions of the first document's values; `None` for a text without a value.
pub(super) fn outline(text: &str) -> Result<Option<Node>> {
    let readable = super::yaml::without_tabs(text);
    let text = &*readable;
    let offsets = text.char_indices().map(|(offset, _)| offset).chain([text.len()]).collect();
    let parsed = plain_directives(text);
    let mut outliner = Outliner { text, offsets, parser: Parser::new_from_str(&parsed) };
    loop {
        match outliner.next()? {
            (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(None),
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (event, span) => return outliner.node(event, span, 0, 0).map(Some),
        }
    }
}

/// The same text, character by character, with directives in ASCII: the parser counts their bytes, and everything
/// else's characters.
fn plain_directives(text: &str) -> Cow<'_, str> {
    let lines = || text.split_inclusive(['\n', '\r']);
    let before = lines().take_while(|line| !line.starts_with("---")).count();
    let is_odd = |line: &str| line.starts_with('%') && !line.is_ascii();
    if !lines().take(before).any(is_odd) {
        return text.into();
    }
    let plain = |c: char| if c.is_ascii() { c } else { '_' };
    let plain_line = |(number, line): (usize, &str)| match number < before && is_odd(line) {
        true => line.chars().map(plain).collect(),
        false => line.to_owned(),
    };
    lines().enumerate().map(plain_line).collect::<String>().into()
}

/// The text of the value at `path`: as it is written, where YAML would read `0123` or `1e3` as a number.
pub(crate) fn scalar_text(text: &str, path: &[&str]) -> Result<Option<String>> {
    let body = text.trim_start_matches('\u{feff}');
    let Some(root) = outline(body)? else { return Ok(None) };
    let mut node = &root;
    for key in path {
        let NodeKind::Mapping { members, .. } = &node.kind else { return Ok(None) };
        match members.iter().rev().find(|member| member.key == *key) {
            Some(member) => node = &member.value,
            None => return Ok(None),
        }
    }
    Ok(match node.kind {
        NodeKind::Scalar(ScalarStyle::Plain) => Some(body[node.span.clone()].to_owned()),
        _ => {
            let value = super::yaml::parse(text.as_bytes())?;
            let value = path.iter().fold(&value, |value, key| &value[*key]);
            (!value.is_null()).then(|| super::go::format(value))
        }
    })
}

/// Where a collection ends that has nothing but empty values is known less exactly than where it begins: its
/// properties may end after it.
fn between(start: usize, end: usize) -> Range<usize> {
    start.min(end)..end
}

/// What separates tokens, for the parser: other blanks and breaks of Unicode are content.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

struct Outliner<'a> {
    text: &'a str,
    /// The byte offset of each character, because the parser counts characters.
    offsets: Vec<usize>,
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Outliner<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Range<usize>)> {
        match self.parser.next() {
            Some(Ok((event, Span { start, end, .. }))) => {
                let at = |index: usize| self.offsets.get(index).copied().unwrap_or(self.text.len());
                Ok((event, at(start.index())..at(end.index())))
            }
            Some(Err(e)) => Err(Error::caused_by(ErrorKind::Malformed, "not YAML", e)),
            None => Ok((Event::StreamEnd, self.text.len()..self.text.len())),
        }
    }

    /// Reads one value. `from` is where it may begin: after its key's colon.
    fn node(
        &mut self,
        event: Event<'_>,
        span: Range<usize>,
        from: usize,
        depth: usize,
    ) -> Result<Node> {
        limit::YAML_DEPTH.check(depth)?;
        let number = |anchor: usize| (anchor > 0).then_some(anchor);
        Ok(match event {
            Event::Alias(anchor) => Node { kind: NodeKind::Alias(anchor), span, anchor: None },
            Event::Scalar(text, style, anchor, _) => {
                let span = self.scalar(&text, style, span, from);
                Node { kind: NodeKind::Scalar(style), span, anchor: number(anchor) }
            }
            Event::SequenceStart(anchor, _) => {
                let start = self.after_properties(span.start);
                let (mut items, mut end) = (Vec::new(), span.end);
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, span) => {
                            end = self.closed(end, &span, b']');
                            break;
                        }
                        (event, span) => {
                            let item = self.node(event, span, end, depth + 1)?;
                            end = item.span.end;
                            items.push(item);
                        }
                    }
                }
                Node {
                    kind: NodeKind::List(items),
                    span: between(start, end),
                    anchor: number(anchor),
                }
            }
            Event::MappingStart(anchor, _) => {
                let start = self.after_properties(span.start);
                let flow = self.text[start..].starts_with('{');
                let (mut members, mut end) = (Vec::new(), span.end);
                loop {
                    match self.next()? {
                        (Event::MappingEnd, span) => {
                            if flow {
                                end = self.closed(end, &span, b'}');
                            }
                            break;
                        }
                        (event, span) => {
                            let member = self.member(event, span, end, depth)?;
                            end = member.value.span.end;
                            members.push(member);
                        }
                    }
                }
                let kind = NodeKind::Mapping { members, flow };
                Node { kind, span: between(start, end), anchor: number(anchor) }
            }
            _ => return Err(Error::new(ErrorKind::Malformed, "the YAML ends in the middle")),
        })
    }

    fn member(
        &mut self,
        event: Event<'_>,
        span: Range<usize>,
        from: usize,
        depth: usize,
    ) -> Result<KeyValue> {
        let (key, merges) = match &event {
            Event::Scalar(text, ScalarStyle::Plain, _, None) => {
                (super::go::format(&super::yaml::scalar(text)), &**text == "<<")
            }
            Event::Scalar(text, ..) => (text.to_string(), false),
            _ => (String::new(), false),
        };
        let key_start = span.start;
        let key_node = self.node(event, span, from, depth + 1)?;
        let rest = &self.text[key_node.span.end..];
        let after_colon = key_node.span.end + rest.find(':').map_or(0, |colon| colon + 1);
        let (event, span) = self.next()?;
        let value = self.node(event, span, after_colon, depth + 1)?;
        Ok(KeyValue { key, key_start, value, merges })
    }

    /// The position of a scalar. The parser's spans are not exact: they include properties (anchor and
    /// tag), and blanks and a comment after a quote; those of block scalars lack the indicator.
    fn scalar(
        &self,
        value: &str,
        style: ScalarStyle,
        span: Range<usize>,
        from: usize,
    ) -> Range<usize> {
        match style {
            ScalarStyle::Plain if value.is_empty() => from..from,
            ScalarStyle::Plain => between(self.after_properties(span.start), span.end),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let start = self.after_properties(span.start);
                between(start, self.closing_quote(start).unwrap_or(span.end))
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let start = self.after_properties(self.after_blanks(from));
                let text = self.text.get(start..span.end).unwrap_or_default();
                let end = start + text.trim_end_matches(BLANKS).len();
                start..end
            }
        }
    }

    fn after_blanks(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        at + rest.len() - rest.trim_start_matches(BLANKS).len()
    }

    /// Skips an anchor and a tag.
    fn after_properties(&self, mut at: usize) -> usize {
        while self.text[at..].starts_with(['&', '!']) {
            let rest = &self.text[at..];
            at += rest.find(BLANKS).unwrap_or(rest.len());
            at = self.after_blanks(at);
        }
        at
    }

    fn closing_quote(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let quote = *bytes.get(start)?;
        let mut at = start + 1;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' if quote == b'"' => at += 1,
                b if b == quote && quote == b'\'' && bytes.get(at + 1) == Some(&quote) => at += 1,
                b if b == quote => return Some(at + 1),
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// The end of a collection: after its closing bracket, or `end` for one without brackets.
    fn closed(&self, end: usize, span: &Range<usize>, bracket: u8) -> usize {
        let closes = self.text.as_bytes().get(span.start) == Some(&bracket);
        if closes { span.start + 1 } else { end }
    }
}
