//! Looking at what components would bring, before anything of it is in the cluster: manifests are rendered on this machine, and judged.

use super::{Depth, Discovered, Observation, Operation, values};
use crate::failure::Failure;
use crate::goal::Goal;
use crate::state;
use crate::world::OpenWorld;
use futures::stream::{FuturesUnordered, StreamExt as _};
use plinth_kube::KubeApi;
use plinth_model::facts::NodeFacts;
use plinth_model::finding::code;
use plinth_model::steps::{HelmRelease, Release};
use plinth_model::{Finding, NodeName, Plan, ReleaseName, Step, Work};
use plinth_plan::manifests::{self, Content, Manifests, Port, Protocol, Seen, Surroundings, TakenPort};
use plinth_plan::{Observed, StepObservation};
use plinth_run::StepEnv;
use plinth_site::desired::Engine;
use plinth_world::helm::{ManifestRenderer, Rendered, Rendering};
use plinth_world::{ClientError, ClientResult, Context};
use std::collections::{BTreeMap, BTreeSet};

/// Charts that are rendered at once: each is a program of its own that uses one processor for a moment.
const AT_ONCE: usize = 4;

/// What a look may do.
#[derive(Clone, Copy, Debug)]
struct May {
    /// Fetch packages that are not here.
    fetch: bool,
    ask_cluster: bool,
}

/// What came of rendering.
#[derive(Debug, Default)]
struct Looked {
    all: Vec<Manifests>,
    /// What helm or a chart refuses.
    findings: Vec<Finding>,
    /// Components that were not looked at, by why.
    not_checked: BTreeMap<String, Vec<String>>,
}

impl Operation<'_> {
    /// What is wrong or doubtful with the manifests of the releases that the site's plan would install or change. Packages that are not
    /// here are fetched if `fetch` says so; helm is not.
    ///
    /// # Errors
    /// When the journal cannot be read. A chart that cannot be rendered is a finding.
    pub async fn check_manifests(
        &self,
        discovered: &Discovered,
        facts: &BTreeMap<NodeName, NodeFacts>,
        fetch: bool,
    ) -> Result<Vec<Finding>, Failure> {
        // With what earlier runs brought: what leaves is in the plan then.
        let mut observed = Observed { facts: facts.clone(), ..self.remembered(discovered.inventory.clone())? };
        // A site that cannot be planned is told so by `check_sources` and by `plinth plan`.
        let Ok(plan) = self.draft(&mut observed) else { return Ok(Vec::new()) };
        let done = state::done_before(&self.directory, &plan, self.world.is_rehearsal())?;
        let may = May { fetch: fetch && !self.skips_source_check, ask_cluster: true };
        self.look_at_manifests(&plan, &observed, |step| !done.contains_key(&step.id), may).await
    }

    /// The same with what was seen of a site, for a plan of it.
    pub(super) async fn observe_manifests(&self, seen: &Observation, depth: Depth) -> Result<Vec<Finding>, Failure> {
        if !matches!(self.goal, Goal::Site) {
            return Ok(Vec::new());
        }
        let Observation { draft, observed, .. } = seen;
        let may = May { fetch: depth >= Depth::Steps && !self.skips_source_check, ask_cluster: depth >= Depth::Nodes };
        if depth >= Depth::Nodes {
            let is_pending = |step: &Step| !matches!(observed.steps.get(&step.id), Some(StepObservation::Done));
            return self.look_at_manifests(draft, observed, is_pending, may).await;
        }
        let done = state::done_before(&self.directory, draft, self.world.is_rehearsal())?;
        self.look_at_manifests(draft, observed, |step| !done.contains_key(&step.id), may).await
    }

    async fn look_at_manifests(
        &self,
        plan: &Plan,
        observed: &Observed,
        pending: impl Fn(&Step) -> bool,
        may: May,
    ) -> Result<Vec<Finding>, Failure> {
        let releases: Vec<&Release> =
            plan.steps.iter().filter(|step| pending(step)).filter_map(|step| release(&step.work)).collect();
        if releases.is_empty() {
            return Ok(Vec::new());
        }
        let names = releases.iter().map(|release| release.component.clone());
        let around = Surroundings::of(&self.desired, observed, &self.input.catalog, plan).with_pending(names);
        let (renderer, ctx) = self.world.renderer(&self.desired)?;
        // Clients of the cluster come with those of BCM, whose secrets a plan alone need not get.
        let env = if may.ask_cluster || self.world.is_rehearsal() { Some(self.env()?) } else { None };
        let work = async {
            let mut looked = Looked::default();
            let mut seen = self.cluster_before(env.as_ref(), &mut looked).await;
            let render = Render { renderer: &*renderer, ctx: &ctx, around: &around, may_fetch: may.fetch };
            render.all(&releases, &seen, &mut looked).await;
            let of_site = (&self.desired, &self.input.catalog, plan);
            looked.findings.extend(values::unknown(of_site, &releases, (&*renderer, &ctx, may.fetch)).await);
            if let (Seen::Cluster(content), Some(env)) = (&mut seen, &env)
                && let Err(error) = fill(env, &looked.all, content).await
            {
                looked.skip("the cluster", &error.happened);
                seen = Seen::NotLookedAt;
            }
            (looked, seen)
        };
        let work = self.world.drive(work, false);
        let (looked, seen) = self.named(work, || "the manifests of the platform".to_owned()).await;
        tracing::info!(rendered = looked.all.len(), "looked at manifests");
        let mut findings = looked.findings;
        findings.extend(manifests::judge(&looked.all, &around, &seen));
        findings.extend(not_checked(looked.not_checked));
        Ok(findings)
    }

    /// The cluster as it is before: with the kinds that it serves, which charts ask for.
    async fn cluster_before(&self, env: Option<&StepEnv>, looked: &mut Looked) -> Seen {
        if !self.has_cluster(env).await {
            let none_yet = self.desired.kubernetes.engine != Engine::Existing;
            return if none_yet { Seen::NoCluster } else { Seen::NotLookedAt };
        }
        let Some(env) = env else { return Seen::NotLookedAt };
        match env.clients.kube.further_kinds(&env.ctx).await {
            Ok(kinds) => Seen::Cluster(Content { kinds: kinds.into_iter().collect(), ..Content::default() }),
            Err(error) => {
                looked.skip("the cluster", &error.happened);
                Seen::NotLookedAt
            }
        }
    }

    /// Whether a kubeconfig is held. Nobody of the real world is asked for it.
    async fn has_cluster(&self, env: Option<&StepEnv>) -> bool {
        match (&self.world, env) {
            (OpenWorld::Simulated(_), Some(env)) => {
                matches!(env.clients.kube.kubeconfig(&env.ctx).await, Ok(Some(_)))
            }
            _ => KubeApi::kept_in(&self.directory).is_file(),
        }
    }
}

impl Looked {
    fn take(&mut self, release: &Release, answer: ClientResult<Rendered>) {
        match answer {
            Ok(Rendered::Refused { by_schema, lines }) => self.findings.push(refused(release, by_schema, lines)),
            Ok(Rendered::NotHere(why)) => self.skip(&release.component, &why),
            Ok(rendered) => self.all.extend(manifests_of(release, rendered)),
            Err(error) => self.skip(&release.component, &error.happened),
        }
    }

    fn skip(&mut self, what: &str, why: &str) {
        self.not_checked.entry(why.to_owned()).or_default().push(what.to_owned());
    }
}

fn release(work: &Work) -> Option<&Release> {
    match work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some(release),
        _ => None,
    }
}

/// How manifests are got.
struct Render<'a> {
    renderer: &'a dyn ManifestRenderer,
    ctx: &'a Context,
    around: &'a Surroundings,
    may_fetch: bool,
}

impl Render<'_> {
    /// Several at a time, each behind those that come before it in the plan: they bring kinds that a chart may ask for. The order of
    /// what is answered is that of the plan.
    async fn all(&self, releases: &[&Release], seen: &Seen, looked: &mut Looked) {
        let mut waiting: BTreeSet<usize> = (0..releases.len()).collect();
        let mut answers: BTreeMap<usize, ClientResult<Rendered>> = BTreeMap::new();
        let mut running = FuturesUnordered::new();
        let mut known: Vec<Manifests> = Vec::new();
        loop {
            let open = |index: usize| !answers.contains_key(&index);
            let is_free = |index: &usize| {
                let Some(release) = releases.get(*index) else { return false };
                let mut others = releases.iter().enumerate().filter(|(other, _)| open(*other));
                !others.any(|(_, other)| self.around.is_before(&other.component, &release.component))
            };
            let room = AT_ONCE.saturating_sub(running.len());
            let begin: Vec<usize> = waiting.iter().filter(|index| is_free(index)).take(room).copied().collect();
            for index in begin {
                waiting.remove(&index);
                let Some(release) = releases.get(index) else { continue };
                let kinds = manifests::kinds_for(&release.component, &known, self.around, seen);
                running.push(self.one(index, release, kinds));
            }
            let Some((index, answer)) = running.next().await else { break };
            if let (Ok(rendered), Some(release)) = (&answer, releases.get(index)) {
                known.extend(manifests_of(release, rendered.clone()));
            }
            answers.insert(index, answer);
        }
        for (index, answer) in answers {
            if let Some(release) = releases.get(index) {
                looked.take(release, answer);
            }
        }
    }

    async fn one(&self, index: usize, release: &Release, kinds: Vec<String>) -> (usize, ClientResult<Rendered>) {
        let how = Rendering { kubernetes: self.around.kubernetes().cloned(), kinds, may_fetch: self.may_fetch };
        (index, self.renderer.render(self.ctx, release, &how).await)
    }
}

/// None: helm made none.
fn manifests_of(release: &Release, rendered: Rendered) -> Option<Manifests> {
    let Rendered::Manifests { objects, definitions } = rendered else { return None };
    Some(Manifests {
        component: release.component.clone(),
        release: ReleaseName { namespace: release.namespace.clone(), name: release.release.clone() },
        objects,
        definitions,
    })
}

/// What the cluster holds of what would come.
async fn fill(env: &StepEnv, all: &[Manifests], content: &mut Content) -> Result<(), ClientError> {
    content.owners = env.clients.kube.owners(&env.ctx, &manifests::asked(all)).await?;
    let ports = env.clients.kube.node_ports(&env.ctx).await?;
    let port = |port: plinth_world::kube::NodePort| {
        let taken = Port { number: port.number, protocol: Protocol::read(Some(&port.protocol)) };
        TakenPort { port: taken, service: port.service, release: port.release }
    };
    content.node_ports = ports.into_iter().map(port).collect();
    Ok(())
}

fn refused(release: &Release, by_schema: bool, lines: Vec<String>) -> Finding {
    let component = &release.component;
    let (finding, fix) = if by_schema {
        let text = format!("the chart of {component} refuses its values");
        let fix = format!("correct what helm names under `platform.components.{component}.values`");
        (Finding::error(code::PLATFORM_VALUES_REFUSED, &**component, text), fix)
    } else {
        let text = format!("helm does not render {component}");
        let fix = format!(
            "correct what helm names under `platform.components.{component}.values`; a chart that looks into the cluster, or checks the form of \
             a secret, may render in the run all the same"
        );
        (Finding::warning(code::PLATFORM_NOT_RENDERED, &**component, text), fix)
    };
    lines.into_iter().fold(finding, Finding::evidence).fix(fix)
}

/// One note for all that was not looked at.
fn not_checked(by_why: BTreeMap<String, Vec<String>>) -> Option<Finding> {
    if by_why.is_empty() {
        return None;
    }
    let text = "manifests of some components were not looked at before the run";
    let finding = Finding::info(code::PLATFORM_MANIFESTS_NOT_CHECKED, "platform.components", text);
    let lines = by_why.into_iter().map(|(why, what)| format!("{}: {why}", what.join(", ")));
    let fix = "nothing has to be done; with helm in PATH, `plinth preflight` fetches the packages and looks at all";
    Some(lines.fold(finding, Finding::evidence).fix(fix))
}
