//! The real Run:ai client against a simulated control plane, over real TLS.

use crate::runai_client;
use crate::runai_stand::{CLUSTER, DOMAIN, PASSWORD, Stand, code, quick, setup};
use plinth_model::steps::{ClusterCredential, RunaiTarget, cluster_uid};
use plinth_model::{Secret, SecretRef};
use plinth_runai::RunaiTiming;
use plinth_sim::bcm::SimCertificate;
use plinth_sim::runai::{RunaiFault, RunaiFaultKind, RunaiSetup, RunaiStage};
use plinth_world::runai::RunaiClient;
use plinth_world::secrets::Secrets;
use plinth_world::{Cause, ClientError};
use serde_json::json;
use std::time::{Duration, Instant};

const LINES: [&str; 10] = ["2.18", "2.19", "2.20", "2.21", "2.22", "2.23", "2.24", "2.25", "2.26", "3.0"];

#[tokio::test]
async fn the_real_client_keeps_the_contract() {
    let stand = Stand::of(RunaiSetup { stage: RunaiStage::Nothing, ..setup("2.21") }, vec![]);
    let up = stand.comes_up();
    let units = || ["research", "team-a"].map(|name| stand.server.unit(name));
    let seen = || format!("{:?} {:?}", stand.server.entries(CLUSTER), units());
    let ground = runai_client::Ground { target: stand.target.clone(), up, fingerprint: Box::new(seen) };
    runai_client::contract(&stand.client, &stand.ctx, ground).await;
    assert_eq!(stand.server.unexpected(), Vec::<String>::new());
}

#[tokio::test]
async fn every_line_of_versions_is_registered_and_connects() {
    for line in LINES {
        let stand = Stand::of(setup(line), vec![]);
        let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
        assert_eq!(client.issuer(ctx, target).await.unwrap(), Some(target.issuer()), "{line}");
        let made = client.register(ctx, target).await.unwrap();
        client.keep_credentials(ctx, target, &made.uuid).await.unwrap();
        assert!(client.credentials_kept(ctx, target, &made.uuid).await.unwrap(), "{line}");
        let kept = |reference: &SecretRef| stand.secrets.get(reference).unwrap().expose().to_owned();
        assert_eq!(kept(&cluster_uid()), made.uuid, "{line}");
        let credential = kept(&target.api.credential.kept());
        assert!(stand.server.secrets_given().contains(&credential), "{line}");
        assert_eq!(credential.starts_with("client-"), line != "3.0", "{line}");
        stand.server.reports(&made.uuid, json!({"state": "Connected"}), &[("dgx-05", 8), ("cpu-03", 0)]);
        let seen = client.clusters(ctx, target).await.unwrap();
        assert_eq!(
            (seen[0].state.as_str(), seen[0].gpu_nodes.as_deref()),
            ("Connected", Some(&["dgx-05".to_owned()][..])),
            "{line}"
        );
        assert_eq!(stand.count("token"), 1, "{line}: one token serves all calls");
        assert_eq!(stand.server.unexpected(), Vec::<String>::new(), "{line}");
    }
}

#[tokio::test]
async fn names_are_compared_exactly_and_two_of_one_name_are_both_seen() {
    let stand = Stand::new(vec![]);
    for name in [CLUSTER, "bcm-gpu-cluster-2", "BCM-GPU-CLUSTER", CLUSTER] {
        stand.server.registered_by_hand(name);
    }
    let seen = stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
    let ids: Vec<&str> = seen.iter().map(|cluster| cluster.uuid.as_str()).collect();
    assert_eq!(ids, stand.server.entries(CLUSTER));
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn missing_prerequisites_are_spelled_out_and_every_page_of_nodes_is_read() {
    let stand = Stand::new(vec![]);
    let uuid = stand.server.registered_by_hand(CLUSTER);
    let status = json!({"state": "MissingPrerequisites", "dependencies": {"required": {
        "prometheus": {"available": false, "reason": "no CRD\n\u{1b}[31mprometheuses", "components": {}},
        "gpuOperator": {"available": false}, "ingress": {"available": true}}, "optional": {}}});
    stand.server.reports(&uuid, status, &[]);
    let seen = stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
    assert_eq!(seen[0].missing, ["gpuOperator", "prometheus (no CRD \\u{1b}[31mprometheuses)"]);
    assert_eq!(seen[0].gpu_nodes, Some(vec![]));
    let names: Vec<String> = (0..120).map(|at| format!("dgx-{at:03}")).collect();
    let nodes: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 8)).collect();
    stand.server.reports(&uuid, json!({"state": "Connected"}), &nodes);
    assert_eq!(stand.client.clusters(&stand.ctx, &stand.target).await.unwrap()[0].gpu_nodes, Some(names));
    assert_eq!(stand.count("nodes"), 3);
}

#[tokio::test]
async fn nodes_that_are_not_known_are_no_failed_list() {
    let absent = || RunaiFault::always(RunaiFault::status(404, "no such path")).on("nodes");
    let older = || absent().times(1);
    for (faults, known) in [(vec![older()], true), (vec![absent()], false)] {
        let stand = Stand::of(setup("2.25"), faults);
        let uuid = stand.server.registered_by_hand(CLUSTER);
        stand.server.reports(&uuid, json!({"state": "Connected"}), &[("dgx-05", 8)]);
        let seen = stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
        assert_eq!(seen[0].gpu_nodes, known.then(|| vec!["dgx-05".to_owned()]));
        assert_eq!(stand.count("nodes"), 2, "the newer path, then the older one");
        assert_eq!(stand.server.unexpected(), Vec::<String>::new());
    }
}

/// A failed listing, with this fault at this call.
async fn listing(fault: RunaiFault) -> (Stand, ClientError) {
    let stand = Stand::new(vec![fault]);
    let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
    (stand, error)
}

#[tokio::test]
async fn what_goes_wrong_has_its_cause_and_its_code() {
    let status = RunaiFault::status;
    let cases = [
        (status(500, "boom"), Cause::BadAnswer, "runai.server-trouble", true, 4),
        (status(429, "slow down"), Cause::BadAnswer, "runai.server-trouble", true, 4),
        (RunaiFaultKind::Reset, Cause::Unreachable, "runai.unreachable", true, 4),
        (RunaiFaultKind::Truncated, Cause::Unreachable, "runai.unreachable", true, 4),
        (RunaiFaultKind::CutJson, Cause::Unreachable, "runai.unreachable", true, 4),
        (RunaiFaultKind::Html, Cause::BadAnswer, "runai.bad-answer", false, 1),
        (RunaiFaultKind::Body(json!({"clusters": []})), Cause::BadAnswer, "runai.bad-answer", false, 1),
        (RunaiFaultKind::Body(json!([{"uuid": "no", "name": "x"}])), Cause::BadAnswer, "runai.bad-answer", false, 1),
        (RunaiFaultKind::Endless, Cause::BadAnswer, "runai.bad-answer", false, 1),
        (status(403, "no permission"), Cause::Refused, "runai.refused", false, 1),
        (status(400, "bad parameter"), Cause::Refused, "runai.refused", false, 1),
        (status(401, "Issuer is not familiar."), Cause::Refused, "runai.issuer-mismatch", false, 1),
        (status(401, "Unauthorized"), Cause::Refused, "runai.credentials", false, 2),
    ];
    for (kind, cause, wanted, passes, asked) in cases {
        let (stand, error) = listing(RunaiFault::always(kind.clone()).on("clusters")).await;
        assert_eq!((error.cause, code(&error)), (cause, wanted), "{kind:?}: {error:?}");
        assert_eq!((error.transient.is_some(), stand.count("clusters")), (passes, asked), "{kind:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_read_gets_over_what_passes() {
    let kinds = [
        RunaiFault::status(503, "not yet"),
        RunaiFault::status(429, "slow down"),
        RunaiFaultKind::Reset,
        RunaiFaultKind::Truncated,
    ];
    for kind in kinds {
        for call in ["clusters", "discovery"] {
            let stand = Stand::new(vec![RunaiFault::once(kind.clone()).times(2).on(call)]);
            stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
            let issuer = stand.client.issuer(&stand.ctx, &stand.target).await.unwrap();
            // While Keycloak is not up, whatever stands before it says so, and the step waits.
            let waits = call == "discovery" && kind == RunaiFault::status(503, "not yet");
            assert_eq!(issuer.is_none(), waits, "{kind:?} {call}");
        }
    }
}

#[tokio::test]
async fn the_pace_is_the_one_that_the_server_asks_for_within_bounds() {
    let asks = |seconds| RunaiFaultKind::Status { status: 429, body: json!({}), retry_after: Some(seconds) };
    for (seconds, longest, at_least) in [(1, 5000, 1000), (3600, 200, 200)] {
        let timing = RunaiTiming { longest_wait: Duration::from_millis(longest), ..quick() };
        let stand = Stand::timed(setup("2.21"), vec![RunaiFault::once(asks(seconds)).on("clusters")], timing);
        let began = Instant::now();
        stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(at_least) && took < Duration::from_secs(60), "{took:?}");
    }
}

#[tokio::test]
async fn a_slow_server_is_given_up_at_the_deadline() {
    let timing = RunaiTiming { request: Duration::from_millis(300), retries: 1, ..quick() };
    let stall = RunaiFault::always(RunaiFaultKind::Stall { millis: 60_000 }).on("clusters");
    let stand = Stand::timed(setup("2.21"), vec![stall], timing);
    let began = Instant::now();
    let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!((error.cause, code(&error)), (Cause::Timeout, "runai.timeout"));
    assert!(error.transient.is_some());
}

#[tokio::test]
async fn a_token_never_follows_a_redirect() {
    let elsewhere = Stand::new(vec![]);
    for call in ["clusters", "token", "discovery"] {
        let to = format!("{}/api/v1/clusters", elsewhere.server.url());
        let stand = Stand::new(vec![RunaiFault::always(RunaiFaultKind::Redirect(to)).on(call)]);
        let error = match call {
            "discovery" => stand.failure(stand.client.issuer(&stand.ctx, &stand.target).await),
            _ => stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await),
        };
        assert_eq!((error.cause, code(&error)), (Cause::BadAnswer, "runai.bad-answer"), "{call}");
        assert!(error.happened.contains("redirect"), "{error}");
    }
    assert_eq!(elsewhere.server.served(), Vec::<String>::new());
    assert_eq!(elsewhere.server.unexpected(), Vec::<String>::new());
}

#[tokio::test]
async fn certificates_are_checked_for_authority_name_and_time() {
    let certificate = |names: &[&str], expired| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        RunaiSetup { certificate: Some(SimCertificate { names, expired }), ..setup("2.21") }
    };
    let cases = [
        (certificate(&["other.invalid"], false), Cause::BadCertificate, "runai.tls-wrong-name"),
        (certificate(&[DOMAIN], true), Cause::BadCertificate, "runai.tls-expired"),
    ];
    for (setup, cause, wanted) in cases {
        let stand = Stand::of(setup, vec![]);
        let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
        assert_eq!((error.cause, code(&error), error.transient), (cause, wanted, None), "{error:?}");
        stand.failure(stand.client.issuer(&stand.ctx, &stand.target).await);
        assert_eq!(stand.server.served(), Vec::<String>::new(), "no password was sent");
    }
    let (ours, theirs) = (Stand::new(vec![]), Stand::new(vec![]));
    let target = RunaiTarget { url: theirs.target.url.clone(), ..ours.target.clone() };
    let error = ours.failure(ours.client.clusters(&ours.ctx, &target).await);
    assert_eq!((error.cause, code(&error)), (Cause::UnknownAuthority, "runai.tls-unknown-authority"));
    let system = RunaiTarget { authority: None, ..ours.target.clone() };
    let error = ours.failure(ours.client.clusters(&ours.ctx, &system).await);
    assert!([Cause::UnknownAuthority, Cause::Input].contains(&error.cause), "the machine does not know it: {error:?}");
    assert_eq!(theirs.server.served(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_target_names_must_be_usable() {
    let stand = Stand::new(vec![]);
    let plain = RunaiTarget { url: stand.target.url.replace("https", "http"), ..stand.target.clone() };
    let nameless = RunaiTarget { authority: Some("gone".to_owned()), ..stand.target.clone() };
    let secretless = RunaiTarget { password: SecretRef::Env("NOT_SET".to_owned()), ..stand.target.clone() };
    for target in [plain, nameless, secretless] {
        let error = stand.client.clusters(&stand.ctx, &target).await.unwrap_err();
        assert_eq!((error.cause, code(&error)), (Cause::Input, "runai.target-unusable"), "{error:?}");
    }
    assert_eq!(stand.server.served(), Vec::<String>::new());
}

#[tokio::test]
async fn the_name_leads_where_the_site_says_and_nowhere_without() {
    let stand = Stand::new(vec![]);
    let nowhere = RunaiTarget { address: None, ..stand.target.clone() };
    let error = stand.failure(stand.client.clusters(&stand.ctx, &nowhere).await);
    assert_eq!((error.cause, code(&error)), (Cause::Unreachable, "runai.no-such-host"), "{error:?}");
    let closed = RunaiTarget { url: format!("https://{DOMAIN}:1"), ..stand.target.clone() };
    let error = stand.failure(stand.client.clusters(&stand.ctx, &closed).await);
    assert_eq!((error.cause, code(&error)), (Cause::Unreachable, "runai.unreachable"), "{error:?}");
    assert_eq!(stand.client.issuer(&stand.ctx, &closed).await.unwrap(), None, "nothing listens yet");
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_replaced_once() {
    let stand = Stand::new(vec![RunaiFault::once(RunaiFaultKind::TokensEnd).after(1).on("clusters")]);
    stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
    stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
    assert_eq!(stand.server.served(), ["token", "clusters", "clusters", "token", "clusters"]);
    stand.server.end_tokens();
    let made = stand.client.register(&stand.ctx, &stand.target).await.unwrap();
    assert_eq!(stand.server.entries(CLUSTER), [made.uuid]);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    let stand = Stand::of(RunaiSetup { token_valid_s: 1, ..setup("2.21") }, vec![]);
    stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
    assert_eq!(stand.server.served(), ["token", "clusters", "token", "clusters"]);
}

#[tokio::test]
async fn calls_at_once_share_one_token() {
    let stand = Stand::new(vec![]);
    let call = || stand.client.clusters(&stand.ctx, &stand.target);
    let (a, b, c) = tokio::join!(call(), call(), call());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(stand.count("token"), 1);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let stand = Stand::new(vec![]);
    let wrong = SecretRef::Env("WRONG".to_owned());
    stand.secrets.keep(&wrong, &Secret::new("Something-Else+1".to_owned())).unwrap();
    let target = RunaiTarget { password: wrong, ..stand.target.clone() };
    let error = stand.failure(stand.client.clusters(&stand.ctx, &target).await);
    assert_eq!((error.cause, code(&error), error.transient), (Cause::Credentials, "runai.credentials", None));
    assert!(error.doing.contains("token") && error.happened.contains("Invalid user credentials"), "{error}");
    stand.failure(stand.client.clusters(&stand.ctx, &target).await);
    stand.failure(stand.client.register(&stand.ctx, &target).await);
    assert_eq!(stand.server.served(), ["token"], "more would lock the account");
    stand.secrets.keep(&target.password, &Secret::new(PASSWORD.to_owned())).unwrap();
    stand.client.clusters(&stand.ctx, &target).await.unwrap();
    assert_eq!(stand.server.served(), ["token", "token", "clusters"], "another one is tried");
}

#[tokio::test]
async fn while_the_control_plane_comes_up_a_refused_login_is_tried_again_at_its_pace() {
    let setup = || RunaiSetup { stage: RunaiStage::Realm, ..setup("2.21") };
    let slow = Stand::timed(setup(), vec![], RunaiTiming { login_pause: Duration::from_secs(600), ..quick() });
    for _ in 0..3 {
        let error = slow.failure(slow.client.up(&slow.ctx, &slow.target, false).await);
        assert_eq!((error.cause, error.transient.is_some()), (Cause::Credentials, true), "{error:?}");
    }
    assert_eq!(slow.server.served(), ["token"], "more would lock the account");
    let stand = Stand::of(setup(), vec![]);
    stand.failure(stand.client.up(&stand.ctx, &stand.target, false).await);
    stand.failure(stand.client.up(&stand.ctx, &stand.target, false).await);
    stand.server.comes_up_to(RunaiStage::Whole);
    stand.client.up(&stand.ctx, &stand.target, false).await.unwrap();
    assert_eq!(stand.count("token"), 3);
    // Once a cluster was registered, the administrator was there, and a refused login is final.
    let later = Stand::of(setup(), vec![]);
    later.secrets.keep(&cluster_uid(), &Secret::new("id".to_owned())).unwrap();
    let error = later.failure(later.client.up(&later.ctx, &later.target, false).await);
    assert_eq!((error.cause, error.transient), (Cause::Credentials, None), "{error:?}");
    // But for a control plane that has just been installed: what is kept here is of the one before it.
    let anew = Stand::of(setup(), vec![]);
    anew.secrets.keep(&cluster_uid(), &Secret::new("id".to_owned())).unwrap();
    let error = anew.failure(anew.client.up(&anew.ctx, &anew.target, true).await);
    assert!(error.cause == Cause::Credentials && error.transient.is_some(), "{error:?}");
}

#[tokio::test]
async fn another_client_of_the_realm_is_tried_when_one_is_not_known() {
    let stand = Stand::of(RunaiSetup { clients: vec!["runai-cli".to_owned()], ..setup("2.21") }, vec![]);
    stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
    let stand = Stand::of(RunaiSetup { clients: vec![], ..setup("2.24") }, vec![]);
    let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
    assert_eq!((error.cause, code(&error)), (Cause::Refused, "runai.credentials"));
    assert!(error.happened.contains("Invalid client"), "{error}");
    assert_eq!(stand.count("token"), stand.target.api.tokens.len());
}

#[tokio::test]
async fn an_issuer_of_another_form_is_named_with_both_forms() {
    let told = format!("https://{DOMAIN}/auth/realms/runai");
    let stand = Stand::of(RunaiSetup { issuer: Some(told.clone()), ..setup("2.21") }, vec![]);
    assert_eq!(stand.client.issuer(&stand.ctx, &stand.target).await.unwrap().as_ref(), Some(&told));
    let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
    assert_eq!((error.cause, code(&error)), (Cause::Refused, "runai.issuer-mismatch"));
    let evidence = error.finding.unwrap().evidence.join("\n");
    assert!(evidence.contains(&told) && evidence.contains(&stand.target.issuer()), "{evidence}");
}

#[tokio::test]
async fn a_realm_that_is_not_there_is_waited_for_here_and_wrong_elsewhere() {
    let stand = Stand::new(vec![]);
    let tenant = Some("https://cluster.invalid".to_owned());
    let target = RunaiTarget { realm: "other".to_owned(), cluster_url: tenant, ..stand.target.clone() };
    let error = stand.failure(stand.client.clusters(&stand.ctx, &target).await);
    assert_eq!((error.cause, error.transient), (Cause::Refused, None), "{error:?}");
    assert!(error.happened.contains("Realm does not exist") && error.attempt.contains("realm"), "{error}");
    let here = RunaiTarget { cluster_url: None, ..target };
    assert_eq!(stand.client.issuer(&stand.ctx, &here).await.unwrap(), None, "the realm comes after Keycloak");
    let error = stand.failure(stand.client.clusters(&stand.ctx, &here).await);
    assert!(error.transient.is_some(), "{error:?}");
}

#[tokio::test]
async fn what_a_server_repeats_is_quoted_without_secrets() {
    let stand = Stand::new(vec![]);
    stand.client.clusters(&stand.ctx, &stand.target).await.unwrap();
    let token = stand.server.secrets_given().remove(0);
    let padding = "x".repeat(290);
    for text in [format!("bad token {token}"), format!("{padding}{PASSWORD}"), format!("{padding} {token} {PASSWORD}")]
    {
        stand.server.fail(RunaiFault::once(RunaiFault::status(403, &text)).on("clusters"));
        let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
        assert!(error.happened.chars().count() < 400, "{error}");
    }
    stand
        .server
        .fail(RunaiFault::once(RunaiFaultKind::Body(json!([{"uuid": PASSWORD, "name": token}]))).on("clusters"));
    let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
    assert!(error.happened.contains("[0].uuid"), "the place is named, not the value: {error}");
}

#[tokio::test]
async fn credentials_come_late_or_of_another_kind() {
    let stand = Stand::new(vec![]);
    let uuid = stand.server.registered_by_hand(CLUSTER);
    stand.server.credentials_come_late(2);
    stand.client.keep_credentials(&stand.ctx, &stand.target, &uuid).await.unwrap();
    assert_eq!(stand.count("credentials"), 3);
    stand.server.credentials_come_late(100);
    let error = stand.failure(stand.client.keep_credentials(&stand.ctx, &stand.target, &uuid).await);
    assert!(error.transient.is_some(), "{error:?}");
    let newer = Stand::of(setup("3.0"), vec![]);
    let uuid = newer.server.registered_by_hand(CLUSTER);
    let older = RunaiTarget { api: stand.target.api.clone(), ..newer.target.clone() };
    let error = newer.failure(newer.client.keep_credentials(&newer.ctx, &older, &uuid).await);
    assert_eq!((error.cause, code(&error)), (Cause::BadAnswer, "runai.cluster-secret"));
    assert!(newer.secrets.get(&cluster_uid()).is_err(), "nothing was kept");
}

#[tokio::test]
async fn a_control_plane_elsewhere_gives_the_credential_of_its_own_release_and_has_its_own_authority() {
    for (release, believed, kept) in
        [("3.0", "2.25", ClusterCredential::BootstrapToken), ("2.26", "3.0", ClusterCredential::ClientSecret)]
    {
        let newer = Stand::of(setup(release), vec![]);
        let uuid = newer.server.registered_by_hand(CLUSTER);
        let api = Stand::of(setup(believed), vec![]).target.api;
        let text = newer.server.ca_pem().to_owned();
        let target = RunaiTarget {
            api,
            authority: None,
            authority_text: Some(text),
            cluster_url: Some("https://cluster.invalid".to_owned()),
            ..newer.target.clone()
        };
        // What a release before it gave would reach the chart beside it.
        newer.secrets.keep(&kept.other().kept(), &Secret::new("of-an-older-release".to_owned())).unwrap();
        let charts = newer.client.keep_credentials(&newer.ctx, &target, &uuid).await.unwrap();
        assert_eq!(charts.as_deref(), Some("https://charts.example/runai"), "it says where they are");
        assert!(newer.client.credentials_kept(&newer.ctx, &target, &uuid).await.unwrap(), "{release}");
        assert!(newer.secrets.get(&kept.kept()).is_ok() && newer.secrets.get(&kept.other().kept()).is_err());
    }
}

#[tokio::test]
async fn a_token_for_the_first_contact_serves_until_its_end_and_a_cluster_that_came_needs_none() {
    let stand = Stand::of(setup("3.0"), vec![]);
    let (client, ctx, target) = (&stand.client, &stand.ctx, &stand.target);
    let uuid = stand.server.registered_by_hand(CLUSTER);
    client.keep_credentials(ctx, target, &uuid).await.unwrap();
    assert!(client.credentials_kept(ctx, target, &uuid).await.unwrap());
    // {"exp":1} in Base64: long over.
    let over = Secret::new("eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2ln".to_owned());
    stand.secrets.keep(&ClusterCredential::BootstrapToken.kept(), &over).unwrap();
    assert!(!client.credentials_kept(ctx, target, &uuid).await.unwrap(), "nothing could sign in with it");
    stand.server.reports(&uuid, json!({"state": "Disconnected"}), &[]);
    assert!(client.credentials_kept(ctx, target, &uuid).await.unwrap(), "it was there once");
    assert!(!client.credentials_kept(ctx, target, "00000000-0000-0000-0000-000000000000").await.unwrap());
}

#[tokio::test]
async fn a_login_that_fails_is_not_multiplied_by_the_call_that_needs_it() {
    let stand = Stand::new(vec![RunaiFault::always(RunaiFault::status(500, "boom")).on("token")]);
    let error = stand.failure(stand.client.clusters(&stand.ctx, &stand.target).await);
    assert!(error.transient.is_some() && error.doing.contains("token"), "{error:?}");
    assert_eq!(stand.server.served(), ["token"; 4]);
}
