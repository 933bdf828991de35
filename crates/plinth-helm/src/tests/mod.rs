//! The client with a cluster in memory and a script in place of helm.

mod attempts;
mod definitions;
mod objects;
mod open;
mod rendering;
mod rollback;
mod starting;
mod stopped;

use crate::local::LocalHelm;
use crate::payload::tests::record as payload;
use crate::render::Renderer;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use plinth_keystore::SiteSecrets;
use plinth_model::steps::{CrdPolicy, Health, Release};
use plinth_model::{ObjectName, ReleaseName, Secret, Version};
use plinth_world::charts::{ChartPackage, ChartPackages};
use plinth_world::helm::{
    Helm, HelmClient as _, HelmMajor, HelmPrograms, ManifestRenderer as _, ReleaseRecord, ReleaseRecords, Rendered,
    Rendering,
};
use plinth_world::kube::{HealthState, KubeHealth, KubeHooks, KubeObjects, KubeWatch, Readiness, Watch};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context, SystemClock};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SECRET: &str = "tr0ub4dor&3-horse";

/// Records of the release and what stands around it.
#[derive(Default)]
struct Cluster {
    records: Mutex<Vec<(ReleaseRecord, String)>>,
    /// Jobs that are there.
    jobs: Mutex<Vec<ObjectName>>,
    applied: Mutex<Vec<Value>>,
    /// What helm is told of each definition; none is there otherwise.
    policy: Mutex<Option<String>>,
    /// It does not answer while this file is there.
    away: Mutex<PathBuf>,
    live: objects::Live,
    /// What the API server says of itself, the next answer last; it is ready otherwise.
    readiness: Mutex<Vec<Readiness>>,
}

impl Cluster {
    fn add(&self, revision: u32, status: &str, minutes: i64, content: String) {
        let written = Timestamp::now() - SignedDuration::from_mins(minutes);
        let labels = vec![("plinth-package".to_owned(), "0".repeat(32))];
        let (status, state, settled) = (status.to_owned(), "1".to_owned(), Some(written));
        let record = ReleaseRecord { revision, status, written, labels, state, settled };
        self.records.lock().unwrap().push((record, content));
    }

    fn statuses(&self) -> Vec<String> {
        self.records.lock().unwrap().iter().map(|(record, _)| record.status.clone()).collect()
    }

    fn revisions(&self) -> Vec<u32> {
        self.records.lock().unwrap().iter().map(|(record, _)| record.revision).collect()
    }
}

#[async_trait]
impl ReleaseRecords for Cluster {
    async fn records(&self, _: &Context, _: &ReleaseName) -> ClientResult<Vec<ReleaseRecord>> {
        if self.away.lock().unwrap().exists() {
            return Err(ClientError::new("kube", "asking").happened("no answer"));
        }
        Ok(self.records.lock().unwrap().iter().map(|(record, _)| record.clone()).collect())
    }
    async fn content(&self, _: &Context, _: &ReleaseName, revision: u32) -> ClientResult<Option<Secret>> {
        let all = self.records.lock().unwrap();
        let found = all.iter().find(|(record, _)| record.revision == revision);
        Ok(found.map(|(_, content)| Secret::new(content.clone())))
    }
    async fn remove_record(&self, _: &Context, _: &ReleaseName, record: &ReleaseRecord) -> ClientResult<()> {
        self.records.lock().unwrap().retain(|(there, _)| there != record);
        Ok(())
    }
    async fn rewrite_record(
        &self,
        _: &Context,
        _: &ReleaseName,
        record: &ReleaseRecord,
        status: &str,
        content: &Secret,
    ) -> ClientResult<()> {
        let mut all = self.records.lock().unwrap();
        let found = all.iter_mut().find(|(there, _)| there == record);
        let (there, text) = found.ok_or_else(|| ClientError::new("kube", "rewriting").happened("it changed"))?;
        there.status = status.to_owned();
        *text = content.expose().to_owned();
        Ok(())
    }
    async fn definition_annotation(&self, _: &Context, _: &str, key: &str) -> ClientResult<Option<String>> {
        assert_eq!(key, "helm.sh/resource-policy");
        Ok(self.policy.lock().unwrap().clone())
    }
}

#[async_trait]
impl KubeObjects for Cluster {
    async fn diff(&self, _: &Context, objects: &[Value]) -> ClientResult<Vec<String>> {
        Ok(objects.iter().map(|_| "~ metadata.annotations".to_owned()).collect())
    }
    async fn apply(&self, _: &Context, objects: &[Value]) -> ClientResult<()> {
        self.applied.lock().unwrap().extend_from_slice(objects);
        Ok(())
    }
    async fn version(&self, _: &Context, _: &ObjectName) -> ClientResult<Option<Version>> {
        Ok(None)
    }
    async fn present(&self, _: &Context, objects: &[ObjectName]) -> ClientResult<Vec<ObjectName>> {
        let there = self.jobs.lock().unwrap();
        Ok(objects.iter().filter(|object| there.contains(object)).cloned().collect())
    }
    async fn remove(&self, _: &Context, objects: &[ObjectName]) -> ClientResult<()> {
        self.jobs.lock().unwrap().retain(|job| !objects.contains(job));
        Ok(())
    }
}

#[async_trait]
impl KubeHealth for Cluster {
    async fn health(&self, _: &Context, _: &str, _: &Health) -> ClientResult<HealthState> {
        Ok(HealthState { holds: true, seen: String::new() })
    }
}

#[async_trait]
impl KubeHooks for Cluster {
    async fn jobs_said(&self, _: &Context, namespace: &str, names: Option<&[String]>) -> ClientResult<String> {
        let known = self.jobs.lock().unwrap();
        let wanted = known.iter().filter(|job| names.is_none_or(|names| names.contains(&job.name)));
        Ok(wanted
            .map(|job| format!("== Job {namespace}/{}: Failed\nno such host, with {SECRET}\n", job.name))
            .collect())
    }
}

#[async_trait]
impl KubeWatch for Cluster {
    async fn watch(&self, _: &Context, namespace: &str, _: &[Health]) -> Box<dyn Watch> {
        Box::new(Waits(format!("hook of {namespace}: working on it")))
    }
}

/// Says this now and then.
struct Waits(String);

#[async_trait]
impl Watch for Waits {
    async fn changed(&mut self, _: &Context, _: Duration) -> Vec<String> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        vec![self.0.clone()]
    }
}

/// One package for everything, and one program, which is of this version.
struct Here(PathBuf, String);

#[async_trait]
impl ChartPackages for Here {
    async fn package(&self, _: &Context, release: &Release) -> ClientResult<ChartPackage> {
        let version = release.version.version().clone();
        // Relative, as from a state directory that is given so.
        let up: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
        let file = up.join(self.0.join("a.tgz").strip_prefix("/").unwrap());
        Ok(ChartPackage { file, version, digest: String::new() })
    }
    async fn at_hand(&self, ctx: &Context, release: &Release) -> ClientResult<Option<ChartPackage>> {
        if release.repository == "https://away.test" { Ok(None) } else { self.package(ctx, release).await.map(Some) }
    }
}

#[async_trait]
impl HelmPrograms for Here {
    async fn program(&self, ctx: &Context) -> ClientResult<Helm> {
        Ok(HelmPrograms::at_hand(self, ctx).await?.unwrap())
    }
    async fn at_hand(&self, _: &Context) -> ClientResult<Option<Helm>> {
        Ok(Helm::new(self.0.join("helm"), self.1.parse().unwrap()))
    }
}

struct Bench {
    folder: TempDir,
    version: String,
    cluster: Arc<Cluster>,
    secrets: Arc<dyn Secrets>,
    ctx: Context,
    told: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    /// A helm of this version that writes down how it was called, and then does this.
    fn new(version: &str, then: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), SECRET).unwrap();
        let seen = folder.path().join("seen");
        let script = format!(
            "#!/bin/sh\n\
             {{ echo \"cwd=$(pwd)\"; ls -A; echo \"args=$*\"; tr '\\0' '\\n' </proc/$$/environ | sort; echo stdin; cat; }} >{}\n{then}\n",
            seen.display()
        );
        let program = folder.path().join("helm");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        package(&folder.path().join("a.tgz"), &[("a/Chart.yaml", "name: a\n")]);
        let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(folder.path()).below(folder.path()));
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        let clock = Arc::new(SystemClock::new());
        let ctx = Context::new(clock, move |progress| list.lock().unwrap().push(progress.message));
        Self { folder, version: version.to_owned(), cluster: Arc::default(), secrets, ctx, told }
    }

    fn client(&self) -> LocalHelm {
        let here = Arc::new(Here(self.folder.path().to_path_buf(), self.version.clone()));
        let kubeconfig = self.folder.path().join("kubeconfig");
        let (cluster, secrets) = (Arc::clone(&self.cluster), Arc::clone(&self.secrets));
        LocalHelm::new(&self.state(), &kubeconfig, cluster, Arc::clone(&here) as _, here, secrets)
    }

    fn renderer(&self) -> Renderer {
        let here = Arc::new(Here(self.folder.path().to_path_buf(), self.version.clone()));
        Renderer::new(Arc::clone(&here) as _, here)
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn seen(&self) -> String {
        fs::read_to_string(self.folder.path().join("seen")).unwrap_or_default()
    }

    /// The words of all runs.
    fn logs(&self) -> String {
        let files = fs::read_dir(self.state().join(crate::LOGS)).into_iter().flatten().flatten();
        files.map(|file| fs::read_to_string(file.path()).unwrap()).collect()
    }
}

fn package(path: &Path, files: &[(&str, &str)]) {
    let gzip = flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

fn values() -> Value {
    json!({"admin": {"password": {"$secret": {"file": "password"}}}, "n": 1, "odd": "\u{85}\u{7f}é😀"})
}

pub(crate) fn release() -> Release {
    Release {
        component: "a".to_owned(),
        release: "a".to_owned(),
        namespace: "n".to_owned(),
        chart: "a".to_owned(),
        repository: String::new(),
        login: None,
        version: "1.2.3".parse().unwrap(),
        digest: Some("0".repeat(64)),
        manifest_digest: None,
        values: values().try_into().unwrap(),
        crds: CrdPolicy::None,
        timeout_s: 60,
        health: Vec::new(),
        stale_jobs: vec!["pre-install".to_owned()],
        remove_first: Vec::new(),
        upgrades_from: None,
        meaning_of: None,
        named_by_site: false,
        upgrade_path: None,
        of_objects: false,
    }
}

/// The values of the release with their secret in them.
fn wanted() -> Value {
    let mut wanted = values();
    wanted["admin"]["password"] = SECRET.into();
    wanted
}

fn there(version: &str, values: &Value) -> String {
    payload("a", version, values, "")
}

#[tokio::test]
async fn helm_gets_its_words_its_values_and_nothing_else() {
    let bench = Bench::new("v3.18.6", &format!("echo 'installed with {SECRET}'"));
    assert_eq!(bench.client().upgrade(&bench.ctx, &release()).await.unwrap(), Vec::<String>::new());
    let seen = bench.seen();
    let (before, stdin) = seen.split_once("stdin\n").unwrap();
    let config = bench.folder.path().join("kubeconfig");
    let package = before.split(' ').find(|word| word.ends_with("/a.tgz")).unwrap();
    assert!(Path::new(package).is_absolute() && Path::new(package).exists(), "{package}");
    let want = format!(
        "args=upgrade a --namespace n --timeout 60s --kubeconfig {} {} --install --reset-values --values - --labels plinth-package={},plinth-attempt=",
        config.display(),
        package,
        "0".repeat(32)
    );
    assert!(before.contains(&want), "{before}");
    let mut lines = before.lines();
    let work = PathBuf::from(lines.next().unwrap().strip_prefix("cwd=").unwrap());
    assert!(lines.next().unwrap().starts_with("args="), "it works in an empty folder: {before}");
    assert!(work.ends_with("work") && !work.exists(), "its folder is gone: {before}");
    let names: Vec<&str> = lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known =
        ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_DRIVER", "HELM_NO_PLUGINS", "HELM_PLUGINS"];
    assert!(names.iter().all(|name| known.contains(name) || ["HOME", "PATH", "TMPDIR"].contains(name)), "{names:?}");
    assert!(known.iter().all(|name| names.contains(name)), "{names:?}");
    assert!(!before.contains(SECRET), "{before}");
    assert!(stdin.contains(r"\u0085\u007fé😀"), "{stdin}");
    let stdin: Value = serde_json::from_str(stdin).unwrap();
    assert_eq!(stdin, json!({"admin": {"password": SECRET}, "n": 1, "odd": "\u{85}\u{7f}é😀"}));
    let logs = bench.logs();
    assert!(logs.starts_with("installed with ") && !logs.contains(SECRET), "{logs}");
    assert!(bench.told.lock().unwrap().iter().any(|told| told.contains("helm upgrade --install a (helm v3.18.6)")));
    assert_eq!(fs::read_dir(bench.state().join("helm/running")).unwrap().count(), 0);
}

#[tokio::test]
async fn helm_4_changes_objects_as_helm_3_does() {
    let bench = Bench::new("v4.3", "exit 0");
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let traced = bench.ctx.clone().traced(traceparent);
    bench.client().upgrade(&traced, &Release { digest: None, ..release() }).await.unwrap();
    let seen = bench.seen();
    assert!(seen.contains(&format!("\nTRACEPARENT={traceparent}\n")), "{seen}");
    assert!(seen.contains("--values - --labels plinth-attempt=") && seen.contains(" --server-side=false\n"), "{seen}");
    bench.cluster.add(1, "deployed", 0, there("1.2.3", &json!({})));
    let name = ReleaseName { namespace: "n".into(), name: "a".into() };
    let error = bench.client().uninstall(&bench.ctx, &name, Duration::from_secs(9)).await.unwrap_err();
    assert!(error.happened.contains("still there"), "{error}");
    assert!(
        bench.seen().contains("args=uninstall a --namespace n --timeout 9s") && bench.seen().contains("--wait=watcher")
    );
    bench.cluster.records.lock().unwrap().clear();
    bench.client().uninstall(&bench.ctx, &name, Duration::from_secs(9)).await.unwrap();
    bench.cluster.add(1, "deployed", 0, there("1.0.0", &json!({})));
    bench.client().upgrade(&bench.ctx, &Release { digest: None, ..release() }).await.unwrap();
    assert!(bench.seen().contains("--labels plinth-package=null"), "a label of another package is taken away");
}

#[tokio::test]
async fn what_is_there_is_compared_without_running_helm() {
    let bench = Bench::new("v3.18.6", "exit 0");
    let client = bench.client();
    assert_eq!(client.differences(&bench.ctx, &release()).await.unwrap(), ["+ release n/a 1.2.3"]);
    let same = json!({"admin": {"password": SECRET}, "n": 1.0, "odd": "\u{85}\u{7f}é😀"});
    bench.cluster.add(1, "superseded", 9, there("1.0.0", &json!({})));
    bench.cluster.add(2, "deployed", 8, there("v1.2.3", &same));
    assert_eq!(client.differences(&bench.ctx, &release()).await.unwrap(), Vec::<String>::new());
    assert_eq!(client.upgrade(&bench.ctx, &release()).await.unwrap(), Vec::<String>::new());
    let state = client.release(&bench.ctx, "n", "a").await.unwrap().unwrap();
    assert_eq!((state.version.as_str(), state.revision, state.status.as_str()), ("1.2.3", 2, "deployed"));
    let digest = Some("1".repeat(64));
    let wanted = Release { version: "1.2.4".parse().unwrap(), digest, ..release() };
    bench.cluster.add(3, "failed", 7, there("1.2.3", &json!({"admin": {"password": "x"}, "n": 2, "old": SECRET})));
    let want = [
        "~ version 1.2.3 → 1.2.4",
        "~ package 00000000000000000000000000000000 → 11111111111111111111111111111111",
        "~ status failed → deployed",
        "~ admin.password (secret) → (secret)",
        "~ n 2 → 1",
        "+ odd = \"\\u{85}\\u{7f}é😀\"",
    ];
    let lines = client.differences(&bench.ctx, &wanted).await.unwrap();
    assert_eq!(lines[..6], want);
    assert!(lines.len() == 7 && lines[6].starts_with("- old = ") && !lines[6].contains(SECRET), "{lines:?}");
    assert_eq!(bench.seen(), "", "helm was not run");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_an_error_and_no_absence() {
    let bench = Bench::new("v3.18.6", "exit 0");
    for bad in ["%", "AAAA", "H4sIAAAAAAAAAwMAAAAAAAAAAAA="] {
        bench.cluster.records.lock().unwrap().clear();
        bench.cluster.add(7, "deployed", 9, bad.to_owned());
        let error = bench.client().differences(&bench.ctx, &release()).await.unwrap_err();
        assert!(error.happened.starts_with("revision 7 of n/a cannot be read: "), "{error}");
        assert!(bench.client().release(&bench.ctx, "n", "a").await.is_err());
        assert!(bench.client().upgrade(&bench.ctx, &release()).await.is_err());
    }
    assert_eq!(bench.seen(), "");
}

#[tokio::test]
async fn an_error_of_helm_is_told_with_its_place_and_without_secrets() {
    let then = format!(
        "echo WARNING: old >&2; echo \"Error: UPGRADE FAILED: pre-upgrade hooks failed: {SECRET}\" >&2; exit 1"
    );
    let bench = Bench::new("v3.18.6", &then);
    let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert!(error.happened.starts_with("helm says: UPGRADE FAILED: pre-upgrade hooks failed: "), "{error:?}");
    assert!(error.attempt.contains("Job of the hook") && error.attempt.contains("helm/logs/"), "{error:?}");
    let finding = error.finding.clone().unwrap();
    assert_eq!((finding.code.as_str(), finding.evidence.len()), ("helm.failed", 2));
    assert!(!format!("{error:?}").contains(SECRET) && !bench.logs().contains(SECRET));
    let silent = Bench::new("v3.18.6", "exit 3");
    let error = silent.client().upgrade(&silent.ctx, &release()).await.unwrap_err();
    assert!(error.happened.contains("said nothing"), "{error}");
    let away = Bench::new("v4.1.0", "echo 'Error: Kubernetes cluster unreachable: refused' >&2; exit 1");
    assert!(away.client().upgrade(&away.ctx, &release()).await.unwrap_err().transient.is_some());
}

#[tokio::test]
async fn a_helm_that_went_away_is_told_so() {
    let bench = Bench::new("v3.18.6", "exit 0");
    fs::remove_file(bench.folder.path().join("helm")).unwrap();
    let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert!(error.happened.contains("helm cannot be started"), "{error}");
}

#[tokio::test]
async fn an_older_patch_of_a_line_is_a_difference_once_its_meaning_is_known() {
    let bench = Bench::new("v3.18.6", "exit 0");
    bench.cluster.add(1, "deployed", 90, there("1.2.1", &wanted()));
    let line: plinth_model::ChartVersion = "~1.2.0".parse().unwrap();
    let unknown = Release { version: line.clone(), ..release() };
    assert_eq!(bench.client().differences(&bench.ctx, &unknown).await.unwrap(), Vec::<String>::new());
    let known = Release { meaning_of: Some(line), ..release() };
    assert_eq!(bench.client().differences(&bench.ctx, &known).await.unwrap(), ["~ version 1.2.1 → 1.2.3"]);
}

#[tokio::test]
async fn nothing_goes_back_to_an_older_version_that_the_site_does_not_name() {
    let bench = Bench::new("v3.18.6", "exit 0");
    bench.cluster.add(1, "deployed", 90, there("1.3.0", &wanted()));
    let error = bench.client().upgrade(&bench.ctx, &release()).await.unwrap_err();
    assert_eq!(error.finding.unwrap().code.as_str(), "helm.older-version");
    assert!(error.attempt.contains("--refresh"), "{}", error.attempt);
    assert_eq!(bench.seen(), "", "helm is not run");
    let named = Release { named_by_site: true, ..release() };
    bench.client().upgrade(&bench.ctx, &named).await.unwrap();
    assert!(bench.seen().contains("args=upgrade"), "{}", bench.seen());
}

#[tokio::test]
async fn a_kept_secret_that_cannot_be_read_is_not_left_out() {
    let bench = Bench::new("v3.18.6", "exit 0");
    let learnt = plinth_model::SecretRef::Generated("learnt".to_owned());
    let values = json!({"n": 1, "credential": plinth_model::Values::reference_if_kept(&learnt)});
    let release = Release { values: values.try_into().unwrap(), ..release() };
    bench.cluster.add(1, "deployed", 9, there("1.2.3", &json!({"n": 1})));
    assert_eq!(bench.client().differences(&bench.ctx, &release).await.unwrap(), [""; 0], "it was never learnt");
    let folder = bench.folder.path().join("secrets");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("learnt"), "").unwrap();
    let error = bench.client().differences(&bench.ctx, &release).await.unwrap_err();
    assert!(error.happened.contains("is empty"), "{error}");
}

fn lives(file: &Path) -> bool {
    let pid = fs::read_to_string(file).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn note(state: &Path) -> Value {
    let notes = fs::read_dir(state.join("helm/running")).unwrap().flatten();
    let texts: Vec<String> = notes.map(|note| fs::read_to_string(note.path()).unwrap()).collect();
    serde_json::from_str(&texts[0]).unwrap()
}

/// Whether the process that a note names lives.
fn running_process(state: &Path) -> bool {
    Path::new(&format!("/proc/{}", note(state)["process"])).exists()
}

/// Until it holds, for some seconds.
async fn until(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "it does not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
