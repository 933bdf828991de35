//! One list of helm's Secrets for all who ask at the same time.
//!
//! A look asks for every release of a platform at once. Each of these questions is about a part of the same list, which costs little, since it
//! is of labels alone. Nothing is ever answered from a list that began before the question: whoever has just changed a release sees it.

use crate::api::Call;
use crate::failure::{Cause, Failure};
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::api::{Api, ListParams, PartialObjectMeta};
use plinth_model::ReleaseName;
use plinth_world::ClientResult;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::sync::Mutex;

/// So many ask for their own release alone, side by side; only beyond that is a list of all of them less work for the API server.
const FEW: usize = 4;

type Found = Vec<PartialObjectMeta<KubeSecret>>;
/// Secrets of each release that has any.
type ByRelease = HashMap<(String, String), Found>;

/// Lists of helm's Secrets that are shared by those who asked before they began.
#[derive(Default)]
pub(super) struct Listings {
    /// Questions so far: each has its number.
    asked: AtomicU64,
    /// Questions without an answer yet.
    waiting: AtomicUsize,
    /// The last list. Who holds it makes the next one.
    last: Mutex<Option<Listing>>,
}

/// A list, or why there is none.
struct Listing {
    /// Questions with lower numbers were asked before it began.
    began: u64,
    found: Result<Arc<ByRelease>, Failure>,
}

/// One question less, also when nobody waits for its answer any more.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Listings {
    /// Secrets that have helm's labels for this release.
    pub(super) async fn of(&self, call: &Call<'_>, release: &ReleaseName) -> ClientResult<Found> {
        self.answer(release, alone(call, release), all(call), |failure| call.error(failure)).await
    }

    /// The answer to a question about one release: of this one alone, or out of a list of all of them. Only what is needed of the two is asked.
    async fn answer<E>(
        &self,
        release: &ReleaseName,
        alone: impl Future<Output = Result<Found, E>>,
        all: impl Future<Output = Result<ByRelease, Failure>>,
        error: impl FnOnce(Failure) -> E,
    ) -> Result<Found, E> {
        let number = self.asked.fetch_add(1, Ordering::AcqRel);
        let others = self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waits = Waits(&self.waiting);
        if others < FEW {
            return alone.await;
        }
        let found = self.shared(number, all).await;
        match found {
            Ok(found) => Ok(found.get(&(release.namespace.clone(), release.name.clone())).cloned().unwrap_or_default()),
            // Whoever may see the Secrets of some namespaces only may still see these.
            Err(failure) if failure.cause == Cause::Forbidden => alone.await,
            Err(failure) => Err(error(failure)),
        }
    }

    /// A list that began after the question of this number.
    async fn shared(
        &self,
        number: u64,
        all: impl Future<Output = Result<ByRelease, Failure>>,
    ) -> Result<Arc<ByRelease>, Failure> {
        let mut last = self.last.lock().await;
        if let Some(list) = last.as_ref().filter(|list| list.began > number) {
            return list.found.clone();
        }
        let began = self.asked.load(Ordering::Acquire);
        let found = all.await.map(Arc::new);
        *last = Some(Listing { began, found: found.clone() });
        found
    }
}

async fn alone(call: &Call<'_>, release: &ReleaseName) -> ClientResult<Found> {
    let api = Api::<KubeSecret>::namespaced(call.client(), &release.namespace);
    let params = ListParams::default().labels(&format!("owner=helm,name={}", release.name));
    Ok(call.read(|| api.list_metadata(&params)).await?.items)
}

async fn all(call: &Call<'_>) -> Result<ByRelease, Failure> {
    let api = Api::<KubeSecret>::all(call.client());
    let params = ListParams::default().labels("owner=helm");
    let found = call.patiently(|| api.list_metadata(&params)).await?;
    let mut by_release = ByRelease::new();
    for one in found.items {
        let name = one.metadata.labels.as_ref().and_then(|labels| labels.get("name")).cloned();
        let Some(place) = one.metadata.namespace.clone().zip(name) else { continue };
        by_release.entry(place).or_default().push(one);
    }
    Ok(by_release)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use futures::future::join_all;

    fn name(number: usize) -> ReleaseName {
        ReleaseName { namespace: "apps".to_owned(), name: format!("r{number}") }
    }

    fn secret(name: &str) -> PartialObjectMeta<KubeSecret> {
        let mut secret = PartialObjectMeta::<KubeSecret>::default();
        secret.metadata.name = Some(name.to_owned());
        secret
    }

    /// What the API server is asked, and what it lists.
    struct Server {
        listings: Listings,
        asked: std::sync::Mutex<Vec<String>>,
        list: Result<ByRelease, Failure>,
    }

    impl Server {
        fn new(list: Result<&[usize], Cause>) -> Self {
            let of = |number: &usize| (("apps".to_owned(), format!("r{number}")), vec![secret("listed")]);
            let list = list.map(|numbers| numbers.iter().map(of).collect()).map_err(|cause| Failure::new(cause, "no"));
            Self { listings: Listings::default(), asked: std::sync::Mutex::default(), list }
        }

        /// Asks for so many at once; answers the names of what was found for each.
        async fn ask(&self, many: usize) -> Vec<Result<Vec<String>, Cause>> {
            let question = async |number: usize| {
                let alone = async {
                    self.asked.lock().unwrap().push(format!("r{number}"));
                    tokio::task::yield_now().await;
                    Ok(vec![secret("alone")])
                };
                let all = async {
                    self.asked.lock().unwrap().push("all".to_owned());
                    tokio::task::yield_now().await;
                    self.list.clone()
                };
                let found = self.listings.answer(&name(number), alone, all, |failure| failure.cause).await?;
                Ok(found.into_iter().filter_map(|one| one.metadata.name).collect())
            };
            join_all((0..many).map(question)).await
        }

        fn asked(&self) -> Vec<String> {
            std::mem::take(&mut self.asked.lock().unwrap())
        }
    }

    fn found(name: &str) -> Result<Vec<String>, Cause> {
        Ok(vec![name.to_owned()])
    }

    // The first of many lists at once, when the others have not asked yet; those share the next list.

    #[tokio::test]
    async fn a_few_ask_for_their_own_and_many_share_a_list() {
        let server = Server::new(Ok(&[4, 5, 6, 7, 8, 9, 10]));
        assert!(server.ask(FEW).await.iter().all(|one| *one == found("alone")));
        assert_eq!(server.asked(), ["r0", "r1", "r2", "r3"]);
        let answers = server.ask(12).await;
        assert_eq!(server.asked(), ["r0", "r1", "r2", "r3", "all", "all"]);
        assert!(answers[..4].iter().all(|one| *one == found("alone")));
        assert!(answers[4..11].iter().all(|one| *one == found("listed")), "{answers:?}");
        assert_eq!(answers[11], Ok(Vec::new()), "it has no Secrets");
    }

    #[tokio::test]
    async fn a_list_that_began_before_the_question_answers_nobody() {
        let server = Server::new(Ok(&[4, 5, 6]));
        for _ in 0..2 {
            server.ask(7).await;
        }
        let lists = server.asked().iter().filter(|one| *one == "all").count();
        assert_eq!(lists, 4, "the second time somebody may have changed a release");
        assert_eq!(server.listings.waiting.load(Ordering::Acquire), 0);
    }

    #[tokio::test]
    async fn who_may_not_list_all_of_them_asks_for_each() {
        let server = Server::new(Err(Cause::Forbidden));
        assert!(server.ask(12).await.iter().all(|one| *one == found("alone")));
        let mut asked = server.asked();
        asked.retain(|one| one != "all");
        asked.sort_unstable();
        let all = asked.len();
        asked.dedup();
        assert_eq!((all, asked.len()), (12, 12), "each once: {asked:?}");
        let away = Server::new(Err(Cause::Timeout));
        assert!(away.ask(12).await[4..].iter().all(|one| *one == Err(Cause::Timeout)), "nothing else is asked again");
        assert_eq!(away.asked(), ["r0", "r1", "r2", "r3", "all", "all"]);
    }
}
