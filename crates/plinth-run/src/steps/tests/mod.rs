#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod control_plane;
mod downloads;
mod engines;
mod existing;
mod fakes;
mod gpu_runtime;
mod listing;
mod nodes;
mod once;
mod recovery;
mod removal;
mod removed_components;
mod rollback;
mod rotation;
mod survey;
mod table;
mod tenant;

use super::Kinds;
use crate::behaviour::{Behaviour as _, Probe, Probed, StepEnv};
use fakes::Fake;
use plinth_model::engine::{EngineRecord, KubesprayRecord};
use plinth_model::plan::Change;
use plinth_model::steps::{Credential, NodeTarget, RunaiApi, RunaiTarget};
use plinth_model::{Digest, Finding, NodeName, SecretRef, Step, StepId, Work};
use plinth_world::secrets::MemorySecrets;
use plinth_world::{ClientError, Clock, Context};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Sleeping takes no time, but is counted.
#[derive(Default)]
struct Counted(Mutex<Duration>);

#[async_trait::async_trait]
impl Clock for Counted {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }
    async fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

/// Scripted clients, and a clock.
struct Bench {
    fake: Arc<Fake>,
    clock: Arc<Counted>,
}

impl Bench {
    fn new() -> Self {
        Self { fake: Arc::default(), clock: Arc::default() }
    }

    fn env(&self) -> StepEnv {
        let ctx = Context::quiet(self.clock.clone());
        // No secret is ever needed here: clients resolve them.
        StepEnv::new(ctx, self.fake.clients(), Arc::new(MemorySecrets::default()))
    }

    async fn look(&self, work: &Work) -> Result<Probed, ClientError> {
        let seen = Kinds.probe(&step(work), &self.env()).await;
        self.fake.assert_used_up();
        seen
    }

    async fn act(&self, work: &Work) -> Result<String, ClientError> {
        let said = Kinds.act(&step(work), &self.env()).await;
        self.fake.assert_used_up();
        said
    }
}

/// The record of a site that Kubespray's plays left.
fn recorded(record: KubesprayRecord) -> Option<EngineRecord> {
    Some(EngineRecord::Kubespray(Box::new(record)))
}

fn step(work: &Work) -> Step {
    Step {
        id: StepId::new("area", "verb", "target"),
        work: work.clone(),
        needs: Vec::new(),
        reason: "".into(),
        change: Change::Maybe,
        when: None,
    }
}

/// A plan of these steps, in which nothing else is told.
fn plan_of(steps: Vec<Step>) -> plinth_model::Plan {
    plinth_model::Plan {
        schema: plinth_model::plan::SCHEMA,
        hash: Digest::of("plan"),
        site: plinth_model::SiteName::new("s").unwrap(),
        made_from: plinth_model::plan::MadeFrom {
            site: Digest::of("site"),
            inventory: Digest::of("inventory"),
            catalog: Digest::of("catalog"),
            plinth: "1".to_owned(),
            without: Vec::new(),
        },
        steps,
        gates: Vec::new(),
        findings: Vec::new(),
        expected: None,
    }
}

/// How often a wait looks before the deadline of its kind.
fn looks(work: &Work) -> usize {
    super::wait::looks(std::time::Duration::from_secs(u64::from(work.deadline_s())))
}

#[track_caller]
fn done(seen: Result<Probed, ClientError>) -> String {
    match seen.map(|s| s.probe) {
        Ok(Probe::Done(line)) => line,
        other => panic!("not done: {other:?}"),
    }
}

#[track_caller]
fn todo(seen: Result<Probed, ClientError>) -> Vec<String> {
    match seen.map(|s| s.probe) {
        Ok(Probe::Todo(lines)) => lines,
        other => panic!("not to do: {other:?}"),
    }
}

#[track_caller]
fn blocked(seen: Result<Probed, ClientError>) -> Finding {
    match seen.map(|s| s.probe) {
        Ok(Probe::Blocked(finding)) => {
            assert!(finding.is_error() && !finding.fix.is_empty() && !finding.evidence.is_empty(), "{finding:?}");
            *finding
        }
        other => panic!("not blocked: {other:?}"),
    }
}

#[track_caller]
fn refused(said: Result<String, ClientError>) -> Finding {
    *said.expect_err("must fail").finding.expect("must have a finding")
}

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn target() -> NodeTarget {
    NodeTarget {
        node: node("dgx-05"),
        address: "10.184.162.15".parse().unwrap(),
        port: 22,
        user: "ibm".to_owned(),
        credential: Credential::Agent,
        legacy_keys: false,
        jump: None,
    }
}

fn runai() -> RunaiTarget {
    RunaiTarget {
        url: "https://a.test:30443".to_owned(),
        address: None,
        realm: "runai".to_owned(),
        admin: "admin@example.com".to_owned(),
        password: SecretRef::Env("PASSWORD".to_owned()),
        authority: None,
        cluster: "gpu".to_owned(),
        authority_text: None,
        cluster_url: None,
        version: "2.21.43".parse().unwrap(),
        api: RunaiApi::default(),
    }
}
