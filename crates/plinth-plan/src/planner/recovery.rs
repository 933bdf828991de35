//! Plans that make broken members of the control plane whole again: the nodes are prepared as for any run, then the engine takes them in,
//! and the same steps as ever prove it.

use super::{discovery, finished, kubernetes, made_from, nodes, worst_first};
use crate::catalog::Components;
use crate::cluster::Cluster;
use crate::discover::discover;
use crate::engines::{self, Asked};
use crate::images;
use crate::observed::Observed;
use crate::step::leaves;
use plinth_model::plan::{Plan, Step};
use plinth_model::{Finding, NodeName};
use plinth_site::Desired;

/// Plans a recovery of these members.
///
/// # Errors
/// With every finding: a node that the site does not have, one that is a worker, no member left to recover from, an engine that recovers
/// nothing, a site that is half understood.
pub fn recovery(
    desired: &Desired,
    observed: &Observed,
    catalog: &dyn Components,
    broken: &[NodeName],
) -> Result<Plan, Vec<Finding>> {
    let (mut cluster, mut findings) = Cluster::new(desired, &discover(desired, &observed.inventory));
    cluster.add_role_labels(desired, &catalog.runai().node_roles);
    findings.extend(images::place(desired, &mut cluster, &observed.facts));
    let (engine, quorum) = (engines::of(desired), cluster.quorum());
    let mut steps: Vec<Step> = discovery::steps(desired, &observed.inventory).into_iter().collect();
    let (on_nodes, gates) =
        nodes::steps((desired, &quorum), &quorum.members, steps.first().map(|s| s.id.clone()).as_ref());
    let asked = Asked { desired, cluster: &cluster, catalog, wanted: desired.kubernetes.version.as_ref() };
    let recovery = match engine.recovery(&asked, broken, leaves(&on_nodes)) {
        Ok(recovery) if !findings.iter().any(Finding::is_error) => recovery,
        other => {
            findings.extend(other.err().into_iter().flatten());
            return Err(worst_first(findings));
        }
    };
    steps.extend(on_nodes);
    steps.extend(recovery.steps);
    let members = Asked { cluster: &quorum, ..asked };
    steps.extend(kubernetes::steps(&members, observed, engine, recovery.end.as_ref()));
    finished(made_from(desired, observed, catalog), desired, observed, (steps, gates), findings)
}
