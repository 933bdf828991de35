//! The folded journal, and the table of what may follow what.

use super::{Fact, Record};
use jiff::Timestamp;
use plinth_model::{Digest, Outcome, SiteName, StepId};
use std::collections::HashMap;

/// A history that cannot have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{kind}` of `{subject}` cannot follow: {rule}")]
pub struct Impossible {
    /// Kind of the record refused.
    pub kind: &'static str,
    /// Step or run.
    pub subject: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its effect began and did not end, as far as is known.
    Intended {
        /// Attempt, from 1.
        attempt: u32,
    },
    /// It was so.
    Done {
        /// It was made so then.
        changed: bool,
    },
    /// It failed.
    Failed,
    /// Skipped by its gate.
    Skipped,
}

/// What is known of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepHistory {
    /// Digest in the last record.
    pub digest: Digest,
    /// Where it stands.
    pub standing: Standing,
    /// Run of the last record.
    pub run: String,
    /// What was said of it last: what was found or done, or why it failed.
    pub detail: String,
    /// Gate answers it last gave.
    pub answers: Vec<(String, String)>,
    /// Digests it was ever done with; guards steps that must happen once.
    pub ever_done: Vec<Digest>,
}

/// What is known of the last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunHistory {
    /// Id.
    pub id: String,
    /// Plan hash.
    pub plan: Digest,
    /// Site.
    pub site: SiteName,
    /// Steps in its plan.
    pub steps: usize,
    /// Who ran it.
    pub owner: String,
    /// Whether it was a rehearsal.
    pub rehearsal: bool,
    /// First record.
    pub started: Timestamp,
    /// Last record.
    pub updated: Timestamp,
    /// How it ended; none while it runs or when it was interrupted.
    pub outcome: Option<Outcome>,
}

/// The folded journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Last run.
    pub run: Option<RunHistory>,
    /// Steps ever recorded.
    pub steps: HashMap<StepId, StepHistory>,
}

impl History {
    /// Steps whose effect began and did not end, sorted by id.
    #[must_use]
    pub fn in_flight(&self) -> Vec<&StepId> {
        let open = |step: &StepHistory| matches!(step.standing, Standing::Intended { .. });
        let mut ids: Vec<&StepId> = self.steps.iter().filter(|(_, step)| open(step)).map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether the step was ever done with this digest.
    #[must_use]
    pub fn ever_done(&self, step: &StepId, digest: &Digest) -> bool {
        self.steps.get(step).is_some_and(|s| s.ever_done.contains(digest))
    }

    /// Checks that the records can follow, and gives what they change. Takes nothing in yet: the caller makes them durable
    /// first, then calls [`History::take`].
    ///
    /// # Errors
    /// The first record that cannot follow. With its index.
    pub fn advance(&self, records: &[Record]) -> Result<Advance, (usize, Impossible)> {
        let mut advance = Advance { run: self.run.clone(), steps: HashMap::new() };
        for (index, record) in records.iter().enumerate() {
            self.admit(&mut advance, record).map_err(|error| (index, error))?;
        }
        Ok(advance)
    }

    /// Takes in what [`History::advance`] allowed.
    pub fn take(&mut self, advance: Advance) {
        self.run = advance.run;
        self.steps.extend(advance.steps);
    }

    fn admit(&self, advance: &mut Advance, record: &Record) -> Result<(), Impossible> {
        if let Fact::RunStarted { .. } = record.fact {
            return advance.start(record);
        }
        let run = advance.run_of(record)?;
        run.updated = record.at;
        match &record.fact {
            Fact::RunStopped { .. } => run.outcome = Some(Outcome::Stopped),
            Fact::RunFinished { outcome, .. } => run.outcome = Some(*outcome),
            fact => {
                if let Some((step, digest)) = fact.step() {
                    let before = advance.steps.get(step).or_else(|| self.steps.get(step));
                    let after = follow(before, record, step, digest)?;
                    advance.steps.insert(step.clone(), after);
                }
            }
        }
        Ok(())
    }
}

/// What some records change.
#[derive(Clone, Debug)]
pub struct Advance {
    run: Option<RunHistory>,
    steps: HashMap<StepId, StepHistory>,
}

impl Advance {
    fn start(&mut self, record: &Record) -> Result<(), Impossible> {
        let Fact::RunStarted { plan, site, steps, owner, rehearsal, .. } = &record.fact else { return Ok(()) };
        if self.run.as_ref().is_some_and(|run| run.id == record.run) {
            return Err(refuse(record, &record.run, "the run has started already"));
        }
        self.run = Some(RunHistory {
            id: record.run.clone(),
            plan: plan.clone(),
            site: site.clone(),
            steps: *steps,
            owner: owner.clone(),
            rehearsal: *rehearsal,
            started: record.at,
            updated: record.at,
            outcome: None,
        });
        Ok(())
    }

    fn run_of(&mut self, record: &Record) -> Result<&mut RunHistory, Impossible> {
        match &mut self.run {
            None => Err(refuse(record, &record.run, "no run has started")),
            Some(run) if run.id != record.run => Err(refuse(record, &record.run, "another run has started since")),
            Some(run) if run.outcome.is_some() => Err(refuse(record, &record.run, "the run has ended")),
            Some(run) => Ok(run),
        }
    }
}

fn refuse(record: &Record, subject: &str, rule: &'static str) -> Impossible {
    Impossible { kind: record.fact.kind(), subject: subject.to_owned(), rule }
}

/// The table: what may follow what, for one step. Records of earlier runs bind nothing but the memory of what was done.
fn follow(
    before: Option<&StepHistory>,
    record: &Record,
    step: &StepId,
    digest: &Digest,
) -> Result<StepHistory, Impossible> {
    let now = before.filter(|b| b.run == record.run).map(|b| b.standing);
    let no = |rule| Err(refuse(record, step.as_str(), rule));
    let standing = match (&record.fact, now) {
        (_, Some(Standing::Done { .. } | Standing::Failed | Standing::Skipped)) => {
            return no("the step has ended in this run");
        }
        (Fact::StepIntent { attempt: 1, .. }, None) => Standing::Intended { attempt: 1 },
        (Fact::StepIntent { attempt, .. }, Some(Standing::Intended { attempt: last })) if *attempt == last + 1 => {
            Standing::Intended { attempt: *attempt }
        }
        (Fact::StepIntent { .. }, _) => return no("attempts count from 1, one by one"),
        (Fact::StepDone { changed: true, .. }, None) => return no("nothing was intended in this run"),
        (Fact::StepDone { changed: false, .. }, Some(Standing::Intended { .. })) => {
            return no("an effect was intended in this run");
        }
        (Fact::StepDone { changed, .. }, _) => Standing::Done { changed: *changed },
        (Fact::StepSkipped { .. }, Some(Standing::Intended { .. })) => return no("an effect was intended in this run"),
        (Fact::StepSkipped { .. }, _) => Standing::Skipped,
        _ => Standing::Failed,
    };
    let mut ever_done = before.map(|b| b.ever_done.clone()).unwrap_or_default();
    let mut answers = before.map(|b| b.answers.clone()).unwrap_or_default();
    if let Fact::StepDone { answers: given, .. } = &record.fact {
        answers.clone_from(given);
        if !ever_done.contains(digest) {
            ever_done.push(digest.clone());
        }
    }
    let detail = record.fact.detail().to_owned();
    Ok(StepHistory { digest: digest.clone(), standing, run: record.run.clone(), detail, answers, ever_done })
}
