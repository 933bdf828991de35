//! Going on without a node: which ones a plan leaves out, and what that means. Only workers can be left out; every other member counts
//! in a majority.

use crate::cluster::{Cluster, Member};
use plinth_model::finding::code;
use plinth_model::nearest::nearest_few;
use plinth_model::{Finding, NodeName, Step};
use plinth_site::Desired;
use std::collections::HashSet;

/// Puts aside what the run's limits say. A name that is no node of the site, or that counts in a majority, is an error, and nothing is
/// put aside for it.
pub(crate) fn leave_out(desired: &Desired, cluster: &mut Cluster) -> Vec<Finding> {
    let named: Vec<&NodeName> = desired.run.without.iter().chain(&desired.run.unfit).collect();
    let findings = named.iter().filter_map(|name| cannot(cluster, name)).collect();
    let out: HashSet<&NodeName> = named.into_iter().collect();
    cluster.put_aside(|member| !member.is_quorum() && out.contains(&member.name));
    findings
}

fn cannot(cluster: &Cluster, name: &NodeName) -> Option<Finding> {
    match cluster.members.iter().find(|member| member.name == *name) {
        None => {
            let near = nearest_few(name.as_str(), cluster.members.iter().map(|member| member.name.as_str()));
            let fix = match near.as_slice() {
                [] => "`plinth discover` lists the nodes".to_owned(),
                near => format!("did you mean {}?", near.join(", ")),
            };
            let text = format!("`--without {name}`: {name} is no node of the site");
            Some(Finding::error(code::NODES_NO_MATCH, name.as_str(), text).fix(fix))
        }
        Some(member) if member.is_quorum() => {
            let text = format!("{name} is {}, which cannot be left out of a run", member.role_text());
            Some(Finding::error(code::NODES_WITHOUT_QUORUM, name.as_str(), text).fix(format!(
                "repair it; if BCM re-imaged it, run `plinth recover {name}`; before Kubernetes is installed, name another node instead"
            )))
        }
        Some(_) => None,
    }
}

/// A finding for each node that the plan leaves out, with what it still needs: the steps that it would have had.
pub(crate) fn findings(desired: &Desired, left_out: &[Member], missing: &[Step]) -> Vec<Finding> {
    let finding = |member: &Member| {
        let name = &member.name;
        let unfit = desired.run.unfit.contains(name) && !desired.run.without.contains(name);
        let text = match unfit {
            true => format!("{name} is not fit: only its own steps are tried, and nothing waits for it"),
            false => format!("{name} is left out of this run, as `--without {name}` asks for"),
        };
        let fix = match unfit {
            true => format!("fix what is wrong with {name}, then run `plinth apply` again: it takes the node in"),
            false => format!("run `plinth apply` without `--without {name}`: it takes the node in again"),
        };
        let of_node = missing.iter().filter(|step| step.work.node() == Some(name)).map(|step| step.id.as_str());
        let steps: Vec<&str> = of_node.collect();
        Finding::warning(code::NODES_WITHOUT, name.as_str(), text)
            .evidence(format!("it needs later: {}, and a play that lets it join the cluster", steps.join(", ")))
            .evidence("until then it is as it was; if it runs Kubernetes already, its pods stay where they are")
            .fix(fix)
    };
    left_out.iter().map(finding).collect()
}
