//! The simulated clients keep the contracts of theirs. The real ones of Kubernetes and of nodes do below `plinth/tests`.

use crate::kube_client::{Ground, contract, versions};
use crate::rack::{
    control_plane, deploy, files, install, kubernetes, kubespray, name, platform, play, prepare_nodes, release, run,
    runai, secret, start, target, until,
};
use crate::{ansible_client, helm_client, runai_client};
use plinth_model::steps::Release;
use std::pin::Pin;
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
fn the_simulated_operator_keeps_the_contract_of_versions() {
    let sim = start(None, &[]);
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        install(&sim, &release("knative-operator", "knative-operator", serde_json::json!({}))).await.unwrap();
        // Time alone is waited for.
        versions(&*sim.clients.kube, &sim.context(), &|| {}).await;
    });
}

#[test]
fn simulated_helm_keeps_the_contract() {
    let sim = Arc::new(start(None, &[]));
    let (ctx, seen, editing) = (sim.context(), Arc::clone(&sim), Arc::clone(&sim));
    let ground = helm_client::Ground {
        release: release("metrics-server", "plinth-contract", serde_json::json!({})),
        // Its images need a login that is not there.
        failing: Release { namespace: "plinth-contract".to_owned(), ..control_plane() },
        namespaces: &*sim.clients.kube,
        edit: Box::new(move || {
            editing
                .edit_objects("plinth-contract", "metrics-server", "~ Deployment metrics-server: spec.x 2 → 1")
                .unwrap();
        }),
        fingerprint: Box::new(move || seen.snapshot().to_string()),
    };
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        helm_client::contract(&*sim.clients.helm, &ctx, &ground).await;
    });
}

#[test]
fn simulated_runai_keeps_the_contract() {
    let sim = start(None, &[]);
    let ctx = sim.context();
    let said = |words: &'static str| {
        let (sim, ctx) = (&sim, &ctx);
        async move {
            let reached = || async move {
                let seen = sim.clients.runai.up(ctx, &runai(), false).await;
                Ok(seen.map_or_else(|error| !words.is_empty() && error.happened.contains(words), |()| words.is_empty()))
            };
            assert!(until(ctx, reached).await.unwrap(), "{words}");
        }
    };
    let keycloak = async {
        install(&sim, &control_plane()).await.unwrap();
        said("Realm does not exist").await;
    };
    let up: [Pin<Box<dyn Future<Output = ()> + '_>>; 4] =
        [Box::pin(keycloak), Box::pin(said("Invalid user credentials")), Box::pin(said("503")), Box::pin(said(""))];
    let fingerprint = || sim.snapshot().to_string();
    let ground = runai_client::Ground { target: runai(), up, fingerprint: Box::new(fingerprint) };
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        platform(&sim).await.unwrap();
        runai_client::contract(&*sim.clients.runai, &ctx, ground).await;
    });
}

#[test]
fn simulated_ansible_keeps_the_contract() {
    let sim = start(None, &[]);
    let fingerprint = || sim.snapshot().to_string();
    let (release, files) = (kubespray(), files());
    let ground = ansible_client::Ground { release, files, run: play(), fingerprint: Box::new(fingerprint) };
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        ansible_client::contract(&*sim.clients.ansible, &sim.context(), &ground).await;
    });
}
