//! The helm program: the one of this machine where it fits, else a pinned release that is fetched, proved by its digest, and kept.

use async_trait::async_trait;
use plinth_model::download::{DownloadFile, HelmPin};
use plinth_model::finding::code;
use plinth_model::{Digest, Finding, Owner, Version};
use plinth_world::fetch::FetchClient;
use plinth_world::helm::{Helm, HelmMajor, HelmPrograms};
use plinth_world::packed::{Budget, each_file};
use plinth_world::{Cause, ClientError, ClientResult, Context, deadlines, files, private_file};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::OnceCell;

const CLIENT: &str = "helm";
/// Largest archive, bytes. That of 3.18 has 17 MB.
const LARGEST_ARCHIVE: usize = 128 * 1024 * 1024;
/// Largest program, bytes. That of 3.18 has 58 MB.
const LARGEST_PROGRAM: u64 = 256 * 1024 * 1024;
/// Most entries of its archive, which has four.
const ENTRIES: usize = 100;
/// Most of what `helm version` prints that is read, bytes.
const LARGEST_ANSWER: u64 = 64 * 1024;

/// What to do about an archive of the site that is another one.
const ANOTHER_ARCHIVE: &str =
    "fetch the archive that is named after this version from get.helm.sh, or remove `platform.helm.source`";

/// Finds the helm program, once per process.
pub struct HelmProgram {
    /// Where programs of this machine are.
    path: Option<OsString>,
    folder: PathBuf,
    site: PathBuf,
    pin: HelmPin,
    source: Option<String>,
    fetch: Arc<dyn FetchClient>,
    chosen: OnceCell<Helm>,
}

#[async_trait]
impl HelmPrograms for HelmProgram {
    async fn program(&self, ctx: &Context) -> ClientResult<Helm> {
        self.chosen.get_or_try_init(|| self.search(ctx)).await.cloned()
    }

    async fn at_hand(&self, _: &Context) -> ClientResult<Option<Helm>> {
        if let Some(chosen) = self.chosen.get() {
            return Ok(Some(chosen.clone()));
        }
        if let Ok(helm) = self.of_this_machine().await {
            return Ok(Some(helm));
        }
        let Some(pinned) = self.pinned() else { return Ok(None) };
        let here = pinned.is_kept().await.map_err(|error| disk("looking for the pinned helm", &error))?;
        Ok(here.then_some(pinned.helm).flatten())
    }
}

impl HelmProgram {
    /// Contacts nobody yet. `pin` is what is fetched when this machine has none that fits, from `source` where the site names one: an
    /// address or a file of the archive, or the address or folder that holds it; relative names start at `site`, the folder of the
    /// site file. It is kept below the state directory.
    #[must_use]
    pub fn new(state: &Path, site: &Path, pin: HelmPin, source: Option<String>, fetch: Arc<dyn FetchClient>) -> Self {
        Self {
            path: std::env::var_os("PATH"),
            folder: state.join("helm"),
            site: site.to_owned(),
            pin,
            source,
            fetch,
            chosen: OnceCell::new(),
        }
    }

    /// With programs of these folders instead of `PATH`'s.
    #[cfg(test)]
    pub(crate) fn looking_in(mut self, path: impl Into<OsString>) -> Self {
        self.path = Some(path.into());
        self
    }

    async fn search(&self, ctx: &Context) -> ClientResult<Helm> {
        let why_not = match self.of_this_machine().await {
            Ok(helm) => return Ok(helm),
            Err(why_not) => why_not,
        };
        tracing::info!(why = %why_not, pinned = %self.pin.version, "the pinned helm is used");
        let pinned = self.pinned().ok_or_else(|| none_for_this_machine(&why_not))?;
        let doing = format!("fetching helm {}", self.pin.version);
        let failed = |error: io::Error| disk(&doing, &error);
        if !pinned.is_kept().await.map_err(failed)? {
            ctx.progress(0, 0, format!("{doing}: {why_not}"));
            let archive = self.archive(ctx, &pinned.archive, &pinned.digest, &doing).await?;
            let (inside, goal) = (pinned.inside, pinned.program);
            blocking(move || unpack(&archive, &inside, &goal)).await.map_err(failed)?;
        }
        pinned.helm.ok_or_else(|| none_for_this_machine("the pinned helm is no release that fits"))
    }

    /// The one on `PATH`; else why that one does not do, as a sentence.
    async fn of_this_machine(&self) -> Result<Helm, String> {
        let program = self.on_path().ok_or("this machine has no program `helm`")?;
        let shown = program.display();
        let version = version_of(&program, &self.folder, self.path.as_deref()).await;
        let version = version.map_err(|why| format!("{shown} does not say its version: {why}"))?;
        let why_not = format!("{shown} is {version}; {} is wanted", HelmMajor::WANTED);
        Helm::new(program, version).ok_or(why_not)
    }

    fn on_path(&self) -> Option<PathBuf> {
        let is_program = |file: &PathBuf| {
            std::fs::metadata(file).is_ok_and(|known| known.is_file() && known.permissions().mode() & 0o111 != 0)
        };
        std::env::split_paths(self.path.as_ref()?).map(|folder| folder.join("helm")).find(is_program)
    }

    /// The pinned release; none: there is none for this kind of machine.
    fn pinned(&self) -> Option<Pinned> {
        let arch = architecture().filter(|_| cfg!(target_os = "linux"))?;
        let digest = self.pin.archives.get(arch)?.clone();
        let name = format!("helm-{}-linux-{arch}", self.pin.version.prefixed());
        let program = self.folder.join(&name);
        let helm = Helm::new(program.clone(), self.pin.version.clone());
        Some(Pinned { program, helm, archive: format!("{name}.tar.gz"), digest, inside: format!("linux-{arch}/helm") })
    }

    /// The archive, proved by its digest: the bytes that were proved are those that are unpacked.
    async fn archive(&self, ctx: &Context, name: &str, digest: &str, doing: &str) -> ClientResult<Proved> {
        let source = self.source.as_deref().unwrap_or(&self.pin.source);
        if source.contains("://") {
            let url = if source.ends_with(".tar.gz") {
                source.to_owned()
            } else {
                format!("{}/{name}", source.trim_end_matches('/'))
            };
            let file = DownloadFile {
                name: "helm".to_owned(),
                url,
                sha256: digest.to_owned(),
                dest: name.to_owned(),
                groups: Vec::new(),
            };
            self.fetch.fetch(ctx, &file).await?;
            let place = self.fetch.place(digest);
            let failed = |error: io::Error| disk(doing, &error);
            return proved(place.clone(), digest).await.map_err(failed)?.map_err(|found| {
                let attempt = format!("remove {}, and run again: it is fetched again", place.display());
                another(&place, digest, &found, doing, &attempt)
            });
        }
        let given = files::named(&self.site, source);
        let file = if given.is_dir() { given.join(name) } else { given };
        let found = proved(file.clone(), digest).await.map_err(|error| {
            ClientError::new(CLIENT, doing)
                .happened(format!("{} cannot be read: {error}", file.display()))
                .attempt("correct `platform.helm.source`; a relative name starts at the folder of the site file")
                .because(Cause::Input)
        })?;
        found.map_err(|found| another(&file, digest, &found, doing, ANOTHER_ARCHIVE))
    }
}

/// The pinned release for this machine.
struct Pinned {
    /// Where it is kept.
    program: PathBuf,
    /// None: the catalog pins one that does not fit.
    helm: Option<Helm>,
    /// Name of the archive.
    archive: String,
    /// SHA-256 of the archive.
    digest: String,
    /// The program's name in the archive.
    inside: String,
}

impl Pinned {
    async fn is_kept(&self) -> io::Result<bool> {
        let (program, digest) = (self.program.clone(), self.digest.clone());
        blocking(move || is_kept(&program, &digest)).await
    }
}

/// An archive whose bytes were compared with the pin, and the digest that they have.
struct Proved {
    bytes: Vec<u8>,
    digest: String,
}

/// Reads an archive once, and proves what was read; the error inside is the digest of another content.
async fn proved(file: PathBuf, wanted: &str) -> io::Result<Result<Proved, String>> {
    let bytes = blocking(move || files::read_up_to(&file, LARGEST_ARCHIVE)).await?;
    let digest = Digest::of_bytes(&bytes).as_str().to_owned();
    Ok(if digest == wanted { Ok(Proved { bytes, digest }) } else { Err(digest) })
}

/// As helm's archives are called; none: there are none for it.
fn architecture() -> Option<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Some("amd64"),
        "aarch64" => Some("arm64"),
        _ => None,
    }
}

/// What the program says, with nothing of the caller's environment: neither plugins nor another home are looked at.
async fn version_of(program: &Path, home: &Path, path: Option<&OsStr>) -> Result<Version, String> {
    let mut command = Command::new(program);
    command.args(["version", "--template", "{{.Version}}"]).env_clear().env("HOME", home).current_dir("/");
    for name in ["HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"] {
        command.env(name, home.join("nothing"));
    }
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let answer = async {
        let mut child = command.spawn()?;
        let mut text = String::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(LARGEST_ANSWER).read_to_string(&mut text).await?;
        }
        Ok::<_, io::Error>((child.wait().await?, text))
    };
    match tokio::time::timeout(deadlines::HELM_LOOK, answer).await {
        Err(_) => Err(format!("no answer within {} s", deadlines::HELM_LOOK.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok((status, _))) if !status.success() => Err(format!("it ended with {status}")),
        Ok(Ok((_, text))) => text.trim().parse().map_err(|_| "what it prints is no version".to_owned()),
    }
}

fn mark_of(program: &Path) -> PathBuf {
    let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    program.with_file_name(format!("{name}.sha256"))
}

/// Whether the program is here, was unpacked from the pinned archive, and is still what was unpacked.
fn is_kept(program: &Path, pin: &str) -> io::Result<bool> {
    let Some(mark) = private_file::read(&mark_of(program))? else { return Ok(false) };
    let Some((archive, content)) = mark.trim().split_once(' ') else { return Ok(false) };
    if archive != pin {
        return Ok(false);
    }
    match files::read_up_to(program, usize::try_from(LARGEST_PROGRAM).unwrap_or(usize::MAX)) {
        Ok(bytes) => Ok(Digest::of_bytes(&bytes).as_str() == content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes the one program out of its archive. The mark comes last: a program with a mark is whole. It names the archive and the program.
fn unpack(packed: &Proved, inside: &str, goal: &Path) -> io::Result<()> {
    let mut found = None;
    each_file(packed.bytes.as_slice(), &Budget::of(LARGEST_PROGRAM, ENTRIES), |mut file| {
        if file.path.as_os_str() == inside {
            found = Some(file.bytes(LARGEST_PROGRAM)?);
        }
        Ok::<(), io::Error>(())
    })?;
    let nothing = || io::Error::new(io::ErrorKind::InvalidData, format!("the archive of helm has no `{inside}`"));
    let program = found.ok_or_else(nothing)?;
    if let Some(folder) = goal.parent() {
        private_file::make_directory(folder)?;
    }
    files::replace(goal, &program, 0o700)?;
    let mark = format!("{} {}", packed.digest, Digest::of_bytes(&program).as_str());
    private_file::write(&mark_of(goal), mark.as_bytes())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn disk(doing: &str, error: &io::Error) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(error.to_string())
        .attempt("see that the state directory is writable and has room")
}

fn none_for_this_machine(why_not: &str) -> ClientError {
    let text = format!("{why_not}, and none is known for this kind of machine ({})", std::env::consts::ARCH);
    let fix = format!("install helm {}, so that it is found by PATH", HelmMajor::WANTED);
    let finding = Finding::error(code::HELM_NO_PROGRAM, "helm", text.clone()).fix(&*fix);
    ClientError::new(CLIENT, "finding the program `helm`")
        .happened(text)
        .attempt(fix)
        .because(Cause::Input)
        .finding(finding)
}

fn another(file: &Path, wanted: &str, found: &str, doing: &str, attempt: &str) -> ClientError {
    let text = format!("{} is another archive than the pinned one", file.display());
    let finding = Finding::error(code::FETCH_CHECKSUM, "helm", text.clone())
        .evidence(format!("wanted SHA-256 {wanted}"))
        .evidence(format!("got {found}"))
        .owner(Owner::You)
        .fix(attempt);
    ClientError::new(CLIENT, doing).happened(text).attempt(attempt).because(Cause::Input).finding(finding)
}
