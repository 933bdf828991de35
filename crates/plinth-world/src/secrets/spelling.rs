//! A value in a text, character by character, whichever way each of them is written: as it is, or as programs escape it.

/// Characters of a longer value that are enough: a text may end in the middle of it, where somebody cut a quote.
const ENOUGH: usize = 16;
/// Fewer are enough where the whole text ends.
const ENOUGH_AT_END: usize = 8;
/// Most backslashes before a character: JSON in JSON in a shell's quotes.
const BACKSLASHES: usize = 7;

/// Where a value that begins here ends, if it stands here: the whole of it, or so much that it can be nothing else.
pub(super) fn end_of(text: &str, at: usize, value: &str) -> Option<usize> {
    let mut places = vec![at];
    let mut best = at;
    let mut seen = 0;
    for c in value.chars() {
        let mut next: Vec<usize> = places.iter().flat_map(|place| ways(text, *place, c)).collect();
        next.sort_unstable();
        next.dedup();
        let Some(last) = next.last().copied() else { break };
        best = last;
        seen += 1;
        places = next;
    }
    let whole = seen == value.chars().count();
    let enough = seen >= ENOUGH || seen >= ENOUGH_AT_END && best == text.len();
    (best > at && (whole || enough)).then_some(best)
}

/// Whether a text may begin with this character in any way of writing it. Cheap: it decides for most places of a text.
pub(super) fn may_begin(byte: u8, first: char) -> bool {
    let mut utf8 = [0; 4];
    let begins = first.encode_utf8(&mut utf8).as_bytes().first().copied();
    Some(byte) == begins || matches!(byte, b'%' | b'\\' | b'&' | b'+') || is_replaced(first)
}

/// Ends of all ways in which the character may be written from this place on.
fn ways(text: &str, at: usize, c: char) -> Vec<usize> {
    let Some(rest) = text.get(at..) else { return Vec::new() };
    let mut ends: Vec<usize> = [escaped(rest, c), percent(rest, "%", c), percent(rest, "%25", c), html(rest, c)]
        .into_iter()
        .flatten()
        .collect();
    if rest.starts_with(c) {
        ends.push(c.len_utf8());
    }
    if c == ' ' && rest.starts_with('+') {
        ends.push(1);
    }
    if c == '\'' {
        ends.extend([r"'\''", "'\"'\"'"].iter().filter(|quoted| rest.starts_with(**quoted)).map(|quoted| quoted.len()));
    }
    // Where a quote is shown in one line, such characters are left out, or something stands for them.
    if is_replaced(c) {
        ends.push(0);
        ends.extend(
            rest.chars().next().filter(|shown| matches!(shown, ' ' | '.' | '?' | '\u{fffd}')).map(char::len_utf8),
        );
    }
    ends.into_iter().map(|end| at + end).collect()
}

fn is_replaced(c: char) -> bool {
    c.is_control() || plinth_model::text::is_hidden(c)
}

/// Behind backslashes: the character itself where it is punctuation, `n`, `u00e9`, `u{e9}`, `xc3`.
fn escaped(rest: &str, c: char) -> Option<usize> {
    let slashes = rest.bytes().take(BACKSLASHES).take_while(|byte| *byte == b'\\').count();
    let after = rest.get(slashes..).filter(|_| slashes > 0)?;
    let letter = match c {
        '\n' => 'n',
        '\t' => 't',
        '\r' => 'r',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\u{b}' => 'v',
        '\u{7}' => 'a',
        '\u{1b}' => 'e',
        other => other,
    };
    let named = (letter != c || c.is_ascii_punctuation()) && after.starts_with(letter);
    let found = if c == '\\' { None } else { named.then(|| letter.len_utf8()) };
    let found = found.or_else(|| braced(after, c)).or_else(|| units(after, c)).or_else(|| bytes(after, "x", r"\", c));
    // Of backslashes that stand for backslashes any number may belong to the next character.
    let one = (c == '\\').then_some(0);
    found.or(one).map(|end| slashes + end)
}

fn braced(text: &str, c: char) -> Option<usize> {
    let (code, _) = text.strip_prefix("u{")?.split_once('}')?;
    (u32::from_str_radix(code, 16).ok()? == u32::from(c)).then_some("u{}".len() + code.len())
}

/// `u00e9`, and `ud83d\ude00` for what needs two.
fn units(text: &str, c: char) -> Option<usize> {
    let mut end = 0;
    for (number, unit) in c.encode_utf16(&mut [0; 2]).iter().enumerate() {
        let mut rest = text.get(end..)?;
        if number > 0 {
            let slashes = rest.len() - rest.trim_start_matches('\\').len();
            rest = rest.get(slashes..).filter(|_| slashes > 0)?;
            end += slashes;
        }
        let digits = rest.strip_prefix('u')?.get(..4)?;
        if u16::from_str_radix(digits, 16).ok()? != *unit {
            return None;
        }
        end += 5;
    }
    Some(end)
}

/// `%41`, and `%2541` where it was escaped twice.
fn percent(rest: &str, sign: &str, c: char) -> Option<usize> {
    bytes(rest.strip_prefix(sign)?, "", sign, c).map(|end| sign.len() + end)
}

/// The bytes of a character in hexadecimal, each behind `before`; all but the first behind `between`, too.
fn bytes(text: &str, before: &str, between: &str, c: char) -> Option<usize> {
    let mut end = 0;
    for (number, byte) in c.encode_utf8(&mut [0; 4]).bytes().enumerate() {
        let mut rest = text.get(end..)?;
        if number > 0 {
            rest = rest.strip_prefix(between)?;
            end += between.len();
        }
        let digits = rest.strip_prefix(before)?.get(..2)?;
        if u8::from_str_radix(digits, 16).ok()? != byte {
            return None;
        }
        end += before.len() + 2;
    }
    Some(end)
}

/// `&amp;`, `&#38;`, `&#x26;`.
fn html(rest: &str, c: char) -> Option<usize> {
    let (name, _) = rest.strip_prefix('&')?.split_once(';').filter(|(name, _)| name.len() <= 10)?;
    let code = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16));
            char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)
        }
    };
    (code == Some(c)).then_some(name.len() + 2)
}
