//! The critical path as text.

use super::{Look, short};
use crate::style::Sign;
use plinth_analysis::{CriticalPath, Replay};
use plinth_model::run::HeldBy;
use plinth_model::span::span;
use plinth_model::{RunView, amount};

/// Seconds of waiting below which it is not worth a word.
const NOTICED_S: f64 = 1.0;

/// The path, first step first, with how each stands in this view and what it waited for.
#[must_use]
pub fn critical_path(path: &CriticalPath, view: &RunView, look: Look) -> String {
    if path.steps.is_empty() {
        return "no step has begun".to_owned();
    }
    let mut lines = vec![summary(path)];
    for step in &path.steps {
        let sign = look.palette.painted(Sign::of(view.state_of(&step.step)));
        let queued = (step.queued_s >= NOTICED_S).then(|| {
            let held = step.held_by.as_ref().map_or_else(String::new, |held| match held {
                HeldBy::Lane { lane } => format!(" for {}", short(lane)),
                HeldBy::Slot { slots } => format!(" for one of {slots} slots"),
                other => format!(" for {}", other.word()),
            });
            format!(", after waiting {}{held}", span(step.queued_s))
        });
        lines.push(format!("  {sign} {}  {}{}", step.step, span(step.worked_s), queued.unwrap_or_default()));
    }
    look.fitted(&lines)
}

/// What a wait for a lane is for people.
pub const LANE: &str = "waiting for a busy node or play";

/// `critical path: 12 steps, 28 min: 24 min of work, 3 min waiting for a slot, 1 min waiting for a busy node or play`.
pub(super) fn summary(path: &CriticalPath) -> String {
    let mut parts = vec![format!("{} of work", span(path.worked_s))];
    let waits = [(path.slot_s, "waiting for a slot"), (path.lane_s, LANE), (path.other_s, "of neither")];
    parts.extend(waits.iter().filter(|(s, _)| *s >= NOTICED_S).map(|(s, word)| format!("{} {word}", span(*s))));
    format!("critical path: {}, {}: {}", amount(path.steps.len(), "step"), span(path.total_s), parts.join(", "))
}

/// What another number of steps at once would have made of it.
#[must_use]
pub fn what_if(replay: &Replay) -> String {
    let gain = replay.recorded_s - replay.seconds;
    let took = span(replay.recorded_s);
    let change = match gain {
        gain if gain >= NOTICED_S => format!("{} less than {took}", span(gain)),
        gain if gain <= -NOTICED_S => format!("{} more than {took}", span(-gain)),
        _ => "as long as it took".to_owned(),
    };
    let left = match replay.left_out {
        0 => String::new(),
        count => format!("; {} that did not run are left out", amount(count, "step")),
    };
    format!(
        "with {} at once it would have taken {} ({change}){left}",
        amount(replay.parallel, "step"),
        span(replay.seconds)
    )
}
