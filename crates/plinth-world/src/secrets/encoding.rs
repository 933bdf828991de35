//! A value within base64 or hexadecimal: what of the encoding is the same whatever stands before and behind it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shortest piece that is looked for: a shorter one turns up in texts by chance.
const SHORTEST: usize = 6;
/// Longest piece: what follows it is covered as a part of the same run.
const LONGEST: usize = 24;
/// Bytes of a line of base64, as programs break it: 64 and 76 characters.
const LINES: [usize; 2] = [48, 57];

/// Pieces of text by which an encoding of the value is known.
pub(super) fn pieces(value: &str) -> Vec<String> {
    let bytes = value.as_bytes();
    let mut found: Vec<String> = [0, 1, 2].into_iter().flat_map(|before| base64(bytes, before)).collect();
    found.extend([STANDARD_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)]);
    for line in LINES.into_iter().filter(|line| bytes.len() > *line) {
        found.extend(bytes.chunks(line).flat_map(|chunk| base64(chunk, 0)));
    }
    let hex: String = bytes.iter().take(LONGEST / 2).map(|byte| format!("{byte:02x}")).collect();
    found.extend([hex.to_uppercase(), hex]);
    for piece in &mut found {
        piece.truncate(LONGEST);
    }
    found.retain(|piece| piece.len() >= SHORTEST);
    found
}

/// The characters that are the value's alone, with so many bytes of something else before it.
fn base64(bytes: &[u8], before: usize) -> Vec<String> {
    let together: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
    // Six bits a character: the first ones hold bits of what is before, the last one may hold bits of what is behind.
    let (first, end) = ((before * 8).div_ceil(6), together.len() * 8 / 6);
    let engines = [STANDARD_NO_PAD.encode(&together), URL_SAFE_NO_PAD.encode(&together)];
    engines.iter().filter_map(|text| text.get(first..end).map(str::to_owned)).collect()
}

/// The whole run of an encoding around a piece of it.
pub(super) fn run(text: &str, start: usize, end: usize) -> (usize, usize) {
    let of_run = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let before = text.get(..start).unwrap_or_default();
    let mut start = before.trim_end_matches(of_run).len();
    // An escape that ends where the run begins stays whole: `\n`, `\u00e9`.
    if before.get(..start).is_some_and(|before| before.ends_with('\\')) {
        let escape = text.get(start..end).unwrap_or_default();
        start += if escape.starts_with('u') && escape.len() > 5 { 5 } else { 1 };
    }
    let behind = text.get(end..).unwrap_or_default();
    let end = end + behind.len() - behind.trim_start_matches(of_run).trim_start_matches('=').len();
    (start.min(end), end)
}
