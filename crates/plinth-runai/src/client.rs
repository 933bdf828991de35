//! The client: what each call asks, and what its answer means.

use crate::failure::{Cause, Failure};
use crate::jwt;
use crate::link::{Body, Link};
use crate::org_unit::OrgUnits;
use crate::register::{self, named};
use crate::session::Session;
use crate::timing::RunaiTiming;
use crate::up;
use crate::wire::{self, Cluster, Discovery, Node, NodePage};
use crate::workload::Workloads;
use async_trait::async_trait;
use plinth_model::Secret;
use plinth_model::steps::{ClusterCredential, OrgUnit, RunaiTarget, cluster_uid};
use plinth_world::keystore::{CertificateFiles, CertificatePart};
use plinth_world::runai::{RunaiClient, RunaiCluster, RunaiOrgUnit, RunaiProject, RunaiTraining, RunaiWorkload};
use plinth_world::secrets::{SecretError, Secrets};
use plinth_world::{ClientResult, Context, deadlines};
use reqwest::Method;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// State of a cluster of which nothing ever arrived.
const WAITING: &str = "WaitingToConnect";
/// State of a cluster that reports.
const CONNECTED: &str = "Connected";
/// Most pages of nodes that are read; a page has at least 50.
const PAGES_MAX: usize = 200;

/// Run:ai over its REST interface. Contacts nobody until it is asked; connections and tokens are kept for as long as it lives, and
/// tokens are never written anywhere.
pub struct RunaiRest {
    certificates: Arc<dyn CertificateFiles>,
    secrets: Arc<dyn Secrets>,
    timing: RunaiTiming,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

impl RunaiRest {
    /// A client that believes kept authorities, and reads and keeps secrets there.
    #[must_use]
    pub fn new(certificates: Arc<dyn CertificateFiles>, secrets: Arc<dyn Secrets>) -> Self {
        Self { certificates, secrets, timing: RunaiTiming::default(), sessions: Mutex::default() }
    }

    /// The same, with other waits.
    #[must_use]
    pub fn timing(self, timing: RunaiTiming) -> Self {
        Self { timing, ..self }
    }

    /// The session with a control plane. A renewed authority makes a new one, and so does another password.
    fn session(&self, target: &RunaiTarget) -> Result<Arc<Session>, Failure> {
        let authority = self.authority(target)?;
        let RunaiTarget { url, address, realm, admin, password, api, .. } = target;
        let here = target.is_here();
        let key = format!("{url} {address:?} {realm} {here} {admin} {password} {api:?} {authority:?}");
        let password = self.secrets.get(password).map_err(|error| Failure::new(Cause::Input, error.to_string()))?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(&key).filter(|session| session.is_with(&password)) {
            return Ok(Arc::clone(session));
        }
        let link = Link::new(target, authority.as_deref(), self.timing, Arc::clone(&self.secrets))?;
        let made = Arc::new(Session::new(link, target, password, self.timing));
        sessions.insert(key, Arc::clone(&made));
        Ok(made)
    }

    fn authority(&self, target: &RunaiTarget) -> Result<Option<String>, Failure> {
        if let Some(text) = &target.authority_text {
            return Ok(Some(text.clone()));
        }
        let Some(name) = &target.authority else { return Ok(None) };
        let read = self.certificates.read(name, CertificatePart::Authority);
        let read = read.map_err(|why| Failure::new(Cause::Input, format!("the kept authority of `{name}`: {why}")))?;
        Ok(Some(read.expose().to_owned()))
    }

    async fn discovery(&self, target: &RunaiTarget, ctx: &Context) -> Result<Option<String>, Failure> {
        let session = self.session(target)?;
        let path = format!("/auth/realms/{}/.well-known/openid-configuration", target.realm);
        let look = || async {
            let answer = session.link.exchange(Method::GET, &path, &Body::Empty, None).await?;
            if answer.is_of_a_stand_in() || answer.lacks_the_realm(target) {
                return Err(Failure::new(Cause::NotUp, format!("HTTP {}", answer.status)));
            }
            match answer.failure(&session.link) {
                Some(failure) => Err(failure),
                None => Ok(answer.decode::<Discovery>()?.issuer),
            }
        };
        match session.patiently(ctx, look).await {
            Ok(issuer) => Ok(Some(issuer)),
            Err(failure) if matches!(failure.cause, Cause::NotUp | Cause::NothingListens) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn list(&self, ctx: &Context, target: &RunaiTarget) -> Result<Vec<RunaiCluster>, Failure> {
        let session = self.session(target)?;
        let mut clusters = Vec::new();
        for cluster in named(&session, ctx, target).await? {
            clusters.push(seen(&session, ctx, target, &cluster).await?);
        }
        Ok(clusters)
    }

    async fn make(&self, ctx: &Context, target: &RunaiTarget) -> Result<RunaiCluster, Failure> {
        let session = self.session(target)?;
        let cluster = register::register(&session, ctx, target, self.timing).await?;
        seen(&session, ctx, target, &cluster).await
    }

    /// The credential first and the id last, since the id says whose credential it is: whoever is killed in between starts over.
    async fn keep(&self, ctx: &Context, target: &RunaiTarget, uuid: &str) -> Result<Option<String>, Failure> {
        let (session, uuid) = (self.session(target)?, parsed(uuid)?);
        let mut path = path(&target.api.credentials, target, uuid);
        if let Some(cluster) = &target.cluster_url {
            path.push_str("&remoteClusterUrl=");
            path.push_str(cluster);
        }
        let kind = target.api.credential;
        let read = || async {
            let info: Value = session.call(ctx, Method::GET, &path, &Body::Empty).await?.decode()?;
            let credential = wire::credential(&info, uuid, kind, target.is_here())?;
            Ok((credential, wire::charts(&info)))
        };
        let ((kind, credential), charts) = session.patiently(ctx, read).await?;
        let credential = Secret::new(credential);
        let done = |kept: Result<(), SecretError>| kept.map_err(|error| Failure::new(Cause::Input, error.to_string()));
        done(self.secrets.forget(&kind.other().kept()))?;
        done(self.secrets.keep(&kind.kept(), &credential))?;
        done(self.secrets.keep(&cluster_uid(), &Secret::new(uuid.to_string())))?;
        Ok(charts.map(|place| session.link.quote(&place)))
    }

    async fn kept(&self, ctx: &Context, target: &RunaiTarget, uuid: &str) -> Result<bool, Failure> {
        let Ok(kept) = self.secrets.get(&cluster_uid()) else { return Ok(false) };
        let Some((kind, credential)) = self.kept_credential(target) else { return Ok(false) };
        if kept.expose() != uuid {
            return Ok(false);
        }
        if kind == ClusterCredential::ClientSecret || lasts(ctx, &credential) {
            return Ok(true);
        }
        // It has served when the cluster was there once.
        let session = self.session(target)?;
        let clusters = named(&session, ctx, target).await?;
        Ok(clusters.iter().any(|cluster| cluster.uuid.to_string() == uuid && cluster.state() != WAITING))
    }
}

impl RunaiRest {
    /// The kept credential: of the kind that the release gives, or of either for a control plane elsewhere.
    fn kept_credential(&self, target: &RunaiTarget) -> Option<(ClusterCredential, Secret)> {
        let wanted = target.api.credential;
        let other = (!target.is_here()).then(|| wanted.other());
        let kept = |kind: ClusterCredential| Some((kind, self.secrets.get(&kind.kept()).ok()?));
        std::iter::once(wanted).chain(other).find_map(kept)
    }
}

/// Whether a token is valid for as long as a first contact needs. One that does not say lasts.
fn lasts(ctx: &Context, token: &Secret) -> bool {
    let Some(end) = jwt::claim(token.expose(), "exp").and_then(|exp| exp.as_i64()) else { return true };
    let needed = i64::try_from(deadlines::RUNAI_BOOTSTRAP_LEFT.as_secs()).unwrap_or(i64::MAX);
    end.saturating_sub(ctx.clock().now().as_second()) > needed
}

fn parsed(uuid: &str) -> Result<Uuid, Failure> {
    uuid.parse().map_err(|_| Failure::new(Cause::BadAnswer, "the id of the cluster is no UUID"))
}

fn path(template: &str, target: &RunaiTarget, uuid: Uuid) -> String {
    template.replace("{uuid}", &uuid.to_string()).replace("{version}", target.version.bare())
}

/// A cluster with what is behind it: the nodes are asked for only when they can be there.
async fn seen(
    session: &Session,
    ctx: &Context,
    target: &RunaiTarget,
    cluster: &Cluster,
) -> Result<RunaiCluster, Failure> {
    let gpu_nodes = match cluster.state() {
        CONNECTED => gpu_nodes(session, ctx, target, cluster.uuid).await?,
        _ => Some(Vec::new()),
    };
    let quoted = |(name, reason): (String, Option<String>)| {
        let name = session.link.quote(&name);
        reason.map_or_else(|| name.clone(), |reason| format!("{name} ({})", session.link.quote(&reason)))
    };
    Ok(RunaiCluster {
        uuid: cluster.uuid.to_string(),
        state: session.link.quote(cluster.state()),
        missing: cluster.missing().into_iter().map(quoted).collect(),
        reported: cluster.reported().map(|time| session.link.quote(time)),
        unwell: cluster.unwell().iter().map(|line| session.link.quote(line)).collect(),
        gpu_nodes,
    })
}

/// Nodes with GPUs by the first path that the server knows; none when it knows none of them.
async fn gpu_nodes(
    session: &Session,
    ctx: &Context,
    target: &RunaiTarget,
    uuid: Uuid,
) -> Result<Option<Vec<String>>, Failure> {
    for template in &target.api.nodes {
        match nodes_at(session, ctx, &path(template, target, uuid)).await {
            Err(failure) if failure.is_404 => {}
            said => return said.map(Some),
        }
    }
    Ok(None)
}

async fn nodes_at(session: &Session, ctx: &Context, first: &str) -> Result<Vec<String>, Failure> {
    let (mut all, mut place): (Vec<Node>, String) = (Vec::new(), first.to_owned());
    for _ in 0..PAGES_MAX {
        match session.read(ctx, &place).await? {
            NodePage::All(nodes) | NodePage::Page { nodes, next: None } => {
                all.extend(nodes);
                let gpus = all.iter().filter(|node| node.has_gpus());
                return Ok(gpus.map(|node| session.link.quote(&node.name)).collect());
            }
            NodePage::Page { nodes, next: Some(next) } => {
                all.extend(nodes);
                place = format!("{first}{}offset={next}", if first.contains('?') { '&' } else { '?' });
            }
        }
    }
    Err(Failure::new(Cause::BadAnswer, format!("the list of nodes does not end after {PAGES_MAX} pages")))
}

#[async_trait]
impl RunaiClient for RunaiRest {
    async fn issuer(&self, ctx: &Context, target: &RunaiTarget) -> ClientResult<Option<String>> {
        let read = self.discovery(target, ctx).await;
        read.map_err(|failure| failure.into_error("reading the issuer document", &target.url))
    }

    async fn up(&self, ctx: &Context, target: &RunaiTarget, is_new: bool) -> ClientResult<()> {
        // What cannot be read was not seen to be absent: a wrong password would be waited for then.
        let first = match self.secrets.get(&cluster_uid()) {
            Ok(_) => is_new,
            Err(error) if error.is_absent => true,
            Err(error) => {
                let failure = Failure::new(Cause::Input, error.to_string());
                return Err(failure.into_error("looking whether a cluster was registered from here", &target.url));
            }
        };
        let looked = async { up::look(&*self.session(target)?, ctx, target, first).await };
        looked.await.map_err(|failure| {
            let passes = up::may_pass(failure.cause, first);
            let error = failure.into_error("looking whether the control plane is up", &target.url);
            if passes { error.transient(up::COMES) } else { error }
        })
    }

    async fn clusters(&self, ctx: &Context, target: &RunaiTarget) -> ClientResult<Vec<RunaiCluster>> {
        self.list(ctx, target).await.map_err(|failure| failure.into_error("listing clusters", &target.url))
    }

    async fn register(&self, ctx: &Context, target: &RunaiTarget) -> ClientResult<RunaiCluster> {
        let doing = format!("registering cluster {}", target.cluster);
        self.make(ctx, target).await.map_err(|failure| failure.into_error(&doing, &target.url))
    }

    async fn keep_credentials(&self, ctx: &Context, target: &RunaiTarget, uuid: &str) -> ClientResult<Option<String>> {
        let doing = format!("reading the credentials of cluster {}", target.cluster);
        self.keep(ctx, target, uuid).await.map_err(|failure| failure.into_error(&doing, &target.url))
    }

    async fn credentials_kept(&self, ctx: &Context, target: &RunaiTarget, uuid: &str) -> ClientResult<bool> {
        let doing = format!("looking at the credentials of cluster {}", target.cluster);
        self.kept(ctx, target, uuid).await.map_err(|failure| failure.into_error(&doing, &target.url))
    }

    async fn org_unit(
        &self,
        ctx: &Context,
        target: &RunaiTarget,
        uuid: &str,
        unit: &OrgUnit,
    ) -> ClientResult<Option<RunaiOrgUnit>> {
        let read = async { OrgUnits { session: &*self.session(target)?, ctx, target, uuid }.find(unit).await };
        read.await.map_err(|failure: Failure| failure.into_error(&format!("looking for {}", unit.title()), &target.url))
    }

    async fn make_org_unit(
        &self,
        ctx: &Context,
        target: &RunaiTarget,
        uuid: &str,
        unit: &OrgUnit,
    ) -> ClientResult<RunaiOrgUnit> {
        let made = async { OrgUnits { session: &*self.session(target)?, ctx, target, uuid }.make(unit).await };
        made.await.map_err(|failure: Failure| failure.into_error(&format!("making {}", unit.title()), &target.url))
    }

    async fn set_quota(&self, ctx: &Context, target: &RunaiTarget, uuid: &str, unit: &OrgUnit) -> ClientResult<()> {
        let set = async { OrgUnits { session: &*self.session(target)?, ctx, target, uuid }.set_quota(unit).await };
        let doing = format!("setting the quota of {}", unit.title());
        set.await.map_err(|failure: Failure| failure.into_error(&doing, &target.url))
    }

    async fn projects(&self, ctx: &Context, target: &RunaiTarget, uuid: &str) -> ClientResult<Vec<RunaiProject>> {
        let read = async { OrgUnits { session: &*self.session(target)?, ctx, target, uuid }.projects().await };
        read.await.map_err(|failure: Failure| failure.into_error("listing projects", &target.url))
    }

    async fn start_training(
        &self,
        ctx: &Context,
        target: &RunaiTarget,
        place: (&str, &str),
        training: &RunaiTraining,
    ) -> ClientResult<RunaiWorkload> {
        let started =
            async { Workloads { session: &*self.session(target)?, ctx, target }.start(place, training).await };
        let doing = format!("starting training {}", training.name);
        started.await.map_err(|failure: Failure| failure.into_error(&doing, &target.url))
    }

    async fn workloads(
        &self,
        ctx: &Context,
        target: &RunaiTarget,
        project: &str,
        name: &str,
    ) -> ClientResult<Vec<RunaiWorkload>> {
        let read = async { Workloads { session: &*self.session(target)?, ctx, target }.named(project, name).await };
        read.await.map_err(|failure: Failure| failure.into_error("listing workloads", &target.url))
    }

    async fn workload(&self, ctx: &Context, target: &RunaiTarget, id: &str) -> ClientResult<Option<RunaiWorkload>> {
        let read = async { Workloads { session: &*self.session(target)?, ctx, target }.one(id).await };
        read.await.map_err(|failure: Failure| failure.into_error("looking at a workload", &target.url))
    }

    async fn remove_training(&self, ctx: &Context, target: &RunaiTarget, id: &str) -> ClientResult<()> {
        let removed = async { Workloads { session: &*self.session(target)?, ctx, target }.remove(id).await };
        removed.await.map_err(|failure: Failure| failure.into_error("removing a training", &target.url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_step_of_the_registration_has_time_for_all_of_its_calls() {
        let timing = RunaiTiming::default();
        let retries = u32::try_from(timing.retries).unwrap_or(u32::MAX);
        let call = timing.request * (retries + 1) + timing.longest_wait * retries;
        // Token, list, list again, registration, the look that begins at the end of the reading back, credentials.
        let whole = call * 6 + timing.read_back + timing.read_back_pause;
        let granted = Duration::from_secs(u64::from(plinth_model::steps::deadlines::RUNAI_REGISTER));
        assert!(granted >= whole, "{granted:?} of {whole:?}");
    }
}
