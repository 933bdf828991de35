//! The Python environment of a release: made once, where it stays (an environment cannot be moved), usable only when its mark
//! was written, which comes last.

use crate::program::{self, CLIENT, Ended, FailureLogs, Hidden};
use crate::python::{self, Python};
use plinth_model::finding::code;
use plinth_model::steps::KubesprayRelease;
use plinth_model::{Digest, Finding, Version};
use plinth_world::private_file;
use plinth_world::{Cause, ClientError, ClientResult, Context, deadlines, files};
use semver::VersionReq;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// The collections that Kubespray's playbooks use; the package brings over a hundred, 40,000 files.
const COLLECTIONS: [&str; 7] = [
    "ansible/utils",
    "ansible/posix",
    "ansible/netcommon",
    "community/general",
    "community/crypto",
    "community/docker",
    "kubernetes/core",
];
const MARK: &str = "plinth.json";
/// Names and versions of everything that is installed, one a line, in the form of requirements.
const FROZEN: &str = "import importlib.metadata as m\n\
    for line in sorted({f\"{d.metadata['Name']}=={d.version}\" for d in m.distributions()}): print(line)";
const CORE: &str = "import importlib.metadata as m; print(m.version('ansible-core'))";

/// Where packages come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageSource {
    /// Python to use, a name or a path; none: the newest on PATH that fits.
    pub python: Option<String>,
    /// Address of a package index; none: what the machine is set up for.
    pub index: Option<String>,
    /// Folder of wheels; no index is asked then.
    pub wheels: Option<PathBuf>,
}

/// A Python environment that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// Its folder: the release of Kubespray, and the digest of the requirements.
    pub name: String,
    /// Version of its Python.
    pub python: String,
    /// Version of ansible-core in it.
    pub ansible_core: String,
}

/// The environments that are kept in a state directory, by what is written into them. None of them is started.
#[must_use]
pub fn environments(state: &Path) -> Vec<Environment> {
    let places = fs::read_dir(state.join("kubespray/venv")).into_iter().flatten().flatten();
    let made = places.filter_map(|place| {
        let mark: Mark = serde_json::from_slice(&fs::read(place.path().join(MARK)).ok()?).ok()?;
        let name = place.file_name().to_string_lossy().into_owned();
        Some(Environment { name, python: mark.python, ansible_core: mark.ansible_core })
    });
    let mut found: Vec<Environment> = made.collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Environments of a site.
pub(super) struct Environments {
    folder: PathBuf,
    packages: PackageSource,
    hidden: Hidden,
    logs: FailureLogs,
    /// How long a look may take.
    patience: Duration,
}

/// Written into an environment when it is whole.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    requirements: Digest,
    python: String,
    ansible_core: String,
}

impl Environments {
    /// Below a state directory.
    pub(super) fn new(state: &Path, packages: PackageSource, hidden: Hidden, logs: FailureLogs) -> Self {
        Self { folder: state.join("kubespray"), packages, hidden, logs, patience: deadlines::ANSIBLE_LOOK }
    }

    /// The folder of a release with these requirements.
    fn place(&self, release: &KubesprayRelease, requirements: &Digest) -> PathBuf {
        self.folder.join("venv").join(format!("{}-{}", release.tag, requirements.short()))
    }

    /// The environment, if it is whole.
    pub(super) fn whole(&self, release: &KubesprayRelease, source: &Path) -> Option<PathBuf> {
        let requirements = requirements(source).ok()?;
        let place = self.place(release, &requirements);
        let mark: Mark = serde_json::from_slice(&fs::read(place.join(MARK)).ok()?).ok()?;
        (mark.requirements == requirements).then_some(place)
    }

    /// Its ansible-core, asked of itself: the Python below it may be gone since.
    pub(super) async fn seen(&self, release: &KubesprayRelease, source: &Path) -> ClientResult<Option<String>> {
        let Some(place) = self.whole(release, source) else { return Ok(None) };
        let doing = format!("looking at the environment of {}", release.tag);
        match self.ask(&place, CORE, &doing).await {
            Ok(version) => Ok(Some(version.trim().to_owned())),
            // A busy machine: whether it works is not known, and it is not taken away.
            Err(error) if error.cause == Cause::Timeout => Err(error.transient(program::BUSY)),
            // It does not work any more: to be made again.
            Err(_) => Ok(None),
        }
    }

    pub(super) async fn make(&self, ctx: &Context, release: &KubesprayRelease, source: &Path) -> ClientResult<()> {
        let doing = format!("making the Python environment of Kubespray {}", release.tag);
        if self.seen(release, source).await?.is_some() {
            return Ok(());
        }
        let requirements = requirements(source).map_err(|error| failed(&doing, &error))?;
        let python = python::choose(release, self.packages.python.as_deref(), &self.hidden).await?;
        let place = self.place(release, &requirements);
        self.clear(&place).map_err(|error| failed(&doing, &error))?;
        ctx.progress(0, 3, format!("an environment with Python {}", python.version.bare()));
        let uv = program::which("uv");
        self.found(&python, &place, uv.as_deref(), &doing).await?;
        ctx.progress(1, 3, format!("installing ansible {}", release.ansible));
        let lock = self.lock(release, &requirements, &python);
        self.install(&place, uv.as_deref(), source, &lock, &doing).await?;
        ctx.progress(2, 3, "taking out what Kubespray does not use");
        let core = self.core(release, &place, &doing).await?;
        let frozen = self.ask(&place, FROZEN, &doing).await?;
        private_file::write(&lock, frozen.as_bytes()).map_err(|error| failed(&doing, &error))?;
        trim(&place).map_err(|error| failed(&doing, &error))?;
        let mark = Mark { requirements, python: python.version.bare().to_owned(), ansible_core: core };
        let text = serde_json::to_vec_pretty(&mark).map_err(|error| failed(&doing, &io::Error::other(error)))?;
        files::write_whole(&place.join(MARK), &text).map_err(|error| failed(&doing, &error))
    }

    /// What was resolved the first time, so that a second making gives the same. Other Pythons may resolve otherwise.
    fn lock(&self, release: &KubesprayRelease, requirements: &Digest, python: &Python) -> PathBuf {
        let version = python.version.semver();
        let name = format!("{}-{}-python{}.{}.txt", release.tag, requirements.short(), version.major, version.minor);
        self.folder.join("locks").join(name)
    }

    fn clear(&self, place: &Path) -> io::Result<()> {
        if place.exists() {
            fs::remove_dir_all(place)?;
        }
        private_file::make_directory(&self.folder.join("venv"))?;
        private_file::make_directory(&self.folder.join("tmp"))
    }

    async fn found(&self, python: &Python, place: &Path, uv: Option<&Path>, doing: &str) -> ClientResult<()> {
        let command = match uv {
            Some(uv) => {
                let mut command = program::command(uv, &self.hidden);
                command.args(["venv", "--quiet", "--no-project", "--python"]).arg(&python.program).arg(place);
                command
            }
            None => {
                let mut command = program::command(&python.program, &self.hidden);
                command.args(["-I", "-m", "venv"]).arg(place);
                command
            }
        };
        let ended = self.run(command, doing).await?;
        if ended.status.success() {
            return Ok(());
        }
        let name = python.program.display();
        let version = python.version.semver();
        let fix = format!(
            "install its module venv (Debian and Ubuntu: `apt install python{}.{}-venv`)",
            version.major, version.minor
        );
        let text = format!("{name} cannot make environments");
        Err(self.refused(doing, Finding::error(code::KUBESPRAY_NO_VENV, "kubespray", text).fix(fix), &ended))
    }

    async fn install(
        &self,
        place: &Path,
        uv: Option<&Path>,
        source: &Path,
        lock: &Path,
        doing: &str,
    ) -> ClientResult<()> {
        let python = place.join("bin/python");
        let mut command = match uv {
            Some(uv) => {
                let mut command = program::command(uv, &self.hidden);
                command.args(["pip", "install", "--quiet", "--python"]).arg(&python);
                command
            }
            None => {
                let mut command = program::command(&python, &self.hidden);
                command.args(["-I", "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]);
                command.arg("--disable-pip-version-check");
                command
            }
        };
        if let Some(wheels) = &self.packages.wheels {
            command.args(["--no-index", "--find-links"]).arg(wheels);
        } else if let Some(index) = &self.packages.index {
            command.args(["--index-url", index]);
        }
        if lock.exists() {
            command.arg("--no-deps").arg("-r").arg(lock);
        } else {
            command.arg("-r").arg(source.join("requirements.txt"));
        }
        let ended = self.run(command, doing).await?;
        if ended.status.success() {
            return Ok(());
        }
        let fix = "see that the package index answers from here, or name a mirror as kubernetes.kubespray.index or a folder of wheels as kubernetes.kubespray.wheels";
        let text = "the packages of Kubespray cannot be installed";
        Err(self.refused(doing, Finding::error(code::KUBESPRAY_NO_PACKAGES, "kubespray", text).fix(fix), &ended))
    }

    fn refused(&self, doing: &str, mut finding: Finding, ended: &Ended) -> ClientError {
        finding.evidence = ended.complaint();
        let error = ClientError::new(CLIENT, doing).happened(finding.message.clone()).attempt(finding.fix.clone());
        error.failure(self.logs.failure(ended)).finding(finding)
    }

    /// Builds happen below the state directory: nothing of a site is under a shared /tmp.
    async fn run(&self, mut command: Command, doing: &str) -> ClientResult<Ended> {
        command.env("TMPDIR", self.folder.join("tmp")).env("UV_NO_PROGRESS", "1");
        program::run(command, doing, deadlines::ANSIBLE_INSTALL).await
    }

    /// What the environment's Python answers.
    async fn ask(&self, place: &Path, question: &str, doing: &str) -> ClientResult<String> {
        let mut command = program::command(place.join("bin/python"), &self.hidden);
        command.args(["-I", "-c", question]);
        let ended = program::run(command, doing, self.patience).await?;
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        let happened = format!("its Python does not work: {}", ended.complaint().join("; "));
        let failure = self.logs.failure(&ended);
        let error = ClientError::new(CLIENT, doing).happened(happened).failure(failure);
        Err(error.attempt("run again: the environment is made again"))
    }

    async fn core(&self, release: &KubesprayRelease, place: &Path, doing: &str) -> ClientResult<String> {
        let core = self.ask(place, CORE, doing).await?.trim().to_owned();
        let fits = VersionReq::parse(&release.ansible_core)
            .is_ok_and(|range| core.parse::<Version>().is_ok_and(|core| range.matches(core.semver())));
        if fits {
            return Ok(core);
        }
        let text = format!("its requirements bring ansible-core {core}; its playbooks take {}", release.ansible_core);
        let fix = "take the wheels or the index of this very release";
        let finding = Finding::error(code::KUBESPRAY_ANSIBLE_CORE, release.tag.as_str(), &text)
            .evidence(format!("ansible-core {core}"))
            .fix(fix);
        Err(ClientError::new(CLIENT, doing).happened(text).attempt(fix).finding(finding))
    }
}

fn requirements(source: &Path) -> io::Result<Digest> {
    fs::read(source.join("requirements.txt")).map(|text| Digest::of_bytes(&text))
}

fn failed(doing: &str, error: &io::Error) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(error.to_string())
        .attempt("see that the source is there and the state directory has room")
}

/// Takes out collections that nobody uses.
fn trim(place: &Path) -> io::Result<()> {
    for library in fs::read_dir(place.join("lib"))? {
        let all = library?.path().join("site-packages/ansible_collections");
        if all.is_dir() {
            trim_collections(&all)?;
        }
    }
    Ok(())
}

fn trim_collections(all: &Path) -> io::Result<()> {
    for owner in fs::read_dir(all)? {
        let owner = owner?;
        if !owner.file_type()?.is_dir() {
            continue;
        }
        for collection in fs::read_dir(owner.path())? {
            let collection = collection?;
            let name = format!("{}/{}", owner.file_name().to_string_lossy(), collection.file_name().to_string_lossy());
            if collection.file_type()?.is_dir() && !COLLECTIONS.contains(&name.as_str()) {
                fs::remove_dir_all(collection.path())?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_what_is_used_stays() {
        let folder = tempfile::tempdir().unwrap();
        let all = folder.path().join("lib/python3.11/site-packages/ansible_collections");
        for name in ["ansible/utils", "ansible/windows", "cisco/ios"] {
            fs::create_dir_all(all.join(name)).unwrap();
        }
        fs::write(all.join("__init__.py"), "").unwrap();
        trim(folder.path()).unwrap();
        assert!(all.join("ansible/utils").is_dir() && all.join("__init__.py").is_file());
        assert!(!all.join("ansible/windows").exists() && !all.join("cisco/ios").exists());
    }

    /// One that takes longer than anybody waits.
    #[tokio::test]
    async fn an_environment_that_does_not_answer_in_time_is_not_made_again() {
        let (state, release) = (tempfile::tempdir().unwrap(), release());
        let source = state.path().join("source");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("requirements.txt"), "").unwrap();
        let mut environments =
            Environments::new(state.path(), PackageSource::default(), Hidden::default(), logs(state.path()));
        let requirements = requirements(&source).unwrap();
        let place = environments.place(&release, &requirements);
        let python = place.join("bin/python");
        fs::create_dir_all(python.parent().unwrap()).unwrap();
        fs::write(&python, "#!/bin/sh\nexec sleep 600\n").unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let mark = Mark { requirements, python: "3.11.7".to_owned(), ansible_core: "2.16.14".to_owned() };
        fs::write(place.join(MARK), serde_json::to_vec(&mark).unwrap()).unwrap();
        environments.patience = Duration::from_millis(200);
        let error = environments.seen(&release, &source).await.unwrap_err();
        assert!(error.happened.contains("did not end within") && error.transient.is_some(), "{error:?}");
        fs::write(&python, "#!/bin/sh\nexit 1\n").unwrap();
        environments.patience = deadlines::ANSIBLE_LOOK;
        assert_eq!(environments.seen(&release, &source).await.unwrap(), None, "one that does not work");
    }

    /// A Python that makes environments in which nothing can be installed.
    #[tokio::test]
    async fn an_installation_that_fails_is_told_with_its_command_its_end_its_words_and_a_log() {
        let (state, release) = (tempfile::tempdir().unwrap(), release());
        let source = state.path().join("source");
        fs::create_dir_all(&source).unwrap();
        let environments =
            Environments::new(state.path(), PackageSource::default(), Hidden::default(), logs(state.path()));
        let place = environments.place(&release, &Digest::of_bytes(b""));
        let python = place.join("bin/python");
        fs::create_dir_all(python.parent().unwrap()).unwrap();
        fs::write(&python, "#!/bin/sh\necho 'no such package' >&2\nexit 1\n").unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let lock = state.path().join("lock");
        let error = environments.install(&place, None, &source, &lock, "installing").await.unwrap_err();
        let failure = error.failed_on.unwrap().program.unwrap();
        assert!(failure.command.contains("/bin/python -I -m pip install --quiet"), "{failure:?}");
        assert_eq!((failure.exit, failure.tail.as_slice()), (Some(1), ["no such package".to_owned()].as_slice()));
        let text = fs::read_to_string(failure.log.unwrap()).unwrap();
        assert!(text.contains("no such package"), "{text}");
        assert_eq!(error.finding.unwrap().code, code::KUBESPRAY_NO_PACKAGES);
    }

    fn logs(state: &Path) -> FailureLogs {
        FailureLogs::new(state.join("logs"), 5, std::sync::Arc::new(plinth_world::secrets::MemorySecrets::default()))
    }

    fn release() -> KubesprayRelease {
        KubesprayRelease {
            tag: "v2.27.1".parse().unwrap(),
            source: String::new(),
            commit: String::new(),
            tree: String::new(),
            python: String::new(),
            ansible_core: String::new(),
            ansible: String::new(),
        }
    }

    #[test]
    fn without_its_mark_an_environment_is_not_there() {
        let (state, release) = (tempfile::tempdir().unwrap(), release());
        let source = state.path().join("source");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("requirements.txt"), "ansible==9.13.0\n").unwrap();
        let environments =
            Environments::new(state.path(), PackageSource::default(), Hidden::default(), logs(state.path()));
        let requirements = requirements(&source).unwrap();
        let place = environments.place(&release, &requirements);
        fs::create_dir_all(&place).unwrap();
        assert_eq!(environments.whole(&release, &source), None);
        let mark = Mark { requirements, python: "3.11.7".to_owned(), ansible_core: "2.16.14".to_owned() };
        fs::write(place.join(MARK), serde_json::to_vec(&mark).unwrap()).unwrap();
        assert_eq!(environments.whole(&release, &source), Some(place));
        fs::write(source.join("requirements.txt"), "ansible==9.14.0\n").unwrap();
        assert_eq!(environments.whole(&release, &source), None, "other requirements, another environment");
    }
}
