//! Devices in pods: a real device plugin that hands out folders and variables instead of hardware.

use crate::ground::Ground;
use serde_json::json;

/// Two GPUs, each for two pods.
pub(crate) fn shared_gpus(ground: &Ground) {
    ground.site(&json!({"gpu": {"timeSlicing": 2}}), &["gpu-operator"], &json!({}));
    ground.offers("lab-gpus", &["nvidia.com/gpu", "4", "env:NVIDIA_VISIBLE_DEVICES=%"]);
    let label = |labels: &[&str]| ground.kubectl(&[&["label", "--overwrite", "node", "n2"], labels].concat());
    label(&["nvidia.com/gpu.count=2", "nvidia.com/gpu.replicas=2", "nvidia.com/gpu.product=STAND-IN-SHARED"]);
    ground.holds(
        "gpu-sharing",
        &[
            "4 shares of nvidia.com/gpu on 1 node, each GPU 2 times",
            "2 pods with a share each ran at the same time on n2",
            "GPU 0: stand-in (UUID: standin-",
        ],
    );
    ground.holds("gpu-capacity", &["4 GPUs on 1 node offered in full"]);
    ground.holds("gpu-pod", &["a pod ran on n2 and saw 1 GPU"]);

    // GPU Feature Discovery did not hear of the sharing.
    label(&["nvidia.com/gpu.product=STAND-IN"]);
    ground.fails(
        "gpu-sharing",
        "gpu.not-shared",
        &["n2: its label nvidia.com/gpu.product is STAND-IN, without -SHARED"],
    );
    label(&["nvidia.com/gpu.product=STAND-IN-SHARED"]);

    // The device plugin ended.
    ground.bench.lab.node("n2").unwrap().exec(&["systemctl", "stop", "lab-gpus"]).unwrap();
    let offered = || ground.text(&["node", "n2"], ".status.allocatable.nvidia\\.com/gpu");
    ground.until("kubelet notices", || offered() == "0");
    ground.fails("gpu-sharing", "gpu.not-shared", &["n2: it offers 0 nvidia.com/gpu, and its driver sees 2 times 2"]);
    ground.offers("lab-gpus", &["nvidia.com/gpu", "4", "env:NVIDIA_VISIBLE_DEVICES=%"]);
}

/// One adapter with two functions, whose files are those that a kernel shows.
pub(crate) fn infiniband(ground: &Ground) {
    let infiniband = json!({"interfaces": ["ib0"], "addresses": "10.9.0.0/16"});
    ground.site(&json!({"infiniband": infiniband}), &["gpu-operator", "network-operator"], &json!({}));
    let node = ground.bench.lab.node("n2").unwrap();
    let port = "/lab/pci/0000:18:00.1/infiniband/mlx5_3/ports/1";
    let make =
        format!("mkdir -p /lab/infiniband {port}; touch /lab/infiniband/uverbs3; echo '4: ACTIVE' > {port}/state");
    node.exec(&["sh", "-euc", &make]).unwrap();
    let speaks = |layer: &str| node.write_file(&format!("{port}/link_layer"), "0644", format!("{layer}\n").as_bytes());
    speaks("InfiniBand").unwrap();
    let words = [
        "nvidia.com/resib0",
        "2",
        "env:PCIDEVICE_NVIDIA_COM_RESIB0=0000:18:00.1",
        "env:PCIDEVICE_NVIDIA_COM_RESIB0_INFO={\"0000:18:00.1\":{}}",
        "mount:/lab/pci=/sys/bus/pci/devices",
        "mount:/lab/infiniband=/dev/infiniband",
    ];
    ground.offers("lab-functions", &words);
    ground.holds("rdma", &["pods on 1 of 1 node got 1 virtual function", "n2: mlx5_3 InfiniBand 4: ACTIVE"]);

    // The port of the adapter is set to Ethernet.
    speaks("Ethernet").unwrap();
    ground.fails("rdma", "network.rdma-not-in-pods", &["n2: mlx5_3 at 0000:18:00.1 speaks Ethernet, not InfiniBand"]);
    speaks("InfiniBand").unwrap();

    // Nobody offers the functions any more.
    node.exec(&["systemctl", "stop", "lab-functions"]).unwrap();
    let offered = || ground.text(&["node", "n2"], ".status.allocatable.nvidia\\.com/resib0");
    ground.until("kubelet notices", || offered() == "0");
    ground.fails("rdma", "network.rdma-not-in-pods", &["n2: it offers no nvidia.com/resib0"]);
}
