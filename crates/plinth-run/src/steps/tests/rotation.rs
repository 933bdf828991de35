//! Exchanging a certificate: how far it has come, who restarts behind it, what the URL shows.

use super::*;
use plinth_model::steps::{
    CertificateRotation, CertificateServed, CertificateSource, Outgoing, RotationPhase, SecretRestart,
};
use plinth_world::keystore::CertificateState;
use plinth_world::kube::{Behind, CheckSeen};

fn rotation(phase: RotationPhase) -> Work {
    CertificateRotation {
        name: "runai".to_owned(),
        names: vec!["a.test".to_owned().try_into().unwrap()],
        source: CertificateSource::Generated { authority_days: 3650, leaf_days: 825 },
        outgoing: Outgoing { leaf: "ab".to_owned(), authorities: Vec::new() },
        phase,
    }
    .into()
}

fn restart() -> Work {
    SecretRestart { namespace: "n".to_owned(), secret: "ca".to_owned(), read_at_start: true, timeout_s: 60 }.into()
}

fn behind(name: &str, old: &[&str]) -> Behind {
    let old: Vec<String> = old.iter().map(|pod| (*pod).to_owned()).collect();
    let seen = if old.is_empty() { "0/1 ready" } else { "1 pod from before the secret was changed" };
    Behind { kind: "Deployment".to_owned(), name: name.to_owned(), old, seen: seen.to_owned() }
}

#[tokio::test]
async fn a_phase_is_reached_when_the_kept_files_say_so() {
    let (work, bench) = (rotation(RotationPhase::NewLeaf), Bench::new());
    bench.fake.on("rotation_differs", vec!["~ the leaf: a new one".to_owned()]);
    assert_eq!(todo(bench.look(&work).await), ["~ the leaf: a new one"]);
    let kept = CertificateState {
        names: vec!["a.test".to_owned()],
        days_left: 824,
        fingerprint: "cd".to_owned(),
        authority: None,
    };
    bench.fake.on("rotate", kept);
    assert_eq!(bench.act(&work).await.unwrap(), "a new leaf for a.test, 824 days");
    bench.fake.on("rotation_differs", Vec::<String>::new());
    assert_eq!(done(bench.look(&work).await), "the leaf is a new one");
    bench.fake.assert_used_up();
}

#[tokio::test]
async fn who_is_behind_is_restarted_and_waited_for() {
    let (work, bench) = (restart(), Bench::new());
    bench.fake.on("behind", vec![behind("agent", &["agent-1"])]);
    assert_eq!(todo(bench.look(&work).await), ["! Deployment agent: 1 pod from before the secret was changed"]);
    bench.fake.on("behind", vec![behind("agent", &["agent-1"]), behind("sync", &[])]).on("restart", ());
    bench.fake.on("behind", vec![behind("agent", &[]), behind("sync", &[])]).on("behind", Vec::<Behind>::new());
    assert_eq!(bench.act(&work).await.unwrap(), "restarted and ready: Deployment agent", "sync was only waited for");
    bench.fake.assert_used_up();
}

#[tokio::test]
async fn who_does_not_come_back_is_told_with_the_reason() {
    let (work, bench) = (restart(), Bench::new());
    bench.fake.on("behind", vec![behind("agent", &["agent-1"])]).on("restart", ());
    for _ in 0..looks(&work) {
        bench.fake.on("behind", vec![behind("agent", &[])]);
    }
    let error = bench.act(&work).await.unwrap_err();
    let finding = error.finding.unwrap();
    assert_eq!(finding.code, "platform.not-back");
    assert_eq!(finding.evidence[0], "! Deployment agent: 0/1 ready");
    assert!(finding.fix.contains("it goes on here"), "{}", finding.fix);
}

#[tokio::test]
async fn a_url_that_still_shows_the_old_leaf_is_waited_for() {
    let work: Work =
        CertificateServed { url: "https://a.test".to_owned(), address: None, certificate: Some("runai".to_owned()) }
            .into();
    let bench = Bench::new();
    let old = || CheckSeen::Fails { evidence: vec!["another certificate than the kept one".to_owned()], code: None };
    bench.fake.on("run_check", old());
    assert_eq!(todo(bench.look(&work).await), ["! another certificate than the kept one"]);
    bench.fake.on("run_check", old()).on("run_check", CheckSeen::Holds(vec!["it answers 200".to_owned()]));
    assert_eq!(bench.act(&work).await.unwrap(), "it answers 200");
    for _ in 0..looks(&work) {
        bench.fake.on("run_check", old());
    }
    let finding = bench.act(&work).await.unwrap_err().finding.unwrap();
    assert_eq!(finding.code, "ingress.certificate-not-trusted");
}
