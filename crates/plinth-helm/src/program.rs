//! The program `helm`: how it is started and spoken to. Two major releases are in use, and their options differ.

use crate::failure::CLIENT;
use crate::folder::Folder;
use crate::records::Way;
use plinth_model::steps::Release;
use plinth_world::helm::{Helm, HelmMajor, Rendering};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

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
        major: HelmMajor,
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
        if major == HelmMajor::Four {
            words.add(["--server-side=false"]);
        }
        words
    }

    /// Waits for hooks alone, as [`Self::install`] does.
    pub(super) fn rollback(
        major: HelmMajor,
        release: &plinth_model::ReleaseName,
        revision: u32,
        kubeconfig: &Path,
        limit: Duration,
    ) -> Self {
        let mut words = Self::of("rollback", release, kubeconfig, limit);
        words.add([&revision.to_string()]);
        // helm would make room for the new record by removing the oldest, which may be the goal. The next upgrade removes it.
        words.add(["--history-max", "0"]);
        if major == HelmMajor::Four {
            words.add(["--server-side=false"]);
        }
        words
    }

    /// Waits until what the release made is gone.
    pub(super) fn uninstall(
        major: HelmMajor,
        release: &plinth_model::ReleaseName,
        kubeconfig: &Path,
        limit: Duration,
    ) -> Self {
        let mut words = Self::of("uninstall", release, kubeconfig, limit);
        words.add([match major {
            HelmMajor::Three => "--wait",
            HelmMajor::Four => "--wait=watcher",
        }]);
        words
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        self.0.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn all(&self) -> &[OsString] {
        &self.0
    }
}

/// How manifests are asked for: with hooks, which are pods of the namespace too, and without tests, which nobody runs. Both major releases
/// take the same words, and both keep the chart's schema.
pub(super) fn template(release: &Release, package: &Path, how: &Rendering) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["template".into(), (&release.release).into(), package.as_os_str().to_owned()];
    words.extend(["--namespace", &release.namespace, "--values", "-", "--skip-tests"].map(OsString::from));
    if let Some(version) = &how.kubernetes {
        words.extend(["--kube-version".into(), OsString::from(version.with_v().to_string())]);
    }
    for kind in &how.kinds {
        // Charts ask for a group with its version, or for a kind of it.
        let group = kind.rsplit_once('/').map_or(kind.as_str(), |(group, _)| group);
        words.extend(["--api-versions", kind, "--api-versions", group].map(OsString::from));
    }
    words
}

/// `helm v3.18.6`.
pub(super) fn title(helm: &Helm) -> String {
    format!("{CLIENT} {}", helm.version.with_v())
}
