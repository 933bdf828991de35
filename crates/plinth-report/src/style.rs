//! Colours and signs of the terminal. Every line makes sense without either: a sign always stands before the word it means.

use plinth_model::StepState;
use plinth_model::text::{is_hidden, visible};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// ANSI colours.
    pub colour: bool,
    /// Signs outside ASCII.
    pub unicode: bool,
}

/// A sign in front of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Changed into the desired state.
    Changed,
    /// Found in the desired state.
    Unchanged,
    /// Left out, by its gate.
    Skipped,
    /// Ended, and not in the desired state.
    Failed,
    /// It was not reached.
    NotRun,
    /// It is tried again.
    Retry,
    /// A gate opened.
    Gate,
    /// It is still going on.
    Running,
    /// Something doubtful.
    Warning,
}

impl Sign {
    /// The sign of a state.
    #[must_use]
    pub const fn of(state: StepState) -> Self {
        match state {
            StepState::Changed => Sign::Changed,
            StepState::Unchanged => Sign::Unchanged,
            StepState::Skipped => Sign::Skipped,
            StepState::Failed => Sign::Failed,
            StepState::Pending | StepState::NotRun => Sign::NotRun,
            StepState::Looking | StepState::Acting => Sign::Running,
            StepState::Unknown => Sign::Warning,
        }
    }
}

impl Palette {
    /// Neither colour nor signs: what a log file or an old terminal gets.
    pub const PLAIN: Palette = Palette { colour: false, unicode: false };

    /// Decides from the environment. `NO_COLOR` (any value but the empty one) and `TERM=dumb` switch colour off; signs need a
    /// locale that says UTF-8. A locale says nothing about colour and `NO_COLOR` says nothing about signs.
    pub fn detect(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let colour = terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb");
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        Self { colour, unicode: locale.ends_with("utf-8") || locale.ends_with("utf8") }
    }

    /// The sign itself.
    #[must_use]
    pub const fn sign(self, sign: Sign) -> &'static str {
        let (unicode, ascii) = match sign {
            Sign::Changed => ("✓", "+"),
            Sign::Unchanged => ("=", "="),
            Sign::Skipped => ("↷", ">"),
            Sign::Failed => ("✗", "X"),
            Sign::NotRun => ("·", "-"),
            Sign::Retry => ("↻", "~"),
            Sign::Gate => ("◆", "*"),
            Sign::Running => ("…", "."),
            Sign::Warning => ("!", "!"),
        };
        if self.unicode { unicode } else { ascii }
    }

    /// The sign in its colour.
    #[must_use]
    pub fn painted(self, sign: Sign) -> String {
        let text = self.sign(sign);
        match sign {
            Sign::Changed => self.green(text),
            Sign::Failed => self.red(text),
            Sign::Retry | Sign::Warning => self.yellow(text),
            Sign::Gate | Sign::Running => self.cyan(text),
            Sign::Unchanged | Sign::Skipped | Sign::NotRun => self.dim(text),
        }
    }

    /// Stands between two parts of a line.
    #[must_use]
    pub const fn dot(self) -> &'static str {
        if self.unicode { "·" } else { "," }
    }

    /// For a heading: bold.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.ansi("1", text)
    }

    /// For what matters little: dim.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.ansi("2", text)
    }

    /// For what is wrong: red.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.ansi("31", text)
    }

    /// For what is right: green.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.ansi("32", text)
    }

    /// For what is doubtful: yellow.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.ansi("33", text)
    }

    /// For what is on its way: cyan.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.ansi("36", text)
    }

    fn ansi(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A text that came from outside, in one line: a foreign program can neither move the cursor nor break a line. Blanks of all kinds
/// become a blank, what cannot be seen is written out.
#[must_use]
pub fn clean(text: &str) -> String {
    let line: String = text.trim().chars().map(|c| if is_blank(c) { ' ' } else { c }).collect();
    visible(&line).into_owned()
}

/// Longest foreign text on a line where it is one of many, and where it is told in full, characters; the JSON has all of it.
const LONGEST: usize = 300;
const LONGEST_TOLD: usize = 4_000;

/// Foreign text in one line, cut where it is endless: for a line where it is one of many.
#[must_use]
pub fn short(text: &str) -> String {
    cleaned(text, LONGEST)
}

/// The same for a text that is told in full.
#[must_use]
pub fn told(text: &str) -> String {
    cleaned(text, LONGEST_TOLD)
}

/// The same with so many characters at most.
pub(crate) fn cleaned(text: &str, most: usize) -> String {
    // What is cut off is not cleaned first: a line of a megabyte costs nothing.
    let begin: String = text.chars().take(most + 1).collect();
    let cleaned = clean(&begin);
    if begin.chars().count() <= most {
        return cleaned;
    }
    cleaned.chars().take(most).chain(" …".chars()).collect()
}

const fn is_blank(c: char) -> bool {
    matches!(c, '\n' | '\t') || c.is_whitespace() && !is_hidden(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(terminal: bool, variables: &[(&str, &str)]) -> Palette {
        Palette::detect(terminal, |name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn environment_decides() {
        type Variables = [(&'static str, &'static str)];
        let cases: [(bool, &Variables, bool, bool); 8] = [
            (true, &[("LANG", "en_US.UTF-8")], true, true),
            (true, &[("LANG", "C.utf8"), ("NO_COLOR", "1")], false, true),
            (true, &[("LANG", "C.utf8"), ("NO_COLOR", "")], true, true),
            (true, &[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], true, false),
            (true, &[("LANG", "C"), ("LC_CTYPE", "C.UTF-8")], true, true),
            (true, &[("TERM", "dumb")], false, false),
            (false, &[("LANG", "en_US.UTF-8")], false, true),
            (false, &[], false, false),
        ];
        for (terminal, variables, colour, unicode) in cases {
            assert_eq!(detect(terminal, variables), Palette { colour, unicode }, "{terminal} {variables:?}");
        }
    }

    #[test]
    fn plain_signs_are_ascii_and_uncoloured() {
        for sign in [Sign::Changed, Sign::Skipped, Sign::Failed, Sign::NotRun, Sign::Retry, Sign::Gate, Sign::Running] {
            assert!(Palette::PLAIN.painted(sign).is_ascii());
            assert_eq!(Palette::PLAIN.painted(sign).len(), 1);
        }
    }

    #[test]
    fn foreign_text_cannot_move_the_cursor() {
        assert_eq!(clean("a\u{1b}[2Jb\n\tc\u{7}\r\n"), r"a\u{1b}[2Jb  c\u{7}");
        let (listed, whole) = (short(&"x".repeat(1_000_000)), told(&"x".repeat(1_000_000)));
        assert_eq!((listed.chars().count(), whole.chars().count()), (LONGEST + 2, LONGEST_TOLD + 2));
        assert!(listed.ends_with('…') && short("x") == "x");
        assert_eq!(clean(" a\u{a0}b\u{202e}\u{85}\u{200b}c "), r"a b\u{202e}\u{85}\u{200b}c");
    }
}
