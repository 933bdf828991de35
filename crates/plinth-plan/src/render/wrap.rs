//! Lines that fit the terminal.

use plinth_model::text::{is_command, visible};

/// Breaks a text between words, so that no line is longer than `width` characters, unless a single word is. The first line
/// begins with `first`, the others are indented by as many spaces. No line begins with what a CI takes for a command.
pub(super) fn wrap(first: &str, text: &str, width: usize) -> String {
    let (text, indent) = (visible(text), first.chars().count());
    let room = width.saturating_sub(indent).max(20);
    let mut out = first.to_owned();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room && !is_command(word) {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn words_stay_whole_and_lines_stay_short() {
        assert_eq!(wrap("  - ", "one two three four five six", 26), "  - one two three four\n    five six\n");
        assert_eq!(wrap("", "", 40), "\n");
        assert_eq!(wrap("", "one two three four ::error::five", 20), "one two three four ::error::five\n");
        let long = "x".repeat(50);
        assert_eq!(wrap("> ", &long, 10), format!("> {long}\n"));
    }
}
