//! Plans that take Kubernetes away: from the whole site, or from workers. Steps as data like any others, so they are shown,
//! executed, journalled and resumed the same way.

use super::{finished, made_from, worst_first};
use crate::catalog::Components;
use crate::cluster::Cluster;
use crate::discover::discover;
use crate::engines::{self, Asked};
use crate::observed::Observed;
use plinth_model::steps::Removal;
use plinth_model::{Finding, Plan};
use plinth_site::Desired;

/// Plans a removal. The hosts that stay, and what Kubernetes is made of there, are not looked at.
///
/// # Errors
/// With every finding: a node that the site does not have, one that cannot leave alone, an engine that takes nothing away, a site that is
/// half understood.
pub fn removal(
    desired: &Desired,
    observed: &Observed,
    catalog: &dyn Components,
    removal: &Removal,
) -> Result<Plan, Vec<Finding>> {
    let (mut cluster, mut findings) = Cluster::new(desired, &discover(desired, &observed.inventory));
    cluster.add_role_labels(desired, &catalog.runai().node_roles);
    let asked = Asked { desired, cluster: &cluster, catalog, wanted: desired.kubernetes.version.as_ref() };
    match engines::of(desired).removal(&asked, removal) {
        Ok(steps) if !findings.iter().any(Finding::is_error) => {
            finished(made_from(desired, observed, catalog), desired, observed, (steps, Vec::new()), findings)
        }
        Ok(_) => Err(worst_first(findings)),
        Err(more) => {
            findings.extend(more);
            Err(worst_first(findings))
        }
    }
}
