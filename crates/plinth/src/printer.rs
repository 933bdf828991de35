//! stdout is data, stderr is talk. Nothing else in the binary prints.

use crate::args::Color;
use crate::args::{Common, Verbosity};
use crate::log::Log;
use plinth_model::Problem;
use plinth_model::text::{visible, visible_json, visible_styled};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Prints.
pub(crate) struct Printer {
    color_out: bool,
    color_err: bool,
    verbosity: Verbosity,
    log: Log,
    spoken: AtomicBool,
    lost: OnceLock<String>,
}

impl Printer {
    /// Decides about colour and about how much is said, once.
    pub(crate) fn new(common: &Common) -> Self {
        let (color, verbosity) = (common.color, common.verbosity());
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let wanted = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        let (color_out, color_err) = (wanted(std::io::stdout().is_terminal()), wanted(std::io::stderr().is_terminal()));
        Self {
            color_out,
            color_err,
            verbosity,
            log: Log::start(verbosity),
            spoken: AtomicBool::new(false),
            lost: OnceLock::new(),
        }
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

    /// How much is said.
    pub(crate) const fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// The log of this process.
    pub(crate) const fn log(&self) -> &Log {
        &self.log
    }

    /// Names the log, where there is one: something went wrong.
    pub(crate) fn name_log(&self) {
        if let Some(log) = self.log.place() {
            self.talk(&format!("log: {} (`plinth logs` lists all)", log.display()));
        }
    }

    /// Columns of the terminal; 100 where there is none.
    pub(crate) fn width() -> usize {
        comfy_table::Table::new().width().map_or(100, usize::from)
    }

    /// Data for people. A reader that went away is no error; a full disk is, at the end of the verb ([`Printer::lost`]).
    pub(crate) fn data(&self, text: &str) {
        self.write(&seen(text, self.color_out));
    }

    /// The content of a file. It is written as it is, unless it is a terminal that gets it.
    pub(crate) fn file(&self, text: &str) {
        if std::io::stdout().is_terminal() { self.data(text) } else { self.write(text) }
    }

    fn write(&self, text: &str) {
        self.spoken.store(true, Ordering::Relaxed);
        let mut out = std::io::stdout().lock();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let written =
            out.write_all(text.as_bytes()).and_then(|()| out.write_all(end.as_bytes())).and_then(|()| out.flush());
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.lost.get_or_init(|| error.to_string());
        }
    }

    /// Whether any data was printed.
    pub(crate) fn spoken(&self) -> bool {
        self.spoken.load(Ordering::Relaxed)
    }

    /// Data that could not be written is a problem of its own.
    pub(crate) fn lost(&self) -> Option<Problem> {
        let happened = self.lost.get()?;
        Some(
            Problem::while_doing("writing to standard output")
                .wrong_input(happened)
                .try_this("free some space, then run again"),
        )
    }

    /// Data for programs.
    pub(crate) fn json<T: Serialize>(&self, value: &T) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.write(&visible_json(&text)),
            Err(error) => self.say(&format!("cannot write JSON: {error}")),
        }
    }

    /// Whether a person can be asked: somebody reads, and somebody types.
    pub(crate) fn can_ask() -> bool {
        std::io::stderr().is_terminal() && std::io::stdin().is_terminal()
    }

    /// Asks a question; only `y` and `yes` mean yes.
    pub(crate) fn ask(&self, question: &str) -> bool {
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{} [y/N] ", seen(question, self.color_err)).and_then(|()| err.flush());
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// Asks for a text; only exactly this one means yes.
    pub(crate) fn ask_for(&self, question: &str, wanted: &str) -> bool {
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{} ", seen(question, self.color_err)).and_then(|()| err.flush());
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == wanted
    }

    /// Talk; none with `-q`.
    pub(crate) fn talk(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.say(text);
        }
    }

    fn say(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{}", seen(text.trim_end(), self.color_err));
    }

    /// A problem, with its four parts.
    pub(crate) fn problem(&self, problem: &Problem) {
        let label = if self.color_err { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        self.say(&format!("{label}: {problem}"));
    }
}

/// The last wall: whatever comes here, a terminal is told of colours at most, and of those only where plinth colours.
fn seen(text: &str, color: bool) -> Cow<'_, str> {
    if color { visible_styled(text) } else { visible(text) }
}
