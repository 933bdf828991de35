//! Large files: streamed, verified, resumed.

use super::bench::{Bench, until};
use super::exec::{shells, sudo, sudo_through};
use plinth_model::Digest;
use plinth_model::steps::NodeTarget;
use plinth_world::ClientResult;
use plinth_world::node::PushFile;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A file larger than any window, that no repetition could pass for.
fn large(folder: &Path, bytes: usize) -> (PathBuf, String) {
    let path = folder.join("source");
    let mut state = 7_u32;
    let content: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(bytes)
    .collect();
    fs::write(&path, &content).unwrap();
    let digest = Digest::of_bytes(&content).as_str().to_owned();
    (path, digest)
}

/// In a folder of its own, as the engine keeps some.
const NAME: &str = "parts-1/kubelet-v1";

struct Pushing {
    bench: Bench,
    source: PathBuf,
    sha256: String,
    folder: String,
}

impl Pushing {
    fn new(bytes: usize) -> Self {
        let bench = Bench::new();
        let (source, sha256) = large(bench.folder.path(), bytes);
        let folder = bench.folder.path().join("cache/releases").display().to_string();
        Self { bench, source, sha256, folder }
    }

    async fn push(&self, target: &NodeTarget) -> ClientResult<()> {
        let push = PushFile { source: &self.source, folder: &self.folder, name: NAME, sha256: &self.sha256 };
        self.bench.ssh.push(&self.bench.ctx, target, &push).await
    }

    fn place(&self) -> PathBuf {
        Path::new(&self.folder).join(NAME)
    }

    fn part(&self) -> PathBuf {
        Path::new(&self.folder).join(".parts-1_kubelet-v1.part")
    }
}

#[tokio::test]
async fn a_file_arrives_whole_through_every_shell() {
    for shell in shells().await {
        let pushing = Pushing::new(9 * 1024 * 1024 + 17);
        let (_server, target) = sudo_through(&pushing.bench, "free", shell).await;
        pushing.push(&target).await.unwrap();
        assert!(fs::read(pushing.place()).unwrap() == fs::read(&pushing.source).unwrap(), "{shell}");
        assert_eq!(fs::metadata(pushing.place()).unwrap().permissions().mode() & 0o777, 0o755);
        assert!(!pushing.part().exists());
        let progress = pushing.bench.progress.lock().unwrap().clone();
        assert!(!progress.is_empty() && progress.iter().all(|line| line.ends_with("kubelet-v1")), "{progress:?}");
        pushing.push(&target).await.unwrap();
    }
}

#[tokio::test]
async fn a_push_goes_on_where_the_last_one_stopped() {
    let pushing = Pushing::new(6 * 1024 * 1024);
    let (_server, target) = sudo(&pushing.bench, "free").await;
    let content = fs::read(&pushing.source).unwrap();
    fs::create_dir_all(&pushing.folder).unwrap();
    let here = 5 * 1024 * 1024 + 3;
    fs::write(pushing.part(), &content[..here]).unwrap();
    pushing.push(&target).await.unwrap();
    assert!(fs::read(pushing.place()).unwrap() == content);
    let progress = pushing.bench.progress.lock().unwrap().clone();
    let sent = |line: &String| line.split('/').next().unwrap().parse::<usize>().unwrap();
    assert!(progress.iter().all(|line| sent(line) > here), "what was there is not sent again: {progress:?}");
}

#[tokio::test]
async fn a_wrong_beginning_is_thrown_away_and_the_next_push_succeeds() {
    let pushing = Pushing::new(1024 * 1024);
    let (_server, target) = sudo(&pushing.bench, "free").await;
    fs::create_dir_all(&pushing.folder).unwrap();
    fs::write(pushing.part(), vec![0; 1000]).unwrap();
    let error = pushing.push(&target).await.unwrap_err();
    assert!(error.happened.contains("arrived damaged"), "{error:?}");
    assert!(!pushing.place().exists() && !pushing.part().exists());
    pushing.push(&target).await.unwrap();
    fs::write(pushing.part(), vec![0; 2 * 1024 * 1024]).unwrap();
    fs::remove_file(pushing.place()).unwrap();
    pushing.push(&target).await.unwrap();
    assert!(pushing.place().exists(), "a part that is too long is begun anew");
}

#[tokio::test]
async fn a_cut_link_is_transient_and_leaves_what_arrived() {
    let pushing = Pushing::new(64 * 1024 * 1024);
    let (server, target) = sudo(&pushing.bench, "free").await;
    let begun = || fs::metadata(pushing.part()).is_ok_and(|part| part.len() > 1024 * 1024);
    let (result, ()) = tokio::join!(pushing.push(&target), async {
        until("a beginning", begun).await;
        server.cut();
    });
    let error = result.unwrap_err();
    assert!(error.transient.is_some(), "{error:?}");
    assert!(begun() && !pushing.place().exists());
    let again = || async { pushing.push(&target).await.is_ok() };
    let mut done = false;
    for _ in 0..20 {
        done = again().await;
        if done {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(done && pushing.place().exists());
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let pushing = Pushing::new(1024);
    let (_server, target) = sudo(&pushing.bench, "free").await;
    fs::create_dir_all(pushing.place()).unwrap();
    let error = pushing.push(&target).await.unwrap_err();
    assert!(error.happened.contains("is a folder") && error.transient.is_none(), "{error:?}");
    let name = PushFile { source: &pushing.source, folder: "/x", name: "a;b", sha256: &pushing.sha256 };
    let error = pushing.bench.ssh.push(&pushing.bench.ctx, &target, &name).await.unwrap_err();
    assert!(error.happened.contains("plain"), "{error:?}");
}

#[tokio::test]
async fn an_account_that_does_not_become_root_is_named() {
    let pushing = Pushing::new(1024);
    let (_server, target) = sudo(&pushing.bench, "asks").await;
    let error = pushing.push(&target).await.unwrap_err();
    assert_eq!(error.finding.as_ref().map(|finding| finding.code.as_str()), Some("node.no-root"), "{error:?}");
}
