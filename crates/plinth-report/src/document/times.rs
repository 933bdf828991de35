//! Where the time went: the chain of steps that the end waited for, drawn and as a table, and nodes that took far longer than their like.

use super::line;
use crate::export::Exported;
use maud::{Markup, html};
use plinth_analysis::{CriticalPath, PathStep};
use plinth_model::amount;
use plinth_model::run::HeldBy;
use plinth_model::span::{clock, span};

/// Width of a bar's drawing, in its own units.
const WIDTH: f64 = 400.0;
/// Seconds of waiting below which it is not worth a word.
const NOTICED_S: f64 = 1.0;
/// Slow ones that are named.
const SLOW: usize = 50;

pub(super) fn path(run: &Exported<'_>) -> Markup {
    let path = run.shown.path;
    html! {
        @if !path.steps.is_empty() {
            section {
                h2 { "Where the time went" }
                p { "The end waited for this chain of " (amount(path.steps.len(), "step")) ": " (span(path.total_s)) ", " (parts(path)) "." }
                (table(path))
            }
        }
    }
}

/// `of which 11 min of work, 11 s waiting for another step in the same place`.
fn parts(path: &CriticalPath) -> String {
    let waits = [
        (path.slot_s, "waiting for a free slot"),
        (path.lane_s, "waiting for another step in the same place"),
        (path.other_s, "of neither"),
    ];
    let waits = waits.iter().filter(|(seconds, _)| *seconds >= NOTICED_S);
    let waits: Vec<String> = waits.map(|(seconds, word)| format!(", {} {word}", span(*seconds))).collect();
    format!("of which {} of work{}", span(path.worked_s), waits.concat())
}

fn table(path: &CriticalPath) -> Markup {
    html! {
        table class="path" {
            caption { "The critical path, first step first; waiting is drawn as dashes" }
            thead {
                tr { @for name in ["Step", "Ready at", "Waited", "Worked", "In time"] { th scope="col" { (name) } } }
            }
            tbody {
                @for (ready, step) in placed(path) {
                    tr {
                        th scope="row" { (step.step) }
                        td { (clock(ready)) }
                        td { (waited(step)) }
                        td { (span(step.worked_s)) }
                        td { (bar(path, ready, step)) }
                    }
                }
            }
        }
    }
}

/// Where a step stands in time. Drawn without style, so that it is seen everywhere; the cells beside it have the numbers.
fn bar(path: &CriticalPath, ready: f64, step: &PathStep) -> Markup {
    let scale = WIDTH / path.total_s.max(f64::MIN_POSITIVE);
    let at = |seconds: f64| format!("{:.1}", seconds * scale);
    let begin = ready + step.queued_s;
    html! {
        svg aria-hidden="true" viewBox=(format!("0 0 {WIDTH} 12")) width="100%" height="12" preserveAspectRatio="none" {
            @if step.queued_s >= NOTICED_S {
                path d=(format!("M{} 6H{}", at(ready), at(begin))) stroke="#8a6d00" stroke-width="8" stroke-dasharray="2 2" {}
            }
            rect x=(at(begin.min(path.total_s - path.total_s / WIDTH))) y="1" width=(at(step.worked_s.max(path.total_s / WIDTH)))
                height="10" fill="#3f83c8" {}
        }
    }
}

/// Each step with the time at which it was ready.
fn placed(path: &CriticalPath) -> Vec<(f64, &PathStep)> {
    let mut at = path.total_s - path.steps.iter().map(|step| step.queued_s + step.worked_s).sum::<f64>();
    let mut all = Vec::with_capacity(path.steps.len());
    for step in &path.steps {
        all.push((at.max(0.0), step));
        at += step.queued_s + step.worked_s;
    }
    all
}

fn waited(step: &PathStep) -> String {
    if step.queued_s < NOTICED_S {
        return "-".to_owned();
    }
    let held = match &step.held_by {
        Some(HeldBy::Lane { lane }) => format!(" for {}", line(lane)),
        Some(HeldBy::Slot { slots }) => format!(" for one of {slots} slots"),
        Some(other) => format!(" for {}", other.word()),
        None => String::new(),
    };
    format!("{}{held}", span(step.queued_s))
}

pub(super) fn slow(run: &Exported<'_>) -> Markup {
    let slow = run.shown.slow;
    html! {
        @if !slow.is_empty() {
            section {
                h2 { "What was slow" }
                ul {
                    @for one in slow.iter().take(SLOW) {
                        li { (one.step) ": " (span(one.seconds)) ", " (format!("{:.1}", one.times)) " times the usual " (span(one.median_s)) }
                    }
                }
                @if slow.len() > SLOW { p { "The first " (SLOW) " of " (slow.len()) "." } }
            }
        }
    }
}
