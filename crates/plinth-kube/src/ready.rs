//! Whether a refusal is the API server's last word.
//!
//! An API server that has just started listens before it has read roles and kinds: for some seconds it answers 403, 401 or 404 to
//! those who have every right. Its own `/readyz` holds only after that (seen with Kubernetes v1.34: 403 "User kubernetes-admin
//! cannot list nodes" from a server that had started in the same second).

use crate::api::Call;
use crate::failure::Cause;
use crate::system::readiness;
use plinth_world::deadlines;

impl Call<'_> {
    /// Waits until the API server says that it is ready, and no longer than [`deadlines::KUBE_STARTS`]: somebody without rights
    /// may be refused this question, too, and then the refusal counts.
    pub(super) async fn becomes_ready(&self) -> bool {
        let clock = self.ctx().clock();
        let began = clock.elapsed();
        loop {
            if self.is_ready().await {
                return true;
            }
            if clock.elapsed().saturating_sub(began) + deadlines::KUBE_BACKOFF > deadlines::KUBE_STARTS {
                return false;
            }
            self.ctx().progress(0, 0, format!("{} is not ready yet", self.server()));
            clock.sleep(deadlines::KUBE_BACKOFF).await;
        }
    }

    /// A server that does not know us at all may still say how it is to anybody.
    async fn is_ready(&self) -> bool {
        match self.once(readiness(self.client())).await {
            Ok(failing) => failing.is_empty(),
            Err(failure) if failure.cause == Cause::Unauthorized => match self.stranger() {
                Some(client) => self.once(readiness(client)).await.is_ok_and(|failing| failing.is_empty()),
                None => false,
            },
            Err(_) => false,
        }
    }
}
