//! The packages of a site: what is here already, else from where the release says; proved, read, kept, and remembered.

use crate::address;
use crate::failure::Failure;
use crate::folder;
use crate::index::{Index, digest_of};
use crate::login::Login;
use crate::oci;
use crate::package::{self, About};
use crate::place::{self, Place};
use crate::record::{Content, Key, Record, Records};
use crate::repository;
use crate::store::Store;
use crate::wanted::{Found, Trust, Wanted};
use crate::web::{Limits, Session, Web};
use async_trait::async_trait;
use plinth_model::steps::Release;
use plinth_model::{ChartVersion, Version};
use plinth_net::trust::system_roots;
use plinth_world::charts::{ChartPackage, ChartPackages};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context};
use reqwest::Url;
use rustls::RootCertStore;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

/// What a line means now. Nothing has moved before it is kept ([`Charts::settle`]).
#[derive(Clone, Debug)]
pub struct Newest {
    /// The version so far; none: it was never resolved before.
    pub from: Option<Version>,
    /// What the line means now.
    pub to: Version,
    key: Key,
    record: Record,
}

/// One release's chart, looked at from all sides.
pub(crate) struct Task<'a> {
    pub(crate) release: &'a Release,
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) key: Key,
    /// The catalog's digest.
    pub(crate) digest: Option<String>,
}

type IndexCell = Arc<OnceCell<Arc<Index>>>;

/// Packages of charts, below the state directory of a site.
pub struct Charts {
    site: PathBuf,
    secrets: Arc<dyn Secrets>,
    pub(crate) web: Web,
    pub(crate) store: Store,
    /// Files of objects, from which packages are made.
    pub(crate) files: Store,
    records: Records,
    /// Indexes that were read in this process, by address. Each is read once, however many charts come from it.
    indexes: Mutex<HashMap<String, IndexCell>>,
    /// Charts that are being fetched: one of a kind at a time.
    busy: Mutex<HashMap<Key, Arc<AsyncMutex<()>>>>,
    /// One package at a time is compared with what was used before, and kept: of two contents of a version the first one wins.
    keeping: AsyncMutex<()>,
}

impl Charts {
    /// Contacts nobody yet. Relative folders of packages start at `site`, the folder of the site file.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(state: &Path, site: &Path, secrets: Arc<dyn Secrets>) -> ClientResult<Self> {
        // A site with a folder of packages needs no authority; a server will be refused by its certificate.
        let roots = system_roots().unwrap_or_else(|_| RootCertStore::empty());
        Self::with(state, site, secrets, roots, Limits::default())
    }

    pub(crate) fn with(
        state: &Path,
        site: &Path,
        secrets: Arc<dyn Secrets>,
        roots: RootCertStore,
        limits: Limits,
    ) -> ClientResult<Self> {
        let web = Web::new(roots, limits).map_err(|happened| {
            ClientError::new(crate::failure::CLIENT, "setting up TLS")
                .happened(happened)
                .attempt("install this machine's authorities (ca-certificates)")
        })?;
        let folder = state.join("charts");
        Ok(Self {
            site: site.to_owned(),
            secrets,
            web,
            store: Store::new(folder.join("packages")),
            files: Store::of_objects(folder.join("objects")),
            records: Records::new(&folder),
            indexes: Mutex::default(),
            busy: Mutex::default(),
            keeping: AsyncMutex::default(),
        })
    }

    /// Asks again what a release's selector means, and fetches that. The catalog's digest still binds, and a version that was used
    /// before keeps its content. What it means so far stays until [`Charts::settle`].
    ///
    /// # Errors
    /// As [`ChartPackages::package`].
    pub async fn newest(&self, ctx: &Context, release: &Release) -> ClientResult<Newest> {
        let task = self.task(release)?;
        let busy = self.place_to_work(&task.key);
        let _alone = busy.lock().await;
        let asked = async {
            let before = self.records.meaning(&task.key)?;
            let package = self.fetch(ctx, &task, None, None).await?;
            let record = Record::new(&task.key, &release.version, &package.version, ctx.clock().now());
            let from = before.map(|record| record.version);
            Ok(Newest { from, to: package.version, key: task.key.clone(), record })
        };
        asked.await.map_err(|failure: Failure| self.dressed(failure, &task))
    }

    /// Makes the newest version the one that its line means from now on: the only way in which a chart that was resolved once moves.
    ///
    /// # Errors
    /// When it cannot be written; the version so far stays then.
    pub fn settle(&self, newest: &Newest) -> ClientResult<()> {
        let Key { chart, selector, .. } = &newest.key;
        let doing = || format!("remembering that {chart} {selector} is {}", newest.to);
        self.records.keep_meaning(&newest.key, &newest.record).map_err(|failure| failure.error(doing(), chart))
    }

    /// The version that a release's line was found to mean, by what is remembered alone; none: it is no line, or was never resolved.
    ///
    /// # Errors
    /// When the place of the chart makes no sense, or what is remembered cannot be read.
    pub fn meaning(&self, release: &Release) -> ClientResult<Option<Version>> {
        if release.version.exact().is_some() {
            return Ok(None);
        }
        let task = self.task(release)?;
        self.meant(&task).map_err(|failure| self.dressed(failure, &task))
    }

    fn meant(&self, task: &Task<'_>) -> Result<Option<Version>, Failure> {
        if let Some(version) = task.release.version.exact() {
            return Ok(Some(version.clone()));
        }
        let known = self.records.meaning(&task.key)?.map(|record| record.version);
        Ok(known.filter(|version| task.release.version.takes(version)))
    }

    fn task<'a>(&self, release: &'a Release) -> ClientResult<Task<'a>> {
        let doing = || format!("finding the chart of {}", release.component);
        let (name, place) =
            place::of(release, &self.site).map_err(|failure| failure.error(doing(), &release.component))?;
        let digest = match &release.digest {
            None => None,
            Some(text) => Some(digest_of(text).ok_or_else(|| {
                Failure::input("the digest of the plan is no SHA-256").error(doing(), &release.component)
            })?),
        };
        let key = Key { chart: name.clone(), place: place.to_string(), selector: release.version.to_string() };
        Ok(Task { release, name, place, key, digest })
    }

    fn place_to_work(&self, key: &Key) -> Arc<AsyncMutex<()>> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(busy.entry(key.clone()).or_default())
    }

    fn dressed(&self, mut failure: Failure, task: &Task<'_>) -> ClientError {
        failure.happened = self.secrets.redact(&failure.happened);
        let doing = format!("getting the chart {} {} from {}", task.name, task.release.version, task.key.place);
        failure.error(doing, &task.release.component)
    }

    /// What is here already and right, or else fetched.
    async fn had(&self, ctx: &Context, task: &Task<'_>) -> Result<ChartPackage, Failure> {
        if task.release.of_objects {
            return self.made(ctx, task).await;
        }
        let version = self.meant(task)?;
        let known = self.known(task, version.as_ref())?;
        if let Some(package) = self.here(task, known.as_ref()).await? {
            return Ok(package);
        }
        let package = self.fetch(ctx, task, version.as_ref(), known.as_ref()).await?;
        if version.is_none() {
            let record = Record::new(&task.key, &task.release.version, &package.version, ctx.clock().now());
            self.records.keep_meaning(&task.key, &record)?;
        }
        Ok(package)
    }

    /// The content that is remembered of a version, where it still answers what is asked.
    fn known(&self, task: &Task<'_>, version: Option<&Version>) -> Result<Option<Content>, Failure> {
        let known = version.map(|version| self.records.content(&task.name, version)).transpose()?.flatten();
        Ok(known.filter(|content| task.takes(content)))
    }

    /// The package, if it is kept.
    async fn here(&self, task: &Task<'_>, known: Option<&Content>) -> Result<Option<ChartPackage>, Failure> {
        let digest = task.digest.clone().or_else(|| known.map(|content| content.digest.clone()));
        // A manifest that the catalog pins is proved when the package comes; what is remembered says that it was this one.
        let proved = task.manifest().is_none() || task.digest.is_some() || known.is_some();
        match digest.filter(|_| proved) {
            Some(digest) => self.kept(&digest, task).await,
            None => Ok(None),
        }
    }

    /// The package, if it needs no network; nothing is chosen for a line, and nothing is kept: a look writes nothing.
    async fn near(&self, ctx: &Context, task: &Task<'_>) -> Result<Option<ChartPackage>, Failure> {
        if task.release.of_objects {
            return self.made_before(task).await;
        }
        let Some(version) = self.meant(task)? else { return Ok(None) };
        let known = self.known(task, Some(&version))?;
        match self.here(task, known.as_ref()).await? {
            Some(package) => Ok(Some(package)),
            None if matches!(task.place, Place::Folder(_)) => {
                let found = self.sought(ctx, task, Some(&version), known.as_ref()).await?;
                let (about, found) = blocking(move || Ok((package::about(&found.bytes)?, found))).await?;
                task.is_about(&about)?;
                self.stays(task, &about, &found, self.records.content(&task.name, &about.version)?.as_ref())?;
                let Found { file, digest, .. } = found;
                Ok(file.map(|file| ChartPackage { file, version: about.version, digest }))
            }
            None => Ok(None),
        }
    }

    async fn kept(&self, digest: &str, task: &Task<'_>) -> Result<Option<ChartPackage>, Failure> {
        let (store, wanted) = (self.store.clone(), digest.to_owned());
        let read = blocking(move || match store.read(&wanted).map_err(|error| Failure::disk(&error))? {
            Some(bytes) => package::about(&bytes).map(Some),
            None => Ok(None),
        });
        let Some(about) = read.await? else { return Ok(None) };
        task.is_about(&about)?;
        let file = self.store.place(digest);
        Ok(Some(ChartPackage { file, version: about.version, digest: digest.to_owned() }))
    }

    /// Fetches a version with the content that is known of it; no version: the one that the selector means now.
    async fn fetch(
        &self,
        ctx: &Context,
        task: &Task<'_>,
        version: Option<&Version>,
        known: Option<&Content>,
    ) -> Result<ChartPackage, Failure> {
        let found = self.sought(ctx, task, version, known).await?;
        self.accept(ctx, task, found).await
    }

    /// The same, not kept.
    async fn sought(
        &self,
        ctx: &Context,
        task: &Task<'_>,
        version: Option<&Version>,
        known: Option<&Content>,
    ) -> Result<Found, Failure> {
        ctx.progress(0, 0, format!("fetching {} {} from {}", task.name, task.release.version, task.key.place));
        let exact = version.map(|version| ChartVersion::Exact(version.clone()));
        let (digest, known_by) = match (task.digest.clone(), known) {
            (Some(digest), _) => (Some(digest), Some(Trust::Catalog)),
            (None, Some(content)) => (Some(content.digest.clone()), Some(content.trust)),
            (None, None) => (None, None),
        };
        // As it is written in the plan, if it is one there: an index may have it with and without `v`.
        let selector = exact.as_ref().filter(|_| task.release.version.exact().is_none());
        let selector = selector.unwrap_or(&task.release.version);
        let wanted = Wanted { chart: &task.name, selector, digest, known_by, manifest: task.manifest() };
        self.found(ctx, task, &wanted).await
    }

    async fn found(&self, ctx: &Context, task: &Task<'_>, wanted: &Wanted<'_>) -> Result<Found, Failure> {
        match &task.place {
            Place::Folder(folder) => {
                let folder = folder.clone();
                let owned = (wanted.chart.to_owned(), wanted.selector.clone(), wanted.digest.clone(), wanted.known_by);
                blocking(move || {
                    let (chart, selector, digest, known_by) = owned;
                    let wanted = Wanted { chart: &chart, selector: &selector, digest, known_by, manifest: None };
                    folder::fetch(&folder, &wanted)
                })
                .await
            }
            Place::Registry(reference) => {
                let mut session = self.web.session(ctx, self.login(task)?);
                oci::fetch(&mut session, reference, wanted).await
            }
            Place::File(_) => Err(Failure::input("a file of objects is no package of a chart")),
            Place::Repository(url) => {
                let mut session = self.web.session(ctx, self.login(task)?);
                let index = self.index(ctx, &mut session, url).await?;
                let entry = index.find(wanted.chart, wanted.selector)?;
                repository::fetch(&mut session, url, entry, wanted).await
            }
        }
    }

    /// The index at an address, read once. The login is that of whoever comes first; all charts of a repository have the same.
    async fn index(&self, ctx: &Context, session: &mut Session<'_>, url: &Url) -> Result<Arc<Index>, Failure> {
        let cell = {
            let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(indexes.entry(url.to_string()).or_default())
        };
        let read = async {
            ctx.progress(0, 0, format!("reading the index of {}", address::plain(url)));
            repository::index(session, url).await.map(Arc::new)
        };
        cell.get_or_try_init(|| read).await.map(Arc::clone)
    }

    pub(crate) fn login(&self, task: &Task<'_>) -> Result<Option<Login>, Failure> {
        let Some(login) = &task.release.login else { return Ok(None) };
        let password = self.secrets.get(&login.password).map_err(|error| {
            Failure::input(error.to_string()).attempt("set the secret, and run the same command again")
        })?;
        Ok(Some(Login::new(&login.registry, &login.username, password)))
    }

    /// Reads a package that came, compares it with what was used before, keeps it and remembers it.
    async fn accept(&self, ctx: &Context, task: &Task<'_>, found: Found) -> Result<ChartPackage, Failure> {
        let store = self.store.clone();
        let (about, found) = blocking(move || Ok((package::about(&found.bytes)?, found))).await?;
        task.is_about(&about)?;
        let _alone = self.keeping.lock().await;
        let before = self.records.content(&task.name, &about.version)?;
        self.stays(task, &about, &found, before.as_ref())?;
        let (trust, digest, manifest) = (found.trust, found.digest.clone(), found.manifest.clone());
        blocking(move || store.keep(&found.digest, &found.bytes).map_err(|error| Failure::disk(&error))).await?;
        let content = Content::new(
            (&task.name, &about.version),
            (&digest, manifest.as_deref(), trust),
            (&task.key.place, ctx.clock().now()),
        );
        let first = before.is_none();
        match before {
            // What was known first stays; a manifest that named the same content is learnt.
            Some(before) if before.digest == digest => {
                if manifest.is_some() && manifest != before.manifest_digest {
                    self.records.keep_content(&before.named_by(manifest))?;
                }
            }
            _ => self.records.keep_content(&content)?,
        }
        if trust == Trust::FirstUse && first {
            let text =
                format!("{} {}: nobody tells its digest, so it is trusted on this first use", task.name, about.version);
            ctx.progress(0, 0, text);
        }
        tracing::info!(chart = %task.name, version = %about.version, %digest, ?trust, place = %task.key.place, "kept a chart");
        Ok(ChartPackage { file: self.store.place(&digest), version: about.version, digest })
    }

    /// A version that was used before does not get another content, wherever it comes from and however it is asked for, unless the
    /// catalog says so: its digest of the package, or of the manifest that names it.
    fn stays(&self, task: &Task<'_>, about: &About, found: &Found, before: Option<&Content>) -> Result<(), Failure> {
        let Some(before) = before.filter(|before| before.digest != found.digest) else { return Ok(()) };
        if task.digest.is_some() || task.manifest().is_some() {
            return Ok(());
        }
        let what = format!("{} {}, which was used before,", task.name, about.version);
        let record = self.records.of_version(&task.name, &about.version);
        let attempt =
            format!("find out why the package was replaced; then remove {}, and it is trusted again", record.display());
        Err(Failure::digest(&what, &before.digest, &found.digest)
            .evidence(format!("it was had from {}", before.place))
            .attempt(attempt))
    }
}

impl Task<'_> {
    /// The catalog's digest of the manifest, where there is a registry that has manifests.
    fn manifest(&self) -> Option<&str> {
        let pinned = self.release.manifest_digest.as_deref()?;
        matches!(self.place, Place::Registry(_)).then_some(pinned.strip_prefix("sha256:").unwrap_or(pinned))
    }

    /// Whether a content that is remembered still answers what is asked: a catalog that moved counts more.
    fn takes(&self, content: &Content) -> bool {
        let manifest = self.manifest().is_none_or(|pinned| content.manifest_digest.as_deref() == Some(pinned));
        let digest = self.digest.as_ref().is_none_or(|pinned| *pinned == content.digest);
        manifest && digest
    }

    /// The package is the one that was asked for.
    pub(crate) fn is_about(&self, about: &About) -> Result<(), Failure> {
        if about.name == self.name && self.release.version.takes(&about.version) {
            return Ok(());
        }
        let text = format!(
            "the package says that it is {} {}, and {} {} was asked for",
            plinth_model::text::visible(&about.name),
            about.version,
            self.name,
            self.release.version
        );
        Err(Failure::nonsense(text))
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Failure::disk(&io::Error::other(error))))
}

#[async_trait]
impl ChartPackages for Charts {
    async fn package(&self, ctx: &Context, release: &Release) -> ClientResult<ChartPackage> {
        let task = self.task(release)?;
        let busy = self.place_to_work(&task.key);
        let _alone = busy.lock().await;
        self.had(ctx, &task).await.map_err(|failure| self.dressed(failure, &task))
    }

    async fn at_hand(&self, ctx: &Context, release: &Release) -> ClientResult<Option<ChartPackage>> {
        let task = self.task(release)?;
        let busy = self.place_to_work(&task.key);
        let _alone = busy.lock().await;
        self.near(ctx, &task).await.map_err(|failure| self.dressed(failure, &task))
    }
}
