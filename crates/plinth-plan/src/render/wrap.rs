//! Lines that fit the terminal.

use plinth_model::text::visible;
use plinth_model::wrap::beside;

/// Breaks a text between words. The first line begins with `first`, the others are indented by as many columns.
pub(super) fn wrap(first: &str, text: &str, width: usize) -> String {
    let text = visible(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    beside(first, &words.join(" "), width) + "\n"
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn words_stay_whole_and_lines_stay_short() {
        assert_eq!(wrap("  - ", "one two three four five six", 26), "  - one two three four\n    five six\n");
        assert_eq!(wrap("", "", 40), "\n");
        assert_eq!(wrap("", "one two three four ::error::five", 20), "one two three\nfour ::error::five\n");
        let long = "x".repeat(50);
        assert_eq!(wrap("> ", &long, 10), format!("> {long}\n"));
        assert_eq!(wrap("seen  ", "it takes 12 min to 33 min", 20), "seen  it takes\n      12 min to\n      33 min\n");
    }
}
