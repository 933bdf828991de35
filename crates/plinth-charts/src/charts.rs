//! The packages of a site: what is here already, else from where the release says; proved, read, kept, and remembered.

use crate::failure::Failure;
use crate::folder;
use crate::index::{Index, digest_of};
use crate::login::Login;
use crate::oci;
use crate::package::{self, About};
use crate::place::{self, Place};
use crate::record::{Key, Record, Records};
use crate::repository;
use crate::store::Store;
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
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

/// Whose word the digest of a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Trust {
    /// The catalog knows the package's digest.
    Catalog,
    /// The catalog knows the digest of the registry's manifest, which names the package's.
    Manifest,
    /// The repository's index or the registry told it, once, over TLS.
    Repository,
    /// Nobody told it: the package was taken as it came, and has to stay so.
    FirstUse,
}

/// A package that is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) chart: &'a str,
    pub(crate) selector: &'a ChartVersion,
    /// SHA-256 of the package, if it is known, and from whom.
    pub(crate) digest: Option<String>,
    pub(crate) known_by: Option<Trust>,
    /// SHA-256 of the manifest in a registry, if the catalog knows it.
    pub(crate) manifest: Option<&'a str>,
}

impl Wanted<'_> {
    /// Whose word the digest was before anybody was asked; none: it is not known.
    pub(crate) fn trust(&self) -> Option<Trust> {
        self.digest.as_ref().and(self.known_by)
    }
}

/// A package that came.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: String,
    /// SHA-256 of the manifest that named it.
    pub(crate) manifest: Option<String>,
    pub(crate) trust: Trust,
}

/// What asking anew for a selector changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The version so far; none: it was never resolved before.
    pub from: Option<Version>,
    /// The version from now on.
    pub to: Version,
}

/// One release's chart, looked at from all sides.
struct Task<'a> {
    release: &'a Release,
    name: String,
    place: Place,
    key: Key,
    /// The catalog's digest.
    digest: Option<String>,
}

/// What a selector means while a package is fetched.
#[derive(Clone, Copy)]
enum Meant<'a> {
    /// What was found before.
    As(&'a Record),
    /// What there is now; what was found before only says which content a version had.
    Anew(Option<&'a Record>),
}

impl<'a> Meant<'a> {
    const fn record(self) -> Option<&'a Record> {
        match self {
            Self::As(record) => Some(record),
            Self::Anew(_) => None,
        }
    }

    /// A version that was used before does not get another content by being asked for anew, unless the catalog says so.
    fn takes(self, about: &About, found: &Found, task: &Task<'_>) -> Result<(), Failure> {
        match self {
            Self::Anew(Some(record))
                if record.version == about.version && record.digest != found.digest && task.digest.is_none() =>
            {
                let what = format!("{} {}, which was used before,", task.name, about.version);
                let attempt = "find out why the package was replaced; then remove its record below `charts/versions` in the \
                               state directory, and it is trusted anew";
                Err(Failure::digest(&what, &record.digest, &found.digest).attempt(attempt))
            }
            _ => Ok(()),
        }
    }
}

type IndexCell = Arc<OnceCell<Arc<Index>>>;

/// Packages of charts, below the state directory of a site.
pub struct Charts {
    site: PathBuf,
    secrets: Arc<dyn Secrets>,
    web: Web,
    store: Store,
    records: Records,
    /// Indexes that were read in this process, by address. Each is read once, however many charts come from it.
    indexes: Mutex<HashMap<String, IndexCell>>,
    /// Charts that are being fetched: one of a kind at a time.
    busy: Mutex<HashMap<Key, Arc<AsyncMutex<()>>>>,
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
            records: Records::new(folder.join("versions")),
            indexes: Mutex::default(),
            busy: Mutex::default(),
        })
    }

    /// Asks anew what a release's selector means, fetches that, and remembers it: the only way in which a chart that was resolved
    /// once moves. The catalog's digest still binds, and a version that was used before keeps its content.
    ///
    /// # Errors
    /// As [`ChartPackages::package`]; the version so far stays then.
    pub async fn refresh(&self, ctx: &Context, release: &Release) -> ClientResult<Moved> {
        let task = self.task(release)?;
        let busy = self.place_to_work(&task.key);
        let _alone = busy.lock().await;
        let moved = async {
            let before = self.records.read(&task.key)?;
            let package = self.fetch(ctx, &task, Meant::Anew(before.as_ref())).await?;
            Ok(Moved { from: before.map(|record| record.version), to: package.version })
        };
        moved.await.map_err(|failure: Failure| self.dressed(failure, &task))
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
        let record = self.records.read(&task.key)?.filter(|record| task.takes(record));
        let digest = task.digest.clone().or_else(|| record.as_ref().map(|record| record.digest.clone()));
        // A manifest that the catalog pins is proved when the package comes; the record says that it was this one.
        let proved = task.manifest().is_none() || task.digest.is_some() || record.is_some();
        if let Some(digest) = digest.filter(|_| proved)
            && let Some(package) = self.kept(&digest, task).await?
        {
            return Ok(package);
        }
        self.fetch(ctx, task, record.as_ref().map_or(Meant::Anew(None), Meant::As)).await
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

    /// Fetches what the selector means now, or what a record says that it means.
    async fn fetch(&self, ctx: &Context, task: &Task<'_>, meant: Meant<'_>) -> Result<ChartPackage, Failure> {
        let record = meant.record();
        ctx.progress(0, 0, format!("fetching {} {} from {}", task.name, task.release.version, task.key.place));
        let exact = record.map(|record| ChartVersion::Exact(record.version.clone()));
        let remembered = record.map(|record| (record.digest.clone(), record.trust));
        let (digest, known_by) = match (task.digest.clone(), remembered) {
            (Some(digest), _) => (Some(digest), Some(Trust::Catalog)),
            (None, Some((digest, trust))) => (Some(digest), Some(trust)),
            (None, None) => (None, None),
        };
        let selector = exact.as_ref().unwrap_or(&task.release.version);
        let wanted = Wanted { chart: &task.name, selector, digest, known_by, manifest: task.manifest() };
        let found = self.found(ctx, task, &wanted).await?;
        self.accept(ctx, task, found, meant).await
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
            ctx.progress(0, 0, format!("reading the index of {}", crate::web::plain(url)));
            repository::index(session, url).await.map(Arc::new)
        };
        cell.get_or_try_init(|| read).await.map(Arc::clone)
    }

    fn login(&self, task: &Task<'_>) -> Result<Option<Login>, Failure> {
        let Some(login) = &task.release.login else { return Ok(None) };
        let password = self.secrets.get(&login.password).map_err(|error| {
            Failure::input(error.to_string()).attempt("set the secret, and run the same command again")
        })?;
        Ok(Some(Login::new(&login.registry, &login.username, password)))
    }

    /// Reads a package that came, keeps it and remembers it.
    async fn accept(
        &self,
        ctx: &Context,
        task: &Task<'_>,
        found: Found,
        meant: Meant<'_>,
    ) -> Result<ChartPackage, Failure> {
        let store = self.store.clone();
        let (about, found) = blocking(move || Ok((package::about(&found.bytes)?, found))).await?;
        task.is_about(&about)?;
        meant.takes(&about, &found, task)?;
        let (trust, digest, manifest) = (found.trust, found.digest.clone(), found.manifest.clone());
        blocking(move || store.keep(&found.digest, &found.bytes).map_err(|error| Failure::disk(&error))).await?;
        let proof = (digest.as_str(), manifest.as_deref(), trust);
        let record = Record::new(&task.key, &task.release.version, &about.version, proof, ctx.clock().now());
        self.records.keep(&task.key, &record)?;
        if trust == Trust::FirstUse && meant.record().is_none() {
            ctx.progress(
                0,
                0,
                format!("{} {}: nobody tells its digest, so it is trusted on this first use", task.name, about.version),
            );
        }
        tracing::info!(chart = %task.name, version = %about.version, %digest, ?trust, place = %task.key.place, "kept a chart");
        Ok(ChartPackage { file: self.store.place(&digest), version: about.version, digest })
    }
}

impl Task<'_> {
    /// The catalog's digest of the manifest, where there is a registry that has manifests.
    fn manifest(&self) -> Option<&str> {
        let pinned = self.release.manifest_digest.as_deref()?;
        matches!(self.place, Place::Registry(_)).then_some(pinned.strip_prefix("sha256:").unwrap_or(pinned))
    }

    /// Whether a record still answers what is asked: a catalog that moved counts more than what was remembered.
    fn takes(&self, record: &Record) -> bool {
        let manifest = self.manifest().is_none_or(|pinned| record.manifest_digest.as_deref() == Some(pinned));
        let digest = self.digest.as_ref().is_none_or(|pinned| *pinned == record.digest);
        manifest && digest && self.release.version.takes(&record.version)
    }

    /// The package is the one that was asked for.
    fn is_about(&self, about: &About) -> Result<(), Failure> {
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

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
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
}
