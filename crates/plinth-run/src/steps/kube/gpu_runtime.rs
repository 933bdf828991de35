//! NVIDIA's runtime in containerd after a play: Kubespray writes containerd's settings again, and where the GPU operator's toolkit had
//! put its runtime into the same file, GPU pods fail until the toolkit starts again (Kubespray issue 12277).

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, unseen};
use crate::steps::{Explanation, StepKind, wait};
use futures::future::join_all;
use plinth_model::amount;
use plinth_model::finding::code;
use plinth_model::steps::{GpuRuntime, NodeTarget};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::kube::ToolkitPod;

const CLIENT: &str = "kube";

impl StepKind for GpuRuntime {
    const EXPLANATION: Explanation = Explanation {
        kind: GpuRuntime::KIND,
        title: "containerd knows NVIDIA's runtime wherever the GPU operator's toolkit runs.",
        probe: "Asks the cluster for the toolkit's pods, and their nodes whether containerd knows the runtime: a run of Kubespray writes containerd's settings again. Where no toolkit runs, nothing is expected.",
        act: "Ends the toolkit's pods on nodes that lost the runtime; new ones set it up. Waits until containerd knows it.",
    };

    /// Where a toolkit runs, containerd knows the runtime. Where none runs, nobody promised it.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { targets } = self;
        let fitted = look(env, targets).await?;
        let lost = fitted.iter().filter(|fitted| !fitted.knows);
        let lost = lost.map(|fitted| format!("~ containerd on {} does not know NVIDIA's runtime", fitted.target.node));
        Ok(compared(lost.collect(), || match fitted.len() {
            0 => "no GPU operator toolkit runs yet: nothing to check".to_owned(),
            nodes => format!("containerd knows NVIDIA's runtime on {}", amount(nodes, "node")),
        }))
    }

    /// Ends the toolkit's pods on nodes that lost the runtime, and waits until the new ones have set it up.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { targets } = self;
        let limit = wait::Limit::of(step, env);
        let lost: Vec<Fitted<'_>> = look(env, targets).await?.into_iter().filter(|fitted| !fitted.knows).collect();
        for fitted in &lost {
            env.clients.kube.end_pod(&env.ctx, &fitted.pod).await?;
        }
        let nodes: Vec<NodeTarget> = lost.iter().map(|fitted| fitted.target.clone()).collect();
        wait::until(&limit, env, CLIENT, || known(env, &nodes), late).await
    }
}

/// A node with a toolkit, and whether containerd knows NVIDIA's runtime there.
struct Fitted<'a> {
    target: &'a NodeTarget,
    pod: ToolkitPod,
    knows: bool,
}

async fn look<'a>(env: &StepEnv, targets: &'a [NodeTarget]) -> Result<Vec<Fitted<'a>>, ClientError> {
    let mut pods = env.clients.kube.toolkits(&env.ctx).await?;
    let with = targets.iter().filter_map(|target| Some((target, pods.swap_remove(target.node.as_str())?)));
    let asked = with.map(|(target, pod)| async move { Ok(Fitted { target, pod, knows: knows(env, target).await? }) });
    join_all(asked).await.into_iter().collect()
}

async fn knows(env: &StepEnv, target: &NodeTarget) -> Result<bool, ClientError> {
    let seen = env.control_plane(target).await?;
    seen.nvidia_runtime.ok_or_else(|| {
        unseen("ssh", format!("reading containerd's settings on {}", target.node), "they could not be read")
    })
}

/// By the nodes alone: between two pods the cluster knows of no toolkit.
async fn known(env: &StepEnv, nodes: &[NodeTarget]) -> Result<Probed, ClientError> {
    let asked = nodes.iter().map(|target| async move { Ok((target, knows(env, target).await?)) });
    let seen = join_all(asked).await.into_iter().collect::<Result<Vec<_>, ClientError>>()?;
    let waits = seen.iter().filter(|(_, knows)| !knows);
    let waits = waits.map(|(target, _)| format!("~ containerd on {} does not know NVIDIA's runtime yet", target.node));
    Ok(compared(waits.collect(), || format!("the toolkit was started again on {}", amount(nodes.len(), "node"))))
}

fn late(seen: &[String]) -> Finding {
    let text = "the GPU operator's toolkit was started again, but containerd still does not know NVIDIA's runtime";
    let mut finding = Finding::error(code::KUBERNETES_GPU_RUNTIME_LOST, "gpu-operator", text).fix(
        "look at the toolkit's pods: `kubectl get pods -A -l app=nvidia-container-toolkit-daemonset -o wide`, and their logs",
    );
    finding.evidence = seen.to_vec();
    finding
}
