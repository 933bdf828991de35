//! What the shell offers behind a verb: nodes and steps of the site, as the last run and the last check knew them.
//!
//! Completion never contacts anybody and never fails loudly: what cannot be read offers nothing.

use crate::site_file::{STATE_VARIABLE, default_file, named_by};
use clap_complete::CompletionCandidate;
use plinth_app::{Input, state};
use plinth_model::Plan;
use plinth_run::Journal;
use std::collections::BTreeSet;
use std::ffi::OsStr;

/// Nodes of the site.
pub(crate) fn nodes(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(plan) = last_plan() else { return Vec::new() };
    let nodes: BTreeSet<&str> =
        plan.steps.iter().filter_map(|step| step.work.node()).map(|node| node.as_str()).collect();
    begun_by(nodes, current)
}

/// Components of the site with a release.
pub(crate) fn components(current: &OsStr) -> Vec<CompletionCandidate> {
    let plan = last_plan();
    let steps = plan.iter().flat_map(|plan| &plan.steps);
    let releases = steps.filter(|step| step.id.area() == "platform" && step.id.verb() == "release");
    begun_by(releases.map(|step| step.id.target()), current)
}

/// Nodes of the site, and its steps.
pub(crate) fn nodes_and_steps(current: &OsStr) -> Vec<CompletionCandidate> {
    let plan = last_plan();
    let steps = plan.iter().flat_map(|plan| &plan.steps).map(|step| step.id.as_str());
    let steps = begun_by(steps, current);
    nodes(current).into_iter().chain(steps).collect()
}

/// What `logs` takes: the newest of a play, plinth's own, and steps that run programs.
pub(crate) fn logs(current: &OsStr) -> Vec<CompletionCandidate> {
    let plan = last_plan();
    let steps = plan.iter().flat_map(|plan| &plan.steps).map(|step| &step.id);
    let running = steps.filter(|step| {
        matches!(
            (step.area(), step.verb()),
            ("kubernetes", "deploy" | "removal" | "recovery") | ("platform", "release")
        )
    });
    begun_by(["last", "run"].into_iter().chain(running.map(|step| step.as_str())), current)
}

/// Checks of the site, by what they are.
pub(crate) fn checks(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(plan) = plan_with("checks") else { return Vec::new() };
    let checks: BTreeSet<&str> =
        plan.steps.iter().filter(|step| step.id.area() == "checks").map(|step| step.id.verb()).collect();
    begun_by(checks, current)
}

/// Faults of a rehearsal, as they are written with an example of a name.
pub(crate) fn faults(current: &OsStr) -> Vec<CompletionCandidate> {
    begun_by(crate::explain::fault_examples(), current)
}

/// What `explain` takes: steps, groups of them, nodes, kinds, codes and tables.
pub(crate) fn topics(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut offered: BTreeSet<String> = crate::explain::topics().into_iter().map(str::to_owned).collect();
    for step in last_plan().iter().flat_map(|plan| &plan.steps) {
        offered.insert(step.id.to_string());
        offered.insert(format!("{}/{}", step.id.area(), step.id.verb()));
        offered.extend(step.work.node().map(ToString::to_string));
    }
    begun_by(offered.iter().map(String::as_str), current)
}

fn begun_by<'a>(offered: impl IntoIterator<Item = &'a str>, current: &OsStr) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    let fitting = offered.into_iter().filter(|text| text.starts_with(&*begun));
    fitting.map(|text| CompletionCandidate::new(text.to_owned())).collect()
}

/// The plan of the last run of the site that was about more than checks, and that a command without `-f` and `--state` would be about.
fn last_plan() -> Option<Plan> {
    newest_plan(|area| area != "checks")
}

/// The newest plan with a step of this area.
fn plan_with(wanted: &str) -> Option<Plan> {
    newest_plan(|area| area == wanted)
}

fn newest_plan(is_meant: impl Fn(&str) -> bool) -> Option<Plan> {
    let file = default_file();
    if file.as_os_str() == "-" {
        // Standard input is the shell's.
        return None;
    }
    let input = Input::load(&file).ok()?;
    let given = named_by(STATE_VARIABLE);
    let directory = state::directory(given.as_deref(), &input.site.desired.name).ok()?;
    let reader = Journal::open_read_only(&directory).ok()??;
    reader.plan_with(|step| is_meant(step.id.area())).ok()?.read()
}
