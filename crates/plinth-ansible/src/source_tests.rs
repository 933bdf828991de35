#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use plinth_world::SystemClock;
use plinth_world::secrets::MemorySecrets;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// A repository with one tag, in the shape of Kubespray.
struct Bench {
    folder: TempDir,
    release: KubesprayRelease,
}

fn sh(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ids = sh(
            folder.path(),
            "mkdir site && mkdir -p git/roles && cd git && echo '- hosts: all' > cluster.yml && echo x > roles/x && git init -q . \
             && git add -A && git -c user.name=t -c user.email=t@example.com commit -qm one && git tag v2.27.1 \
             && git rev-parse HEAD && git rev-parse 'HEAD^{tree}' && git archive --prefix=ks/ HEAD | gzip > ../ks.tar.gz",
        );
        let (commit, tree) = ids.split_once('\n').unwrap();
        let release = KubesprayRelease {
            tag: "v2.27.1".parse().unwrap(),
            source: "../git".to_owned(),
            commit: commit.to_owned(),
            tree: tree.to_owned(),
            python: String::new(),
            ansible_core: String::new(),
            ansible: String::new(),
        };
        Self { folder, release }
    }

    fn sources(&self, state: &str) -> Sources {
        let logs = FailureLogs::new(self.folder.path().join("logs"), 5, Arc::new(MemorySecrets::default()));
        Sources::new(&self.folder.path().join(state), &self.folder.path().join("site"), Hidden::default(), logs)
    }

    async fn fetched(&self, state: &str, source: &str) -> ClientResult<Option<(String, String)>> {
        let release = KubesprayRelease { source: source.to_owned(), ..self.release.clone() };
        let sources = self.sources(state);
        sources.fetch(&Context::quiet(Arc::new(SystemClock::new())), &release).await?;
        sources.seen(&release).await
    }
}

#[tokio::test]
async fn git_tarballs_and_folders_give_the_same_proved_tree() {
    let bench = Bench::new();
    let git = format!("file://{}", bench.folder.path().join("git").display());
    sh(bench.folder.path(), "cp -r git plain && rm -rf plain/.git");
    let wanted = Some((bench.release.commit.clone(), bench.release.tree.clone()));
    for (state, source) in [("a", git.as_str()), ("b", "../ks.tar.gz"), ("c", "../plain"), ("d", "../git")] {
        assert_eq!(bench.fetched(state, source).await.unwrap(), wanted, "{source}");
        assert_eq!(bench.fetched(state, source).await.unwrap(), wanted, "harmless to repeat");
        let left = sh(bench.folder.path(), &format!("ls -A {state}/kubespray/source"));
        assert_eq!(left, "v2.27.1\nv2.27.1.json", "{source}");
    }
}

#[tokio::test]
async fn a_moved_tag_and_a_changed_file_are_refused() {
    let bench = Bench::new();
    let git = format!("file://{}", bench.folder.path().join("git").display());
    bench.fetched("a", &git).await.unwrap();
    sh(bench.folder.path(), "echo changed >> a/kubespray/source/v2.27.1/roles/x");
    let Some((commit, tree)) = bench.sources("a").seen(&bench.release).await.unwrap() else { unreachable!() };
    assert_eq!(commit, bench.release.commit);
    assert_ne!(tree, bench.release.tree, "a change in the copy is seen");

    sh(
        bench.folder.path(),
        "cd git && echo more >> cluster.yml && git add -A && git -c user.name=t -c user.email=t@example.com commit -qm two \
         && git tag -f v2.27.1",
    );
    for source in [git.as_str(), "../git"] {
        let error = bench.fetched("b", source).await.unwrap_err();
        assert_eq!(error.finding.expect("a finding").code, "kubespray.source-differs", "{source}");
    }
    assert_eq!(bench.sources("b").seen(&bench.release).await.unwrap(), None, "nothing half-proved is left");
}

#[tokio::test]
async fn a_git_that_fails_is_told_with_its_command_its_end_its_words_and_a_log() {
    let bench = Bench::new();
    let error = bench.fetched("a", "file:///nowhere/at/all").await.unwrap_err();
    let failure = error.failed_on.unwrap().program.unwrap();
    assert!(failure.command.starts_with("git -c core.autocrlf=false"), "{failure:?}");
    assert!(failure.command.ends_with(" -- file:///nowhere/at/all refs/tags/v2.27.1"), "{failure:?}");
    assert_eq!(failure.exit, Some(128));
    let said = failure.tail.iter().any(|line| line.contains("/nowhere/at/all"));
    let log = failure.log.unwrap();
    let text = fs::read_to_string(&log).unwrap();
    assert!(said && log.ends_with("-git.log"), "{log}");
    assert!(
        text.starts_with(&failure.command) && text.contains("it ended with 128") && text.contains("fatal"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let bench = Bench::new();
    for source in ["../none", "file:///nowhere/at/all"] {
        let error = bench.fetched("a", source).await.unwrap_err();
        assert!(!error.attempt.is_empty() && error.doing.contains(source), "{error:?}");
    }
}
