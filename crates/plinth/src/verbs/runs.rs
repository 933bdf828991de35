//! `plinth runs`.

use crate::args::{Common, RunVerb, Runs};
use crate::printer::Printer;
use crate::recorded::{Chosen, Recorded, look};
use plinth_analysis::{Filter, RunDiff, RunEntry, replay};
use plinth_app::Failure;
use plinth_model::{Exit, Problem};
use plinth_report::runs::{self, machine};
use plinth_world::{Clock, SystemClock};

/// Lists runs, or shows one. Reads the journal only.
pub(crate) fn run(common: &Common, verb: &Runs, printer: &Printer) -> Result<Exit, Failure> {
    let recorded = Recorded::open(common)?;
    match &verb.what {
        None => list(common, &recorded, verb.filter.as_deref().unwrap_or_default(), printer),
        Some(RunVerb::Show(show)) => {
            let mut chosen = recorded.choose(&show.which.run)?;
            match &show.filter {
                None => {
                    recorded.ahead(&mut chosen, SystemClock::new().now(), printer)?;
                    overview(common, &chosen, printer)
                }
                Some(filter) => steps(common, &chosen, filter, printer),
            }
        }
        Some(RunVerb::Diff(asked)) => {
            let later = recorded.choose(&asked.run)?;
            let with = asked.with.as_deref().unwrap_or("last-good");
            let earlier = recorded.choose_before(with, Some(&later.analysis.entry.run))?;
            diff(common, &earlier, &later, printer)
        }
        Some(RunVerb::CriticalPath(asked)) => {
            let chosen = recorded.choose(&asked.which.run)?;
            critical_path(common, &chosen, &asked.what_if, printer)
        }
        Some(RunVerb::WhatFailed(asked)) => {
            let chosen = recorded.choose(&asked.run)?;
            match common.json {
                true => printer.json(&machine::causes(&chosen.analysis.entry.run, &chosen.analysis.groups)),
                false => printer.data(&runs::failures(&chosen.analysis.groups, look(printer))),
            }
            Ok(Exit::Done)
        }
    }
}

pub(crate) fn filter(text: &str) -> Result<Filter, Problem> {
    Filter::parse(text).map_err(|error| {
        Problem::while_doing("reading the filter")
            .wrong_input(error)
            .try_this("write for example `state:failed node:dgx-* kind:nodes/downloads took:>30s waiting:slot`")
    })
}

fn list(common: &Common, recorded: &Recorded, asked: &str, printer: &Printer) -> Result<Exit, Failure> {
    let filter = filter(asked)?;
    let mut chosen: Vec<RunEntry> = Vec::new();
    for entry in &recorded.runs {
        if filter.is_empty() || fits(recorded, entry, &filter)? {
            chosen.push(entry.clone());
        }
    }
    if common.json {
        printer.json(&machine::list(recorded.listed(&chosen)));
    } else {
        printer.data(&runs::list(recorded.listed(&chosen), asked, look(printer)));
    }
    Ok(Exit::Done)
}

/// A run fits by itself, or because one of its steps does.
fn fits(recorded: &Recorded, entry: &RunEntry, filter: &Filter) -> Result<bool, Failure> {
    let who = entry.who.as_ref().map(ToString::to_string).unwrap_or_default();
    let words = format!("{} {} {} {who}", entry.run, entry.verb, entry.small.as_deref().unwrap_or_default());
    if !filter.is_about_steps() && filter.fits_run(entry.state.word(), &words, entry.seconds) {
        return Ok(true);
    }
    let chosen = recorded.whole(entry)?;
    Ok(filter.choose(&chosen.analysis.subjects(&chosen.view), &chosen.shape).is_ok())
}

fn steps(common: &Common, chosen: &Chosen, asked: &str, printer: &Printer) -> Result<Exit, Failure> {
    let (filter, subjects) = (filter(asked)?, chosen.analysis.subjects(&chosen.view));
    let (found, emptied) = match filter.choose(&subjects, &chosen.shape) {
        Ok(places) => (places.into_iter().filter_map(|at| subjects.get(at).copied()).collect(), None),
        Err(term) => (Vec::new(), Some(term)),
    };
    if common.json {
        printer.json(&machine::steps(&chosen.analysis.entry.run, emptied.as_deref(), &found));
    } else if let Some(term) = emptied {
        printer.data(&format!("no step of this run fits `{term}`"));
    } else {
        printer.data(&runs::steps(&chosen.view, &found, look(printer)));
    }
    Ok(Exit::Done)
}

fn overview(common: &Common, chosen: &Chosen, printer: &Printer) -> Result<Exit, Failure> {
    let shown = chosen.shown();
    if common.json {
        printer.json(&machine::overview(&shown, &chosen.analysis.columns));
    } else {
        printer.data(&runs::show(&shown, look(printer)));
    }
    Ok(Exit::Done)
}

fn diff(common: &Common, earlier: &Chosen, later: &Chosen, printer: &Printer) -> Result<Exit, Failure> {
    let found = RunDiff::of(earlier.side(), later.side());
    if common.json {
        printer.json(&machine::diff(&earlier.analysis.entry, &later.analysis.entry, &found));
    } else {
        printer.data(&runs::diff(&earlier.analysis.entry, &later.analysis.entry, &found, look(printer)));
    }
    Ok(Exit::Done)
}

fn critical_path(common: &Common, chosen: &Chosen, what_if: &[usize], printer: &Printer) -> Result<Exit, Failure> {
    let played: Vec<_> = what_if.iter().filter_map(|n| replay(&chosen.view, &chosen.shape, *n)).collect();
    if !what_if.is_empty() && played.is_empty() {
        printer.talk("the plan of this run was made by another release: nothing can be played again");
    }
    if common.json {
        printer.json(&machine::critical_path(&chosen.analysis.entry.run, &chosen.analysis.path, &played));
    } else {
        printer.data(&runs::critical_path(&chosen.analysis.path, &chosen.view, look(printer)));
        played.iter().for_each(|one| printer.data(&runs::what_if(one)));
    }
    Ok(Exit::Done)
}
