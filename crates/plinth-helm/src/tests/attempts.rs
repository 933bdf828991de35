//! Whose an attempt before was, and what becomes of its note.

use super::*;

fn notes(bench: &Bench) -> usize {
    fs::read_dir(bench.state().join("helm/running")).map_or(0, Iterator::count)
}

/// Leaves the note of a helm that is gone, which was about to make this revision.
async fn a_note_of(bench: &Bench, revision: u32) {
    let program = bench.folder.path().join("helm");
    let script = fs::read_to_string(&program).unwrap();
    // It cannot be seen that it left nothing open.
    let away = bench.folder.path().join("away");
    (*bench.cluster.away.lock().unwrap()).clone_from(&away);
    let dies = format!("#!/bin/sh\n[ $1 = version ] && exec echo v3.18.6\ntouch {}\nkill -9 $$\n", away.display());
    fs::write(&program, dies).unwrap();
    for kept in 1..revision {
        bench.cluster.add(kept, "deployed", 90, there("1.0.0", &json!({})));
    }
    let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert!(away.exists(), "helm was not started: {error}");
    fs::remove_file(away).unwrap();
    fs::write(&program, script).unwrap();
    assert_eq!(note(&bench.state())["attempt"]["revision"], revision);
}

#[tokio::test]
async fn a_note_does_not_make_somebody_elses_work_ours() {
    let bench = Bench::new("v3.18.6", "exit 0");
    a_note_of(&bench, 3).await;
    bench.cluster.add(3, "pending-upgrade", 0, there("1.2.3", &json!({})));
    let name = ReleaseName { namespace: "n".into(), name: "a".into() };
    for _ in 0..2 {
        let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
        assert_eq!(error.finding.unwrap().code.as_str(), "helm.in-use");
        let error = bench.client().uninstall(&bench.ctx, &name, Duration::from_secs(9)).await.unwrap_err();
        assert_eq!(error.finding.unwrap().code.as_str(), "helm.in-use");
    }
    assert_eq!((bench.cluster.revisions(), bench.seen().as_str()), (vec![1, 2, 3], ""));
    // A person says so, of another revision: labels are handed on. Then of this one.
    for (value, free) in [("2", false), ("3", true)] {
        let label = ("plinth-abandoned".to_owned(), value.to_owned());
        bench.cluster.records.lock().unwrap()[2].0.labels = vec![label];
        assert_eq!(bench.client().upgrade(&bench.ctx, &release()).await.is_ok(), free, "{value}");
    }
    assert_eq!(bench.cluster.statuses(), ["deployed", "deployed", "failed"]);
}

#[tokio::test]
async fn a_helm_that_ended_by_itself_leaves_a_note_only_beside_an_open_record() {
    let bench = Bench::new("v3.18.6", "exit 1");
    bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert!(bench.seen().contains("args=upgrade") && notes(&bench) == 0);
    bench.cluster.add(1, "failed", 0, there("1.2.3", &json!({})));
    bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert_eq!(notes(&bench), 0);
    bench.cluster.records.lock().unwrap().clear();
    bench.cluster.add(1, "uninstalling", 13 * 60, there("1.2.3", &json!({})));
    bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert_eq!(notes(&bench), 1);
}

#[tokio::test]
async fn values_are_whole_even_when_plinth_ends_right_after_the_start() {
    let bench = Bench::new("v3.18.6", "exit 0");
    let (began, seen) = (bench.folder.path().join("began"), bench.folder.path().join("seen"));
    let script = format!(
        "#!/bin/sh\n[ $1 = version ] && exec echo v3.18.6\ntrap '' TERM\ntouch {}\nsleep 0.7\ncat >{1}.new\nmv {1}.new {1}\n",
        began.display(),
        seen.display()
    );
    fs::write(bench.folder.path().join("helm"), script).unwrap();
    let long = json!({"long": "x".repeat(300_000)});
    let release = Release { values: long.clone().try_into().unwrap(), ..release() };
    let (client, ctx) = (bench.client(), bench.ctx.clone());
    let task = tokio::spawn(async move { client.upgrade(&ctx, &release).await });
    until(|| began.exists()).await;
    task.abort();
    until(|| seen.exists()).await;
    assert_eq!(serde_json::from_str::<Value>(&bench.seen()).unwrap(), long);
    crate::all_ended().await;
}
