//! Simulated Helm.

use super::kube::has_namespace;
use super::model::{Role, admits, control_plane_is_up, release as release_of, works};
use super::{Call, watch};
use crate::data_centre::{DataCentre, later};
use crate::faults::{FaultKind, ReleaseFault};
use crate::timing;
use crate::world::{Effect, Installed, State};
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::run::CommandFailure;
use plinth_model::steps::Release;
use plinth_model::{ReleaseName, Secret, SecretRef, amount};
use plinth_world::helm::{DEPLOYED, Drift, HelmClient, ReleaseState, value_differences};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

const CLIENT: &str = "helm";
/// Seconds after which a failing hook or a failing workload is given up.
const GIVES_UP: f64 = 40.0;

pub(crate) struct SimHelm {
    pub(crate) centre: Arc<DataCentre>,
    pub(crate) secrets: Arc<dyn Secrets>,
}

/// Why a release does not come up.
enum Trouble {
    /// helm gives up at once.
    Refused(String),
    /// helm waits until its time is up.
    Stuck(String),
}

fn chart(release: &Release) -> &str {
    release.chart.rsplit('/').next().unwrap_or(&release.chart)
}

fn domain(values: &Value) -> Option<String> {
    values.pointer("/global/domain").and_then(Value::as_str).map(str::to_owned)
}

fn has_secret(state: &State, namespace: &str, class: &str) -> bool {
    let inside = format!("{namespace}/");
    state.cluster.secrets.iter().any(|(key, secret)| key.starts_with(&inside) && secret.class == class)
}

/// Whether a cluster part signs in at a control plane that is not on its cluster. That one answers whatever stands here, and the images of the
/// vendor's service are public.
fn is_registered_elsewhere(release: &Release) -> bool {
    let url = |path: &str| release.values.pointer(path).and_then(Value::as_str);
    matches!((url("/controlPlane/url"), url("/cluster/url")), (Some(there), Some(here)) if there != here)
}

/// What the cluster holds against a release.
fn trouble(state: &State, now: Timestamp, release: &Release) -> Option<Trouble> {
    let role = Role::of(&release.component, chart(release));
    let level = state.cluster.namespaces.get(&release.namespace).copied();
    if !admits(level, role.level()) {
        let needed = serde_json::to_value(role.level()).unwrap_or_default();
        let text = format!("pods are forbidden: violates PodSecurity, they need the level {needed}");
        return Some(Trouble::Stuck(text));
    }
    if !state.cluster.members.values().any(|member| member.ready_at.is_some_and(|at| at <= now)) {
        return Some(Trouble::Stuck("pods are Pending: no node is Ready".to_owned()));
    }
    let mirrored = release.values.pointer("/global/image/registry").is_some_and(Value::is_string);
    // The open-source artefacts of 3.0 ask for no login.
    let open = release.login.is_none() && release.repository.ends_with("/runai-oss");
    let private = !mirrored && !open && !is_registered_elsewhere(release);
    if role.needs_pull_secret() && private && !has_secret(state, &release.namespace, "registry-login") {
        return Some(Trouble::Stuck(format!("ImagePullBackOff: no pull secret in {}", release.namespace)));
    }
    match role {
        Role::ControlPlane if !works(state, Role::LocalStorage, now) => {
            Some(Trouble::Stuck("the claims of PostgreSQL are Pending: no default storage class".to_owned()))
        }
        Role::ClusterPart => hook_trouble(state, now, release).map(|text| {
            Trouble::Refused(format!("failed pre-install: job pre-install failed: BackoffLimitExceeded: {text}"))
        }),
        _ => None,
    }
}

/// What the pre-install hook of the cluster part finds wrong. It asks the control plane for its version, by name, with the
/// authority it was given, and looks for the DCGM exporter and the Prometheus operator.
fn hook_trouble(state: &State, now: Timestamp, release: &Release) -> Option<String> {
    let named = release_of(state, Role::ControlPlane).and_then(|release| release.domain.clone());
    let resolves = named.as_ref().map_or(!state.cluster.dns.is_empty(), |name| state.cluster.dns.contains_key(name));
    let private = release.values.pointer("/global/customCA/enabled") == Some(&Value::Bool(true));
    let elsewhere = is_registered_elsewhere(release);
    if !elsewhere && !resolves {
        Some(format!("lookup {}: no such host", named.unwrap_or_else(|| "of the control plane".to_owned())))
    } else if !elsewhere && !control_plane_is_up(state, now) {
        Some("the control plane answers 503".to_owned())
    } else if private && !has_secret(state, &release.namespace, "authority") {
        Some("x509: certificate signed by unknown authority".to_owned())
    } else if state.runai.credentials.is_none() {
        Some("401: the cluster is not registered".to_owned())
    } else if !works(state, Role::GpuOperator, now) {
        Some("dcgm-exporter service not found".to_owned())
    } else if !works(state, Role::Monitoring, now) {
        Some("Prometheus operator not found".to_owned())
    } else {
        None
    }
}

/// As the real client tells them. The same reference is the same secret.
fn differences(there: &Installed, release: &Release) -> Vec<String> {
    let mut lines = Vec::new();
    if !release.version.takes(&there.version) {
        lines.push(format!("~ version {} → {}", there.version.bare(), release.version));
    }
    if there.status != DEPLOYED {
        lines.push(format!("~ status {} → {DEPLOYED}", there.status));
    }
    let values = there.values.replaced(&mut |reference| reference.to_string().into());
    let lookup = &mut |reference: &SecretRef| Ok::<_, Infallible>(Secret::new(reference.to_string()));
    match value_differences(&values, &release.values, lookup) {
        Ok(values) => lines.extend(values),
        Err(never) => match never {},
    }
    lines
}

/// What somebody changed in the objects of a release.
fn edited(state: &State, release: &Release) -> Vec<String> {
    let key = format!("{}/{}", release.namespace, release.release);
    state.cluster.edited.get(&key).cloned().unwrap_or_default()
}

fn unreachable(call: &Call) -> ClientError {
    call.fails("Kubernetes cluster unreachable: there is no kubeconfig", "deploy Kubernetes first")
}

fn as_state(release: &Installed) -> ReleaseState {
    ReleaseState {
        version: release.version.without_v(),
        status: release.status.clone(),
        revision: release.revision,
        since: release.since,
        first_deployed: Some(release.first_deployed),
    }
}

/// As the real client tells it.
fn unlike(newest: &Installed, goal: &Installed) -> Vec<String> {
    let mut lines = Vec::new();
    if newest.version != goal.version {
        lines.push(format!("~ version {} → {}", newest.version.bare(), goal.version.bare()));
    }
    if newest.status != DEPLOYED {
        lines.push(format!("~ status {} → {DEPLOYED}", newest.status));
    }
    if newest.values != goal.values {
        lines.push("~ values as they were".to_owned());
    }
    lines
}

impl SimHelm {
    /// All revisions, oldest first.
    fn revisions(&self, call: &Call, release: &ReleaseName) -> ClientResult<Vec<Installed>> {
        let key = release.to_string();
        self.centre.look(|state, _| {
            if state.cluster.kubeconfig.is_none() {
                return Err(unreachable(call));
            }
            let earlier = state.cluster.history.get(&key).into_iter().flatten();
            Ok(earlier.chain(state.cluster.releases.get(&key)).cloned().collect())
        })?
    }

    /// The newest revision, and one to go back to.
    fn both(&self, call: &Call, release: &ReleaseName, revision: u32) -> ClientResult<(Installed, Installed)> {
        let all = self.revisions(call, release)?;
        let goal = all.iter().find(|one| one.revision == revision && as_state(one).worked()).cloned();
        let refused = || {
            let happened = format!("helm remembers no revision {revision} of {release} that worked");
            call.fails(happened, "name one that worked")
        };
        all.last().cloned().zip(goal).ok_or_else(refused)
    }

    fn call(doing: &str, namespace: &str, name: &str) -> Call {
        Call::new(CLIENT, format!("{doing} release {namespace}/{name}"))
    }

    /// Refuses what helm refuses before it changes anything.
    fn prepare(&self, call: &Call, release: &Release) -> ClientResult<()> {
        let (cluster, namespace) = self
            .centre
            .look(|state, _| (state.cluster.kubeconfig.is_some(), has_namespace(state, &release.namespace)))?;
        if !cluster {
            return Err(unreachable(call));
        }
        if !namespace {
            return Err(
                call.fails(format!("namespaces \"{}\" not found", release.namespace), "make the namespace first")
            );
        }
        if let Some(login) = &release.login {
            call.secret(&*self.secrets, &login.password)?;
        }
        let lookup = &mut |reference: &SecretRef| call.secret(&*self.secrets, reference);
        release.values.resolve(lookup).map(drop).map_err(|unresolved| unresolved.error)
    }

    /// As the real client does where objects alone are otherwise.
    fn put_right(&self, release: &Release) -> ClientResult<Vec<String>> {
        let lines = self.centre.look(|state, _| edited(state, release))?;
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let (namespace, name) = (release.namespace.clone(), release.release.clone());
        self.centre.effect(Effect::ObjectsEdited { namespace, name, lines: Vec::new() })?;
        Ok(vec![format!("{} that somebody changed or removed put right", amount(lines.len(), "object"))])
    }

    fn scripted(&self, release: &Release, wanted: ReleaseFault) -> ClientResult<bool> {
        self.centre.strikes(|kind| match kind {
            FaultKind::Release { name, fault } => {
                *fault == wanted && (*name == release.release || *name == release.component)
            }
            _ => false,
        })
    }

    fn find_trouble(&self, release: &Release) -> ClientResult<Option<Trouble>> {
        if self.scripted(release, ReleaseFault::Timeout)? {
            return Ok(Some(Trouble::Stuck("0/1 pods are ready".to_owned())));
        }
        if self.scripted(release, ReleaseFault::Fails)? {
            return Ok(Some(Trouble::Refused("a workload exceeded its progress deadline".to_owned())));
        }
        self.centre.look(|state, now| trouble(state, now, release))
    }

    fn end(&self, release: &Release, worked: bool) -> ClientResult<()> {
        let role = Role::of(&release.component, chart(release));
        let timing = self.centre.timing;
        let healthy_at =
            worked.then(|| self.centre.after(timing.around("release-health", &release.release, role.seconds().1)));
        let answers_at = healthy_at.and_then(|healthy| match role {
            Role::ControlPlane => {
                Some(later(healthy, timing.around("keycloak", &release.release, timing::KEYCLOAK_UP)))
            }
            Role::ClusterPart => {
                Some(later(healthy, timing.around("connects", &release.release, timing::RUNAI_CONNECTS)))
            }
            _ => None,
        });
        // The simulated index has exactly one version of a line such as `~2.21.0`: its first.
        let installed = Installed {
            component: release.component.clone(),
            chart: chart(release).to_owned(),
            version: release.version.version().clone(),
            values: release.values.clone(),
            status: if worked { DEPLOYED } else { "failed" }.to_owned(),
            revision: 0,
            since: Timestamp::UNIX_EPOCH,
            first_deployed: Timestamp::UNIX_EPOCH,
            healthy_at,
            answers_at,
            domain: domain(&release.values),
            health: release.health.clone(),
        };
        let (namespace, name) = (release.namespace.clone(), release.release.clone());
        self.centre.effect(Effect::ReleaseEnded { namespace, name, release: Box::new(installed) })
    }

    async fn give_up(&self, ctx: &Context, call: &Call, release: &Release, trouble: Trouble) -> ClientError {
        let error = match trouble {
            Trouble::Refused(text) => {
                self.centre.spend("release-fails", &release.release, GIVES_UP).await;
                let said = [format!("Error: {text}")];
                let command = format!("helm upgrade {} --namespace {}", release.release, release.namespace);
                let failure = CommandFailure { exit: Some(1), ..CommandFailure::of(command, &said) };
                call.fails(text, "look at what the message names, fix it, then run again").failure(failure)
            }
            Trouble::Stuck(text) => {
                ctx.progress(0, 0, text.clone());
                self.centre.wait(Duration::from_secs(u64::from(release.timeout_s))).await;
                call.fails(
                    format!("context deadline exceeded after {} s: {text}", release.timeout_s),
                    format!(
                        "look at the pods: `kubectl --namespace {0} get pods`, `kubectl --namespace {0} get events`; then run again",
                        release.namespace
                    ),
                )
            }
        };
        self.end(release, false).err().unwrap_or(error)
    }
}

#[async_trait]
impl HelmClient for SimHelm {
    async fn release(&self, _: &Context, namespace: &str, name: &str) -> ClientResult<Option<ReleaseState>> {
        let call = Self::call("looking at", namespace, name);
        self.centre.spend("helm-read", name, timing::HELM_READ).await;
        self.centre.look(|state, _| {
            if state.cluster.kubeconfig.is_none() {
                return Err(unreachable(&call));
            }
            let found = state.cluster.releases.get(&format!("{namespace}/{name}"));
            Ok(found.map(as_state))
        })?
    }

    async fn differences(&self, _: &Context, release: &Release) -> ClientResult<Vec<String>> {
        let call = Self::call("comparing", &release.namespace, &release.release);
        self.centre.spend("helm-read", &release.release, timing::HELM_READ).await;
        let key = format!("{}/{}", release.namespace, release.release);
        self.centre.look(|state, _| {
            if state.cluster.kubeconfig.is_none() {
                return Err(unreachable(&call));
            }
            Ok(match state.cluster.releases.get(&key) {
                Some(there) => differences(there, release),
                None => vec![format!("+ release {key} {}", release.version)],
            })
        })?
    }

    async fn drift(&self, _: &Context, release: &Release) -> ClientResult<Drift> {
        let call = Self::call("looking at the objects of", &release.namespace, &release.release);
        self.centre.look(|state, _| {
            if state.cluster.kubeconfig.is_none() {
                return Err(unreachable(&call));
            }
            Ok(Drift { lines: edited(state, release), ..Drift::default() })
        })?
    }

    async fn upgrade(&self, ctx: &Context, release: &Release) -> ClientResult<Vec<String>> {
        let call = Self::call("installing", &release.namespace, &release.release);
        self.prepare(&call, release)?;
        let key = format!("{}/{}", release.namespace, release.release);
        let same = self.centre.look(|state, _| {
            let there = state.cluster.releases.get(&key);
            there.is_some_and(|there| differences(there, release).is_empty() && there.health == release.health)
        })?;
        if same {
            self.centre.spend("helm-unchanged", &release.release, timing::HELM_UNCHANGED).await;
            return self.put_right(release);
        }
        self.centre.effect(Effect::ReleaseBegun {
            namespace: release.namespace.clone(),
            name: release.release.clone(),
            chart: chart(release).to_owned(),
            version: release.version.version().clone(),
            component: release.component.clone(),
        })?;
        if let Some(trouble) = self.find_trouble(release)? {
            return Err(self.give_up(ctx, &call, release, trouble).await);
        }
        let role = Role::of(&release.component, chart(release));
        let whole = self.centre.timing.around("release", &release.release, role.seconds().0);
        for part in 0..4 {
            let waits = watch::pulls(&release.release, chart(release), release.version.version().as_str());
            ctx.progress(part, 4, format!("helm upgrade --install {}; {waits}", release.release));
            self.centre.wait(whole / 4).await;
        }
        self.end(release, true).map(|()| Vec::new())
    }

    async fn history(&self, _: &Context, release: &ReleaseName) -> ClientResult<Vec<ReleaseState>> {
        let call = Self::call("reading the history of", &release.namespace, &release.name);
        self.centre.spend("helm-read", &release.name, timing::HELM_READ).await;
        Ok(self.revisions(&call, release)?.iter().map(as_state).collect())
    }

    async fn differences_to_revision(
        &self,
        _: &Context,
        release: &ReleaseName,
        revision: u32,
    ) -> ClientResult<Vec<String>> {
        let call = Self::call("comparing", &release.namespace, &release.name);
        self.centre.spend("helm-read", &release.name, timing::HELM_READ).await;
        let (newest, goal) = self.both(&call, release, revision)?;
        Ok(unlike(&newest, &goal))
    }

    async fn rollback(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        revision: u32,
        _: Duration,
    ) -> ClientResult<Vec<String>> {
        let ReleaseName { namespace, name } = release;
        let call = Self::call("rolling back", namespace, name);
        let (newest, goal) = self.both(&call, release, revision)?;
        if unlike(&newest, &goal).is_empty() {
            return Ok(Vec::new());
        }
        let (helm, health) = Role::of_installed(&goal).seconds();
        ctx.progress(0, 0, format!("helm rollback {name}; {}", watch::pulls(name, &goal.chart, goal.version.as_str())));
        self.centre.spend("release", name, helm).await;
        let healthy_at = self.centre.after(self.centre.timing.around("release-health", name, health));
        let (namespace, name) = (namespace.clone(), name.clone());
        self.centre.effect(Effect::ReleaseRolledBack { namespace, name, to: revision, healthy_at })?;
        Ok(Vec::new())
    }

    async fn uninstall(&self, ctx: &Context, release: &ReleaseName, _: Duration) -> ClientResult<()> {
        let ReleaseName { namespace, name } = release;
        let call = Self::call("uninstalling", namespace, name);
        let key = format!("{namespace}/{name}");
        let (cluster, there) = self
            .centre
            .look(|state, _| (state.cluster.kubeconfig.is_some(), state.cluster.releases.contains_key(&key)))?;
        if !cluster {
            return Err(unreachable(&call));
        }
        if !there {
            return Ok(());
        }
        ctx.progress(0, 0, format!("waiting for the pods of {name} to end"));
        self.centre.spend("helm-uninstall", name, timing::HELM_UNINSTALL).await;
        let is_control_plane = |state: &State, _| {
            state.cluster.releases.get(&key).is_some_and(|there| Role::of_installed(there) == Role::ControlPlane)
        };
        if self.centre.look(is_control_plane)? {
            self.centre.effect(Effect::ControlPlaneLost)?;
        }
        self.centre.effect(Effect::ReleaseRemoved { namespace: namespace.clone(), name: name.clone() })
    }
}
