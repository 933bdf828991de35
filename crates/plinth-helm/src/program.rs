//! The program `helm`: where it is, which release it is, and how it is spoken to. Two major releases are in use, and their options
//! differ.

use crate::failure::{self, CLIENT};
use crate::folder::Folder;
use crate::repair::Way;
use plinth_model::Version;
use plinth_world::{ClientResult, deadlines};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// The oldest release of Helm 3 that is taken: labels of a release, which are how a package is remembered, came with 3.13, waiting
/// for what an uninstallation leaves behind became dependable with 3.14.
const OLDEST: &str = "3.14.0";
/// Longest answer to the question for its version, bytes.
const ANSWER: u64 = 4096;

/// Major release of helm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Major {
    Three,
    Four,
}

/// helm, ready to be run.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) version: Version,
    pub(super) major: Major,
}

impl Program {
    /// Asks it which release it is.
    pub(super) async fn ask(path: PathBuf) -> ClientResult<Self> {
        let said = version(&path)
            .await
            .map_err(|error| failure::no_program(&format!("{} does not tell its version: {error}", path.display())))?;
        let version: Version = said
            .trim()
            .parse()
            .map_err(|_| failure::no_program(&format!("{} does not tell its version in Helm's way", path.display())))?;
        let major =
            major(&version).ok_or_else(|| failure::no_program(&format!("{} is Helm {version}", path.display())))?;
        Ok(Self { path, version, major })
    }
}

/// None: one that plinth does not know how to speak to.
fn major(version: &Version) -> Option<Major> {
    let oldest: Version = OLDEST.parse().ok()?;
    match version.semver().major {
        // A release that was built from source says `v3.18`, without the third number.
        3 if *version >= oldest => Some(Major::Three),
        4 => Some(Major::Four),
        _ => None,
    }
}

async fn version(path: &Path) -> io::Result<String> {
    let folder = Folder::make()?;
    let mut command = bare(path, &folder);
    command.args(["version", "--template={{.Version}}"]).stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let answer = async {
        let mut said = String::new();
        out.take(ANSWER).read_to_string(&mut said).await?;
        child.wait().await.map(|status| (status, said))
    };
    let (status, said) = timeout(deadlines::HELM_LOOK, answer).await.map_err(|_| io::ErrorKind::TimedOut)??;
    if status.success() { Ok(said) } else { Err(io::Error::other(format!("it ends with {status}"))) }
}

/// helm in an empty folder of its own with nothing of the caller's environment but where programs are and where the user is at home,
/// which a kubeconfig may need. No proxy: helm asks nobody but the API server, and the Kubernetes client asks that one directly, too.
pub(super) fn bare(path: &Path, folder: &Folder) -> Command {
    let mut command = Command::new(path);
    command.env_clear().current_dir(folder.work());
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS", "TMPDIR"] {
        command.env(name, folder.homes());
    }
    command.env("HELM_DRIVER", "secret").env("HELM_NO_PLUGINS", "1");
    command
}

/// What helm is told. No word holds a secret.
pub(super) struct Words(Vec<OsString>);

impl Words {
    fn of(verb: &str, release: &plinth_model::ReleaseName, kubeconfig: &Path, limit: Duration) -> Self {
        let mut words = Self(Vec::new());
        words.add([
            verb,
            &release.name,
            "--namespace",
            &release.namespace,
            "--timeout",
            &format!("{}s", limit.as_secs()),
        ]);
        words.0.extend(["--kubeconfig".into(), kubeconfig.as_os_str().to_owned()]);
        words
    }

    fn add<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.map(OsString::from));
    }

    /// Values come on standard input. `--reset-values`: without it, helm takes the values of the release before when none are
    /// given. Helm 4 is told to change objects as Helm 3 does: that is what the charts were tried with, what Run:ai asks for, and a
    /// `null` that some charts render (GPU Operator up to 25.3) is refused by the other way. Nothing is said of `--wait`: both wait
    /// for hooks alone then.
    pub(super) fn install(
        major: Major,
        way: Way,
        release: &plinth_model::ReleaseName,
        package: &Path,
        labels: Option<String>,
        kubeconfig: &Path,
        limit: Duration,
    ) -> Self {
        let (verb, option): (&str, &[&str]) = match way {
            Way::Upgrade => ("upgrade", &["--install", "--reset-values"]),
            Way::Anew => ("install", &["--replace"]),
        };
        let mut words = Self::of(verb, release, kubeconfig, limit);
        words.0.push(package.as_os_str().to_owned());
        words.0.extend(option.iter().map(OsString::from));
        words.add(["--values", "-"]);
        if let Some(labels) = labels {
            words.add(["--labels", &labels]);
        }
        if major == Major::Four {
            words.add(["--server-side=false"]);
        }
        words
    }

    /// Waits for hooks alone, as [`Self::install`] does.
    pub(super) fn rollback(
        major: Major,
        release: &plinth_model::ReleaseName,
        revision: u32,
        kubeconfig: &Path,
        limit: Duration,
    ) -> Self {
        let mut words = Self::of("rollback", release, kubeconfig, limit);
        words.add([&revision.to_string()]);
        if major == Major::Four {
            words.add(["--server-side=false"]);
        }
        words
    }

    /// Waits until what the release made is gone.
    pub(super) fn uninstall(
        major: Major,
        release: &plinth_model::ReleaseName,
        kubeconfig: &Path,
        limit: Duration,
    ) -> Self {
        let mut words = Self::of("uninstall", release, kubeconfig, limit);
        words.add([match major {
            Major::Three => "--wait",
            Major::Four => "--wait=watcher",
        }]);
        words
    }

    pub(super) fn all(&self) -> &[OsString] {
        &self.0
    }
}

impl Program {
    /// `helm v3.18.6`.
    pub(super) fn title(&self) -> String {
        format!("{CLIENT} {}", self.version.with_v())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn releases_that_are_known_are_taken() {
        for (version, want) in [
            ("v3.13.9", None),
            ("v3.14.0", Some(Major::Three)),
            ("v3.18", Some(Major::Three)),
            ("v4.3.2", Some(Major::Four)),
            ("v5.0.0", None),
            ("v2.17.0", None),
        ] {
            assert_eq!(major(&version.parse().unwrap()), want, "{version}");
        }
    }
}
