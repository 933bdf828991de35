//! What a run that was asked to stop still waits for, and until when.

use super::in_flight::Spawn;
use plinth_model::{Step, StepId, amount, span};
use plinth_world::Clock;
use std::time::Duration;

/// Steps that are named; of more, those that may take longest.
const NAMED: usize = 3;

/// When something in flight is given up at the latest, by the clock that began it. Behind an effect that is late comes a look with a
/// deadline of its own. Not counted: a look that fails in passing and is repeated.
pub(super) fn limit(step: &Step, spawn: Spawn, now: Duration) -> Duration {
    let attempt = Duration::from_secs(u64::from(step.work.deadline_s()));
    match spawn {
        Spawn::Probe => now + attempt,
        Spawn::Act => now + attempt * 2,
        Spawn::Wait(pause) => now + pause + attempt,
    }
}

/// The sentence for people: each step with the moment at which its attempt is given up, and what a second signal does.
pub(super) fn sentence(mut steps: Vec<(&StepId, Duration)>, clock: &dyn Clock) -> String {
    steps.sort_by(|(a, first), (b, second)| second.cmp(first).then_with(|| a.cmp(b)));
    let again = "Ctrl-C again (or a second SIGTERM) stops now: they are cut off, and the next run looks at them first";
    if steps.is_empty() {
        return "stopping: nothing is running".to_owned();
    }
    let one = |(id, until): &(&StepId, Duration)| {
        let left = until.saturating_sub(clock.elapsed());
        let at = jiff::SignedDuration::try_from(left).ok().and_then(|left| clock.now().checked_add(left).ok());
        let at = at.map_or_else(String::new, |at| format!(" at {at:.0}"));
        format!("{id} (given up{at}, in {}, at the latest)", span::of(Duration::from_secs(left.as_secs())))
    };
    let mut named: Vec<String> = steps.iter().take(NAMED).map(one).collect();
    named.extend((steps.len() > NAMED).then(|| format!("{} more", steps.len() - NAMED)));
    format!("stopping after {} finished: {}. {again}", were(steps.len()), named.join(", "))
}

/// `1 running step has`.
fn were(steps: usize) -> String {
    format!("{} {}", amount(steps, "running step"), if steps == 1 { "has" } else { "have" })
}
