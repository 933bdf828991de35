//! Stage 0: what a visit does and does not do.

use super::nodes::{expectation, facts};
use super::*;
use crate::survey::{Survey, survey};
use plinth_model::Owner;
use plinth_model::facts::NodeFacts;
use plinth_plan::Visit;
use plinth_world::node::{HostKey, HostKeyState};

fn key(fingerprint: &str) -> HostKey {
    HostKey { algorithm: "ssh-ed25519".to_owned(), fingerprint: fingerprint.to_owned() }
}

fn visit(account_key: SecretRef) -> Visit {
    let expected = expectation("/larger");
    let account = NodeTarget { user: "plinth".to_owned(), credential: Credential::Key(account_key), ..target() };
    Visit { first: target(), account, asked: expected.asked(), expected }
}

/// A visit where the account's key was not made yet, so that only the first-contact login is tried.
async fn first_visit(bench: &Bench) -> Survey {
    let visits = [visit(SecretRef::Generated("ssh-key".to_owned()))];
    let told = survey(&visits, &bench.env(), 4, &crate::Awaited::default()).await.unwrap();
    bench.fake.assert_used_up();
    told
}

fn bench(pinned: Option<HostKey>) -> Bench {
    let bench = Bench::new();
    bench.fake.on("record", None::<EngineRecord>);
    bench.fake.on("host_key", HostKeyState { presented: key("SHA256:a"), pinned });
    bench
}

fn codes(survey: &Survey) -> Vec<&str> {
    survey.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[tokio::test]
async fn a_key_is_pinned_on_first_contact_and_told() {
    let bench = bench(None);
    bench.fake.on("pin_host_key", ()).on("facts", facts(500, 500));
    let told = first_visit(&bench).await;
    assert_eq!(codes(&told), ["node.host-key-pinned"]);
    assert!(told.findings[0].message.contains("SHA256:a") && !told.findings[0].is_error());
    assert_eq!(told.facts[&node("dgx-05")].cpus, 112);
}

#[tokio::test]
async fn a_machine_with_another_key_is_asked_nothing() {
    let bench = bench(Some(key("SHA256:b")));
    let told = first_visit(&bench).await;
    assert_eq!(codes(&told), ["node.host-key-changed"]);
    assert!(told.findings[0].fix.contains("plinth trust dgx-05") && told.facts.is_empty());
    assert_eq!(bench.fake.calls(), ["record", "host_key"], "no login is tried");
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_the_network_teams_and_a_refused_login_is_yours() {
    let lost = ClientError::new("node", "connecting to dgx-05").happened("no route").attempt("look at its link");
    let cases = [(lost.clone().transient("links come back"), Owner::NetworkTeam), (lost, Owner::You)];
    for (error, owner) in cases {
        let bench = Bench::new();
        bench.fake.on("record", None::<EngineRecord>).fails::<HostKeyState>("host_key", error);
        let told = first_visit(&bench).await;
        assert_eq!((codes(&told), told.findings[0].owner), (vec!["node.unreachable"], owner));
        assert_eq!(told.findings[0].fix, "look at its link");
    }
}

#[tokio::test]
async fn the_account_is_asked_first_and_the_first_contact_login_when_it_cannot() {
    let refused = ClientError::new("node", "logging in").happened("permission denied").attempt("make the account");
    let powerless = NodeFacts { root: "none".to_owned(), ..facts(500, 500) };
    for account in [Err(refused), Ok(powerless)] {
        let bench = bench(Some(key("SHA256:a")));
        match account {
            Err(error) => bench.fake.fails::<NodeFacts>("facts", error),
            Ok(facts) => bench.fake.on("facts", facts),
        };
        bench.fake.on("facts", facts(500, 500));
        let told = survey(&[visit(SecretRef::File("key".to_owned()))], &bench.env(), 4, &crate::Awaited::default())
            .await
            .unwrap();
        bench.fake.assert_used_up();
        assert_eq!((codes(&told), told.facts.len()), (vec![], 1));
    }
    let bench = bench(Some(key("SHA256:a")));
    bench.fake.on("facts", facts(500, 500));
    assert_eq!(
        survey(&[visit(SecretRef::File("key".to_owned()))], &bench.env(), 4, &crate::Awaited::default())
            .await
            .unwrap()
            .facts
            .len(),
        1
    );
    bench.fake.assert_used_up();
}

#[tokio::test]
async fn what_may_be_fixed_is_put_together_for_each_node() {
    let bench = bench(Some(key("SHA256:a")));
    bench.fake.on("facts", NodeFacts { swap_mib: 2_048, time_service: None, ..facts(500, 500) });
    let mut visit = visit(SecretRef::Generated("ssh-key".to_owned()));
    visit.expected.engine_prepares = false;
    let told = survey(&[visit], &bench.env(), 4, &crate::Awaited::default()).await.unwrap();
    assert!(told.fixes[&node("dgx-05")].swap_off, "{told:?}");
}
