//! Whether the nodes that carry Run:ai have enough for it together.

use super::Operation;
use plinth_model::facts::NodeFacts;
use plinth_model::{Finding, NodeName};
use plinth_plan::{Cluster, Role};
use plinth_run::survey::Survey;

/// The component that puts claims of volumes into directories of the nodes.
const LOCAL_VOLUMES: &str = "local-path-provisioner";

impl Operation<'_> {
    /// A finding when the system nodes are too small for Run:ai together.
    pub(super) fn room_for_runai(&self, cluster: &Cluster, survey: &Survey) -> Option<Finding> {
        let runai = self.desired.runai.as_ref()?;
        let is_here = runai.control_plane.is_none();
        let needs = self.input.catalog.compatibility().system_needs(&runai.version, is_here);
        let nodes: Vec<(&NodeName, Option<&NodeFacts>)> =
            cluster.with(Role::System).map(|member| (&member.name, survey.facts.get(&member.name))).collect();
        let choice = self.desired.platform.components.get(LOCAL_VOLUMES);
        let local = choice.and_then(|choice| choice.enabled) != Some(false);
        let fresh = nodes.iter().all(|(node, _)| !survey.deployed.contains(*node));
        plinth_run::survey::shared(&nodes, &needs, (local && fresh).then(|| plinth_plan::facts::volumes(&self.desired)))
    }
}
