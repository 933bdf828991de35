//! One step: how it stands and why, what failed, what it needs and what needs it, its like elsewhere, and what it is.

use super::OfRun;
use super::failures::program;
use super::logs::{self, OfStep};
use super::node::held;
use super::overview::some_lines;
use super::parts::{badge, fact, moment, node_link, several, short, step_link, told, took};
use crate::route::Part;
use crate::source::Told;
use maud::{Markup, html};
use plinth_analysis::{Row, kind_of};
use plinth_model::run::StepView;
use plinth_model::span::{clock, span};
use plinth_model::{StepId, amount};

/// Steps in front and behind that are named.
const NAMED: usize = 12;

/// The page; none: neither run nor plan has such a step.
pub(crate) fn page(page: &OfRun<'_>, step: &StepId, explained: Option<&Told>, log: &OfStep) -> Option<Markup> {
    let view = page.record.view.steps.get(step);
    if view.is_none() && page.record.shape.place(step).is_none() {
        return None;
    }
    let state = page.record.view.state_of(step);
    let row = page.analysis.columns.rows.iter().find(|row| row.step == *step);
    let waiting = page.analysis.waiting.iter().find(|one| one.step == *step);
    Some(html! {
        div.title { h1.id { (told(step.as_str())) } (badge(state)) }
        @if let Some(waiting) = waiting { p.card { b { "Why it does not run: " } (told(&plinth_report::runs::reason(&page.record.view, waiting))) } }
        @if let Some(view) = view { (wrong(page, view, log)) (went(page, view, row)) }
        (logs::of_step(page, log))
        div.columns {
            (around(page, step))
            (alike(page, step, row))
        }
        @if let Some(explained) = explained {
            section { h2 { "What it is" } pre.told tabindex="0" { (some_lines(&explained.text)) } }
        }
    })
}

fn wrong(page: &OfRun<'_>, view: &StepView, log: &OfStep) -> Markup {
    html! {
        @if let Some(finding) = &view.finding {
            section.card.bad {
                p { b { (told(finding.code.as_str())) } " " (told(&finding.message)) }
                dl {
                    @for line in several(&finding.evidence) { dt { "seen" } dd { (line) } }
                    @if !finding.fix.is_empty() { dt { "fix" } dd.fix { span.tag { (finding.owner) } " " (told(&finding.fix)) } }
                    dt { "means" } dd { a href=(format!("/explain/{}", crate::route::encoded(finding.code.as_str()))) { "what this code says" } }
                }
            }
        }
        @if let Some(failure) = &view.failure { (program(&page.links, failure, log.logs())) }
    }
}

fn went(page: &OfRun<'_>, view: &StepView, row: Option<&Row>) -> Markup {
    let queued = row.map(Row::queued_s).filter(|seconds| *seconds >= 0.05);
    let running = view.state.is_running().then(|| page.record.view.running_for(view));
    html! {
        section {
            h2 { "How it went" }
            dl {
                @if let Some(node) = &view.node { dt { "node" } dd { (node_link(&page.links, node)) } }
                (fact("why", &told(&view.reason)))
                @if let Some(started) = view.started { dt { "began" } dd { (moment(Some(started))) @if let Some(row) = row.and_then(|row| row.started_s) { ", " (clock(row)) " into the run" } } }
                @if let Some(queued) = queued { dt { "waited" } dd { (span(queued)) @if let Some(by) = &view.held_by { " for " (held(by)) } } }
                (fact("takes so far", &took(running)))
                (fact("took", &took(view.seconds.filter(|_| view.state.is_ended() && view.started.is_some()))))
                @if view.attempts.max(view.attempt) > 1 { dt { "attempts" } dd { (view.attempts.max(view.attempt)) } }
                (fact("result", &told(&view.detail)))
                @if view.state.is_running() { dt { "now" } dd { (super::overview::doing(view)) } }
                @if let Some(waits) = &view.waits { dt { "last attempt" } dd { (told(waits)) } }
            }
            @if !view.diff.is_empty() {
                h3 { "Differences before its effect" }
                pre.told tabindex="0" { @for line in several(&view.diff) { (line) "\n" } }
            }
        }
    }
}

/// What it needs and what needs it.
fn around(page: &OfRun<'_>, step: &StepId) -> Markup {
    let shape = &page.record.shape;
    let Some(place) = shape.place(step) else { return html! {} };
    let id = |place: &usize| shape.step(*place).map(|step| &step.id);
    let needs: Vec<&StepId> =
        shape.step(place).map(|step| step.needs.iter().filter_map(id).collect()).unwrap_or_default();
    let behind: Vec<&StepId> =
        shape.steps().iter().filter(|one| one.needs.contains(&place)).map(|one| &one.id).collect();
    html! {
        section {
            h2 { "Needs " a.more href=(page.links.with(&Part::Steps, "", &[("q", &format!("up:{step}"))])) { "all of them" } }
            (named(page, &needs))
            h2 { "Is needed by " a.more href=(page.links.with(&Part::Steps, "", &[("q", &format!("down:{step}"))])) { "all of them" } }
            (named(page, &behind))
        }
    }
}

fn named(page: &OfRun<'_>, steps: &[&StepId]) -> Markup {
    html! {
        @if steps.is_empty() { p.dim { "nothing" } }
        ul.list { @for step in steps.iter().take(NAMED) { li { (badge(page.record.view.state_of(step))) " " (step_link(&page.links, step)) } } }
        @if steps.len() > NAMED { p.dim { "and " (amount(steps.len() - NAMED, "other")) } }
    }
}

/// Its like: how long others of its kind took, and where it stands among them.
fn alike(page: &OfRun<'_>, step: &StepId, row: Option<&Row>) -> Markup {
    let kind = kind_of(step);
    let planned = || page.record.plan.as_ref()?.steps.iter().find(|one| one.id == *step).map(|one| one.work.stage());
    // A kind that is in two stages is two of them.
    let Some(stage) = row.map(|row| row.stage).or_else(planned) else { return html! {} };
    let found = page.analysis.kinds.iter().find(|one| one.kind == kind && one.stage == stage);
    let Some(found) = found else { return html! {} };
    let of_kind = page.analysis.columns.rows.iter().filter(|other| other.kind == kind && other.stage == stage);
    let mut all: Vec<f64> = of_kind.filter_map(Row::took_s).collect();
    all.sort_by(f64::total_cmp);
    let rank = row.and_then(Row::took_s).map(|own| all.iter().filter(|other| **other > own).count() + 1);
    html! {
        section {
            h2 { "Its like " a.more href=(page.links.with(&Part::Steps, "", &[("q", &format!("kind:{kind}"))])) { (short(&kind)) } }
            dl {
                (fact("usually", &took(found.median_s)))
                (fact("longest", &took(found.longest_s)))
                (fact("this one", &took(row.and_then(Row::took_s))))
                @if let (Some(rank), true) = (rank, all.len() > 1) { dt { "place" } dd { (rank) " of " (all.len()) ", longest first" } }
            }
        }
    }
}
