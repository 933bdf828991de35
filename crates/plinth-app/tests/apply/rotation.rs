//! Certificates exchanged in the simulated world, after it was applied.

use super::*;
use plinth_model::steps::RotationPhase;

impl Bench {
    async fn rotate(&self, script: Script, authority: bool) -> Result<(Vec<String>, RunReport), Failure> {
        self.rotate_until(script, authority, None).await
    }

    async fn rotate_until(
        &self,
        script: Script,
        authority: bool,
        until: Option<RotationPhase>,
    ) -> Result<(Vec<String>, RunReport), Failure> {
        let mut operation = self.open(script)?;
        let discovered = operation.discover().await?;
        let planned = operation.plan_rotation(&discovered, authority, until).await?;
        let ids = planned.plan.steps.iter().map(|step| step.id.to_string()).collect();
        let mut approved = operation.approve(planned, &Always).await?.unwrap();
        Ok((ids, operation.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await?))
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.state.join("certificates/runai").join(name)).unwrap()
    }

    /// Steps of the last run that acted, in the order of their beginning.
    fn acted(&self) -> Vec<String> {
        let view = self.last_run();
        let acted = view.steps.iter().filter(|(_, step)| step.state == StepState::Changed);
        acted.map(|(id, _)| id.to_string()).collect()
    }
}

async fn applied() -> Bench {
    applied_to(|site| site).await
}

async fn applied_to(change: fn(String) -> String) -> Bench {
    let bench = Bench::new(change);
    let (_, report) = bench.apply(Script::default()).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    bench
}

/// Nothing is left to do, and another apply finds nothing.
async fn nothing_is_left(bench: &Bench) {
    let (pending, report) = bench.apply(Script::default()).await.unwrap();
    assert_eq!((pending, report.exit, report.counts.changed), (0, Exit::Done, 0), "{:#?}", report.failures);
}

#[tokio::test]
async fn a_leaf_is_exchanged_and_the_authority_stays() {
    let bench = applied().await;
    let (leaf, authority) = (bench.file("tls.crt"), bench.file("ca.pem"));
    let (ids, report) = bench.rotate(Script::default(), false).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    let wanted = [
        "platform/rotation/new-leaf.runai",
        "platform/secret/new-leaf.runai-backend.runai-backend-tls",
        "platform/secret/new-leaf.runai.runai-cluster-domain-tls-secret",
        "platform/restart/new-leaf.runai-backend.runai-backend-tls",
        "platform/restart/new-leaf.runai.runai-cluster-domain-tls-secret",
        "platform/served/runai",
        "runai/connected/new-leaf.bcm-gpu-cluster",
        "platform/rotation/finished.runai",
    ];
    assert_eq!(ids, wanted);
    assert!(bench.file("tls.crt") != leaf && bench.file("ca.pem") == authority);
    nothing_is_left(&bench).await;
}

#[tokio::test]
async fn the_authority_is_exchanged_behind_one_that_everybody_trusts_already() {
    let bench = applied().await;
    let authority = bench.file("ca.pem");
    let (ids, report) = bench.rotate(Script::default(), true).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    let at = |id: &str| ids.iter().position(|known| known == id).unwrap_or_else(|| panic!("{id}: {ids:#?}"));
    // Everybody trusts both before a leaf of the new one is seen, and nobody loses the old one before Run:ai was proved with the new one.
    let order = [
        "platform/rotation/trust-both.runai",
        "platform/secret/trust-both.runai-backend.runai-ca-cert",
        "platform/secret/trust-both.runai.runai-ca-cert",
        "platform/restart/trust-both.runai-backend.runai-ca-cert",
        "platform/restart/trust-both.runai.runai-ca-cert",
        "runai/connected/trust-both.bcm-gpu-cluster",
        "platform/rotation/new-leaf.runai",
        "platform/secret/new-leaf.runai-backend.runai-backend-tls",
        "platform/served/runai",
        "runai/connected/new-leaf.bcm-gpu-cluster",
        "platform/rotation/trust-new.runai",
        "platform/restart/trust-new.runai.runai-ca-cert",
        "runai/connected/trust-new.bcm-gpu-cluster",
        "platform/rotation/finished.runai",
    ];
    assert!(order.map(at).is_sorted(), "{ids:#?}");
    assert_eq!(ids.len(), 20, "{ids:#?}");
    let acted = bench.acted();
    for phase in [RotationPhase::TrustBoth, RotationPhase::TrustNew] {
        let restarted = |id: &&String| id.starts_with(&format!("platform/restart/{}", phase.word()));
        assert_eq!(
            acted.iter().filter(restarted).count(),
            2,
            "both parts read the authority when they begin: {acted:#?}"
        );
    }
    assert!(!bench.file("ca.pem").contains(authority.trim()), "the old one is out");
    nothing_is_left(&bench).await;
}

#[tokio::test]
async fn interrupted_in_the_middle_it_says_so_and_goes_on() {
    let bench = applied().await;
    let (_, report) = bench.rotate(with_fault("runai:disconnected"), true).await.unwrap();
    assert_eq!(report.exit, Exit::Partly, "{:?}", report.counts);
    let stopped = report.failures[0].0.as_str().to_owned();
    assert!(stopped.starts_with("runai/connected/"), "{stopped}");
    let both = bench.file("ca.pem");
    assert_eq!(both.matches("BEGIN CERTIFICATE").count(), 2);

    // An apply in between changes nothing of it, and tells.
    let (pending, report) = bench.apply(Script::default()).await.unwrap();
    assert_eq!((pending, report.exit, report.counts.changed), (0, Exit::Done, 0), "{:#?}", report.failures);
    let told = bench.last_run();
    let noted = serde_json::to_string(&told).unwrap();
    assert!(noted.contains("platform.rotation-unfinished"), "{noted}");
    assert_eq!(bench.file("ca.pem"), both);

    // Whatever is asked for: what was begun is finished.
    let (ids, report) = bench.rotate(Script::default(), false).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    assert!(ids.iter().any(|id| id == "platform/rotation/trust-new.runai"), "{ids:#?}");
    assert_eq!(bench.file("ca.pem").matches("BEGIN CERTIFICATE").count(), 1);
    assert!(both.contains(bench.file("ca.pem").trim()), "it is the one that was begun with");
    nothing_is_left(&bench).await;
}

#[tokio::test]
async fn without_a_certificate_there_is_nothing_to_exchange() {
    let bench = Bench::new(|site| site);
    let problem = problem(bench.rotate(Script::default(), false).await.unwrap_err());
    assert!(problem.to_string().contains("none is kept yet"), "{problem}");
}

#[tokio::test]
async fn the_url_is_looked_at_also_where_the_site_skips_its_check() {
    let bench = applied_to(|site| format!("{site}\nchecks: {{skip: [ingress]}}\n")).await;
    let (ids, report) = bench.rotate(Script::default(), false).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    assert!(ids.iter().any(|id| id == "platform/served/runai"), "{ids:#?}");
}

/// Who is outside of the cluster is given the new authority in between.
#[tokio::test]
async fn it_stops_behind_the_phase_that_it_is_asked_to_and_goes_on_later() {
    let bench = applied().await;
    let leaf = bench.file("tls.crt");
    let until = Some(RotationPhase::TrustBoth);
    let (ids, report) = bench.rotate_until(Script::default(), true, until).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    assert_eq!(ids.last().map(String::as_str), Some("runai/connected/trust-both.bcm-gpu-cluster"));
    assert_eq!(bench.file("ca.pem").matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(bench.file("tls.crt"), leaf, "the old leaf is served on");
    let (ids, report) = bench.rotate_until(Script::default(), false, Some(RotationPhase::NewLeaf)).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    assert_eq!(ids.last().map(String::as_str), Some("runai/connected/new-leaf.bcm-gpu-cluster"));
    assert_ne!(bench.file("tls.crt"), leaf);
    let (_, report) = bench.rotate(Script::default(), false).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    assert_eq!(bench.file("ca.pem").matches("BEGIN CERTIFICATE").count(), 1);
    nothing_is_left(&bench).await;
}
