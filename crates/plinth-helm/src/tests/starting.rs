//! An API server that starts: helm is not run before it is ready, and what it refused is asked once more.

use super::*;
use plinth_world::kube::KubeReadiness;

#[async_trait]
impl KubeReadiness for Cluster {
    async fn readiness(&self, _: &Context) -> ClientResult<Readiness> {
        Ok(self.readiness.lock().unwrap().pop().unwrap_or(Readiness::Is))
    }
}

const REFUSED: &str = "Error: INSTALLATION FAILED: clusterroles \"a\" is forbidden: User \"operator\" cannot get resource \"clusterroles\"";

/// A helm that ends so until it is run for the last of so many times.
fn bench(ends: &str, well_in_the_end: usize) -> Bench {
    let script = format!(
        "count=$(dirname $0)/count; echo run >>$count; [ $(wc -l <$count) -ge {well_in_the_end} ] && exit 0; echo '{ends}' >&2; exit 1"
    );
    Bench::new("v3.18.6", &script)
}

fn runs(bench: &Bench) -> usize {
    fs::read_to_string(bench.folder.path().join("count")).unwrap_or_default().lines().count()
}

/// Answers of the API server about itself, in this order; it is ready afterwards.
fn says(bench: &Bench, answers: &[Readiness]) {
    *bench.cluster.readiness.lock().unwrap() = answers.iter().rev().copied().collect();
}

#[tokio::test]
async fn what_a_server_that_starts_refused_is_no_last_word_however_often_it_starts() {
    let bench = bench(REFUSED, 3);
    // Each run asks before and, when it was refused, behind.
    says(&bench, &[Readiness::Is, Readiness::Became, Readiness::Is, Readiness::Became, Readiness::Is]);
    bench.client().upgrade(&bench.ctx, &release()).await.unwrap();
    assert_eq!(runs(&bench), 3);
    let name = ReleaseName { namespace: "n".into(), name: "a".into() };
    bench.cluster.add(1, "deployed", 1, there("1.2.3", &json!({})));
    says(&bench, &[Readiness::Is, Readiness::Became, Readiness::Is, Readiness::Became, Readiness::Is]);
    fs::remove_file(bench.folder.path().join("count")).unwrap();
    let error = bench.client().uninstall(&bench.ctx, &name, Duration::from_secs(9)).await.unwrap_err();
    assert!(runs(&bench) == 3 && error.happened.contains("still there"), "{}: {error}", runs(&bench));
}

#[tokio::test]
async fn a_server_that_is_ready_and_refuses_twice_means_it() {
    for ends in [REFUSED, "Error: unable to build kubernetes objects: no matches for kind \"A\" in version \"b/v1\""] {
        let bench = bench(ends, 9);
        let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
        assert_eq!((runs(&bench), error.transient), (2, None), "{error}");
    }
    let other = bench("Error: UPGRADE FAILED: pre-upgrade hooks failed", 9);
    other.client().upgrade(&other.ctx, &release()).await.unwrap_err();
    assert_eq!(runs(&other), 1, "that is no refusal of the API server");
    let untold = bench(REFUSED, 9);
    says(&untold, &[Readiness::Untold, Readiness::Untold]);
    untold.client().upgrade(&untold.ctx, &release()).await.unwrap_err();
    assert_eq!(runs(&untold), 1, "nobody can tell whether it starts");
}

#[tokio::test]
async fn helm_is_not_run_before_the_server_is_ready_and_a_lost_connection_passes() {
    let early = bench(REFUSED, 1);
    says(&early, &[Readiness::IsNot]);
    let error = early.client().upgrade(&early.ctx, &release()).await.unwrap_err();
    assert!(runs(&early) == 0 && error.transient.is_some(), "{error}");
    for ends in [
        "Error: UPGRADE FAILED: Get \"https://10.0.0.1:6443/api\": dial tcp 10.0.0.1:6443: connect: connection refused",
        "Error: INSTALLATION FAILED: failed pre-install: Get \"https://10.0.0.1:6443/apis\": unexpected EOF",
        "Error: Kubernetes cluster unreachable: Get \"https://10.0.0.1:6443/version\": EOF",
    ] {
        let bench = bench(ends, 9);
        let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
        assert!(runs(&bench) == 1 && error.transient.is_some(), "{ends}: {error}");
    }
    let webhook = "Error: Internal error occurred: failed calling webhook \"a.b\": Post \"https://a.n.svc:443/x\": dial tcp 10.96.0.9:443: connect: connection refused";
    let bench = bench(webhook, 9);
    let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert!(error.attempt.contains("pods behind the webhook"), "{error}");
}
