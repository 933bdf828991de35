//! The stream of one follower: `hello`, then patches, a sign of life now and then, `reset` when it is too late, `end`.

use super::feed::Next;
use crate::runs::Followed;
use axum::body::{Body, Bytes};
use futures::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// A line that says nothing, so that what stands between does not take the silence for an end.
const PING: Duration = Duration::from_secs(15);

/// How many follow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followers(Arc<AtomicUsize>);

impl Followers {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn one_more(&self) -> Follower {
        self.0.fetch_add(1, Ordering::Relaxed);
        Follower(self.clone())
    }
}

struct Follower(Followers);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct State {
    followed: Arc<Followed>,
    /// None: it is over once what waits was sent.
    place: Option<u64>,
    waiting: VecDeque<Bytes>,
    moved: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    _one: Follower,
}

/// The stream of somebody who has seen a page as of event `seen`; none: who wants what comes from now on. With it whether they are early:
/// the run is on, and was not taken up by its reader yet, so that this stream only says to come again.
///
/// Waits for whoever reads or changes the run.
pub(crate) fn stream(
    followed: Arc<Followed>,
    seen: Option<u64>,
    stop: watch::Receiver<bool>,
    followers: &Followers,
) -> (Body, bool) {
    let moved = followed.feed.moved();
    let (place, first, early) = {
        let record = followed.read();
        let now = record.view.seq();
        let seen = seen.unwrap_or(now);
        let hello = format!(
            "event: hello\ndata: {{\"schema\":1,\"seq\":{now},\"seen\":{seen},\"state\":\"{}\"}}\n\n",
            record.state().word()
        );
        let early = followed.feed.is_closed() && record.is_on();
        let place = if early { None } else { followed.feed.place(seen, now) };
        (place, hello, early)
    };
    let mut waiting = VecDeque::from([Bytes::from(first)]);
    if place.is_none() {
        waiting.push_back(Bytes::from_static(b"event: reset\ndata: {}\n\n"));
    }
    let state = State { followed, place, waiting, moved, stop, _one: followers.one_more() };
    let frames = stream::unfold(state, |mut state| async move {
        let frame = state.next().await?;
        Some((Ok::<_, Infallible>(frame), state))
    });
    (Body::from_stream(frames), early)
}

impl State {
    /// The next thing to send; none: it is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return Some(frame);
            }
            let place = self.place?;
            match self.followed.feed.after(place) {
                Next::Frames(frames, next) => {
                    self.waiting.extend(frames);
                    self.place = Some(next);
                }
                Next::TooLate => self.last(b"event: reset\ndata: {}\n\n"),
                Next::Over => self.last(b"event: end\ndata: {}\n\n"),
                Next::Nothing => {
                    if let Some(frame) = self.wait().await? {
                        return Some(frame);
                    }
                }
            }
        }
    }

    fn last(&mut self, frame: &'static [u8]) {
        self.waiting.push_back(Bytes::from_static(frame));
        self.place = None;
    }

    /// Waits until something came. None: the server ends.
    async fn wait(&mut self) -> Option<Option<Bytes>> {
        let stopped = async {
            // A sender that is gone is a server that is gone.
            let _ = self.stop.wait_for(|stop| *stop).await;
        };
        tokio::select! {
            () = stopped => None,
            moved = self.moved.changed() => moved.ok().map(|()| None),
            () = tokio::time::sleep(PING) => Some(Some(Bytes::from_static(b": ping\n\n"))),
        }
    }
}
