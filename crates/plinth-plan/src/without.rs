//! Going on without a node: which ones a plan leaves out, and what that means. Only workers can be left out; every other member counts
//! in a majority.

use crate::cluster::Member;
use plinth_model::finding::code;
use plinth_model::{Finding, Step};
use plinth_site::Desired;

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
