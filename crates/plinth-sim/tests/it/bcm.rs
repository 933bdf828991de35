//! The real BCM client against the simulated BCM, over real TLS.

use plinth_bcm::client::{BcmConfig, BcmProof, BcmTiming, BcmTrust, CmdaemonClient};
use plinth_model::inventory::{InterfaceKind, Inventory, NodeKind};
use plinth_model::{Observed, Secret};
use plinth_sim::bcm::{
    BcmFault, BcmFaultKind, BcmFixture, RefusedLogin, SessionEnd, SimAuth, SimBcm, SimCertificate, reply_shapes,
};
use plinth_world::bcm::BcmClient;
use plinth_world::{ClientError, ClientResult, Context, SystemClock};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PASSWORD: &str = "correct-horse-7f3a";
/// The BMC password in the captured category.
const BMC_PASSWORD: &str = "redacted-bmc-password";
const NODES: &str = "cmdevice.getNodes";

fn start(faults: Vec<BcmFault>) -> SimBcm {
    SimBcm::start(BcmFixture::captured().unwrap(), faults, SimAuth::new("root", PASSWORD)).unwrap()
}

fn password(password: &str) -> BcmProof {
    BcmProof::Password { username: Secret::new("root".into()), password: Secret::new(password.into()) }
}

fn quick() -> BcmTiming {
    BcmTiming {
        request: Duration::from_secs(5),
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(2),
        ..BcmTiming::default()
    }
}

fn ca(sim: &SimBcm) -> BcmTrust {
    BcmTrust::CaPem(sim.ca_pem().into())
}

fn client(sim: &SimBcm, proof: BcmProof, trust: BcmTrust) -> CmdaemonClient {
    CmdaemonClient::new(BcmConfig::new(sim.endpoint(), proof, trust).timing(quick())).unwrap()
}

fn usual(sim: &SimBcm) -> CmdaemonClient {
    client(sim, password(PASSWORD), ca(sim))
}

fn ctx() -> Context {
    Context::quiet(Arc::new(SystemClock::new()))
}

async fn read(client: &CmdaemonClient) -> ClientResult<Inventory> {
    client.inventory(&ctx()).await
}

/// The error of a reading; checks on the way that it has its four parts and shows no secret.
async fn failure(client: &CmdaemonClient) -> ClientError {
    let error = read(client).await.unwrap_err();
    let whole = format!("{error} {error:?}");
    for secret in [PASSWORD, BMC_PASSWORD, "simulated-session"] {
        assert!(!whole.contains(secret), "{whole}");
    }
    for part in [&error.doing, &error.happened, &error.attempt] {
        assert!(!part.is_empty(), "{error:?}");
    }
    assert!(error.doing.contains("https://"), "{error:?}");
    assert!(error.doing.contains("cmdevice.") || error.doing.contains("cmnet.") || error.doing.contains("logging in"));
    error
}

fn code(error: &ClientError) -> &str {
    error.finding.as_ref().map_or("", |finding| finding.code.as_str())
}

fn count(sim: &SimBcm, call: &str) -> usize {
    sim.served().iter().filter(|served| *served == call).count()
}

#[tokio::test]
async fn captures_decode_to_the_expected_inventory() {
    let sim = start(vec![]);
    let inventory = read(&usual(&sim)).await.unwrap();
    let seen: Vec<_> = inventory
        .nodes
        .iter()
        .map(|n| {
            (
                n.name.as_str(),
                n.kind.as_str(),
                n.category.as_deref(),
                n.interfaces[0].address.as_str(),
                n.interfaces[0].network.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("node002", "physical", Some("default"), "172.21.12.1", Some("managementnet")),
            ("bcm11-headnode", "head", None, "172.21.15.254", Some("managementnet")),
            ("node001", "physical", Some("default"), "10.141.0.1", Some("internalnet")),
        ]
    );
    let internal = &inventory.networks[1];
    assert_eq!((internal.cidr, internal.gateway), (Some("10.141.0.0/16".parse().unwrap()), None));
    assert_eq!(internal.dhcp_pool, Some(("10.141.160.0".parse().unwrap(), "10.141.167.255".parse().unwrap())));
    assert!(matches!(inventory.overlays, Observed::Unknown(_)));
    assert_eq!(inventory.source, format!("bcm {}", sim.endpoint()));
    assert_eq!(sim.served(), ["login", NODES, "cmnet.getNetworks", "cmdevice.getCategories"]);
    assert_eq!(sim.unexpected(), Vec::<String>::new());
}

#[tokio::test]
async fn the_basepod_has_its_three_traps() {
    let sim = SimBcm::start(BcmFixture::basepod().unwrap(), vec![], SimAuth::new("root", PASSWORD)).unwrap();
    let inventory = read(&usual(&sim)).await.unwrap();
    let node = |name: &str| inventory.nodes.iter().find(|n| n.name == name).unwrap();
    assert_eq!(inventory.nodes.len(), 9);
    assert_eq!(node("dgx-05").category.as_deref(), Some("dgx-h100"));
    assert_eq!(node("cpu-03").category.as_deref(), Some("cpu"));
    assert_eq!(node("dgx-05").interfaces[0].kind, InterfaceKind::Bmc);
    let bond = node("dgx-05").interfaces.iter().find(|i| i.kind == InterfaceKind::Bond).unwrap();
    assert_eq!((bond.address.as_str(), bond.network.as_deref(), bond.priority), ("10.184.162.109", Some("dgxnet"), 70));
    assert!(node("dgx-07").interfaces[1].dhcp);
    assert!(node("dgx-08").interfaces.iter().all(|i| i.network.as_deref() == Some("ipminet")));
    let alias = &node("cpu-09").interfaces[0];
    assert_eq!((&alias.kind, alias.start.as_str()), (&InterfaceKind::Alias, "ACTIVE"));
    let global = inventory.networks.iter().find(|n| n.name == "globalnet").unwrap();
    assert_eq!((global.kind.as_str(), global.cidr), ("GLOBAL", None));
}

#[tokio::test]
async fn any_inventory_can_be_served_and_read_back() {
    let first = SimBcm::start(BcmFixture::basepod().unwrap(), vec![], SimAuth::new("root", PASSWORD)).unwrap();
    let mut wanted = read(&usual(&first)).await.unwrap();
    wanted.nodes[8].interfaces.sort_by_key(|i| i.kind != InterfaceKind::Bmc);
    wanted.nodes[0].interfaces.sort_by_key(|i| i.kind != InterfaceKind::Bmc);
    let again = SimBcm::start(BcmFixture::from_inventory(&wanted), vec![], SimAuth::new("root", PASSWORD)).unwrap();
    let found = read(&usual(&again)).await.unwrap();
    assert_eq!(Inventory { source: String::new(), ..found }, Inventory { source: String::new(), ..wanted });
}

#[tokio::test]
async fn a_static_inventory_of_a_thousand_nodes_can_be_served() {
    let sim = start(vec![]);
    let mut inventory = read(&usual(&sim)).await.unwrap();
    let mut node = inventory.nodes[2].clone();
    node.interfaces.clear();
    node.uuid.clear();
    inventory.nodes = (0..1000u16)
        .map(|n| {
            let [high, low] = n.to_be_bytes();
            let mut node = node.clone();
            node.name = format!("dgx-{n:04}");
            node.category = Some("dgx-h100".to_owned());
            node.given = Some([10, 141, high, low].into());
            node
        })
        .collect();
    let big = SimBcm::start(BcmFixture::from_inventory(&inventory), vec![], SimAuth::new("root", PASSWORD)).unwrap();
    let found = read(&usual(&big)).await.unwrap();
    assert_eq!(found.nodes.len(), 1000);
    let last = &found.nodes[999];
    assert_eq!((last.name.as_str(), last.category.as_deref()), ("dgx-0999", Some("dgx-h100")));
    assert_eq!(
        (last.interfaces[0].address.as_str(), last.interfaces[0].network.as_deref()),
        ("10.141.3.231", Some("internalnet"))
    );
    assert_eq!(found.categories.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["default", "dgx-h100"]);
}

#[tokio::test]
async fn identity_comes_from_head_nodes_or_from_all_nodes() {
    for (faults, fallback) in
        [(vec![], 0), (vec![BcmFault::always(BcmFaultKind::Status(400)).on("cmdevice.getHeadNodes")], 1)]
    {
        let sim = start(faults);
        let identity = usual(&sim).identity(&ctx()).await.unwrap();
        assert_eq!(identity.names, ["bcm11-headnode"]);
        assert_eq!(identity.head_nodes, ["9f885869-a146-4cd6-af1f-f9b6c674a84c"]);
        assert_eq!(count(&sim, NODES), fallback);
    }
}

#[tokio::test]
async fn a_bcm_without_head_node_is_no_bcm() {
    let mut fixture = BcmFixture::captured().unwrap();
    fixture.devices.retain(|device| device["childType"] != "HeadNode");
    let sim = SimBcm::start(fixture, vec![], SimAuth::new("root", PASSWORD)).unwrap();
    let error = usual(&sim).identity(&ctx()).await.unwrap_err();
    assert!(error.happened.contains("no head node"), "{error}");
}

#[tokio::test]
async fn trust_decides_who_is_believed() {
    let (sim, other) = (start(vec![]), start(vec![]));
    assert!(read(&client(&sim, password(PASSWORD), BcmTrust::Insecure)).await.is_ok());
    let stranger = BcmTrust::CaPem(other.client_pair("stranger").unwrap().certificate.into());
    for (trust, expected) in [(stranger, "not trusted here"), (ca(&other), "of the same name but with another key")] {
        let error = failure(&client(&sim, password(PASSWORD), trust)).await;
        assert_eq!((code(&error), error.transient), ("bcm.tls-unknown-authority", None));
        assert!(error.happened.contains(expected) && error.attempt.contains("caFile"), "{error:?}");
    }
    assert_eq!(count(&sim, "login"), 1, "the password goes to nobody who is not believed");
}

#[tokio::test]
async fn system_roots_do_not_know_a_self_signed_bcm() {
    let sim = start(vec![]);
    match CmdaemonClient::new(BcmConfig::new(sim.endpoint(), password(PASSWORD), BcmTrust::System).timing(quick())) {
        Ok(client) => assert_eq!(code(&failure(&client).await), "bcm.tls-unknown-authority"),
        Err(error) => assert!(error.happened.contains("trusts no authority"), "{error}"),
    }
    assert_eq!(sim.served(), Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_certificate_says_what_is_wrong() {
    let names = vec!["bcm-head-01".to_owned()];
    let cases = [
        (SimCertificate { names, expired: false }, "bcm.tls-wrong-name"),
        (SimCertificate { expired: true, ..SimCertificate::default() }, "bcm.tls-expired"),
    ];
    for (certificate, expected) in cases {
        let (fixture, auth) = (BcmFixture::captured().unwrap(), SimAuth::new("root", PASSWORD));
        let sim = SimBcm::start_with_certificate(fixture, vec![], auth, &certificate).unwrap();
        let error = failure(&usual(&sim)).await;
        assert_eq!((code(&error), error.transient), (expected, None));
        assert!(read(&client(&sim, password(PASSWORD), BcmTrust::Insecure)).await.is_ok());
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_once_in_each_form() {
    let sim = start(vec![]);
    let error = failure(&client(&sim, password("wrong"), ca(&sim))).await;
    assert_eq!((code(&error), error.transient), ("bcm.credentials", None));
    assert!(error.doing.starts_with("logging in to BCM at https://127.0.0.1:"), "{error}");
    assert_eq!(sim.served(), ["login"]);
    for variant in [RefusedLogin::Unauthorized, RefusedLogin::False] {
        let sim = start(vec![BcmFault::always(BcmFaultKind::LoginRefused(variant))]);
        assert_eq!(code(&failure(&usual(&sim)).await), "bcm.credentials");
        assert_eq!(sim.served(), ["login"], "a refused password is never tried twice: accounts get locked");
    }
}

#[tokio::test]
async fn a_client_certificate_needs_no_login() {
    let (sim, other) = (start(vec![]), start(vec![]));
    let proof = |issuer: &SimBcm| {
        let pair = issuer.client_pair("admin").unwrap();
        BcmProof::Certificate { certificate: pair.certificate.into(), key: pair.key }
    };
    assert!(read(&client(&sim, proof(&sim), ca(&sim))).await.is_ok());
    assert_eq!(count(&sim, "login"), 0);
    let error = failure(&client(&sim, proof(&other), ca(&sim))).await;
    assert_eq!((code(&error), error.transient), ("bcm.tls-refused", None));
}

#[tokio::test]
async fn a_client_certificate_that_stops_counting_is_a_credentials_error() {
    let sim = start(vec![BcmFault::always(BcmFaultKind::Status(403)).on(NODES)]);
    let pair = sim.client_pair("admin").unwrap();
    let proof = BcmProof::Certificate { certificate: pair.certificate.into(), key: pair.key };
    let error = failure(&client(&sim, proof, ca(&sim))).await;
    assert_eq!(code(&error), "bcm.credentials");
    assert!(error.happened.contains("client certificate"), "{error}");
    assert_eq!(sim.served(), [NODES]);
}

#[tokio::test]
async fn an_ended_session_is_renewed_once() {
    for end in [SessionEnd::Html, SessionEnd::Unauthorized, SessionEnd::Forbidden] {
        let sim = start(vec![BcmFault::once(BcmFaultKind::SessionEnded(end)).after(1)]);
        let client = usual(&sim);
        assert!(read(&client).await.is_ok(), "{end:?}");
        assert_eq!(count(&sim, "login"), 2, "{end:?}");
        assert!(read(&client).await.is_ok(), "{end:?}");
        assert_eq!(count(&sim, "login"), 2, "the new session is kept");

        let sim = start(vec![BcmFault::always(BcmFaultKind::SessionEnded(end))]);
        let error = failure(&usual(&sim)).await;
        assert_eq!((code(&error), error.transient), ("bcm.credentials", None), "{end:?}");
        assert_eq!(sim.served(), ["login", NODES, "login", NODES], "{end:?}");
    }
}

#[tokio::test]
async fn transient_faults_pass_and_lasting_ones_are_told() {
    let cases = [
        (BcmFaultKind::Status(500), "bcm.server-trouble"),
        (BcmFaultKind::Status(503), "bcm.server-trouble"),
        (BcmFaultKind::Truncated, "bcm.interrupted"),
        (BcmFaultKind::CutJson, "bcm.truncated"),
        (BcmFaultKind::Reset, "bcm.interrupted"),
    ];
    for (kind, expected) in cases {
        let sim = start(vec![BcmFault::once(kind.clone()).on(NODES).times(3)]);
        assert_eq!(read(&usual(&sim)).await.unwrap().nodes.len(), 3, "{kind:?}");
        assert_eq!(count(&sim, NODES), 4, "{kind:?}");

        let sim = start(vec![BcmFault::always(kind.clone()).on(NODES)]);
        let error = failure(&usual(&sim)).await;
        assert_eq!(code(&error), expected, "{kind:?}");
        assert!(error.transient.is_some(), "{kind:?}");
        assert_eq!(count(&sim, NODES), 4, "one try and three more: {kind:?}");
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    let shape = |name: &str| reply_shapes().unwrap().into_iter().find(|shape| shape.name == name).unwrap();
    let cases = [
        (BcmFaultKind::Status(400), "bcm.unknown-call"),
        (BcmFaultKind::Status(404), "bcm.bad-reply"),
        (BcmFaultKind::Redirect, "bcm.redirect"),
        (BcmFaultKind::Reply(shape("unknown call, very old release")), "bcm.unknown-call"),
        (BcmFaultKind::Reply(shape("object not found")), "bcm.bad-reply"),
        (BcmFaultKind::Reply(shape("add refused")), "bcm.rejected"),
        (BcmFaultKind::Reply(shape("add refused, no details")), "bcm.rejected"),
        (BcmFaultKind::Reply(shape("error object")), "bcm.rejected"),
        (BcmFaultKind::Reply(shape("add accepted")), "bcm.bad-reply"),
        (BcmFaultKind::Reply(shape("validate with error")), "bcm.bad-entity"),
    ];
    for (kind, expected) in cases {
        let sim = start(vec![BcmFault::always(kind.clone()).on(NODES)]);
        let error = failure(&usual(&sim)).await;
        assert_eq!((code(&error), error.transient), (expected, None), "{kind:?}");
        assert_eq!(sim.served(), ["login", NODES], "{kind:?}");
    }
}

#[tokio::test]
async fn every_reply_shape_is_answered_with_a_result_or_a_whole_error() {
    for shape in reply_shapes().unwrap() {
        let empty_list = shape.name == "validate ok";
        let sim = start(vec![BcmFault::always(BcmFaultKind::Reply(shape.clone())).on(NODES)]);
        if empty_list {
            assert_eq!(read(&usual(&sim)).await.unwrap().nodes, vec![], "an empty list is success");
        } else {
            assert_ne!(code(&failure(&usual(&sim)).await), "", "{}", shape.name);
        }
    }
}

#[tokio::test]
async fn a_login_needs_status_body_and_cookie() {
    let shapes = reply_shapes().unwrap();
    let login = shapes.iter().find(|shape| shape.name == "login ok").unwrap().clone();
    let mut no_cookie = login.clone();
    no_cookie.set_cookie = None;
    let mut not_true = login;
    not_true.body = serde_json::json!({"success": true});
    for (shape, expected) in [(no_cookie, "no cm-login-token cookie"), (not_true, "`true` was expected")] {
        let sim = start(vec![BcmFault::always(BcmFaultKind::Reply(shape)).on("login")]);
        let error = failure(&usual(&sim)).await;
        assert!(error.happened.contains(expected), "{error}");
        assert_eq!(sim.served(), ["login"]);
    }
    let sim = start(vec![BcmFault::always(BcmFaultKind::Html).on("login")]);
    assert!(failure(&usual(&sim)).await.happened.contains("may not be CMDaemon's port"));
}

#[tokio::test]
async fn an_error_text_that_quotes_the_password_is_cleaned() {
    let echo = plinth_sim::bcm::ReplyShape {
        name: "echo".to_owned(),
        http_status: 200,
        body: serde_json::json!({"error": format!("no user root with password {PASSWORD}")}),
        content_type: None,
        set_cookie: None,
    };
    let sim = start(vec![BcmFault::always(BcmFaultKind::Reply(echo)).on("login")]);
    let error = failure(&usual(&sim)).await;
    assert!(error.happened.ends_with("no user root with password [secret]"), "{error}");
}

#[tokio::test]
async fn a_stall_ends_at_the_deadline() {
    let sim = start(vec![BcmFault::always(BcmFaultKind::Stall { millis: 60_000 }).on(NODES)]);
    let timing = BcmTiming { request: Duration::from_millis(300), retries: 1, ..quick() };
    let config = BcmConfig::new(sim.endpoint(), password(PASSWORD), ca(&sim)).timing(timing);
    let begun = Instant::now();
    let error = failure(&CmdaemonClient::new(config).unwrap()).await;
    assert_eq!((code(&error), error.transient.is_some()), ("bcm.timeout", true));
    assert!(begun.elapsed() < Duration::from_secs(20));
    drop(sim);
    assert!(begun.elapsed() < Duration::from_secs(30), "a stalled request does not keep the daemon alive");
}

#[tokio::test]
async fn a_reply_over_the_limit_is_not_read() {
    let sim = start(vec![]);
    let timing = BcmTiming { reply_max: 10_000, ..quick() };
    let config = BcmConfig::new(sim.endpoint(), password(PASSWORD), ca(&sim)).timing(timing);
    let error = failure(&CmdaemonClient::new(config).unwrap()).await;
    assert_eq!((code(&error), error.transient), ("bcm.too-large", None));
}

#[tokio::test]
async fn nobody_there_no_such_host_and_no_tls_are_told_apart() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let plain_port = plain.local_addr().unwrap().port();
    let talker = std::thread::spawn(move || {
        use std::io::{Read, Write};
        if let Ok((mut stream, _)) = plain.accept() {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let cases = [
        (format!("https://127.0.0.1:{free}"), "bcm.unreachable", true),
        ("https://no-such-head.invalid:8081".to_owned(), "bcm.no-such-host", true),
        (format!("https://127.0.0.1:{plain_port}"), "bcm.tls-not-spoken", false),
    ];
    for (endpoint, expected, transient) in cases {
        let config = BcmConfig::new(endpoint, password(PASSWORD), BcmTrust::Insecure).timing(quick());
        let error = failure(&CmdaemonClient::new(config).unwrap()).await;
        assert_eq!((code(&error), error.transient.is_some()), (expected, transient), "{error:?}");
    }
    talker.join().unwrap();
}

#[tokio::test]
async fn one_bad_device_among_many_is_named() {
    let mut fixture = BcmFixture::basepod().unwrap();
    fixture.devices[6]["interfaces"][1]["ip"] = serde_json::json!(["10.0.0.1"]);
    let sim = SimBcm::start(fixture, vec![], SimAuth::new("root", PASSWORD)).unwrap();
    let error = failure(&usual(&sim)).await;
    assert_eq!(code(&error), "bcm.bad-entity");
    assert!(error.happened.starts_with("item 7 (dgx-07) of 9 cannot be read at `interfaces[1].ip`"), "{error}");
}

#[tokio::test]
async fn strangers_at_the_door_are_remembered() {
    let sim = start(vec![BcmFault::once(BcmFaultKind::Status(503)).on("ready")]);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sim.ca_pem().as_bytes()).unwrap()).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let at = |path: &str| format!("{}{path}", sim.endpoint());
    let ready = || async { http.get(at("/ready?version=query")).send().await.unwrap() };
    assert_eq!(ready().await.status(), 503);
    assert_eq!(ready().await.text().await.unwrap(), "ready");
    let no_session = http.post(at("/json")).body(r#"{"service":"cmmain","call":"ping"}"#).send().await.unwrap();
    assert_eq!(
        (no_session.status().as_u16(), no_session.headers()["content-type"].to_str().unwrap()),
        (200, "text/html")
    );
    assert_eq!(sim.unexpected(), Vec::<String>::new());
    assert_eq!(http.get(at("/rest/v1/device")).send().await.unwrap().status(), 404);
    assert_eq!(http.post(at("/json")).body("nonsense").send().await.unwrap().status(), 400);
    assert_eq!(sim.unexpected(), ["GET /rest/v1/device", "POST /json with a body that is no request"]);
}

#[tokio::test]
async fn nothing_read_from_a_category_shows_the_bmc_password() {
    let fixture = BcmFixture::captured().unwrap();
    assert!(fixture.categories[0].to_string().contains(BMC_PASSWORD), "the capture has one to hide");
    let sim = start(vec![]);
    let inventory = read(&usual(&sim)).await.unwrap();
    assert_eq!(inventory.categories[0].name, "default");
    assert!(inventory.nodes.iter().any(|node| node.kind == NodeKind::Head));
    assert!(!format!("{inventory:?}{}", serde_json::to_string(&inventory).unwrap()).contains(BMC_PASSWORD));
    let categories: Vec<plinth_bcm::entity::Category> = plinth_bcm::entity::decode_list(fixture.categories).unwrap();
    assert!(!format!("{categories:?}{:?}", categories[0].rest).contains(BMC_PASSWORD));
    assert_eq!(categories[0].rest["bmcSettings"]["userName"], "bright");
}

#[test]
fn a_daemon_stops_when_dropped() {
    let sim = start(vec![]);
    let address = sim.endpoint().trim_start_matches("https://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(sim);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[tokio::test]
async fn trying_again_is_told() {
    let sim = start(vec![BcmFault::once(BcmFaultKind::Status(503)).times(2).on("cmdevice.getHeadNodes")]);
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let said = Arc::clone(&told);
    let ctx = Context::new(Arc::new(SystemClock::new()), move |progress| said.lock().unwrap().push(progress.message));
    usual(&sim).identity(&ctx).await.unwrap();
    let tries = quick().retries + 1;
    let wanted = [2, 3].map(|next| format!("BCM does not answer, try {next} of {tries}"));
    assert_eq!(*told.lock().unwrap(), wanted);
}
