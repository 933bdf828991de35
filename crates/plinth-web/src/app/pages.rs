//! Pages in their three forms. JSON and text are what the verb prints.

use super::{App, Refused, data, text};
use crate::answer::{Answer, HTML};
use crate::page::{self, OfRun, overview, shell};
use crate::record::Record;
use crate::route::{Form, Links, Page, Part, Query};
use maud::Markup;
use plinth_analysis::{Analysis, Filter, RunDiff, RunEntry, Subject};
use plinth_model::{Problem, SiteName, StepId};
use plinth_report::Palette;
use plinth_report::evidence::Evidence;
use plinth_report::runs::{self, Listed, Look, Story, machine};
use std::sync::Arc;

/// Text as it stands in a file: no colours, lines as long as they are.
const PLAIN: Look = Look { palette: Palette::PLAIN, width: None };
/// Bytes of the story of a run.
const STORY: usize = 8192;

fn html(markup: Markup) -> Answer {
    Answer::new(HTML, markup.into_string())
}

impl App {
    pub(super) fn page(&self, page: &Page, form: Form, query: &Query) -> Result<Answer, Refused> {
        match page {
            Page::Runs => self.list(form, query),
            Page::Run(run, part) => {
                let followed = self.runs.get(run)?;
                let record = followed.read();
                let then = query.number("at").map(|at| record.then(at));
                let record = then.as_ref().unwrap_or(&record);
                let analysis = record.analysis().ok_or(Refused::NoSuch)?;
                let site = self.runs.source.site();
                let links = Links::new(run, record.at);
                let of_run = OfRun { site: &site, record, analysis, links, query, now: self.runs.source.now() };
                match form {
                    Form::Html => Ok(html(self.part(&of_run, part)?)),
                    Form::Json => self.part_data(&of_run, part),
                    Form::Text => self.part_text(&of_run, part),
                }
            }
            Page::Diff(earlier, later) => self.diff((earlier, later), form),
            Page::Explain(what) => self.explained(what, form),
        }
    }

    fn list(&self, form: Form, query: &Query) -> Result<Answer, Refused> {
        let (site, all) = (self.runs.source.site(), self.runs.list()?);
        let asked = query.get("q").unwrap_or_default();
        let chosen = match Filter::parse(asked) {
            Ok(filter) => Ok(self.chosen(&all, &filter)?),
            Err(error) => Err(error.to_string()),
        };
        let (chosen, wrong) = match &chosen {
            Ok(chosen) => (chosen.as_slice(), None),
            Err(wrong) => (all.as_slice(), Some(wrong.as_str())),
        };
        let listed = Listed { site: &site, runs: chosen, removed: self.runs.source.removed()? };
        match (form, wrong) {
            (Form::Html, wrong) => {
                let followed = page::runs::running(&all).map(|run| self.runs.get(&run.run)).transpose()?;
                let now = followed.as_ref().map(|followed| followed.read());
                Ok(html(page::runs::page((&all, now.as_deref()), listed, asked, wrong)))
            }
            (_, Some(wrong)) => Err(wrong_filter(wrong)),
            (Form::Json, None) => data(&machine::list(listed)),
            (Form::Text, None) => Ok(text(&runs::list(listed, asked, PLAIN))),
        }
    }

    fn chosen(&self, all: &[RunEntry], filter: &Filter) -> Result<Vec<RunEntry>, Problem> {
        let mut chosen = Vec::new();
        for entry in all {
            if filter.is_empty() || self.fits(entry, filter)? {
                chosen.push(entry.clone());
            }
        }
        Ok(chosen)
    }

    /// A run fits by itself, or because one of its steps does.
    fn fits(&self, entry: &RunEntry, filter: &Filter) -> Result<bool, Problem> {
        let who = entry.who.as_ref().map(ToString::to_string).unwrap_or_default();
        let words = format!("{} {} {} {who}", entry.run, entry.verb, entry.small.as_deref().unwrap_or_default());
        if !filter.is_about_steps() && filter.fits_run(entry.state.word(), &words, entry.seconds) {
            return Ok(true);
        }
        let followed = self.runs.get(&entry.run)?;
        let record = followed.read();
        Ok(filter.choose(&record.subjects(), &record.shape).is_ok())
    }

    fn part(&self, of_run: &OfRun<'_>, part: &Part) -> Result<Markup, Refused> {
        let body = |title: &str, body: Markup| Ok(shell::of_run(of_run, title, part, body));
        match part {
            Part::Overview => body("Overview", overview::page(of_run)),
            Part::Failures => body("Failures", page::failures::page(of_run, &self.named_logs(of_run))),
            Part::Nodes => body("Nodes", page::nodes::page(of_run)),
            Part::Node(node) => {
                let known = page::node::Known { seen: self.runs.source.seen(node)?, runs: self.runs.list()? };
                body(node, page::node::page(of_run, node, &known).ok_or(Refused::NoSuch)?)
            }
            Part::Steps => body("Steps", page::steps::page(of_run)),
            Part::Step(step) => {
                let explained = self.step_told(of_run.record, step).ok();
                let log = self.log_of(of_run.record, step);
                let page = page::step::page(of_run, step, explained.as_ref(), &log).ok_or(Refused::NoSuch)?;
                body(step.as_str(), page)
            }
            Part::Timeline => body("Timeline", page::timeline::page(of_run)),
            Part::Graph => body("Graph", page::graph::page(of_run)),
            Part::Checks => body("Checks", self.checks(of_run)?),
            Part::Plan => body("Plan", page::plan::page(of_run)),
            Part::Exports => body("Exports", page::exports::page(of_run)),
            Part::Why => body("Why", page::exports::why(&self.story(of_run)?)),
            Part::Logs => body("Logs", page::logs::list(of_run, &self.logs(of_run.record)?)),
            Part::Log(what) => {
                let log = self.find_log(of_run.record, what)?;
                body(&log.name, page::logs::page(of_run, &log, &self.read_log(of_run, &log)?))
            }
        }
    }

    /// Checks beside those of the last good run before this one that had any.
    fn checks(&self, of_run: &OfRun<'_>) -> Result<Markup, Refused> {
        let all = self.runs.list()?;
        let before: Vec<_> = all.into_iter().take_while(|run| run.run != of_run.run()).collect();
        let good = before.iter().rfind(|run| run.is_good() && run.rehearsal == of_run.analysis.entry.rehearsal);
        let followed = good.map(|run| self.runs.get(&run.run)).transpose()?;
        let record = followed.as_ref().map(|followed| followed.read());
        let good = good.zip(record.as_deref().map(|record| self.evidence(record)));
        let good = good.filter(|(_, evidence)| !evidence.checks().is_empty());
        let compared = page::checks::Compared { evidence: self.evidence(of_run.record), good };
        Ok(page::checks::page(of_run, &compared))
    }

    fn evidence<'a>(&self, record: &'a Record) -> Evidence<'a> {
        Evidence::of(&record.view, self.runs.source.version(), self.runs.source.verdicts())
    }

    fn story(&self, of_run: &OfRun<'_>) -> Result<String, Refused> {
        let shown = of_run.record.shown().ok_or(Refused::NoSuch)?;
        Ok(runs::story(&Story { site: of_run.site, shown, bytes: STORY, unicode: false }))
    }

    fn part_data(&self, of_run: &OfRun<'_>, part: &Part) -> Result<Answer, Refused> {
        let (record, analysis) = (of_run.record, of_run.analysis);
        let shown = record.shown().ok_or(Refused::NoSuch)?;
        match part {
            Part::Overview | Part::Exports => data(&machine::overview(&shown, &analysis.columns)),
            Part::Failures => data(&machine::causes(of_run.run(), &analysis.groups)),
            Part::Step(step) => data(&self.step_told(record, step)?.data),
            Part::Nodes | Part::Node(_) | Part::Steps => {
                let subjects = record.subjects();
                let (chosen, emptied) = chosen(of_run, part, &subjects)?;
                data(&machine::steps(of_run.run(), emptied.as_deref(), &chosen))
            }
            Part::Timeline | Part::Graph => data(&machine::critical_path(of_run.run(), &analysis.path, &[])),
            Part::Checks => data(&self.evidence(record)),
            Part::Plan => data(&self.plan_told(record)?.data),
            Part::Why => data(&machine::story(&shown, &self.story(of_run)?)),
            Part::Logs => data(&self.logs(record)?),
            Part::Log(what) => data(&self.find_log(record, what)?),
        }
    }

    fn part_text(&self, of_run: &OfRun<'_>, part: &Part) -> Result<Answer, Refused> {
        let (record, analysis) = (of_run.record, of_run.analysis);
        let shown = record.shown().ok_or(Refused::NoSuch)?;
        Ok(text(&match part {
            Part::Overview | Part::Exports => runs::show(&shown, PLAIN),
            Part::Failures => runs::failures(&analysis.groups, PLAIN),
            Part::Nodes | Part::Node(_) | Part::Steps => {
                let subjects = record.subjects();
                let (chosen, emptied) = chosen(of_run, part, &subjects)?;
                match emptied {
                    Some(term) => format!("no step of this run fits `{term}`"),
                    None => runs::steps(&record.view, &chosen, PLAIN),
                }
            }
            Part::Step(step) => self.step_told(record, step)?.text,
            Part::Timeline | Part::Graph => runs::critical_path(&analysis.path, &record.view, PLAIN),
            Part::Checks => page::checks::told_text(&self.evidence(record)),
            Part::Plan => self.plan_told(record)?.text,
            Part::Why => self.story(of_run)?,
            Part::Logs => plinth_report::logs::logs(of_run.site, &self.logs(record)?, Palette::PLAIN),
            Part::Log(what) => page::logs::told_text(&self.read_log(of_run, &self.find_log(record, what)?)?),
        }))
    }

    /// A step as `plinth explain` tells it.
    fn step_told(&self, record: &Record, step: &StepId) -> Result<crate::Told, Refused> {
        let plan = record.plan.as_deref();
        self.runs.source.explain(step.as_str(), plan, &record.view).ok_or(Refused::NoSuch)
    }

    fn plan_told(&self, record: &Record) -> Result<crate::Told, Refused> {
        let plan = record.plan.as_deref().ok_or(Refused::NoSuch)?;
        Ok(self.runs.source.plan_told(plan))
    }

    fn diff(&self, (earlier, later): (&str, &str), form: Form) -> Result<Answer, Refused> {
        let later = self.runs.id(later, None)?;
        let site = self.runs.source.site();
        let earlier = match self.runs.id(earlier, Some(&later)) {
            Ok(id) => id,
            Err(problem) if form == Form::Html && earlier == "last-good" => {
                let all = self.runs.list()?;
                let before = all.iter().take_while(|run| run.run != later).last();
                return Ok(html(page::diff::none(&site, &later, before, &problem)));
            }
            Err(problem) => return Err(problem.into()),
        };
        let (earlier, later) = (self.runs.get(&earlier)?, self.runs.get(&later)?);
        // Read once where both are the same: whoever reads twice waits for a writer that waits for them.
        let (before, other) = (earlier.read(), (!Arc::ptr_eq(&earlier, &later)).then(|| later.read()));
        let after = other.as_ref().unwrap_or(&before);
        let (Some(from), Some(to)) = (before.analysis(), after.analysis()) else { return Err(Refused::NoSuch) };
        let found = RunDiff::of(before.side(), after.side());
        compared(&site, (from, to), &found, form)
    }

    fn explained(&self, what: &str, form: Form) -> Result<Answer, Refused> {
        let live = self.runs.live();
        let record = live.as_ref().map(|live| live.read());
        let empty = plinth_model::RunView::default();
        let (plan, view) = match &record {
            Some(record) => (record.plan.as_deref(), &record.view),
            None => (None, &empty),
        };
        let told = self.runs.source.explain(what, plan, view).ok_or(Refused::NoSuch)?;
        match form {
            Form::Html => Ok(html(page::explain::page(&self.runs.source.site(), what, &told))),
            Form::Json => data(&told.data),
            Form::Text => Ok(text(&told.text)),
        }
    }
}

fn compared(
    site: &SiteName,
    (from, to): (&Analysis, &Analysis),
    found: &RunDiff,
    form: Form,
) -> Result<Answer, Refused> {
    match form {
        Form::Html => Ok(html(page::diff::page(site, &from.entry, &to.entry, found))),
        Form::Json => data(&machine::diff(&from.entry, &to.entry, found)),
        Form::Text => Ok(text(&runs::diff(&from.entry, &to.entry, found, PLAIN))),
    }
}

/// The steps that a page stands for; else the term that none fits.
fn chosen<'a>(
    of_run: &OfRun<'_>,
    part: &Part,
    subjects: &[Subject<'a>],
) -> Result<(Vec<Subject<'a>>, Option<String>), Refused> {
    let filter = Filter::parse(&part.filter(of_run.query)).map_err(|error| wrong_filter(&error.to_string()))?;
    Ok(of_run.record.choose(&filter, subjects))
}

fn wrong_filter(why: &str) -> Refused {
    let problem = Problem::while_doing("reading the filter")
        .wrong_input(why)
        .try_this("write for example `state:failed node:dgx-* kind:nodes/downloads took:>30s waiting:slot`");
    Refused::Unread(problem)
}
