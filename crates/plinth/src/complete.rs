//! What the shell offers behind a verb: nodes and steps of the site, as the last run and the last check knew them.
//!
//! Completion never contacts anybody and never fails loudly: what cannot be read offers nothing.

use crate::site_file::default_file;
use clap_complete::CompletionCandidate;
use plinth_app::{Input, state};
use plinth_model::Plan;
use plinth_run::Journal;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;

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
    let file = default_file();
    if file.as_os_str() == "-" {
        // Standard input is the shell's.
        return None;
    }
    let input = Input::load(&file).ok()?;
    let given = std::env::var_os("PLINTH_STATE").map(PathBuf::from);
    let directory = state::directory(given.as_deref(), &input.site.desired.name).ok()?;
    let reader = Journal::open_read_only(&directory).ok()??;
    reader.plan_with(|step| step.id.area() != "checks").ok()?.read()
}
