//! Storage classes that a cluster had before plinth came.

use crate::cluster::Cluster;
use crate::observed::Observed;
use plinth_model::DefaultClass;
use plinth_site::Desired;
use plinth_site::desired::Engine;

/// Notes in the cluster which classes are its default, and whose they are. A cluster that plinth makes itself has none but ours.
pub(crate) fn place(desired: &Desired, cluster: &mut Cluster, observed: &Observed) {
    if desired.kubernetes.engine != Engine::Existing {
        return;
    }
    let ours = |class: &DefaultClass| {
        let mut releases = observed.installed.components().iter().flat_map(|parts| &parts.releases);
        class.release.as_ref().is_some_and(|release| releases.any(|installed| installed == release))
    };
    cluster.classes = observed.classes.iter().map(|class| (class.clone(), ours(class))).collect();
}
