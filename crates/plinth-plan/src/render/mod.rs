//! A plan for people, for graph tools, and for scripts. What is shown is the plan itself: no second list of sentences.

mod dot;
mod fold;
mod hand_over;
mod json;
mod text;
mod wrap;

pub use dot::dot;
pub use hand_over::{helm_values, manifests};
pub use json::{json, step_json};
pub use text::text;

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
