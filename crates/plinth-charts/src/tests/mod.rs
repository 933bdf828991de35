//! Packages against servers that answer, lie, stall and vanish.
#![allow(clippy::unwrap_used)]

mod folders;
mod helm;
mod objects;
mod pack;
mod packages;
mod registries;
mod repositories;
mod server;

use crate::Charts;
use crate::web::Limits;
use plinth_model::steps::{CrdPolicy, RegistryLogin, Release};
use plinth_model::{Secret, SecretRef, Values};
use plinth_world::charts::{ChartPackage, ChartPackages as _};
use plinth_world::secrets::{SecretError, Secrets};
use plinth_world::{ClientError, ClientResult, Context, SystemClock};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The secret of every login of these tests.
pub(crate) const PASSWORD: &str = "hunter2-of-the-charts";

pub(crate) fn release(chart: &str, repository: &str, version: &str) -> Release {
    Release {
        component: "demo".into(),
        release: "demo".into(),
        namespace: "demo".into(),
        chart: chart.into(),
        repository: repository.into(),
        login: None,
        version: version.parse().unwrap(),
        digest: None,
        manifest_digest: None,
        values: Values::empty(),
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

/// The same with a login.
pub(crate) fn with_login(release: Release, registry: &str) -> Release {
    let password = SecretRef::Env("CHARTS".into());
    let login = RegistryLogin { registry: registry.into(), username: "puller".into(), password };
    Release { login: Some(login), ..release }
}

/// Knows one secret, and redacts nothing: what leaks is seen.
struct OneSecret;

impl Secrets for OneSecret {
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) if name == "CHARTS" => Ok(Secret::new(PASSWORD.into())),
            other => Err(SecretError::new(other, "it is not set")),
        }
    }
    fn keep(&self, reference: &SecretRef, _: &Secret) -> Result<(), SecretError> {
        Err(SecretError::new(reference, "not here"))
    }
    fn forget(&self, reference: &SecretRef) -> Result<(), SecretError> {
        Err(SecretError::new(reference, "not here"))
    }
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// A site's packages in a folder that goes away.
pub(crate) struct Trial {
    pub(crate) folder: tempfile::TempDir,
    charts: Charts,
    ctx: Context,
    told: Arc<Mutex<Vec<String>>>,
}

impl Trial {
    pub(crate) fn new() -> Self {
        Self::again(tempfile::tempdir().unwrap())
    }

    /// Another process of the same site.
    pub(crate) fn again(folder: tempfile::TempDir) -> Self {
        let charts = charts(folder.path());
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        let clock = Arc::new(SystemClock::new());
        let ctx = Context::new(clock, move |progress| list.lock().unwrap().push(progress.message));
        Self { folder, charts, ctx, told }
    }

    pub(crate) fn next_process(self) -> Self {
        Self::again(self.folder)
    }

    pub(crate) async fn package(&self, release: &Release) -> ClientResult<ChartPackage> {
        let answer = self.charts.package(&self.ctx, release).await;
        if let Ok(package) = &answer {
            assert_eq!(pack::sha256(&std::fs::read(&package.file).unwrap()), package.digest);
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&package.file), mode(package.file.parent().unwrap())), (0o600, 0o700));
        }
        self.no_secret_is_told(answer.as_ref().err());
        answer
    }

    /// The error, with its code.
    pub(crate) async fn refused(&self, release: &Release) -> (String, ClientError) {
        let error = self.package(release).await.unwrap_err();
        assert!(!error.doing.is_empty() && !error.happened.is_empty() && !error.attempt.is_empty(), "{error:?}");
        let code = error.finding.as_ref().unwrap().code.as_str().to_owned();
        (code, error)
    }

    /// Asks anew, and makes what is there the version from now on.
    pub(crate) async fn refresh(&self, release: &Release) -> ClientResult<crate::Newest> {
        let newest = self.charts.newest(&self.ctx, release).await?;
        self.charts.settle(&newest)?;
        Ok(newest)
    }

    pub(crate) fn told(&self) -> String {
        self.told.lock().unwrap().join("\n")
    }

    fn no_secret_is_told(&self, error: Option<&ClientError>) {
        let mut all = format!("{}{error:?}", self.told());
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => all.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap())),
                }
            }
        }
        assert!(!all.contains(PASSWORD) && !all.contains(&base64_of_login()));
    }
}

fn charts(state: &Path) -> Charts {
    let limits = Limits {
        silence: Duration::from_millis(400),
        whole: Duration::from_millis(1500),
        tries: 2,
        backoff: Duration::from_millis(10),
    };
    Charts::with(state, state, Arc::new(OneSecret), server::roots(), limits).unwrap()
}

/// The login as HTTP writes it.
pub(crate) fn base64_of_login() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("puller:{PASSWORD}"))
}

/// The whole header.
pub(crate) fn basic() -> Option<String> {
    Some(format!("Basic {}", base64_of_login()))
}
