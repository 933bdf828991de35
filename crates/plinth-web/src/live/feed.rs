//! The last patches of a run. A follower is a place in them: slow ones cost nothing, and one that is too late is told so.

use axum::body::Bytes;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Patches that are kept: a minute at four a second.
pub(crate) const KEPT: usize = 240;

/// One patch: it makes what was right at `from` right at `seq`.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    /// The last event in front of it.
    pub(crate) from: u64,
    /// The last event in it.
    pub(crate) seq: u64,
    /// It only says that the page is to be read again.
    pub(crate) reload: bool,
    /// As it is sent.
    pub(crate) frame: Bytes,
}

#[derive(Default)]
struct Ring {
    patches: VecDeque<Patch>,
    /// Number of the next patch; the last one kept is one less.
    next: u64,
    /// No more patches come.
    closed: bool,
}

/// Patches of a run, for any number of followers.
pub(crate) struct Feed {
    ring: Mutex<Ring>,
    moved: watch::Sender<u64>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { ring: Mutex::default(), moved: watch::Sender::new(0) }
    }
}

/// What a follower gets next.
#[derive(Debug)]
pub(crate) enum Next {
    /// These frames; its place is then the number.
    Frames(Vec<Bytes>, u64),
    /// Nothing yet.
    Nothing,
    /// It is too late: it has to read the page again.
    TooLate,
    /// Nothing, and nothing comes any more.
    Over,
}

impl Feed {
    /// A patch for all.
    pub(crate) fn push(&self, patch: Patch) {
        let mut ring = self.ring();
        ring.patches.push_back(patch);
        if ring.patches.len() > KEPT {
            ring.patches.pop_front();
        }
        ring.next += 1;
        self.moved.send_replace(ring.next);
    }

    /// No more patches come.
    pub(crate) fn close(&self) {
        let mut ring = self.ring();
        ring.closed = true;
        self.moved.send_replace(ring.next);
    }

    /// Whether no more patches come.
    pub(crate) fn is_closed(&self) -> bool {
        self.ring().closed
    }

    /// The place of a follower who has seen a page of event `seen`, of a run that is at event `now`. None: what it missed is not here.
    pub(crate) fn place(&self, seen: u64, now: u64) -> Option<u64> {
        let ring = self.ring();
        let first = ring.next - ring.patches.len() as u64;
        // What moves without an event (progress, the death of the runner) has the number of the last one; it may be newer than the page.
        // A reload that was overtaken without an event told of a death that was none: whoever read the page since would read it for ever.
        let overtaken = |at: usize| ring.patches.range(at + 1..).any(|later| later.seq == seen);
        let is_new = |(at, patch): (usize, &Patch)| {
            patch.seq > seen || (patch.seq == seen && patch.from == seen && !(patch.reload && overtaken(at)))
        };
        match ring.patches.iter().enumerate().position(is_new) {
            Some(0) if ring.patches.front().is_some_and(|patch| patch.from > seen) => None,
            Some(at) => Some(first + at as u64),
            None if seen == now => Some(ring.next),
            None => None,
        }
    }

    /// What comes for a follower at this place.
    pub(crate) fn after(&self, place: u64) -> Next {
        let ring = self.ring();
        let first = ring.next - ring.patches.len() as u64;
        if place < first {
            return Next::TooLate;
        }
        let skip = usize::try_from(place - first).unwrap_or(usize::MAX);
        let frames: Vec<Bytes> = ring.patches.iter().skip(skip).map(|patch| patch.frame.clone()).collect();
        match (frames.is_empty(), ring.closed) {
            (false, _) => Next::Frames(frames, ring.next),
            (true, true) => Next::Over,
            (true, false) => Next::Nothing,
        }
    }

    /// Tells when something came.
    pub(crate) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(from: u64, seq: u64) -> Patch {
        Patch { from, seq, reload: false, frame: Bytes::from(format!("{from}-{seq}")) }
    }

    fn texts(next: Next) -> Vec<String> {
        match next {
            Next::Frames(frames, _) => frames.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect(),
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn a_follower_begins_where_its_page_ends() {
        let feed = Feed::default();
        assert_eq!(feed.place(5, 5), Some(0));
        assert_eq!(feed.place(4, 5), None, "what it missed was never a patch");
        feed.push(patch(5, 9));
        feed.push(patch(9, 9));
        feed.push(patch(9, 12));
        assert_eq!(feed.place(4, 12), None);
        assert_eq!(texts(feed.after(feed.place(5, 12).unwrap_or(99))), ["5-9", "9-9", "9-12"]);
        assert_eq!(texts(feed.after(feed.place(7, 12).unwrap_or(99))), ["5-9", "9-9", "9-12"], "inside a patch");
        assert_eq!(
            texts(feed.after(feed.place(9, 12).unwrap_or(99))),
            ["9-9", "9-12"],
            "9-9 may be newer than the page"
        );
        assert_eq!(texts(feed.after(feed.place(12, 12).unwrap_or(99))), ["Nothing"]);
        assert_eq!(feed.place(13, 12), None, "a page of a run that had more: it is another one");
    }

    #[test]
    fn a_death_that_was_none_is_not_told_to_who_comes_later() {
        let feed = Feed::default();
        feed.push(Patch { reload: true, ..patch(5, 5) });
        assert_eq!(texts(feed.after(feed.place(5, 5).unwrap_or(99))), ["5-5"], "the page may be older than the death");
        feed.push(patch(5, 5));
        assert_eq!(feed.place(5, 5), Some(1), "the runner was only silent");
        feed.push(patch(5, 7));
        assert_eq!((feed.place(5, 7), feed.place(4, 7), feed.place(7, 7)), (Some(1), None, Some(3)));
    }

    #[test]
    fn a_late_follower_is_told_and_nobody_is_kept() {
        let feed = Feed::default();
        (0..500).for_each(|seq| feed.push(patch(seq, seq + 1)));
        assert_eq!(texts(feed.after(100)), ["TooLate"]);
        assert_eq!(texts(feed.after(260)).len(), KEPT);
        feed.close();
        assert_eq!(texts(feed.after(500)), ["Over"]);
    }
}
