//! The second wall: values that were given out are replaced in texts. The first wall is the type [`Secret`] itself.

use super::encoding;
use super::spelling;
use aho_corasick::{AhoCorasick, MatchKind};
use plinth_model::{Secret, SecretRef};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// What stands where a secret was.
pub const MASK: &str = "[secret]";

/// Remembers values that were given out and replaces them in texts: as they are and line by line, also where single characters are
/// escaped (JSON, percent, HTML, a shell's quotes) or left out because they cannot be shown, within base64 of any kind (`user:password`
/// in a header), in hexadecimal, and where a long one is cut. Not covered: values that were compressed, encrypted, hashed or spelled
/// backwards.
#[derive(Default)]
pub struct Redactor(Mutex<Known>);

#[derive(Default)]
struct Known {
    values: BTreeMap<String, Secret>,
    /// Each text that is looked for character by character.
    spelled: Vec<Secret>,
    /// Pieces of encodings.
    encoded: Option<AhoCorasick>,
}

impl Redactor {
    /// Bytes; shorter values are not remembered: replacing them would garble texts without protecting anything.
    pub const SHORTEST: usize = 4;

    /// Remembers a value. A later value of the same reference does not push out the earlier one.
    pub fn remember(&self, reference: &SecretRef, value: &Secret) {
        if value.expose().len() < Self::SHORTEST {
            return;
        }
        if let Ok(mut known) = self.0.lock() {
            let same = |old: &Secret| old.expose() == value.expose();
            let mut key = reference.to_string();
            while known.values.get(&key).is_some_and(|old| !same(old)) {
                key.push('+');
            }
            if known.values.insert(key, value.clone()).is_none() {
                known.prepare();
            }
        }
    }

    /// Replaces remembered values.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let Ok(known) = self.0.lock() else { return "[text withheld]".to_owned() };
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (start, end) in merged(known.found(text)) {
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(MASK);
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

impl Known {
    fn prepare(&mut self) {
        let all = || self.values.values().map(Secret::expose);
        let mut spelled: Vec<&str> = all().flat_map(texts).filter(|text| text.len() >= Redactor::SHORTEST).collect();
        spelled.sort_unstable();
        spelled.dedup();
        let pieces: Vec<String> = all().flat_map(encoding::pieces).collect();
        let encoded = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(pieces).ok();
        self.spelled = spelled.into_iter().map(|text| Secret::new(text.to_owned())).collect();
        self.encoded = encoded;
    }

    /// Places of secrets, in no order; they may overlap.
    fn found(&self, text: &str) -> Vec<(usize, usize)> {
        let pieces = self.encoded.iter().flat_map(|encoded| encoded.find_iter(text));
        let mut found: Vec<(usize, usize)> =
            pieces.map(|piece| encoding::run(text, piece.start(), piece.end())).collect();
        for value in self.spelled.iter().map(Secret::expose) {
            let Some(first) = value.chars().next() else { continue };
            let mut from = 0;
            for (at, byte) in text.bytes().enumerate() {
                if at < from || !spelling::may_begin(byte, first) || !text.is_char_boundary(at) {
                    continue;
                }
                if let Some(end) = spelling::end_of(text, at, value) {
                    found.push((at, end));
                    from = end;
                }
            }
        }
        found
    }
}

/// Places in their order, those that touch as one.
fn merged(mut places: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    places.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (start, end) in places {
        match merged.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// A value, and its lines. PEM frame lines are the same for everybody and stay readable, and so does what begins with one.
fn texts(value: &str) -> impl Iterator<Item = &str> {
    let is_own = |text: &&str| !(text.starts_with("-----BEGIN ") || text.starts_with("-----END "));
    let whole = Some(value).filter(is_own);
    whole.into_iter().chain(value.lines().filter(is_own))
}

#[cfg(test)]
#[path = "redactor_tests.rs"]
mod tests;
