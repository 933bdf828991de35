//! Events in order: copies are dropped, what came too early waits, and what never came is said.

use super::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Events that wait for one in front of them before it is given up.
pub const WINDOW: usize = 64;

/// Events that never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// `seq` of the last event before the gap.
    pub after: u64,
    /// `seq` of the last event that is missing.
    pub until: u64,
}

/// How far a stream was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    /// `seq` of the last event read that a reader must have.
    pub(super) seq: u64,
    /// What never came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) gaps: Vec<Gap>,
    /// What came too early.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    held: BTreeMap<u64, Event>,
}

/// What to do with an event that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It was read before, or its moment is over.
    Known,
    /// Take it now.
    Now,
    /// Something in front of it is missing.
    Early,
}

impl Order {
    pub(super) fn place(&self, event: &Event) -> Place {
        if !event.body.may_be_missed() && event.seq <= self.seq {
            return Place::Known;
        }
        if event.follows() <= self.seq { Place::Now } else { Place::Early }
    }

    /// The event was taken in.
    pub(super) fn read(&mut self, event: &Event) {
        if !event.body.may_be_missed() {
            self.seq = self.seq.max(event.seq);
        }
    }

    /// Keeps an event that came too early. Answers the first of those that wait when there are too many: what is in front of it
    /// is given up.
    pub(super) fn hold(&mut self, event: &Event) -> Option<Event> {
        self.held.entry(event.seq).or_insert_with(|| event.clone());
        if self.held.len() > WINDOW { self.give_up() } else { None }
    }

    /// The next event that waits no longer.
    pub(super) fn ready(&mut self) -> Option<Event> {
        let first = self.held.first_entry()?;
        (first.get().follows() <= self.seq).then(|| first.remove())
    }

    /// Gives up what is in front of the first event that waits, and answers it.
    pub(super) fn give_up(&mut self) -> Option<Event> {
        let (_, first) = self.held.pop_first()?;
        let until = first.follows();
        if until > self.seq {
            self.gaps.push(Gap { after: self.seq, until });
            self.seq = until;
        }
        Some(first)
    }
}
