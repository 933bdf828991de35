//! What differs between two runs: what touches a failure first.

use super::parts::{STATES, class, moment, quoted, run_badge, short};
use super::shell::{self, Twins};
use crate::route::{Links, Part, encoded};
use maud::{Markup, html};
use plinth_analysis::{Difference, RunDiff, RunEntry};
use plinth_model::{Problem, SiteName, amount};

/// Differences of a group that are told.
const MOST: usize = 300;

pub(crate) fn page(site: &SiteName, earlier: &RunEntry, later: &RunEntry, diff: &RunDiff) -> Markup {
    let (near, far): (Vec<&Difference>, Vec<&Difference>) =
        diff.differences.iter().partition(|one| one.touches_failure);
    let body = html! {
        h1 { "What changed" }
        table.runs { tbody { (side("from", earlier)) (side("to", later)) } }
        @if !diff.plans_are_read { p.banner { "The plan of one of them is of another release: only outcomes and times are compared." } }
        @if diff.differences.is_empty() {
            p.empty { "Nothing differs: the same site, the same versions, the same outcomes, times in band." }
        }
        (group("Touches what failed", &near, true))
        (group("Elsewhere", &far, near.is_empty()))
    };
    shell::plain(site, "What changed", None, &twins(&earlier.run, &later.run), body)
}

/// There is no good run to compare with.
pub(crate) fn none(site: &SiteName, run: &str, problem: &Problem) -> Markup {
    let body = html! {
        h1 { "What changed" }
        p.empty { "There is nothing to compare with: " (short(&problem.happened)) "." }
        p { a href=(Links::new(run, None).to(&Part::Overview)) { "back to the run" } }
    };
    shell::plain(site, "What changed", None, &twins("last-good", run), body)
}

fn twins(earlier: &str, later: &str) -> Twins {
    let command = format!("plinth runs diff {} {}", quoted(later), quoted(earlier));
    Twins::of(&format!("/diff/{}/{}", encoded(earlier), encoded(later)), "", command)
}

fn side(word: &str, run: &RunEntry) -> Markup {
    html! {
        tr {
            th scope="row" { (word) }
            td { (run_badge(run.state, None)) }
            td { a href=(Links::new(&run.run, None).to(&Part::Overview)) { (moment(run.started)) } }
            td { (short(&run.verb)) @if run.rehearsal { " " span.tag { "rehearsal" } } }
            td.dim { code { (run.plan.as_ref().map_or("-", |plan| plan.short())) } }
        }
    }
}

/// What stands in one of the runs: an outcome in its own colour, whichever side it is on.
fn value(of: &Difference, text: &str) -> Markup {
    let state = STATES.iter().copied().find(|state| of.what == "outcome" && state.word() == text);
    html! {
        @match (state, text) {
            (Some(state), _) => span class={"st " (class(state))} { (state.told()) },
            (None, "0.0 s") => "0 s",
            (None, text) => (short(text)),
        }
    }
}

fn group(title: &str, differences: &[&Difference], open: bool) -> Markup {
    html! {
        @if !differences.is_empty() {
            details.cause open[open] {
                summary { b { (title) } " " (amount(differences.len(), "difference")) }
                table.diff {
                    thead { tr { th { "What" } th { "Of" } th { "Before" } th { "After" } } }
                    tbody { @for one in differences.iter().take(MOST) {
                        tr { td { (one.what) } td.id { (short(&one.subject)) } td { (value(one, &one.before)) } td { (value(one, &one.after)) } }
                    } }
                }
                @if differences.len() > MOST { p.dim { "The first " (MOST) " of " (differences.len()) "; the JSON has all." } }
            }
        }
    }
}
