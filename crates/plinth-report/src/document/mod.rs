//! A run as one file to send, to keep and to read anywhere: every fact as plain HTML in the order in which people read, understood
//! without style and without script, with the events inside, from which the run can be had back.
//!
//! Whatever shows it may forbid everything (Jenkins does): then the style is gone and the script does not run, and nothing else is lost.
//! The page asks nobody for anything.

mod data;
mod failures;
mod head;
mod markup;
mod steps;
#[cfg(test)]
mod tests;
mod times;

pub use data::{ExtractError, extract};
pub use markup::texts;

use crate::export::Exported;
use crate::style::clean;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use plinth_model::{Event, EventBody};
use sha2::{Digest as _, Sha256};

/// Most bytes of a report. Mail gateways refuse more than this, and browsers take long over it.
pub const LARGEST: usize = 5_000_000;
/// Longest text of a foreign program in it, characters; the events have all of it.
const LONGEST: usize = 300;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
/// Name of the style of a report in a folder.
pub const STYLE_FILE: &str = "report.css";
/// Name of the events of a report in a folder.
pub const EVENTS_FILE: &str = "events.ndjson.gz";

/// What is reported.
#[derive(Clone, Copy)]
pub struct Document<'a> {
    /// The run.
    pub run: Exported<'a>,
    /// Its events, one JSON object a line, as they are packed into it.
    pub events: &'a str,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One file, which holds style, script and events.
    OneFile,
    /// A page, its style and the events beside it: for servers that allow no style within a page.
    Folder,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The page.
    pub html: String,
    /// The events, packed: for the file beside the page. None within one file, and where they are left out.
    pub events: Option<Vec<u8>>,
    /// What is left out of it, in words.
    pub left_out: Option<String>,
}

/// How much is told, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Everything.
    Whole,
    /// Steps by kind and outcome, without their own times.
    Folded,
    /// And without the events.
    Alone,
}

/// An event as a report has it. The digest of what a step was to do is for the journal, which knows by it what need not be done again.
/// Nobody reads it elsewhere, and digests cannot be packed: of a thousand nodes they are half of all bytes.
#[must_use]
pub fn without_digest(event: &Event) -> Event {
    let mut event = event.clone();
    if let EventBody::StepFinished { digest, .. } = &mut event.body {
        *digest = None;
    }
    event
}

/// Takes secrets out of a text before it is read.
pub type Redact<'a> = &'a dyn Fn(&str) -> String;

impl Document<'_> {
    /// Writes it; every text on the page goes through `redact`, which the events must have gone through before. What does not fit into
    /// [`LARGEST`] is left out, and the page says so.
    ///
    /// # Errors
    /// When the events cannot be packed, which only missing memory brings about.
    pub fn write(&self, form: Form, redact: Redact<'_>) -> std::io::Result<Written> {
        let packed = data::packed(self.events)?;
        let whole = self.page(form, Detail::Whole, None, redact, &packed);
        if whole.html.len() <= LARGEST {
            return Ok(whole);
        }
        let left_out = format!(
            "This report leaves out when each step began and how long it took: with that it would have {} bytes, and the most is {LARGEST}.",
            whole.html.len()
        );
        let folded = self.page(form, Detail::Folded, Some(left_out), redact, &packed);
        if folded.html.len() <= LARGEST {
            return Ok(folded);
        }
        let left_out = format!(
            "This report leaves out the events of the run, and when each step began and how long it took: with the events it would have {} \
             bytes, and the most is {LARGEST}.",
            folded.html.len()
        );
        Ok(self.page(form, Detail::Alone, Some(left_out), redact, &packed))
    }

    fn page(&self, form: Form, detail: Detail, left_out: Option<String>, redact: Redact<'_>, packed: &[u8]) -> Written {
        let kept = (detail != Detail::Alone).then_some(packed);
        let body = markup::redacted(&self.body(form, detail, left_out.as_deref()).into_string(), redact);
        let data = kept.filter(|_| form == Form::OneFile).map(|packed| data::block(packed, self.events));
        let name = markup::redacted(&html! { (self.name()) }.into_string(), redact);
        let html = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    @if form == Form::OneFile { meta http-equiv="Content-Security-Policy" content=(rules()); }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="generator" content="plinth";
                    title { (PreEscaped(name)) }
                    @match form {
                        Form::OneFile => style { (PreEscaped(STYLE)) },
                        Form::Folder => link rel="stylesheet" href=(STYLE_FILE);,
                    }
                }
                body {
                    (PreEscaped(body))
                    @if let Some(data) = data {
                        (data)
                        script { (PreEscaped(SCRIPT)) }
                    }
                }
            }
        };
        let events = kept.filter(|_| form == Form::Folder).map(<[u8]>::to_vec);
        Written { html: html.into_string() + "\n", events, left_out }
    }

    fn name(&self) -> String {
        let entry = self.run.shown.entry;
        line(&format!("{}: {} {}", self.run.site, entry.command(), entry.state.word()))
    }

    fn body(&self, form: Form, detail: Detail, left_out: Option<&str>) -> Markup {
        let run = &self.run;
        html! {
            main {
                (head::head(run, left_out))
                (failures::failures(run))
                (head::next(run))
                (failures::waits(run))
                (times::path(run))
                (times::slow(run))
                (steps::kinds(run))
                (steps::nodes(run))
                (failures::findings(run))
                (steps::all(run, detail == Detail::Whole))
                (events(form, detail, self.events))
            }
        }
    }
}

fn events(form: Form, detail: Detail, events: &str) -> Markup {
    let count = events.lines().count();
    html! {
        section {
            h2 { "Events" }
            @match (detail, form) {
                (Detail::Alone, _) => p { "They are not in this report; " code { "plinth support" } " packs them." },
                (_, Form::Folder) => p {
                    "All " (count) " events of the run are in " a href=(EVENTS_FILE) { (EVENTS_FILE) } ", one JSON object a line."
                },
                (_, Form::OneFile) => {
                    p {
                        "All " (count) " events of the run are in this file. "
                        code { "plinth report --extract FILE" } " gives them back, one JSON object a line."
                    }
                    div id="read" {}
                },
            }
        }
    }
}

/// What the page may do: run this one script, look like this, and nothing else.
fn rules() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// The style of a report in a folder.
#[must_use]
pub const fn style() -> &'static str {
    STYLE
}

/// One line of foreign text, cut where it is endless.
fn line(text: &str) -> String {
    let begin: String = text.chars().take(LONGEST + 1).collect();
    let cleaned = clean(&begin);
    match begin.chars().count() <= LONGEST {
        true => cleaned,
        false => cleaned.chars().take(LONGEST).chain(" …".chars()).collect(),
    }
}
