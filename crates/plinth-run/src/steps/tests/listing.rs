use super::*;
use indexmap::IndexMap;
use plinth_model::steps::NodeReady;
use plinth_world::kube::KubeNode;

#[tokio::test]
async fn a_look_lists_the_nodes_once_and_a_step_alone_asks_for_its_own() {
    let names = ["dgx-05", "dgx-06", "dgx-07"];
    let ready = |name: &str| {
        let work = Work::NodeReady(NodeReady { node: node(name), version: None });
        Step { id: StepId::new("kubernetes", "ready", name), ..step(&work) }
    };
    let (bench, well) =
        (Bench::new(), || KubeNode { ready: true, version: "v1.31.9".to_owned(), ..KubeNode::default() });
    let listed: IndexMap<String, KubeNode> = names[..2].iter().map(|name| ((*name).to_owned(), well())).collect();
    bench.fake.on("nodes", listed);
    let plan = plan_of(names.iter().map(|name| ready(name)).collect());
    let world = crate::RunWorld { env: bench.env(), behaviour: Arc::new(Kinds) };
    let seen = crate::look(&plan, &world, &crate::LookOptions { parallel: 2, ..crate::LookOptions::default() })
        .await
        .unwrap()
        .seen;
    assert_eq!(bench.fake.calls(), ["nodes"]);
    assert_eq!(seen.values().filter(|seen| **seen == plinth_plan::StepObservation::Done).count(), 2, "{seen:?}");
    bench.fake.on("node", Some(well()));
    done(bench.look(&plan.steps[0].work).await);
    assert_eq!(bench.fake.calls(), ["nodes", "node"]);
}

#[tokio::test]
async fn steps_of_a_run_that_ask_together_are_answered_by_one_list_and_never_by_an_older_one() {
    let bench = Bench::new();
    let (env, names) = (bench.env(), ["dgx-05", "dgx-06", "dgx-07"]);
    let listed = |ready| names.map(|name| (name.to_owned(), KubeNode { ready, ..KubeNode::default() }));
    let listing = crate::listing::Listing::shared();
    for ready in [false, true] {
        bench.fake.on("nodes", IndexMap::from(listed(ready)));
        let busy = listing.last.lock().await;
        let nodes = names.map(node);
        let asked = futures::future::join_all(nodes.iter().map(|node| listing.node(&env.ctx, &env.clients, node)));
        let (seen, ()) = futures::join!(asked, async { drop(busy) });
        assert!(seen.into_iter().all(|node| node.unwrap().unwrap().ready == ready), "{ready}");
    }
    assert_eq!(bench.fake.calls(), ["nodes", "nodes"]);
    bench.fake.on("node", None::<KubeNode>);
    assert_eq!(listing.node(&env.ctx, &env.clients, &node("dgx-05")).await.unwrap(), None);
    assert_eq!(bench.fake.calls(), ["nodes", "nodes", "node"], "whoever is alone asks for one");
}
