//! Lines that fit the terminal: broken between words and never inside one. Colours take no room. A number stays with its unit, no line
//! begins with what a CI takes for a command, a command between backticks stays on one line where it has room on one, and what is wider than its column begins further left.

use crate::text::is_command;
use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Less room than this beside a heading is none: the text goes below it.
const LEAST: usize = 40;
/// How much further in a line goes on.
const FURTHER: usize = 2;

/// A text behind `used` columns of a line, which begins with `first`. None as width: one line, however long.
#[must_use]
pub fn behind(first: &str, used: usize, text: &str, width: Option<usize>, below: usize) -> String {
    let Some(width) = width else { return format!("{first}{text}").trim_end().to_owned() };
    let room = width.saturating_sub(used);
    if room < LEAST && display_width(text) > room {
        let indent = " ".repeat(below);
        return format!("{}\n{}", first.trim_end(), filled(text, width, &indent, &indent));
    }
    let lines = filled(text, room.max(1), "", "");
    let mut lines = lines.split('\n');
    let begin = lines.next().unwrap_or_default();
    let rest = lines.map(|line| format!("\n{}{line}", " ".repeat(used.min(width.saturating_sub(display_width(line))))));
    format!("{first}{begin}{}", rest.collect::<String>()).trim_end().to_owned()
}

/// A line of its own, whose continuation is indented by so many columns.
#[must_use]
pub fn hanging(text: &str, indent: usize, width: Option<usize>) -> String {
    match width {
        None => text.to_owned(),
        Some(width) => filled(text, width, "", &" ".repeat(indent)),
    }
}

/// A text behind `first`, which may be blank; what goes on begins below the text.
#[must_use]
pub fn beside(first: &str, text: &str, width: usize) -> String {
    filled(text, width, first, &" ".repeat(display_width(first)))
}

/// Lines that a terminal of so many columns shows whole: what is longer goes on below its own beginning, a little further in. Excerpts of a
/// file stay as they are, since the marks below a line point at its columns.
#[must_use]
pub fn fitted(text: &str, width: usize) -> String {
    let fit = |line: &str| if is_excerpt(line) { line.to_owned() } else { further_in(line, Some(width)) };
    text.split('\n').map(fit).collect::<Vec<_>>().join("\n")
}

/// The same of a text without excerpts: what stands behind a bar is what a program said. None as width: as it is.
#[must_use]
pub fn wrapped(text: &str, width: Option<usize>) -> String {
    text.split('\n').map(|line| further_in(line, width)).collect::<Vec<_>>().join("\n")
}

/// A line, and what has no room on it a little further in than its own beginning.
#[must_use]
pub fn further_in(line: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| display_width(line) > *width) else { return line.to_owned() };
    let plain = line.trim_start_matches(' ');
    let indent = line.len() - plain.len();
    filled(plain, width, &" ".repeat(indent), &" ".repeat(indent + FURTHER))
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
    let text = textwrap::fill(&tied(text, width.saturating_sub(others.len())), options).replace(TIE, " ");
    let whole = |line: &str| {
        let plain = line.trim_start_matches(' ');
        // What no terminal of this width has room for stays in its column.
        let over = display_width(line).saturating_sub(width);
        let over = if display_width(plain) <= width { over } else { 0 };
        line.get(over.min(line.len() - plain.len())..).unwrap_or(line).to_owned()
    };
    text.split('\n').map(whole).collect::<Vec<_>>().join("\n")
}

/// A blank that does not end a word. Text that comes here was cleaned and has none of its own.
const TIE: &str = "\u{a0}";
/// What stands behind a number and says nothing without it.
const UNITS: [&str; 12] = ["ms", "s", "min", "h", "d", "B", "KiB", "MiB", "GiB", "TiB", "GB", "%"];

/// A text whose blanks are tied where a line must not end: between a number and its unit, and in commands that have room on one line.
fn tied(text: &str, room: usize) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let part = |(at, part): (usize, &&str)| {
        // The piece behind a backtick that is never closed is no command.
        let is_command = at % 2 == 1 && at < last;
        if is_command && display_width(part) + 2 <= room { part.replace(' ', TIE) } else { with_units(part) }
    };
    parts.iter().enumerate().map(part).collect::<Vec<_>>().join("`")
}

fn with_units(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut told = String::with_capacity(text.len());
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            let is_number = words[at - 1].ends_with(|c: char| c.is_ascii_digit());
            let unit = word.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != '%');
            let is_tied = is_number && UNITS.contains(&unit) || is_command(word);
            told.push_str(if is_tied { TIE } else { " " });
        }
        told.push_str(word);
    }
    told
}

/// As many whole words as there is room for; a sign says that there was more.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if display_width(text) <= most {
        return text.to_owned();
    }
    let most = most.saturating_sub(2);
    let mut kept = String::new();
    for word in text.split_inclusive(' ') {
        if display_width(&kept) + display_width(word.trim_end()) > most {
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

    #[test]
    fn a_number_stays_with_its_unit_and_a_command_on_one_line() {
        assert_eq!(hanging("the account is there (33 s)", 2, Some(25)), "the account is there\n  (33 s)");
        assert_eq!(
            hanging("it took 12 min 33 s, as it always does", 2, Some(18)),
            "it took 12 min\n  33 s, as it\n  always does"
        );
        let text = "to go on without it: `plinth apply --without dgx-05`, and so on";
        assert_eq!(wrapped(text, Some(40)), "to go on without it:\n  `plinth apply --without dgx-05`, and\n  so on");
        // What has no room on a line of its own is broken between words.
        assert!(wrapped(text, Some(24)).lines().all(|line| line.len() <= 24));
        assert_eq!(wrapped("an odd ` stays a b", Some(14)), "an odd ` stays\n  a b");
    }

    #[test]
    fn what_is_wider_than_its_column_begins_further_left_and_stays_whole() {
        let address = format!("https://{}", "x".repeat(62));
        let text =
            behind(&" ".repeat(27), 27, &format!("it answers at {address} as it must, and says so"), Some(80), 4);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains(&format!("\n          {address}\n{}as it must", " ".repeat(27))), "{text}");
        assert_eq!(hanging(&format!("see also {address}"), 30, Some(75)), format!("see also\n     {address}"));
    }

    #[test]
    fn what_a_program_said_is_broken_too_where_there_are_no_excerpts() {
        let said = "    ran  ansible\n         | fatal: [dgx-05]: FAILED! no space left";
        let told = "    ran  ansible\n         | fatal: [dgx-05]:\n           FAILED! no space\n           left";
        assert_eq!(wrapped(said, Some(30)), told);
        assert_eq!((wrapped(said, None), fitted(said, 30)), (said.to_owned(), said.to_owned()));
    }
}
