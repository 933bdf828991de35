//! stdout is data, stderr is talk. Nothing else in the binary prints.

use crate::args::Color;
use plinth_model::Problem;
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// Prints.
pub(crate) struct Printer {
    color_out: bool,
    color_err: bool,
}

impl Printer {
    /// Decides about colour once.
    pub(crate) fn new(color: Color) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let wanted = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        Self { color_out: wanted(std::io::stdout().is_terminal()), color_err: wanted(std::io::stderr().is_terminal()) }
    }

    /// Whether data may be coloured.
    pub(crate) const fn color_out(&self) -> bool {
        self.color_out
    }

    /// Whether talk may be coloured.
    pub(crate) const fn color_err(&self) -> bool {
        self.color_err
    }

    /// Whether somebody watches the talk.
    pub(crate) fn watched() -> bool {
        std::io::stderr().is_terminal()
    }

    /// Columns of the terminal; 100 where there is none.
    pub(crate) fn width() -> usize {
        comfy_table::Table::new().width().map_or(100, usize::from)
    }

    /// Data. A reader that went away is no error.
    pub(crate) fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
    }

    /// Data for programs.
    pub(crate) fn json<T: Serialize>(&self, value: &T) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.data(&text),
            Err(error) => self.talk(&format!("cannot write JSON: {error}")),
        }
    }

    /// Talk.
    pub(crate) fn talk(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{}", text.trim_end());
    }

    /// A problem, with its four parts.
    pub(crate) fn problem(&self, problem: &Problem) {
        let label = if self.color_err { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        self.talk(&format!("{label}: {problem}"));
    }
}
