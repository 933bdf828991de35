//! A wait that takes long is told, with the name of who is waited for.

use super::{Operation, locked};
use crate::state::AwaitedFile;
use futures::future::{Either, select};
use plinth_model::span;
use plinth_world::{Clock, SystemClock, deadlines};
use std::pin::pin;
use std::time::Duration;

/// A wait shorter than this needs no word.
const FIRST: Duration = Duration::from_secs(1);
/// And one word in so long is enough for whoever reads them all.
const NEXT: Duration = Duration::from_secs(10);

impl Operation<'_> {
    /// Does some work; while it lasts, says every now and then who is waited for. In a rehearsal nobody waits.
    pub(super) async fn named<F: Future>(&self, work: F, who: impl Fn() -> String) -> F::Output {
        if self.world.is_rehearsal() {
            return work.await;
        }
        let run = self.lock.as_ref().map(|lock| locked(lock).journal.run().to_owned());
        let file = run.map(|run| AwaitedFile::new(&self.directory, &run));
        let tell = |waits: &str, aloud: bool| {
            if aloud {
                self.audience.text(&format!("waiting for {waits}"));
            }
            file.iter().for_each(|file| file.tell(waits));
        };
        named(work, &SystemClock::new(), tell, who).await
    }
}

async fn named<F: Future>(
    work: F,
    clock: &dyn Clock,
    tell: impl Fn(&str, bool),
    who: impl Fn() -> String,
) -> F::Output {
    let (mut work, began, mut pause, mut next) = (pin!(work), clock.elapsed(), FIRST, FIRST);
    loop {
        match select(work.as_mut(), clock.sleep(pause)).await {
            Either::Left((output, _)) => return output,
            Either::Right(_) => {
                let waited = clock.elapsed().saturating_sub(began);
                let aloud = waited >= next;
                tell(&format!("{} ({})", who(), span::of(waited)), aloud);
                next = if aloud { waited + NEXT } else { next };
                pause = deadlines::PROGRESS_PACE;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::named;
    use plinth_world::{Clock as _, SystemClock};
    use std::sync::Mutex;
    use std::time::Duration;

    #[tokio::test]
    async fn a_short_wait_is_silent_and_a_long_one_has_a_name() {
        let clock = SystemClock::new();
        let told = Mutex::new(Vec::new());
        let tell = |text: &str, aloud: bool| {
            told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((text.to_owned(), aloud));
        };
        named(async {}, &clock, tell, || "n1".to_owned()).await;
        assert!(told.lock().is_ok_and(|told| told.is_empty()));
        named(clock.sleep(Duration::from_millis(3300)), &clock, tell, || "n2, n3".to_owned()).await;
        let told = told.into_inner().unwrap_or_default();
        assert!(told.len() == 2 && told[0].0.starts_with("n2, n3 (1"), "{told:?}");
        assert!(told[0].1 && !told[1].1, "what is kept for others is fresher than what is said: {told:?}");
    }
}
