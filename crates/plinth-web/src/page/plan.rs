//! The plan of a run: what it was made from, its steps by kind with what they were to change, what was to be done first; its gates.

use super::OfRun;
use super::parts::{LINES, fact, link_to, several, step_link, told};
use crate::route::Part;
use maud::{Markup, html};
use plinth_analysis::kind_of;
use plinth_model::{Change, Plan, Stage, Step, amount};
use std::collections::BTreeMap;

/// Steps of a kind that are named.
const NAMED: usize = 20;

pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    html! {
        h1 { "Plan" }
        @match page.record.plan.as_deref() {
            None => p.empty { "The plan of this run is of another release of plinth, or was not kept." },
            Some(plan) => (whole(page, plan)),
        }
    }
}

fn whole(page: &OfRun<'_>, plan: &Plan) -> Markup {
    let made = &plan.made_from;
    html! {
        dl {
            (fact("hash", plan.hash.short()))
            (fact("site file", made.site.short()))
            (fact("inventory", made.inventory.short()))
            (fact("catalog", made.catalog.short()))
            (fact("plinth", &told(&made.plinth)))
            (fact("steps", &format!("{}, {} to do", plan.steps.len(), plan.pending())))
        }
        @if !plan.findings.is_empty() {
            details { summary { (amount(plan.findings.len(), "finding")) } ul.list {
                @for finding in plan.findings.iter().take(LINES) {
                    li { b { (told(finding.code.as_str())) } " " (told(&finding.subject)) ": " (told(&finding.message)) }
                }
                @if plan.findings.len() > LINES { li.dim { "and " (plan.findings.len() - LINES) " more" } }
            } }
        }
        @let kinds = kinds(plan);
        @let (to_do, rest): (Vec<&Kind<'_>>, Vec<&Kind<'_>>) = kinds.iter().partition(|kind| kind.to_do > 0);
        @if to_do.is_empty() { p.empty { "Nothing was to be done: every step stood as it should, or only looks." } }
        (by_stage(page, &to_do))
        @if !rest.is_empty() {
            h2 { "Nothing to do" }
            details { summary { (amount(rest.iter().map(|kind| kind.steps.len()).sum(), "step")) " of " (amount(rest.len(), "kind")) }
                (by_stage(page, &rest))
            }
        }
        (gates(page, plan))
    }
}

/// Steps of one kind in one stage.
struct Kind<'a> {
    stage: Stage,
    name: String,
    /// What is to be done first, then in the order of the plan.
    steps: Vec<&'a Step>,
    to_do: usize,
}

/// All kinds, in the order of stages and names.
fn kinds(plan: &Plan) -> Vec<Kind<'_>> {
    let mut found: BTreeMap<(Stage, String), Vec<&Step>> = BTreeMap::new();
    for step in &plan.steps {
        found.entry((step.work.stage(), kind_of(&step.id))).or_default().push(step);
    }
    let kinds = found.into_iter().map(|((stage, name), mut steps)| {
        steps.sort_by_key(|step| !step.change.pending());
        let to_do = steps.iter().filter(|step| step.change.pending()).count();
        Kind { stage, name, steps, to_do }
    });
    kinds.collect()
}

fn by_stage(page: &OfRun<'_>, kinds: &[&Kind<'_>]) -> Markup {
    html! {
        @for stage in Stage::ALL {
            @let of: Vec<_> = kinds.iter().filter(|kind| kind.stage == stage).collect();
            @if !of.is_empty() {
                h2 { (stage.title()) }
                @for kind in of { (card(page, kind)) }
            }
        }
    }
}

fn card(page: &OfRun<'_>, kind: &Kind<'_>) -> Markup {
    let Kind { stage, name, steps, to_do } = kind;
    let id = format!("kind-{}-{}", stage.title().replace(':', "").to_lowercase(), told(name));
    html! {
        details.kind {
            summary {
                code { (told(name)) } " " (amount(steps.len(), "step"))
                @if *to_do > 0 { ", " b { (to_do) " to do" } } @else { span.dim { ", nothing to do" } }
            }
            (link_to(&id, "kind"))
            div id=(id) {
                ul.list { @for step in steps.iter().take(NAMED) { (one(page, step)) } }
                @if steps.len() > NAMED {
                    p.dim { "The first " (NAMED) " of " (steps.len()) "; "
                        a href=(page.links.with(&Part::Steps, "", &[("q", &format!("kind:{name} stage:{}", stage.title().to_lowercase()))])) { "all of them" } }
                }
            }
        }
    }
}

fn one(page: &OfRun<'_>, step: &Step) -> Markup {
    let word = match &step.change {
        Change::None => "as it should be",
        Change::Apply { .. } => "to do",
        Change::Check => "only looks",
        Change::Maybe => "its gate decides",
        Change::Skip => "left out by its gate",
    };
    html! {
        li {
            (step_link(&page.links, &step.id)) " " span.tag { (word) } " " span.dim { (told(&step.reason)) }
            @if let Some(destroys) = step.work.destroys() { p.bad { (told(&destroys)) } }
            @if let Change::Apply { diff } = &step.change { @if !diff.is_empty() { pre.told { @for line in several(diff) { (line) "\n" } } } }
        }
    }
}

fn gates(page: &OfRun<'_>, plan: &Plan) -> Markup {
    html! {
        @if !plan.gates.is_empty() {
            h2 { "Gates" }
            ul.list { @for gate in &plan.gates {
                li {
                    code { (told(&gate.id.to_string())) } " " (told(&gate.question)) " "
                    @match page.record.view.gates.get(&gate.id) {
                        Some(answer) => b { "answered: " (told(&answer.to_string())) },
                        None => span.dim { "not open" },
                    }
                    " " span.dim { "by " } (step_link(&page.links, &gate.opened_by))
                }
            } }
        }
    }
}
