//! Simulated pods that read a secret: they keep what they had when they began, until they are restarted.

use super::kube::{SimKube, call};
use crate::world::{Effect, State};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use plinth_world::kube::{Behind, KubeRestarts};
use plinth_world::{ClientResult, Context};

/// Until the pods of a restarted workload are ready, seconds.
const READY_AFTER_S: i64 = 20;

#[async_trait]
impl KubeRestarts for SimKube {
    async fn behind(&self, _: &Context, namespace: &str, secret: &str, _: bool) -> ClientResult<Vec<Behind>> {
        self.request(&call(format!("looking who reads secret {namespace}/{secret}"))).await?;
        self.centre.look(|state, now| behind(state, now, namespace, secret))
    }

    async fn restart(&self, _: &Context, namespace: &str, secret: &str, behind: &[Behind]) -> ClientResult<()> {
        self.request(&call(format!("restarting what reads secret {namespace}/{secret}"))).await?;
        if behind.iter().all(|one| one.old.is_empty()) {
            return Ok(());
        }
        let now = self.centre.look(|_, now| now)?;
        let ready_at = now.checked_add(SignedDuration::from_secs(READY_AFTER_S)).unwrap_or(now);
        let (namespace, secret) = (namespace.to_owned(), secret.to_owned());
        self.centre.effect(Effect::ReadersRestarted { namespace, secret, ready_at })
    }
}

/// The one workload of a namespace that reads it, if a release is there.
fn behind(state: &State, now: Timestamp, namespace: &str, secret: &str) -> Vec<Behind> {
    let key = format!("{namespace}/{secret}");
    let Some(reading) = state.cluster.readers.get(&key) else { return Vec::new() };
    let (old, seen) = match reading {
        None => (vec![format!("{secret}-reader")], "1 pod from before the secret was changed"),
        Some(ready_at) if *ready_at > now => (Vec::new(), "0/1 ready"),
        Some(_) => return Vec::new(),
    };
    vec![Behind { kind: "Deployment".to_owned(), name: format!("{secret}-reader"), old, seen: seen.to_owned() }]
}
