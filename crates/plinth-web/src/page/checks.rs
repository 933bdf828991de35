//! Acceptance checks with their evidence, grouped by what they check: what fails first, then what is not known, then what holds.

use super::OfRun;
use super::overview::told_lines;
use super::parts::{link_to, moment, several, short, step_link, told, took};
use crate::route::{Links, Part};
use maud::{Markup, html};
use plinth_analysis::{RunEntry, kind_of, ranges};
use plinth_model::{StepId, amount};
use plinth_report::evidence::{Checked, Evidence, Proof};
use std::collections::BTreeMap;

/// Checks of a group that are shown one by one.
const CARDS: usize = 20;
/// Changes since the last good run that are told.
const CHANGES: usize = 40;

/// The checks of a run beside those of the last good run before it.
pub(crate) struct Compared<'a> {
    pub(crate) evidence: Evidence<'a>,
    /// None: there is none, or it had no checks.
    pub(crate) good: Option<(&'a RunEntry, Evidence<'a>)>,
}

pub(crate) fn page(page: &OfRun<'_>, compared: &Compared<'_>) -> Markup {
    let evidence = &compared.evidence;
    let groups = grouped(evidence);
    html! {
        h1 { "Checks" }
        @if groups.is_empty() { p.empty { "No check was carried out in this run. " code { "plinth check" } " does it alone." } }
        @else {
            p { (evidence.summary()) }
            (changes(page, compared))
            @for (kind, checks) in &groups { (group(page, kind, checks)) }
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

fn badge(proof: Proof) -> Markup {
    let (class, letter) = sign(proof);
    html! { span class={"st " (class)} { i aria-hidden="true" { (letter) } " " (proof.word()) } }
}

fn sorted<'a, 'b>(evidence: &'b Evidence<'a>) -> Vec<&'b Checked<'a>> {
    let mut checks: Vec<&Checked<'_>> = evidence.checks().iter().collect();
    checks.sort_by_key(|check| (rank(check.proof), check.id));
    checks
}

/// Checks by kind, `checks/gpu-pod`: the kind with the worst of them first.
fn grouped<'a, 'b>(evidence: &'b Evidence<'a>) -> Vec<(String, Vec<&'b Checked<'a>>)> {
    let mut kinds: BTreeMap<String, Vec<&Checked<'_>>> = BTreeMap::new();
    sorted(evidence).into_iter().for_each(|check| kinds.entry(kind_of(check.id)).or_default().push(check));
    let mut groups: Vec<_> = kinds.into_iter().collect();
    groups.sort_by_key(|(_, checks)| checks.first().map(|check| rank(check.proof)));
    groups
}

fn group(page: &OfRun<'_>, kind: &str, checks: &[&Checked<'_>]) -> Markup {
    let (wrong, holding): (Vec<&Checked<'_>>, Vec<&Checked<'_>>) =
        checks.iter().partition(|check| check.proof != Proof::Holds);
    let Some(first) = checks.first() else { return html! {} };
    html! {
        @match checks {
            [one] => (card(page, one)),
            _ => section {
                h2 id=(told(kind)) { a href=(format!("#{}", told(kind))) { (told(kind)) } span.more { (tally(checks)) } }
                p.dim { (told(first.reason)) }
                @for check in wrong.iter().take(CARDS) { (card(page, check)) }
                @if wrong.len() > CARDS {
                    p.dim { "The first " (CARDS) " of " (wrong.len()) "; "
                        a href=(page.links.with(&Part::Steps, "", &[("q", &format!("kind:{kind}"))])) { "all of them" } }
                }
                @if !holding.is_empty() { (held(page, &holding)) }
            },
        }
    }
}

/// `2 fail, 998 hold`.
fn tally(checks: &[&Checked<'_>]) -> String {
    let count = |proof| checks.iter().filter(|check| check.proof == proof).count();
    let all = [Proof::Fails, Proof::Unknown, Proof::NotRun, Proof::Holds].map(|proof| (count(proof), proof));
    let told = all.iter().filter(|(count, _)| *count > 0).map(|(count, proof)| format!("{count} {}", many(*proof)));
    told.collect::<Vec<_>>().join(", ")
}

const fn many(proof: Proof) -> &'static str {
    match proof {
        Proof::Fails => "fail",
        Proof::Holds => "hold",
        other => other.word(),
    }
}

/// Those that hold: where, and what was seen of a few of them.
fn held(page: &OfRun<'_>, holding: &[&Checked<'_>]) -> Markup {
    let targets = ranges(holding.iter().map(|check| check.id.target()));
    html! {
        details.cause {
            summary { (badge(Proof::Holds)) " " (amount(holding.len(), "check")) ": " (short(&targets)) }
            @for check in holding.iter().take(CARDS) {
                dl { dt { (step_link(&page.links, check.id)) } dd { (several(&check.evidence).join("; ")) } }
            }
            @if holding.len() > CARDS { p.dim { "The first " (CARDS) " of " (holding.len()) "; the JSON has all." } }
        }
    }
}

fn card(page: &OfRun<'_>, check: &Checked<'_>) -> Markup {
    let id = told(check.id.as_str());
    html! {
        details.cause.not-run[check.proof == Proof::NotRun].failed[check.proof == Proof::Fails] open[check.proof != Proof::Holds] {
            summary {
                (badge(check.proof)) " "
                b.id { (id) } " " span.dim { (told(check.reason)) }
            }
            (link_to(&id, "card"))
            dl id=(id) {
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

/// A check that stands otherwise than in the last good run.
struct Changed<'a> {
    id: &'a StepId,
    before: Option<Proof>,
    now: Option<Proof>,
}

/// What stands otherwise, what fails now first.
fn changed<'a>(now: &'a Evidence<'_>, good: &'a Evidence<'_>) -> Vec<Changed<'a>> {
    let before: BTreeMap<&StepId, Proof> = good.checks().iter().map(|check| (check.id, check.proof)).collect();
    let after: BTreeMap<&StepId, Proof> = now.checks().iter().map(|check| (check.id, check.proof)).collect();
    let mut ids: Vec<&StepId> = before.keys().chain(after.keys()).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let both = ids.into_iter().map(|id| Changed { id, before: before.get(id).copied(), now: after.get(id).copied() });
    let mut all: Vec<Changed<'_>> = both.filter(|one| one.before != one.now).collect();
    all.sort_by_key(|one| one.now.map_or(u8::MAX, rank));
    all
}

fn changes(page: &OfRun<'_>, compared: &Compared<'_>) -> Markup {
    let Some((good, evidence)) = &compared.good else {
        return html! { p.dim { "No good run before this one had checks: there is nothing to compare them with." } };
    };
    let all = changed(&compared.evidence, evidence);
    let other = Links::new(&good.run, None);
    let word =
        |proof: Option<Proof>| html! { @match proof { Some(proof) => (badge(proof)), None => span.dim { "none" } } };
    html! {
        section {
            h2 { "Since the last good run " span.more { a href=(other.to(&Part::Checks)) { (moment(good.started)) } } }
            @if all.is_empty() { p.dim { "Every check stands as it stood then." } }
            @else {
                table.diff {
                    thead { tr { th { "Then" } th { "Now" } th { "Check" } } }
                    tbody { @for one in all.iter().take(CHANGES) {
                        tr { td { (word(one.before)) } td { (word(one.now)) } td { (step_link(if one.now.is_some() { &page.links } else { &other }, one.id)) } }
                    } }
                }
                @if all.len() > CHANGES { p.dim { "The first " (CHANGES) " of " (all.len()) "." } }
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
