//! The events within the page, and out of it again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use maud::{Markup, html};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

/// Stands at the beginning of the block in every report; text on a page cannot look like it, since `<` and `"` are escaped there.
const BEGIN: &str = "<script type=\"application/octet-stream\" id=\"events\"";
/// Most bytes that are unpacked: a small file that becomes an endless one is no report.
const LARGEST: u64 = 2 << 30;
/// Characters a line: editors and mail gateways bear no line of a megabyte.
const WIDTH: usize = 120;

/// Why the events cannot be had back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtractError {
    /// The file is no report of plinth's, or one without events.
    None,
    /// What is in it is damaged.
    Damaged(String),
}

impl std::fmt::Display for ExtractError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("there are no events of a run in it"),
            Self::Damaged(what) => write!(f, "the events in it are damaged: {what}"),
        }
    }
}

impl std::error::Error for ExtractError {}

/// The events, packed by gzip; the same events give the same bytes.
pub(super) fn packed(events: &str) -> std::io::Result<Vec<u8>> {
    let mut packer: GzEncoder<Vec<u8>> = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    packer.write_all(events.as_bytes())?;
    packer.finish()
}

/// The block of the page that holds them.
pub(super) fn block(packed: &[u8], events: &str) -> Markup {
    let text = STANDARD.encode(packed);
    let mut lines = String::with_capacity(text.len() + text.len() / WIDTH + 2);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (first, others) = rest.split_at(WIDTH.min(rest.len()));
        let _ = write!(lines, "\n{first}");
        rest = others;
    }
    let digest = hex::encode(Sha256::digest(events));
    html! { script type="application/octet-stream" id="events" data-sha256=(digest) { (lines) } }
}

/// The events of a report, as they were packed into it.
///
/// # Errors
/// When there are none, or they are not what the report says they are.
pub fn extract(report: &str) -> Result<String, ExtractError> {
    let (_, block) = report.split_once(BEGIN).ok_or(ExtractError::None)?;
    let damaged = |what: &str| ExtractError::Damaged(what.to_owned());
    let (head, rest) = block.split_once('>').ok_or_else(|| damaged("the block has no beginning"))?;
    let (text, _) = rest.split_once("</script>").ok_or_else(|| damaged("the file is cut off"))?;
    let digest = head.split_once("data-sha256=\"").and_then(|(_, rest)| rest.split_once('"'));
    let (digest, _) = digest.ok_or_else(|| damaged("it has no digest"))?;
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let packed = STANDARD.decode(text).map_err(|error| ExtractError::Damaged(error.to_string()))?;
    let mut events = String::new();
    let read = GzDecoder::new(packed.as_slice()).take(LARGEST).read_to_string(&mut events);
    read.map_err(|error| ExtractError::Damaged(error.to_string()))?;
    if hex::encode(Sha256::digest(&events)) == digest {
        return Ok(events);
    }
    Err(damaged("their digest is another"))
}
