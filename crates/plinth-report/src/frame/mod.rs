//! A run on a terminal, as lines: stages, what failed by cause, what the run waits for, what runs, the tally, the time left.
//!
//! [`frame`] is a pure function of what is known and of the room there is: the live view, `plinth status` and `plinth status --watch` draw
//! the same lines, and a golden file can hold them. Nothing in a frame is foreign text that was not cleaned.

mod blocks;
mod budget;
mod line;
#[cfg(test)]
mod tests;

pub use budget::Size;
pub use line::{Ink, Line};

use crate::style::Palette;
use budget::{Shares, Wanted};
use plinth_analysis::FailureGroup;
use plinth_model::RunView;

/// What a frame shows.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The run.
    pub view: &'a RunView,
    /// What failed, by cause.
    pub groups: &'a [FailureGroup],
    /// What the run waits for, and since when ([`crate::runs::sentence`]).
    pub waits: Option<&'a str>,
    /// Seconds since the run began: event time, that goes on between the events of a run that is not virtual.
    pub now_s: f64,
    /// How long it will still take, in words; none where nobody can say.
    pub left: Option<&'a str>,
    /// Whether the head is wanted: a caller may have said it.
    pub head: bool,
    /// The link of the page that is served beside the run. One that has not the room for all of it is left out: half of it leads nowhere.
    pub page: Option<&'a str>,
}

/// The lines of a run: never more than there is room for, none wider than the terminal. What has no room is counted.
#[must_use]
pub fn frame(scene: &Scene<'_>, size: Size, palette: Palette) -> Vec<Line> {
    let stages = blocks::stages(scene.view);
    let at = blocks::Drawn { scene, columns: size.columns, palette };
    let (sentence, foot, page) = (at.sentence(), at.foot(), at.page());
    let wanted = Wanted {
        head: usize::from(scene.head && scene.view.run.is_some()),
        at_work: stages.iter().filter(|(_, stage)| blocks::is_at_work(stage)).count(),
        stages: stages.len(),
        sentence: sentence.len(),
        running: scene.view.running.len(),
        failed: scene.groups.len(),
        page: usize::from(page.is_some()),
        foot: foot.len() - 1,
    };
    let shares = Shares::of(size, wanted);
    let mut lines = Vec::new();
    lines.extend(at.head().filter(|_| shares.head > 0));
    lines.extend(at.stages(&stages, shares.stages));
    lines.extend(at.failed(shares.failed));
    lines.extend(at.told(sentence, shares.sentence));
    lines.extend(at.running(shares.running));
    lines.extend(at.told(foot, shares.foot + 1));
    lines.extend(page.filter(|_| shares.page > 0));
    lines.into_iter().map(|line| line.fitted(size.columns, palette)).collect()
}
