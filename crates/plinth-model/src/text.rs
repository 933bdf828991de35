//! Text from outside: nodes, BCM, programs, the site file. None of it may move a terminal's cursor, hide or reorder what is read, or
//! look like a line of plinth's own or like a command to a program that reads along. One wall before people, one before programs, and one before
//! Ansible, which would run it.

use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is seen as something else than itself: control characters (C0, DEL, C1) other than line break and tab,
/// separators of lines and paragraphs, marks that reorder text, and characters without a width (Unicode 16, the default ignorable code
/// points but for the variation selectors that signs of our own may carry).
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' => true,
        '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => {
            true
        }
        '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// A text of others, on the line where it stands: hidden characters are written out, `\u{1b}`, and line breaks too. What follows one would
/// look like a line of plinth's own, and programs that read along (a CI that takes commands from a line's begin) would believe it.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    unmarked(replaced(text, |c| c == '\n' || is_hidden(c), |c, out| out.extend(c.escape_unicode())), MARK_SHOWN)
}

/// Lines that plinth composed: the same as [`visible`], but line breaks stay. What others wrote passed [`visible`] before it was put in.
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    unmarked(replaced(text, is_hidden, |c, out| out.extend(c.escape_unicode())), MARK_SHOWN)
}

/// How the sign before the bracket of [`is_marked`] is written out, and how JSON does it.
const MARK_SHOWN: &str = r"\u{23}";
const MARK_IN_JSON: &str = r"\u0023";

/// Whether a command to the runner of a pipeline follows, wherever in its line that is: `##[error]` is one to GitHub's and Azure's,
/// `##vso[task.setvariable ...]` to Azure's. plinth itself never writes one.
fn is_marked(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("##") else { return false };
    rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('[')
}

/// The same without such commands: the second sign of each is written out.
fn unmarked<'a>(text: Cow<'a, str>, shown: &str) -> Cow<'a, str> {
    if !text.contains("##") {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest: &str = &text;
    while let Some(at) = rest.find('#') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        out.push('#');
        let marked = is_marked(from);
        if marked {
            out.push_str(shown);
        }
        rest = &from[if marked { 2 } else { 1 }..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Whether a line that begins with this word is a command to a program that reads along: `::error::...` is one to GitHub's runner, which
/// takes blanks at a line's begin away before it looks.
#[must_use]
pub fn is_command(word: &str) -> bool {
    word.starts_with("::")
}

/// JSON with the hidden characters in JSON's own escapes: programs read the same values, and a terminal shows what is there.
#[must_use]
pub fn visible_json(json: &str) -> Cow<'_, str> {
    let shown = replaced(json, is_hidden, |c, out| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    });
    unmarked(shown, MARK_IN_JSON)
}

/// Lines that plinth coloured: the same as [`visible_lines`], but sequences that only choose a colour or weight stay.
#[must_use]
pub fn visible_styled(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return unmarked(Cow::Borrowed(text), MARK_SHOWN);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, from) = rest.split_at(at);
        out.push_str(&visible_lines(before));
        let end = style_len(from).unwrap_or(1);
        let (sequence, after) = from.split_at(end);
        if end > 1 {
            out.push_str(sequence)
        } else {
            out.push_str(&visible_lines(sequence))
        }
        rest = after;
    }
    out.push_str(&visible_lines(rest));
    Cow::Owned(out)
}

/// Bytes of the sequence at the beginning of a text, when it chooses a colour or weight and nothing else: concealed and blinking text
/// is none of ours.
fn style_len(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\u{1b}[")?;
    let end = codes.find(|c: char| !c.is_ascii_digit() && c != ';').filter(|end| *end <= 16)?;
    let (codes, after) = codes.split_at_checked(end)?;
    let known = |code: &str| matches!(code.parse::<u8>(), Ok(0..=4 | 22..=24 | 30..=39 | 90..=97)) || code.is_empty();
    let chosen = codes.strip_prefix("38;5;").map_or_else(|| codes.split(';').all(known), |n| n.parse::<u8>().is_ok());
    (after.starts_with('m') && chosen).then_some("\u{1b}[".len() + end + 1)
}

fn replaced(text: &str, is_escaped: impl Fn(char) -> bool, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) { escape(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// What begins an expression, a statement or a comment of Jinja. Ansible runs templates in the text of every variable, and a template
/// may start programs on the machine where Ansible runs.
const TEMPLATE: [&str; 3] = ["{{", "{%", "{#"];

/// How names begin with which Ansible marks values in its files of JSON: encrypted ones, and ones in which it looks for no template.
const MARK: &str = "__ansible_";

/// Whether a name is a mark of Ansible's own: what stands there is not taken as the value that it looks like.
#[must_use]
pub fn is_mark(name: &str) -> bool {
    name.starts_with(MARK)
}

/// The first text of a value, or name in it, that Ansible would take for a template or for a mark of its own.
#[must_use]
pub fn template(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.as_str()).filter(|text| is_template(text)),
        Value::Array(items) => items.iter().find_map(template),
        Value::Object(map) => map.iter().find_map(|(key, value)| named(key).or_else(|| template(value))),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// A name in a value, where Ansible would take it for a template or for a mark of its own.
#[must_use]
pub fn named(name: &str) -> Option<&str> {
    (is_template(name) || is_mark(name)).then_some(name)
}

fn is_template(text: &str) -> bool {
    TEMPLATE.iter().any(|begin| text.contains(begin))
}

/// A text as a shell takes it for one word of a command that somebody copies.
#[must_use]
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))),
    }
}

/// An address without the user and password that may stand in it.
#[must_use]
pub fn without_login(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let place = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match place.rsplit_once('@') {
        Some((login, _)) => Cow::Owned(format!("{scheme}://{}", &rest[login.len() + 1..])),
        None => Cow::Borrowed(url),
    }
}

/// Host and port of an address, without the user and password that may stand in it.
#[must_use]
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    place.rsplit_once('@').map_or(place, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const HOSTILE: &str = "a\u{1b}[2Jb\rc\u{9b}31md\u{202e}e\u{200b}f\u{7}\u{7f}\u{85}\u{2028}\u{e0041}\u{feff}";

    #[test]
    fn what_is_hidden_is_written_out_and_the_rest_stays() {
        assert_eq!(visible_lines("Zürich\t10 µs …\n"), "Zürich\t10 µs …\n");
        assert_eq!(visible("Zürich\t10 µs …"), "Zürich\t10 µs …");
        assert_eq!(visible("a\n::error::b"), r"a\u{a}::error::b", "no line of plinth's own");
        let shown = visible(HOSTILE);
        assert!(
            shown.starts_with(r"a\u{1b}[2Jb\u{d}c\u{9b}31md\u{202e}e\u{200b}f\u{7}\u{7f}\u{85}\u{2028}"),
            "{shown}"
        );
    }

    /// The older forms, which runners take from anywhere in a line.
    #[test]
    fn what_a_runner_would_obey_is_written_out_wherever_it_stands() {
        for (text, shown) in [
            ("no ##[error]x", r"no #\u{23}[error]x"),
            ("a ##vso[task.setvariable variable=b]c", r"a #\u{23}vso[task.setvariable variable=b]c"),
            ("###[group]##[add-mask]", r"##\u{23}[group]#\u{23}[add-mask]"),
            ("## a [b] #[c] C# ##", "## a [b] #[c] C# ##"),
        ] {
            assert_eq!(visible(text), shown);
            assert_eq!(visible_lines(text), shown);
            assert_eq!(visible_styled(text), shown);
            assert_eq!(visible_styled(&format!("\u{1b}[1m{text}\u{1b}[0m")), format!("\u{1b}[1m{shown}\u{1b}[0m"));
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(serde_json::from_str::<String>(&visible_json(&json)).unwrap(), text);
            assert!(!visible_json(&json).contains("##[") && !visible_json(&json).contains("##vso["));
        }
    }

    #[test]
    fn only_colour_and_weight_pass_with_the_style() {
        let ours = "\u{1b}[1;31merror\u{1b}[0m \u{1b}[38;5;12mb\u{1b}[0m \u{1b}[1m\u{1b}[91mc\u{1b}[m";
        assert_eq!(visible_styled(ours), ours);
        for theirs in [
            "\u{1b}[2J",
            "\u{1b}[8mx",
            "\u{1b}]0;t\u{7}",
            "\u{1b}[31",
            "\u{1b}[1;1H",
            "\u{1b}c",
            "\u{1b}[999m",
            "\u{1b}[?25l",
        ] {
            let shown = visible_styled(theirs);
            assert!(!shown.chars().any(is_hidden), "{shown:?}");
        }
    }

    #[test]
    fn a_text_is_one_word_of_a_command() {
        let words = [("a/site.yaml", "a/site.yaml"), ("my site", "'my site'"), ("it's", r"'it'\''s'"), ("$x", "'$x'")];
        for (text, word) in words.into_iter().chain([("", "''"), ("a\nb", "'a\nb'")]) {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn templates_are_found_in_every_corner() {
        for value in [
            json!("{{ lookup('pipe', 'id') }}"),
            json!(["a", {"b": ["x{% raw %}"]}]),
            json!({"{{ name }}": 1}),
            json!({"a": {"b": "{#"}}),
            json!({"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256"}),
            json!([{"a": {"__ansible_unsafe": "b"}}]),
        ] {
            assert!(template(&value).is_some(), "{value}");
        }
        for value in [
            json!("{ {"),
            json!({"a": [1, true, null, "{}", "%}"]}),
            json!("can-reach=10.0.0.1"),
            json!({"ansible": "__ansible_"}),
        ] {
            assert_eq!(template(&value), None);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_passes_any_wall(text in ".*", hostile in proptest::collection::vec(any::<char>(), 0..20)) {
            let text: String = text.chars().chain(hostile).chain(HOSTILE.chars()).collect();
            prop_assert!(!visible(&text).chars().any(|c| c == '\n' || is_hidden(c)));
            let lines = visible_lines(&text);
            prop_assert!(!lines.chars().any(is_hidden));
            prop_assert_eq!(lines.matches('\n').count(), text.matches('\n').count());
            let json = serde_json::to_string(&text).unwrap();
            let shown = visible_json(&json);
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text.clone());
            let styled = visible_styled(&text).replace("\u{1b}[", "");
            prop_assert!(!styled.chars().any(is_hidden), "{:?}", styled);
        }
    }

    #[test]
    fn an_address_is_told_without_its_login() {
        for (url, plain, host) in [
            ("https://a.example:8443/x@y", "https://a.example:8443/x@y", "a.example:8443"),
            ("https://me:pass@a.example/simple/", "https://a.example/simple/", "a.example"),
            ("https://me:p@ss@a.example?q", "https://a.example?q", "a.example"),
            ("git@a.example:x", "git@a.example:x", "a.example:x"),
        ] {
            assert_eq!((without_login(url).as_ref(), host_of(url)), (plain, host));
        }
    }
}
