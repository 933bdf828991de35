//! The simulated clients keep the contracts of theirs. The real ones of Kubernetes and of nodes do below `plinth/tests`.

use crate::helm_client;
use crate::kube_client::{Ground, contract};
use crate::rack::{deploy, kubernetes, name, prepare_nodes, release, run, secret, start, target};
use std::sync::Arc;

#[test]
fn the_simulated_cluster_keeps_the_contract() {
    let sim = Arc::new(start(None, &[]));
    let (ctx, seen) = (sim.context(), Arc::clone(&sim));
    let ground = Ground {
        from: target("cpu-03", "ansiblebcm"),
        server: "https://10.184.162.103:6443".to_owned(),
        node: name("dgx-05"),
        secrets: [secret("BOOTSTRAP_PASSWORD"), secret("RUNAI_REGISTRY_TOKEN")],
        fingerprint: Box::new(move || seen.snapshot().to_string()),
    };
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        deploy(&sim).await.unwrap();
        contract(&*sim.clients.kube, &ctx, &ground).await;
    });
}

#[test]
fn simulated_helm_keeps_the_contract() {
    let sim = Arc::new(start(None, &[]));
    let (ctx, seen) = (sim.context(), Arc::clone(&sim));
    let ground = helm_client::Ground {
        release: release("metrics-server", "plinth-contract", serde_json::json!({})),
        namespaces: &*sim.clients.kube,
        fingerprint: Box::new(move || seen.snapshot().to_string()),
    };
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        helm_client::contract(&*sim.clients.helm, &ctx, &ground).await;
    });
}
