//! `plinth kubeconfig`.

use crate::args::{Common, Kubeconfig};
use crate::input;
use crate::printer::Printer;
use plinth_app::{Failure, Input, state};
use plinth_kube::KubeApi;
use plinth_kube::config::{ConfigError, KubeconfigFile};
use plinth_kube::place::PlaceError;
use plinth_model::{Exit, Problem, SiteName};
use serde::Serialize;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What was written, and where; never what it holds.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    context: &'a str,
    server: &'a str,
    file: String,
}

/// Prints the kubeconfig that `apply` fetched, or puts it where it is wanted. Nobody is contacted.
pub(crate) fn run(common: &Common, verb: &Kubeconfig, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let site = input.site.desired.name.clone();
    let directory = state::directory(common.state.as_deref(), &site)?;
    state::same_identity(&directory, &input.site)?;
    state::kind_fits(&directory, false)?;
    let config = held(&directory, &site)?;
    let file = match (&verb.out, verb.merge) {
        (Some(file), _) => written(&config, file, &site, verb.force)?,
        (None, true) => merged(&config, &site, verb.force)?,
        (None, false) => return Ok(print(common, &config, printer)?),
    };
    report(common, &config, &site, &file, printer);
    Ok(Exit::Done)
}

/// The one that is held. It must be the site's: a folder of another site is a mistake.
fn held(directory: &Path, site: &SiteName) -> Result<KubeconfigFile, Problem> {
    let file = KubeApi::kept_in(directory);
    let broken = |happened: String| {
        Problem::while_doing("reading the kubeconfig")
            .to(file.display())
            .wrong_input(happened)
            .try_this("run `plinth apply`: it fetches the kubeconfig as soon as Kubernetes runs")
    };
    let config = KubeconfigFile::read(&file).map_err(|error| broken(error.to_string()))?;
    let config = config.ok_or_else(|| broken("there is none yet".to_owned()))?;
    if config.is_of_site(site.as_str()) {
        Ok(config)
    } else {
        Err(broken(format!("it is not the one of site `{site}`")))
    }
}

fn print(common: &Common, config: &KubeconfigFile, printer: &Printer) -> Result<Exit, Problem> {
    let text = if common.json { config.json() } else { text(config)? };
    printer.file(text.expose());
    Ok(Exit::Done)
}

fn text(config: &KubeconfigFile) -> Result<plinth_model::Secret, Problem> {
    let bug = |error: ConfigError| Problem::while_doing("printing the kubeconfig").bug(error);
    config.text().map_err(bug)
}

/// A file that holds something else is left alone unless told.
fn written(config: &KubeconfigFile, file: &Path, site: &SiteName, force: bool) -> Result<PathBuf, Problem> {
    let foreign = match KubeconfigFile::read(file) {
        Ok(there) => there.is_some_and(|there| !there.is_of_site(site.as_str())),
        Err(PlaceError::Config(_)) => true,
        Err(error) => return Err(refused(file, &error)),
    };
    if foreign && !force {
        return Err(taken(file, "it is there already and plinth did not write it; it was left alone"));
    }
    config.write(file).map_err(|error| refused(file, &error))?;
    Ok(file.to_path_buf())
}

fn merged(config: &KubeconfigFile, site: &SiteName, force: bool) -> Result<PathBuf, Problem> {
    let file = own(std::env::var_os("KUBECONFIG").as_deref(), etcetera::home_dir().ok())?;
    config.merge_into(&file, site.as_str(), force).map_err(|error| refused(&file, &error))?;
    Ok(file)
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

fn report(common: &Common, config: &KubeconfigFile, site: &SiteName, file: &Path, printer: &Printer) {
    let (server, file) = (config.server().unwrap_or_default(), file.display().to_string());
    if common.json {
        printer.json(&Report { schema: input::SCHEMA, context: site.as_str(), server, file });
    } else {
        printer
            .talk(&format!("context {site} for {server} is in {file}; `kubectl --context {site} get nodes` uses it"));
    }
}

#[cfg(test)]
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
