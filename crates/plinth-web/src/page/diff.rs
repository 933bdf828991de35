//! What differs between two runs: what the desired state changed first.

use super::parts::{STATES, class, link_to, moment, quoted, run_badge, short};
use super::shell::{self, Twins};
use crate::route::{Links, Part, encoded};
use maud::{Markup, html};
use plinth_analysis::{Difference, RunDiff, RunEntry};
use plinth_model::{Problem, SiteName, amount};
use plinth_report::runs;

/// Differences of a group that are told.
const MOST: usize = 300;

pub(crate) fn page(site: &SiteName, earlier: &RunEntry, later: &RunEntry, diff: &RunDiff) -> Markup {
    let groups = runs::diff_groups(diff);
    let body = html! {
        h1 { "What changed" }
        table.runs { tbody { (side("from", earlier)) (side("to", later)) } }
        @if !diff.plans_are_read { p.banner { "The plan of one of them is of another release: only outcomes and times are compared." } }
        @if diff.differences.is_empty() {
            p.empty { "Nothing differs: the same site, the same versions, the same outcomes, times in band." }
        }
        @for (at, (title, all)) in groups.iter().enumerate() { (group(title, all, at == 0 || *title != "elsewhere")) }
    };
    shell::compared(site, "What changed", &later.run, &twins(&earlier.run, &later.run), body)
}

/// There is no good run to compare with; `before`: the run in front of it, good or not.
pub(crate) fn none(site: &SiteName, run: &str, before: Option<&RunEntry>, problem: &Problem) -> Markup {
    let body = html! {
        h1 { "What changed" }
        p.empty { "There is nothing to compare with: " (short(&problem.happened)) "." }
        @if let Some(before) = before {
            p { a href=(format!("/diff/{}/{}", encoded(&before.run), encoded(run))) { "compare it with the run before it" }
                ", which began " (moment(before.started)) " " (run_badge(before.state, None)) }
        }
        p { a href=(Links::new(run, None).to(&Part::Overview)) { "back to the run" } }
    };
    shell::compared(site, "What changed", run, &twins("last-good", run), body)
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
            (None, "") => span.dim { "none" },
            (None, text) => (short(text)),
        }
    }
}

/// Both sides. What is about nodes or a file as a whole, and what is only new or gone, has no two values.
fn values(one: &Difference) -> Markup {
    html! {
        @match one.what {
            "left out" | "taken in" => td colspan="2" { (short(&one.after)) },
            "site" | "inventory" | "catalog" => td colspan="2" { "is another one" },
            "new step" => { td.dim { "none" } td { (short(&one.after)) } },
            "gone step" => { td { (short(&one.before)) } td.dim { "none" } },
            "node" if one.before.is_empty() && one.after.is_empty() => td colspan="2" { "other ones" },
            _ if one.before.is_empty() && one.after.is_empty() => td colspan="2" {},
            _ => { td { (value(one, &one.before)) } td { (value(one, &one.after)) } },
        }
    }
}

/// `nodes/downloads`, how many steps that is, and the parameter.
fn of(one: &Difference) -> Markup {
    let is_kind = one.steps > 1 && !matches!(one.what, "left out" | "taken in");
    html! {
        td.id { (short(&one.subject)) @if is_kind { ", " (amount(one.steps, "step")) } @if !one.name.is_empty() { div.dim { (short(&one.name)) } } }
    }
}

/// The same with a capital letter, as a heading.
fn capital(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn group(title: &str, differences: &[&Difference], open: bool) -> Markup {
    let id = title.replace(' ', "-");
    html! {
        details.cause open[open] {
            summary { b { (capital(title)) } " " (amount(differences.len(), "difference")) }
            (link_to(&id, "part"))
            table.diff id=(id) {
                thead { tr { th { "What" } th { "Of" } th { "Before" } th { "After" } } }
                tbody { @for one in differences.iter().take(MOST) { tr { td { (one.what) } (of(one)) (values(one)) } } }
            }
            @if differences.len() > MOST { p.dim { "The first " (MOST) " of " (differences.len()) "; the JSON has all." } }
        }
    }
}
