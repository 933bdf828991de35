//! Observing: the inventory, the nodes, the steps. As little as is asked for, and nothing twice.

use super::Operation;
use crate::failure::Failure;
use crate::failure::{bug, client_problem};
use crate::goal::Goal;
use crate::input::Input;
use crate::state::{self, facts};
use plinth_model::finding::code;
use plinth_model::inventory::Inventory;
use plinth_model::steps::Removal;
use plinth_model::{EngineRecord, Exit, Finding, NodeName, Plan, Problem, Severity};
use plinth_plan::{Cluster, Discovery, Member, Observed};
use plinth_run::journal::Memory;
use plinth_run::steps::Kinds;
use plinth_run::survey::Survey;
use plinth_run::{Awaited, Checked, Done, Look, LookOptions, RunWorld, Told};
use plinth_site::desired::{Engine, InventorySource};
use plinth_world::{Clock as _, SystemClock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The inventory. What is known of nodes and steps comes from earlier runs.
    Inventory,
    /// The nodes and every step of the plan. Unfit nodes are told, and end nothing.
    Nodes,
    /// The same, for a run: it ends here when more nodes are unfit than may fail.
    Steps,
}

/// What the inventory says, held against the site.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// As BCM, a file or the site file says.
    pub inventory: Inventory,
    /// Who does what, at which address.
    pub discovery: Discovery,
    /// The cluster to be made.
    pub cluster: Cluster,
    /// What stands in the way of making it; plans repeat these.
    pub findings: Vec<Finding>,
}

impl Discovered {
    /// What is wrong or doubtful with the site as a whole; remarks of the discovery are shown by `plinth discover`.
    #[must_use]
    pub fn wrong_with_site(self, input: &Input) -> Vec<Finding> {
        let all = input.site.findings.iter().cloned().chain(self.findings).chain(self.discovery.findings);
        all.filter(|finding| finding.severity != Severity::Info).collect()
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The cluster to be made.
    pub cluster: Cluster,
    /// What checking the nodes told; empty when they were not checked.
    pub checks: Vec<Finding>,
    /// What was seen of the world, for the planner.
    pub(crate) observed: Observed,
    /// The plan as it is without what was seen of its steps.
    pub(crate) draft: Plan,
    /// What is wrong or doubtful with the manifests of releases that would be installed or changed.
    pub(crate) manifests: Vec<Finding>,
    /// Steps that a look just found in the desired state; none: no step was looked at.
    pub(crate) done: Option<Done>,
    /// Nodes that were checked and did not answer.
    silent: BTreeSet<NodeName>,
    /// Nodes that were checked and answered.
    told: BTreeMap<NodeName, Told>,
}

impl Operation<'_> {
    /// Reads the inventory, and says who does what at which address. Starts the machines of a rehearsal.
    ///
    /// # Errors
    /// When the inventory cannot be had.
    pub async fn discover(&mut self) -> Result<Discovered, Failure> {
        let discovered = self.read_inventory().await?;
        self.prepare(&discovered, None)?;
        Ok(discovered)
    }

    /// Makes the world ready for these nodes.
    fn prepare(&mut self, discovered: &Discovered, plan: Option<&Plan>) -> Result<(), Failure> {
        tracing::info!(nodes = discovered.cluster.members.len(), "discovered");
        self.world.prepare(&discovered.inventory, &discovered.discovery, plan)?;
        if self.world.is_rehearsal() {
            self.world.secrets().into_iter().for_each(|secrets| self.audience.guard(secrets));
            self.say_opened()?;
        }
        Ok(())
    }

    pub(super) async fn read_inventory(&self) -> Result<Discovered, Failure> {
        let inventory = match &self.recorded {
            Some(recorded) => recorded.clone(),
            None => self.named(self.world.inventory(&self.desired), || self.inventory_source()).await?,
        };
        let discovery = plinth_plan::discover(&self.desired, &inventory);
        let (mut cluster, findings) = Cluster::new(&self.desired, &discovery);
        cluster.add_role_labels(&self.desired, &self.input.catalog.runai().node_roles);
        Ok(Discovered { inventory, discovery, cluster, findings })
    }

    /// Looks as deep as is asked for. A site that cannot be planned is refused before any node is contacted, and an unfit one before
    /// its steps are looked at.
    ///
    /// # Errors
    /// When the inventory cannot be had, the site cannot be planned, or more nodes are unfit than may fail.
    pub async fn observe(&mut self, depth: Depth) -> Result<Observation, Failure> {
        let mut wrong = Vec::new();
        let seen = self.observe_to(depth, &mut wrong).await;
        if let Err(failure) = &seen
            && depth >= Depth::Steps
        {
            self.keep_refusal(failure, wrong);
        }
        seen
    }

    /// `wrong`: what the nodes are refused for, if that is why it ends.
    async fn observe_to(&mut self, depth: Depth, wrong: &mut Vec<Finding>) -> Result<Observation, Failure> {
        let discovered = self.read_inventory().await?;
        let facts = facts::read(&self.directory)?;
        let mut observed = Observed { facts, ..self.remembered(discovered.inventory.clone())? };
        let mut draft = self.draft(&mut observed)?;
        self.prepare(&discovered, Some(&draft))?;
        if self.desired.kubernetes.version.is_none() {
            observed.engine = self.record().await?;
            // Of thousands of nodes a draft is large: two of them are never there at once.
            drop(draft);
            draft = self.make(&observed)?;
        }
        if depth >= Depth::Nodes && self.see_classes(&mut observed).await? {
            drop(draft);
            draft = self.draft(&mut observed)?;
        }
        if depth >= Depth::Nodes && self.is_unprovisioned(&discovered).await? {
            self.goal = Goal::Removal(Removal::Unprovisioned);
            drop(draft);
            draft = self.make(&observed)?;
        }
        let mut seen = Observation {
            cluster: discovered.cluster,
            checks: Vec::new(),
            observed,
            draft,
            manifests: Vec::new(),
            done: None,
            silent: BTreeSet::new(),
            told: BTreeMap::new(),
        };
        if depth >= Depth::Nodes {
            self.observe_nodes(&mut seen, depth, wrong).await?;
            let look = self.look(&mut seen).await?;
            tracing::info!(steps = look.seen.len(), done = look.done.len(), "looked at the steps");
            self.tell(&look.findings);
            self.nobody_else(&look.findings)?;
            (seen.observed.steps, seen.observed.answers) = (look.seen, look.answers);
            self.demand_sources(&mut seen, depth).await?;
            seen.done = Some(look.done);
        }
        seen.manifests = self.observe_manifests(&seen, depth).await?;
        Ok(seen)
    }

    /// Who is asked for the inventory.
    fn inventory_source(&self) -> String {
        match &self.desired.inventory {
            InventorySource::Bcm(access) => format!("BCM at {}", access.endpoint),
            InventorySource::Static(_) => "the inventory".to_owned(),
        }
    }

    /// An inventory, and what earlier runs left: by the journal under the lock, or as it is read without one.
    pub(super) fn remembered(&self, inventory: Inventory) -> Result<Observed, Problem> {
        let classes = state::classes::read(&self.directory)?;
        let observed = |memory: &Memory| Observed {
            classes,
            installed: memory.installed.clone(),
            labelled: plinth_plan::labelled(memory.steps.keys()),
            took: memory.steps.iter().filter_map(|(step, known)| Some((step.clone(), known.took?))).collect(),
            ..Observed::new(inventory)
        };
        match &self.lock {
            Some(lock) => {
                let lock = lock.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(observed(lock.journal.memory()))
            }
            None => Ok(observed(&state::memory(&self.directory)?)),
        }
    }

    /// Asks a cluster that was there before for its default storage classes; whether they are others than were known. One that does not
    /// answer is no matter of this: the step that takes it over says so, and what was seen before counts.
    async fn see_classes(&self, observed: &mut Observed) -> Result<bool, Failure> {
        let kubernetes = &self.desired.kubernetes;
        let Some(file) = kubernetes.kubeconfig.as_ref().filter(|_| kubernetes.engine == Engine::Existing) else {
            return Ok(false);
        };
        let env = self.env()?;
        let asked = self.world.drive(env.clients.existing.default_classes(&env.ctx, file), false);
        match self.named(asked, || "the storage classes of the cluster".to_owned()).await {
            Ok(seen) if seen == observed.classes => Ok(false),
            Ok(seen) => {
                state::classes::keep(&self.directory, &seen)?;
                observed.classes = seen;
                Ok(true)
            }
            Err(error) => {
                tracing::warn!("the default storage classes were not seen: {}", error.happened);
                Ok(false)
            }
        }
    }

    /// Refuses what needs a cluster while none is known.
    ///
    /// # Errors
    /// When no kubeconfig is held; a cluster that does not answer is no matter of this.
    pub async fn need_cluster(&self) -> Result<(), Failure> {
        let env = self.env()?;
        match env.clients.kube.kubeconfig(&env.ctx).await {
            Ok(None) => Err(Problem::while_doing("looking for the cluster of site")
                .to(&self.desired.name)
                .wrong_input(
                    "this state directory holds no kubeconfig, so plinth made or took over no cluster here yet",
                )
                .try_this("run `plinth apply` first, or name the state directory of the site with `--state DIR`")
                .into()),
            _ => Ok(()),
        }
    }

    /// What runs on the nodes by the site's record: the version of an existing cluster is known from there.
    async fn record(&self) -> Result<Option<EngineRecord>, Failure> {
        let env = self.env()?;
        Ok(env.clients.records.record(&env.ctx).await.map_err(|error| client_problem(&error))?)
    }

    /// Checks the nodes that must be fit. Their facts may lead to another plan: where images go follows from them.
    async fn observe_nodes(
        &mut self,
        seen: &mut Observation,
        depth: Depth,
        wrong: &mut Vec<Finding>,
    ) -> Result<(), Failure> {
        let Some(checked) = self.goal.checked(&seen.cluster) else { return Ok(()) };
        let survey = self.check_nodes(&checked).await?;
        self.audience.checked(&survey.findings);
        let unfit = match self.judge(&survey.findings, &checked) {
            Ok(unfit) => unfit,
            Err(problem) if depth >= Depth::Steps => {
                wrong.extend(survey.findings.into_iter().filter(Finding::is_error));
                return Err(problem.into());
            }
            Err(_) => Vec::new(),
        };
        let is_wrong = |node: &NodeName| survey.findings.iter().any(|f| f.is_error() && f.subject == node.as_str());
        let is_silent = |node: &&NodeName| !survey.facts.contains_key(*node) && is_wrong(node);
        seen.silent = checked.members.iter().map(|member| &member.name).filter(is_silent).cloned().collect();
        self.go_on_without(unfit, seen)?;
        let differs = plinth_plan::places_differ(&self.desired, &seen.cluster, &seen.observed.facts, &survey.facts);
        seen.observed.facts.extend(survey.facts);
        if differs {
            seen.draft = self.make(&seen.observed)?;
        }
        (seen.checks, seen.told) = (survey.findings, survey.told);
        Ok(())
    }

    /// Checks these nodes, and keeps their facts for later. Host keys that were never seen are pinned.
    ///
    /// # Errors
    /// When the lock was not taken, or the facts cannot be kept. A node that does not answer is a finding.
    pub async fn check_nodes(&self, cluster: &Cluster) -> Result<Survey, Failure> {
        if self.lock.is_none() {
            return Err(bug("checking nodes", "the site's lock was not taken").into());
        }
        let env = self.env()?;
        let visits = plinth_plan::visits(&self.desired, cluster);
        let awaited = Awaited::default();
        let work = plinth_run::survey::survey(&visits, &env, self.desired.run.parallel, &awaited);
        let work = self.named(self.world.drive(work, false), || awaited.words());
        let mut survey = self.fenced(work).await?.map_err(|error| client_problem(&error))?;
        survey.findings.extend(self.room_for_runai(cluster, &survey));
        tracing::info!(answered = survey.facts.len(), findings = survey.findings.len(), "checked the nodes");
        for Finding { code, subject, message, .. } in survey.findings.iter().filter(|finding| finding.is_error()) {
            tracing::warn!(code = code.as_str(), node = %subject, "not fit: {message}");
        }
        facts::keep(&self.directory, &survey.facts, &self.places(cluster), SystemClock::new().now())?;
        Ok(survey)
    }

    /// What inventory and site file say of the nodes: what failures that are alike may share.
    fn places(&self, cluster: &Cluster) -> BTreeMap<NodeName, facts::Place> {
        let place = |member: &Member| {
            let own = self.desired.nodes.overrides.get(&member.name);
            let labels = own.into_iter().flat_map(|own| &own.labels).map(|(key, value)| (key.clone(), value.clone()));
            labels.chain(member.category.clone().map(|category| ("category".to_owned(), category))).collect()
        };
        cluster.members.iter().map(|member| (member.name.clone(), place(member))).collect()
    }

    /// Makes another draft, in which nothing waits for these workers.
    fn go_on_without(&mut self, unfit: Vec<NodeName>, seen: &mut Observation) -> Result<(), Failure> {
        if !unfit.is_empty() {
            self.desired.run.unfit = unfit;
            seen.cluster.leave_out(&self.desired);
            seen.draft = self.make(&seen.observed)?;
        }
        Ok(())
    }

    /// Looks at the steps of the draft. Facts are lent, since there may be many.
    async fn look(&self, seen: &mut Observation) -> Result<Look, Failure> {
        let world = RunWorld { env: self.env()?, behaviour: Arc::new(Kinds) };
        let (awaited, facts) = (Arc::<Awaited>::default(), Arc::new(std::mem::take(&mut seen.observed.facts)));
        let options = LookOptions {
            parallel: self.desired.run.parallel,
            awaited: Arc::clone(&awaited),
            silent: std::mem::take(&mut seen.silent),
            checked: Checked { told: std::mem::take(&mut seen.told), facts: Arc::clone(&facts) },
        };
        let work = self.world.drive(plinth_run::look(&seen.draft, &world, &options), false);
        let look = self.fenced(self.named(work, || format!("a look at {}", awaited.words()))).await??;
        drop((world, options));
        seen.observed.facts = Arc::try_unwrap(facts).unwrap_or_else(|shared| (*shared).clone());
        Ok(look)
    }

    /// Stops before anything is changed when another state directory manages nodes of the site, or the cluster that it is put into.
    fn nobody_else(&self, findings: &[Finding]) -> Result<(), Problem> {
        let marks = [(code::NODE_MANAGED_ELSEWHERE, "the nodes"), (code::KUBERNETES_MANAGED_ELSEWHERE, "the cluster")];
        let found = |(code, what)| Some((what, findings.iter().find(|finding| finding.code == code)?));
        let Some((what, first)) = marks.into_iter().find_map(found) else { return Ok(()) };
        let elsewhere = findings.iter().filter(|finding| finding.code == first.code);
        let names = elsewhere.map(|finding| finding.subject.as_str()).collect::<Vec<_>>().join(", ");
        Err(Problem::while_doing(format!("looking who manages {what} of"))
            .to(&self.desired.name)
            .because(Exit::Locked, format!("{names}: {}; nothing was changed", first.message))
            .try_this(first.fix.clone()))
    }

    /// Stops before anything is changed when more nodes are unfit than may fail, or something is wrong with all of them. Within that
    /// budget, answers the workers that the others need not wait for; a member of the control plane or of etcd is waited for.
    fn judge(&self, findings: &[Finding], cluster: &Cluster) -> Result<Vec<NodeName>, Problem> {
        let budget = self.desired.run.node_failures;
        let unfit: BTreeSet<&str> = findings.iter().filter(|f| f.is_error()).map(|f| f.subject.as_str()).collect();
        if unfit.is_empty() {
            return Ok(Vec::new());
        }
        let members: Vec<&Member> = cluster.members.iter().filter(|m| unfit.contains(m.name.as_str())).collect();
        let names = |of: &[&Member]| of.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(", ");
        let (needed, workers): (Vec<&Member>, Vec<&Member>) = members.iter().partition(|member| member.is_quorum());
        if unfit.len() > budget || members.len() < unfit.len() {
            return Err(self.too_many_unfit(&unfit, &workers));
        }
        if !workers.is_empty() {
            let text = format!("nothing waits for it, and the next `plinth {}` takes it in", self.verb(None));
            self.audience.text(&format!("going on without {}: {text} (run.nodeFailures is {budget})", names(&workers)));
        }
        if !needed.is_empty() {
            let text = "which count in a majority: other nodes are prepared, and Kubernetes waits for it";
            self.audience.text(&format!("not fit: {}, of the control plane or of etcd, {text}", names(&needed)));
        }
        Ok(workers.into_iter().map(|member| member.name.clone()).collect())
    }

    fn too_many_unfit(&self, unfit: &BTreeSet<&str>, workers: &[&Member]) -> Problem {
        let (names, budget) = (unfit.iter().copied().collect::<Vec<_>>().join(", "), self.desired.run.node_failures);
        let fix = "fix what is listed above (`plinth preflight --fix` fixes what is safe)";
        let attempt = if workers.len() == unfit.len() {
            format!("{fix}; {}", plinth_run::go_on_without(self.verb(None), &unfit.iter().copied().collect::<Vec<_>>()))
        } else {
            format!("{fix}, or take the node out of the site file")
        };
        Problem::while_doing("checking the nodes of")
            .to(&self.desired.name)
            .check_failed(format!("not fit: {names}; run.nodeFailures is {budget}; nothing was changed"))
            .try_this(attempt)
    }
}
