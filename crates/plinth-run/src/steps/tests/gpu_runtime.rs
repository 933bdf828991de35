use super::cluster::at;
use super::*;
use indexmap::IndexMap;
use plinth_model::steps::GpuRuntime;
use plinth_world::kube::ToolkitPod;
use plinth_world::node::ControlPlane;

fn work() -> Work {
    Work::GpuRuntime(GpuRuntime { targets: vec![at("dgx-05"), at("dgx-06")] })
}

fn toolkits(nodes: &[&str]) -> IndexMap<String, ToolkitPod> {
    let pod = |node: &&str| {
        let pod = ToolkitPod { namespace: "gpu-operator".to_owned(), name: format!("toolkit-on-{node}") };
        ((*node).to_owned(), pod)
    };
    nodes.iter().map(pod).collect()
}

fn node_that(knows: Option<bool>) -> ControlPlane {
    ControlPlane { etcd: None, certificates: Vec::new(), kubelet: "active".to_owned(), nvidia_runtime: knows }
}

#[tokio::test]
async fn only_nodes_with_a_toolkit_are_asked() {
    let bench = Bench::new();
    bench.fake.on("toolkits", toolkits(&[]));
    assert_eq!(done(bench.look(&work()).await), "no GPU operator toolkit runs yet: nothing to check");
    bench.fake.on("toolkits", toolkits(&["dgx-06", "cpu-09"])).on("control_plane", node_that(Some(true)));
    assert_eq!(done(bench.look(&work()).await), "containerd knows NVIDIA's runtime on 1 node");
    bench.fake.on("toolkits", toolkits(&["dgx-05", "dgx-06"]));
    bench.fake.on("control_plane", node_that(Some(false))).on("control_plane", node_that(Some(true)));
    assert_eq!(todo(bench.look(&work()).await), ["~ containerd on dgx-05 does not know NVIDIA's runtime"]);
    bench.fake.on("toolkits", toolkits(&["dgx-05"])).on("control_plane", node_that(None));
    assert!(bench.look(&work()).await.is_err(), "what cannot be read is not known");
}

#[tokio::test]
async fn the_toolkit_starts_again_where_the_runtime_was_lost_and_is_waited_for() {
    let bench = Bench::new();
    bench.fake.on("toolkits", toolkits(&["dgx-05", "dgx-06"]));
    bench.fake.on("control_plane", node_that(Some(true))).on("control_plane", node_that(Some(false)));
    bench.fake.on("end_pod", ());
    bench.fake.on("control_plane", node_that(Some(false))).on("control_plane", node_that(Some(true)));
    assert_eq!(bench.act(&work()).await.unwrap(), "the toolkit was started again on 1 node");
}

#[tokio::test]
async fn a_toolkit_that_does_not_help_is_told_of() {
    let bench = Bench::new();
    bench.fake.on("toolkits", toolkits(&["dgx-05"])).on("end_pod", ());
    // One look, then as many as a wait makes in the time that the step may take.
    for _ in 0..=looks(&work()) {
        bench.fake.on("control_plane", node_that(Some(false)));
    }
    let finding = refused(bench.act(&work()).await);
    assert_eq!(finding.code, "kubernetes.gpu-runtime-lost");
    assert_eq!(finding.evidence[0], "~ containerd on dgx-05 does not know NVIDIA's runtime yet");
}
