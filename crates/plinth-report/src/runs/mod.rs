//! Runs as text: the list, one of them, what waits, the critical path, what differs, the whole story in short.
//!
//! Every line is made of cleaned text and fits the width it is given; without one it is as long as it is.

mod diff;
mod failures;
mod list;
pub mod machine;
mod outlook;
mod path;
mod show;
mod story;
#[cfg(test)]
pub(crate) mod tests;
mod waits;

pub use diff::{diff, diff_groups};
pub use failures::failures;
pub use list::{Listed, list};
pub use outlook::{Outlook, left, of_plan, rehearsal_diff, rehearsal_headline, stop_lines, stop_now, stop_title};
pub use path::{LANE, critical_path, what_if};
pub use show::{Shown, show, steps};
pub use story::{LEAST_BYTES, Story, story};
pub(crate) use waits::{attempt, cause};
pub use waits::{awaited, headed, oldest_wait, reason, sentence, waits};

use crate::style::{Palette, short};
use plinth_model::wrap::further_in;

/// How something is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colours and signs.
    pub palette: Palette,
    /// Columns; none: lines are not broken.
    pub width: Option<usize>,
}

impl Look {
    /// Lines broken where the terminal ends, continued so many columns further in.
    fn fitted(self, lines: &[String]) -> String {
        lines.iter().map(|line| further_in(line, self.width)).collect::<Vec<_>>().join("\n")
    }
}
