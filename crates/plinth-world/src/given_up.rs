//! What was under way when a call was given up: its future is dropped then, and whatever runs in it says by that what it was and how far
//! it came. Whoever gives up hears it, and tells people.

use plinth_model::run::CommandFailure;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of a log whose last lines are told.
const END: u64 = 16 * 1024;

tokio::task_local! {
    static WATCHED: GivenUp;
}

/// Hears what was under way in one future.
#[derive(Clone, Default)]
pub struct GivenUp(Arc<Mutex<Option<CommandFailure>>>);

impl GivenUp {
    /// The future, heard by this.
    pub fn watching<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        WATCHED.scope(self.clone(), future)
    }

    /// Drops a future that this hears, and answers what was under way in it; none: nothing that can be told.
    #[must_use]
    pub fn drop_of<F>(&self, future: F) -> Option<CommandFailure> {
        let take = || self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _of_a_call_before = take();
        drop(future);
        take()
    }
}

/// Whether anybody hears.
#[must_use]
pub fn is_heard() -> bool {
    WATCHED.try_with(|_| ()).is_ok()
}

/// Tells what was under way. What is within a call is dropped before it, and knows more: the first that tells is heard.
pub fn tell(program: impl FnOnce() -> CommandFailure) {
    let _nobody_hears = WATCHED.try_with(|given_up| {
        let mut told = given_up.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none() {
            *told = Some(program());
        }
    });
}

/// A program whose words go into this log, as far as they have come.
#[must_use]
pub fn logged(command: &str, log: &Path) -> CommandFailure {
    let lines: Vec<String> = end_of(log).lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    CommandFailure { log: Some(log.display().to_string()), ..CommandFailure::of(command, &lines) }
}

/// The end of a log, from a line's begin; empty where it cannot be read.
fn end_of(log: &Path) -> String {
    let read = || -> std::io::Result<(bool, Vec<u8>)> {
        let mut file = File::open(log)?;
        let from = file.metadata()?.len().saturating_sub(END);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(END).read_to_end(&mut bytes)?;
        Ok((from > 0, bytes))
    };
    let Ok((is_cut, bytes)) = read() else { return String::new() };
    let text = String::from_utf8_lossy(&bytes);
    match text.split_once('\n') {
        Some((_, whole)) if is_cut => whole.to_owned(),
        _ => text.into_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::seam::Seam;
    use std::future::pending;
    use std::task::{Context, Poll, Waker};

    /// Begins the work, and gives it up.
    fn given_up(work: impl Future<Output = ()>) -> Option<CommandFailure> {
        let given_up = GivenUp::default();
        let mut future = Box::pin(given_up.watching(work));
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
        given_up.drop_of(future)
    }

    #[test]
    fn what_is_dropped_tells_what_it_was_and_the_innermost_knows_more() {
        let whole = async {
            let _outer = Seam::program("ssh", || "ssh a sh".to_owned());
            Seam::program("ssh", || "ssh b sh".to_owned()).end("done");
            let _request = Seam::begin("kube", || "a request".to_owned());
            pending::<()>().await;
        };
        assert_eq!(given_up(whole).unwrap().command, "ssh a sh");
        let inner = async {
            let _outer = Seam::program("ssh", || "ssh a sh".to_owned());
            let inner = async {
                let _told = scopeguard(|| tell(|| CommandFailure::of("ssh a sh", &["last words".to_owned()])));
                pending::<()>().await;
            };
            inner.await;
        };
        assert_eq!(given_up(inner).unwrap().tail, ["last words"]);
        assert_eq!(given_up(pending()), None);
    }

    /// Does this when it is dropped.
    fn scopeguard<F: Fn()>(work: F) -> impl Drop {
        struct Guard<F: Fn()>(F);
        impl<F: Fn()> Drop for Guard<F> {
            fn drop(&mut self) {
                (self.0)();
            }
        }
        Guard(work)
    }

    #[test]
    fn a_program_with_a_log_tells_its_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("helm.log");
        std::fs::write(&log, format!("{}\nwaiting for a\nwaiting for b\n", "x".repeat(20_000))).unwrap();
        let told = given_up(async {
            let _seam = Seam::program("helm", || "helm upgrade a".to_owned()).logged(&log);
            pending::<()>().await;
        });
        let told = told.unwrap();
        assert_eq!(told.tail, ["waiting for a", "waiting for b"]);
        assert_eq!((told.command.as_str(), told.log), ("helm upgrade a", Some(log.display().to_string())));
    }

    #[test]
    fn where_nobody_hears_nothing_is_told() {
        tell(|| unreachable!());
        assert!(!is_heard());
        let mut made = false;
        drop(Seam::program("helm", || {
            made = true;
            String::new()
        }));
        assert!(!made);
    }
}
