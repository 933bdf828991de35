//! The second wall: values that were given out are replaced in texts. The first wall is the type [`Secret`] itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinth_model::{Secret, SecretRef};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Remembers values that were given out and replaces them in texts: as they are, line by line, as JSON writes them, and in
/// base64. Not covered: values inside other encodings, such as `user:password` in base64 or percent-encoding.
#[derive(Default)]
pub struct Redactor(Mutex<Known>);

/// Values that were given out.
#[derive(Default)]
struct Known {
    /// By reference.
    values: BTreeMap<String, Secret>,
    /// All shapes in which they may turn up, the longest first: made once, since every text of a run is searched for them.
    forms: Vec<Secret>,
}

impl Redactor {
    /// Shorter values are not remembered: replacing them would garble texts without protecting anything.
    const SHORTEST: usize = 4;

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
                let longer = |form: &String| form.len() >= Self::SHORTEST;
                known.forms.extend(forms(value.expose()).into_iter().filter(longer).map(Secret::new));
                known.forms.sort_by_key(|form| std::cmp::Reverse(form.expose().len()));
            }
        }
    }

    /// Replaces remembered values, the longest first.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let Ok(known) = self.0.lock() else { return "[text withheld]".to_owned() };
        let mut text = text.to_owned();
        for form in &known.forms {
            if text.contains(form.expose()) {
                text = text.replace(form.expose(), "[secret]");
            }
        }
        text
    }
}

/// The shapes in which a value may turn up. PEM frame lines are the same for everybody and stay readable.
fn forms(value: &str) -> Vec<String> {
    let json = serde_json::to_string(value).unwrap_or_default();
    let inner = json.strip_prefix('"').and_then(|j| j.strip_suffix('"')).unwrap_or_default();
    let mut forms = vec![value.to_owned(), inner.to_owned(), STANDARD.encode(value)];
    forms.extend(value.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned));
    forms
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn redactor(value: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.remember(&SecretRef::Env("X".to_owned()), &Secret::new(value.to_owned()));
        redactor
    }

    #[test]
    fn a_value_is_replaced_in_every_form_it_takes() {
        let secret = "pa\"ss\\word-1";
        let redactor = redactor(secret);
        let json = serde_json::json!({ "password": secret }).to_string();
        for text in [secret.to_owned(), json, STANDARD.encode(secret)] {
            let clean = redactor.redact(&format!("before {text} after"));
            assert!(clean.contains("[secret]") && !clean.contains("word-1"), "{clean}");
            assert!(!clean.contains(&STANDARD.encode(secret)));
        }
    }

    #[test]
    fn lines_of_a_key_are_replaced_and_its_frame_is_not() {
        let redactor = redactor("-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n");
        assert_eq!(redactor.redact("key MC4CAQAw"), "key [secret]");
        assert_eq!(redactor.redact("no -----BEGIN PRIVATE KEY----- here"), "no -----BEGIN PRIVATE KEY----- here");
    }

    #[test]
    fn values_too_short_to_protect_are_left_alone() {
        assert_eq!(redactor("abc").redact("abc abc"), "abc abc");
    }

    #[test]
    fn a_changed_value_does_not_uncover_the_earlier_one() {
        let redactor = redactor("first-value");
        redactor.remember(&SecretRef::Env("X".to_owned()), &Secret::new("second-value".to_owned()));
        assert_eq!(redactor.redact("first-value second-value"), "[secret] [secret]");
    }
}
