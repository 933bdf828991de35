//! What happened to a node or a step, as text.

use crate::style::{Palette, Sign, clean};
use plinth_model::amount;
use plinth_model::run::{History, RunHistory, StepHistory, StepState};
use plinth_model::span::span;
use plinth_model::steps::Undo;
use plinth_model::{Outcome, SiteName};

/// Steps that were only found as they should be, named in full; more are counted.
const NAMED: usize = 4;

/// The text, without a final line break. Looks that changed nothing are one line for each run, unless `all` of them are wanted.
#[must_use]
pub fn history(site: &SiteName, history: &History, all: bool, palette: Palette) -> String {
    let told = kept(site, history, all, palette);
    match older(history.removed) {
        Some(older) => format!("{told}\n{older}"),
        None => told,
    }
}

/// What is said of runs that are not kept.
#[must_use]
pub fn older(removed: u32) -> Option<String> {
    match removed {
        0 => None,
        1 => Some("1 older run is not kept any more".to_owned()),
        removed => Some(format!("{removed} older runs are not kept any more")),
    }
}

fn kept(site: &SiteName, history: &History, all: bool, palette: Palette) -> String {
    let name = palette.bold(site.as_str());
    let Some(about) = &history.about else { return runs(&name, history, palette) };
    let about = clean(about);
    if history.runs.is_empty() {
        return format!("{name}: no run was about {about}\n  `plinth history` lists the runs, `plinth plan` the steps");
    }
    let changed = history.runs.iter().filter(|run| run.steps.iter().any(StepHistory::touched)).count();
    let mut lines = vec![format!(
        "{name}: what happened to {}, in {}; {}",
        palette.bold(&about),
        amount(history.runs.len(), "run"),
        if changed == 0 {
            "nothing was changed there".to_owned()
        } else {
            format!("{changed} changed something there")
        },
    )];
    for run in &history.runs {
        lines.push(String::new());
        lines.extend(one_run(run, all, palette));
    }
    lines.join("\n")
}

fn runs(name: &str, history: &History, palette: Palette) -> String {
    if history.runs.is_empty() {
        return format!("{name}: never applied");
    }
    let lines = history.runs.iter().map(|run| format!("  {}", head(run, true, palette)));
    format!("{name}: {}\n{}", amount(history.runs.len(), "run"), lines.collect::<Vec<_>>().join("\n"))
}

/// `is_all`: it is told of the whole run, and not of what it did to one node or step.
fn head(run: &RunHistory, is_all: bool, palette: Palette) -> String {
    let rehearsal = if run.rehearsal { "  a rehearsal: nothing real, virtual time" } else { "" };
    let touched = is_all || run.steps.iter().any(StepHistory::touched);
    let changed = |n| if touched || n == 0 { format!("{n} changed") } else { format!("{n} changed elsewhere") };
    let counts = run.counts.map(|counts| format!(": {}, {} failed", changed(counts.changed), counts.failed));
    let without: Vec<&str> = run.without.iter().map(|node| node.as_str()).collect();
    let without = if without.is_empty() { String::new() } else { format!("  without {}", without.join(", ")) };
    let by = if run.by.is_empty() { String::new() } else { format!("  by {}", clean(&run.by)) };
    format!(
        "{}  run {}{by}  {}{}{without}{rehearsal}",
        palette.bold(&format!("{:.0}", run.started)),
        clean(&run.run),
        outcome(run.outcome),
        counts.unwrap_or_default(),
    )
}

const fn outcome(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Done) => "done",
        Some(Outcome::Partly) => "partly",
        Some(Outcome::Stopped) => "stopped",
        None => "no end was seen",
    }
}

fn one_run(run: &RunHistory, all: bool, palette: Palette) -> Vec<String> {
    let mut lines = vec![head(run, false, palette)];
    let told = |step: &&StepHistory| all || step.touched() || step.state == StepState::Failed;
    let (told, rest): (Vec<&StepHistory>, Vec<&StepHistory>) = run.steps.iter().partition(told);
    lines.extend(told.into_iter().flat_map(|step| one_step(step, palette)));
    for (state, what) in [
        (StepState::Unchanged, "found in the desired state"),
        (StepState::Skipped, "skipped, as its gate decided"),
        (StepState::NotRun, "not run"),
        (StepState::Looking, "only looked at, and the end of that was not seen"),
    ] {
        let of: Vec<&str> = rest.iter().filter(|step| step.state == state).map(|step| step.step.as_str()).collect();
        lines
            .extend((!of.is_empty()).then(|| format!("  {} {what}: {}", palette.painted(Sign::of(state)), named(&of))));
    }
    if !run.plan_is_read && run.steps.iter().any(StepHistory::touched) {
        lines.push("  the plan of this run is of another release: how to undo it is not told".to_owned());
    }
    lines
}

fn named(steps: &[&str]) -> String {
    match steps.get(..NAMED) {
        Some(first) if steps.len() > NAMED => format!("{} and {} more", first.join(", "), steps.len() - NAMED),
        _ => steps.join(", "),
    }
}

fn one_step(step: &StepHistory, palette: Palette) -> Vec<String> {
    let took = step.ended.map(|ended| ended.duration_since(step.at).as_secs_f64().max(0.0));
    let how = match (step.state, took) {
        (StepState::Acting | StepState::Looking, _) => "began, and its end was not seen".to_owned(),
        (state, Some(seconds)) => format!("{state} after {}", span(seconds)),
        (state, None) => state.to_string(),
    };
    let attempts = if step.attempts > 1 { format!(", {} attempts", step.attempts) } else { String::new() };
    let sign = palette.painted(Sign::of(step.state));
    let mut lines = vec![format!("  {sign} {}  {how}{attempts}", palette.bold(step.step.as_str()))];
    let mut row = |label: &str, text: &str| {
        lines.extend((!text.is_empty()).then(|| format!("      {label:<7} {}", clean(text))));
    };
    row("at", &format!("{:.0}", step.at));
    row("why", &step.reason);
    step.before.iter().enumerate().for_each(|(at, line)| row(if at == 0 { "before" } else { "" }, line));
    match &step.finding {
        None => row("after", &step.after),
        Some(finding) => {
            row("wrong", &finding.message);
            row("fix", &finding.fix);
        }
    }
    row("undo", &undo(step));
    lines
}

/// How it can be undone, if it changed something.
fn undo(step: &StepHistory) -> String {
    match &step.undo {
        None => String::new(),
        Some(Undo::OneWay(why)) => format!("cannot be undone: {why}"),
        Some(Undo::Nothing) => Undo::Nothing.text().to_owned(),
        // Nothing was undone: the sentence says what there would be, and names the command where there is one.
        Some(undo) if names_command(undo.text()) => undo.text().to_owned(),
        Some(undo) if step.step.area() == "nodes" => format!("by hand; it would mean: {}", undo.text()),
        Some(undo) => format!("it would mean: {}", undo.text()),
    }
}

fn names_command(text: &str) -> bool {
    text.contains("`plinth ") || text.starts_with("helm ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scripted;
    use plinth_model::run::history::SCHEMA;

    fn told(about: Option<&str>) -> History {
        let events = scripted::run();
        let of = |step: &plinth_model::StepId, node: Option<&str>| node == about || Some(step.as_str()) == about;
        let run = RunHistory::of(&events, of).unwrap();
        History { schema: SCHEMA, about: about.map(str::to_owned), runs: vec![run], removed: 0 }
    }

    #[test]
    fn a_node_that_was_touched() {
        let site = SiteName::new("basepod-a").unwrap();
        insta::assert_snapshot!(history(&site, &told(Some("dgx-05")), false, Palette::PLAIN));
    }

    #[test]
    fn what_a_run_changed_elsewhere_is_not_said_of_a_node_that_it_left_alone() {
        let site = SiteName::new("basepod-a").unwrap();
        let mut told = told(Some("dgx-05"));
        told.runs[0].steps.retain(|step| !step.touched());
        let text = history(&site, &told, false, Palette::PLAIN);
        assert!(text.contains("nothing was changed there") && text.contains(" changed elsewhere, "), "{text}");
    }

    #[test]
    fn how_to_undo_does_not_read_as_if_it_had_been_done() {
        let of = |id: &str, undo| {
            let event = told(Some(id)).runs.into_iter().flat_map(|run| run.steps).next().unwrap();
            super::undo(&StepHistory { undo: Some(undo), ..event })
        };
        let (node, cluster) = ("nodes/account/dgx-05", "kubernetes/deploy/basepod-a");
        assert_eq!(
            of(node, Undo::Compensate("The account is removed.")),
            "by hand; it would mean: The account is removed."
        );
        assert_eq!(of(cluster, Undo::Exact("The files are removed.")), "it would mean: The files are removed.");
        assert_eq!(
            of(cluster, Undo::Compensate("Reset removes it: `plinth reset`.")),
            "Reset removes it: `plinth reset`."
        );
        assert_eq!(of(node, Undo::OneWay("It is gone.")), "cannot be undone: It is gone.");
        assert_eq!(of(node, Undo::Nothing), "Nothing to undo.");
    }

    #[test]
    fn nothing_and_the_runs_alone() {
        let site = SiteName::new("basepod-a").unwrap();
        let none = History { runs: Vec::new(), ..told(Some("dgx-99")) };
        assert!(history(&site, &none, false, Palette::PLAIN).contains("no run was about dgx-99"));
        insta::assert_snapshot!(history(&site, &told(None), false, Palette::PLAIN));
    }

    #[test]
    fn runs_that_are_not_kept_are_said_also_where_none_is_left() {
        let site = SiteName::new("basepod-a").unwrap();
        let text = |removed, runs: Vec<RunHistory>| {
            history(&site, &History { removed, runs, ..told(Some("dgx-05")) }, false, Palette::PLAIN)
        };
        assert!(text(12, told(None).runs).ends_with("\n12 older runs are not kept any more"));
        assert!(text(1, Vec::new()).ends_with("\n1 older run is not kept any more"));
    }
}
