//! The timeline as a drawing made on the server: the critical path with its waiting hatched, stages, then every step of a small run or each
//! kind of a large one as a strip. A script may draw the same on a canvas, where one can zoom.

use super::OfRun;
use super::parts::{class, number, step_link, told};
use crate::bands::{Band, Ghost, is_single, stages};
use crate::route::{Part, encoded};
use maud::{Markup, html};
use plinth_analysis::{CriticalPath, PathStep, Row};
use plinth_model::span::{clock, span};
use plinth_model::{Stage, amount};
use plinth_report::runs::LANE;

/// Columns for names, and for time.
const NAMES: f64 = 210.0;
const WIDE: f64 = 990.0;
/// Pieces of time of a strip.
const BINS: usize = 120;
/// Steps of the critical path that are drawn: the longest.
const PATH: usize = 30;
/// Height of a row.
const ROW: f64 = 16.0;

pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    let analysis = page.analysis;
    if analysis.columns.elapsed_s <= 0.0 || analysis.path.steps.is_empty() {
        return html! { h1 { "Timeline" } p.empty { "No step has begun." } };
    }
    html! {
        h1 { "Timeline" }
        (words(&analysis.path))
        div.tools id="tools" hidden {
            button id="z-all" { "whole run" } button id="z-in" { "closer" } button id="z-out" { "wider" }
            button id="z-back" { "earlier" } button id="z-on" { "later" }
            label { input type="checkbox" id="z-idle"; " leave out idle times" }
            span id="z-window" {}
            span.dim id="z-told" { "drag to move, ctrl-scroll to zoom" }
        }
        div.lanes id="lanes" hidden {
            ul.names id="names" aria-label="rows of the timeline" {}
            canvas id="canvas" data-columns=(page.links.file("columns.json")) data-run=(encoded(page.run())) data-at=[page.record.at] aria-hidden="true" {}
        }
        div.scroll id="drawn" tabindex="0" role="region" aria-label="timeline" { (drawn(page)) }
        p.legend {
            "Solid: at work. " b { "Hatched: ready, and waiting" } " for a slot, or for a node or play that was busy. "
            @if page.record.rehearsed().is_some() { "The thin line below: when it ran in the rehearsal. " }
            "On a strip the upper half is work, the lower half waiting."
        }
        section id="path" { h2 { "The critical path" } (table(page)) }
    }
}

/// What the path says, in one line.
fn words(path: &CriticalPath) -> Markup {
    let waits = [(path.slot_s, "waiting for a slot"), (path.lane_s, LANE), (path.other_s, "of neither")];
    html! {
        p {
            b { "Critical path: " } (amount(path.steps.len(), "step")) ", " (span(path.total_s)) ": " (span(path.worked_s)) " of work"
            @for (seconds, word) in waits { @if seconds >= 1.0 { ", " (span(seconds)) " " (word) } }
        }
    }
}

/// A scale from seconds to the drawing.
#[derive(Clone, Copy)]
struct Scale(f64);

impl Scale {
    fn x(self, seconds: f64) -> f64 {
        NAMES + (seconds / self.0).clamp(0.0, 1.0) * WIDE
    }

    /// From and width; what is there can be seen.
    fn piece(self, from: f64, to: f64) -> (String, String) {
        let (from, to) = (self.x(from), self.x(to));
        (number(from), number((to - from).max(0.8)))
    }
}

fn drawn(page: &OfRun<'_>) -> Markup {
    let columns = &page.analysis.columns;
    let scale = Scale(columns.elapsed_s);
    let (single, ghost) = (is_single(columns), page.record.rehearsed());
    let bands = Band::all(columns, &page.record.grid, ghost, BINS);
    let mut rows: Vec<&Row> = columns.rows.iter().filter(|row| row.started_s.is_some()).collect();
    rows.sort_by(|a, b| a.started_s.unwrap_or(0.0).total_cmp(&b.started_s.unwrap_or(0.0)));
    let stages = stages(columns);
    let below = if single { rows.len() } else { bands.len() };
    let top = 24.0 + 30.0 + stages.len() as f64 * ROW + 12.0;
    let tall = top + below as f64 * ROW + 8.0;
    html! {
        svg.plot viewBox={"0 0 1210 " (number(tall))} width="1210" height=(number(tall)) role="group" aria-label="timeline; the table below says the same" {
            defs { pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" { line.hatch x1="0" y1="0" x2="0" y2="5" {} } }
            (axis(columns.elapsed_s, scale, tall))
            (critical(&page.analysis.path, page, scale))
            @for (at, (stage, from, to)) in stages.iter().enumerate() { (stage_row(*stage, scale.piece(*from, *to), 54.0 + at as f64 * ROW)) }
            @if single { @for (at, row) in rows.iter().enumerate() { (step_row(page, row, scale, top + at as f64 * ROW)) } }
            @else { @for (at, band) in bands.iter().enumerate() { (strip(page, band, top + at as f64 * ROW)) } }
        }
    }
}

/// Lines at round times.
fn axis(elapsed: f64, scale: Scale, tall: f64) -> Markup {
    const STEPS: [f64; 14] =
        [0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0];
    let step = STEPS.into_iter().find(|step| elapsed / step <= 10.0).unwrap_or(86_400.0);
    let lines = (0..=12).map(|at| f64::from(at) * step).take_while(|at| *at <= elapsed);
    html! {
        @for at in lines {
            line.grid x1=(number(scale.x(at))) x2=(number(scale.x(at))) y1="18" y2=(number(tall)) {}
            text.small x=(number(scale.x(at))) y="12" text-anchor="middle" { (if step < 1.0 { span(at) } else { clock(at) }) }
        }
    }
}

fn critical(path: &CriticalPath, page: &OfRun<'_>, scale: Scale) -> Markup {
    let mut steps: Vec<&PathStep> = path.steps.iter().collect();
    steps.sort_by(|a, b| (b.worked_s + b.queued_s).total_cmp(&(a.worked_s + a.queued_s)));
    steps.truncate(PATH);
    html! {
        text x="0" y="40" { "critical path" }
        @for step in steps {
            @if let Some(row) = page.analysis.columns.rows.iter().find(|row| row.step == step.step) {
                @let started = row.started_s.unwrap_or(0.0);
                @let (from, wide) = scale.piece(started - step.queued_s, started);
                @if step.queued_s >= 0.05 { rect.wait x=(from) y="28" width=(wide) height="18" { title { (told(step.step.as_str())) " waited " (span(step.queued_s)) } } }
                @let (from, wide) = scale.piece(started, started + step.worked_s);
                a href=(page.links.to(&Part::Step(step.step.clone()))) {
                    rect class=(class(row.state)) x=(from) y="28" width=(wide) height="18" { title { (told(step.step.as_str())) ", " (span(step.worked_s)) } }
                }
                (rehearsed(page.record.rehearsed(), row, scale, 47.0))
            }
        }
    }
}

fn stage_row(stage: Stage, (from, wide): (String, String), y: f64) -> Markup {
    html! {
        text.small x="0" y=(number(y + 11.0)) { (stage.title()) }
        rect.u x=(from) y=(number(y + 4.0)) width=(wide) height="8" {}
    }
}

fn step_row(page: &OfRun<'_>, row: &Row, scale: Scale, y: f64) -> Markup {
    let started = row.started_s.unwrap_or(0.0);
    let ended = row.ended_s.unwrap_or(page.analysis.columns.elapsed_s);
    let (from, wide) = scale.piece(started, ended);
    html! {
        a href=(page.links.to(&Part::Step(row.step.clone()))) {
            text.small x="0" y=(number(y + 11.0)) { (named(row.step.as_str())) }
            @if let Some(ready) = row.ready_s.filter(|ready| started - ready >= 0.05) {
                @let (from, wide) = scale.piece(ready, started);
                rect.wait x=(from) y=(number(y + 2.0)) width=(wide) height="11" {}
            }
            rect class=(class(row.state)) x=(from) y=(number(y + 2.0)) width=(wide) height="11" { title { (told(row.step.as_str())) ", " (span(ended - started)) } }
            (rehearsed(page.record.rehearsed(), row, scale, y + 13.0))
        }
    }
}

/// When a step ran in the rehearsal.
fn rehearsed(ghost: Ghost<'_>, row: &Row, scale: Scale, y: f64) -> Markup {
    html! {
        @if let Some(rehearsed) = ghost.and_then(|steps| steps.get(&row.step)) {
            @let (from, wide) = scale.piece(rehearsed.from_s, rehearsed.to_s);
            rect.x x=(from) y=(number(y)) width=(wide) height="2" {}
        }
    }
}

/// A name that fits its column.
fn named(name: &str) -> String {
    let name = told(name);
    if name.chars().count() <= 34 { name } else { name.chars().take(33).chain(['…']).collect() }
}

/// A kind: the upper half says how many ran, the lower half how many waited, the line below how many ran in the rehearsal.
fn strip(page: &OfRun<'_>, band: &Band, y: f64) -> Markup {
    let most = band.running.iter().max().copied().unwrap_or(1).max(1);
    let waited = band.queued.iter().max().copied().unwrap_or(1).max(1);
    let rehearsed = band.rehearsed.iter().max().copied().unwrap_or(1).max(1);
    let wide = WIDE / BINS as f64;
    let x = |at: usize| number(NAMES + at as f64 * wide);
    html! {
        a href=(page.links.with(&Part::Steps, "", &[("q", &format!("kind:{}", band.kind))])) {
            text.small x="0" y=(number(y + 11.0)) { (named(&band.kind)) }
            @for (from, to, level) in runs(&band.running, most) {
                rect.a x=(x(from)) y=(number(y + 1.0)) width=(number((to - from) as f64 * wide)) height="8" fill-opacity=(number(level)) {}
            }
            @for (from, to, level) in runs(&band.queued, waited) {
                rect.wait x=(x(from)) y=(number(y + 9.0)) width=(number((to - from) as f64 * wide)) height="4" fill-opacity=(number(level)) {}
            }
            @for (from, to, level) in runs(&band.rehearsed, rehearsed) {
                rect.x x=(x(from)) y=(number(y + 14.0)) width=(number((to - from) as f64 * wide)) height="2" fill-opacity=(number(level)) {}
            }
            @for (at, _) in band.failed.iter().enumerate().filter(|(_, count)| **count > 0) {
                rect.f x=(x(at)) y=(number(y)) width="2.5" height="14" {}
            }
        }
    }
}

/// Pieces of equal strength: from, to, strength. There are four strengths, so that pieces are few.
fn runs(counts: &[u32], most: u32) -> Vec<(usize, usize, f64)> {
    let level = |count: u32| (f64::from(count) * 4.0 / f64::from(most)).ceil() / 4.0;
    let mut found: Vec<(usize, usize, f64)> = Vec::new();
    for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        match found.last_mut() {
            Some((_, to, strength)) if *to == at && (*strength - level(*count)).abs() < 0.01 => *to = at + 1,
            _ => found.push((at, at + 1, level(*count))),
        }
    }
    found
}

fn table(page: &OfRun<'_>) -> Markup {
    html! {
        table.steps {
            thead { tr { th { "Step" } th.num { "Began" } th.num { "Waited" } th { "For" } th.num { "Worked" } } }
            tbody { @for step in &page.analysis.path.steps {
                @let began = page.analysis.columns.rows.iter().find(|row| row.step == step.step).and_then(|row| row.started_s);
                tr {
                    td { (step_link(&page.links, &step.step)) }
                    td.num { (began.map(clock).unwrap_or_default()) }
                    td.num { @if step.queued_s >= 0.05 { (span(step.queued_s)) } }
                    td.dim { @if let Some(held) = &step.held_by { (super::node::held(held)) } }
                    td.num { (span(step.worked_s)) }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_are_few_pieces_that_say_the_same() {
        assert_eq!(runs(&[0, 4, 4, 1, 1, 0, 4], 4), [(1, 3, 1.0), (3, 5, 0.25), (6, 7, 1.0)]);
        assert!(runs(&[0, 0], 1).is_empty());
    }
}
