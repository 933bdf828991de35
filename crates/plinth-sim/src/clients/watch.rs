//! What comes up in a simulated namespace.

use super::kube::SimKube;
use crate::data_centre::DataCentre;
use crate::world::{Installed, State};
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::steps::Health;
use plinth_world::Context;
use plinth_world::kube::{KubeWatch, Watch};
use std::sync::Arc;
use std::time::Duration;

struct SimWatch {
    centre: Arc<DataCentre>,
    namespace: String,
}

#[async_trait]
impl KubeWatch for SimKube {
    async fn watch(&self, _: &Context, namespace: &str, _: &[Health]) -> Box<dyn Watch> {
        Box::new(SimWatch { centre: Arc::clone(&self.centre), namespace: namespace.to_owned() })
    }
}

/// What a person reads of a release whose pods come up.
pub(super) fn pulls(release: &str, chart: &str, version: &str) -> String {
    format!("pod {release}-0 pulls image {chart}:{version}")
}

fn is_not_ready(release: &str, chart: &str) -> String {
    format!("pod {release}-0 runs, and container {chart} is not ready")
}

fn in_namespace<'a>(state: &'a State, namespace: &'a str) -> impl Iterator<Item = (&'a str, &'a Installed)> {
    let releases = state.cluster.releases.iter();
    releases.filter_map(move |(key, release)| {
        let (there, name) = key.split_once('/')?;
        (there == namespace).then_some((name, release))
    })
}

/// When the next thing in the namespace, or the next object anywhere, becomes what it should be.
fn next(state: &State, now: Timestamp, namespace: &str) -> Option<Timestamp> {
    let releases = in_namespace(state, namespace).filter_map(|(_, release)| release.healthy_at);
    let objects = state.cluster.objects.values().map(|object| object.settled_at);
    releases.chain(objects).filter(|at| *at > now).min()
}

#[async_trait]
impl Watch for SimWatch {
    async fn changed(&mut self, _: &Context, most: Duration) -> Vec<String> {
        let next = self.centre.look(|state, now| next(state, now, &self.namespace).map(|at| at.duration_since(now)));
        let wait = next.ok().flatten().and_then(|wait| Duration::try_from(wait).ok());
        self.centre.wait(wait.map_or(most, |wait| wait.min(most))).await;
        let lines = self.centre.look(|state, now| {
            let late = in_namespace(state, &self.namespace).filter(|(_, release)| !release.works(now));
            late.map(|(name, release)| is_not_ready(name, &release.chart)).collect()
        });
        lines.unwrap_or_default()
    }
}
