//! A text with stars in the place of what is hidden, as long as before.

use std::ops::Range;

pub(super) fn hide(text: &str, spans: &[Range<usize>]) -> String {
    let mut order: Vec<&Range<usize>> = spans.iter().collect();
    order.sort_by_key(|span| span.start);
    let mut spans = order.into_iter().peekable();
    let mut hidden_until = 0;
    text.char_indices()
        .map(|(at, c)| {
            while let Some(span) = spans.next_if(|span| span.start <= at) {
                hidden_until = hidden_until.max(span.end);
            }
            if at < hidden_until { star(c) } else { c }
        })
        .collect()
}

/// A sign of the same length in bytes; white space stays.
pub(super) fn star(c: char) -> char {
    match c.len_utf8() {
        _ if c.is_whitespace() => c,
        1 => '*',
        2 => '·',
        3 => '•',
        _ => '𝄀',
    }
}
