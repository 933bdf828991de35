//! Checks every node before anything is changed on it, and judges what it says. The only thing written is the pin of a host key that
//! was never seen before.

use crate::answers::Told;
use crate::awaited::Awaited;
use crate::behaviour::StepEnv;
use futures::stream::{self, StreamExt as _};
pub use plinth_check::preflight::shared;
use plinth_check::preflight::{Judged, across, judge};
use plinth_model::facts::NodeFacts;
use plinth_model::finding::code;
use plinth_model::steps::{Credential, NodeExpectation, NodeTarget, Preparation};
use plinth_model::{Finding, NodeName};
use plinth_plan::Visit;
use plinth_world::node::{HostKey, HostKeyState};
use plinth_world::{ClientError, ClientResult};
use std::collections::{BTreeMap, BTreeSet};

/// What the nodes said.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Facts of those that answered.
    pub facts: BTreeMap<NodeName, NodeFacts>,
    /// The login with which each of them answered, and what else a look right behind this need not ask again.
    pub told: BTreeMap<NodeName, Told>,
    /// Everything wrong or doubtful, nodes in the order in which they were given.
    pub findings: Vec<Finding>,
    /// Nodes on which our own Kubernetes runs already.
    pub deployed: BTreeSet<NodeName>,
    /// What may be fixed safely.
    pub fixes: BTreeMap<NodeName, Preparation>,
}

/// What one node told.
#[derive(Default)]
struct NodeReport {
    answer: Option<(NodeFacts, Told)>,
    judged: Vec<Judged>,
}

/// Checks all nodes, at most `parallel` at a time; `awaited` knows which of them have not answered yet.
///
/// # Errors
/// When it cannot be read where Kubernetes was deployed: a node is judged by it. A node that does not answer is a finding.
pub async fn survey(visits: &[Visit], env: &StepEnv, parallel: usize, awaited: &Awaited) -> ClientResult<Survey> {
    let ours = env.clients.records.record(&env.ctx).await?;
    let mut reports: Vec<(usize, NodeReport)> = stream::iter(visits.iter().enumerate())
        .map(|(place, visit)| {
            let deployed = ours.as_ref().is_some_and(|record| record.has(&visit.first.node));
            let expected = NodeExpectation { deployed, ..visit.expected.clone() };
            async move { (place, awaited.during(visit.first.node.as_str(), check(visit, &expected, env)).await) }
        })
        .buffer_unordered(parallel.max(1))
        .collect()
        .await;
    reports.sort_by_key(|(place, _)| *place);
    let mut survey = gathered(visits, reports);
    let has = |visit: &&Visit| ours.as_ref().is_some_and(|record| record.has(&visit.first.node));
    survey.deployed = visits.iter().filter(has).map(|visit| visit.first.node.clone()).collect();
    Ok(survey)
}

fn gathered(visits: &[Visit], reports: Vec<(usize, NodeReport)>) -> Survey {
    let mut survey = Survey::default();
    for (place, report) in reports {
        let Some(visit) = visits.get(place) else { continue };
        let node = visit.first.node.clone();
        for Judged { finding, fix } in report.judged {
            survey.findings.push(finding);
            if let Some(fix) = fix {
                add(survey.fixes.entry(node.clone()).or_default(), fix);
            }
        }
        if let Some((facts, told)) = report.answer {
            survey.facts.insert(node.clone(), facts);
            survey.told.insert(node, told);
        }
    }
    // Lent as a list, not copied: facts of thousands of nodes are tens of megabytes.
    let all: Vec<(NodeName, NodeFacts)> = std::mem::take(&mut survey.facts).into_iter().collect();
    survey.findings.extend(across(&all));
    survey.facts = all.into_iter().collect();
    survey
}

/// Puts two preparations together.
fn add(all: &mut Preparation, more: Preparation) {
    all.hosts.extend(more.hosts);
    for module in more.modules {
        if !all.modules.contains(&module) {
            all.modules.push(module);
        }
    }
    all.sysctls.extend(more.sysctls);
    all.swap_off |= more.swap_off;
    all.time_service |= more.time_service;
}

async fn check(visit: &Visit, expected: &NodeExpectation, env: &StepEnv) -> NodeReport {
    let (mut report, at) = (NodeReport::default(), env.ctx.clock().elapsed());
    let host_key = match check_host_key(&visit.first, env).await {
        Ok((state, finding)) => {
            report.judged.extend(finding.map(told));
            state
        }
        Err(error) => {
            report.judged.push(told(unreached(&visit.first, error)));
            return report;
        }
    };
    if report.judged.iter().any(|one| one.finding.is_error()) {
        return report;
    }
    match read_facts(visit, env).await {
        Ok((facts, login)) => {
            report.judged.extend(judge(&visit.first.node, &facts, expected));
            let told = Told { login: login.clone(), asked: visit.asked.clone(), host_key, at };
            report.answer = Some((facts, told));
        }
        Err(error) => report.judged.push(told(unreached(&visit.first, error))),
    }
    report
}

const fn told(finding: Finding) -> Judged {
    Judged { finding, fix: None }
}

/// Sees the host key: a new one is pinned and told, a changed one is an error. Answers how it is pinned afterwards.
pub(crate) async fn check_host_key(
    target: &NodeTarget,
    env: &StepEnv,
) -> Result<(HostKeyState, Option<Finding>), ClientError> {
    let HostKeyState { presented, pinned } = env.clients.node.host_key(&env.ctx, target).await?;
    let finding = match &pinned {
        Some(pinned) if *pinned == presented => None,
        Some(pinned) => Some(crate::steps::node::connect::key_changed(target, pinned, &presented)),
        None => {
            env.clients.node.pin_host_key(&env.ctx, target, &presented).await?;
            Some(pinned_now(target, &presented))
        }
    };
    let pinned = Some(pinned.unwrap_or_else(|| presented.clone()));
    Ok((HostKeyState { presented, pinned }, finding))
}

fn pinned_now(target: &NodeTarget, presented: &HostKey) -> Finding {
    let text = format!("host key {} accepted on first contact and pinned", presented.fingerprint);
    Finding::info(code::NODE_HOST_KEY_PINNED, target.node.as_str(), text)
        .evidence(format!("{} {}", presented.algorithm, presented.fingerprint))
        .evidence(format!("address: {}", target.address))
        .fix("compare it with what the node's console shows")
}

/// Reads facts with the service account, or with the first-contact login where that account is not there yet, or cannot become
/// root: making the account fixes that.
async fn read_facts<'a>(visit: &'a Visit, env: &StepEnv) -> ClientResult<(NodeFacts, &'a NodeTarget)> {
    let Visit { first, account, asked, .. } = visit;
    if let Credential::Key(key) = &account.credential
        && crate::steps::node::account::is_there(env, key)
    {
        match env.clients.node.facts(&env.ctx, account, asked).await {
            Err(error) if error.transient.is_none() => {}
            Ok(facts) if facts.root == "none" => {}
            answer => return answer.map(|facts| (facts, account)),
        }
    }
    Ok((env.clients.node.facts(&env.ctx, first, asked).await?, first))
}

fn unreached(target: &NodeTarget, error: ClientError) -> Finding {
    if let Some(finding) = error.finding {
        return *finding;
    }
    crate::unreached::unreached(target.node.as_str(), error)
        .evidence(format!("address: {} port {}", target.address, target.port))
}
