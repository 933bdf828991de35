//! The words that plinth uses, as its documentation has them.

use super::Explanation;
use serde_json::json;

/// The page with the tables of words: the one place where they are explained.
const PAGE: &str = include_str!("../../../../docs/words.md");

/// A row of a table.
struct Word {
    names: Vec<&'static str>,
    means: &'static str,
    /// Words that are not used for it.
    not: &'static str,
}

fn rows() -> impl Iterator<Item = Word> {
    PAGE.lines().filter_map(|line| {
        let cells: Vec<&str> =
            line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').map(str::trim).collect();
        let [names, means, not] = cells.as_slice() else { return None };
        let is_word = !names.starts_with("--") && *names != "word";
        is_word.then(|| Word { names: names.split(", ").collect(), means, not })
    })
}

/// All words with what they mean, one a line.
pub(super) fn all() -> String {
    rows().map(|row| format!("{:<16} {}", row.names.join(", "), row.means)).collect::<Vec<_>>().join("\n")
}

/// A word by its name.
pub(super) fn find(wanted: &str) -> Option<Explanation> {
    let row = rows().find(|row| row.names.contains(&wanted))?;
    let not = if row.not.is_empty() { String::new() } else { format!("\n  not called: {}", row.not) };
    Some(Explanation {
        text: format!("{wanted}: {}{not}", row.means),
        data: json!({ "word": wanted, "means": row.means, "not": row.not }),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reason_for_waiting_names_is_explained() {
        // The words of `waiting:`, and what people read in lists.
        for word in ["need", "gate", "lane", "slot", "budget", "quorum", "stop", "critical path", "slots", "host key"] {
            let known = find(word);
            assert_eq!(known.is_some(), word != "slots", "{word}");
        }
        assert!(find("lane").unwrap().text.contains("how many steps of one sort"));
        assert!(rows().count() > 80 && !rows().any(|row| row.means.is_empty() || row.names.contains(&"word")));
    }
}
