//! From bytes to text: everything that can be wrong with a file before it is YAML.

use plinth_model::finding::code;
use plinth_model::{Finding, Position};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// How long a pipe that is named as the site file (`-f <(..)`) may take to its end.
const SILENCE: Duration = Duration::from_secs(10);

/// Largest site file, bytes. A site of thousands of nodes stays below it; what is larger is another file, taken by mistake.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Reads a file, never more than [`MAX_BYTES`] and one byte.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, Box<Finding>> {
    let unreadable = |error: io::Error| {
        Finding::error(
            code::SITE_UNREADABLE,
            file.display().to_string(),
            format!("the site file cannot be read: {error}"),
        )
        .fix("name the site file with `-f FILE`, or write one with `plinth init`")
    };
    let found = std::fs::metadata(file).map_err(unreadable)?;
    if found.is_file() && usize::try_from(found.len()).is_ok_and(|size| size > MAX_BYTES) {
        return Err(too_large(found.len()).into());
    }
    let bytes = if found.is_file() { content(file) } else { awaited(file) };
    bytes.map_err(|error| unreadable(error).into())
}

fn content(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a pipe or a device gives: opening and reading one may wait for ever.
fn awaited(file: &Path) -> io::Result<Vec<u8>> {
    let (told, heard) = mpsc::channel();
    let file = file.to_path_buf();
    std::thread::Builder::new().spawn(move || told.send(content(&file)))?;
    heard.recv_timeout(SILENCE).unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, "it is no plain file, and its end did not come"))
    })
}

/// The text of a site file.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Box<Finding>> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large(bytes.len() as u64).into());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error.valid_up_to()))?;
    if let Some(at) = text.find('\0') {
        return Err(not_text(bytes, at).into());
    }
    tabs(text).map_or(Ok(text), |finding| Err(finding.into()))
}

fn too_large(size: u64) -> Finding {
    Finding::error(code::SITE_TOO_LARGE, "", format!("the file has {size} bytes; a site file has at most {MAX_BYTES}"))
        .fix("check that the right file was named; nothing of it was read as YAML")
}

fn not_text(bytes: &[u8], at: usize) -> Finding {
    let before = bytes.get(..at).unwrap_or_default();
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    Finding::error(
        code::SITE_NOT_TEXT,
        "",
        format!("the file is not UTF-8 text: byte {at} (line {line}) cannot be part of one"),
    )
    .fix("check that the right file was named; save it as UTF-8")
}

/// Lines that begin with a tab. YAML forbids them for indentation, and editors do not show the difference.
fn tabs(text: &str) -> Option<Finding> {
    let mut offset = 0;
    let mut found: Vec<Position> = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim_start();
        if line.starts_with('\t') && !content.is_empty() && !content.starts_with('#') {
            found.push(Position { line: number + 1, column: 1, start: offset, end: offset + 1 });
        }
        offset += line.len();
    }
    let first = *found.first()?;
    let finding = tab(first);
    Some(match found.len() {
        1 => finding,
        count => finding.evidence(format!("{count} lines begin with a tab")),
    })
}

/// A tab where YAML wants spaces.
pub(crate) fn tab(position: Position) -> Finding {
    Finding::error(code::SITE_TAB, "", "a tab is used for indentation; YAML allows only spaces there")
        .fix("replace each tab by two spaces")
        .at(position)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_is_no_text_names_the_first_bad_byte() {
        assert!(text(b"a\n\xff").unwrap_err().message.contains("byte 2 (line 2)"));
        assert!(text(b"a\0b").unwrap_err().message.contains("byte 1 (line 1)"));
        assert_eq!(text("näme: é".as_bytes()).unwrap(), "näme: é");
    }

    #[test]
    fn a_large_file_is_refused_by_its_size_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.yaml");
        std::fs::File::create(&path).unwrap().set_len(50 * 1024 * 1024).unwrap();
        assert_eq!(read(&path).unwrap_err().code, "site.too-large");
        assert_eq!(read(&folder.path().join("absent")).unwrap_err().code, "site.unreadable");
    }

    #[test]
    fn tabs_are_counted_but_not_in_comments_or_empty_lines() {
        assert!(tabs("a: b\n\t# note\n\t\n").is_none());
        let finding = tabs("a:\n\tb: 1\n\tc: 2\n").unwrap();
        assert_eq!((finding.line, finding.column), (Some(2), Some(1)));
        assert_eq!(finding.evidence, ["2 lines begin with a tab"]);
    }
}
