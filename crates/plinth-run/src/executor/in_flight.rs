//! One thing in flight for one step: a look, an effect, or a wait between two of them.

use super::emitter::EventEmitter;
use super::options::RunWorld;
use crate::behaviour::{Probe, Probed, StepEnv};
use futures::future::{BoxFuture, Either, FutureExt as _, select};
use plinth_model::Step;
use plinth_model::run::CommandFailure;
use plinth_world::given_up::GivenUp;
use plinth_world::{ClientError, Clock, FailedOn};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;

/// What to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spawn {
    /// Look.
    Probe,
    /// Take effect.
    Act,
    /// Wait, then look again.
    Wait(Duration),
}

impl Spawn {
    const fn name(self) -> &'static str {
        match self {
            Spawn::Probe => "probe",
            Spawn::Act => "act",
            Spawn::Wait(_) => "wait",
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The look ended.
    Probed(Result<Probed, ClientError>),
    /// The effect ended.
    Acted(Result<String, ClientError>),
    /// The wait ended.
    Waited,
    /// The deadline passed first; whatever ran was dropped. The program that it waited for, as far as it is known.
    Late(Option<Box<CommandFailure>>),
}

/// What came back, and for which step.
pub(crate) struct Arrival {
    /// Index of the step.
    pub(crate) index: usize,
    /// What.
    pub(crate) message: Message,
}

/// Begins something. The future owns nothing but its environment, so dropping it cancels.
pub(crate) fn begin<'a>(
    (index, step): (usize, &'a Step),
    spawn: Spawn,
    world: &'a RunWorld,
    emitter: &Arc<EventEmitter>,
) -> BoxFuture<'a, Arrival> {
    let env = StepEnv { ctx: emitter.context(&step.id), ..world.env.clone() };
    let emitter = Arc::clone(emitter);
    let deadline = Duration::from_secs(u64::from(step.work.deadline_s()));
    async move {
        let clock = Arc::clone(env.ctx.clock());
        let message = match spawn {
            Spawn::Probe => within(&*clock, deadline, world.behaviour.probe(step, &env))
                .await
                .map_or_else(Message::Late, Message::Probed),
            Spawn::Act => within(&*clock, deadline, world.behaviour.act(step, &env))
                .await
                .map_or_else(Message::Late, Message::Acted),
            Spawn::Wait(duration) => {
                clock.sleep(duration).await;
                Message::Waited
            }
        };
        let message = message.without_secrets(&emitter);
        message.log();
        Arrival { index, message }
    }
    .instrument(tracing::info_span!("step", id = %step.id, doing = spawn.name()))
    .boxed()
}

/// The result; or, when the deadline passed first, the program that was waited for, as far as it is known.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    deadline: Duration,
    future: impl Future<Output = T>,
) -> Result<T, Option<Box<CommandFailure>>> {
    let given_up = GivenUp::default();
    match select(Box::pin(given_up.watching(future)), clock.sleep(deadline)).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(((), future)) => Err(given_up.drop_of(future).map(Box::new)),
    }
}

impl Message {
    /// Into the log, in the span of the step. Looks that found nothing to do are many, and told only when asked for.
    fn log(&self) {
        match self {
            Message::Probed(Ok(Probed { probe: Probe::Done(detail), .. })) => tracing::debug!(detail, "unchanged"),
            Message::Probed(Ok(Probed { probe: Probe::Todo(differences), .. })) => {
                tracing::info!(?differences, "differs")
            }
            Message::Probed(Ok(Probed { probe: Probe::Blocked(finding), .. })) => {
                tracing::warn!(code = %finding.code, finding.message, "blocked");
            }
            Message::Acted(Ok(said)) => tracing::info!(said, "acted"),
            Message::Probed(Err(error)) | Message::Acted(Err(error)) => tracing::warn!(%error, "failed"),
            Message::Waited => tracing::debug!("waited"),
            Message::Late(program) => tracing::warn!(?program, "the deadline passed"),
        }
    }

    /// The second wall: clients keep secrets out of what they say, this replaces those that slipped through.
    fn without_secrets(self, emitter: &EventEmitter) -> Self {
        match self {
            Message::Probed(Ok(Probed { probe, notes, facts, answers, again })) => {
                let notes = notes.into_iter().map(|note| emitter.finding(note)).collect();
                let facts =
                    facts.into_iter().map(|(name, value)| (emitter.text(&name), emitter.text(&value))).collect();
                Message::Probed(Ok(Probed { probe: clean_probe(probe, emitter), notes, facts, answers, again }))
            }
            Message::Probed(Err(error)) => Message::Probed(Err(clean_error(error, emitter))),
            Message::Acted(result) => {
                Message::Acted(result.map(|said| emitter.text(&said)).map_err(|error| clean_error(error, emitter)))
            }
            Message::Late(program) => Message::Late(program.map(|program| Box::new(emitter.failure(*program)))),
            Message::Waited => self,
        }
    }
}

fn clean_probe(probe: Probe, emitter: &EventEmitter) -> Probe {
    match probe {
        Probe::Done(detail) => Probe::Done(emitter.text(&detail)),
        Probe::Todo(diff) => Probe::Todo(emitter.lines(&diff)),
        Probe::Blocked(finding) => Probe::Blocked(Box::new(emitter.finding(*finding))),
    }
}

fn clean_error(error: ClientError, emitter: &EventEmitter) -> ClientError {
    ClientError {
        doing: emitter.text(&error.doing),
        happened: emitter.text(&error.happened),
        attempt: emitter.text(&error.attempt),
        finding: error.finding.map(|finding| Box::new(emitter.finding(*finding))),
        failed_on: error.failed_on.map(|on| {
            let FailedOn { program, nodes } = *on;
            Box::new(FailedOn { program: program.map(|program| emitter.failure(program)), nodes })
        }),
        ..error
    }
}
