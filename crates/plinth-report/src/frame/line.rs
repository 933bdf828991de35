//! A line of a frame: text with colours, that can be cut to a width without looking for sequences in it.

use crate::style::Palette;
use textwrap::core::display_width;

/// How a piece of a line is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// As it is.
    Plain,
    /// Of little weight.
    Dim,
    /// A heading.
    Bold,
    /// Right.
    Good,
    /// Wrong.
    Bad,
    /// Doubtful.
    Doubtful,
    /// On its way.
    Moving,
}

/// One line: never wider than it was cut to, without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<(Ink, String)>);

impl Line {
    /// A line of one piece.
    pub(crate) fn of(ink: Ink, text: impl Into<String>) -> Self {
        Self::default().and(ink, text)
    }

    /// With one more piece behind it. The text is cleaned already.
    #[must_use]
    pub(crate) fn and(mut self, ink: Ink, text: impl Into<String>) -> Self {
        self.0.push((ink, text.into()));
        self
    }

    /// With another line behind it, whose indent a blank takes the place of.
    #[must_use]
    pub(crate) fn behind(mut self, more: Self) -> Self {
        for (at, (ink, text)) in more.0.into_iter().enumerate() {
            let text = if at == 0 { format!(" {}", text.trim_start()) } else { text };
            self.0.push((ink, text));
        }
        self
    }

    /// The text without colours.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| display_width(text)).sum()
    }

    /// The text with the colours of a palette.
    #[must_use]
    pub fn painted(&self, palette: Palette) -> String {
        self.0.iter().map(|(ink, text)| paint(*ink, text, palette)).collect()
    }

    /// The same in so many columns: what is too long ends in a sign, but for one column, which its first character says more in.
    /// Where there is no Unicode, what is not ASCII becomes `?`.
    pub(crate) fn fitted(self, columns: usize, palette: Palette) -> Self {
        let line = if palette.unicode { self } else { self.ascii() };
        if line.width() <= columns {
            return line;
        }
        let end = match (palette.unicode, columns) {
            (true, 0..2) | (false, 0..6) => "",
            (true, _) => "…",
            (false, _) => "..",
        };
        let mut left = columns.saturating_sub(display_width(end));
        let mut cut = Self::default();
        for (ink, text) in line.0 {
            let kept = beginning(&text, left);
            left -= display_width(kept);
            let whole = kept.len() == text.len();
            cut = cut.and(ink, kept);
            if !whole {
                break;
            }
        }
        if columns == 0 { Self::default() } else { cut.and(Ink::Dim, end) }
    }

    fn ascii(mut self) -> Self {
        for (_, text) in &mut self.0 {
            if !text.is_ascii() {
                *text = text.replace(|c: char| !c.is_ascii(), "?");
            }
        }
        self
    }
}

/// As much of the text as has room in so many columns.
fn beginning(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += display_width(c.encode_utf8(&mut [0; 4]));
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

fn paint(ink: Ink, text: &str, palette: Palette) -> String {
    match ink {
        Ink::Plain => text.to_owned(),
        Ink::Dim => palette.dim(text),
        Ink::Bold => palette.bold(text),
        Ink::Good => palette.green(text),
        Ink::Bad => palette.red(text),
        Ink::Doubtful => palette.yellow(text),
        Ink::Moving => palette.cyan(text),
    }
}
