//! The real client: a kubeconfig in the state directory, and connections made from it.

use crate::config::{ConfigError, KubeconfigFile};
use crate::failure::{Cause, Failure};
use crate::listing::Listings;
use crate::seam;
use backon::{ConstantBuilder, Retryable as _};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use plinth_model::{Digest, SiteName};
use plinth_world::keystore::CertificateFiles;
use plinth_world::kube::Readiness;
use plinth_world::mark::SiteMark;
use plinth_world::node::NodeControlPlane;
use plinth_world::private_file;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// Who we are to the API server: owner of the fields that we set.
pub(super) const OWNER: &str = "plinth";
/// Name of the kubeconfig in the state directory.
const FILE: &str = "kubeconfig";

/// Kubernetes, over its API.
pub struct KubeApi {
    file: PathBuf,
    /// Folder of the site file, at which the names of files in it start.
    folder: PathBuf,
    site: SiteName,
    pub(super) nodes: Arc<dyn NodeControlPlane>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) keystore: Arc<dyn CertificateFiles>,
    request: Duration,
    /// What a cluster of somebody else is marked with; none: nothing is changed, and nobody is asked.
    pub(super) mark: Option<SiteMark>,
    open: Mutex<Option<Open>>,
    pub(super) listings: Listings,
}

/// A connection, and what it was made from.
struct Open {
    config: Digest,
    link: Link,
}

/// A connection.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) client: Client,
    /// The way to the same server without saying who we are.
    stranger: Config,
    /// Server address.
    pub(super) server: String,
    /// When our certificate expires.
    expires: Option<jiff::Timestamp>,
}

impl KubeApi {
    /// The client of the site whose state is in this directory. Nobody is contacted yet.
    #[must_use]
    pub fn new(
        state_dir: &Path,
        site: &SiteName,
        nodes: Arc<dyn NodeControlPlane>,
        keystore: Arc<dyn CertificateFiles>,
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        Self {
            file: state_dir.join(FILE),
            folder: PathBuf::new(),
            site: site.clone(),
            nodes,
            secrets,
            keystore,
            request: deadlines::KUBE_REQUEST,
            mark: None,
            open: Mutex::new(None),
            listings: Listings::default(),
        }
    }

    /// The same, for a site file in this folder; the working directory otherwise.
    #[must_use]
    pub fn below(mut self, folder: &Path) -> Self {
        self.folder = folder.to_path_buf();
        self
    }

    /// Marks a cluster that somebody else installed as managed from here, and leaves one alone that is managed from elsewhere.
    #[must_use]
    pub fn managed_by(mut self, mark: SiteMark) -> Self {
        self.mark = Some(mark);
        self
    }

    /// A file that the site file names.
    pub(super) fn beside_site(&self, file: &str) -> PathBuf {
        plinth_world::files::named(&self.folder, file)
    }

    /// The same, with another limit for one request.
    #[must_use]
    pub const fn patience(mut self, request: Duration) -> Self {
        self.request = request;
        self
    }

    /// Where the kubeconfig of a site is kept.
    #[must_use]
    pub fn kept_in(state_dir: &Path) -> PathBuf {
        state_dir.join(FILE)
    }

    pub(super) const fn site(&self) -> &SiteName {
        &self.site
    }

    /// The kubeconfig that is held. One that cannot be read as such is none: it is fetched again.
    pub(super) fn held(&self) -> ClientResult<Option<KubeconfigFile>> {
        let text = private_file::read(&self.file).map_err(|error| self.unreadable(&error))?;
        Ok(text.and_then(|text| KubeconfigFile::parse(&text).ok()).filter(|held| held.server().is_some()))
    }

    /// Keeps a kubeconfig, mode 0600, as a whole.
    pub(super) fn keep(&self, config: &KubeconfigFile) -> ClientResult<()> {
        let doing = "keeping the kubeconfig";
        let text = config.text().map_err(|error| unusable(doing, &error))?;
        private_file::write(&self.file, text.expose().as_bytes()).map_err(|error| {
            let happened = format!("{} cannot be written: {error}", self.file.display());
            ClientError::new("kube", doing)
                .happened(happened)
                .attempt("free some space, or choose another folder with `--state DIR`")
        })
    }

    fn unreadable(&self, error: &std::io::Error) -> ClientError {
        let happened = format!("{} cannot be read: {error}", self.file.display());
        ClientError::new("kube", "reading the kubeconfig")
            .happened(happened)
            .attempt("give plinth's user the right to read it")
    }

    /// A call over the kubeconfig that is held.
    pub(super) async fn call<'a>(&'a self, ctx: &'a Context, doing: impl Into<String>) -> ClientResult<Call<'a>> {
        let doing = doing.into();
        let Some(held) = self.held()? else {
            return Err(ClientError::new("kube", doing)
                .happened("there is no kubeconfig yet")
                .attempt("deploy Kubernetes first"));
        };
        self.call_with(ctx, doing, &held).await
    }

    /// A call over this kubeconfig.
    pub(super) async fn call_with<'a>(
        &'a self,
        ctx: &'a Context,
        doing: impl Into<String>,
        config: &KubeconfigFile,
    ) -> ClientResult<Call<'a>> {
        let doing = doing.into();
        let link = self.link(&doing, config).await?;
        Ok(Call { api: self, ctx, doing, link })
    }

    async fn link(&self, doing: &str, config: &KubeconfigFile) -> ClientResult<Link> {
        let text = config.text().map_err(|error| unusable(doing, &error))?;
        let digest = Digest::of_bytes(text.expose().as_bytes());
        let known = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|open| (open.config == digest).then(|| open.link.clone()));
        if let Some(link) = known {
            return Ok(link);
        }
        let server = config.server().unwrap_or_default().to_owned();
        let (client, stranger) = client(text.expose(), self.request)
            .await
            .map_err(|why| Failure::new(Cause::Nonsense, why).error(doing, &server))?;
        let link = Link { client, stranger, server, expires: config.expires() };
        let open = Open { config: digest, link: link.clone() };
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
        Ok(link)
    }
}

pub(super) fn unusable(doing: &str, error: &ConfigError) -> ClientError {
    let happened = format!("the kubeconfig cannot be used: {error}");
    ClientError::new("kube", doing)
        .happened(happened)
        .attempt("look at /etc/kubernetes/admin.conf on the control plane")
}

/// Certificates are always verified, and no proxy of the caller's environment stands in between: the address is the site's own.
async fn client(text: &str, request: Duration) -> Result<(Client, Config), &'static str> {
    let parsed = Kubeconfig::from_yaml(text).map_err(|_| "the kubeconfig cannot be read")?;
    let config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|_| "the kubeconfig is not complete")?;
    config.proxy_url = None;
    config.accept_invalid_certs = false;
    config.connect_timeout = Some(deadlines::KUBE_CONNECT.min(request));
    config.write_timeout = Some(request);
    // Reads are tried again here, writes are not.
    config.default_retry = false;
    let mut stranger = config.clone();
    stranger.auth_info = AuthInfo::default();
    let client = seam::client(config).map_err(|_| "the certificate or key in the kubeconfig cannot be used")?;
    Ok((client, stranger))
}

/// What is being done, for its errors, and the connection over which.
pub(super) struct Call<'a> {
    api: &'a KubeApi,
    ctx: &'a Context,
    doing: String,
    link: Link,
}

impl Call<'_> {
    /// Reads; a transient failure is tried again.
    pub(super) async fn read<T, F>(&self, work: impl Fn() -> F + Send + Sync) -> ClientResult<T>
    where
        F: Future<Output = kube::Result<T>> + Send,
        T: Send,
    {
        self.patiently(work).await.map_err(|failure| self.error(failure))
    }

    /// Reads what need not be there, such as a kind of object; none when the API server does not know it.
    pub(super) async fn find<T, F>(&self, work: impl Fn() -> F + Send + Sync) -> ClientResult<Option<T>>
    where
        F: Future<Output = kube::Result<T>> + Send,
        T: Send,
    {
        match self.patiently(work).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if failure.cause == Cause::NotFound => Ok(None),
            Err(failure) => Err(self.error(failure)),
        }
    }

    /// Reads; the caller judges a failure that does not pass.
    pub(super) async fn patiently<T, F>(&self, work: impl Fn() -> F + Send + Sync) -> Result<T, Failure>
    where
        F: Future<Output = kube::Result<T>> + Send,
        T: Send,
    {
        let again = ConstantBuilder::new().with_delay(deadlines::KUBE_BACKOFF).with_max_times(deadlines::KUBE_RETRIES);
        // A server that does not become ready was waited for.
        let passes = |failure: &Failure| failure.transient().is_some() && failure.cause != Cause::NotReady;
        (|| self.attempt(&work)).retry(again).sleep(self.ctx.pause()).when(passes).await
    }

    /// Writes; never a second time what may have been done.
    pub(super) async fn write<T, F>(&self, work: impl Fn() -> F + Send + Sync) -> ClientResult<T>
    where
        F: Future<Output = kube::Result<T>> + Send,
        T: Send,
    {
        self.attempt(work).await.map_err(|failure| self.error(failure))
    }

    /// Asks once; the caller judges a failure. A refusal counts once the API server was ready before it was asked, and after: one
    /// that has just started does not know its users' rights yet, nor the kinds that were added to it. No other way leads to a request.
    pub(super) async fn attempt<T, F>(&self, work: impl Fn() -> F + Send + Sync) -> Result<T, Failure>
    where
        F: Future<Output = kube::Result<T>> + Send,
        T: Send,
    {
        let (until, mut ready_at) = (self.patience(), None::<Duration>);
        loop {
            let failure = match self.once(work()).await {
                Err(failure) if failure.is_refusal() => failure,
                other => return other,
            };
            let ready = self.readiness(until).await;
            let now = self.ctx().clock().elapsed();
            // It was ready before and is so now, and has not been started again in between.
            let is_steady = |at: Duration| now.saturating_sub(at) < deadlines::KUBE_RESTARTS;
            match ready {
                Readiness::Untold => return Err(failure),
                Readiness::Is if now > until || ready_at.is_some_and(is_steady) => return Err(failure),
                Readiness::Is | Readiness::Became if now <= until => ready_at = Some(now),
                Readiness::Is | Readiness::Became | Readiness::IsNot => {
                    return Err(Failure::not_ready(&failure.happened));
                }
            }
        }
    }

    /// Reads an object, changes it and writes it back; from the beginning when somebody else changed it meanwhile.
    pub(super) async fn change<F>(&self, work: impl Fn() -> F + Send + Sync) -> ClientResult<()>
    where
        F: Future<Output = Result<(), Failure>> + Send,
    {
        let again = ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(deadlines::KUBE_CONFLICTS);
        let changed = |failure: &Failure| failure.cause == Cause::Conflict;
        work.retry(again).sleep(self.ctx.pause()).when(changed).await.map_err(|failure| self.error(failure))
    }

    pub(super) fn client(&self) -> Client {
        self.link.client.clone()
    }

    /// A client that the server does not know.
    pub(super) fn stranger(&self) -> Option<Client> {
        seam::client(self.link.stranger.clone()).ok()
    }

    pub(super) fn server(&self) -> &str {
        &self.link.server
    }

    pub(super) const fn ctx(&self) -> &Context {
        self.ctx
    }

    pub(super) const fn site(&self) -> &SiteName {
        self.api.site()
    }

    /// What the API server says of itself. A refusal of that is judged by whoever waits for it.
    pub(super) async fn said_of_itself(
        &self,
        question: impl Future<Output = kube::Result<Vec<String>>>,
    ) -> Result<Vec<String>, Failure> {
        self.once(question).await
    }

    /// One request, whose refusal may not be the last word: see [`Self::attempt`].
    async fn once<T>(&self, work: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
        match timeout(self.api.request, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.dated(Failure::from(&error))),
            Err(_) => Err(Failure::late(self.api.request.as_secs_f32())),
        }
    }

    /// The API server does not say that it is the date that it refuses.
    fn dated(&self, failure: Failure) -> Failure {
        match self.link.expires {
            Some(expires) if failure.cause == Cause::Unauthorized && expires <= self.ctx.clock().now() => {
                Failure::new(Cause::Unauthorized, format!("our certificate in the kubeconfig expired at {expires}"))
            }
            _ => failure,
        }
    }

    /// An error of this call, without secrets.
    pub(super) fn error(&self, failure: Failure) -> ClientError {
        let happened = self.api.secrets.redact(&failure.happened);
        Failure { happened, ..failure }.error(&self.doing, &self.link.server)
    }

    /// An error that says something else than the API server does.
    pub(super) fn fails(&self, happened: impl Into<String>, attempt: impl Into<String>) -> ClientError {
        ClientError::new("kube", self.doing.clone()).happened(happened).attempt(attempt)
    }
}
