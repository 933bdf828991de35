//! The sign that stands before a step.

use plinth_model::plan::{Change, Step};
use plinth_model::steps::Effect;

/// One sign per change, so that the text makes sense without colour.
pub(crate) fn sign(step: &Step) -> char {
    match step.change {
        Change::Apply { .. } => '+',
        Change::Maybe => '~',
        Change::Check if step.work.properties().effect == Effect::Proves => '*',
        Change::Check => '?',
        Change::None => '=',
        Change::Skip => '-',
    }
}
