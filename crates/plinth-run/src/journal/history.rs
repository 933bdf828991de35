//! What happened to a node or a step, over all runs. Only events about it are read, so that many runs take no longer than their
//! texts take to be looked through.

use super::{JournalError, JournalReader, events};
use plinth_model::run::{History, RunHistory, StepView, history};
use plinth_model::{Digest, Event, NodeName, Plan, RunView, StepId};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// What a history is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The runs alone.
    Runs,
    /// Every step on this node, and every one on several nodes that may change something there.
    Node(String),
    /// One step, by the id that it has in all runs.
    Step(StepId),
    /// All steps whose ids begin so, as a plan names them together: `nodes/account`.
    Group(String),
}

impl About {
    /// What a person typed: a step id has slashes, as a group of steps has, and the name of a node has none.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match StepId::try_from(text.to_owned()) {
            Ok(step) => Self::Step(step),
            Err(_) if text.contains('/') => Self::Group(text.trim_end_matches('/').to_owned()),
            Err(_) => Self::Node(text.to_owned()),
        }
    }

    /// Texts of which one stands in every event that is about it.
    fn needles(&self) -> Vec<String> {
        match self {
            Self::Runs => Vec::new(),
            Self::Node(node) => vec![format!("/{node}\""), format!("\"node\":\"{node}\"")],
            Self::Step(step) => vec![format!("\"{step}\"")],
            Self::Group(group) => vec![format!("\"{group}/")],
        }
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Runs => None,
            Self::Node(name) | Self::Group(name) => Some(name.clone()),
            Self::Step(step) => Some(step.to_string()),
        }
    }
}

impl JournalReader {
    /// What happened, oldest run first. Runs that had nothing to do with it are left out.
    ///
    /// # Errors
    /// When the database cannot be read, or an event in it.
    pub fn history(&self, about: &About) -> Result<History, JournalError> {
        let mut plans: HashMap<Digest, Option<Rc<Plan>>> = HashMap::new();
        let mut runs = Vec::new();
        for run in self.runs()? {
            let Some(head) = self.events_about(&run, &[])?.into_iter().next().and_then(head) else { continue };
            let plan = match plans.get(&head) {
                Some(known) => known.clone(),
                None if *about == About::Runs => None,
                None => {
                    let plan = self.plan(&head)?.read().map(Rc::new);
                    plans.insert(head, plan.clone());
                    plan
                }
            };
            runs.extend(self.one(&run, about, plan.as_deref())?);
        }
        Ok(History { schema: history::SCHEMA, about: about.name(), runs, removed: self.removed()? })
    }

    fn one(&self, run: &str, about: &About, plan: Option<&Plan>) -> Result<Option<RunHistory>, JournalError> {
        let shared = shared(about, plan);
        let mut needles: Vec<String> = shared.iter().map(|step| format!("\"{step}\"")).collect();
        needles.extend(about.needles());
        let events = self.events_about(run, &needles)?;
        let is_meant = |step: &StepId, node: Option<&str>| match about {
            About::Runs => false,
            About::Node(name) => node == Some(name) || shared.contains(&step),
            About::Step(wanted) => step == wanted,
            About::Group(group) => step.as_str().strip_prefix(group.as_str()).is_some_and(|rest| rest.starts_with('/')),
        };
        let told = RunHistory::of(&events, is_meant).map(|told| match plan {
            Some(plan) => told.with_plan(plan),
            None => told,
        });
        Ok(told.filter(|told| *about == About::Runs || !told.steps.is_empty()))
    }

    /// How steps went in the last run that had them: it need not be the last run. `about` is what they have in common; `held` is the run that
    /// somebody is at work on, if one is. Steps that no run had are missing.
    ///
    /// # Errors
    /// When the database cannot be read, or an event in it.
    pub fn last_times(
        &self,
        about: &About,
        steps: &[&StepId],
        held: Option<&str>,
    ) -> Result<BTreeMap<StepId, StepView>, JournalError> {
        let (mut found, mut needles) = (BTreeMap::new(), about.needles());
        // A word without a slash may be an area too: `nodes`.
        needles.extend(about.name().map(|name| format!("\"{name}/")));
        for run in self.runs()?.iter().rev() {
            if found.len() >= steps.len() {
                break;
            }
            let mut view = RunView::of(&self.events_about(run, &needles)?);
            if held != Some(run.as_str()) {
                view.lose_sight();
            }
            for step in steps.iter().copied().filter(|step| !found.contains_key(*step)).collect::<Vec<_>>() {
                found.extend(view.steps.remove(step).map(|view| (step.clone(), view)));
            }
        }
        Ok(found)
    }

    /// The first and the last event of a run and those of steps that failed: enough for a line in a list. Of a run without an end, all.
    ///
    /// # Errors
    /// When the database cannot be read, or an event in it.
    pub fn outline(&self, run: &str) -> Result<Vec<Event>, JournalError> {
        let events = self.events_about(run, &["\"outcome\":\"failed\"".to_owned()])?;
        match events.last().map(|event| &event.body) {
            Some(plinth_model::EventBody::RunFinished { .. }) => Ok(events),
            _ => self.since(run, 0),
        }
    }

    /// The first and the last event of a run, and those whose text has one of the needles.
    fn events_about(&self, run: &str, needles: &[String]) -> Result<Vec<Event>, JournalError> {
        let is_meant = |text: &str| {
            let is_of_run = text.contains("\"event\":\"run.started\"") || text.contains("\"event\":\"run.finished\"");
            is_of_run || needles.iter().any(|needle| text.contains(needle.as_str()))
        };
        events::chosen(&self.connection, &self.path, run, is_meant)
    }
}

fn head(event: Event) -> Option<Digest> {
    match event.body {
        plinth_model::EventBody::RunStarted(head) => Some(head.plan),
        _ => None,
    }
}

/// Steps on several nodes that may change something on the one that is meant.
fn shared<'a>(about: &About, plan: Option<&'a Plan>) -> Vec<&'a StepId> {
    let (About::Node(name), Some(plan)) = (about, plan) else { return Vec::new() };
    let Ok(node) = NodeName::new(name) else { return Vec::new() };
    let several = |step: &&plinth_model::Step| step.work.node().is_none() && step.work.changes_on(&node);
    plan.steps.iter().filter(several).map(|step| &step.id).collect()
}
