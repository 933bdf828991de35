//! Frames into bytes for a terminal: each one write, drawn over the one before, with what scrolls above it.

use crate::frame::Line;
use crate::style::Palette;
use std::fmt::Write as _;

/// Overwrites from the cursor to the end of the line; of the screen.
const CLEAR_LINE: &str = "\u{1b}[K";
const CLEAR_BELOW: &str = "\u{1b}[J";
const HIDE_CURSOR: &str = "\u{1b}[?25l";
const SHOW_CURSOR: &str = "\u{1b}[?25h";
/// Between these a terminal that knows them shows nothing half drawn.
const BEGIN_UPDATE: &str = "\u{1b}[?2026h";
const END_UPDATE: &str = "\u{1b}[?2026l";
const NO_TASKBAR: &str = "\u{1b}]9;4;0\u{1b}\\";

/// What a terminal can do beyond moving its cursor. It is told by its environment only: asking it would wait for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Shows a frame at once (synchronized update, mode 2026).
    pub synchronized: bool,
    /// Shows how far something is outside of its text (OSC 9;4): taskbar, tab, title.
    pub taskbar: bool,
}

impl Features {
    /// What makes a terminal usable again on which a view was broken off.
    #[must_use]
    pub const fn give_back(self) -> &'static str {
        if self.taskbar { "\u{1b}]9;4;0\u{1b}\\\u{1b}[?25h\r\n" } else { "\u{1b}[?25h\r\n" }
    }

    /// By the variables with which terminals name themselves. Inside tmux and screen they are those of the terminal around, so nothing is known.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is = |name: &str, values: &[&str]| variable(name).is_some_and(|found| values.contains(&found.as_str()));
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        if set("TMUX") || set("STY") || term.starts_with("tmux") || term.starts_with("screen") {
            return Self::default();
        }
        let names_itself = is("TERM_PROGRAM", &["WezTerm", "ghostty"]);
        let windows = set("WT_SESSION");
        let kitty_like = ["xterm-kitty", "xterm-ghostty", "foot", "contour", "alacritty"];
        Self {
            synchronized: names_itself || windows || is("TERM_PROGRAM", &["iTerm.app"]) || kitty_like.contains(&&*term),
            taskbar: names_itself || windows || is("ConEmuANSI", &["ON"]),
        }
    }
}

/// How far a run is, for a taskbar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taskbar {
    /// Of a hundred.
    pub percent: u8,
    /// Something failed.
    pub failed: bool,
}

/// What stands on the terminal. It answers with bytes and writes nowhere.
#[derive(Debug)]
pub struct Painter {
    features: Features,
    palette: Palette,
    /// Columns that each line of the frame takes that stands.
    shown: Vec<usize>,
    hidden: bool,
    taskbar: Option<Taskbar>,
}

impl Painter {
    /// Nothing is drawn yet.
    #[must_use]
    pub const fn new(features: Features, palette: Palette) -> Self {
        Self { features, palette, shown: Vec::new(), hidden: false, taskbar: None }
    }

    /// A frame in place of the one before, below lines that scroll. `size`: columns and rows of the terminal now.
    #[must_use]
    pub fn paint(
        &mut self,
        above: &[String],
        frame: &[Line],
        size: (usize, usize),
        taskbar: Option<Taskbar>,
    ) -> String {
        let mut out = String::new();
        out.push_str(if self.features.synchronized { BEGIN_UPDATE } else { "" });
        if !self.hidden {
            out.push_str(HIDE_CURSOR);
            self.hidden = true;
        }
        self.begin(&mut out, above, size);
        for (at, line) in frame.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { "\r\n" });
            out.push_str(&line.painted(self.palette));
            out.push_str(CLEAR_LINE);
        }
        out.push_str(CLEAR_BELOW);
        out.push('\r');
        self.shown = frame.iter().map(Line::width).collect();
        self.tell(&mut out, taskbar);
        out.push_str(if self.features.synchronized { END_UPDATE } else { "" });
        out
    }

    /// Takes the frame away, with lines in its place; the terminal is as it was.
    #[must_use]
    pub fn erase(&mut self, above: &[String], size: (usize, usize)) -> String {
        let mut out = String::new();
        self.begin(&mut out, above, size);
        if !self.shown.is_empty() && above.is_empty() {
            out.push_str(CLEAR_BELOW);
        }
        self.shown.clear();
        self.tell(&mut out, None);
        if std::mem::replace(&mut self.hidden, false) {
            out.push_str(SHOW_CURSOR);
        }
        out
    }

    /// Leaves the frame where it stands, and the terminal as it was.
    #[must_use]
    pub fn leave(&mut self) -> String {
        let below = if self.shown.is_empty() { "" } else { "\r\n" };
        self.shown.clear();
        let mut out = below.to_owned();
        self.tell(&mut out, None);
        if std::mem::replace(&mut self.hidden, false) {
            out.push_str(SHOW_CURSOR);
        }
        out
    }

    /// Goes to where the frame begins, and writes the lines that scroll.
    fn begin(&self, out: &mut String, above: &[String], (columns, rows): (usize, usize)) {
        // A terminal that became narrower has broken the lines that stand on it.
        let rows_of = |width: &usize| width.div_ceil(columns.max(1)).max(1);
        let before_last = self.shown.len().saturating_sub(1);
        let up: usize = self.shown.iter().take(before_last).map(rows_of).sum();
        let up = up.min(rows.saturating_sub(1));
        if !self.shown.is_empty() {
            out.push('\r');
        }
        if up > 0 {
            let _ = write!(out, "\u{1b}[{up}A");
        }
        if above.is_empty() {
            return;
        }
        // A line that is longer than the terminal is broken by it: what stood there must be gone before.
        out.push_str(if self.shown.is_empty() { "" } else { CLEAR_BELOW });
        for line in above.iter().flat_map(|text| text.split('\n')) {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }

    /// Says how far it is where that changed.
    fn tell(&mut self, out: &mut String, taskbar: Option<Taskbar>) {
        if !self.features.taskbar || taskbar == self.taskbar {
            return;
        }
        match taskbar {
            Some(Taskbar { percent, failed }) => {
                let state = if failed { 2 } else { 1 };
                let _ = write!(out, "\u{1b}]9;4;{state};{percent}\u{1b}\\");
            }
            None => out.push_str(NO_TASKBAR),
        }
        self.taskbar = taskbar;
    }
}

#[cfg(test)]
#[path = "painter_tests.rs"]
mod tests;
