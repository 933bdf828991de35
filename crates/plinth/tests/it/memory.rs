//! `plinth plan` remembers what was done from the journal alone.

use crate::support::{BcmSite, text};
use plinth_model::{Digest, Plan, Step};
use plinth_run::Journal;
use plinth_run::journal::{Fact, Record};
use serde_json::Value;

/// A run in which the step was found done with this digest.
fn run(id: &str, plan: &Plan, step: &Step, digest: Digest) -> [Record; 2] {
    let started = Fact::RunStarted {
        plan: plan.hash.clone(),
        site: plan.site.clone(),
        steps: 1,
        owner: "me@here".to_owned(),
        rehearsal: false,
        took_over: None,
    };
    let (detail, answers) = (String::new(), Vec::new());
    let done = Fact::StepDone { step: step.id.clone(), digest, changed: false, detail, answers };
    [started, done].map(|fact| Record { run: id.to_owned(), at: jiff::Timestamp::UNIX_EPOCH, fact })
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
        let mut journal = Journal::open(&state).unwrap();
        journal.append(&run(&format!("run-{number}"), &plan, step, digest)).unwrap();
        drop(journal);
        assert_eq!(change(&planned()), wanted, "after run {number}");
    }
}
