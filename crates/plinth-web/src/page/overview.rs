//! The overview: the one sentence is on top; here what runs, what failed, kinds, and nodes by kinds.

use super::OfRun;
use super::cause::{anchor, place};
use super::matrix::{self, Sort};
use super::parts::{LINES, badge, bar, counted, fact, moment, short, step_link, told};
use crate::route::Part;
use maud::{Markup, html};
use plinth_analysis::{Busy, RehearsalDiff, StopNow, ranges};
use plinth_model::run::{RunState, StepView};
use plinth_model::span::span;
use plinth_model::{StepId, amount};
use plinth_report::Palette;
use plinth_report::runs::{self, Look};

/// Lines of the terminal as a page takes them in.
const PLAIN: Look = Look { palette: Palette { colour: false, unicode: true }, width: None };
/// Steps at work that are told one by one.
pub(crate) const RUNNING: usize = 12;
/// Causes that are told here; all are on their own page.
const CAUSES: usize = 5;
/// Slow steps that are told.
const SLOW: usize = 5;

pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    let analysis = page.analysis;
    let all: Vec<usize> = (0..page.record.grid.nodes.len()).collect();
    let sort = Sort::parse(page.query.get("sort"));
    html! {
        h1.vh { "Overview" }
        div.columns {
            div {
                (causes(page))
                (running(page))
                (waiting(page))
            }
            div {
                (facts(page))
                (if_stopped(analysis.stop.as_ref()))
                (slow(page))
                (rehearsal(analysis.rehearsal.as_ref()))
            }
        }
        // Few nodes come first; many would push everything else out of sight.
        @if all.len() <= matrix::WORDS { (nodes(page, sort, &all)) }
        section { h2 { "Kinds of steps" } (kinds(page)) }
        @if all.len() > matrix::WORDS { (nodes(page, sort, &all)) }
    }
}

fn nodes(page: &OfRun<'_>, sort: Sort, rows: &[usize]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section { h2 { "Nodes" } (matrix::matrix(page, sort, rows)) }
        }
    }
}

/// Where it left its rehearsal.
fn rehearsal(diff: Option<&RehearsalDiff>) -> Markup {
    html! { @if let Some(diff) = diff { section { h2 { "Against its rehearsal" } (lines(&runs::rehearsal_diff(diff, PLAIN))) } } }
}

/// What a stop would mean, and the line for the colleague who takes over.
fn if_stopped(stop: Option<&StopNow>) -> Markup {
    html! { @if let Some(stop) = stop { section { h2 { (runs::stop_title(stop)) } (lines(&runs::stop_lines(stop, PLAIN))) } } }
}

fn lines(text: &str) -> Markup {
    html! { ul.list { @for line in text.lines() { li { (told(line)) } } } }
}

/// Lines of a long text that a page shows; its `.txt` has all.
const TEXT: usize = 500;

/// The first lines of a text, each of them cleaned; what is left out is counted.
pub(crate) fn some_lines(text: &str) -> String {
    let more = text.lines().count().saturating_sub(TEXT);
    let begin = told_lines(&text.lines().take(TEXT).collect::<Vec<_>>().join("\n"));
    if more == 0 { begin } else { format!("{begin}\nand {}", amount(more, "more line")) }
}

/// Several lines, each of them cleaned.
pub(crate) fn told_lines(text: &str) -> String {
    text.lines()
        .map(|line| {
            let indent = line.len() - line.trim_start().len();
            format!("{}{}", " ".repeat(indent), told(line))
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn causes(page: &OfRun<'_>) -> Markup {
    let groups = &page.analysis.groups;
    let all = page.links.to(&Part::Failures);
    html! {
        @if !groups.is_empty() {
            section {
                h2 { "Failed " a.more href=(all) { (amount(groups.len(), "cause")) } }
                @for group in groups.iter().take(CAUSES) {
                    a.card.bad href=(format!("{all}#{}", anchor(group))) {
                        b { (short(if group.code.is_empty() { "failed" } else { &group.code })) } " "
                        (place(group)) p { (short(&group.message)) }
                        @if group.holds_up > 0 { p.dim { "holds up " (amount(group.holds_up, "step")) } }
                    }
                }
            }
        }
    }
}

fn running(page: &OfRun<'_>) -> Markup {
    let record = page.record;
    let at_work = record.view.longest_running();
    if at_work.is_empty() && !record.is_on() {
        return html! {};
    }
    html! {
        section {
            h2 { "At work " span.dim id="t-slots" { (slots(&record.view)) } }
            ul.list id="running" {
                @for (id, step) in at_work.iter().take(RUNNING) { (at_work_row(page, id, step)) }
            }
            p.dim id="t-more" { (more(at_work.len())) }
        }
    }
}

/// `and 52 more`.
pub(crate) fn more(all: usize) -> String {
    if all > RUNNING { format!("and {} more, the longest are shown", all - RUNNING) } else { String::new() }
}

fn at_work_row(page: &OfRun<'_>, id: &StepId, step: &StepView) -> Markup {
    html! {
        li { (badge(step.state)) " " (step_link(&page.links, id)) " " b { (span(page.record.view.running_for(step))) } " " span.dim { (doing(step)) } }
    }
}

/// What a step does now, as it was told last.
pub(crate) fn doing(step: &StepView) -> String {
    if let Some(progress) = &step.progress {
        let of = if progress.total > 0 {
            format!(" ({} of about {})", progress.done, progress.total)
        } else {
            String::new()
        };
        return format!("{}{of}", short(&progress.message));
    }
    match &step.waits {
        Some(waits) => format!("tries again: {}", short(waits)),
        None => short(&step.reason),
    }
}

/// `64 of 64 slots: 40 nodes/downloads, 24 nodes/prepare`.
pub(crate) fn slots(view: &plinth_model::RunView) -> String {
    let busy: Vec<String> =
        Busy::of(view).iter().take(3).map(|one| format!("{} {}", one.running, told(&one.kind))).collect();
    let all = view.run.as_ref().map_or(0, |run| run.parallel);
    let of =
        if all > 0 { format!("{} of {all} slots", view.running.len()) } else { amount(view.running.len(), "step") };
    if busy.is_empty() { of } else { format!("{of}: {}", busy.join(", ")) }
}

fn waiting(page: &OfRun<'_>) -> Markup {
    let headed = runs::headed(&page.record.view, &page.analysis.waiting, PLAIN);
    html! {
        @for (title, text) in &headed {
            section { h2 { (title) } ul.list.waits { @for line in text.lines() { li { (waits_line(page, line)) } } } }
        }
    }
}

/// A line whose steps are links.
fn waits_line(page: &OfRun<'_>, line: &str) -> Markup {
    let words = line.trim().split_inclusive(' ');
    html! {
        @for word in words {
            @let name = word.trim_end_matches([' ', ',', ':', ';']);
            @match StepId::try_from(name.to_owned()) {
                Ok(step) => { (step_link(&page.links, &step)) (word.get(name.len()..).unwrap_or_default()) },
                Err(_) => (told_word(word)),
            }
        }
    }
}

fn told_word(word: &str) -> String {
    let blank = if word.ends_with(' ') { " " } else { "" };
    format!("{}{blank}", told(word))
}

fn facts(page: &OfRun<'_>) -> Markup {
    let (entry, view) = (&page.analysis.entry, &page.record.view);
    let who = entry.who.as_ref().map(|who| short(&who.to_string())).unwrap_or_default();
    let without = ranges(entry.without.iter().map(|node| node.as_str()));
    let counts = view.counts();
    html! {
        section {
            h2 { "This run" }
            dl {
                (fact("command", &short(entry.small.as_deref().unwrap_or(&entry.verb))))
                (fact("run", &short(&entry.run)))
                dt { "began" } dd { (moment(entry.started)) }
                @if entry.state != RunState::Running { dt { "last event" } dd { (moment(entry.updated)) } }
                (fact("who", &who))
                (fact("plan", entry.plan.as_ref().map_or("", |plan| plan.short())))
                (fact("nodes", &amount(counts.hosts, "node")))
                (fact("without", &short(&without)))
                (fact("steps", &counted(&view.tally(), entry.steps)))
                @if let Some(before) = &entry.continues_run {
                    dt { "goes on with" } dd { a href=(crate::route::Links::new(before, None).to(&Part::Overview)) { (short(before)) } }
                }
            }
            (next(page))
            (findings(page))
        }
    }
}

fn next(page: &OfRun<'_>) -> Markup {
    let next = page.record.view.end.as_ref().map(|end| end.next.as_slice()).unwrap_or_default();
    html! { @if !next.is_empty() { h3 { "Next" } ul.list { @for line in next.iter().take(6) { li { (short(line)) } } } } }
}

fn findings(page: &OfRun<'_>) -> Markup {
    let findings = &page.record.view.findings;
    html! {
        @if !findings.is_empty() {
            details { summary { (amount(findings.len(), "doubtful thing")) }
                ul.list {
                    @for finding in findings.iter().take(LINES) {
                        li { b { (short(&finding.subject)) } " " (short(&finding.message)) " " span.dim { (short(&finding.fix)) } }
                    }
                    @if findings.len() > LINES { li.dim { "and " (findings.len() - LINES) " more" } }
                }
            }
        }
    }
}

fn slow(page: &OfRun<'_>) -> Markup {
    let slow = &page.analysis.slow;
    html! {
        @if !slow.is_empty() {
            section { h2 { "Slow" }
                ul.list { @for one in slow.iter().take(SLOW) {
                    li { (step_link(&page.links, &one.step)) " took " (span(one.seconds)) ", " b { (times(one.times)) " times" } " the usual " (span(one.median_s))
                        @if let Some(hardware) = &one.hardware { " of " (short(hardware)) }
                        @if one.in_a_row > 1 { ", " b { (one.in_a_row) " runs in a row" } } }
                } }
            }
        }
    }
}

/// How many times as long: tenths only where they say something.
fn times(factor: f64) -> String {
    if factor < 10.0 { format!("{factor:.1}") } else { format!("{factor:.0}") }
}

fn kinds(page: &OfRun<'_>) -> Markup {
    let (grid, view) = (&page.record.grid, &page.record.view);
    let tallies = grid.tallies(view);
    html! {
        table.kinds {
            thead { tr { th { "Kind" } th { "Steps" } th { "How they stand" } th.num { "Usually" } th.num { "Longest" } } }
            @for stage in plinth_model::Stage::ALL {
                @let of: Vec<_> = grid.kinds.iter().zip(&tallies).enumerate().filter(|(_, (kind, _))| kind.stage == stage).collect();
                @if !of.is_empty() {
                    tbody {
                        tr.stage { th colspan="5" scope="rowgroup" { (stage.title()) } }
                        @for (at, (kind, tally)) in of {
                            @let found = page.analysis.kinds.iter().find(|one| one.kind == kind.name && one.stage == stage);
                            tr id={"k" (at)} {
                                th scope="row" { a.id href=(page.links.with(&Part::Steps, "", &[("q", &format!("kind:{}", kind.name))])) { (told(&kind.name)) } }
                                td { (bar(tally, kind.total)) }
                                td.counts { (counted(tally, kind.total)) }
                                td.num.dim { (found.and_then(|one| one.median_s).map(span).unwrap_or_default()) }
                                td.num.dim { (found.and_then(|one| one.longest_s).map(span).unwrap_or_default()) }
                            }
                        }
                    }
                }
            }
        }
    }
}
