//! The kubeconfig that a site's state directory holds, given to people. Nobody is contacted.

use crate::input::Input;
use crate::state;
use plinth_kube::KubeApi;
use plinth_kube::config::{ConfigError, KubeconfigFile};
use plinth_kube::place::PlaceError;
use plinth_model::{Problem, Secret, SiteName};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The kubeconfig that `apply` fetched.
pub struct HeldKubeconfig {
    config: KubeconfigFile,
    site: SiteName,
}

impl HeldKubeconfig {
    /// Of a site; `state` is its state directory if it is not the usual one.
    ///
    /// # Errors
    /// When there is none yet, or the directory or what it holds is another site's.
    pub fn of(input: &Input, state: Option<&Path>) -> Result<Self, Problem> {
        let site = input.site.desired.name.clone();
        let directory = state::directory(state, &site)?;
        state::same_identity(&directory, &input.site)?;
        state::kind_fits(&directory, false)?;
        let file = KubeApi::kept_in(&directory);
        let broken = |happened: String| {
            Problem::while_doing("reading the kubeconfig")
                .to(file.display())
                .wrong_input(happened)
                .try_this("run `plinth apply`: it fetches the kubeconfig as soon as Kubernetes runs")
        };
        let config = KubeconfigFile::read(&file).map_err(|error| broken(error.to_string()))?;
        let config = config.ok_or_else(|| broken("there is none yet".to_owned()))?;
        if config.is_of_site(site.as_str()) {
            Ok(Self { config, site })
        } else {
            Err(broken(format!("it is not the one of site `{site}`")))
        }
    }

    /// The site, which is also the name of its context.
    #[must_use]
    pub const fn site(&self) -> &SiteName {
        &self.site
    }

    /// The API server that it leads to; empty: it names none.
    #[must_use]
    pub fn server(&self) -> &str {
        self.config.server().unwrap_or_default()
    }

    /// The whole file, for standard output.
    ///
    /// # Errors
    /// When it cannot be written as YAML, which is our bug.
    pub fn text(&self, json: bool) -> Result<Secret, Problem> {
        if json {
            return Ok(self.config.json());
        }
        let bug = |error: ConfigError| Problem::while_doing("printing the kubeconfig").bug(error);
        self.config.text().map_err(bug)
    }

    /// Writes it into a file (0600). One that holds something else is left alone unless `force` says otherwise.
    ///
    /// # Errors
    /// When something else is there, or the file cannot be written.
    pub fn write(&self, file: &Path, force: bool) -> Result<PathBuf, Problem> {
        let foreign = match KubeconfigFile::read(file) {
            Ok(there) => there.is_some_and(|there| !there.is_of_site(self.site.as_str())),
            Err(PlaceError::Config(_)) => true,
            Err(error) => return Err(refused(file, &error)),
        };
        if foreign && !force {
            return Err(taken(file, "it is there already and plinth did not write it; it was left alone"));
        }
        self.config.write(file).map_err(|error| refused(file, &error))?;
        Ok(file.to_path_buf())
    }

    /// Puts it into the person's own kubeconfig, in which everything else stays; answers which file that is.
    ///
    /// # Errors
    /// When the person has no home folder, another entry has the site's name, or the file cannot be changed.
    pub fn merge(&self, force: bool) -> Result<PathBuf, Problem> {
        let file = own(std::env::var_os("KUBECONFIG").as_deref(), etcetera::home_dir().ok())?;
        self.config.merge_into(&file, self.site.as_str(), force).map_err(|error| refused(&file, &error))?;
        Ok(file)
    }
}

/// The person's kubeconfig, as kubectl chooses the file that it writes new entries into: of several the first that is there,
/// else the last.
fn own(variable: Option<&OsStr>, home: Option<PathBuf>) -> Result<PathBuf, Problem> {
    let named: Vec<PathBuf> = variable.map(|list| std::env::split_paths(list).collect()).unwrap_or_default();
    let named: Vec<PathBuf> = named.into_iter().filter(|file| !file.as_os_str().is_empty()).collect();
    let chosen = named.iter().find(|file| file.exists()).or(named.last()).cloned();
    chosen.or_else(|| home.map(|home| home.join(".kube/config"))).ok_or_else(|| {
        Problem::while_doing("finding your kubeconfig")
            .wrong_input("there is no home folder")
            .try_this("name one in KUBECONFIG")
    })
}

fn refused(file: &Path, error: &PlaceError) -> Problem {
    match error {
        PlaceError::Config(ConfigError::Foreign(_)) => taken(file, format!("{error}; nothing was changed")),
        PlaceError::Locked(lock) => Problem::while_doing("changing")
            .to(file.display())
            .locked(error)
            .try_this(format!("run again; if nothing else is running, remove {lock}")),
        _ => Problem::while_doing("changing")
            .to(file.display())
            .wrong_input(error)
            .try_this("fix the file, or name another one"),
    }
}

fn taken(file: &Path, happened: impl std::fmt::Display) -> Problem {
    let attempt = "give `--force` to replace it, or name another file";
    Problem::while_doing("changing").to(file.display()).wrong_input(happened).try_this(attempt)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_one_that_kubectl_would_write() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let list = std::env::join_paths([Path::new(""), &one, &two]).unwrap();
        let home = || Some(PathBuf::from("/home/me"));
        assert_eq!(own(Some(&list), home()).unwrap(), two);
        std::fs::write(&one, "").unwrap();
        assert_eq!(own(Some(&list), home()).unwrap(), one);
        for empty in [None, Some(OsStr::new(""))] {
            assert_eq!(own(empty, home()).unwrap(), Path::new("/home/me/.kube/config"));
            assert!(own(empty, None).is_err());
        }
    }
}
