//! Where the time went: the chain of steps that the end waited for, drawn and as a table, and nodes that took far longer than their like.

use super::line;
use crate::export::Exported;
use maud::{Markup, html};
use plinth_analysis::{CriticalPath, PathStep};
use plinth_model::run::HeldBy;
use plinth_model::span::{clock, span};
use plinth_model::amount;

/// Bars of the drawing.
const BARS: usize = 30;
/// Width of the drawing and height of a bar, in its own units.
const WIDTH: f64 = 900.0;
const HEIGHT: usize = 16;
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
                p {
                    "The end waited for this chain of " (amount(path.steps.len(), "step")) ": " (span(path.total_s)) ", of which "
                    (span(path.worked_s)) " of work, " (span(path.slot_s)) " waiting for a free slot, " (span(path.lane_s))
                    " for another step in the same place, and " (span(path.other_s)) " of neither."
                }
                (drawn(path))
                (table(path))
            }
        }
    }
}

fn table(path: &CriticalPath) -> Markup {
    html! {
        table {
            caption { "The critical path, first step first" }
            thead { tr { th scope="col" { "Step" } th scope="col" { "Ready at" } th scope="col" { "Waited" } th scope="col" { "Worked" } } }
            tbody {
                @for (ready, step) in placed(path) {
                    tr { th scope="row" { (step.step) } td { (clock(ready)) } td { (waited(step)) } td { (span(step.worked_s)) } }
                }
            }
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

/// A bar for each of the longest steps, where it stands in time; waiting is hatched. Drawn without style, so that it is seen everywhere.
fn drawn(path: &CriticalPath) -> Markup {
    let mut bars = placed(path);
    bars.sort_by(|(_, a), (_, b)| (b.queued_s + b.worked_s).total_cmp(&(a.queued_s + a.worked_s)));
    bars.truncate(BARS);
    bars.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let scale = WIDTH / path.total_s.max(f64::MIN_POSITIVE);
    let unit = |seconds: f64| format!("{:.1}", seconds * scale);
    let height = bars.len() * HEIGHT;
    html! {
        svg role="img" aria-label="The longest steps of the critical path in time; the table below has the numbers"
            viewBox=(format!("0 0 {WIDTH} {height}")) width="100%" height=(height) preserveAspectRatio="none" {
            defs {
                pattern id="waits" width="6" height="6" patternUnits="userSpaceOnUse" {
                    path d="M0 6L6 0" stroke="#8a6d00" stroke-width="1.5" fill="none" {}
                }
            }
            @for (place, (from, step)) in bars.iter().enumerate() {
                @let top = place * HEIGHT + 2;
                @if step.queued_s >= NOTICED_S {
                    rect x=(unit(*from)) y=(top) width=(unit(step.queued_s)) height="12" fill="url(#waits)" stroke="#8a6d00" {}
                }
                rect x=(unit(from + step.queued_s)) y=(top) width=(unit(step.worked_s.max(path.total_s / WIDTH))) height="12" fill="#2f6fb0" {
                    title { (step.step) ": " (span(step.worked_s)) }
                }
            }
        }
    }
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
