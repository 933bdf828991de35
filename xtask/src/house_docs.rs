//! House rule about documents: each source that they name is there.

use std::collections::BTreeSet;

/// What pages name in code marks as a source or as a place below `crates/`, and what is not there. `sources` are the repository's files,
/// `is_there` looks for a place. A word in capitals stands for a name of the reader's own choice, and `*` for any text.
pub(crate) fn missing(
    pages: &[(String, String)],
    sources: &BTreeSet<String>,
    is_there: impl Fn(&str) -> bool,
) -> Vec<String> {
    let absent = |place: &str| match place.strip_prefix("crates/") {
        Some(_) if !place.contains('*') => !is_there(place),
        _ => !sources.iter().any(|source| names(place, source)),
    };
    let of_page = |(page, text): &(String, String)| {
        let wrong = places(text).into_iter().filter(|(_, place)| absent(place));
        wrong.map(|(line, place)| format!("{page}:{line}: there is no {place}")).collect::<Vec<_>>()
    };
    pages.iter().flat_map(of_page).collect()
}

/// Sources and places that a page names, each with its line.
fn places(text: &str) -> Vec<(usize, &str)> {
    let of_line = |(at, line)| {
        let marked = str::split(line, '`').skip(1).step_by(2).filter(|word| is_place(word));
        marked.map(move |word| (at + 1, word)).collect::<Vec<_>>()
    };
    text.lines().enumerate().flat_map(of_line).collect()
}

fn is_place(word: &str) -> bool {
    let stands_for =
        |part: &str| part.trim_end_matches(".rs").chars().all(|c| c.is_ascii_uppercase()) && part.len() > 1;
    (word.starts_with("crates/") || word.ends_with(".rs"))
        && !word.contains(char::is_whitespace)
        && !word.split('/').any(stands_for)
}

/// Whether a place, or the end of one, is this source.
fn names(place: &str, source: &str) -> bool {
    match place.split_once('*') {
        None => source == place || source.ends_with(&format!("/{place}")),
        Some((before, after)) => {
            let rest = source.find(before).and_then(|at| source.get(at + before.len()..));
            rest.is_some_and(|rest| rest.ends_with(after))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Vec<String> {
        let sources = ["crates/a/src/tick.rs", "crates/a/src/run/mod.rs", "crates/a/tests/nodes_all.rs"];
        let sources = sources.map(str::to_owned).into();
        missing(&[("docs/x.md".to_owned(), text.to_owned())], &sources, |place| place == "crates/a/src/")
    }

    #[test]
    fn a_source_that_a_page_names_is_there() {
        let fine = "`tick.rs`, `src/tick.rs`, `a/src/run/mod.rs`, `crates/a/src/`, `tests/nodes*.rs`, `AREA/KIND.rs`, `tick`, turn.rs";
        assert_eq!(wrong(fine), [""; 0]);
        for bad in ["turn.rs", "run/tick.rs", "ick.rs", "crates/a/src", "crates/b/src/x.rs", "tests/kube*.rs"] {
            assert_eq!(wrong(&format!("one\ntwo `{bad}`")), [format!("docs/x.md:2: there is no {bad}")]);
        }
    }
}
