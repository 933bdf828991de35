//! What goes wrong between plinth and an API server is told apart, and nothing of a key or a secret is told.

use crate::stand::{Stand, name};
use indexmap::IndexMap;
use plinth_model::SecretRef;
use plinth_model::steps::SecretContent;
use plinth_world::kube::{HeldConfig, KubeAccess as _, KubeNodes as _, KubeSecrets as _};
use plinth_world::{ClientError, ClientResult, Context, SystemClock};
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// The finding's code, and whether trying again may help.
#[track_caller]
fn told<T: Debug>(stand: &Stand, result: ClientResult<T>) -> (String, bool) {
    let error = result.expect_err("the call must fail");
    quiet(stand, &error);
    let finding = error.finding.as_ref().map_or_else(String::new, |finding| finding.code.to_string());
    (finding, error.transient.is_some())
}

/// No line of the key, and no secret, is in the error.
#[track_caller]
fn quiet(stand: &Stand, error: &ClientError) {
    let said = format!("{error:?}");
    let held = std::fs::read_to_string(stand.kept()).unwrap_or_default();
    let keys = held.lines().filter_map(|line| line.trim().strip_prefix("client-key-data: "));
    assert!(keys.into_iter().all(|key| !said.contains(key)), "{said}");
    assert!(!said.contains("first-value"), "{said}");
}

/// Changes the kubeconfig that is held.
fn alter(stand: &Stand, change: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(stand.kept()).unwrap();
    let changed = change(&text);
    assert_ne!(text, changed);
    std::fs::write(stand.kept(), changed).unwrap();
}

/// The value of a line `KEY: VALUE`.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap();
    line.trim_start_matches(':').trim()
}

pub(crate) fn use_config(stand: &Stand, file: &Path) {
    let theirs = std::fs::read_to_string(file).unwrap();
    alter(stand, |text| {
        ["client-certificate-data", "client-key-data"]
            .iter()
            .fold(text.to_owned(), |text, key| text.replace(value(&text, key), value(&theirs, key)))
    });
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn another_authority_and_an_expired_certificate_are_fixed_by_fetching_anew() {
    let stand = Stand::introduced();
    let other = Stand::up();
    let works = |stand: &Stand| match stand.run(stand.client.kubeconfig(&stand.ctx)).unwrap() {
        Some(HeldConfig { refused, .. }) => refused,
        other => panic!("{other:?}"),
    };
    assert_eq!(works(&stand), None);
    let theirs = std::fs::read_to_string(other.plane.admin()).unwrap();
    let authority = "certificate-authority-data";
    alter(&stand, |text| text.replace(value(text, authority), value(&theirs, authority)));
    assert!(works(&stand).unwrap().contains("another authority"));
    let node = stand.run(stand.client.node(&stand.ctx, &name("n1")));
    assert_eq!(told(&stand, node), ("kubernetes.wrong-authority".to_owned(), false));
    stand.fetch().unwrap();
    assert_eq!(works(&stand), None);
    use_config(&stand, &stand.plane.expired());
    let said = works(&stand).unwrap();
    assert!(said.contains("expired at 2021-01-01"), "{said}");
    let node = stand.run(stand.client.node(&stand.ctx, &name("n1")));
    assert_eq!(told(&stand, node), ("kubernetes.credentials".to_owned(), false));
    // One that does not work does not take the place of the one that is held.
    let before = std::fs::read_to_string(stand.kept()).unwrap();
    *stand.node.0.lock().unwrap() = stand.plane.expired();
    assert_eq!(told(&stand, stand.fetch()), ("kubernetes.credentials".to_owned(), false));
    *stand.node.0.lock().unwrap() = other.plane.admin();
    assert_eq!(told(&stand, stand.fetch()), ("kubernetes.wrong-authority".to_owned(), false));
    assert_eq!(std::fs::read_to_string(stand.kept()).unwrap(), before);
    std::fs::write(stand.kept(), "no kubeconfig").unwrap();
    assert_eq!(stand.run(stand.client.kubeconfig(&stand.ctx)).unwrap(), None);
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn somebody_without_rights_is_told_so() {
    let stand = Stand::introduced();
    use_config(&stand, &stand.plane.nobody());
    let (client, ctx) = (&stand.client, &stand.ctx);
    let forbidden = ("kubernetes.forbidden".to_owned(), false);
    assert_eq!(told(&stand, stand.run(client.kubeconfig(ctx))), forbidden);
    assert_eq!(told(&stand, stand.run(client.nodes(ctx))), forbidden);
    let content = SecretContent::Value {
        key: "k".to_owned(),
        value: SecretRef::File("first".to_owned()),
        beside: IndexMap::new(),
    };
    let made = stand.run(client.make_secret(ctx, "default", "s", &content, &IndexMap::new()));
    assert_eq!(told(&stand, made), forbidden);
    assert!(!std::fs::read_to_string(stand.plane.audit()).unwrap().contains("first-value"));
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_secret_that_is_refused_is_not_quoted() {
    let stand = Stand::introduced();
    std::fs::write(stand.folder.path().join("first"), "first-value".repeat(200_000)).unwrap();
    let content = SecretContent::Value {
        key: "k".to_owned(),
        value: SecretRef::File("first".to_owned()),
        beside: IndexMap::new(),
    };
    let made = stand.run(stand.client.make_secret(&stand.ctx, "default", "s", &content, &IndexMap::new()));
    assert_eq!(told(&stand, made), (String::new(), false));
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_server_at_another_address_is_not_believed_and_a_slow_one_is_given_up() {
    let stand = Stand::introduced();
    let (client, ctx) = (&stand.client, &stand.ctx);
    let behind = stand.plane.endpoint().replace("https://", "");
    let elsewhere = stand.run(async {
        let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let mut there = TcpStream::connect(&behind).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut here, &mut there).await });
            }
        });
        address
    });
    let server = |text: &str, to: std::net::SocketAddr| text.replace(value(text, "server"), &format!("https://{to}"));
    alter(&stand, |text| server(text, elsewhere));
    assert_eq!(told(&stand, stand.run(client.nodes(ctx))), ("kubernetes.wrong-name".to_owned(), false));
    let silent = stand.run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        address
    });
    alter(&stand, |text| server(text, silent));
    let late = told(&stand, stand.run(stand.impatient().nodes(ctx)));
    assert_eq!(late, ("kubernetes.unreachable".to_owned(), true));
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_server_that_is_down_is_waited_for_and_then_told() {
    let stand = Stand::introduced();
    let before = std::fs::read_to_string(stand.kept()).unwrap();
    stand.plane.kill_api_server();
    let unreachable = ("kubernetes.unreachable".to_owned(), true);
    assert_eq!(told(&stand, stand.run(stand.client.kubeconfig(&stand.ctx))), unreachable);
    assert_eq!(told(&stand, stand.run(stand.client.node(&stand.ctx, &name("n1")))), unreachable);
    assert_eq!(told(&stand, stand.fetch()), unreachable);
    assert!(stand.ctx.clock().elapsed().as_secs() >= 60, "a fresh control plane gets a minute");
    assert_eq!(std::fs::read_to_string(stand.kept()).unwrap(), before);
}

/// It listens before it has read roles and kinds, and refuses those who have every right.
#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_server_that_has_just_started_has_no_last_word() {
    let stand = Stand::introduced();
    let ctx = Context::quiet(Arc::new(SystemClock::default()));
    let binding = ["create", "clusterrolebinding", "operators", "--clusterrole=cluster-admin", "--group=operators"];
    stand.plane.kubectl(&binding).unwrap();
    use_config(&stand, &stand.plane.operator());
    assert_eq!(stand.run(stand.client.nodes(&ctx)).unwrap().len(), 2);
    for _ in 0..5 {
        stand.plane.kill_api_server();
        stand.plane.start_api_server().unwrap();
        let began = std::time::Instant::now();
        let answered = loop {
            match stand.run(stand.client.nodes(&ctx)) {
                Err(error) if error.transient.is_some() && began.elapsed().as_secs() < 60 => {}
                other => break other,
            }
        };
        assert_eq!(answered.unwrap().len(), 2);
    }
}
