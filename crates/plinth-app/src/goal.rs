//! What an operation is for: which plan is made, and which nodes are checked before.

use plinth_catalog::Catalog;
use plinth_model::steps::Removal;
use plinth_model::{Finding, NodeName, Plan};
use plinth_plan::{Chosen, Cluster, Observed};
use plinth_site::Desired;

/// What an operation is for.
#[derive(Clone, Debug)]
pub enum Goal {
    /// The site as its file describes it.
    Site,
    /// The site's plan, only to list what a mirror must hold: the inventory is asked, what the lists are made of is fetched, and no system of
    /// the site is contacted beside it. So it works where the site's other secrets are not.
    MirrorList,
    /// Kubernetes taken away, from some workers or from all nodes.
    Removal(Removal),
    /// These broken members of the control plane, or of etcd, taken in again.
    Recovery(Vec<NodeName>),
    /// Acceptance checks alone: nothing is looked at before, nothing is changed but by test objects that go again.
    Checks(Chosen),
}

impl Goal {
    /// Plans.
    ///
    /// # Errors
    /// With every finding, when one of them is an error.
    pub fn plan(&self, desired: &Desired, observed: &Observed, catalog: &Catalog) -> Result<Plan, Vec<Finding>> {
        match self {
            Self::Site | Self::MirrorList => plinth_plan::plan(desired, observed, catalog),
            Self::Removal(removal) => plinth_plan::removal(desired, observed, catalog, removal),
            Self::Recovery(broken) => plinth_plan::recovery(desired, observed, catalog, broken),
            Self::Checks(chosen) => plinth_plan::checks(desired, observed, catalog, chosen),
        }
    }

    /// The nodes that must be fit. What leaves is not checked: it may be broken, and leaves all the same.
    pub(crate) fn checked(&self, cluster: &Cluster) -> Option<Cluster> {
        match self {
            Self::Site => Some(cluster.clone()),
            Self::MirrorList | Self::Removal(_) | Self::Checks(_) => None,
            Self::Recovery(_) => Some(cluster.quorum()),
        }
    }
}
