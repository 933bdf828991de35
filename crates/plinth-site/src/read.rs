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

/// The text of a site file, or what is wrong with all of it.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Vec<Finding>> {
    if bytes.len() > MAX_BYTES {
        return Err(vec![too_large(bytes.len() as u64)]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| vec![not_text(bytes, error.valid_up_to())])?;
    if let Some(at) = text.find('\0') {
        return Err(vec![not_text(bytes, at)]);
    }
    tabs(text).map_or(Ok(text), |finding| Err(vec![finding]))
}

/// Most invisible characters that are named one by one.
const NAMED: usize = 20;

/// Characters that look like a blank or like nothing. In a comment they do no harm.
pub(crate) fn visible(text: &str) -> Result<(), Vec<Finding>> {
    let mut found = Vec::new();
    let mut offset = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let code = line.len() - comment(line).len();
        for (column, (at, character)) in line.char_indices().enumerate() {
            let mark = offset + at == 0 && character == '\u{feff}';
            if at < code
                && !mark
                && let Some(name) = invisible(character)
            {
                let place = Position {
                    line: number + 1,
                    column: column + 1,
                    start: offset + at,
                    end: offset + at + character.len_utf8(),
                };
                found.push(hidden(character, name, place));
            }
        }
        offset += line.len();
    }
    if found.is_empty() {
        Ok(())
    } else {
        found.truncate(NAMED);
        Err(found)
    }
}

/// The comment at the end of a line, as far as a line alone tells; empty when there is none.
pub(crate) fn comment(line: &str) -> &str {
    let begins =
        |at: usize| line.get(..at).is_some_and(|before| before.chars().next_back().is_none_or(char::is_whitespace));
    line.match_indices('#').find(|(at, _)| begins(*at)).map_or("", |(at, _)| &line[at..])
}

fn hidden(character: char, name: &str, place: Position) -> Finding {
    let number = u32::from(character);
    let message = format!(
        "line {}, column {}: there is {name} (U+{number:04X}), which YAML reads as part of the text",
        place.line, place.column
    );
    Finding::error(code::SITE_INVISIBLE, "", message)
        .fix("replace it by a plain blank or remove it; where it is meant, write it as an escape in double quotes")
        .at(place)
}

/// The name of a character that cannot be seen.
fn invisible(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{a0}' | '\u{202f}' | '\u{2007}' => "a no-break space",
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{205f}' | '\u{3000}' => "a blank that is not the plain one",
        '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{180e}' => "a blank without width",
        '\u{200c}' | '\u{200d}' => "an invisible joiner",
        '\u{ad}' => "a soft hyphen",
        '\u{85}' | '\u{2028}' | '\u{2029}' => "an unusual line break",
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "a mark that changes the direction of writing"
        }
        c if !c.is_control() && plinth_model::text::is_hidden(c) => "a character that cannot be seen",
        _ => return None,
    })
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
        assert!(text(b"a\n\xff").unwrap_err()[0].message.contains("byte 2 (line 2)"));
        assert!(text(b"a\0b").unwrap_err()[0].message.contains("byte 1 (line 1)"));
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

    #[test]
    fn what_cannot_be_seen_is_named_with_its_place_but_not_in_comments() {
        let found = visible("a: 1\n\u{a0} b:\u{200b} 2 # c\u{a0}d\nc: 3\u{3000}\n").unwrap_err();
        let places: Vec<_> = found.iter().map(|f| (f.line.unwrap(), f.column.unwrap())).collect();
        assert_eq!(places, [(2, 1), (2, 5), (3, 5)]);
        assert!(
            found[0].message.contains("line 2, column 1") && found[0].message.contains("U+00A0"),
            "{}",
            found[0].message
        );
        assert!(visible("\u{feff}a: é ä\n# \u{a0}\nurl: http://a#b\n").is_ok());
        for character in ["\u{202f}", "\u{ad}", "\u{2028}", "\u{202e}", "\u{feff}", "\u{200d}"] {
            assert_eq!(
                visible(&format!("a: x{character}y\n")).unwrap_err()[0].code,
                code::SITE_INVISIBLE,
                "{character:?}"
            );
        }
    }
}
