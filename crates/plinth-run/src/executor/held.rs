//! Why a step waited, does not run, or failed: told with its events.

use super::queue::Held;
use super::tick::Run;
use plinth_model::run::{HeldBy, OldestWait};
use plinth_model::{EventBody, Step, StepId};

impl Run<'_> {
    /// The first event of a step, with what it waited for.
    pub(super) fn started(&self, index: usize, step: &Step) -> EventBody {
        let (wait, held) = self.queue.held(index);
        let last_need = wait.last_need.and_then(|need| self.plan.steps.get(need)).map(|need| need.id.clone());
        let held_by = self.held_by(index, step, (held, last_need.as_ref()));
        EventBody::StepStarted {
            step: step.id.clone(),
            stage: step.work.stage(),
            node: step.work.node().map(ToString::to_string),
            reason: self.emitter.shared(&step.reason),
            ready_at: wait.ready_at,
            held_by: held_by.map(Box::new),
            last_need,
        }
    }

    fn held_by(&self, index: usize, step: &Step, (held, last_need): (Held, Option<&StepId>)) -> Option<HeldBy> {
        match held {
            Held::Free => None,
            Held::Slot => Some(HeldBy::Slot { slots: self.queue.slots().1 }),
            Held::Lane => Some(HeldBy::Lane { lane: self.graph.lane_name(index)?.to_owned() }),
            Held::Need => {
                let last = last_need?.clone();
                let gate = step.when.as_ref().and_then(|when| self.graph.gate(&when.gate));
                Some(match gate.filter(|gate| gate.opened_by == last) {
                    Some(gate) => HeldBy::Gate { gate: gate.id.clone(), step: last },
                    None => HeldBy::Need { step: last },
                })
            }
        }
    }

    /// Says that the run lives. It is not stored, and may be lost.
    pub(super) fn heartbeat(&self) {
        let ((running, slots), (ready, oldest)) = (self.queue.slots(), self.queue.waiting());
        let oldest_wait =
            oldest.and_then(|(index, since)| Some(OldestWait { step: self.plan.steps.get(index)?.id.clone(), since }));
        self.emitter.say(EventBody::RunHeartbeat { running, ready, slots, oldest_wait });
    }
}
