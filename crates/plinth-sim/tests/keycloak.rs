//! Run:ai's client with a **real Keycloak**, which issues the tokens, and a simulated control plane before it, which compares their
//! issuer as an exact text and checks their signatures by Keycloak's own keys: `cargo xtask test --tier keycloak`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../plinth/tests/contract/runai_client.rs"]
mod runai_client;
#[path = "it/runai_stand.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod runai_stand;

use plinth_lab::Keycloak;
use plinth_model::steps::{RunaiTarget, TokenWay};
use plinth_runai::RunaiTiming;
use plinth_sim::runai::RunaiSetup;
use plinth_world::Cause;
use plinth_world::runai::RunaiClient;
use runai_stand::{CLUSTER, DOMAIN, Stand, code, quick, setup};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

/// The first token after a start takes a second, and much longer on a busy machine.
fn stand(keycloak: SocketAddr) -> Stand {
    let timing = RunaiTiming { request: Duration::from_secs(60), ..quick() };
    Stand::timed(RunaiSetup { keycloak: Some(keycloak), ..setup("2.21") }, vec![], timing)
}

/// A control plane whose Keycloak was told this as its public URL; `{port}` stands for the port of the control plane.
fn start(hostname: &str) -> (Stand, Keycloak) {
    let port = Keycloak::free_port().unwrap();
    let keycloak = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stand = stand(keycloak);
    let hostname = hostname.replace("{port}", &stand.server.port().to_string());
    let running = Keycloak::start(port, &hostname).unwrap();
    (stand, running)
}

/// What the vendor's values say when they are right.
fn right() -> String {
    format!("https://{DOMAIN}:{{port}}/auth")
}

/// The first way to a token, for this client of the realm.
fn by(stand: &Stand, client: &str) -> RunaiTarget {
    let mut target = stand.target.clone();
    target.api.tokens.truncate(1);
    let TokenWay { fields, .. } = &mut target.api.tokens[0];
    fields.insert("client_id".to_owned(), client.to_owned());
    target
}

#[tokio::test]
#[ignore = "needs Java and Maven: cargo xtask test --tier keycloak"]
async fn the_contract_holds_with_tokens_of_a_real_keycloak() {
    assert_eq!(Keycloak::PASSWORD, runai_stand::PASSWORD);
    let port = Keycloak::free_port().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stand = stand(address);
    let hostname = right().replace("{port}", &stand.server.port().to_string());
    let mut running = None;
    // Before it runs, the ingress says 502. Then its realm and its administrator are held back for a while.
    let [early, realm, administrator, whole] = stand.comes_up();
    let keycloak = async {
        running = Some(Keycloak::start(port, &hostname).unwrap());
        early.await;
    };
    let up: [Pin<Box<dyn Future<Output = ()> + '_>>; 4] = [Box::pin(keycloak), realm, administrator, whole];
    let units = || ["research", "team-a"].map(|name| stand.server.unit(name));
    let seen = || format!("{:?} {:?}", stand.server.entries(CLUSTER), units());
    let ground = runai_client::Ground { target: stand.target.clone(), up, fingerprint: Box::new(seen) };
    runai_client::contract(&stand.client, &stand.ctx, ground).await;
    assert!(running.is_some(), "it ran to the end");
}

#[tokio::test]
#[ignore = "needs Java and Maven: cargo xtask test --tier keycloak"]
async fn clusters_are_made_found_and_told_apart() {
    let (stand, _keycloak) = start(&right());
    let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
    let by_hand = stand.server.registered_by_hand(CLUSTER);
    assert_eq!(client.clusters(ctx, target).await.unwrap()[0].uuid, by_hand, "one that is there already is found");
    client.keep_credentials(ctx, target, &by_hand).await.unwrap();
    stand.server.reports(&by_hand, json!({"state": "Connected"}), &[("dgx-05", 8)]);
    assert_eq!(client.clusters(ctx, target).await.unwrap()[0].gpu_nodes, Some(vec!["dgx-05".to_owned()]));
    stand.server.registered_by_hand(CLUSTER);
    assert_eq!(client.clusters(ctx, target).await.unwrap().len(), 2, "two of one name");
    assert_eq!(stand.count("token"), 1, "one token for all of it");
}

#[tokio::test]
#[ignore = "needs Java and Maven: cargo xtask test --tier keycloak"]
async fn tokens_of_a_real_keycloak_end_and_are_renewed() {
    let (stand, _keycloak) = start(&right());
    let target = by(&stand, "runai-short");
    stand.client.clusters(&stand.ctx, &target).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    stand.client.clusters(&stand.ctx, &target).await.unwrap();
    assert_eq!(stand.count("token"), 2);
}

#[tokio::test]
#[ignore = "needs Java and Maven: cargo xtask test --tier keycloak"]
async fn logins_are_refused_in_keycloaks_own_words() {
    let (stand, _keycloak) = start(&right());
    let user = |admin: &str| RunaiTarget { admin: admin.to_owned(), ..stand.target.clone() };
    // Here, the realm comes after Keycloak; elsewhere it is wrong.
    let tenant = Some("https://cluster.invalid".to_owned());
    let realm = RunaiTarget { realm: "other".to_owned(), cluster_url: tenant, ..stand.target.clone() };
    let cases = [
        (user("nobody@example.com"), Cause::Credentials, "runai.credentials", "Invalid user credentials"),
        (user("half@example.com"), Cause::Credentials, "runai.credentials", "Account is not fully set up"),
        (user("gone@example.com"), Cause::Credentials, "runai.credentials", "Account disabled"),
        (by(&stand, "nothing"), Cause::Refused, "runai.credentials", "Invalid client"),
        (by(&stand, "runai-no-passwords"), Cause::Refused, "runai.credentials", "not allowed for direct access"),
        (realm, Cause::Refused, "runai.refused", "Realm does not exist"),
    ];
    for (target, cause, wanted, words) in cases {
        let error = stand.failure(stand.client.clusters(&stand.ctx, &target).await);
        assert_eq!((error.cause, code(&error)), (cause, wanted), "{error:?}");
        assert!(error.happened.contains(words), "{words}: {error}");
    }
}

/// What Keycloak makes of its settings (measured on 26.4): only the whole URL with port and path gives the expected issuer.
#[tokio::test]
#[ignore = "needs Java and Maven: cargo xtask test --tier keycloak"]
async fn every_wrong_host_name_setting_is_a_mismatch_that_is_shown() {
    let wrong = [
        (format!("https://{DOMAIN}/auth"), format!("https://{DOMAIN}/auth/realms/runai")),
        (format!("https://{DOMAIN}:443/auth"), format!("https://{DOMAIN}/auth/realms/runai")),
        (format!("https://{DOMAIN}:{{port}}"), format!("https://{DOMAIN}:{{port}}/realms/runai")),
    ];
    for (hostname, issuer) in wrong {
        let (stand, _keycloak) = start(&hostname);
        let issuer = issuer.replace("{port}", &stand.server.port().to_string());
        assert_eq!(stand.client.issuer(&stand.ctx, &stand.target).await.unwrap().as_ref(), Some(&issuer));
        let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
        assert_eq!((error.cause, code(&error)), (Cause::Refused, "runai.issuer-mismatch"), "{error:?}");
        let evidence = error.finding.unwrap().evidence;
        assert!(evidence.iter().any(|line| line.ends_with(&issuer)), "{evidence:?}");
    }
}
