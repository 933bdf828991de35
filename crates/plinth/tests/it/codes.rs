//! `docs/findings.yaml` explains every finding code that the sources can emit, and no other.
//!
//! Codes are found by reading the sources as words, marks and texts. A code that reaches a finding in a way that is not known
//! here fails the test, so that a new way is taught here instead of being overlooked.

use crate::support;
use indexmap::IndexMap;
use plinth_check::CLAIMS;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Largest text of an explanation, characters.
const LARGEST: usize = 400;
/// Functions that take a code as their first argument and hand it to a finding.
const CARRIERS: [&str; 4] = ["flaw", "found", "say", "refusal_text"];
/// Expressions that stand for a code at a constructor; where their codes are written, [`written`] finds them.
const STAND_INS: [&str; 5] = ["code", "&code", "claim.code", "refusal.code", "&f.code"];

type Explanations = IndexMap<String, IndexMap<String, String>>;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}
use Token::{Mark, Text, Word};

/// What was found in the sources.
#[derive(Debug, Default)]
struct Found {
    /// Codes; `*` stands for a part that is computed.
    codes: BTreeSet<String>,
    /// Texts that look like codes, wherever they stand.
    alike: BTreeSet<String>,
    /// Expressions at constructors that are not known here.
    unclear: BTreeSet<String>,
}

#[test]
fn every_code_that_can_be_emitted_is_explained() {
    let (found, explanations) = (emitted(), explanations());
    let explained = |code: &String| explanations.keys().any(|key| covers(key, code));
    let missing: Vec<&String> = found.codes.iter().filter(|code| !explained(code)).collect();
    assert!(missing.is_empty(), "docs/findings.yaml lacks {missing:#?}");
    assert!(found.unclear.is_empty(), "codes come from expressions that this test does not know: {:#?}", found.unclear);
    assert!(found.codes.len() > 150, "only {} codes were found: the search is broken", found.codes.len());
}

#[test]
fn every_explanation_is_of_a_code_that_can_be_emitted() {
    let (found, explanations) = (emitted(), explanations());
    let stale: Vec<&String> =
        explanations.keys().filter(|key| !found.codes.iter().any(|code| covers(key, code))).collect();
    assert!(stale.is_empty(), "nothing emits {stale:#?}");
}

#[test]
fn no_text_that_looks_like_a_code_is_overlooked() {
    let (found, explanations) = (emitted(), explanations());
    let areas: BTreeSet<&str> = explanations.keys().filter_map(|key| Some(key.split_once('.')?.0)).collect();
    let known = |text: &str| {
        let kind = plinth_run::steps::explain(text).is_some();
        kind || found.codes.iter().any(|code| covers(code, text)) || CLAIMS.iter().any(|c| c.name == text)
    };
    let overlooked: Vec<&String> = found
        .alike
        .iter()
        .filter(|text| text.contains('-') && text.split_once('.').is_some_and(|(area, _)| areas.contains(area)))
        .filter(|text| !known(text))
        .collect();
    assert!(overlooked.is_empty(), "these look like codes: {overlooked:#?}");
}

#[test]
fn explanations_are_whole_short_and_in_order() {
    let explanations = explanations();
    for (code, parts) in &explanations {
        let names: Vec<&str> = parts.keys().map(String::as_str).collect();
        assert_eq!(names, ["means", "usually", "do"], "{code}");
        for (name, text) in parts {
            let length = text.chars().count();
            assert!((1..=LARGEST).contains(&length), "{code}: {name} has {length} characters");
            assert!(text.ends_with('.') && text.trim() == text, "{code}: {name} is no sentence: {text}");
        }
    }
    assert!(explanations.keys().is_sorted(), "docs/findings.yaml is not sorted by code");
}

#[test]
fn explain_prints_them() {
    let folder = tempfile::TempDir::new().unwrap();
    for code in ["bcm.address-none-safe", "runai.version-not-pinned"] {
        let ran = support::plinth(folder.path(), &["explain", code]).exits(0);
        assert!(ran.stdout.starts_with(code), "{}", ran.stdout);
        assert!(ran.stdout.contains("do: "), "{}", ran.stdout);
    }
}

#[test]
fn codes_are_found_in_each_way_they_are_written() {
    let source = r##"
        // Finding::error("no.comment", a, b)
        fn f<'a>() { Finding::error("one.a", x, format!("{y}, {z}")); Finding::new(self.severity(High, &r),
            "two.b", s, m); Finding::info(&format!("{area}.three"), s, m); Finding::error(claim.code, s, m); }
        const C: Claim = Claim { code: "four.d" };
        fn g() { flaw("five.e", "x"); Refusal::new("m", "f").code("six.f"); Err(("seven.g", 1)) }
        fn h() -> (Severity, &'static str) { (Severity::Info, "eight.h") }
        fn code(self) -> &'static str { match self { A { .. } => "nine.i", _ => "ten.j-k" } }
        fn i() { let c = '"'; Finding::warning(table[0], "elsewhere.a-b", m); r#"raw "quoted.a-b" "#; }
        #[cfg(test)]
        #[allow(dead_code)]
        mod tests { fn t() { Finding::error("no.test", a, b); } }
    "##;
    let mut found = Found::default();
    found.read(&without_tests(&tokens(source)).0);
    let codes: Vec<&str> = found.codes.iter().map(String::as_str).collect();
    assert_eq!(
        codes,
        ["*.three", "eight.h", "five.e", "four.d", "nine.i", "one.a", "seven.g", "six.f", "ten.j-k", "two.b"]
    );
    assert_eq!(found.unclear.into_iter().collect::<Vec<_>>(), ["table[0]"]);
    assert!(found.alike.contains("elsewhere.a-b") && !found.alike.contains("no.test"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn explanations() -> Explanations {
    serde_saphyr::from_str(&std::fs::read_to_string(root().join("docs/findings.yaml")).unwrap()).unwrap()
}

/// Whether a pattern is, or stands for, a code. Two patterns cover each other when they are the same.
fn covers(pattern: &str, code: &str) -> bool {
    let fits = |(before, after): (&str, &str)| code.starts_with(before) && code.ends_with(after);
    pattern == code || pattern.split_once('*').is_some_and(fits)
}

/// Codes of all sources and of the catalog, whose variants carry findings of their own.
fn emitted() -> Found {
    let mut found = Found::default();
    let (mut sources, mut tests) = (Vec::new(), BTreeSet::new());
    for file in files(&root().join("crates"), "rs").into_iter().filter(|file| is_source(file)) {
        let (tokens, modules) = without_tests(&tokens(&std::fs::read_to_string(&file).unwrap()));
        tests.extend(modules.iter().map(|name| file.with_file_name(format!("{name}.rs"))));
        sources.push((file, tokens));
    }
    sources.iter().filter(|(file, _)| !tests.contains(file)).for_each(|(_, tokens)| found.read(tokens));
    for file in files(&root().join("catalog/components"), "yaml") {
        let text = std::fs::read_to_string(file).unwrap();
        found.codes.extend(text.lines().filter_map(|line| line.trim().strip_prefix("code: ").map(str::to_owned)));
    }
    found
}

/// Below `src`, and not a file of tests.
fn is_source(file: &Path) -> bool {
    let below = |name: &str| file.components().any(|part| part.as_os_str() == name);
    let tests = file.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_tests"));
    below("src") && !below("tests") && !tests
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found
}

impl Found {
    fn read(&mut self, tokens: &[Token]) {
        for at in 0..tokens.len() {
            let here = &tokens[at..];
            if let Text(text) = &tokens[at]
                && is_code(text)
            {
                self.alike.insert(text.clone());
            }
            match constructed(here) {
                Some([Text(code)]) => drop(self.codes.insert(code.clone())),
                Some([Mark('&'), Word(name), Mark('!'), Mark('('), Text(format), ..]) if name == "format" => {
                    self.codes.insert(pattern(format));
                }
                Some(other) if !STAND_INS.contains(&spelled(other).as_str()) => {
                    self.unclear.insert(spelled(other));
                }
                _ => self.codes.extend(written(here).into_iter().filter(|text| is_code(text)).map(str::to_owned)),
            }
        }
    }
}

/// `area.kebab-name`.
fn is_code(text: &str) -> bool {
    let small = |part: &str| part.starts_with(|c: char| c.is_ascii_lowercase());
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let Some((area, rest)) = text.split_once('.') else { return false };
    small(area) && small(rest) && area.chars().all(|c| c.is_ascii_lowercase()) && rest.chars().all(name)
}

/// `{area}.name` as `*.name`.
fn pattern(format: &str) -> String {
    match (format.find('{'), format.rfind('}')) {
        (Some(first), Some(last)) if first < last => format!("{}*{}", &format[..first], &format[last + 1..]),
        _ => format.to_owned(),
    }
}

/// The argument for the code of a constructor of `Finding` that begins here.
fn constructed(here: &[Token]) -> Option<&[Token]> {
    let [Word(kind), Mark(':'), Mark(':'), Word(constructor), Mark('('), rest @ ..] = here else { return None };
    let position = match constructor.as_str() {
        "error" | "warning" | "info" => 0,
        "new" => 1,
        _ => return None,
    };
    (kind == "Finding").then(|| arguments(rest).get(position).copied().unwrap_or_default())
}

/// Arguments up to the closing parenthesis.
fn arguments(rest: &[Token]) -> Vec<&[Token]> {
    let (mut depth, mut begin, mut found) = (0_usize, 0, Vec::new());
    for (at, token) in rest.iter().enumerate() {
        match token {
            Mark('(' | '[' | '{') => depth += 1,
            Mark(')' | ']' | '}') if depth > 0 => depth -= 1,
            Mark(')') => {
                found.push(&rest[begin..at]);
                return found;
            }
            Mark(',') if depth == 0 => {
                found.push(&rest[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// Texts that begin here and reach a finding by way of something else: a carrier, a field `code`, a refusal's code, a tuple
/// with a severity, the first part of a tuple that is an argument, or what a function called `code` answers.
fn written(here: &[Token]) -> Vec<&str> {
    match here {
        [Word(carrier), Mark('('), Text(text), ..] if CARRIERS.contains(&carrier.as_str()) => vec![text],
        [Word(field), Mark(':'), Text(text), ..] if field == "code" => vec![text],
        [Mark('.'), Word(method), Mark('('), Text(text), ..] if method == "code" => vec![text],
        [Word(kind), Mark(':'), Mark(':'), Word(_), Mark(','), Text(text), ..] if kind == "Severity" => vec![text],
        [Mark('('), Mark('('), Text(text), ..] => vec![text],
        [Word(keyword), Word(name), ..] if keyword == "fn" && name == "code" => texts(&here[..item_length(here)]),
        _ => Vec::new(),
    }
}

fn texts(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().filter_map(|token| if let Text(text) = token { Some(text.as_str()) } else { None }).collect()
}

fn spelled(tokens: &[Token]) -> String {
    let one = |token: &Token| match token {
        Word(text) | Text(text) => text.clone(),
        Mark(mark) => mark.to_string(),
    };
    tokens.iter().map(one).collect()
}

/// Tokens up to the end of an item: a semicolon or the end of its block.
fn item_length(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Mark(';') if depth == 0 => return at + 1,
            Mark('{') => depth += 1,
            Mark('}') if depth <= 1 => return at + 1,
            Mark('}') => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Without items that are only there for tests; and the names of those that are modules in files of their own.
fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let gate = self::tokens("#[cfg(test)]");
    let (mut kept, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        let rest = &tokens[at..];
        if !rest.starts_with(&gate) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let item = &rest[..item_length(rest)];
        if let [.., Word(keyword), Word(name), Mark(';')] = item
            && keyword == "mod"
        {
            modules.push(name.clone());
        }
        at += item.len();
    }
    (kept, modules)
}

/// Words, texts and marks of a source; comments, characters and lifetimes are left out.
fn tokens(mut rest: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, length) = token(rest, first);
        tokens.extend(token);
        rest = &rest[length..];
    }
    tokens
}

fn token(rest: &str, first: char) -> (Option<Token>, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    match first {
        '/' if rest.starts_with("//") => (None, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |at| at + 2)),
        '"' => quoted(rest),
        '\'' => (None, character(rest)),
        'r' if rest[1..].trim_start_matches('#').starts_with('"') => raw(rest),
        first if is_word(first) => {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (Some(Word(rest[..length].to_owned())), length)
        }
        first if first.is_whitespace() => (None, first.len_utf8()),
        first => (Some(Mark(first)), first.len_utf8()),
    }
}

/// A text in quotes. Escapes stay as they are: no code has any.
fn quoted(rest: &str) -> (Option<Token>, usize) {
    let mut escaped = true; // the opening quote
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (Some(Text(rest[1..at].to_owned())), at + 1),
            _ => {}
        }
    }
    (None, rest.len())
}

/// `r"…"` or `r#"…"#`.
fn raw(rest: &str) -> (Option<Token>, usize) {
    let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
    let (begin, end) = (hashes + 2, format!("\"{}", "#".repeat(hashes)));
    match rest[begin..].find(&end) {
        Some(length) => (Some(Text(rest[begin..begin + length].to_owned())), begin + length + end.len()),
        None => (None, rest.len()),
    }
}

/// Length of a character in quotes, or of the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((after, c))) => {
            let from = after + c.len_utf8();
            rest[from..].find('\'').map_or(rest.len(), |at| from + at + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}
