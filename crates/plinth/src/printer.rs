//! Data goes to stdout, messages to stderr. Nothing else in the binary prints.

use crate::args::{Color, Common, Output, Progress, Verbosity};
use crate::log::Log;
use crate::signals::Signals;
use crate::streams::Streams;
use crate::terminal;
use plinth_model::Problem;
use plinth_model::text::{visible_json, visible_lines, visible_styled};
use plinth_report::Palette;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Timespec;
use rustix::io::Errno;
use serde::Serialize;
use std::borrow::Cow;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between two looks whether a question is still open.
const ASKED: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// How long the log is waited for at the end: a disk that hangs must not hold the process.
const LOG: Duration = Duration::from_secs(2);

/// The only way out for text: standard output, standard error, and plinth's own log.
pub(crate) struct Printer {
    color_out: bool,
    color_err: bool,
    verbosity: Verbosity,
    log: Log,
    streams: Arc<Streams>,
    signals: Signals,
    yaml: bool,
    progress: Progress,
    spoken: AtomicBool,
    /// A question stands on its line.
    asking: AtomicBool,
    /// A plan was run: how that ended is how the process ends.
    ran: AtomicBool,
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
        let streams = Arc::<Streams>::default();
        Self {
            color_out,
            color_err,
            verbosity,
            log: Log::start(verbosity, Arc::clone(&streams)),
            streams,
            signals: Signals::new(),
            yaml: common.output == Output::Yaml,
            progress: progress(common, |name| std::env::var(name).ok()),
            spoken: AtomicBool::new(false),
            asking: AtomicBool::new(false),
            ran: AtomicBool::new(false),
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

    /// Columns that data may take: those of the terminal; where there is none what COLUMNS says, else 100.
    pub(crate) fn width() -> usize {
        width_of(std::io::stdout())
    }

    /// The same of talk.
    pub(crate) fn width_of_talk() -> usize {
        width_of(std::io::stderr())
    }

    /// How a run is shown: never `Auto`. Beside a log on the terminal nothing is drawn in place.
    pub(crate) fn progress(&self) -> Progress {
        match (self.verbosity, self.progress) {
            (Verbosity::Quiet, _) => Progress::None,
            (Verbosity::Verbose | Verbosity::Trace, Progress::Live) => Progress::Lines,
            (_, progress) => progress,
        }
    }

    /// The ways out of this process.
    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The signals of this process.
    pub(crate) const fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Data for people. A reader that went away is no error; a full disk is, at the end of the verb ([`Printer::end`]).
    pub(crate) fn data(&self, text: &str) {
        self.write(&seen(text, self.color_out));
    }

    /// The same of a text whose lines have not been fitted to the terminal: there they are broken between words, elsewhere they stay.
    pub(crate) fn text(&self, text: &str) {
        let width = std::io::stdout().is_terminal().then(Self::width);
        self.data(&plinth_model::wrap::wrapped(text, width));
    }

    /// The content of a file. It is written as it is, unless it is a terminal that gets it.
    pub(crate) fn file(&self, text: &str) {
        if std::io::stdout().is_terminal() { self.data(text) } else { self.write(text) }
    }

    fn write(&self, text: &str) {
        self.give(text.to_owned());
    }

    /// The same for a text that nobody else needs: the JSON of a large plan has a hundred megabytes.
    fn give(&self, mut text: String) {
        self.spoken.store(true, Ordering::Relaxed);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        self.streams.out().give(text.into_bytes());
    }

    /// A plan is run: how that ends is how the process ends, whatever becomes of what is said about it.
    pub(crate) fn runs(&self) {
        self.ran.store(true, Ordering::Relaxed);
    }

    /// Waits for whoever reads, and tells what could not be written. Data that was lost is a problem of its own, unless a plan was run.
    pub(crate) fn end(&self) -> Result<(), Problem> {
        for lost in self.streams.end(&self.signals, &|text| self.talk(text)) {
            self.problem(
                &Problem::while_doing("writing the events of the run to")
                    .to(lost.file.display())
                    .wrong_input(format!("{}; the run itself went on", lost.happened))
                    .try_this("everything is in the journal (`plinth status`)"),
            );
        }
        let lost = self.streams.lost().map(|error| {
            Problem::while_doing("writing to standard output")
                .wrong_input(error)
                .try_this("free some space, then run again")
        });
        match lost {
            Some(problem) if !self.ran.load(Ordering::Relaxed) => return Err(problem),
            Some(problem) => self.problem(&problem),
            None => {}
        }
        Ok(())
    }

    /// Waits until all text is out, and a moment for the log; ends early when a signal comes.
    pub(crate) fn last_words(&self) {
        self.streams.last_words(&self.signals);
        self.log.end(LOG);
    }

    /// Whether any data was printed.
    pub(crate) fn spoken(&self) -> bool {
        self.spoken.load(Ordering::Relaxed)
    }

    /// Data for programs.
    pub(crate) fn json<T: Serialize>(&self, value: &T) {
        let text = match self.yaml {
            false => serde_json::to_string_pretty(value).map_err(|error| error.to_string()),
            true => serde_json::to_value(value)
                .map_err(|error| error.to_string())
                .and_then(|value| plinth_plan::kubespray::yaml(&value)),
        };
        match text {
            Ok(text) if self.yaml => self.write(&visible_lines(&text)),
            Ok(text) => {
                let shown = match visible_json(&text) {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(shown) => Some(shown),
                };
                self.give(shown.unwrap_or(text));
            }
            Err(error) => self.say(&format!("cannot write the data: {error}")),
        }
    }

    /// Whether a person can be asked: somebody reads, and somebody types.
    pub(crate) fn can_ask() -> bool {
        std::io::stderr().is_terminal() && std::io::stdin().is_terminal()
    }

    /// Asks a question; only `y` and `yes` mean yes. A signal ends the wait.
    pub(crate) async fn ask(&self, question: &str) -> bool {
        let answer = self.answer(&format!("{question} [y/N] ")).await;
        matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// Asks for a text; empty when nothing was typed.
    pub(crate) async fn ask_text(&self, question: &str) -> String {
        self.answer(&format!("{question} ")).await.trim().to_owned()
    }

    /// Asks for a text; only exactly this one means yes.
    pub(crate) async fn ask_for(&self, question: &str, wanted: &str) -> bool {
        self.answer(&format!("{question} ")).await.trim() == wanted
    }

    /// One line that a person types; empty when nobody can. The wait is a thread's, so that signals are heard meanwhile.
    async fn answer(&self, question: &str) -> String {
        self.streams.err().whole(seen(question, self.color_err).as_bytes());
        self.asking.store(true, Ordering::Relaxed);
        let (told, heard) = tokio::sync::oneshot::channel();
        let reader = std::thread::Builder::new().name("question".to_owned()).spawn(move || {
            let answer = typed(|| !told.is_closed());
            // Nobody listens any more when a signal came first.
            let _ = told.send(answer);
        });
        let answer = if reader.is_ok() { heard.await.unwrap_or_default() } else { String::new() };
        self.asking.store(false, Ordering::Relaxed);
        answer
    }

    /// Talk; none with `-q`.
    pub(crate) fn talk(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.say(text);
        }
    }

    /// Something was changed that the caller has to know of; said with `-q` too.
    pub(crate) fn changed(&self, text: &str) {
        self.say(text);
    }

    fn say(&self, text: &str) {
        let begin = if self.asking.swap(false, Ordering::Relaxed) { "\n" } else { "" };
        let mut text = seen(text.trim_end(), self.color_err);
        if Self::watched() {
            text = Cow::Owned(plinth_model::wrap::fitted(&text, Self::width_of_talk()));
        }
        self.streams.err().lines(format!("{begin}{text}\n").as_bytes());
    }

    /// A problem, with its four parts.
    pub(crate) fn problem(&self, problem: &Problem) {
        // The terminal has `^C` on the line by then.
        let echoed = self.signals.heard() > 0 && Self::watched() && !self.ran.load(Ordering::Relaxed);
        self.asking.fetch_or(echoed, Ordering::Relaxed);
        let label = if self.color_err { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        self.say(&format!("{label}: {problem}"));
    }
}

fn width_of(terminal: impl AsFd) -> usize {
    let wished = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal::columns(terminal).or_else(wished).unwrap_or(100)
}

/// How a run is to be shown. A view that is drawn in place needs a terminal that says what it is: on one that does not (`TERM` is not set,
/// or `dumb`, as in the shell of an editor) nothing at all would be seen of it.
fn progress(common: &Common, variable: impl Fn(&str) -> Option<String>) -> Progress {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty() && value != "0" && value != "false");
    let can_draw = Printer::watched() && set("TERM").is_some_and(|term| term != "dumb");
    match (common.progress, common.no_progress) {
        (_, true) => Progress::Lines,
        (Progress::Auto, _) if set("ACCESSIBLE").is_some() => Progress::Calm,
        (Progress::Auto, _) if can_draw && set("CI").is_none() => Progress::Live,
        (Progress::Live, _) if can_draw => Progress::Live,
        (Progress::Auto | Progress::Live, _) => Progress::Lines,
        (chosen, _) => chosen,
    }
}

/// Colour as the printer decided for where the text goes, signs as the locale allows.
pub(crate) fn palette(colour: bool) -> Palette {
    Palette { colour, ..Palette::detect(Printer::watched(), |name| std::env::var(name).ok()) }
}

/// One line from standard input, as long as somebody wants it; empty when nothing comes. A read that waits would outlive its question.
fn typed(is_wanted: impl Fn() -> bool) -> String {
    let (stdin, mut answer) = (std::io::stdin(), String::new());
    while is_wanted() {
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&ASKED)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return stdin.read_line(&mut answer).map_or_else(|_| String::new(), |_| answer),
            Err(_) => return String::new(),
        }
    }
    String::new()
}

/// The last wall: whatever comes here, a terminal is told of colours at most, and of those only where plinth colours.
fn seen(text: &str, color: bool) -> Cow<'_, str> {
    if color { visible_styled(text) } else { visible_lines(text) }
}
