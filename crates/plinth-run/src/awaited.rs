//! Who is waited for just now: so that a wait has a name.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Names shown of those that are waited for; the rest is counted.
const SHOWN: usize = 4;

/// Names of what is looked at now; shared by whoever looks and whoever tells.
#[derive(Debug, Default)]
pub struct Awaited(Mutex<BTreeSet<String>>);

impl Awaited {
    /// Does some work, and counts as waited for meanwhile, also when it is dropped in the middle.
    pub async fn during<F: Future>(&self, name: &str, work: F) -> F::Output {
        self.names().insert(name.to_owned());
        let _ended = Ended { all: self, name };
        work.await
    }

    /// `n2, n3 and 4 more`; empty when nobody is.
    #[must_use]
    pub fn words(&self) -> String {
        let names = self.names();
        let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
        match names.len().saturating_sub(SHOWN) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }

    fn names(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the name away when the work is over.
struct Ended<'a> {
    all: &'a Awaited,
    name: &'a str,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.all.names().remove(self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::Awaited;

    #[tokio::test]
    async fn a_name_is_there_while_its_work_is_going_on_and_not_longer() {
        let awaited = Awaited::default();
        let inside = awaited.during("n2", async { awaited.words() }).await;
        assert_eq!((inside.as_str(), awaited.words().as_str()), ("n2", ""));
        drop(awaited.during("n3", std::future::pending::<()>()));
        assert_eq!(awaited.words(), "");
    }
}
