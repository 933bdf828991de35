//! The plan of a run: what it was made from, its gates, its steps by kind with what they were to change.

use super::OfRun;
use super::parts::{LINES, fact, several, step_link, told};
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
        @for stage in Stage::ALL { (of_stage(page, plan, stage)) }
        (gates(page, plan))
    }
}

fn of_stage(page: &OfRun<'_>, plan: &Plan, stage: Stage) -> Markup {
    let mut kinds: BTreeMap<String, Vec<&Step>> = BTreeMap::new();
    let of = plan.steps.iter().filter(|step| step.work.stage() == stage);
    of.for_each(|step| kinds.entry(kind_of(&step.id)).or_default().push(step));
    html! {
        @if !kinds.is_empty() {
            h2 { (stage.title()) }
            @for (kind, steps) in &kinds {
                @let changed = steps.iter().filter(|step| step.change.pending()).count();
                details.kind {
                    summary { code { (told(kind)) } " " (amount(steps.len(), "step")) @if changed > 0 { ", " b { (changed) " to do" } } @else { span.dim { ", nothing to do" } } }
                    ul.list { @for step in steps.iter().take(NAMED) { (one(page, step)) } }
                    @if steps.len() > NAMED {
                        p.dim { "The first " (NAMED) " of " (steps.len()) "; "
                            a href=(page.links.with(&Part::Steps, "", &[("q", &format!("kind:{kind}"))])) { "all of them" } }
                    }
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
