//! Loading: file, text, tree, types, checks, defaults.

use crate::check;
use crate::desired::Desired;
use crate::diagnostics::Diagnostics;
use crate::limits::Shape;
use crate::path::Path as Place;
use crate::raw;
use crate::tree::{Counting, Node};
use crate::{mask, read, recover, resolve, todo, unfilled};
use plinth_model::{Finding, Position, amount};
use std::fmt;
use std::path::{Path, PathBuf};

/// A site file that may be used.
#[derive(Clone, Debug)]
pub struct Site {
    /// What is wanted.
    pub desired: Desired,
    /// Warnings and infos, sorted by position; no errors.
    pub findings: Vec<Finding>,
    source: String,
    file: PathBuf,
    tree: Node,
}

impl Site {
    /// Where a path such as `kubernetes.version` stands. Walks up to the nearest place that is there; none when not even
    /// the first part of the path is in the file, as with subjects that are no paths of the file.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<Position> {
        let path = Place::parse(path);
        let located = self.tree.locate(&path, Counting::File);
        let is_path = located.depth == path.0.len() || Shape::of_site().has(&path);
        (located.depth > 0 && is_path).then_some(located.position)
    }

    /// The text of the file, with anything that looks like a literal secret hidden. Positions fit it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The file, as it was named.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The folder of the file: where relative names of files in it start.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }
}

/// A site file that may not be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// Everything that was found, errors first among equals, sorted by position.
    pub findings: Vec<Finding>,
    /// The text of the file with literal secrets hidden; empty when it could not be read.
    pub source: String,
    /// The file, as it was named.
    pub file: PathBuf,
    /// Whether somebody outside may have been asked before; the file alone is judged without.
    pub contacted: bool,
}

// By hand: thiserror takes every field named `source` for an inner error.
impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", amount(self.findings.len(), "finding"), self.file.display())
    }
}

impl std::error::Error for Rejected {}

/// Loads a site file.
///
/// # Errors
/// When the file cannot be read or holds an error. All of its findings are given at once.
pub fn load(file: &Path) -> Result<Site, Rejected> {
    match read::read(file) {
        Ok(bytes) => parse(&bytes, file),
        Err(finding) => Err(rejected(vec![*finding], String::new(), file)),
    }
}

/// Reads a site file that is already in memory. `file` is only named in messages and need not exist.
///
/// # Errors
/// When the text holds an error. All of its findings are given at once.
pub fn parse(bytes: impl AsRef<[u8]>, file: &Path) -> Result<Site, Rejected> {
    let bytes = bytes.as_ref();
    let text = match read::text(bytes).and_then(|text| read::visible(text).map(|()| text)) {
        Ok(text) => text,
        Err(unreadable) => {
            let readable =
                if bytes.len() > read::MAX_BYTES { "" } else { std::str::from_utf8(bytes).unwrap_or_default() };
            return Err(rejected(unreadable, mask::masked(readable, None), file));
        }
    };
    let crate::parse::Parsed { tree, mut findings } = crate::parse::parse(text);
    let source = mask::masked(text, tree.as_ref());
    let Some(mut tree) = tree else { return Err(rejected(findings, source, file)) };
    crate::parse::drop_repeated(&mut tree);
    if let Some(newer) = check::newer_format(&tree) {
        return Err(rejected(vec![newer], source, file));
    }
    // A text of several lines, or in quotes, may hold the word as it likes.
    let in_text = |finding: &Finding| finding.position.is_some_and(|at| tree.has_text_at(at.start));
    findings.extend(todo::report(text).into_iter().filter(|finding| !in_text(finding)));
    let desired = validate(&mut tree, &mut findings);
    sort(&mut findings);
    match desired {
        Some(desired) if !findings.iter().any(Finding::is_error) => {
            findings.iter_mut().for_each(mask::masked_finding);
            Ok(Site { desired, findings, source, file: file.to_owned(), tree })
        }
        _ => Err(rejected(findings, source, file)),
    }
}

/// Everything behind the syntax: types, limits, checks, defaults.
fn validate(tree: &mut Node, findings: &mut Vec<Finding>) -> Option<Desired> {
    let shape = Shape::of_site();
    findings.extend(unfilled::report(tree, shape));
    let site: raw::Site = recover::decode_all(tree, shape, findings)?;
    let mut diagnostics = Diagnostics::new(tree);
    for finding in shape.limits(tree) {
        diagnostics.report_in_file(finding);
    }
    check::all(&site, &mut diagnostics);
    let desired = resolve::resolve(&site, &mut diagnostics);
    findings.extend(diagnostics.into_findings());
    desired
}

fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let place = |finding: &Finding| (finding.line, finding.column);
        place(a).cmp(&place(b)).then(b.severity.cmp(&a.severity)).then_with(|| a.code.cmp(&b.code))
    });
}

fn rejected(mut findings: Vec<Finding>, source: String, file: &Path) -> Rejected {
    sort(&mut findings);
    findings.iter_mut().for_each(mask::masked_finding);
    Rejected { findings, source, file: file.to_owned(), contacted: false }
}
