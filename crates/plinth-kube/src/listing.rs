//! One list of helm's Secrets for all who ask at the same time.
//!
//! A look asks for every release of a platform at once. Each of these questions is about a part of the same list, which costs little, since it
//! is of labels alone. Nothing is ever answered from a list that began before the question: whoever has just changed a release sees it.

use crate::api::Call;
use crate::failure::Failure;
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
        let number = self.asked.fetch_add(1, Ordering::AcqRel);
        let others = self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waits = Waits(&self.waiting);
        if others < FEW {
            return alone(call, release).await;
        }
        let mut last = self.last.lock().await;
        let shared = last.as_ref().filter(|list| list.began > number);
        let found = match shared {
            Some(list) => list.found.clone(),
            None => {
                let began = self.asked.load(Ordering::Acquire);
                let found = all(call).await.map(Arc::new);
                *last = Some(Listing { began, found: found.clone() });
                found
            }
        };
        drop(last);
        let found = found.map_err(|failure| call.error(failure))?;
        Ok(found.get(&(release.namespace.clone(), release.name.clone())).cloned().unwrap_or_default())
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
