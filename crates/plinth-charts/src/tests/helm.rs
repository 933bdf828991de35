use super::pack::{Pack, sha256};
use crate::HelmProgram;
use async_trait::async_trait;
use plinth_model::download::{DownloadFile, DownloadList, HelmPin};
use plinth_world::fetch::FetchClient;
use plinth_world::helm::{Helm, HelmPrograms as _};
use plinth_world::{Cause, ClientResult, Context, SystemClock};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Gives one archive, and notes where it was asked for.
#[derive(Default)]
struct Web {
    folder: PathBuf,
    archive: Vec<u8>,
    asked: Mutex<Vec<String>>,
    /// What lies in the archive's place when it is read: somebody wrote there after it was fetched.
    written_over: Option<Vec<u8>>,
}

#[async_trait]
impl FetchClient for Web {
    async fn list(&self, _: &Context) -> ClientResult<Option<DownloadList>> {
        Ok(None)
    }
    async fn keep_list(&self, _: &Context, _: &DownloadList) -> ClientResult<()> {
        Ok(())
    }
    async fn missing(&self, _: &Context, _: &[DownloadFile]) -> ClientResult<Vec<DownloadFile>> {
        Ok(Vec::new())
    }
    async fn fetch(&self, _: &Context, file: &DownloadFile) -> ClientResult<()> {
        self.asked.lock().unwrap().push(file.url.clone());
        assert_eq!(file.sha256, sha256(&self.archive));
        fs::write(self.place(&file.sha256), self.written_over.as_ref().unwrap_or(&self.archive)).unwrap();
        Ok(())
    }
    async fn status(&self, _: &Context, _: &str) -> ClientResult<u16> {
        Ok(200)
    }
    fn place(&self, sha256: &str) -> PathBuf {
        self.folder.join(sha256)
    }
}

struct Trial {
    folder: tempfile::TempDir,
    web: Arc<Web>,
    pin: HelmPin,
}

const ARCHES: [&str; 2] = ["amd64", "arm64"];

impl Trial {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let mut pack = Pack::new();
        for arch in ARCHES {
            pack =
                pack.file(&format!("linux-{arch}/README.md"), b"hello").file(&format!("linux-{arch}/helm"), b"pinned");
        }
        let archive = pack.done();
        let archives = ARCHES.map(|arch| (arch.to_owned(), sha256(&archive))).into();
        let pin =
            HelmPin { schema: 1, version: "v3.18.6".parse().unwrap(), source: "https://get.helm.sh".into(), archives };
        let web = Web { folder: folder.path().to_owned(), archive, asked: Mutex::default(), written_over: None };
        let web = Arc::new(web);
        Self { folder, web, pin }
    }

    fn on_path(&self, script: &str) {
        let file = self.folder.path().join("bin/helm");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn finder(&self, source: Option<&str>) -> HelmProgram {
        let state = self.folder.path().join("state");
        let fetch: Arc<dyn FetchClient> = Arc::<Web>::clone(&self.web);
        HelmProgram::new(&state, self.folder.path(), self.pin.clone(), source.map(str::to_owned), fetch)
            .looking_in(format!("{}:/bin:/usr/bin", self.folder.path().join("bin").display()))
    }

    async fn choose(&self, source: Option<&str>) -> ClientResult<Helm> {
        self.finder(source).program(&quiet()).await
    }

    async fn at_hand(&self) -> Option<Helm> {
        self.finder(None).at_hand(&quiet()).await.unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.web.asked.lock().unwrap().clone()
    }
}

fn quiet() -> Context {
    Context::quiet(Arc::new(SystemClock::new()))
}

fn content(program: &Path) -> String {
    fs::read_to_string(program).unwrap()
}

#[tokio::test]
async fn the_program_of_this_machine_is_taken_when_it_fits() {
    for (says, fits) in [
        ("v3.18.6", true),
        ("v3.14.0", true),
        ("v3.18", true),
        ("v4.3.0+g123", true),
        ("v3.13.3", false),
        ("v2.17.0", false),
        ("v5.0.0", false),
        ("hello", false),
        ("", false),
    ] {
        let trial = Trial::new();
        trial.on_path(&format!("test \"$1 $2\" = 'version --template' || exit 1; test -z \"$SECRET\"; echo '{says}'"));
        let helm = trial.choose(None).await.unwrap();
        assert_eq!(helm.program == trial.folder.path().join("bin/helm"), fits, "{says}");
        assert_eq!(trial.asked().is_empty(), fits, "{says}");
        assert_eq!(helm.version.as_str(), if fits { says } else { "v3.18.6" });
    }
}

#[tokio::test]
async fn a_program_that_fails_or_is_none_gives_way_to_the_pinned_one() {
    for script in ["exit 3", "kill -9 $$"] {
        let trial = Trial::new();
        trial.on_path(script);
        assert_eq!(content(&trial.choose(None).await.unwrap().program), "pinned");
    }
    let trial = Trial::new();
    fs::write(trial.folder.path().join("bin/helm"), "no program").unwrap();
    assert_eq!(content(&trial.choose(None).await.unwrap().program), "pinned");
}

#[tokio::test]
async fn the_pinned_program_is_fetched_once_and_again_when_it_was_changed() {
    let trial = Trial::new();
    let helm = trial.choose(None).await.unwrap();
    assert_eq!((content(&helm.program).as_str(), helm.version.as_str()), ("pinned", "v3.18.6"));
    assert_eq!(fs::metadata(&helm.program).unwrap().permissions().mode() & 0o777, 0o700);
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    assert_eq!(trial.asked(), [format!("https://get.helm.sh/helm-v3.18.6-linux-{arch}.tar.gz")]);
    assert_eq!(trial.choose(None).await.unwrap(), helm);
    assert_eq!(trial.asked().len(), 1, "what is here is not fetched again");
    fs::write(&helm.program, "changed").unwrap();
    assert_eq!(content(&trial.choose(None).await.unwrap().program), "pinned");
    assert_eq!(trial.asked().len(), 2);
}

#[tokio::test]
async fn what_is_unpacked_is_what_was_proved_and_belongs_to_the_pin() {
    let mut trial = Trial::new();
    let other = ARCHES.iter().fold(Pack::new(), |pack, arch| pack.file(&format!("linux-{arch}/helm"), b"other")).done();
    Arc::get_mut(&mut trial.web).unwrap().written_over = Some(other.clone());
    let error = trial.choose(None).await.unwrap_err();
    assert_eq!((error.cause, error.finding.unwrap().code.as_str()), (Cause::Input, "fetch.checksum"));

    let mut trial = Trial::new();
    assert_eq!(content(&trial.choose(None).await.unwrap().program), "pinned");
    trial.pin.archives = ARCHES.map(|arch| (arch.to_owned(), sha256(&other))).into();
    Arc::get_mut(&mut trial.web).unwrap().archive = other;
    assert_eq!(content(&trial.choose(None).await.unwrap().program), "other", "a moved pin is fetched, not what it was");
}

#[tokio::test]
async fn its_source_is_another_address_a_folder_or_a_file() {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let name = format!("helm-v3.18.6-linux-{arch}.tar.gz");
    for (source, wanted) in [
        ("https://m.example.com/files/get.helm.sh/", format!("https://m.example.com/files/get.helm.sh/{name}")),
        ("https://m.example.com/h.tar.gz", "https://m.example.com/h.tar.gz".to_owned()),
    ] {
        let trial = Trial::new();
        trial.choose(Some(source)).await.unwrap();
        assert_eq!(trial.asked(), [wanted]);
    }
    let trial = Trial::new();
    fs::write(trial.folder.path().join(&name), &trial.web.archive).unwrap();
    assert_eq!(content(&trial.choose(Some(".")).await.unwrap().program), "pinned");
    assert!(trial.asked().is_empty());
    let trial = Trial::new();
    fs::write(trial.folder.path().join("h.tgz"), b"another").unwrap();
    let error = trial.choose(Some("h.tgz")).await.unwrap_err();
    assert_eq!((error.cause, error.finding.unwrap().code.as_str()), (Cause::Input, "fetch.checksum"));
    assert_eq!(trial.choose(Some("nowhere")).await.unwrap_err().cause, Cause::Input);
}

#[tokio::test]
async fn a_machine_for_which_no_program_is_known_is_told_so() {
    let mut trial = Trial::new();
    trial.pin.archives.clear();
    let error = trial.choose(None).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code.as_str(), "helm.no-program");
    assert!(error.attempt.contains("3.14"), "{}", error.attempt);
}

#[tokio::test]
async fn what_is_at_hand_is_told_and_nothing_is_fetched_for_it() {
    let trial = Trial::new();
    assert_eq!(trial.at_hand().await, None);
    assert_eq!(trial.asked(), Vec::<String>::new());
    let fetched = trial.choose(None).await.unwrap();
    assert_eq!(trial.at_hand().await.as_ref(), Some(&fetched), "it is kept");
    fs::write(&fetched.program, "changed").unwrap();
    assert_eq!(trial.at_hand().await, None, "it is not what was unpacked any more");
    trial.on_path("echo v4.1.0");
    assert_eq!(trial.at_hand().await.unwrap().version.as_str(), "v4.1.0");
    assert_eq!(trial.asked().len(), 1);
}
