//! The list of runs: what goes on now on top, then one row each.

use super::parts::{moment, quoted, run_badge, short, told};
use super::shell::{self, Twins, done, elapsed, headline, time_left};
use crate::record::Record;
use crate::route::{Links, Part};
use maud::{Markup, html};
use plinth_analysis::{RunEntry, Waiting, ranges, waiting};
use plinth_model::amount;
use plinth_model::run::RunState;
use plinth_model::span::span;
use plinth_report::history::older;
use plinth_report::runs::{Listed, oldest_wait};

/// Most runs in the list; a filter finds the others.
const MOST: usize = 200;

/// The run that goes on now, if one does.
pub(crate) fn running(all: &[RunEntry]) -> Option<&RunEntry> {
    all.last().filter(|run| run.state == RunState::Running)
}

/// The page. `all` is oldest first, `now` the record of the run that goes on; `asked` is the filter and `chosen` what fits it.
pub(crate) fn page(
    (all, now): (&[RunEntry], Option<&Record>),
    listed: Listed<'_>,
    asked: &str,
    wrong: Option<&str>,
) -> Markup {
    let Listed { site, runs: chosen, removed } = listed;
    let running = running(all);
    let body = html! {
        h1 { "Runs" }
        @if let (Some(run), Some(record)) = (running, now) { (pinned(run, record)) }
        (search(asked))
        @if let Some(wrong) = wrong { p.banner.bad { (wrong) } }
        @if all.is_empty() {
            p.empty { "Nothing was ever run here. " code { "plinth apply" } " does it, " code { "plinth rehearse" } " tries it; read this page again then." }
        } @else if chosen.is_empty() {
            p.empty { "No run fits " code { (short(asked)) } "." }
        } @else {
            (table(all, chosen))
            @if chosen.len() > MOST { p.dim { "The newest " (MOST) " of " (amount(chosen.len(), "run")) "." } }
        }
        @if let Some(older) = older(removed) { p.dim { (older) "." } }
    };
    let filter = if asked.is_empty() { String::new() } else { format!(" --where {}", quoted(asked)) };
    let twins = Twins::of("/runs", asked, format!("plinth runs{filter}"));
    shell::plain(site, "Runs", running.map(|run| run.run.as_str()), &twins, body)
}

fn search(asked: &str) -> Markup {
    html! {
        form.search role="search" {
            label for="q" { "Filter" }
            input id="q" name="q" type="search" value=(short(asked)) placeholder="state:partly took:>1h, or of its steps: state:failed node:dgx-*" spellcheck="false" autocomplete="off";
            button { "show" }
        }
    }
}

/// What the head of its pages says, in the same words: patches fill both.
fn pinned(run: &RunEntry, record: &Record) -> Markup {
    let address = Links::new(&run.run, None).to(&Part::Overview);
    let waits = waiting(&record.view, &record.shape, record.time());
    html! {
        a.card.pinned href=(address) {
            (run_badge(run.state, Some("t-state"))) " "
            b { (short(run.command())) } " for " span id="t-elapsed" { (elapsed(&record.view)) }
            " · " span id="t-done" { (done(&record.view)) }
            @if let Some(analysis) = record.analysis() { " · " (time_left(analysis)) }
            p id="t-sentence" { (headline(record, &waits, None)) }
            p.dim id="t-oldest" { (oldest(record, &waits)) }
        }
    }
}

/// The step that waits longest for its lane or a slot; empty where none does.
pub(crate) fn oldest(record: &Record, waits: &[Waiting]) -> String {
    oldest_wait(&record.view, waits).map(|text| told(&text)).unwrap_or_default()
}

fn table(all: &[RunEntry], chosen: &[RunEntry]) -> Markup {
    html! {
        table.runs {
            thead { tr {
                th { "State" } th { "Began" } th { "What" } th.num { "Took" } th.num { "Usually" }
                th.num { "Changed" } th.num { "Failed" } th { "First failure" } th { "Who" } th { "Plan" }
            } }
            tbody { @for run in chosen.iter().rev().take(MOST) { (row(all, run)) } }
        }
    }
}

fn row(all: &[RunEntry], run: &RunEntry) -> Markup {
    let links = Links::new(&run.run, None);
    let count = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    let without = ranges(run.without.iter().map(|node| node.as_str()));
    html! {
        tr {
            td { (run_badge(run.state, None)) }
            td { a href=(links.to(&Part::Overview)) { (moment(run.started)) } }
            td {
                (short(run.command()))
                @if run.rehearsal { " " span.tag { "rehearsal" } }
                @if !without.is_empty() { " " span.tag { "without " (short(&without)) } }
            }
            td.num { (span(run.seconds)) }
            td.num.dim { (usual(all, run).map(span).unwrap_or_default()) }
            td.num { (count(run.counts.map(|counts| counts.changed))) }
            td.num { @if let Some(counts) = run.counts { @if counts.failed > 0 { b.bad { (counts.failed) } } @else { "0" } } }
            td { @if let Some(step) = &run.first_failure { (super::parts::step_link(&links, step)) } }
            td.dim { @if let Some(who) = &run.who { (short(&format!("{}@{}", who.user, who.host))) } }
            td.dim { code { (run.plan.as_ref().map_or("-", |plan| plan.short())) } }
        }
    }
}

/// Seconds that half of its like before it took at most.
fn usual(all: &[RunEntry], run: &RunEntry) -> Option<f64> {
    let before = all.iter().take_while(|other| other.run != run.run);
    let alike =
        before.filter(|other| other.verb == run.verb && other.small == run.small && other.state == RunState::Done);
    let mut seconds: Vec<f64> = alike.filter(|other| other.checks == run.checks).map(|other| other.seconds).collect();
    plinth_analysis::median(&mut seconds)
}
