//! What is told about the things plinth names: steps, kinds, finding codes, exit codes, faults, runs.

use plinth_model::finding::{Code, Declaration, code};
use plinth_model::{Exit, Plan, SiteName, Step};
use plinth_run::RunReport;
use serde::Serialize;

/// Explains a word that needs no site: a code, a kind, a table.
pub(crate) fn word(word: &str) -> Option<String> {
    match word {
        "exit-codes" => Some(exit_codes()),
        "faults" => Some(faults()),
        "findings" => Some(codes().join("\n")),
        _ => kind(word).or_else(|| finding(word)),
    }
}

/// All finding codes, sorted.
pub(crate) fn codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = code::all().filter_map(|code| Some(code.declaration()?.code)).collect();
    codes.sort_unstable();
    codes
}

fn finding(wanted: &str) -> Option<String> {
    let found = Code::named(wanted).declaration()?;
    let Declaration { code, owner, means, usually, fix } = found;
    Some(format!("{code}\n  {means}\n  usually: {usually}\n  do: {fix}\n  who: {owner}"))
}

fn kind(wanted: &str) -> Option<String> {
    let explanation = plinth_run::steps::explain(wanted)?;
    let undo = plinth_model::steps::properties_of(wanted)?.undo.text();
    Some(format!(
        "{wanted}: {}\n  looks: {}\n  does:  {}\n  undo:  {undo}",
        explanation.title, explanation.probe, explanation.act
    ))
}

/// The table of exit codes.
pub(crate) fn exit_codes() -> String {
    let lines = Exit::TABLE.iter().map(|(exit, meaning)| format!("{:>3}  {meaning}", exit.code()));
    lines.collect::<Vec<_>>().join("\n")
}

fn faults() -> String {
    let forms = plinth_app::world::Fault::all_forms();
    let lines =
        forms.iter().map(|form| format!("{}\n    {}\n    example: --fault {}", form.form, form.meaning, form.example));
    let head = "A fault happens once per state directory; add `:always` to have it in every run.";
    format!("{head}\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Explains a step of a plan, with what comes before and after it.
pub(crate) fn step(plan: &Plan, step: &Step) -> String {
    let after: Vec<&str> =
        plan.steps.iter().filter(|other| other.needs.contains(&step.id)).map(|other| other.id.as_str()).collect();
    let needs: Vec<&str> = step.needs.iter().map(plinth_model::StepId::as_str).collect();
    let mut lines = vec![
        format!("{} ({}, stage {})", step.id, step.work.kind(), step.work.stage()),
        format!("  why:   {}", step.reason),
        format!("  needs: {}", listed(&needs)),
        format!("  then:  {}", listed(&after)),
        format!("  time:  one attempt may take {} s", step.work.deadline_s()),
    ];
    if let Some(condition) = &step.when {
        lines.push(format!("  only:  if gate {} opens with `{}`", condition.gate, condition.answer));
    }
    if let Some(what) = step.work.destroys() {
        lines.push(format!("  mind:  {what}"));
    }
    if step.work.properties().once {
        lines.push("  once:  it is never repeated when the journal says that it was done".to_owned());
    }
    lines.extend(kind(step.work.kind()));
    lines.join("\n")
}

/// A few names in full, many as a number.
fn listed(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [first, second, third, _, _, _, ..] => format!("{first}, {second}, {third} and {} more", names.len() - 3),
        few => few.join(", "),
    }
}

/// `rehearse --json` and `apply --json`: how a run ended.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    schema: u32,
    site: &'a SiteName,
    plan: &'a plinth_model::Digest,
    outcome: plinth_model::Outcome,
    exit: u8,
    counts: plinth_model::run::Counts,
    seconds: f64,
    failures: Vec<Failure<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    step: &'a plinth_model::StepId,
    finding: &'a plinth_model::Finding,
}

/// How a run ended, for programs.
pub(crate) fn report<'a>(plan: &'a Plan, report: &'a RunReport) -> Report<'a> {
    Report {
        schema: crate::input::SCHEMA,
        site: &plan.site,
        plan: &plan.hash,
        outcome: report.outcome,
        exit: report.exit.code(),
        counts: report.counts,
        seconds: report.duration.as_secs_f64(),
        failures: report.failures.iter().map(|(step, finding)| Failure { step, finding }).collect(),
    }
}
