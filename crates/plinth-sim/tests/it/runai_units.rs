//! Departments and projects with their quota, over real TLS.

use crate::runai_stand::{CLUSTER, Stand, quick, setup};
use plinth_model::steps::{OrgUnit, RunaiTarget};
use plinth_runai::RunaiTiming;
use plinth_sim::runai::{RunaiFault, RunaiFaultKind, RunaiSetup};
use plinth_world::Cause;
use plinth_world::runai::RunaiClient;
use serde_json::json;

fn department(gpus: u32) -> OrgUnit {
    OrgUnit { name: "research".to_owned(), department: None, gpus }
}

fn project(gpus: u32) -> OrgUnit {
    OrgUnit { name: "team-a".to_owned(), department: Some("research".to_owned()), gpus }
}

#[tokio::test]
async fn every_line_of_versions_makes_them() {
    for line in ["2.18", "2.19", "2.21", "2.24", "2.25", "2.26", "3.0"] {
        let stand = Stand::of(setup(line), vec![]);
        let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
        let uuid = client.register(ctx, target).await.unwrap().uuid;
        for unit in [department(16), project(8)] {
            client.make_org_unit(ctx, target, &uuid, &unit).await.unwrap();
            let seen = client.org_unit(ctx, target, &uuid, &unit).await.unwrap().unwrap();
            assert_eq!((seen.gpus, seen.department), (Some(f64::from(unit.gpus)), unit.department), "{line}");
        }
        assert_eq!(stand.server.unexpected(), Vec::<String>::new(), "{line}");
    }
}

/// People set limits and weights, and quotas of other things; none of that is ours.
#[tokio::test]
async fn only_the_quota_of_gpus_changes() {
    let stand = Stand::new(vec![]);
    let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
    let uuid = client.register(ctx, target).await.unwrap().uuid;
    client.make_org_unit(ctx, target, &uuid, &department(16)).await.unwrap();
    stand.server.changed_by_hand("research", |fields| {
        fields["resources"][0]["gpu"] = json!({"deserved": 4, "limit": 20, "overQuotaWeight": 3});
        fields["resources"][0]["cpu"] = json!({"deserved": 1000});
        fields["resources"].as_array_mut().unwrap().push(json!({"nodePool": {"id": "99"}, "gpu": {"deserved": 2}}));
        fields.insert("description".to_owned(), json!("ours"));
    });
    let seen = client.org_unit(ctx, target, &uuid, &department(16)).await.unwrap().unwrap();
    assert_eq!(seen.gpus, Some(4.0), "the other pool's share is not ours");
    client.set_quota(ctx, target, &uuid, &department(16)).await.unwrap();
    let kept = stand.server.unit("research").unwrap();
    let shares = kept["resources"].as_array().unwrap();
    assert_eq!(shares[0]["gpu"], json!({"deserved": 16, "limit": 20, "overQuotaWeight": 3}));
    assert_eq!((&shares[0]["cpu"]["deserved"], &shares[1]["gpu"]["deserved"]), (&json!(1000), &json!(2)));
    assert_eq!(kept["description"], "ours");
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_one() {
    for kind in [RunaiFaultKind::AnswerLost, RunaiFaultKind::StatusAfter(504), RunaiFaultKind::StatusAfter(500)] {
        let stand = Stand::new(vec![RunaiFault::once(kind.clone()).on("make-unit")]);
        let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
        let uuid = client.register(ctx, target).await.unwrap().uuid;
        let made = client.make_org_unit(ctx, target, &uuid, &department(16)).await.unwrap();
        assert_eq!(made.gpus, Some(16.0), "{kind:?}");
        assert_eq!(stand.count("make-unit"), 2, "the second one is a conflict: {kind:?}");
    }
}

#[tokio::test]
async fn another_clusters_department_of_the_same_name_is_not_ours() {
    let stand = Stand::new(vec![]);
    let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
    let (ours, other) = (stand.server.registered_by_hand(CLUSTER), stand.server.registered_by_hand("other"));
    client.make_org_unit(ctx, target, &other, &department(2)).await.unwrap();
    assert_eq!(client.org_unit(ctx, target, &ours, &department(2)).await.unwrap(), None);
    client.make_org_unit(ctx, target, &ours, &department(16)).await.unwrap();
    assert_eq!(client.org_unit(ctx, target, &other, &department(2)).await.unwrap().unwrap().gpus, Some(2.0));
}

#[tokio::test]
async fn long_lists_are_read_to_their_end_and_endless_ones_are_not() {
    let stand = Stand::new(vec![]);
    let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
    let uuid = client.register(ctx, target).await.unwrap().uuid;
    let make = |name: String| OrgUnit { name, department: None, gpus: 1 };
    client.make_org_unit(ctx, target, &uuid, &make("first".to_owned())).await.unwrap();
    let page = |next: u64| json!({"departments": [], "next": next});
    stand.server.fail(RunaiFault::once(RunaiFaultKind::Body(page(1))).on("departments"));
    assert_eq!(client.org_unit(ctx, target, &uuid, &make("first".to_owned())).await.unwrap(), None, "it is on page 1");
    stand.server.fail(RunaiFault::always(RunaiFaultKind::Body(page(0))).on("departments"));
    assert_eq!(client.org_unit(ctx, target, &uuid, &make("first".to_owned())).await.unwrap(), None, "no step back");
}

#[tokio::test]
async fn what_an_answer_says_does_not_become_a_path() {
    let timing = RunaiTiming { retries: 0, ..quick() };
    for id in [json!("../clusters"), json!(""), json!({"x": 1}), json!("a b")] {
        let stand = Stand::timed(setup("2.21"), vec![], timing);
        let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
        let uuid = client.register(ctx, target).await.unwrap().uuid;
        let body = json!({"departments": [{"id": id, "name": "research", "clusterId": uuid, "resources": []}]});
        stand.server.fail(RunaiFault::always(RunaiFaultKind::Body(body)).on("departments"));
        let error = stand.failure(client.set_quota(ctx, target, &uuid, &department(1)).await);
        assert_eq!(error.cause, Cause::BadAnswer, "{id}: {error:?}");
        assert_eq!(stand.count("quota"), 0, "{id}");
    }
}

#[tokio::test]
async fn a_cluster_of_a_tenant_is_registered_under_its_own_address() {
    let stand = Stand::of(RunaiSetup { realm: "acme".to_owned(), ..setup("2.24") }, vec![]);
    let own = "https://gpu.example:30443".to_owned();
    let target = RunaiTarget { realm: "acme".to_owned(), cluster_url: Some(own.clone()), ..stand.target.clone() };
    let made = stand.client.register(&stand.ctx, &target).await.unwrap();
    assert_eq!(stand.server.domain(&made.uuid), Some(own));
    stand.client.keep_credentials(&stand.ctx, &target, &made.uuid).await.unwrap();
    assert_eq!(stand.server.unexpected(), Vec::<String>::new());
    let here = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
    assert!(here.happened.contains("404"), "the realm of self-hosted ones is not there: {here:?}");
}
