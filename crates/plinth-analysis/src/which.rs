//! Which run is meant: an id or the beginning of one, `last`, `last-good`, `^1`.

use jiff::Timestamp;
use plinth_model::run::{Counts, RunEnd, RunState, Who};
use plinth_model::{Digest, NodeName, RunView, StepId};
use serde::Serialize;
use std::fmt;

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEntry {
    /// Run id.
    pub run: String,
    /// The verb that ran it; empty when that was not recorded.
    pub verb: String,
    /// The command, of a run that did one small thing: `rollback gpu-operator`.
    pub small: Option<String>,
    /// How it stands.
    pub state: RunState,
    /// When its first event happened, by the run's clock.
    pub started: Option<Timestamp>,
    /// Its last event.
    pub updated: Option<Timestamp>,
    /// Seconds it took, or has taken so far.
    pub seconds: f64,
    /// User, host and process that ran it; none in runs of before that was recorded.
    pub who: Option<Who>,
    /// Plan hash.
    pub plan: Option<Digest>,
    /// Whether it is a rehearsal: nothing real was touched, and times are virtual.
    pub rehearsal: bool,
    /// Whether it only proves that the site works.
    pub checks: bool,
    /// Steps in its plan.
    pub steps: usize,
    /// What was counted; null until it ends.
    pub counts: Option<Counts>,
    /// Nodes that it left out.
    pub without: Vec<NodeName>,
    /// Id of the earlier run of the same plan that this one went on with; none when it began anew.
    pub continues_run: Option<String>,
    /// The first step that failed.
    pub first_failure: Option<StepId>,
}

impl RunEntry {
    /// Of what is known of it. `held`: somebody holds the site's lock for it.
    #[must_use]
    pub fn of(view: &RunView, held: bool) -> Option<Self> {
        let head = view.run.as_ref()?;
        let end: Option<&RunEnd> = view.end.as_ref();
        Some(Self {
            run: head.run.clone(),
            verb: head.verb.clone(),
            small: head.small.clone(),
            state: view.state(held),
            started: view.started,
            updated: view.at,
            seconds: end.map_or_else(|| view.elapsed(), |end| end.seconds),
            who: head.who(),
            plan: Some(head.plan.clone()),
            rehearsal: head.rehearsal,
            checks: head.is_check(),
            steps: head.steps,
            counts: end.map(|end| end.counts),
            without: head.without.clone(),
            continues_run: head.continues_run.clone(),
            first_failure: view.failed.first().cloned(),
        })
    }

    /// The command it came from; of a run that did not record it, as far as its plan tells.
    #[must_use]
    pub fn command(&self) -> &str {
        match (self.small.as_deref(), self.verb.as_str(), self.rehearsal, self.checks) {
            (Some(command), ..) => command,
            (None, "", true, _) => "rehearse",
            (None, "", false, true) => "check",
            (None, "", false, false) => "apply",
            (None, verb, ..) => verb,
        }
    }

    /// Whether the site was what its file says when it ended: neither checks alone nor one small thing say that.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.state == RunState::Done && !self.checks && self.small.is_none()
    }
}

/// What a person typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// So many before the last one; 0 is the last.
    Before(usize),
    /// The last one that came to a good end.
    LastGood,
    /// The one whose id begins so.
    Id(String),
}

/// No run, or several, are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRun {
    /// What was typed.
    pub asked: String,
    /// Ids that begin so; empty when there is none.
    pub candidates: Vec<String>,
    /// Why there is none.
    pub why: &'static str,
}

impl fmt::Display for UnknownRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.asked, self.why)?;
        if self.candidates.is_empty() { Ok(()) } else { write!(f, ": {}", self.candidates.join(", ")) }
    }
}

impl Which {
    /// Reads what was typed. Everything that is no word of ours is taken for an id.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "last" | "^0" => Self::Before(0),
            "last-good" => Self::LastGood,
            text => match text.strip_prefix('^').and_then(|number| number.parse().ok()) {
                Some(number) => Self::Before(number),
                None => Self::Id(text.to_owned()),
            },
        }
    }

    /// Finds it in the list, which is oldest first. Of `before`, when given, only runs in front of that one count as `last-good`.
    ///
    /// # Errors
    /// When no run is meant, or several.
    pub fn find<'a>(&self, runs: &'a [RunEntry], before: Option<&str>) -> Result<&'a RunEntry, UnknownRun> {
        let unknown = |asked: String, why, candidates| UnknownRun { asked, why, candidates };
        match self {
            Self::Before(number) => {
                let found = runs.len().checked_sub(number + 1).and_then(|at| runs.get(at));
                let asked = if *number == 0 { "last".to_owned() } else { format!("^{number}") };
                found.ok_or_else(|| unknown(asked, "there are not so many runs", Vec::new()))
            }
            Self::LastGood => {
                let end = before.and_then(|run| runs.iter().position(|entry| entry.run == run)).unwrap_or(runs.len());
                let found = runs.iter().take(end).rev().find(|entry| entry.is_good());
                let why = if before.is_some() {
                    "no run before that one came to a good end"
                } else {
                    "no run came to a good end"
                };
                found.ok_or_else(|| unknown("last-good".to_owned(), why, Vec::new()))
            }
            Self::Id(id) => {
                let fits: Vec<&RunEntry> = runs.iter().filter(|entry| entry.run.starts_with(id.as_str())).collect();
                match fits.as_slice() {
                    [one] => Ok(one),
                    [] => Err(unknown(id.clone(), "no run has such an id", Vec::new())),
                    many => match many.iter().find(|entry| entry.run == *id) {
                        Some(exact) => Ok(exact),
                        None => {
                            let names = many.iter().map(|entry| entry.run.clone()).collect();
                            Err(unknown(id.clone(), "several runs begin so", names))
                        }
                    },
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::field_reassign_with_default)]
mod tests {
    use super::*;
    use plinth_model::SiteName;
    use plinth_model::run::RunHead;

    fn entry(run: &str, state: RunState) -> RunEntry {
        let head = RunHead::new(run, Digest::of(""), SiteName::new("lab").unwrap());
        let mut view = RunView::default();
        view.run = Some(head);
        RunEntry { state, ..RunEntry::of(&view, false).unwrap() }
    }

    #[test]
    fn runs_are_found_by_what_people_call_them() {
        let runs = [
            entry("018f-aa", RunState::Done),
            entry("018f-ab", RunState::Done),
            entry("018f-abc", RunState::Partly),
            entry("0190", RunState::Interrupted),
        ];
        let find = |text: &str| Which::parse(text).find(&runs, None).map(|run| run.run.as_str().to_owned());
        assert_eq!(find("last").unwrap(), "0190");
        assert_eq!(find("^1").unwrap(), "018f-abc");
        assert_eq!(find("last-good").unwrap(), "018f-ab");
        assert_eq!(find("018f-ab").unwrap(), "018f-ab", "an exact id wins over others that begin so");
        assert_eq!(find("019").unwrap(), "0190");
        assert_eq!(find("018f").unwrap_err().candidates.len(), 3);
        assert!(find("^9").is_err() && find("x").is_err());
        let before = Which::LastGood.find(&runs, Some("018f-ab")).unwrap();
        assert_eq!(before.run, "018f-aa", "a run is not compared with itself");
        let rollback = RunEntry { small: Some("rollback x".to_owned()), ..entry("0191", RunState::Done) };
        let runs = [entry("0190", RunState::Done), rollback];
        assert_eq!(Which::LastGood.find(&runs, None).unwrap().run, "0190", "a rollback says nothing about the site");
    }
}
