//! `plinth plan` remembers what was done from the journal alone.

use crate::support::{BcmSite, text};
use plinth_model::run::{RunHead, StepEnd};
use plinth_model::{Digest, Event, EventBody, Plan, Step, StepState};
use plinth_run::{Journal, LockOwner};
use plinth_world::{Clock, SystemClock};
use serde_json::Value;
use std::sync::Arc;

/// A run in which the step was found done with this digest.
fn run(id: &str, plan: &Plan, step: &Step, digest: Digest) -> [Event; 2] {
    let head = RunHead::new(id, plan.hash.clone(), plan.site.clone());
    let done =
        StepEnd { digest: Some(digest), ..StepEnd::new(step.id.clone(), step.work.stage(), StepState::Unchanged) };
    let one = |(seq, body)| Event { seq, after: Some(seq - 1), at: jiff::Timestamp::UNIX_EPOCH, body };
    [(1, EventBody::RunStarted(head)), (2, done.into())].map(one)
}

#[test]
fn what_was_done_otherwise_since_is_done_again() {
    let site = BcmSite::basepod(|s| s);
    let state = site.folder.path().join("state");
    let planned = || site.plinth(&["plan", "--json", "--state", text(&state)]).exits(0).json();
    let plan: Plan = serde_json::from_value(planned()).unwrap();
    let step = plan.steps.iter().find(|step| step.id.as_str() == "nodes/connect/dgx-05").unwrap();
    let change = |plan: &Value| {
        let steps = plan["steps"].as_array().unwrap();
        steps.iter().find(|s| s["id"] == step.id.as_str()).unwrap()["change"]["change"].clone()
    };
    let wanted = ["none", "apply", "none"];
    let digests = [step.digest(), Digest::of("another address"), step.digest()];
    for (number, (digest, wanted)) in digests.into_iter().zip(wanted).enumerate() {
        let (id, clock): (_, Arc<dyn Clock>) = (format!("run-{number}"), Arc::new(SystemClock::new()));
        let mut journal = Journal::open(&state).unwrap().lock(&LockOwner::current(), &id, &clock).unwrap();
        journal.append(&run(&id, &plan, step, digest)).unwrap();
        drop(journal);
        assert_eq!(change(&planned()), wanted, "after run {number}");
    }
}
