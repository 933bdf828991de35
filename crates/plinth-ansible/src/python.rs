//! The Python that a release takes: the newest one on PATH within its range.

use crate::program::{self, CLIENT, Hidden};
use plinth_model::finding::code;
use plinth_model::steps::KubesprayRelease;
use plinth_model::{Finding, Version};
use plinth_world::{Cause, ClientError, ClientResult, deadlines};
use semver::VersionReq;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Minor versions of Python 3 that are looked for, newest first.
const MINORS: std::ops::RangeInclusive<u64> = 8..=16;
const VERSION: &str = "import sys; print('%d.%d.%d' % sys.version_info[:3])";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Python {
    pub(super) program: PathBuf,
    pub(super) version: Version,
}

/// The Python for a release: the one that the site names, or the newest that fits.
pub(super) async fn choose(release: &KubesprayRelease, named: Option<&str>, hidden: &Hidden) -> ClientResult<Python> {
    choose_within(release, named, hidden, deadlines::PYTHON_LOOK).await
}

async fn choose_within(
    release: &KubesprayRelease,
    named: Option<&str>,
    hidden: &Hidden,
    patience: Duration,
) -> ClientResult<Python> {
    let doing = format!("choosing a Python for Kubespray {}", release.tag);
    let range = VersionReq::parse(&release.python).map_err(|error| {
        ClientError::new(CLIENT, &doing)
            .happened(format!("the range `{}`: {error}", release.python))
            .attempt("make the plan again")
    })?;
    let (mut seen, mut late) = (Vec::new(), None);
    for name in names(named) {
        let python = match look(&name, hidden, patience, &doing).await {
            Ok(Some(python)) => python,
            Ok(None) => continue,
            Err(error) => {
                late = Some(error);
                continue;
            }
        };
        if range.matches(python.version.semver()) {
            return Ok(python);
        }
        seen.push(format!("{} is {}", python.program.display(), python.version.bare()));
    }
    Err(late.unwrap_or_else(|| none_fits(release, named, seen, doing)))
}

fn names(named: Option<&str>) -> Vec<String> {
    match named {
        Some(name) => vec![name.to_owned()],
        None => MINORS.rev().map(|minor| format!("python3.{minor}")).chain(["python3".to_owned()]).collect(),
    }
}

/// A stand-in of a version manager may be on PATH without a Python behind it.
///
/// # Errors
/// When it does not answer in time, as on a busy machine: then it is not known what it is.
async fn look(name: &str, hidden: &Hidden, patience: Duration, doing: &str) -> ClientResult<Option<Python>> {
    let program = if name.contains('/') {
        plinth_world::files::named(Path::new(""), name)
    } else {
        let Some(program) = program::which(name) else { return Ok(None) };
        program
    };
    let mut command = program::command(&program, hidden);
    command.args(["-I", "-c", VERSION]);
    match program::run(command, doing, patience).await {
        Ok(ended) => {
            let version = ended.status.success().then(|| ended.stdout.trim().parse().ok()).flatten();
            Ok(version.map(|version| Python { program, version }))
        }
        Err(error) if error.cause == Cause::Timeout => Err(error.transient(program::BUSY)),
        Err(_) => Ok(None),
    }
}

fn none_fits(release: &KubesprayRelease, named: Option<&str>, seen: Vec<String>, doing: String) -> ClientError {
    let text = match named {
        Some(name) => format!("`{name}` is not a Python that Kubespray {} takes: {}", release.tag, release.python),
        None => format!("this machine has no Python that Kubespray {} takes: {}", release.tag, release.python),
    };
    let wanted = VersionReq::parse(&release.python).ok().and_then(|range| newest(&range));
    let package = wanted.map_or_else(|| "python3".to_owned(), |minor| format!("python3.{minor}"));
    let fix = format!(
        "install {package} with its module venv (Debian and Ubuntu: `apt install {package} {package}-venv`), or name one as kubernetes.kubespray.python"
    );
    let mut finding = Finding::error(code::KUBESPRAY_NO_PYTHON, release.tag.as_str(), &text).fix(fix.clone());
    finding.evidence = if seen.is_empty() { vec!["none is on PATH".to_owned()] } else { seen };
    ClientError::new(CLIENT, doing).happened(text).attempt(fix).finding(finding)
}

/// The newest minor version of a range.
fn newest(range: &VersionReq) -> Option<u64> {
    MINORS.rev().find(|minor| range.matches(&semver::Version::new(3, *minor, 0)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn release(python: &str) -> KubesprayRelease {
        KubesprayRelease {
            tag: "v2.27.1".parse().unwrap(),
            source: String::new(),
            commit: String::new(),
            tree: String::new(),
            python: python.to_owned(),
            ansible_core: String::new(),
            ansible: String::new(),
        }
    }

    #[tokio::test]
    async fn a_python_that_does_not_answer_in_time_is_not_none() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("python3.11");
        std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (patience, named) = (Duration::from_millis(200), program.to_str());
        let error = choose_within(&release(">=3.10"), named, &Hidden::default(), patience).await.unwrap_err();
        assert!(error.happened.contains("did not end within") && error.transient.is_some(), "{error:?}");
        assert!(error.finding.is_none(), "nobody is told to install a Python");
    }

    #[tokio::test]
    async fn the_named_python_must_fit() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("python3.11");
        std::fs::write(&program, "#!/bin/sh\necho 3.11.7\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let name = program.to_str().unwrap();
        let found = choose(&release(">=3.10, <3.13"), Some(name), &Hidden::default()).await.unwrap();
        assert_eq!((found.program.as_path(), found.version.bare()), (program.as_path(), "3.11.7"));
        let error = choose(&release(">=3.12, <3.13"), Some(name), &Hidden::default()).await.unwrap_err();
        let finding = error.finding.expect("a finding");
        assert_eq!(finding.code, code::KUBESPRAY_NO_PYTHON);
        assert!(finding.evidence[0].contains("3.11.7") && finding.fix.contains("python3.12-venv"), "{finding:?}");
        std::fs::write(&program, "#!/bin/sh\nexit 127\n").unwrap();
        assert!(
            choose(&release(">=3.10, <3.13"), Some(name), &Hidden::default()).await.is_err(),
            "a stand-in is no Python"
        );
    }
}
