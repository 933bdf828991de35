//! How a step is looked at and carried out: probe, act, probe again. The behaviours themselves are in `steps`.

use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::{Finding, Step};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, Clients, Context};
use std::sync::Arc;

/// Everything a behaviour may use.
#[derive(Clone)]
pub struct StepEnv {
    /// Context of the calls: clock, progress.
    pub ctx: Context,
    /// Clients.
    pub clients: Clients,
    /// Secrets.
    pub secrets: Arc<dyn Secrets>,
}

/// What looking at a step tells.
#[derive(Clone, Debug)]
pub enum Probe {
    /// It is so; one line for people about what was found.
    Done(String),
    /// It is not yet so; the differences, one line each. The step may act.
    Todo(Vec<String>),
    /// It is not so, and acting would be wrong: a clash, a changed host key, a node too small.
    Blocked(Box<Finding>),
}

/// A probe, with the gates it answers.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What was seen.
    pub probe: Probe,
    /// Gates, with their answers.
    pub answers: Vec<(GateId, GateAnswer)>,
}

impl From<Probe> for Probed {
    fn from(probe: Probe) -> Self {
        Self { probe, answers: Vec::new() }
    }
}

/// Looks, acts. Implemented once, by `steps::Kinds`, which finds the behaviour by kind; a trait so that the executor can be
/// tested with scripted behaviours.
#[async_trait::async_trait]
pub trait Behaviour: Send + Sync {
    /// Looks. Changes nothing.
    async fn probe(&self, step: &Step, env: &StepEnv) -> Result<Probed, ClientError>;
    /// Makes it so; answers one line for people about what was done. The caller probes again afterwards.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError>;
}
