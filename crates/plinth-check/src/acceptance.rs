//! Carries out acceptance checks, one at a time.

use crate::claim::Claim;
use crate::verdict::{fail, finding, pass};
use crate::workload;
use plinth_model::steps::{Check, RunaiTarget};
use plinth_model::{NodeName, Verdict, amount};
use plinth_world::kube::CheckSeen;
use plinth_world::runai::RunaiCluster;
use plinth_world::{ClientError, ClientResult, Clients, Context};

/// Carries out a check and says what was seen. Test objects are made in the cluster and removed again.
///
/// # Errors
/// When it could not be carried out; that is not a verdict.
pub async fn accept(ctx: &Context, clients: &Clients, check: &Check) -> Result<Verdict, ClientError> {
    ctx.progress(0, 0, Claim::of(check).sentence);
    match check {
        Check::Runai { target, nodes } => {
            let clusters = clients.runai.clusters(ctx, target).await?;
            Ok(runai(check, &clusters, target, nodes))
        }
        Check::RunaiWorkload { target, project, gpus, image } => {
            if let CheckSeen::Skipped(reason) = clients.kube.run_check(ctx, check).await? {
                return Ok(Verdict::Skip { reason });
            }
            workload::check(ctx, &*clients.runai, check, target, (project, *gpus, image)).await
        }
        Check::Ingress { certificate: Some(name), .. } => {
            let kept = match kept_certificate(ctx, clients, check, name).await? {
                Ok(line) => line,
                Err(verdict) => return Ok(verdict),
            };
            let seen = clients.kube.run_check(ctx, check).await?;
            Ok(judged(check, seen, Some(kept)))
        }
        _ => {
            let seen = clients.kube.run_check(ctx, check).await?;
            Ok(judged(check, seen, None))
        }
    }
}

/// A line about the kept certificate, or the verdict when there is none to compare with.
async fn kept_certificate(
    ctx: &Context,
    clients: &Clients,
    check: &Check,
    name: &str,
) -> ClientResult<Result<String, Verdict>> {
    Ok(match clients.keystore.certificate(ctx, name).await? {
        Some(kept) if kept.days_left >= 0 => Ok(format!(
            "kept certificate `{name}` is valid for {} more days, SHA-256 {}",
            kept.days_left, kept.fingerprint
        )),
        Some(kept) => Err(fail(check, vec![format!("kept certificate `{name}` expired {} days ago", -kept.days_left)])),
        None => Err(fail(check, vec![format!("there is no kept certificate `{name}`")])),
    })
}

/// Judges what was seen.
fn judged(check: &Check, seen: CheckSeen, further: Option<String>) -> Verdict {
    match seen {
        CheckSeen::Holds(evidence) => {
            pass(evidence.into_iter().chain(further).filter(|line| !line.is_empty()).collect())
        }
        CheckSeen::Skipped(reason) => Verdict::Skip { reason },
        CheckSeen::Fails { evidence, code } => {
            let mut finding = finding(check, evidence.into_iter().chain(further).collect());
            if let Some(code) = code {
                finding.code = code;
                finding.fix = code.declaration().map_or(finding.fix, |declared| declared.fix.to_owned());
            }
            Verdict::Fail { finding: Box::new(finding) }
        }
    }
}

/// Judges what the control plane says about the cluster.
fn runai(check: &Check, clusters: &[RunaiCluster], target: &RunaiTarget, nodes: &[NodeName]) -> Verdict {
    let [cluster] = clusters else {
        return fail(
            check,
            vec![format!("{} clusters are named `{}`; exactly one should be", clusters.len(), target.cluster)],
        );
    };
    let mut evidence = vec![format!("state {}", cluster.state), nodes_told(cluster)];
    evidence.extend(cluster.missing.iter().map(|dependency| format!("required dependency {dependency} is missing")));
    evidence.extend(cluster.unwell.iter().cloned());
    let is_seen = |node: &&str| cluster.gpu_nodes.as_ref().is_none_or(|seen| seen.iter().any(|name| name == node));
    let unseen: Vec<&str> = nodes.iter().map(NodeName::as_str).filter(|node| !is_seen(node)).collect();
    if !unseen.is_empty() {
        evidence.push(format!("GPU nodes not seen: {}", unseen.join(", ")));
    }
    if cluster.state == "Connected" && unseen.is_empty() { pass(evidence) } else { fail(check, evidence) }
}

fn nodes_told(cluster: &RunaiCluster) -> String {
    match &cluster.gpu_nodes {
        Some(names) => format!("{} seen: {}", amount(names.len(), "GPU node"), names.join(", ")),
        None => {
            "this release does not tell its nodes in a way that is known, so GPU nodes were not compared".to_owned()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use plinth_model::SecretRef;
    use plinth_model::steps::RunaiApi;

    pub(crate) fn target() -> RunaiTarget {
        RunaiTarget {
            url: "https://a.test".to_owned(),
            address: None,
            realm: "runai".to_owned(),
            admin: "admin@example.com".to_owned(),
            password: SecretRef::Env("PASSWORD".to_owned()),
            authority: None,
            cluster: "gpu".to_owned(),
            authority_text: None,
            cluster_url: None,
            version: "2.21.43".parse().unwrap(),
            api: RunaiApi::default(),
        }
    }

    fn cluster(state: &str, gpu_nodes: &[&str]) -> RunaiCluster {
        RunaiCluster {
            uuid: "u".to_owned(),
            state: state.to_owned(),
            missing: Vec::new(),
            unwell: Vec::new(),
            reported: None,
            gpu_nodes: Some(gpu_nodes.iter().map(|n| (*n).to_owned()).collect()),
        }
    }

    #[test]
    fn runai_must_be_connected_once_and_see_every_gpu_node() {
        let nodes = [NodeName::new("dgx-05").unwrap(), NodeName::new("dgx-06").unwrap()];
        let all = ["dgx-05", "dgx-06", "dgx-07"];
        let connected = || cluster("Connected", &all);
        let cases = [
            (vec![connected()], None),
            (vec![cluster("Disconnected", &all)], Some("state Disconnected")),
            (vec![cluster("Connected", &["dgx-05"])], Some("GPU nodes not seen: dgx-06")),
            (vec![], Some("0 clusters are named `gpu`; exactly one should be")),
            (vec![connected(), connected()], Some("2 clusters are named `gpu`; exactly one should be")),
        ];
        let check = Check::Runai { target: Box::new(target()), nodes: nodes.to_vec() };
        for (clusters, wrong) in cases {
            match (runai(&check, &clusters, &target(), &nodes), wrong) {
                (Verdict::Pass { evidence }, None) => assert_eq!(evidence[0], "state Connected"),
                (Verdict::Fail { finding }, Some(line)) => {
                    assert_eq!(finding.code, "runai.cluster-not-connected");
                    assert!(finding.evidence.iter().any(|e| e == line), "{:?}", finding.evidence);
                }
                (verdict, wrong) => panic!("{clusters:?}: {verdict:?}, wanted {wrong:?}"),
            }
        }
    }

    #[test]
    fn what_was_seen_becomes_evidence() {
        let seen = |holds| {
            if holds {
                CheckSeen::Holds(vec!["1 GPU: H100".to_owned()])
            } else {
                CheckSeen::Fails { evidence: vec!["1 GPU: H100".to_owned()], code: None }
            }
        };
        let check = Check::GpuPod {
            node: NodeName::new("dgx-05").unwrap(),
            image: String::new(),
            resource: "nvidia.com/gpu".to_owned(),
        };
        let kept = Some("kept".to_owned());
        assert_eq!(
            judged(&check, seen(true), kept),
            Verdict::Pass { evidence: vec!["1 GPU: H100".to_owned(), "kept".to_owned()] }
        );
        let Verdict::Fail { finding } = judged(&check, seen(false), None) else { panic!("must fail") };
        assert_eq!((finding.code.as_str(), finding.subject.as_str()), ("gpu.pod-does-not-run", "dgx-05"));
        assert_eq!(finding.evidence, ["1 GPU: H100"]);
        assert!(!finding.fix.is_empty());
    }
}
