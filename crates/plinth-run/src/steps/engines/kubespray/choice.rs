//! The smallest safe play: a pure choice from what was deployed, what is wanted, what was begun, and what the cluster says of
//! its nodes. A cluster.yml that changes nothing takes as long as the first one, so the best play is none.

use plinth_model::engine::{Begun, KubesprayRecord, Play};
use plinth_model::finding::code;
use plinth_model::steps::{HostInputs, RunInputs};
use plinth_model::{Finding, NodeName, Version, amount};
use plinth_plan::kubespray::one_step;
use std::collections::BTreeMap;

/// Group whose first host initialises the cluster.
pub(super) const CONTROL_PLANE: &str = "kube_control_plane";
/// Group whose first host makes etcd's certificates.
pub(super) const ETCD: &str = "etcd";

/// What the cluster says of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is a member and runs this version.
    Member(Version),
    /// The cluster does not know it.
    Gone,
    /// Nothing of Kubernetes is on it any more, as after BCM re-imaged it; the cluster may still know it.
    Bare,
}

impl Sight {
    /// Whether it has to be made a member again.
    const fn is_lost(&self) -> bool {
        matches!(self, Sight::Gone | Sight::Bare)
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Nothing: it is proved done.
    Nothing,
    /// What there is goes first, then everything: for these reasons.
    Anew(Vec<String>),
    /// This play, for these reasons: one difference each, and what is chosen as the last line.
    Run(Play, Vec<String>),
}

/// Chooses. `seen` holds only nodes of which the cluster could be asked: not to be seen is not to be gone. `incomplete` is the host of a
/// control plane that Kubespray cannot go on with.
pub(super) fn choose(
    deployed: &KubesprayRecord,
    wanted: &RunInputs,
    seen: &BTreeMap<NodeName, Sight>,
    incomplete: Option<&NodeName>,
) -> Result<Choice, Box<Finding>> {
    let begun = deployed.begun.as_ref();
    let never = deployed.last.is_none();
    if let Some(begun) = begun.filter(|begun| begun.play.removes() && !(never && begun.play == Play::Reset)) {
        return Err(Box::new(removal_unfinished(begun)));
    }
    if let Some(Begun { play: Play::Recover { nodes, .. }, .. }) = begun {
        return Err(Box::new(recovery_unfinished(nodes)));
    }
    let Some(last) = &deployed.last else { return Ok(first(begun, wanted, incomplete)) };
    refuse(last, wanted, seen)?;
    let lines = differences(last, wanted, seen);
    if let Some(begun) = begun {
        return Ok(resume(begun, last, wanted, lines));
    }
    Ok(match lines.is_empty() {
        true => Choice::Nothing,
        false => smallest(last, wanted, seen, lines),
    })
}

/// A reset of what never was whole goes on as one, too.
fn first(begun: Option<&Begun>, wanted: &RunInputs, incomplete: Option<&NodeName>) -> Choice {
    let mut lines = vec![format!(
        "+ Kubernetes {} on {}, with Kubespray {}",
        wanted.version,
        amount(wanted.hosts.len(), "host"),
        wanted.tag
    )];
    lines.extend(begun.map(unfinished));
    if let Some(host) = incomplete {
        lines.push(format!(
            "! kubeadm broke off on {host} before any node was Ready; Kubespray cannot go on from there"
        ));
        lines.push("→ reset.yml, then cluster.yml: starts over; nothing ever ran in it".to_owned());
        return Choice::Anew(lines);
    }
    if begun.is_some_and(|begun| begun.play == Play::Reset) {
        lines.push("→ reset.yml, then cluster.yml: the reset is finished first".to_owned());
        return Choice::Anew(lines);
    }
    Choice::Run(Play::Cluster, lines)
}

fn unfinished(begun: &Begun) -> String {
    format!("! an earlier {} did not end", begun.play.playbook())
}

fn chosen(play: Play, mut lines: Vec<String>, why: &str) -> Choice {
    lines.push(format!("→ {}: {why}", play.playbook()));
    Choice::Run(play, lines)
}

/// A full run is the supported way on after any interruption, but for an upgrade, which goes on as one.
fn resume(begun: &Begun, last: &RunInputs, wanted: &RunInputs, mut lines: Vec<String>) -> Choice {
    lines.insert(0, unfinished(begun));
    if begun.play == Play::Upgrade && moves(last, wanted) {
        return chosen(Play::Upgrade, lines, "goes on with the upgrade");
    }
    chosen(Play::Cluster, lines, "a full run is how Kubespray resumes")
}

fn moves(last: &RunInputs, wanted: &RunInputs) -> bool {
    last.version != wanted.version || last.tag != wanted.tag
}

fn smallest(last: &RunInputs, wanted: &RunInputs, seen: &BTreeMap<NodeName, Sight>, lines: Vec<String>) -> Choice {
    if moves(last, wanted) {
        return chosen(Play::Upgrade, lines, "host by host, each one drained first");
    }
    let same = |(name, host): (&NodeName, &HostInputs)| last.hosts.get(name).is_none_or(|before| before == host);
    let alike = last.variables == wanted.variables && wanted.hosts.iter().all(same);
    let joining: Vec<NodeName> = joining(last, wanted, seen).cloned().collect();
    if alike && joining.iter().all(|name| wanted.hosts.get(name).is_some_and(HostInputs::is_only_worker)) {
        return chosen(Play::Scale { nodes: joining }, lines, "only these workers are touched");
    }
    chosen(Play::Cluster, lines, "the full run, since not only workers join")
}

/// Hosts that are new, or that the cluster has lost.
fn joining<'a>(
    last: &'a RunInputs,
    wanted: &'a RunInputs,
    seen: &'a BTreeMap<NodeName, Sight>,
) -> impl Iterator<Item = &'a NodeName> {
    wanted.hosts.keys().filter(|name| !last.hosts.contains_key(*name) || seen.get(*name).is_some_and(Sight::is_lost))
}

fn differences(last: &RunInputs, wanted: &RunInputs, seen: &BTreeMap<NodeName, Sight>) -> Vec<String> {
    let mut lines = Vec::new();
    if last.tag != wanted.tag {
        lines.push(format!("~ Kubespray {} → {}", last.tag, wanted.tag));
    }
    if last.version != wanted.version {
        lines.push(format!("~ Kubernetes {} → {}", last.version, wanted.version));
    }
    if last.variables != wanted.variables {
        lines.push(format!("~ variables {} → {}", last.variables.short(), wanted.variables.short()));
    }
    lines.extend(wanted.hosts.iter().filter_map(|(name, host)| difference(name, host, last, seen)));
    lines
}

fn difference(
    name: &NodeName,
    host: &HostInputs,
    last: &RunInputs,
    seen: &BTreeMap<NodeName, Sight>,
) -> Option<String> {
    match last.hosts.get(name) {
        None => Some(format!("+ host {name}")),
        Some(before) if before.groups != host.groups => {
            Some(format!("~ groups of {name}: {} → {}", before.groups.join(" "), host.groups.join(" ")))
        }
        Some(before) if before != host => Some(format!("~ variables of {name}")),
        Some(_) => match seen.get(name) {
            Some(Sight::Gone) => Some(format!("+ host {name}, which the cluster has lost")),
            Some(Sight::Bare) => Some(format!("+ host {name}, which has lost Kubernetes")),
            Some(Sight::Member(_)) | None => None,
        },
    }
}

/// What no play can do, or must not do without a person's word.
fn refuse(last: &RunInputs, wanted: &RunInputs, seen: &BTreeMap<NodeName, Sight>) -> Result<(), Box<Finding>> {
    let left: Vec<&str> =
        last.hosts.keys().filter(|name| !wanted.hosts.contains_key(*name)).map(NodeName::as_str).collect();
    if !left.is_empty() {
        return Err(Box::new(host_left(&left)));
    }
    for group in [CONTROL_PLANE, ETCD] {
        let (was, is) = (last.first_of(group), wanted.first_of(group));
        if was != is {
            return Err(Box::new(first_moved(group, was, is)));
        }
    }
    let bare = |(name, host): &(&NodeName, &HostInputs)| host.is_quorum() && seen.get(*name) == Some(&Sight::Bare);
    let bare: Vec<&str> = wanted.hosts.iter().filter(bare).map(|(name, _)| name.as_str()).collect();
    if !bare.is_empty() {
        return Err(Box::new(control_plane_lost(&bare)));
    }
    one_step("Kubernetes", &last.version, &wanted.version)?;
    one_step("Kubespray", &last.tag, &wanted.tag)?;
    skew(wanted, seen)?;
    if moves(last, wanted) && wanted.hosts.len() > last.hosts.len() {
        return Err(Box::new(two_at_once(last, wanted)));
    }
    Ok(())
}

/// cluster.yml would fail at it, and with the first member bare would make a second cluster beside etcd's data.
fn control_plane_lost(names: &[&str]) -> Finding {
    let list = names.join(", ");
    let text = format!("{list} of the control plane lost Kubernetes; only its survivors can take it in again");
    Finding::error(code::KUBESPRAY_CONTROL_PLANE_LOST, list, text)
        .evidence("kubelet does not run there, and no certificate of Kubernetes is left, as after BCM re-imaged a node")
        .fix(format!(
            "run `plinth recover {}`; if no other member of etcd has its data, the cluster is gone: `plinth reset`, then apply",
            names.join(" ")
        ))
}

/// A recovery goes on as one.
pub(super) fn recovery_unfinished(nodes: &[NodeName]) -> Finding {
    let names = |separator: &str| nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(separator);
    let text = "a recovery of the control plane was begun and did not end";
    Finding::error(code::KUBESPRAY_RECOVERY_UNFINISHED, names(", "), text)
        .evidence("an earlier recover-control-plane.yml did not end")
        .fix(format!("finish it with `plinth recover {}`", names(" ")))
}

pub(super) fn removal_unfinished(begun: &Begun) -> Finding {
    let (subject, verb) = match &begun.play {
        Play::Remove { nodes, .. } => {
            let nodes: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
            (nodes.join(", "), format!("plinth remove {}", nodes.join(" ")))
        }
        _ => ("kubernetes".to_owned(), "plinth reset".to_owned()),
    };
    Finding::error(
        code::KUBESPRAY_REMOVAL_UNFINISHED,
        subject,
        "a removal was begun and did not end; parts of it may be gone",
    )
    .evidence(unfinished(begun))
    .fix(format!("finish it with `{verb}`, then apply"))
}

fn host_left(names: &[&str]) -> Finding {
    let list = names.join(", ");
    Finding::error(
        code::KUBESPRAY_HOST_LEFT,
        &list,
        format!("{list} left the site, but not Kubernetes; apply never removes"),
    )
    .evidence("it was in the last successful run")
    .fix(format!(
        "put it back into the site file; to remove it, run `plinth remove {}` before it leaves the file",
        names.join(" ")
    ))
}

fn first_moved(group: &str, was: Option<&NodeName>, is: Option<&NodeName>) -> Finding {
    let name = |host: Option<&NodeName>| host.map_or_else(|| "nobody".to_owned(), ToString::to_string);
    let text = format!("the first host of {group} would change; it made the cluster's keys, and no play moves them");
    Finding::error(code::KUBESPRAY_FIRST_HOST_MOVED, name(is), text)
        .evidence(format!("{group}: {} → {}", name(was), name(is)))
        .fix(format!("name {} first again in `nodes.controlPlane`", name(was)))
}

/// What the nodes really run may be older than the record: somebody may have changed them by hand.
fn skew(wanted: &RunInputs, seen: &BTreeMap<NodeName, Sight>) -> Result<(), Box<Finding>> {
    let target = wanted.version.semver();
    let far = |sight: &Sight| match sight {
        Sight::Gone | Sight::Bare => None,
        Sight::Member(version) => {
            let runs = version.semver();
            let fits = runs.major == target.major && runs.minor <= target.minor && target.minor <= runs.minor + 1;
            (!fits).then(|| version.clone())
        }
    };
    let wrong: Vec<(&NodeName, Version)> = seen.iter().filter_map(|(name, sight)| Some((name, far(sight)?))).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let names = wrong.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let text = format!("{names} cannot go to {} in one step", wanted.version);
    let mut finding = Finding::error(code::KUBESPRAY_VERSION_SKEW, names, text)
        .fix("look at these nodes: they were not upgraded by plinth; bring them within one minor release first");
    finding.evidence = wrong.iter().map(|(name, version)| format!("{name} runs {version}")).collect();
    Err(Box::new(finding))
}

/// Hosts that are left out keep their version, and would be too old to be taken in again by the usual play.
pub(super) fn left_behind(last: &RunInputs, wanted: &RunInputs, without: &[NodeName]) -> Option<Finding> {
    let members = last.hosts.keys().filter(|host| without.contains(host));
    let names: Vec<&str> = members.map(NodeName::as_str).collect();
    if names.is_empty() || !moves(last, wanted) {
        return None;
    }
    let list = names.join(", ");
    let text = format!("{list} would be left out of an upgrade, and would be of another version than the rest");
    let finding = Finding::error(code::KUBESPRAY_TWO_CHANGES_AT_ONCE, &list, text)
        .evidence(format!("Kubernetes {} → {}, Kubespray {} → {}", last.version, wanted.version, last.tag, wanted.tag));
    Some(finding.fix(format!(
        "repair {list} first; or take it out of the cluster (`plinth remove {} --unreachable`) and upgrade then",
        names.join(" ")
    )))
}

fn two_at_once(last: &RunInputs, wanted: &RunInputs) -> Finding {
    let new: Vec<&str> =
        wanted.hosts.keys().filter(|name| !last.hosts.contains_key(*name)).map(NodeName::as_str).collect();
    Finding::error(
        code::KUBESPRAY_TWO_CHANGES_AT_ONCE,
        new.join(", "),
        "hosts join and the version changes in one plan",
    )
    .evidence(format!("new: {}", new.join(", ")))
    .evidence(format!("Kubernetes {} → {}, Kubespray {} → {}", last.version, wanted.version, last.tag, wanted.tag))
    .fix("apply one of the two first")
}

#[cfg(test)]
#[path = "choice_tests.rs"]
mod tests;
