//! From YAML events to the tree. Aliases, anchors and tags are refused, so a document can never be larger than its text.

use crate::tree::{Entry, Node, Value};
use crate::{read, unfilled};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};
use plinth_model::finding::code;
use plinth_model::{Finding, Position};
use std::collections::HashMap;

/// Deepest nesting. The deepest place that means something is far less; helm values decide this number.
pub(crate) const MAX_DEPTH: usize = 64;
/// Most nodes.
pub(crate) const MAX_NODES: usize = 100_000;
/// Most findings of this stage; what follows is more of the same.
const MAX_FINDINGS: usize = 50;

/// What became of a text.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The tree; none when the text is not one YAML document.
    pub(crate) tree: Option<Node>,
    /// What is wrong.
    pub(crate) findings: Vec<Finding>,
}

/// Reads the one document of a text.
pub(crate) fn parse(text: &str) -> Parsed {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        disallow_directives: true,
    };
    let mut building = Building::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let taken = match event {
            Ok((event, span)) => building.take(event, &span),
            Err(error) => Err(Box::new(building.still_open(syntax(text, &error)))),
        };
        if let Err(fatal) = taken {
            building.findings.push(*fatal);
            building.root = None;
            return building.finish(text);
        }
    }
    building.finish(text)
}

/// A collection that is not yet closed.
struct Open {
    node: Node,
    flow: bool,
    /// Key that waits for its value.
    key: Option<(String, Position)>,
    /// Line of each key.
    seen: HashMap<String, usize>,
}

#[derive(Default)]
struct Building {
    stack: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
    findings: Vec<Finding>,
}

/// A finding after which reading stops. Boxed: it is the rare way out of a hot loop.
type Fatal = Box<Finding>;

impl Building {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fatal> {
        match event {
            Event::DocumentStart(..) => self.document(span),
            Event::Scalar(text, style, _, tag) => {
                self.refuse_tag(tag.is_some(), span);
                let plain = style == ScalarStyle::Plain;
                // The parser says `~` for a value that is not there.
                let text = if plain && span.is_empty() { String::new() } else { text.into_owned() };
                self.place(node(span, Value::Scalar { text, plain }))
            }
            Event::SequenceStart(style, _, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.open(span, style, Value::Sequence(Vec::new()))
            }
            Event::MappingStart(style, _, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.open(span, style, Value::Mapping(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Anchor(..) => {
                self.refuse_alias(span, "anchors are");
                Ok(())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse_alias(span, "aliases are");
                self.place(node(span, Value::Removed))
            }
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: &Span) -> Result<(), Fatal> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        Err(Box::new(
            Finding::error(
                code::SITE_SEVERAL_DOCUMENTS,
                "",
                "the file has several YAML documents; a site file has one",
            )
            .fix("keep one document, and put the others into files of their own")
            .at(position(span)),
        ))
    }

    fn report(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Names the bracket that was open where reading failed: the place of a missing one is far above the place of the fault.
    fn still_open(&self, finding: Finding) -> Finding {
        match self.stack.last() {
            Some(open) if open.flow && finding.code == code::SITE_SYNTAX => {
                let sign = if matches!(open.node.value, Value::Mapping(_)) { '{' } else { '[' };
                finding.evidence(format!("`{sign}` of line {} is still open here", open.node.span.line))
            }
            _ => finding,
        }
    }

    fn refuse_tag(&mut self, tagged: bool, span: &Span) {
        if tagged {
            let place = span.tag_span().map_or_else(|| position(span), |tag| position(&tag));
            let finding =
                Finding::error(code::SITE_TAG, self.path(), "YAML tags are not read here; kinds follow from the key")
                    .fix("remove the tag; a text that begins with `!` needs quotes, and nodes are left out by `exclude` below `nodes`")
                    .at(place);
            self.report(finding);
        }
    }

    fn refuse_alias(&mut self, span: &Span, what: &str) {
        let finding = Finding::error(code::SITE_ALIAS, self.path(), format!("{what} not read here"))
            .fix("write the value out at each place; a text that begins with `*` or `&` needs quotes")
            .at(position(span));
        self.report(finding);
    }

    /// Path of what is being read, as far as keys tell.
    fn path(&self) -> String {
        let keys: Vec<&str> =
            self.stack.iter().filter_map(|open| open.key.as_ref()).map(|(key, _)| key.as_str()).collect();
        keys.join(".")
    }

    fn count(&mut self, place: Position) -> Result<(), Fatal> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        Err(Box::new(
            Finding::error(code::SITE_TOO_MANY_NODES, "", format!("the file has more than {MAX_NODES} values"))
                .fix("check that the right file was named; select nodes by glob instead of by name")
                .at(place),
        ))
    }

    fn open(&mut self, span: &Span, style: StructureStyle, value: Value) -> Result<(), Fatal> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Box::new(too_deep(position(span))));
        }
        self.count(position(span))?;
        let flow = style == StructureStyle::Flow;
        self.stack.push(Open { node: node(span, value), flow, key: None, seen: HashMap::new() });
        Ok(())
    }

    fn close(&mut self, span: &Span) -> Result<(), Fatal> {
        let Some(mut open) = self.stack.pop() else { return Ok(()) };
        let end = if open.flow { Some((span.end.byte_offset(), span.end.line())) } else { last_child(&open.node) };
        if let Some((Some(end), line)) = end {
            open.node.span.end = end.max(open.node.span.start);
            open.node.end_line = line;
        }
        self.put(open.node)
    }

    fn place(&mut self, node: Node) -> Result<(), Fatal> {
        self.count(node.span)?;
        self.put(node)
    }

    /// Puts a finished node where it belongs: as a key, a value, an item, or the root.
    fn put(&mut self, node: Node) -> Result<(), Fatal> {
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::Sequence(items) => items.push(node),
            Value::Mapping(entries) => match open.key.take() {
                Some((key, at)) => entries.push(Entry { key, at, value: node }),
                None => return self.begin_entry(node),
            },
            Value::Scalar { .. } | Value::Removed => {}
        }
        Ok(())
    }

    fn begin_entry(&mut self, node: Node) -> Result<(), Fatal> {
        let place = node.span;
        let Value::Scalar { text, .. } = node.value else {
            return Err(Box::new(
                Finding::error(code::SITE_KEY_NOT_TEXT, self.path(), "a key must be a text")
                    .fix("write `key: value`; put quotes around a key that holds special characters")
                    .at(Position { end: place.start + 1, ..place }),
            ));
        };
        let Some(open) = self.stack.last_mut() else { return Ok(()) };
        let first = open.seen.insert(text.clone(), place.line);
        open.key = Some((text.clone(), place));
        if let Some(first) = first {
            let finding =
                Finding::error(code::SITE_DUPLICATE_KEY, self.path(), format!("`{text}` stands here a second time"))
                    .evidence(format!("first on line {first}"))
                    .fix("keep one of the two")
                    .at(place);
            self.report(finding);
        }
        Ok(())
    }

    fn finish(mut self, text: &str) -> Parsed {
        let blank = self.root.as_ref().is_none_or(|root| root.text() == Some("") && root.span.start == root.span.end);
        if blank && self.findings.is_empty() {
            self.findings.push(empty(text));
            self.root = None;
        }
        Parsed { tree: self.root, findings: self.findings }
    }
}

fn empty(text: &str) -> Finding {
    let said =
        if text.trim().is_empty() { "the file is empty" } else { "the file holds no value, only comments or markers" };
    Finding::error(code::SITE_EMPTY, "", said).fix("write one with `plinth init -f FILE`")
}

fn too_deep(place: Position) -> Finding {
    Finding::error(code::SITE_TOO_DEEP, "", format!("the file is nested deeper than {MAX_DEPTH} levels"))
        .fix("check that the right file was named; nothing in a site file is nested like this")
        .at(place)
}

/// The later of two entries with one key is not looked at again.
pub(crate) fn drop_repeated(node: &mut Node) {
    match &mut node.value {
        Value::Sequence(items) => items.iter_mut().for_each(drop_repeated),
        Value::Mapping(entries) => {
            let mut seen = std::collections::HashSet::new();
            for entry in entries.iter_mut() {
                if seen.insert(entry.key.clone()) {
                    drop_repeated(&mut entry.value);
                } else {
                    entry.value.value = Value::Removed;
                }
            }
        }
        Value::Scalar { .. } | Value::Removed => {}
    }
}

/// Byte offset and line behind the last child of a block collection; its own end event lies behind later blank lines.
fn last_child(node: &Node) -> Option<(Option<usize>, usize)> {
    let last = match &node.value {
        Value::Sequence(items) => items.last()?,
        Value::Mapping(entries) => &entries.last()?.value,
        Value::Scalar { .. } | Value::Removed => return None,
    };
    Some((Some(last.span.end), last.end_line))
}

fn node(span: &Span, value: Value) -> Node {
    Node { span: position(span), end_line: span.end.line(), synthetic: false, value }
}

fn position(span: &Span) -> Position {
    let start = span.start.byte_offset().unwrap_or_default();
    let end = span.end.byte_offset().unwrap_or(start).max(start);
    Position { line: span.start.line().max(1), column: span.start.col() + 1, start, end }
}

/// A text that is not YAML. The scanner's words are fixed sentences; none of them quotes the file.
fn syntax(text: &str, error: &ScanError) -> Finding {
    let start = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let end = (start + 1).min(text.len());
    let place = Position { line: error.marker().line().max(1), column: error.marker().col() + 1, start, end };
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(place);
    }
    if blames_tab(text, error, start) {
        return read::tab(place);
    }
    if let Some(variable) = unfilled::on_line(text, start) {
        return unfilled::finding("", variable).at(place);
    }
    if let Some(star) = bare_star(text, start) {
        let message = format!("`{star}` stands here without quotes; to YAML a text that begins with `*` is an alias");
        return Finding::error(code::SITE_SYNTAX, "", message).fix(format!("put it in quotes: `\"{star}\"`")).at(place);
    }
    if let Some(item) = bare_dash(text, start) {
        let message = format!("`{item}` has no blank behind its dash, so it is no item of the list");
        return Finding::error(code::SITE_SYNTAX, "", message).fix("write a blank behind the dash: `- NAME`").at(place);
    }
    Finding::error(code::SITE_SYNTAX, "", format!("this is not YAML: {}", error.kind()))
        .fix("look at this line and the one before it: indentation, a missing colon, bracket or quote")
        .at(place)
}

/// The beginning of a line such as `-gpu-2`.
fn bare_dash(text: &str, at: usize) -> Option<&str> {
    let begin = text.get(..at)?.rfind('\n').map_or(0, |line_break| line_break + 1);
    let line = text.get(begin..)?.lines().next()?.trim();
    let behind = line.strip_prefix('-')?;
    let is_name = behind.starts_with(|c: char| c.is_ascii_alphanumeric()) && !behind.contains([':', '"', '\'']);
    (is_name && line.len() <= 64).then_some(line)
}

/// The glob that begins at a place, or just before it, with a star that YAML takes for the sign of an alias.
fn bare_star(text: &str, at: usize) -> Option<&str> {
    let begin = [Some(at), at.checked_sub(1)]
        .into_iter()
        .flatten()
        .find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with('*')))?;
    let rest = &text[begin..];
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | '#')).unwrap_or(rest.len());
    rest.get(..end)
}

fn blames_tab(text: &str, error: &ScanError, at: usize) -> bool {
    use ErrorKind::{TabAtBlockScalarStart, TabInBlockIndentation, TabInIndentation, TabInPlainScalar, TabNotAllowed};
    if matches!(
        error.kind(),
        TabNotAllowed | TabInBlockIndentation | TabInIndentation | TabAtBlockScalarStart | TabInPlainScalar
    ) {
        return true;
    }
    let line_start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |line_break| line_break + 1);
    let line = text.get(line_start..).unwrap_or_default();
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).any(|c| c == '\t')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        parse(text).findings.into_iter().map(|finding| finding.code.to_string()).collect()
    }

    #[test]
    fn every_node_knows_its_place_in_characters_and_bytes() {
        let parsed = parse("é: [ä, 'b c']\nmap:\n  key: value\n");
        let tree = parsed.tree.unwrap();
        let list = tree.get("é").unwrap();
        let second = &list.items()[1];
        assert_eq!((second.span.line, second.span.column), (1, 8));
        assert_eq!(&"é: [ä, 'b c']\nmap:"[second.span.start..second.span.end], "'b c'");
        assert_eq!(tree.get("map").unwrap().span.line, 3);
    }

    #[test]
    fn what_is_not_one_plain_document_is_refused() {
        assert_eq!(codes(""), ["site.empty"]);
        assert_eq!(codes("# only a comment\n"), ["site.empty"]);
        assert_eq!(codes("---\n"), ["site.empty"]);
        assert_eq!(codes("a: 1\n---\nb: 2\n"), ["site.several-documents"]);
        assert_eq!(codes("a: !!str 1\n"), ["site.tag"]);
        assert_eq!(codes("a: &x [1]\nb: *x\n"), ["site.alias", "site.alias"]);
        assert_eq!(codes("a: *nowhere\n"), ["site.alias"]);
        assert_eq!(codes("[1]: 2\n"), ["site.key-not-text"]);
        assert_eq!(codes("a: [1\n"), ["site.syntax"]);
        assert_eq!(codes("a:\n  b: 1\n \tc: 2\n"), ["site.tab"]);
        assert_eq!(codes(&"[".repeat(1000)), ["site.too-deep"]);
        assert_eq!(codes(&format!("a: [{}]", "1,".repeat(MAX_NODES))), ["site.too-many-nodes"]);
    }

    #[test]
    fn a_repeated_key_names_both_lines_and_the_first_one_counts() {
        let parsed = parse("a: 1\nb:\n  c: 1\n  c: 2\n");
        let finding = &parsed.findings[0];
        assert_eq!(
            (finding.code.as_str(), finding.line, finding.subject.as_str()),
            ("site.duplicate-key", Some(4), "b.c")
        );
        assert_eq!(finding.evidence, ["first on line 3"]);
        let mut tree = parsed.tree.unwrap();
        drop_repeated(&mut tree);
        assert_eq!(tree.get("b").unwrap().get("c").unwrap().text(), Some("1"));
    }
}
