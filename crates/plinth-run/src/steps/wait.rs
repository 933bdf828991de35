//! Waits for something that becomes so by itself.

use super::outcome::refused;
use crate::behaviour::{Probe, Probed, StepEnv};
use plinth_model::{Finding, Step, span};
use plinth_world::kube::{Unwatched, Watch};
use plinth_world::{ClientError, deadlines};
use std::future::Future;
use std::time::Duration;

/// Until when an act may wait: one round before the step's own deadline, so that what was seen last can still be told. Taken
/// when the act begins, since an installation before the wait uses up the same deadline.
pub(super) struct Limit {
    target: String,
    began: Duration,
    allowed: Duration,
}

impl Limit {
    /// The limit of an act of this step that begins now.
    pub(super) fn of(step: &Step, env: &StepEnv) -> Self {
        Self::within(step, env, step.work.deadline_s())
    }

    /// The limit of a part of this step that begins now and has so many seconds.
    pub(super) fn within(step: &Step, env: &StepEnv, seconds: u32) -> Self {
        Self {
            target: step.target().to_owned(),
            began: env.ctx.clock().elapsed(),
            allowed: Duration::from_secs(u64::from(seconds)).saturating_sub(deadlines::POLL),
        }
    }

    /// `waited 1 min 50 s of at most 20 min: Deployment operator: 0/1 ready and 3 more; pod operator-1 pulls image a/b:1`. Of several
    /// differences only the first is named, and that in short; of what they wait for, the two most telling.
    fn sentence(&self, waited: Duration, seen: &[String], waits: &[String]) -> String {
        let mut parts = vec![self.difference(waited, seen)];
        parts.extend(waits.iter().take(2).cloned());
        parts.join("; ")
    }

    fn difference(&self, waited: Duration, seen: &[String]) -> String {
        let most = span::of(self.allowed + deadlines::POLL);
        let time = if waited.is_zero() {
            format!("waits at most {most}")
        } else {
            format!("waited {} of at most {most}", span::of(waited))
        };
        let first = seen.first().map_or("", |line| line.trim_start_matches(['!', '+', '~', '-']).trim_start());
        match seen.len() {
            0 => time,
            1 => format!("{time}: {first}"),
            all => format!("{time}: {} and {} more", first.split(", ").next().unwrap_or(first), all - 1),
        }
    }
}

/// Looks until it is so, or until the limit: soon at first, then ever more rarely, but every [`deadlines::POLL`].
///
/// # Errors
/// As for [`watched`].
pub(super) async fn until<L, F>(
    limit: &Limit,
    env: &StepEnv,
    client: &'static str,
    look: L,
    late: impl Fn(&[String]) -> Finding + Send,
) -> Result<String, ClientError>
where
    L: Fn() -> F + Send,
    F: Future<Output = Result<Probed, ClientError>> + Send,
{
    watched(limit, env, (client, &mut Unwatched), look, late).await
}

/// Looks when something changed, and every [`deadlines::POLL`] as well, until it is so, or until the limit. `late` makes the finding from
/// the differences seen last; what they waited for is added to its evidence. A transient failure to look is one more reason to look again.
///
/// # Errors
/// With that finding; with a permanent failure to look; with something that blocks.
pub(super) async fn watched<L, F>(
    limit: &Limit,
    env: &StepEnv,
    (client, watch): (&'static str, &mut dyn Watch),
    look: L,
    late: impl Fn(&[String]) -> Finding + Send,
) -> Result<String, ClientError>
where
    L: Fn() -> F + Send,
    F: Future<Output = Result<Probed, ClientError>> + Send,
{
    let clock = env.ctx.clock();
    let mut waits = Vec::new();
    loop {
        let seen = match look().await.map(|seen| seen.probe) {
            Ok(Probe::Done(line)) => return Ok(line),
            Ok(Probe::Blocked(finding)) => {
                return Err(refused(client, format!("waiting for {}", limit.target), *finding));
            }
            Ok(Probe::Todo(differences)) => differences,
            Err(error) if error.transient.is_some() => vec![error.to_string()],
            Err(error) => return Err(error),
        };
        let waited = clock.elapsed().saturating_sub(limit.began);
        if waited + deadlines::POLL > limit.allowed {
            let mut finding = late(&seen).evidence(format!("waited {} s", waited.as_secs()));
            finding.evidence.extend(waits);
            return Err(refused(client, format!("waiting for {}", limit.target), finding));
        }
        env.ctx.progress(0, 0, limit.sentence(waited, &seen, &waits));
        waits = watch.changed(&env.ctx, pause(waited)).await;
    }
}

/// A look costs a request or two, so it comes again after a quarter of the time that was waited.
fn pause(waited: Duration) -> Duration {
    (waited / 4).clamp(deadlines::POLL_FIRST, deadlines::POLL)
}

/// How often a wait looks that has so long.
#[cfg(test)]
pub(super) fn looks(deadline: Duration) -> usize {
    let (mut waited, mut looks) = (Duration::ZERO, 1);
    while waited + deadlines::POLL * 2 <= deadline {
        (waited, looks) = (waited + pause(waited), looks + 1);
    }
    looks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_frequent_at_first_and_never_rarer_than_said() {
        let (mut waited, mut looks) = (Duration::ZERO, 0);
        while waited < Duration::from_secs(60) {
            let next = pause(waited);
            assert!(
                next <= deadlines::POLL && next <= deadlines::POLL_FIRST.max(waited / 4),
                "{next:?} after {waited:?}"
            );
            (waited, looks) = (waited + next, looks + 1);
        }
        assert!(looks < 25, "{looks} looks in a minute");
        assert_eq!(pause(Duration::from_secs(600)), deadlines::POLL);
    }

    #[test]
    fn a_wait_says_how_long_and_for_what() {
        let limit = Limit { target: String::new(), began: Duration::ZERO, allowed: Duration::from_secs(1190) };
        let lines = |seen: &[&str]| seen.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let cases = [
            (0, &["! not Ready"][..], "waits at most 20 min: not Ready"),
            (110, &["! Deployment x: 0/1 ready"], "waited 1 min 50 s of at most 20 min: Deployment x: 0/1 ready"),
            (
                20,
                &["! Deployment x: not ready, helm says deployed", "! c", "! d", "! e"],
                "waited 20 s of at most 20 min: Deployment x: not ready and 3 more",
            ),
        ];
        for (seconds, seen, text) in cases {
            assert_eq!(limit.sentence(Duration::from_secs(seconds), &lines(seen), &[]), text);
        }
        let waits = lines(&["hook a: step 2", "pod b pulls image c", "Warning"]);
        let said = limit.sentence(Duration::from_secs(20), &lines(&["! x"]), &waits);
        assert_eq!(said, "waited 20 s of at most 20 min: x; hook a: step 2; pod b pulls image c");
    }
}
