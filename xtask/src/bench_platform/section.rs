//! The section of docs/benchmarks.md that tells of the platform.

use crate::commands::{Failure, root};
use crate::machine::{Machine, loaded};
use crate::measure::middle;
use crate::page;
use serde::Deserialize;
use std::fmt::Write as _;

/// Its first line.
const HEADING: &str = "## The whole platform";
/// Most seconds of a plan that finds nothing to do.
const PLAN: f64 = 1.0;
/// How many times as long helm takes for the same, one release after the other, at least.
const TIMES: f64 = 5.0;
/// Most seconds for reading very many releases.
const READING: f64 = 1.0;
/// How many times as long as its longest chain a fresh apply takes, at most.
const CHAIN: f64 = 1.2;

/// What one run took, seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Took {
    seconds: f64,
    cpu: f64,
}

/// A fresh apply, by its events; seconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fresh {
    seconds: f64,
    chain: f64,
    one_by_one: f64,
    steps: usize,
    longest: Vec<String>,
}

/// Reading releases.
#[derive(Debug, Deserialize)]
pub(super) struct Reading {
    count: usize,
    seconds: f64,
    cpu: f64,
}

/// What the bench told.
#[derive(Debug, Deserialize)]
pub(super) struct Measured {
    components: usize,
    fresh: Fresh,
    plan: Vec<Took>,
    helm: Vec<Took>,
    apply: Vec<Took>,
    releases: Reading,
}

/// A row with its target.
struct Row {
    what: String,
    measured: String,
    target: String,
    holds: bool,
}

/// All rows.
pub(super) struct Targets(Vec<Row>);

impl Targets {
    /// # Errors
    /// When nothing was measured.
    pub(super) fn of(measured: &Measured) -> Result<Self, Failure> {
        let (plan, helm) = (median(&measured.plan)?, median(&measured.helm)?);
        let (apply, components) = (median(&measured.apply)?, measured.components);
        let (clock, cpu) = (helm.seconds / plan.seconds, helm.cpu / plan.cpu.max(0.01));
        let (fresh, releases) = (&measured.fresh, &measured.releases);
        let chain = fresh.seconds / fresh.chain;
        Ok(Self(vec![
            Row {
                what: format!("plan of {components} components with a look at everything, nothing to do"),
                measured: told(plan),
                target: format!("at most {PLAN} s"),
                holds: plan.seconds <= PLAN,
            },
            Row {
                what: "`helm list`, and `helm get values` and `helm template` for each of them".to_owned(),
                measured: format!("{}: {clock:.1} times as long, {cpu:.1} times the CPU", told(helm)),
                target: format!("at least {TIMES} times as long"),
                holds: clock >= TIMES,
            },
            Row {
                what: "apply of the same, nothing to do, with the checks that prove it".to_owned(),
                measured: told(apply),
                target: "-".to_owned(),
                holds: true,
            },
            Row {
                what: format!("reading {} releases with their values", releases.count),
                measured: told(Took { seconds: releases.seconds, cpu: releases.cpu }),
                target: format!("at most {READING} s"),
                holds: releases.seconds <= READING,
            },
            Row {
                what: format!("fresh apply of {} steps against the longest chain of their needs", fresh.steps),
                measured: format!(
                    "{:.1} s, {:.1} s: {chain:.2} times; one by one they took {:.1} s",
                    fresh.seconds, fresh.chain, fresh.one_by_one
                ),
                target: format!("at most {CHAIN} times"),
                holds: chain <= CHAIN,
            },
        ]))
    }

    /// Whether all hold.
    pub(super) fn hold(&self) -> bool {
        self.0.iter().all(|row| row.holds)
    }
}

/// The middle one by the clock.
fn median(runs: &[Took]) -> Result<Took, Failure> {
    middle(runs, |run| run.seconds).ok_or_else(|| "nothing was measured".to_owned())
}

fn told(took: Took) -> String {
    format!("{:.2} s, {:.2} s of CPU", took.seconds, took.cpu)
}

/// Writes the section in the place of the one before.
pub(super) fn write(measured: &Measured, targets: &Targets, load: f64) -> Result<(), Failure> {
    let file = root().join("docs/benchmarks.md");
    let told = |doing: &str, error: std::io::Error| format!("{doing} {}: {error}", file.display());
    let page = std::fs::read_to_string(&file).map_err(|error| told("reading", error))?;
    let section = section(measured, targets, &Machine::here().to_string(), load);
    std::fs::write(&file, page::put(&page, HEADING, &section)).map_err(|error| told("writing", error))
}

/// A new page with the section that the old one had.
pub(crate) fn kept(new: &str, old: &str) -> String {
    page::of(old, HEADING).map_or_else(|| new.to_owned(), |section| page::put(new, HEADING, section))
}

fn section(measured: &Measured, targets: &Targets, machine: &str, load: f64) -> String {
    let mut text = format!(
        "{HEADING}\n\nWritten by `cargo xtask bench --platform`: a real control plane, helm 3, stand-in charts of every component, and nodes that \
         KWOK plays. Whole processes, medians of {} rounds in which plinth and helm take turns; a release build, and for the reading of \
         very many releases one of the client alone. The chain is what the run's own events say: the longest sum of times of steps that \
         need each other. Helm and the API server share the machine's cores with plinth, so what runs beside something else \
         takes longer than alone.\n\n{machine} {}\n\n\
         | what | measured | target |\n|---|---|---|\n",
        measured.plan.len(),
        loaded(load)
    );
    for Row { what, measured, target, holds } in &targets.0 {
        let verdict = match (target.as_str(), holds) {
            ("-", _) => "",
            (_, true) => ": holds",
            (_, false) => ": **missed**",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "| {what} | {measured} | {target}{verdict} |");
    }
    let _ = writeln!(text, "\nThe longest chain: {}.", measured.fresh.longest.join(" → "));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(plan: f64, helm: f64) -> Measured {
        let took = |seconds| vec![Took { seconds, cpu: seconds / 2.0 }];
        let fresh =
            Fresh { seconds: 44.0, chain: 40.0, one_by_one: 90.0, steps: 60, longest: vec!["a 1.0 s".to_owned()] };
        let releases = Reading { count: 200, seconds: 0.5, cpu: 0.2 };
        Measured { components: 17, fresh, plan: took(plan), helm: took(helm), apply: took(2.0), releases }
    }

    #[test]
    fn targets_hold_or_are_missed() {
        for (plan, helm, holds) in [(0.5, 5.0, true), (1.5, 15.0, false), (0.9, 1.8, false)] {
            assert_eq!(Targets::of(&measured(plan, helm)).map(|targets| targets.hold()), Ok(holds), "{plan} {helm}");
        }
        let nothing = Measured { plan: Vec::new(), ..measured(1.0, 1.0) };
        assert!(Targets::of(&nothing).is_err());
    }

    #[test]
    fn the_section_tells_what_was_measured_and_what_was_missed() {
        let measured = measured(1.5, 15.0);
        let Ok(targets) = Targets::of(&measured) else { panic!("it was measured") };
        let text = section(&measured, &targets, "Machine: m.", 7.5);
        assert!(text.contains("| 1.50 s, 0.75 s of CPU | at most 1 s: **missed** |"), "{text}");
        assert!(text.contains("44.0 s, 40.0 s: 1.10 times") && text.contains("load 7.5"), "{text}");
        assert!(text.contains("| 2.00 s, 1.00 s of CPU | - |"), "{text}");
    }
}
