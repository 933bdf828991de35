//! Why: failures by cause, what did not run because of them, what was doubtful.

use super::line;
use crate::export::Exported;
use crate::runs::{Look, waits as roots};
use crate::style::{Palette, told};
use maud::{Markup, html};
use plinth_analysis::FailureGroup;
use plinth_model::amount;
use plinth_model::run::CommandFailure;
use plinth_model::span::clock;

/// Causes that are told in full, and in a line each behind them.
const CARDS: usize = 100;
const LINES: usize = 500;
/// Steps of a cause that are named, lines of what was seen, last words of a program.
const NAMED: usize = 20;
const SEEN: usize = 20;
/// Findings that are told.
const FINDINGS: usize = 200;

pub(super) fn failures(run: &Exported<'_>) -> Markup {
    let groups = run.shown.groups;
    let failed: usize = groups.iter().map(|group| group.steps.len()).sum();
    html! {
        section {
            h2 { "What failed" }
            @if groups.is_empty() {
                p { "Nothing." }
            } @else {
                p { (amount(failed, "step")) " failed, of " (amount(groups.len(), "cause")) ". What holds up most comes first." }
                @for group in groups.iter().take(CARDS) { (card(group)) }
                @let more = groups.get(CARDS..).unwrap_or_default();
                @if !more.is_empty() {
                    h3 { "Further causes" }
                    ul { @for group in more.iter().take(LINES) { li { (headline(group)) } } }
                    @if more.len() > LINES { p { "And " (more.len() - LINES) " more, which the events tell." } }
                }
            }
        }
    }
}

fn headline(group: &FailureGroup) -> String {
    format!("{}: {}", line(&group.place()), line(&group.message))
}

fn card(group: &FailureGroup) -> Markup {
    let first: Vec<&str> = group.steps.iter().take(NAMED).map(|step| step.as_str()).collect();
    let more = group.steps.len().saturating_sub(NAMED);
    html! {
        article class="card" {
            h3 { span class="bad" { "Failed " } (headline(group)) }
            dl {
                @if !group.code.is_empty() { (row("Finding", &line(&group.code))) }
                dt { "Steps" }
                dd { (first.join(", ")) @if more > 0 { " and " (more) " more" } }
                (row("First", &format!("{} at {} after the run began", group.first, clock(group.first_s))))
                @if group.holds_up > 0 { (row("Holds up", &amount(group.holds_up, "step"))) }
                @if !group.shared.is_empty() { (row("These nodes share", &line(&group.shared.join(", ")))) }
                @if !group.evidence.is_empty() {
                    dt { "Seen" }
                    dd { ul { @for text in group.evidence.iter().take(SEEN) { li { (line(text)) } } } }
                }
                @if let Some(failure) = &group.failure { (program(failure)) }
                @if !group.fix.is_empty() {
                    dt { "To fix it" }
                    dd { @if !group.owner.is_empty() { (line(&group.owner)) ": " } (line(&group.fix)) }
                }
            }
        }
    }
}

fn row(name: &str, value: &str) -> Markup {
    html! { dt { (name) } dd { (value) } }
}

fn program(failure: &CommandFailure) -> Markup {
    let from = failure.tail.len().saturating_sub(SEEN);
    let tail: Vec<String> = failure.tail.iter().skip(from).map(|text| line(text)).collect();
    html! {
        dt { "Program" }
        dd {
            code { (told(&failure.command)) }
            @if let Some(ending) = failure.ending() { ", which " (line(&ending)) }
        }
        @if !tail.is_empty() { dt { "Its last words" } dd { pre { (tail.join("\n")) } } }
        @if let Some(log) = &failure.log { (row("Its log", &line(log))) }
    }
}

pub(super) fn waits(run: &Exported<'_>) -> Markup {
    let look = Look { palette: Palette::PLAIN, width: None };
    let text = roots(run.view(), run.shown.waiting, look);
    html! {
        @if !text.is_empty() {
            section {
                h2 { "What did not run, and why" }
                ul { @for one in text.lines() { li { (one.trim_start_matches([' ', '-'])) } } }
            }
        }
    }
}

pub(super) fn findings(run: &Exported<'_>) -> Markup {
    let findings = &run.view().findings;
    html! {
        @if !findings.is_empty() {
            section {
                h2 { "What is doubtful" }
                ul {
                    @for finding in findings.iter().take(FINDINGS) {
                        li {
                            strong { (line(&finding.subject)) } ": " (line(&finding.message))
                            @if !finding.fix.is_empty() { "; to do: " (line(&finding.fix)) }
                            " (" (line(finding.code.as_str())) ")"
                        }
                    }
                }
                @if findings.len() > FINDINGS { p { "The first " (FINDINGS) " of " (findings.len()) "; the events have all." } }
            }
        }
    }
}
