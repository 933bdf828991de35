//! One thing in flight for one step: a look, an effect, or a wait between two of them.

use super::announcer::Announcer;
use super::options::RunWorld;
use crate::behaviour::{Probe, Probed, StepEnv};
use futures::future::{BoxFuture, Either, FutureExt as _, select};
use plinth_model::Step;
use plinth_world::{ClientError, Clock};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;

/// What to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Launch {
    /// Look.
    Probe,
    /// Take effect.
    Act,
    /// Wait, then look again.
    Wait(Duration),
}

impl Launch {
    const fn name(self) -> &'static str {
        match self {
            Launch::Probe => "probe",
            Launch::Act => "act",
            Launch::Wait(_) => "wait",
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    /// The look ended.
    Probed(Result<Probed, ClientError>),
    /// The effect ended.
    Acted(Result<String, ClientError>),
    /// The wait ended.
    Waited,
    /// The deadline passed first; whatever ran was dropped.
    Late,
}

/// What came back, and for which step.
pub(crate) struct Arrival {
    /// Index of the step.
    pub(crate) index: usize,
    /// What.
    pub(crate) heard: Heard,
}

/// Begins something. The future owns nothing but its environment, so dropping it cancels.
pub(crate) fn begin<'a>(
    (index, step): (usize, &'a Step),
    launch: Launch,
    world: &'a RunWorld,
    announcer: &Arc<Announcer>,
) -> BoxFuture<'a, Arrival> {
    let env = StepEnv { ctx: announcer.context(&step.id), ..world.env.clone() };
    let announcer = Arc::clone(announcer);
    let deadline = Duration::from_secs(u64::from(step.deadline_s));
    async move {
        let clock = Arc::clone(env.ctx.clock());
        let heard = match launch {
            Launch::Probe => {
                within(&*clock, deadline, world.behaviour.probe(step, &env)).await.map_or(Heard::Late, Heard::Probed)
            }
            Launch::Act => {
                within(&*clock, deadline, world.behaviour.act(step, &env)).await.map_or(Heard::Late, Heard::Acted)
            }
            Launch::Wait(duration) => {
                clock.sleep(duration).await;
                Heard::Waited
            }
        };
        let heard = heard.without_secrets(&announcer);
        heard.log();
        Arrival { index, heard }
    }
    .instrument(tracing::info_span!("step", id = %step.id, doing = launch.name()))
    .boxed()
}

/// The result, or none when the deadline passed first.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    deadline: Duration,
    future: impl Future<Output = T> + Unpin,
) -> Option<T> {
    match select(future, clock.sleep(deadline)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

impl Heard {
    /// Into the log, in the span of the step. Looks that found nothing to do are many, and told only when asked for.
    fn log(&self) {
        match self {
            Heard::Probed(Ok(Probed { probe: Probe::Done(detail), .. })) => tracing::debug!(detail, "unchanged"),
            Heard::Probed(Ok(Probed { probe: Probe::Todo(differences), .. })) => {
                tracing::info!(?differences, "differs")
            }
            Heard::Probed(Ok(Probed { probe: Probe::Blocked(finding), .. })) => {
                tracing::warn!(code = %finding.code, finding.message, "blocked");
            }
            Heard::Acted(Ok(said)) => tracing::info!(said, "acted"),
            Heard::Probed(Err(error)) | Heard::Acted(Err(error)) => tracing::warn!(%error, "failed"),
            Heard::Waited => tracing::debug!("waited"),
            Heard::Late => tracing::warn!("the deadline passed"),
        }
    }

    /// The second wall: clients keep secrets out of what they say, this replaces those that slipped through.
    fn without_secrets(self, announcer: &Announcer) -> Self {
        match self {
            Heard::Probed(Ok(Probed { probe, answers })) => {
                Heard::Probed(Ok(Probed { probe: clean_probe(probe, announcer), answers }))
            }
            Heard::Probed(Err(error)) => Heard::Probed(Err(clean_error(error, announcer))),
            Heard::Acted(result) => {
                Heard::Acted(result.map(|said| announcer.text(&said)).map_err(|error| clean_error(error, announcer)))
            }
            Heard::Waited | Heard::Late => self,
        }
    }
}

fn clean_probe(probe: Probe, announcer: &Announcer) -> Probe {
    match probe {
        Probe::Done(detail) => Probe::Done(announcer.text(&detail)),
        Probe::Todo(diff) => Probe::Todo(announcer.lines(&diff)),
        Probe::Blocked(finding) => Probe::Blocked(Box::new(announcer.finding(*finding))),
    }
}

fn clean_error(error: ClientError, announcer: &Announcer) -> ClientError {
    ClientError {
        doing: announcer.text(&error.doing),
        happened: announcer.text(&error.happened),
        attempt: announcer.text(&error.attempt),
        finding: error.finding.map(|finding| Box::new(announcer.finding(*finding))),
        ..error
    }
}
