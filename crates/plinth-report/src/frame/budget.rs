//! How many lines each block of a frame gets: neither what failed nor what runs can push the other out.

/// Fewest lines of a frame that is drawn below what scrolls, where the terminal has so many.
const LEAST: usize = 8;

/// With so many lines there is always one for the head.
const ROOMY: usize = 16;

/// The room for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: usize,
    /// Rows of the terminal: failures take a quarter of them at most, what runs a third.
    pub rows: usize,
    /// Lines of the frame at most.
    pub most: usize,
}

impl Size {
    /// Below what scrolls, on a terminal of this size: half of it, or eight lines where it is small, and never all of it.
    #[must_use]
    pub fn below(columns: usize, rows: usize) -> Self {
        Self { columns, rows, most: (rows / 2).max(LEAST).min(rows.saturating_sub(1)).max(1) }
    }

    /// With so many lines of a terminal.
    #[must_use]
    pub fn of_lines(columns: usize, rows: usize, most: usize) -> Self {
        Self { columns, rows, most: most.max(1) }
    }

    /// As long and as wide as it gets: into a file or a pipe.
    #[must_use]
    pub fn endless(columns: Option<usize>) -> Self {
        Self { columns: columns.unwrap_or(usize::MAX), rows: usize::MAX, most: usize::MAX }
    }
}

/// Lines that the blocks would fill.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub(super) head: usize,
    /// Stages that something happens in, and all of them.
    pub(super) at_work: usize,
    pub(super) stages: usize,
    /// Lines of the sentence, broken where the terminal ends.
    pub(super) sentence: usize,
    pub(super) running: usize,
    pub(super) failed: usize,
    pub(super) page: usize,
    /// Lines of the foot beside its first.
    pub(super) foot: usize,
}

/// Lines that the blocks get. One more is the foot's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) head: usize,
    pub(super) stages: usize,
    pub(super) sentence: usize,
    pub(super) running: usize,
    pub(super) failed: usize,
    pub(super) page: usize,
    pub(super) foot: usize,
}

impl Shares {
    /// Each block gets one line first, in the order of weight; then stages that are at work, failures and what runs in turn, and last the
    /// other stages and the head.
    pub(super) fn of(size: Size, wanted: Wanted) -> Self {
        let mut left = size.most.saturating_sub(1);
        let mut share = Self::default();
        let failed = wanted.failed.min((size.rows / 4).max(1));
        let running = wanted.running.min((size.rows / 3).max(1));
        grow(&mut share.running, running.min(1), &mut left);
        grow(&mut share.failed, failed.min(1), &mut left);
        grow(&mut share.sentence, wanted.sentence.min(1), &mut left);
        grow(&mut share.stages, wanted.at_work.min(size.most / 4), &mut left);
        grow(&mut share.page, wanted.page, &mut left);
        if size.most >= ROOMY {
            grow(&mut share.head, wanted.head, &mut left);
        }
        // What is cut off of these is what somebody looks for: until when, and why not.
        grow(&mut share.foot, wanted.foot, &mut left);
        grow(&mut share.sentence, wanted.sentence, &mut left);
        while left > 0 && (share.running < running || share.failed < failed) {
            let (one, another) = (share.running + 1, share.failed + 1);
            grow(&mut share.running, running.min(one), &mut left);
            grow(&mut share.failed, failed.min(another), &mut left);
        }
        grow(&mut share.stages, wanted.at_work, &mut left);
        if wanted.stages.saturating_sub(share.stages) <= left {
            grow(&mut share.stages, wanted.stages, &mut left);
        }
        grow(&mut share.head, wanted.head, &mut left);
        share
    }
}

fn grow(share: &mut usize, wanted: usize, left: &mut usize) {
    let more = wanted.saturating_sub(*share).min(*left);
    *share += more;
    *left -= more;
}
