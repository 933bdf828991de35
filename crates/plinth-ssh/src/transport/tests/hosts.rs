//! Host keys: pinned, changed, of several algorithms, behind a jump host.

use super::bench::{Bench, ed25519, rsa, target};
use super::server::{PASSWORD, Rules, Server};
use plinth_model::steps::Jump;
use std::fs;
use std::sync::atomic::Ordering;

const HELLO: &str = "main() { emit greeting hello; }\n";

#[tokio::test]
async fn nobody_is_logged_in_before_the_key_is_pinned_nor_after_it_changed() {
    let bench = Bench::new();
    let server = Server::start(Rules::usual(), vec![ed25519()]).await;
    let mut target = target(server.address, bench.password(PASSWORD));
    let error = bench.run(&target, HELLO).await.unwrap_err();
    assert!(error.happened.contains("not pinned yet: ssh-ed25519 SHA256:"), "{error:?}");
    bench.pin(&target).await;

    let other = Server::start(Rules::usual(), vec![ed25519()]).await;
    target.port = other.address.port();
    let error = bench.run(&target, HELLO).await.unwrap_err();
    let finding = error.finding.unwrap();
    assert_eq!(finding.code, "node.host-key-changed");
    assert!(finding.fix.contains("plinth trust dgx-01") && finding.evidence.len() == 3, "{finding:?}");
    let state = bench.ssh.host_key(&bench.ctx, &target).await.unwrap();
    assert_ne!(state.pinned.as_ref(), Some(&state.presented));
    assert!(bench.ssh.pin_host_key(&bench.ctx, &target, &state.presented).await.is_err());
    let error = bench.run(&target, HELLO).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code, "node.host-key-changed", "having looked at it is not having proved it");
    assert_eq!(server.seen.proofs.load(Ordering::SeqCst) + other.seen.proofs.load(Ordering::SeqCst), 0);

    bench.ssh.repin_host_key(&bench.ctx, &target, &state.presented).await.unwrap();
    assert!(bench.run(&target, HELLO).await.is_ok());
    let file = fs::read_to_string(bench.folder.path().join("host-keys/dgx-01")).unwrap();
    assert!(file.starts_with("# 2") && file.contains(&state.presented.fingerprint), "{file}");
    let place = format!("[127.0.0.1]:{0},[dgx-01]:{0} ssh-ed25519 ", target.port);
    assert!(bench.ssh.known_hosts().unwrap().contains(&place));
}

#[tokio::test]
async fn a_pin_that_cannot_be_read_is_an_error_and_no_first_contact() {
    let bench = Bench::new();
    let server = Server::start(Rules::usual(), vec![ed25519()]).await;
    let target = target(server.address, bench.password(PASSWORD));
    bench.pin(&target).await;
    let pin = bench.folder.path().join("host-keys/dgx-01");
    let whole = fs::read_to_string(&pin).unwrap();
    let half = &whole[..whole.len() / 2];
    for text in ["", "\n", "# only a comment\n", "\0\u{1b}garbage", half, "@revoked * ssh-ed25519 AAAA\n"] {
        fs::write(&pin, text).unwrap();
        let errors = [
            bench.ssh.host_key(&bench.ctx, &target).await.map(|_| ()).unwrap_err(),
            bench.run(&target, HELLO).await.map(|_| ()).unwrap_err(),
        ];
        for error in errors {
            assert!(error.happened.contains("host-keys/dgx-01 is there, and holds no key"), "{text:?}: {error:?}");
            assert!(error.attempt.contains("plinth trust dgx-01") && error.transient.is_none(), "{error:?}");
        }
        assert_eq!(fs::read_to_string(&pin).unwrap(), text, "nothing was pinned anew");
    }
    assert_eq!(server.seen.proofs.load(Ordering::SeqCst), 0, "no password was sent");
    fs::write(&pin, whole).unwrap();
    assert!(bench.run(&target, HELLO).await.is_ok());
}

#[tokio::test]
async fn a_host_with_several_keys_shows_the_pinned_one() {
    let bench = Bench::new();
    let (rsa, other) = (rsa(), ed25519());
    let old = Server::start(Rules::usual(), vec![rsa.clone()]).await;
    let mut target = target(old.address, bench.password(PASSWORD));
    bench.pin(&target).await;
    let new = Server::start(Rules::usual(), vec![other, rsa]).await;
    target.port = new.address.port();
    let state = bench.ssh.host_key(&bench.ctx, &target).await.unwrap();
    assert_eq!(state.presented.algorithm, "ssh-rsa");
    assert_eq!(state.pinned, Some(state.presented));
    assert!(bench.run(&target, HELLO).await.is_ok());
}

#[tokio::test]
async fn a_host_that_the_person_knows_counts_as_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known_hosts");
    let bench = Bench::with(|config| config.known_hosts = vec![known.clone()]);
    let key = ed25519();
    let server = Server::start(Rules::usual(), vec![key.clone()]).await;
    let line = format!("[127.0.0.1]:{} {}\n", server.address.port(), key.public_key().to_openssh().unwrap());
    fs::write(&known, line).unwrap();
    let target = target(server.address, bench.password(PASSWORD));
    assert!(bench.run(&target, HELLO).await.is_ok());
}

#[tokio::test]
async fn a_jump_host_is_proven_and_gone_through() {
    let bench = Bench::new();
    let (jump, mut target) = bench.usual(Rules::usual()).await;
    let node = Server::start(Rules::usual(), vec![ed25519()]).await;
    let host = Jump {
        host: "localhost".to_owned(),
        port: jump.address.port(),
        user: "eve".to_owned(),
        credential: target.credential.clone(),
    };
    target.port = node.address.port();
    target.jump = Some(host.clone());
    let presented = bench.ssh.host_key(&bench.ctx, &target).await.unwrap().presented;
    let pin = bench.folder.path().join("host-keys/localhost");
    assert!(fs::read_to_string(&pin).unwrap().contains("accepted on first contact"));
    bench.ssh.repin_host_key(&bench.ctx, &target, &presented).await.unwrap();
    assert!(bench.run(&target, HELLO).await.is_ok());
    assert!(bench.run(&target, HELLO).await.is_ok());
    assert_eq!(
        jump.seen.connections.load(Ordering::SeqCst),
        2,
        "one for the pin of the node that has this address, one for all the rest"
    );
    assert_eq!(
        node.seen.connections.load(Ordering::SeqCst),
        2,
        "one for each pin, the second for both operations, too"
    );

    let other = Bench::new();
    fs::create_dir_all(other.folder.path().join("host-keys")).unwrap();
    let wrong = fs::read_to_string(bench.folder.path().join("host-keys/dgx-01")).unwrap();
    let wrong = wrong
        .replace("dgx-01", "localhost")
        .replace("127.0.0.1", "localhost")
        .replace(&node.address.port().to_string(), &host.port.to_string());
    fs::write(other.folder.path().join("host-keys/localhost"), wrong).unwrap();
    let error = other.ssh.host_key(&other.ctx, &target).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code, "node.host-key-changed");
    assert!(error.attempt.contains("host-keys/localhost"), "{}", error.attempt);
}
