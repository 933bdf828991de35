//! Throw-away sites and runs of the real binary.

use assert_cmd::Command;
use plinth_sim::bcm::{BcmFault, BcmFixture, SimAuth, SimBcm};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a run of the binary left.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Demands an exit code; shows everything when it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.exit, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not JSON ({e}):\n{}", self.stdout))
    }

    /// Demands a text in what was said to people.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is missing in stderr:\n{}", self.stderr);
        self
    }
}

/// Runs plinth with an empty environment (but for PATH and what is given) in a folder.
pub(crate) fn plinth_with(folder: &Path, env: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("plinth").unwrap();
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.envs(env.iter().copied()).args(arguments).output().unwrap();
    Ran {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The same with no variables.
pub(crate) fn plinth(folder: &Path, arguments: &[&str]) -> Ran {
    plinth_with(folder, &[], arguments)
}

/// An example site file.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).canonicalize().unwrap()
}

/// The path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The basepod example.
pub(crate) fn basepod() -> String {
    example("basepod.yaml").to_str().unwrap().to_owned()
}

/// A simulated BCM with a site folder that points at it.
pub(crate) struct BcmSite {
    pub(crate) bcm: SimBcm,
    pub(crate) folder: TempDir,
}

pub(crate) const BCM_USER: &str = "root";
pub(crate) const BCM_PASSWORD: &str = "Bcm-Pa55word-for-tests";

/// Variables that the basepod site names.
pub(crate) const SECRETS: [(&str, &str); 5] = [
    ("BCM_USERNAME", BCM_USER),
    ("BCM_PASSWORD", BCM_PASSWORD),
    ("BOOTSTRAP_PASSWORD", "Bootstrap-Pa55word-for-tests"),
    ("RUNAI_REGISTRY_TOKEN", "registry-token-for-tests-0815"),
    ("RUNAI_ADMIN_PASSWORD", "Runai-Pa55word-for-tests"),
];

impl BcmSite {
    /// The basepod example against the constructed basepod, changed by `edit`.
    pub(crate) fn basepod(edit: impl Fn(String) -> String) -> Self {
        Self::start(BcmFixture::basepod().unwrap(), vec![], edit)
    }

    /// The basepod example against the constructed basepod, with another login.
    pub(crate) fn with_login((user, password): (&str, &str)) -> Self {
        let auth = SimAuth::new(user, password);
        Self::of(SimBcm::start(BcmFixture::basepod().unwrap(), vec![], auth).unwrap(), |s| s)
    }

    /// The basepod example against a fixture.
    pub(crate) fn start(fixture: BcmFixture, faults: Vec<BcmFault>, edit: impl Fn(String) -> String) -> Self {
        Self::of(SimBcm::start(fixture, faults, SimAuth::new(BCM_USER, BCM_PASSWORD)).unwrap(), edit)
    }

    fn of(bcm: SimBcm, edit: impl Fn(String) -> String) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("bcm-ca.pem"), bcm.ca_pem()).unwrap();
        let site = std::fs::read_to_string(example("basepod.yaml")).unwrap();
        let site = edit(site.replace("https://bcm-head-01:8081", bcm.endpoint()));
        std::fs::write(folder.path().join("site.yaml"), site).unwrap();
        Self { bcm, folder }
    }

    /// Runs plinth in the site's folder with all secrets set.
    pub(crate) fn plinth(&self, arguments: &[&str]) -> Ran {
        plinth_with(self.folder.path(), &SECRETS, arguments)
    }
}
