//! A helm that is not waited for, and one that takes too long.

use super::*;

#[tokio::test]
async fn a_helm_that_nobody_waits_for_ends_with_all_that_it_started() {
    let bench = Bench::new("v3.18.6", "exit 0");
    let pid = bench.folder.path().join("pid");
    let script = format!(
        "#!/bin/sh\n[ $1 = version ] && exec echo v3.18.6\nsleep 300 & echo $! >{0}.new\nmv {0}.new {0}\nwait\n",
        pid.display()
    );
    fs::write(bench.folder.path().join("helm"), script).unwrap();
    let client = bench.client();
    let ctx = bench.ctx.clone();
    let task = tokio::spawn(async move { client.upgrade(&ctx, &release()).await });
    until(|| pid.exists()).await;
    assert!(lives(&pid));
    let running = fs::read_dir(bench.state().join("helm/running")).unwrap().count();
    assert_eq!(running, 1, "it is noted that ours is at work");
    let before = note(&bench.state());
    let name = ReleaseName { namespace: "n".into(), name: "a".into() };
    for (records, status, minutes) in [(0, "", 0), (1, "deployed", 5), (1, "pending-install", 99 * 60)] {
        bench.cluster.records.lock().unwrap().clear();
        (0..records).for_each(|_| bench.cluster.add(1, status, minutes, there("1.0.0", &json!({}))));
        let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
        assert!(error.happened.contains("which an earlier run started here"), "{status}: {error:?}");
        let error = bench.client().uninstall(&bench.ctx, &name, Duration::from_secs(9)).await;
        assert!(records == 0 || error.unwrap_err().happened.contains("an earlier run started here"), "{status}");
        assert_eq!(note(&bench.state()), before, "its note stays");
    }
    task.abort();
    until(|| !lives(&pid)).await;
    crate::all_ended().await;
    assert_eq!(bench.cluster.revisions(), [1]);
    bench.cluster.records.lock().unwrap().clear();
    bench.cluster.add(1, "pending-install", 0, there("1.2.3", &json!({})));
    until(|| !running_process(&bench.state())).await;
    let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code.as_str(), "helm.in-use", "somebody else's of the same number");
    let id = note(&bench.state())["attempt"]["id"].as_str().unwrap().to_owned();
    bench.cluster.records.lock().unwrap()[0].0.labels.push(("plinth-attempt".to_owned(), id));
    fs::write(bench.folder.path().join("helm"), "#!/bin/sh\ncat >/dev/null\n").unwrap();
    let said = bench.client().upgrade(&bench.ctx, &release()).await.unwrap();
    assert!(said[0].contains("starts over"), "it is young, and known to be nobody's: {said:?}");
}

#[tokio::test]
async fn a_helm_that_does_not_end_in_time_is_stopped() {
    use crate::mark::Attempt;
    use crate::process::{Job, run};
    use crate::program::Words;
    let bench = Bench::new("v3.18.6", "exit 0");
    let pid = bench.folder.path().join("pid");
    // What it started does not hear what helm hears.
    let deaf = "sh -c 'trap \"\" TERM; exec sleep 300' &";
    let script = format!("#!/bin/sh\n{deaf}\necho $! >{}\nsleep 0.2\nwait\n", pid.display());
    fs::write(bench.folder.path().join("helm"), script).unwrap();
    let name = ReleaseName { namespace: "n".into(), name: "a".into() };
    let path = bench.folder.path().join("helm");
    let program = Helm::new(path, "3.18.6".parse().unwrap()).unwrap();
    let job = Job {
        program: &program,
        release: &name,
        words: Words::uninstall(HelmMajor::Three, &name, Path::new("/x"), Duration::from_secs(1)),
        input: None,
        limit: Duration::from_millis(1500),
        state: &bench.state(),
        title: "helm uninstall",
        doing: "trying",
        attempt: Attempt::to_uninstall(1, Timestamp::now()),
    };
    let error = run(&bench.ctx, job, &*bench.cluster, &bench.secrets).await.unwrap_err();
    assert!(error.happened.contains("did not end within 1 s"), "{error}");
    let program = error.failed_on.unwrap().program.unwrap();
    assert!(program.command.starts_with("helm uninstall a --namespace n "), "{program:?}");
    assert!(program.exit.is_none() && program.log.is_some_and(|log| log.ends_with("-a.log")));
    let told = bench.told.lock().unwrap().clone();
    assert!(told.contains(&"helm uninstall a (helm v3.18.6), 1 s; hook of n: working on it".to_owned()), "{told:?}");
    // The kernel takes a moment; it would sleep for minutes otherwise.
    until(|| !lives(&pid)).await;
}
