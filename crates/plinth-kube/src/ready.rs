//! Whether a refusal is the API server's last word.
//!
//! An API server that has just started listens before it has read roles and kinds: for some seconds it answers 403, 401 or 404 to
//! those who have every right, and lists only a part of its kinds. Its own `/readyz` holds only after that (seen with Kubernetes v1.34:
//! 403 "User kubernetes-admin cannot list nodes" from a server that had started in the same second). Until then `/readyz` itself may be
//! refused, since that is a matter of roles too.
//!
//! What it does not take back: that an object of a kind that it serves is not there. It reads that from etcd, and answers 503 for paths
//! that it does not serve yet (kube-apiserver's handlers for kinds that were added, and for unknown paths, before all are installed).

use crate::api::{Call, KubeApi};
use crate::failure::{Cause, Failure};
use crate::system::readiness;
use async_trait::async_trait;
use plinth_world::kube::{KubeReadiness, Readiness};
use plinth_world::{ClientResult, Context, deadlines};
use std::time::Duration;

/// What the server says of itself at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Ready,
    /// It is not, or says nothing.
    NotReady,
    /// That we may not know.
    Refused,
}

#[async_trait]
impl KubeReadiness for KubeApi {
    async fn readiness(&self, ctx: &Context) -> ClientResult<Readiness> {
        let call = self.call(ctx, "asking the API server whether it is ready").await?;
        Ok(call.readiness(call.patience()).await)
    }
}

impl Call<'_> {
    /// Until when an API server may take to start, if it started now: time of the clock.
    pub(super) fn patience(&self) -> Duration {
        self.ctx().clock().elapsed() + deadlines::KUBE_STARTS
    }

    /// Waits until the API server says that it is ready, and no longer than until then.
    pub(super) async fn readiness(&self, until: Duration) -> Readiness {
        let clock = self.ctx().clock();
        let mut ready = Readiness::Is;
        loop {
            let said = self.says().await;
            if said == Said::Ready {
                return ready;
            }
            if clock.elapsed() + deadlines::KUBE_BACKOFF > until {
                return if said == Said::Refused { Readiness::Untold } else { Readiness::IsNot };
            }
            ready = Readiness::Became;
            self.ctx().progress(0, 0, format!("{} is not ready yet", self.server()));
            clock.sleep(deadlines::KUBE_BACKOFF).await;
        }
    }

    /// Waits until it is ready, for a list that is whole only then.
    pub(super) async fn is_whole(&self) -> ClientResult<()> {
        match self.readiness(self.patience()).await {
            Readiness::IsNot => Err(self.error(Failure::not_ready("its lists of kinds may not be whole"))),
            Readiness::Is | Readiness::Became | Readiness::Untold => Ok(()),
        }
    }

    /// A server that does not know us at all may still say how it is to anybody.
    async fn says(&self) -> Said {
        match self.said_of_itself(readiness(self.client())).await {
            Err(failure) if failure.cause == Cause::Unauthorized => match self.stranger() {
                Some(client) => told(self.said_of_itself(readiness(client)).await),
                None => Said::Refused,
            },
            other => told(other),
        }
    }
}

fn told(answer: Result<Vec<String>, Failure>) -> Said {
    match answer {
        Ok(failing) if failing.is_empty() => Said::Ready,
        Err(failure) if failure.is_refusal() => Said::Refused,
        _ => Said::NotReady,
    }
}
