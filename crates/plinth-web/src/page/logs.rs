//! Logs of programs that steps started: which there are, and what stands in one.

use super::OfRun;
use super::parts::{moment, short, step_link, told};
use crate::route::Part;
use maud::{Markup, html};
use plinth_model::amount;
use plinth_model::run::{LogFile, Logs};
use plinth_model::text::visible_lines;
use plinth_report::logs::size;

/// Bytes of a log that are shown from its beginning, or from where somebody asks on.
pub(crate) const HEAD: usize = 256 * 1024;
/// Bytes that are shown of its end.
pub(crate) const TAIL: usize = 64 * 1024;
/// Bytes of its end that the page of a step shows.
pub(crate) const LAST: usize = 8 * 1024;
/// Lines of them, at most.
const LINES: usize = 40;

/// A part of a log, or all of it.
#[derive(Debug)]
pub(crate) struct Said {
    /// The place where it begins, in bytes.
    pub(crate) from: u64,
    pub(crate) first: Vec<u8>,
    /// Where it ends.
    pub(crate) until: u64,
    /// The end of the log, and where that begins: where something between is left out.
    pub(crate) last: Option<(u64, Vec<u8>)>,
    /// Bytes of all of it.
    pub(crate) size: u64,
}

/// The newest log of a step.
#[derive(Debug)]
pub(crate) struct OfStep {
    /// None: it has none.
    pub(crate) log: Option<LogFile>,
    /// Its last lines, or why they cannot be read.
    pub(crate) last: Result<String, String>,
}

impl OfStep {
    /// It as a list.
    pub(crate) fn logs(&self) -> &[LogFile] {
        self.log.as_slice()
    }
}

/// All logs of the run.
pub(crate) fn list(page: &OfRun<'_>, logs: &Logs) -> Markup {
    html! {
        h1 { "Logs" }
        @if logs.logs.is_empty() {
            p.empty { "No program that a step of this run started has left a log that is still kept." }
        } @else {
            p { (amount(logs.logs.len(), "log")) " of programs that steps started, newest first. Secrets were taken out when they were written." }
            table.runs {
                thead { tr { th { "Began" } th { "Step" } th { "Log" } th.num { "Size" } th { "Failed" } } }
                tbody { @for log in logs.logs.iter().rev() {
                    tr {
                        td { (moment(log.at)) }
                        td { @if let Some(step) = &log.step { (step_link(&page.links, step)) } }
                        td { (link(page, log, &log.name)) }
                        td.num { (size(log.size)) }
                        td { (short(&log.failed.join(", "))) }
                    }
                } }
            }
        }
    }
}

fn link(page: &OfRun<'_>, log: &LogFile, text: &str) -> Markup {
    html! { a.id href=(page.links.to(&Part::Log(log.name.clone()))) { (told(text)) } }
}

/// One log, or a part of it.
pub(crate) fn page(page: &OfRun<'_>, log: &LogFile, said: &Said) -> Markup {
    let part = Part::Log(log.name.clone());
    let at = |from: u64| page.links.with(&part, "", &[("from", &from.to_string())]);
    html! {
        h1.id { (told(&log.name)) }
        p {
            "log of " @if let Some(step) = &log.step { (step_link(&page.links, step)) } ", begun " (moment(log.at)) ", " (size(said.size)) "; "
            a href=(page.links.to(&Part::Logs)) { "all logs of this run" }
        }
        @if said.from > 0 || said.until < said.size { p.dim {
            (bounds(said)) ". "
            @if said.from > 0 { a href=(page.links.to(&part)) { "beginning and end" } " · "
                a rel="prev" href=(at(said.from.saturating_sub(HEAD as u64))) { "before" } " · " }
            @if said.until < said.size { a rel="next" href=(at(said.until)) { "what follows" } }
        } }
        pre.log tabindex="0" { (lines(&said.first)) }
        @if let Some((from, last)) = &said.last {
            p.dim { (from - said.until) " bytes are left out here: " a href=(at(said.until)) { "show them" } ". Then the last " (last.len()) " bytes:" }
            pre.log tabindex="0" id="end" { (lines(last)) }
        }
        @if said.size == 0 { p.dim { "Nothing was said." } }
    }
}

/// `the first 262144 of 3145728 bytes`.
fn bounds(said: &Said) -> String {
    match said.from {
        0 => format!("The first {} of {} bytes", said.until, said.size),
        from => format!("Bytes {} to {} of {}", from + 1, said.until.max(from), said.size),
    }
}

/// Foreign lines: what cannot be seen is written out, and nothing of it is obeyed.
fn lines(bytes: &[u8]) -> String {
    visible_lines(&String::from_utf8_lossy(bytes)).into_owned()
}

/// As text, as the verb prints it; what is left out is said where it would stand.
pub(crate) fn told_text(said: &Said) -> String {
    let mut text = String::from_utf8_lossy(&said.first).into_owned();
    let next = said.last.as_ref().map_or(said.size, |(from, _)| *from);
    if said.until < next {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        text.push_str(&format!(
            "{end}[{} of {} bytes are left out here; `?from={}` shows them]\n",
            next - said.until,
            said.size,
            said.until
        ));
    }
    if let Some((_, last)) = &said.last {
        text.push_str(&String::from_utf8_lossy(last));
    }
    text
}

/// The last lines of a step's log, with the way to all of it. Where a program failed, its own last words stand above already.
pub(crate) fn of_step(page: &OfRun<'_>, of: &OfStep) -> Markup {
    let step = of.log.as_ref().and_then(|log| page.record.view.steps.get(log.step.as_ref()?));
    let has_tail = step.and_then(|step| step.failure.as_ref()).is_some_and(|failure| !failure.tail.is_empty());
    html! {
        @match (&of.log, &of.last) {
            (Some(log), last) => section {
                h2 { "Log " span.more { (link(page, log, "all of it")) ", " (size(log.size)) } }
                @match last {
                    Ok(text) if !has_tail => { @let text = last_lines(text); @if !text.is_empty() { pre.log tabindex="0" { (text) } } },
                    Ok(_) => {},
                    Err(why) => p.dim { (told(why)) },
                }
            },
            (None, Err(why)) => p.dim { "Its log cannot be looked for: " (told(why)) },
            (None, Ok(_)) => {},
        }
    }
}

fn last_lines(text: &str) -> String {
    let all: Vec<&str> = text.lines().collect();
    let last = all.get(all.len().saturating_sub(LINES)..).unwrap_or_default();
    visible_lines(&last.join("\n")).into_owned()
}
