//! Acceptance checks with their evidence: what fails first, then what is not known, then what holds.

use super::OfRun;
use super::overview::told_lines;
use super::parts::{several, step_link, told, took};
use maud::{Markup, html};
use plinth_report::evidence::{Checked, Evidence, Proof};

pub(crate) fn page(page: &OfRun<'_>, evidence: &Evidence<'_>) -> Markup {
    let checks = sorted(evidence);
    html! {
        h1 { "Checks" }
        @if checks.is_empty() { p.empty { "No check was carried out in this run. " code { "plinth check" } " does it alone." } }
        @else {
            p { (evidence.summary()) }
            @for check in checks { (card(page, check)) }
        }
    }
}

const fn rank(proof: Proof) -> u8 {
    match proof {
        Proof::Fails => 0,
        Proof::Unknown => 1,
        Proof::NotRun => 2,
        Proof::Holds => 3,
    }
}

const fn sign(proof: Proof) -> (&'static str, &'static str) {
    match proof {
        Proof::Fails => ("f", "F"),
        Proof::Unknown => ("x", "?"),
        Proof::NotRun => ("n", "N"),
        Proof::Holds => ("c", "H"),
    }
}

fn sorted<'a, 'b>(evidence: &'b Evidence<'a>) -> Vec<&'b Checked<'a>> {
    let mut checks: Vec<&Checked<'_>> = evidence.checks().iter().collect();
    checks.sort_by_key(|check| (rank(check.proof), check.id));
    checks
}

fn card(page: &OfRun<'_>, check: &Checked<'_>) -> Markup {
    let (class, letter) = sign(check.proof);
    html! {
        details.cause.not-run[check.proof == Proof::NotRun].failed[check.proof == Proof::Fails] open[check.proof != Proof::Holds] id=(told(check.id.as_str())) {
            summary {
                span class={"st " (class)} { i aria-hidden="true" { (letter) } " " (check.proof.word()) } " "
                b.id { (told(check.id.as_str())) } " " span.dim { (told(check.reason)) }
            }
            dl {
                dt { "step" } dd { (step_link(&page.links, check.id)) }
                @for line in several(&check.evidence) { dt { "seen" } dd { (line) } }
                @if let Some(finding) = check.finding {
                    dt { "wrong" } dd { (told(&finding.message)) }
                    @if !finding.fix.is_empty() { dt { "fix" } dd.fix { span.tag { (finding.owner) } " " (told(&finding.fix)) } }
                }
                @if let Some(seconds) = check.seconds.filter(|_| check.proof != Proof::NotRun) { dt { "took" } dd { (took(Some(seconds))) } }
            }
        }
    }
}

/// As text.
pub(crate) fn told_text(evidence: &Evidence<'_>) -> String {
    let mut lines = vec![evidence.summary()];
    for check in sorted(evidence) {
        lines.push(format!("  {} {}", check.proof.word(), check.id));
        lines.extend(check.evidence.iter().map(|line| format!("      {}", told(line))));
    }
    told_lines(&lines.join("\n"))
}
