//! The phases.

use super::cluster::Cluster;
use super::ground::{FIRST, Ground, until};
use super::{Done, Phase, plain, section, spent};
use crate::commands::Failure;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

/// How long a play may take to come to its middle.
const MIDDLE: Duration = Duration::from_secs(1500);

/// What is left of Kubernetes on a node: files, processes, links and mounts. Prints nothing on a bare one.
const LEFT: &str = include_str!("left.sh");

const NETWORK: &str = include_str!("network.sh");

/// What comes after Kubernetes in a site without a platform, and is not in every release.
const AFTER: &str = "checks/storage/default";

pub(super) fn run(phase: Phase, ground: &mut Ground) -> Result<Done, Failure> {
    match phase {
        Phase::First => first(ground),
        Phase::Again => again(ground),
        Phase::Scale => scale(ground),
        Phase::Remove => remove(ground),
        Phase::Reset => reset(ground),
        Phase::Kill => kill(ground),
        Phase::Recover => recover(ground),
        Phase::Unpushed => unpushed(ground),
        Phase::Compare => plain::compare(ground),
    }
}

fn first(ground: &mut Ground) -> Result<Done, Failure> {
    ground.bare()?;
    let seconds = apply(ground, FIRST, "first")?;
    let proved = Cluster::of(ground)?.proved(&ground.names(FIRST))?;
    Ok(Done { phase: Phase::First, timed: vec![(section::FIRST, seconds)], proved })
}

fn again(ground: &mut Ground) -> Result<Done, Failure> {
    let count = installed(ground)?;
    let before = plays(ground);
    let log = ground.path("state/plinth.log");
    let written = std::fs::metadata(&log).map_or(0, |file| usize::try_from(file.len()).unwrap_or(0));
    let seconds = apply_with(ground, count, "again", &["-v"])?;
    let events = std::fs::read_to_string(ground.path("again.ndjson")).unwrap_or_default();
    ground.spent = spent::table((&spent::since(&log, written), &events), seconds);
    let after = plays(ground);
    if before != after {
        return Err(format!("apply of an unchanged site started a playbook: {after} instead of {before} logs"));
    }
    let proved = "no playbook was started".to_owned();
    Ok(Done { phase: Phase::Again, timed: vec![(section::AGAIN, seconds)], proved })
}

fn scale(ground: &mut Ground) -> Result<Done, Failure> {
    installed(ground)?;
    let seconds = apply(ground, FIRST + 1, "scale")?;
    let proved = Cluster::of(ground)?.proved(&ground.names(FIRST + 1))?;
    Ok(Done { phase: Phase::Scale, timed: vec![(section::SCALE, seconds)], proved })
}

/// The last of four nodes leaves the cluster, and is bare again.
fn remove(ground: &mut Ground) -> Result<Done, Failure> {
    if installed(ground)? == FIRST {
        apply(ground, FIRST + 1, "installed")?;
    }
    let names = ground.names(FIRST + 1);
    let mut command =
        ground.plinth(&["remove", &names[FIRST], "-f", "site.yaml", "--state", "state", "--confirm", "e2e"]);
    let seconds = ground.good(&mut command, "remove.log")?;
    ground.site(FIRST)?;
    ground.installed = FIRST;
    bare(ground, &names[FIRST..])?;
    let proved = Cluster::of(ground)?.proved(&names[..FIRST])?;
    Ok(Done { phase: Phase::Remove, timed: vec![(section::REMOVE, seconds)], proved })
}

/// A look past plinth: nothing of Kubernetes is left on these nodes.
fn bare(ground: &Ground, names: &[String]) -> Result<(), Failure> {
    for node in ground.lab.nodes().filter(|node| names.iter().any(|name| name == node.name())) {
        let left = node.exec(&["/bin/sh", "-c", LEFT]).map_err(|error| error.to_string())?;
        if !left.trim().is_empty() {
            return Err(format!("on {} is left: {left}", node.name()));
        }
    }
    Ok(())
}

/// Back to bare nodes by plinth.
fn reset(ground: &mut Ground) -> Result<Done, Failure> {
    let count = installed(ground)?;
    let mut command = ground.plinth(&["reset", "-f", "site.yaml", "--state", "state", "--confirm", "e2e"]);
    let seconds = ground.good(&mut command, "reset.log")?;
    ground.installed = 0;
    bare(ground, &ground.names(count))?;
    let proved = format!("{count} nodes are bare again");
    Ok(Done { phase: Phase::Reset, timed: vec![(section::RESET, seconds)], proved })
}

/// plinth dies while the control plane is being made; the next apply completes.
fn kill(ground: &mut Ground) -> Result<Done, Failure> {
    ground.bare()?;
    ground.site(FIRST)?;
    let log = ground.write("killed.log", "")?;
    let told = |error: std::io::Error| format!("starting plinth: {error}");
    let file = std::fs::File::options().append(true).open(&log).map_err(told)?;
    let errors = file.try_clone().map_err(told)?;
    let mut child = ground.apply("killed.ndjson").stdout(file).stderr(Stdio::from(errors)).spawn().map_err(told)?;
    let mut ended = None;
    let middle = until("the control plane is being made", MIDDLE, || {
        ended = child.try_wait().ok().flatten();
        let node = ground.lab.nodes().next().ok_or("the lab has no nodes")?;
        let made = node.exec(&["test", "-e", "/etc/kubernetes/manifests/kube-apiserver.yaml"]).is_ok();
        Ok(made || ended.is_some())
    });
    let killed = child.kill().and_then(|()| child.wait());
    middle?;
    killed.map_err(|error| format!("killing plinth: {error}"))?;
    if let Some(status) = ended {
        return Err(format!("plinth ended with {status} before it was killed:\n{}", ground.last_lines("killed.log")));
    }
    let seconds = apply(ground, FIRST, "completed")?;
    let proved = Cluster::of(ground)?.proved(&ground.names(FIRST))?;
    Ok(Done { phase: Phase::Kill, timed: vec![(section::KILLED, seconds)], proved })
}

/// A control plane of several nodes; then BCM re-images nodes, and none of them is lost to the cluster.
fn recover(ground: &mut Ground) -> Result<Done, Failure> {
    ground.bare()?;
    ground.control_plane = FIRST;
    let done = recovered(ground);
    ground.control_plane = 1;
    done
}

fn recovered(ground: &mut Ground) -> Result<Done, Failure> {
    let count = FIRST + 1;
    let names = ground.names(count);
    let three = apply(ground, count, "three")?;
    Cluster::of(ground)?.proved(&names)?;
    made_anew(ground, &names[FIRST])?;
    let rejoined = apply(ground, count, "rejoined")?;
    Cluster::of(ground)?.proved(&names)?;
    made_anew(ground, &names[0])?;
    network_of_its_own(ground, &names[0])?;
    let refused = apply(ground, count, "lost");
    if !refused.as_ref().is_err_and(|error| error.contains("kubespray.control-plane-lost")) {
        return Err(format!("apply did not say that the first control-plane node is lost: {refused:?}"));
    }
    let words = ["recover", &names[0], "-f", "site.yaml", "--state", "state", "--confirm", "e2e"];
    let recovered = ground.good(&mut ground.plinth(&words), "recover.log")?;
    Cluster::of(ground)?.proved(&names)?;
    let before = plays(ground);
    apply(ground, count, "after")?;
    if plays(ground) != before {
        return Err("apply after the recovery started a playbook".to_owned());
    }
    let proved = Cluster::of(ground)?.proved(&names)?;
    let timed = vec![(section::THREE, three), (section::REJOINED, rejoined), (section::RECOVERED, recovered)];
    Ok(Done { phase: Phase::Recover, timed, proved })
}

/// A node comes back bare, and its new host keys are believed.
fn made_anew(ground: &Ground, name: &str) -> Result<(), Failure> {
    println!("e2e: {name} is re-imaged");
    ground.lab.node(name).and_then(|node| node.provision()).map_err(|error| error.to_string())?;
    let mut trust = ground.plinth(&["trust", name, "-f", "site.yaml", "--state", "state", "--yes"]);
    ground.good(&mut trust, "trust.log").map(drop)
}

/// The network of pods reaches the node as it does where a daemon set brings it.
fn network_of_its_own(ground: &Ground, name: &str) -> Result<(), Failure> {
    let node = ground.lab.node(name).map_err(|error| error.to_string())?;
    node.exec(&["/bin/sh", "-euc", NETWORK, "sh", &ground.url()]).map(drop).map_err(|error| error.to_string())
}

/// What pushing is worth.
fn unpushed(ground: &mut Ground) -> Result<Done, Failure> {
    ground.bare()?;
    ground.push = false;
    let applied = apply(ground, FIRST, "unpushed");
    ground.push = true;
    let seconds = applied?;
    let proved = Cluster::of(ground)?.proved(&ground.names(FIRST))?;
    Ok(Done { phase: Phase::Unpushed, timed: vec![(section::UNPUSHED, seconds)], proved })
}

/// Applies the site of so many nodes; log and events bear the name.
fn apply(ground: &mut Ground, count: usize, name: &str) -> Result<f64, Failure> {
    apply_with(ground, count, name, &[])
}

/// The same with further words.
fn apply_with(ground: &mut Ground, count: usize, name: &str, more: &[&str]) -> Result<f64, Failure> {
    ground.site(count)?;
    let (events, log) = (format!("{name}.ndjson"), format!("{name}.log"));
    let (code, seconds) = ground.timed(ground.apply(&events).args(more), &log)?;
    let path = ground.path(&events);
    let events = std::fs::read_to_string(&path).map_err(|error| format!("reading {}: {error}", path.display()))?;
    judged(code, &events).map_err(|error| format!("{error}\n{}", ground.last_lines(&log)))?;
    ground.installed = count;
    Ok(seconds)
}

/// All of Kubernetes has to be done, also by a plinth that cannot do yet what a site without a platform asks for after it.
fn judged(code: i32, events: &str) -> Result<(), Failure> {
    let events: Vec<Value> = events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let failed: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "step.finished" && event["outcome"] == "failed")
        .map(|event| {
            (event["step"].as_str().unwrap_or_default(), event["finding"]["code"].as_str().unwrap_or_default())
        })
        .collect();
    match (code, failed.as_slice()) {
        (0, []) | (3, [(AFTER, "plinth.not-in-this-release")]) => Ok(()),
        _ => Err(format!("plinth apply ended with {code}; failed: {failed:?}")),
    }
}

/// Makes sure that there is a cluster; gives its number of nodes.
fn installed(ground: &mut Ground) -> Result<usize, Failure> {
    if ground.installed == 0 {
        ground.bare()?;
        apply(ground, FIRST, "installed")?;
    }
    Ok(ground.installed)
}

/// Playbooks that were started, by the logs that plinth keeps of them.
fn plays(ground: &Ground) -> usize {
    std::fs::read_dir(ground.path("state/kubespray/logs")).map_or(0, Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_after_kubernetes_may_fail() {
        let failed = |step: &str, code: &str| {
            let finding = serde_json::json!({"code": code});
            serde_json::json!({"event": "step.finished", "step": step, "outcome": "failed", "finding": finding})
                .to_string()
        };
        let after = failed(AFTER, "plinth.not-in-this-release");
        assert_eq!(judged(0, ""), Ok(()));
        assert_eq!(judged(3, &after), Ok(()));
        for (code, events) in [
            (3, String::new()),
            (0, after.clone()),
            (3, failed(AFTER, "checks.failed")),
            (3, failed("kubernetes/deploy/e2e", "plinth.not-in-this-release")),
            (4, format!("{after}\n{}", failed("kubernetes/ready/n1", "x"))),
        ] {
            assert!(judged(code, &events).is_err(), "{code} {events}");
        }
    }
}
