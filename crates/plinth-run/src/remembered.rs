//! A look that is only moments old is not repeated by the run that follows it.

use crate::behaviour::{Behaviour, Probed, StepEnv};
use crate::look::{Done, SeenDone};
use async_trait::async_trait;
use plinth_model::Step;
use plinth_world::{ClientError, deadlines};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Answers the first look at a step with what a look just before the run told, if that was that the step is in the desired state.
///
/// This holds only as long as nothing can have changed: for steps with the same parameters, until the first effect of the run begins,
/// and never longer than [`deadlines::LOOK_HOLDS`]. Look and run must be under one hold of the site's lock. Nothing else is
/// remembered: what is not in the desired state is looked at again before it is touched.
pub struct Remembered {
    inner: Arc<dyn Behaviour>,
    done: Mutex<Done>,
}

impl Remembered {
    /// Stands in front of the behaviours, with [`crate::Look::done`].
    #[must_use]
    pub fn new(inner: Arc<dyn Behaviour>, done: Done) -> Self {
        Self { inner, done: Mutex::new(done) }
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recall(&self, step: &Step, now: Duration) -> Option<Probed> {
        let SeenDone { digest, probed, at } = self.done().remove(&step.id)?;
        let is_recent = now.saturating_sub(at) <= deadlines::LOOK_HOLDS;
        (is_recent && digest == step.digest()).then_some(probed)
    }

    fn forget(&self) {
        let _forgotten: HashMap<_, _> = std::mem::take(&mut *self.done());
    }
}

#[async_trait]
impl Behaviour for Remembered {
    async fn probe(&self, step: &Step, env: &StepEnv) -> Result<Probed, ClientError> {
        match self.recall(step, env.ctx.clock().elapsed()) {
            Some(probed) => Ok(probed),
            None => self.inner.probe(step, env).await,
        }
    }

    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        self.forget();
        self.inner.act(step, env).await
    }
}
