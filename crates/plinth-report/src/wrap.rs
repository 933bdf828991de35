//! Lines that fit the terminal: broken between words and never inside one. Colours take no room.

use textwrap::{Options, WordSeparator, WordSplitter};

/// Less room than this beside a heading is none: the text goes below it.
const LEAST: usize = 40;
/// How much further in a line goes on.
const FURTHER: usize = 2;

/// A text behind `used` columns of a line, which begins with `first`. None as width: one line, however long.
pub(crate) fn behind(first: &str, used: usize, text: &str, width: Option<usize>, below: usize) -> String {
    let Some(width) = width else { return format!("{first}{text}").trim_end().to_owned() };
    let room = width.saturating_sub(used);
    if room < LEAST && textwrap::core::display_width(text) > room {
        let indent = " ".repeat(below);
        return format!("{}\n{}", first.trim_end(), filled(text, width, &indent, &indent));
    }
    let lines = filled(text, room.max(1), "", "");
    format!("{first}{}", lines.replace('\n', &format!("\n{}", " ".repeat(used)))).trim_end().to_owned()
}

/// A line of its own, whose continuation is indented by so many columns.
pub(crate) fn hanging(text: &str, indent: usize, width: Option<usize>) -> String {
    match width {
        None => text.to_owned(),
        Some(width) => filled(text, width, "", &" ".repeat(indent)),
    }
}

/// Lines that a terminal of so many columns shows whole: what is longer goes on below its own beginning, a little further in. Excerpts of a
/// file stay as they are, since the marks below a line point at its columns.
#[must_use]
pub fn fitted(text: &str, width: usize) -> String {
    let fit = |line: &str| {
        if textwrap::core::display_width(line) <= width || is_excerpt(line) {
            return line.to_owned();
        }
        let plain = line.trim_start_matches(' ');
        let (begin, further) = (" ".repeat(line.len() - plain.len()), " ".repeat(line.len() - plain.len() + FURTHER));
        filled(plain, width, &begin, &further)
    };
    text.split('\n').map(fit).collect::<Vec<_>>().join("\n")
}

/// `29 |   api: ...`, and `   |   ^^^^` below it; colours stand before the bar.
fn is_excerpt(line: &str) -> bool {
    line.split_once('|').is_some_and(|(before, _)| {
        let told = before.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, text)| text));
        told.collect::<String>().chars().all(|c| c == ' ' || c.is_ascii_digit())
    })
}

fn filled(text: &str, width: usize, first: &str, others: &str) -> String {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(others)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

/// As many whole words as there is room for; a sign says that there was more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if textwrap::core::display_width(text) <= most {
        return text.to_owned();
    }
    let most = most.saturating_sub(2);
    let mut kept = String::new();
    for word in text.split_inclusive(' ') {
        if textwrap::core::display_width(&kept) + textwrap::core::display_width(word.trim_end()) > most {
            break;
        }
        kept.push_str(word);
    }
    format!("{} …", kept.trim_end()).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_on_in_its_column_or_below_where_there_is_no_room() {
        let text = "one two three four five six seven eight nine ten eleven twelve";
        let wide = behind("head  ", 6, text, Some(50), 4);
        assert_eq!(wide, "head  one two three four five six seven eight nine\n      ten eleven twelve");
        let narrow = behind("a long heading  ", 16, text, Some(44), 4);
        assert_eq!(narrow, "a long heading\n    one two three four five six seven eight\n    nine ten eleven twelve");
        assert_eq!(behind("head  ", 6, text, None, 4), format!("head  {text}"));
    }

    #[test]
    fn lines_that_fit_stay_and_others_go_on_below_their_beginning() {
        let text = "short\n  try: name another file, or move this one away\n\nend";
        let fit = "short\n  try: name another\n    file, or move this\n    one away\n\nend";
        assert_eq!(fitted(text, 22), fit);
        assert_eq!(fitted(text, 80), text);
        for excerpt in ["29 |   api: {extraNames: [a], oidc: {issuer: b}}", "   |                              ^^^^^^"]
        {
            assert_eq!(fitted(excerpt, 22), excerpt);
            let coloured = format!("\u{1b}[1m\u{1b}[94m{}", excerpt.replace('|', "|\u{1b}[0m"));
            assert_eq!(fitted(&coloured, 22), coloured);
        }
    }

    #[test]
    fn words_and_colours_stay_whole() {
        let long = format!("see {}", "x".repeat(60));
        assert_eq!(hanging(&long, 2, Some(20)), format!("see\n  {}", "x".repeat(60)));
        assert_eq!(hanging("\u{1b}[31mred\u{1b}[0m and blue", 2, Some(12)), "\u{1b}[31mred\u{1b}[0m and blue");
        assert_eq!(cut("one two three", 10), "one two …");
        assert_eq!(cut("one two", 10), "one two");
    }
}
