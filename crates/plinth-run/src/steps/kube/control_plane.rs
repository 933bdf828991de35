//! Health of the control plane: the API server's own checks, what runs in kube-system, etcd, certificates. Only looks and waits.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{ENOUGH_DAYS, blocked, compared, days};
use crate::steps::{Explanation, StepKind, wait};
use futures::future::join_all;
use jiff::Timestamp;
use plinth_model::amount;
use plinth_model::finding::code;
use plinth_model::steps::{ControlPlane, NodeTarget};
use plinth_model::{Finding, NodeName, Step};
use plinth_world::kube::ClusterHealth;
use plinth_world::node::{CertificateFile, EtcdMember};
use plinth_world::{ClientError, node};
use std::collections::BTreeSet;

const CLIENT: &str = "kube";
/// Workload that answers names in every cluster that Kubespray or kubeadm makes.
const DNS: &str = "coredns";
const DAY: i64 = 86_400;

/// What one node said.
struct Told<'a> {
    target: &'a NodeTarget,
    seen: node::ControlPlane,
}

impl StepKind for ControlPlane {
    const EXPLANATION: Explanation = Explanation {
        kind: ControlPlane::KIND,
        title: "API server, etcd, certificates and the cluster's own pods are well.",
        probe: "Asks the API server for its own checks and for the workloads of kube-system, and every node of the control plane and of etcd for etcd's members, their health, and the dates of all certificates. An expired certificate stops; one with less than 30 days left is a warning.",
        act: "Waits until its deadline, looking often at first and then every ten seconds.",
    };

    /// Everything is well now.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { targets, etcd } = self;
        let cluster = env.clients.kube.cluster_health(&env.ctx).await?;
        let asked = targets.iter().map(|target| ask(env, target));
        let told = join_all(asked).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let now = env.ctx.clock().now();
        let certificates = Certificates::of(&told, now);
        if !certificates.expired.is_empty() {
            return blocked(certificates.finding());
        }
        let members: Vec<&Told<'_>> = told.iter().filter(|told| etcd.contains(&told.target.node)).collect();
        let mut differences = api(&cluster);
        differences.extend(etcd_lacks(&members));
        differences.extend(kubelets(&told));
        let pods: u32 = cluster.workloads.iter().map(|workload| workload.ready).sum();
        Ok(compared(differences, || {
            let (pods, members) = (amount(pods as usize, "pod"), amount(members.len(), "member"));
            if told.is_empty() {
                return format!("API ready, {pods} of kube-system ready; no node was asked");
            }
            format!("API ready, etcd of {members} agrees, {pods} of kube-system ready, {}", certificates.words())
        })
        .noting(certificates.ends_soon()))
    }

    /// Waits until everything is well.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let late = |seen: &[String]| {
            let mut finding = Finding::error(
            code::KUBERNETES_CONTROL_PLANE_ILL,
            step.target(),
            "the control plane did not become healthy in time",
        )
        .fix("look at the parts that the evidence names: `kubectl get pods -n kube-system -o wide`, and on the nodes `journalctl -u etcd -u kubelet`; a member that lost its disk is taken in again by `plinth recover NODE`");
            finding.evidence = seen.to_vec();
            finding
        };
        wait::until(&wait::Limit::of(step, env), env, CLIENT, || self.probe(env), late).await
    }
}

async fn ask<'a>(env: &StepEnv, target: &'a NodeTarget) -> Result<Told<'a>, ClientError> {
    Ok(Told { target, seen: env.control_plane(target).await? })
}

fn api(cluster: &ClusterHealth) -> Vec<String> {
    let failing = cluster.failing.iter().map(|check| format!("! API server: {check} fails"));
    let short =
        |(kind, name, ready, wanted): (&str, &str, u32, u32)| format!("! {kind} {name}: {ready}/{wanted} ready");
    let lacking = cluster.workloads.iter().filter(|workload| workload.ready < workload.wanted);
    let lacking = lacking.map(|workload| short((workload.kind, &workload.name, workload.ready, workload.wanted)));
    let answers = cluster.workloads.iter().any(|workload| workload.name == DNS && workload.ready > 0);
    let no_dns = (!answers).then(|| format!("! no pod of {DNS} is ready in kube-system"));
    failing.chain(lacking).chain(no_dns).collect()
}

fn kubelets(told: &[Told<'_>]) -> Vec<String> {
    let stopped = |told: &&Told<'_>| !matches!(told.seen.kubelet.as_str(), "" | "active") && !is_etcd_only(told);
    let line = |told: &Told<'_>| format!("! kubelet on {} is {}", told.target.node, told.seen.kubelet);
    told.iter().filter(stopped).map(line).collect()
}

/// A member of etcd outside the cluster has no kubelet: `unknown` or `inactive` is what systemd says of none.
fn is_etcd_only(told: &Told<'_>) -> bool {
    !told.seen.certificates.iter().any(|found| found.file.ends_with("apiserver.crt"))
}

/// Every member is healthy, votes, has started, sees the same members as the others, and all of them are the site's.
fn etcd_lacks(members: &[&Told<'_>]) -> Vec<String> {
    let mut lacks = Vec::new();
    let mut lists: Vec<(&NodeName, &[EtcdMember])> = Vec::new();
    for told in members {
        let node = &told.target.node;
        let Some(etcd) = &told.seen.etcd else {
            lacks.push(format!("! etcd is not set up on {node}"));
            continue;
        };
        lacks.extend(etcd.unhealthy.iter().map(|why| format!("! {node}: {why}")));
        if !etcd.members.is_empty() {
            lists.push((node, &etcd.members));
        }
    }
    if let Some(((first, list), others)) = lists.split_first() {
        let differ = others.iter().filter(|(_, other)| other != list);
        lacks.extend(
            differ.map(|(node, other)| format!("! etcd: {first} sees {}, {node} sees {}", words(list), words(other))),
        );
        lacks.extend(list.iter().filter(|member| member.name.is_empty() || member.learner).map(|member| {
            let what = if member.learner { "does not vote yet" } else { "has not started" };
            format!("! etcd member {} {what}", named(member))
        }));
        lacks.extend(strangers(members, list));
    }
    lacks
}

fn named(member: &EtcdMember) -> &str {
    if member.name.is_empty() { &member.id } else { &member.name }
}

fn words(members: &[EtcdMember]) -> String {
    members.iter().map(named).collect::<Vec<_>>().join(" ")
}

/// Members at addresses that are not the site's, and the site's that are no members.
fn strangers(told: &[&Told<'_>], list: &[EtcdMember]) -> Vec<String> {
    let at = |member: &EtcdMember, told: &Told<'_>| {
        let address = format!("//{}:", told.target.address);
        member.peers.iter().any(|peer| peer.contains(&address))
    };
    let missing = told.iter().filter(|told| !list.iter().any(|member| at(member, told)));
    let foreign = list.iter().filter(|member| !told.iter().any(|told| at(member, told)));
    let missing = missing.map(|told| format!("! {} is no member of etcd", told.target.node));
    missing
        .chain(foreign.map(|member| format!("! etcd has a member that the site does not have: {}", named(member))))
        .collect()
}

/// Certificates of all nodes, by what is left.
struct Certificates {
    expired: Vec<String>,
    soon: BTreeSet<(i64, String)>,
    first: Option<i64>,
}

impl Certificates {
    fn of(told: &[Told<'_>], now: Timestamp) -> Self {
        let mut all = Self { expired: Vec::new(), soon: BTreeSet::new(), first: None };
        for told in told {
            told.seen.certificates.iter().for_each(|found| all.take(&told.target.node, found, now));
        }
        all
    }

    fn take(&mut self, node: &NodeName, found: &CertificateFile, now: Timestamp) {
        let days = (found.expires.as_second() - now.as_second()).div_euclid(DAY);
        if found.expires <= now {
            self.expired.push(format!("{node}: {} expired at {}", found.file, found.expires));
        } else if days < ENOUGH_DAYS {
            self.soon.insert((days, format!("{} on {node}", found.file)));
        }
        self.first = Some(self.first.map_or(days, |known| known.min(days)));
    }

    fn words(&self) -> String {
        self.first
            .map_or_else(|| "no certificate was found".to_owned(), |left| format!("certificates last {}", days(left)))
    }

    fn ends_soon(&self) -> Option<Finding> {
        let (first, _) = self.soon.first()?;
        let message = format!(
            "{} of the control plane {} within {ENOUGH_DAYS} days, the first in {}",
            amount(self.soon.len(), "certificate"),
            if self.soon.len() == 1 { "ends" } else { "end" },
            days(*first),
        );
        let mut finding = Finding::warning(code::KUBERNETES_CERTIFICATE_ENDS_SOON, "kubernetes", message).fix(
            "renew them: `kubeadm certs renew all` on each control-plane node and a restart of its static pods, or a run of Kubespray with `force_certificate_regeneration`",
        );
        finding.evidence = self
            .soon
            .iter()
            .map(|(days, which)| format!("{which}: {}", amount(usize::try_from(*days).unwrap_or(0), "day")))
            .collect();
        Some(finding)
    }

    fn finding(self) -> Finding {
        let message = format!("{} of the control plane expired", amount(self.expired.len(), "certificate"));
        let mut finding = Finding::error(code::KUBERNETES_CERTIFICATE_EXPIRED, "kubernetes", message).fix(
            "renew them: `kubeadm certs renew all` on each control-plane node and a restart of its static pods, or a run of Kubespray with `force_certificate_regeneration`; then run again",
        );
        finding.evidence = self.expired;
        finding
    }
}
