//! Failures by cause: one card for each, not one for each node.

use super::OfRun;
use super::cause::{anchor, place};
use super::parts::{fact, link_to, node_link, several, short, step_link, told};
use crate::route::{Links, Part};
use maud::{Markup, html};
use plinth_analysis::FailureGroup;
use plinth_model::amount;
use plinth_model::run::{CommandFailure, LogFile};
use plinth_model::span::clock;

/// With so few causes every card is open.
const OPEN: usize = 6;
/// Steps of a cause that are named.
const NAMED: usize = 100;

/// The page. `logs` are those of the run that can be read here.
pub(crate) fn page(page: &OfRun<'_>, logs: &[LogFile]) -> Markup {
    let groups = &page.analysis.groups;
    let failed: usize = groups.iter().map(|group| group.steps.len()).sum();
    html! {
        h1 { "Failures" }
        @if groups.is_empty() {
            p.empty { "Nothing failed" (if page.record.is_on() { " so far." } else { "." }) }
        } @else {
            p { (amount(failed, "step")) " failed for " (amount(groups.len(), "cause")) ". What holds up most is first." }
        }
        @let earliest = groups.iter().map(|group| group.first_s).fold(f64::INFINITY, f64::min);
        @for group in groups { (card(page, group, (groups.len() <= OPEN, group.first_s <= earliest), logs)) }
    }
}

fn card(page: &OfRun<'_>, group: &FailureGroup, (open, earliest): (bool, bool), logs: &[LogFile]) -> Markup {
    let code = if group.code.is_empty() { "failed" } else { &group.code };
    html! {
        details.cause.failed open[open] {
            summary {
                span.st.f { i aria-hidden="true" { "F" } " failed" } " "
                b { (short(code)) } " " (place(group))
                @if earliest { " " span.tag { "first" } }
                p { (short(&group.message)) }
            }
            (link_to(&anchor(group), "card"))
            dl id=(anchor(group)) {
                dt { "first" } dd { (step_link(&page.links, &group.first)) " at " (clock(group.first_s)) }
                @if group.holds_up > 0 { dt { "holds up" } dd { (amount(group.holds_up, "step")) } }
                (fact("shared", &short(&group.shared.join(", "))))
                @for line in several(&group.evidence) { dt { "seen" } dd { (short(&line)) } }
                @if !group.fix.is_empty() {
                    dt { "fix" } dd.fix { @if !group.owner.is_empty() { span.tag { (told(&group.owner)) } " " } (short(&group.fix)) }
                }
                @if !group.code.is_empty() {
                    dt { "means" } dd { a href=(format!("/explain/{}", crate::route::encoded(&group.code))) { "what this code says" } }
                }
            }
            @if let Some(failure) = &group.failure { (program(&page.links, failure, logs)) }
            (steps(page, group))
        }
    }
}

fn steps(page: &OfRun<'_>, group: &FailureGroup) -> Markup {
    html! {
        @if group.steps.len() > 1 {
            details {
                summary { "all " (amount(group.steps.len(), "step")) }
                ul.many { @for step in group.steps.iter().take(NAMED) {
                    @let node = page.record.view.steps.get(step).and_then(|step| step.node.as_deref());
                    li { (step_link(&page.links, step)) @if let Some(node) = node { " " (node_link(&page.links, node)) } }
                } }
                @if group.steps.len() > NAMED { p.dim { "The first " (NAMED) " of " (group.steps.len()) "." } }
            }
        }
    }
}

/// The program that failed, with its last words, and the way to all of them.
pub(crate) fn program(links: &Links, failure: &CommandFailure, logs: &[LogFile]) -> Markup {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let kept = |path: &str| logs.iter().any(|log| log.name == name(path));
    html! {
        figure.program {
            figcaption { code { (told(&failure.command)) } @if let Some(ending) = failure.ending() { " " b { (ending) } } }
            @if !failure.tail.is_empty() { pre tabindex="0" { @for line in &failure.tail { (short(line)) "\n" } } }
            @match &failure.log {
                Some(path) if kept(path) => p.dim { "all of it: " a.id href=(links.to(&Part::Log(name(path)))) { (told(&name(path))) } },
                Some(path) => p.dim { "all of it was in " code { (told(path)) } },
                None => {},
            }
        }
    }
}
