//! What tests of the real Helm client stand on: a real API server, a real helm, and packages of charts of our own.

use crate::stand::{self, Stand};
use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use plinth_helm::{LocalHelm, Renderer};
use plinth_keystore::SiteSecrets;
use plinth_lab::Parts;
use plinth_model::steps::{CrdPolicy, PodSecurity, Release};
use plinth_model::{Digest, ReleaseName};
use plinth_world::charts::{ChartPackage, ChartPackages};
use plinth_world::helm::{Helm, HelmClient as _, HelmPrograms};
use plinth_world::kube::KubeNamespaces as _;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientResult, Context, SystemClock};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) const PASSWORD: &str = "tr0ub4dor&3 \u{2028}\u{85}: {horse}";
/// Namespace of all releases.
pub(crate) const NAMESPACE: &str = "plinth-helm";

/// A helm, and everything around it.
pub(crate) struct Ground {
    pub(crate) stand: Arc<Stand>,
    pub(crate) helm: PathBuf,
    pub(crate) ctx: Context,
    pub(crate) client: LocalHelm,
}

/// Both majors, each with a control plane of its own.
pub(crate) fn for_each_helm(work: impl Fn(Ground)) {
    let parts = Parts::helm().unwrap();
    for name in ["helm3", "helm4"] {
        eprintln!("with {name}");
        let stand = Arc::new(Stand::introduced());
        work(Ground::of(&stand, parts.program(name).unwrap()));
    }
}

impl Ground {
    fn of(stand: &Arc<Stand>, helm: PathBuf) -> Self {
        std::fs::write(stand.folder.path().join("password"), PASSWORD).unwrap();
        let ctx = Context::new(Arc::new(SystemClock::new()), |progress| eprintln!("  {}", progress.message));
        let client = client(stand, &helm);
        Self { stand: Arc::clone(stand), helm, ctx, client }
    }

    /// With the namespace of its releases.
    pub(crate) fn settled(self) -> Self {
        self.run(self.stand.client.make_namespace(&self.ctx, NAMESPACE, PodSecurity::Privileged)).unwrap();
        self
    }

    /// What needs no cluster.
    pub(crate) fn renderer(&self) -> Renderer {
        let packages = Arc::new(Packages(self.stand.folder.path().to_path_buf()));
        Renderer::new(packages, Arc::new(Program(self.helm.clone())))
    }

    /// Another client of the same site, as after a new start.
    pub(crate) fn again(&self) -> LocalHelm {
        self.through(&self.helm)
    }

    /// The same with another program for helm.
    pub(crate) fn through(&self, helm: &Path) -> LocalHelm {
        client(&self.stand, helm)
    }

    pub(crate) fn run<F: Future>(&self, work: F) -> F::Output {
        self.stand.run(work)
    }

    pub(crate) fn upgrade(&self, release: &Release) -> ClientResult<Vec<String>> {
        self.run(self.client.upgrade(&self.ctx, release))
    }

    pub(crate) fn differences(&self, release: &Release) -> Vec<String> {
        self.run(self.client.differences(&self.ctx, release)).unwrap()
    }

    /// Status of a release, and its revision.
    pub(crate) fn status(&self, name: &str) -> Option<(String, u32)> {
        let state = self.run(self.client.release(&self.ctx, NAMESPACE, name)).unwrap();
        state.map(|state| (state.status, state.revision))
    }

    /// Revisions of a release with their status, as helm itself tells them.
    pub(crate) fn history(&self, name: &str) -> Vec<String> {
        let all: Value = serde_json::from_str(&self.by_hand(&["history", name, "--output", "json"])).unwrap();
        let told = |one: &Value| format!("{} {}", one["revision"], one["status"].as_str().unwrap());
        all.as_array().unwrap().iter().map(told).collect()
    }

    /// Somebody runs helm by hand.
    pub(crate) fn by_hand(&self, words: &[&str]) -> String {
        let mut command = Command::new(&self.helm);
        command.arg("--kubeconfig").arg(self.stand.plane.admin()).args(["--namespace", NAMESPACE]).args(words);
        let ended = command.output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{text}");
        text
    }

    pub(crate) fn kubectl(&self, words: &[&str]) -> String {
        let all: Vec<&str> = ["--namespace", NAMESPACE].iter().chain(words).copied().collect();
        self.stand.plane.kubectl(&all).unwrap()
    }

    /// Names and versions of everything that helm or its charts make.
    pub(crate) fn everything(&self) -> String {
        let kinds = "namespaces,configmaps,secrets,deployments,jobs,customresourcedefinitions";
        let columns = "custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion";
        self.stand.plane.kubectl(&["get", kinds, "-A", "-o", columns]).unwrap()
    }

    /// The identity of the Job of a release's hook; empty when there is none.
    pub(crate) fn hook(&self, release: &str) -> String {
        let job = format!("{release}-hook");
        self.kubectl(&["get", "jobs", &job, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}"])
    }

    /// The Job of a release's hook ends: well, or not.
    pub(crate) fn end_hook(&self, release: &str, well: bool) {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let conditions: &[&str] = if well { &["SuccessCriteriaMet", "Complete"] } else { &["FailureTarget", "Failed"] };
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|kind| {
                serde_json::json!({"type": kind, "status": "True", "reason": "BackoffLimitExceeded",
                "lastProbeTime": now, "lastTransitionTime": now})
            })
            .collect();
        let mut status = serde_json::json!({"startTime": now, "conditions": conditions});
        if well {
            (status["completionTime"], status["succeeded"]) = (now.into(), 1.into());
        } else {
            status["failed"] = 1.into();
        }
        let patch = serde_json::json!({"status": status}).to_string();
        let job = format!("{release}-hook");
        until(|| !self.hook(release).is_empty());
        self.kubectl(&["patch", "job", &job, "--subresource=status", "--type=merge", "-p", &patch]);
    }

    /// The process of a helm that works on a release.
    pub(crate) fn process(&self, release: &str) -> Option<u32> {
        let mut processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.find_map(|entry| {
            let words = std::fs::read(entry.path().join("cmdline")).ok()?;
            let words: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
            let ours = words.first() == Some(&self.helm.as_os_str().as_encoded_bytes());
            let ours = ours && words.get(2) == Some(&release.as_bytes());
            ours.then(|| entry.file_name().to_str()?.parse().ok())?
        })
    }

    /// Begins to install, and kills helm with -9 when its hook waits.
    pub(crate) fn killed_in_its_hook(&self, release: &Release, meanwhile: impl Fn(u32)) -> String {
        let before = self.hook(&release.release);
        let ended = std::thread::scope(|scope| {
            let work = scope.spawn(|| self.upgrade(release));
            until(|| {
                let now = self.hook(&release.release);
                !now.is_empty() && now != before
            });
            let process = self.process(&release.release).expect("helm runs");
            meanwhile(process);
            assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
            work.join().unwrap()
        });
        ended.expect_err("a killed helm did not end well").to_string()
    }
}

/// Makes a program of a script.
pub(crate) fn program(file: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(file, script).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Until it holds, for some time.
pub(crate) fn until(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "it does not happen");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn client(stand: &Stand, helm: &Path) -> LocalHelm {
    let folder = stand.folder.path();
    let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(folder).below(folder));
    let cluster = Arc::new(stand::client(folder, &stand.node));
    let packages = Arc::new(Packages(folder.to_path_buf()));
    let program = Arc::new(Program(helm.to_path_buf()));
    LocalHelm::new(&folder.join("state"), &stand.kept(), cluster, packages, program, secrets)
}

/// Always this one, which says itself which version it is.
struct Program(PathBuf);

#[async_trait]
impl HelmPrograms for Program {
    async fn program(&self, ctx: &Context) -> ClientResult<Helm> {
        Ok(self.at_hand(ctx).await?.unwrap())
    }

    async fn at_hand(&self, _: &Context) -> ClientResult<Option<Helm>> {
        let said = Command::new(&self.0).args(["version", "--template", "{{.Version}}"]).output().unwrap();
        let version = String::from_utf8(said.stdout).unwrap().trim().parse().unwrap();
        Ok(Helm::new(self.0.clone(), version))
    }
}

/// Packs charts of the tests' own when they are asked for.
struct Packages(PathBuf);

#[async_trait]
impl ChartPackages for Packages {
    async fn package(&self, _: &Context, release: &Release) -> ClientResult<ChartPackage> {
        let version = release.version.version().clone();
        let file = self.0.join(format!("{}-{version}.tgz", release.chart));
        std::fs::write(&file, packed(&release.chart, version.as_str())).unwrap();
        Ok(ChartPackage { digest: Digest::of_bytes(&std::fs::read(&file).unwrap()).to_string(), file, version })
    }

    async fn at_hand(&self, ctx: &Context, release: &Release) -> ClientResult<Option<ChartPackage>> {
        self.package(ctx, release).await.map(Some)
    }
}

/// The package of a chart below `tests/data/charts`. From version 0.8 on, its definition is in `crds/`.
pub(crate) fn packed(chart: &str, version: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/charts").join(chart);
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut pack = |name: &Path, at: &Path| {
        let text = std::fs::read_to_string(at).unwrap().replace("0.0.0", version);
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, Path::new(chart).join(name), text.as_bytes()).unwrap();
    };
    for name in ["Chart.yaml", "values.yaml", "values.schema.json"] {
        if folder.join(name).exists() {
            pack(Path::new(name), &folder.join(name));
        }
    }
    for entry in std::fs::read_dir(folder.join("templates")).unwrap().flatten() {
        pack(&Path::new("templates").join(entry.file_name()), &entry.path());
    }
    let definition = folder.join("definition.yaml");
    if definition.exists() {
        let at = if version < "0.8" { "templates/definition.yaml" } else { "crds/definition.yaml" };
        pack(Path::new(at), &definition);
    }
    archive.into_inner().unwrap().finish().unwrap()
}

pub(crate) fn release(chart: &str, name: &str, version: &str, values: Value) -> Release {
    Release {
        component: chart.to_owned(),
        release: name.to_owned(),
        namespace: NAMESPACE.to_owned(),
        chart: chart.to_owned(),
        repository: String::new(),
        login: None,
        version: version.parse().unwrap(),
        digest: Some("ab".repeat(32)),
        manifest_digest: None,
        values: values.try_into().unwrap(),
        crds: CrdPolicy::None,
        timeout_s: 60,
        health: Vec::new(),
        stale_jobs: Vec::new(),
        remove_first: Vec::new(),
        upgrades_from: None,
        meaning_of: None,
        named_by_site: false,
        upgrade_path: None,
        of_objects: false,
    }
}

pub(crate) fn release_name(name: &str) -> ReleaseName {
    ReleaseName { namespace: NAMESPACE.to_owned(), name: name.to_owned() }
}
