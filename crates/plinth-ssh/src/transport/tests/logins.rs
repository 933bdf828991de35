//! Who gets in, and what is said to who does not.

use super::bench::{Bench, ed25519, rsa, target};
use super::server::{PASSWORD, Rules, Server};
use plinth_model::Exit;
use russh::MethodKind;
use std::sync::atomic::Ordering;

const HELLO: &str = "main() { emit greeting hello; }\n";

#[tokio::test]
async fn a_password_gets_in_and_is_in_no_text() {
    let bench = Bench::new();
    let (_server, target) = bench.usual(Rules::usual()).await;
    assert_eq!(bench.run(&target, HELLO).await.unwrap().get("greeting"), Some("hello"));
    let error =
        bench.run(&target, "main() { echo 'said right password' >&2; fail 'right password'; }\n").await.unwrap_err();
    assert!(!format!("{error:?}").contains(PASSWORD), "{error:?}");
    assert!(error.happened.contains("[secret]"));
}

#[tokio::test]
async fn a_question_for_the_password_is_answered_and_another_is_not() {
    for (question, right) in [("Password: ", true), ("Verification code: ", false)] {
        let bench = Bench::new();
        let rules = Rules { methods: vec![MethodKind::KeyboardInteractive], question, ..Rules::usual() };
        let (server, target) = bench.usual(rules).await;
        let result = bench.run(&target, HELLO).await;
        assert_eq!(result.is_ok(), right, "{result:?}");
        assert_eq!(server.seen.proofs.load(Ordering::SeqCst), usize::from(right));
        if let Err(error) = result {
            assert!(error.happened.contains(question.trim_end()) && error.transient.is_none(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn keys_of_both_kinds_get_in() {
    for key in [ed25519(), rsa()] {
        let bench = Bench::new();
        let rules = Rules { authorized: vec![key.public_key().clone()], ..Rules::usual() };
        let (_server, mut target) = bench.usual(rules).await;
        target.credential = bench.key(&key);
        assert!(bench.run(&target, HELLO).await.is_ok());
    }
}

#[tokio::test]
async fn a_refused_password_is_sent_once_however_many_ask() {
    for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let bench = Bench::new();
        let rules = Rules { methods: vec![method, MethodKind::PublicKey], ..Rules::usual() };
        let (server, mut target) = bench.usual(rules).await;
        target.credential = bench.password("wrong");
        let (first, second) = tokio::join!(bench.run(&target, HELLO), bench.run(&target, HELLO));
        let third = bench.run(&target, HELLO).await;
        for error in [first, second, third].map(Result::unwrap_err) {
            assert!(error.transient.is_none(), "{error:?}");
            assert_eq!(error.finding.as_ref().unwrap().code, "node.login-refused");
            assert_eq!(error.cause.exit(), Exit::Unreachable, "the node may be wrong as well as the site file");
            assert!(error.happened.contains("ada") && error.happened.contains("publickey"), "{error:?}");
        }
        assert_eq!(server.seen.proofs.load(Ordering::SeqCst), 1, "{method:?}");
    }
}

#[tokio::test]
async fn a_refused_key_may_be_tried_again_since_the_account_may_be_new() {
    let bench = Bench::new();
    let (server, mut target) = bench.usual(Rules::usual()).await;
    target.credential = bench.key(&ed25519());
    for _ in 0..2 {
        let error = bench.run(&target, HELLO).await.unwrap_err();
        assert!(error.happened.contains("its key was refused; it offers: publickey, password"), "{error:?}");
    }
    assert_eq!(server.seen.connections.load(Ordering::SeqCst), 2, "the first is that of the pin");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_says_why() {
    let bench = Bench::new();
    let server = Server::start(Rules::usual(), vec![ed25519()]).await;
    let cases = [
        ("PuTTY-User-Key-File-3: ssh-rsa", "PuTTY"),
        ("-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----", "DSA"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "encrypted"),
        ("hello", "not a private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", "damaged"),
    ];
    for (text, expected) in cases {
        let target = target(server.address, plinth_model::steps::Credential::Key(bench.keep("key", text)));
        bench.pin(&target).await;
        let error = bench.run(&target, HELLO).await.unwrap_err();
        assert!(error.happened.contains(expected), "{expected}: {error:?}");
        assert!(!error.happened.contains("AAAA"));
    }
}
