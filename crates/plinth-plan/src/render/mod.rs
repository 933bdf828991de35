//! A plan for people, for graph tools, and for scripts. What is shown is the plan itself: no second list of sentences.

mod dot;
mod fold;
mod hand_over;
mod json;
mod sign;
mod text;
mod wrap;

pub use dot::dot;
pub use hand_over::{helm_values, manifests};
pub use json::{json, step_json};
pub use text::{Look, text};

use sign::sign;
