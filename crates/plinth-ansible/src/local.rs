//! The real client: Ansible on this machine.

use crate::environment::{Environments, PackageSource};
use crate::follow::{Ending, Job, follow};

use crate::program::{self, CLIENT, FailureLogs, Hidden};
use crate::record::Record;
use crate::source::Sources;
use crate::stage::{Props, Stage};
use crate::verdict::verdict;
use crate::{alive, preview, table};
use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::engine::Play;
use plinth_model::steps::KubesprayRelease;
use plinth_model::{Digest, NodeName};
use plinth_world::ansible::{AnsibleClient, Download, HostStats, PlayHosts, PlayRun, PlayStats};
use plinth_world::node::KnownHosts;
use plinth_world::private_file;
use plinth_world::program_log::{LOG_TIME, ProgramLog};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context, deadlines};
use serde_json::json;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Folder of the logs of plays, below the state directory.
pub const LOGS: &str = "kubespray/logs";
const LOGS_KEPT: usize = 20;

/// Facts of all hosts, which a play limited to some of them needs.
const FACTS: &str = "playbooks/facts.yml";
/// Kubespray's check of its own input, from the release on whose minor number this is.
const BOILERPLATE: (&str, u64) = ("playbooks/boilerplate.yml", 28);

/// Ansible and Kubespray on this machine.
pub struct LocalAnsible {
    state: PathBuf,
    sources: Sources,
    environments: Environments,
    nodes: Arc<dyn KnownHosts>,
    secrets: Arc<dyn Secrets>,
    hidden: Hidden,
    failures: FailureLogs,
}

impl LocalAnsible {
    /// For the site whose state is in `state` and whose file is in `site`; nothing is done yet.
    #[must_use]
    pub fn new(
        state: &Path,
        site: &Path,
        packages: PackageSource,
        nodes: Arc<dyn KnownHosts>,
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        // A program started in another folder must still find it.
        let state = std::path::absolute(state).unwrap_or_else(|_| state.to_path_buf());
        let hidden: Hidden = secrets.hidden_variables().into();
        let failures = FailureLogs::new(state.join(LOGS), LOGS_KEPT, Arc::clone(&secrets));
        let sources = Sources::new(&state, site, Arc::clone(&hidden), failures.clone());
        let wheels = packages.wheels.map(|folder| plinth_world::files::named(site, folder));
        let packages = PackageSource { wheels, ..packages };
        let environments = Environments::new(&state, packages, Arc::clone(&hidden), failures.clone());
        Self { sources, environments, nodes, secrets, state, hidden, failures }
    }

    /// What a stage needs of a release: both must have been made.
    fn props<'a>(&'a self, release: &KubesprayRelease, doing: &'a str) -> ClientResult<Props<'a>> {
        let source = self.sources.folder(release)?;
        let venv = self.environments.whole(release, &source).filter(|_| source.is_dir()).ok_or_else(|| {
            let happened = "its source or its Python environment is not here";
            ClientError::new(CLIENT, doing).happened(happened).attempt("run again: both are made before")
        })?;
        Ok(Props { state: &self.state, venv, source, hidden: Arc::clone(&self.hidden), doing })
    }

    fn log(&self, ctx: &Context, name: &str, doing: &str) -> ClientResult<ProgramLog> {
        let at = ctx.clock().now().strftime(LOG_TIME);
        ProgramLog::begin(&self.state.join(LOGS), &format!("{at}-{name}.log"), LOGS_KEPT)
            .map_err(|error| failed(doing, &error))
    }

    /// One playbook under the supervisor.
    async fn follow(
        &self,
        ctx: &Context,
        stage: &Stage,
        playbook: &'static str,
        more: &[OsString],
        last: bool,
        doing: &str,
    ) -> ClientResult<Ending> {
        let name = playbook.rsplit('/').next().unwrap_or(playbook).trim_end_matches(".yml");
        let lock = self.state.join("kubespray/play.lock");
        let words = stage.words(&stage.playbook(playbook), more);
        let job = Job { stage, lock: &lock, words, playbook, log: self.log(ctx, name, doing)?, last, doing };
        follow(ctx, job, &self.secrets).await
    }

    /// A stage with everything that reaches the run's hosts.
    fn stage(&self, run: &PlayRun, doing: &str) -> ClientResult<Stage> {
        let props = self.props(&run.release, doing)?;
        Stage::reaching(props, &run.targets, &*self.nodes, &*self.secrets)
    }

    /// One playbook with a stage of its own: its supervisor takes the folder away at its end.
    async fn one(
        &self,
        ctx: &Context,
        run: &PlayRun,
        playbook: &'static str,
        more: &[OsString],
        doing: &str,
    ) -> ClientResult<PlayStats> {
        let mut stage = self.stage(run, doing)?;
        stage.folder.hand_over();
        let ending = self.follow(ctx, &stage, playbook, more, true, doing).await;
        verdict(&ending?, doing, &*self.secrets)
    }
}

fn failed(doing: &str, error: &io::Error) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(error.to_string())
        .attempt("see that the state directory is writable and has room")
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.into_iter().map(OsString::from).collect()
}

fn names(nodes: &[NodeName]) -> String {
    nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(",")
}

/// Nobody but these hosts.
fn limited(nodes: &[NodeName]) -> Vec<OsString> {
    words(["--limit", &names(nodes)])
}

/// What a play is given beside inventory and variables. Names of nodes are names that Kubernetes takes, so no text here can be
/// taken for something else.
fn more(play: &Play) -> Vec<OsString> {
    match play {
        Play::Cluster | Play::Upgrade => Vec::new(),
        Play::Scale { nodes } => limited(nodes),
        // Workers are left alone, also those that do not answer.
        Play::Recover { .. } => words(["--limit", "etcd,kube_control_plane"]),
        Play::Remove { nodes, reachable } => {
            let mut vars = json!({"node": names(nodes), "skip_confirmation": true});
            if !reachable {
                vars["reset_nodes"] = json!(false);
                vars["allow_ungraceful_removal"] = json!(true);
            }
            words(["-e", &vars.to_string()])
        }
        Play::Reset => words(["-e", r#"{"reset_confirmation": "yes", "skip_confirmation": true}"#]),
    }
}

/// A removal without names would take every host in older releases.
fn named(play: &Play, doing: &str) -> ClientResult<()> {
    match play {
        Play::Remove { nodes, .. } | Play::Scale { nodes } | Play::Recover { nodes, .. } if nodes.is_empty() => {
            Err(ClientError::new(CLIENT, doing).happened("no host is named").attempt("report this as a bug of plinth"))
        }
        _ => Ok(()),
    }
}

/// A written file of the site: below its state directory, nowhere else.
fn below(state: &Path, name: &str) -> io::Result<PathBuf> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain && path.starts_with("kubespray") {
        return Ok(state.join(path));
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is no place below kubespray/")))
}

fn written(folder: &Path, state: &Path, found: &mut IndexMap<String, Digest>) -> io::Result<()> {
    let mut entries: Vec<_> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.collect::<io::Result<_>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && entry.file_name() != "artifacts" && entry.file_name() != "credentials" {
            written(&path, state, found)?;
        } else if kind.is_file() {
            let name = path.strip_prefix(state).unwrap_or(&path).to_string_lossy().into_owned();
            found.insert(name, Digest::of_bytes(&std::fs::read(&path)?));
        }
    }
    Ok(())
}

#[async_trait]
impl AnsibleClient for LocalAnsible {
    async fn source(&self, _: &Context, release: &KubesprayRelease) -> ClientResult<Option<(String, String)>> {
        self.sources.seen(release).await
    }

    async fn fetch_source(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<()> {
        self.sources.fetch(ctx, release).await
    }

    async fn environment(&self, _: &Context, release: &KubesprayRelease) -> ClientResult<Option<String>> {
        self.environments.seen(release, &self.sources.folder(release)?).await
    }

    async fn make_environment(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<()> {
        self.environments.make(ctx, release, &self.sources.folder(release)?).await
    }

    async fn inventory(&self, _: &Context) -> ClientResult<IndexMap<String, Digest>> {
        let mut found = IndexMap::new();
        let folder = self.state.join("kubespray/inventory");
        written(&folder, &self.state, &mut found)
            .map_err(|error| failed("looking at the written inventory", &error))?;
        Ok(found)
    }

    async fn write_inventory(&self, _: &Context, files: &IndexMap<String, String>) -> ClientResult<()> {
        for (name, text) in files {
            let write = below(&self.state, name).and_then(|path| private_file::write(&path, text.as_bytes()));
            write.map_err(|error| failed(&format!("writing {name}"), &error))?;
        }
        Ok(())
    }

    async fn play(&self, ctx: &Context, run: &PlayRun) -> ClientResult<PlayStats> {
        let doing = format!("running {} of {}", run.play.playbook(), run.release.tag);
        named(&run.play, &doing)?;
        ctx.progress(0, 0, "asking every host whether it answers");
        let answer = alive::check(ctx, run, &self.nodes, &doing).await?;
        let record = Record::of(&self.state);
        record.begin(run, ctx.clock().now(), &doing)?;
        if matches!(run.play, Play::Scale { .. } | Play::Recover { .. }) {
            let limit = if answer.len() == run.targets.len() { Vec::new() } else { limited(&answer) };
            return self.after_facts(ctx, run, &limit, &record, &doing).await;
        }
        let stats = self.one(ctx, run, run.play.playbook(), &more(&run.play), &doing).await?;
        if run.accepts(&stats) {
            record.succeed(run, ctx.clock().now())?;
        }
        Ok(stats)
    }

    async fn preview(&self, _: &Context, run: &PlayRun) -> ClientResult<Vec<PlayHosts>> {
        let doing = format!("asking which hosts {} would touch", run.play.playbook());
        named(&run.play, &doing)?;
        let stage = Stage::quiet(self.props(&run.release, &doing)?)?;
        let mut extra = more(&run.play);
        extra.push("--list-hosts".into());
        let words = stage.words(&stage.playbook(run.play.playbook()), &extra);
        let ended = program::run(stage.short(&words), &doing, deadlines::ANSIBLE_SHORT).await?;
        preview::read(&ended, &doing).map_err(|error| error.failure(self.failures.failure(&ended)))
    }

    async fn validate_inventory(&self, ctx: &Context, release: &KubesprayRelease) -> ClientResult<Option<Vec<String>>> {
        let doing = format!("having Kubespray {} check its input", release.tag);
        let (playbook, since) = BOILERPLATE;
        if release.tag.semver().minor < since {
            return Ok(None);
        }
        let mut stage = Stage::quiet(self.props(release, &doing)?)?;
        if !stage.playbook(playbook).is_file() {
            return Ok(None);
        }
        stage.folder.hand_over();
        let ending = self.follow(ctx, &stage, playbook, &[], true, &doing).await?;
        Ok(Some(verdict(&ending, &doing, &*self.secrets)?.cards))
    }

    async fn downloads(&self, _: &Context, release: &KubesprayRelease) -> ClientResult<Vec<Download>> {
        let doing = format!("asking Kubespray {} what it would fetch", release.tag);
        let stage = Stage::quiet(self.props(release, &doing)?)?;
        table::ask(&stage, &self.failures, &doing, deadlines::ANSIBLE_SHORT).await
    }
}

impl LocalAnsible {
    /// Facts of all hosts that answer and the limited play share one stage, and so the facts.
    async fn after_facts(
        &self,
        ctx: &Context,
        run: &PlayRun,
        limit: &[OsString],
        record: &Record,
        doing: &str,
    ) -> ClientResult<PlayStats> {
        let stage = self.stage(run, doing)?;
        let facts = self.follow(ctx, &stage, FACTS, limit, false, doing).await?;
        let seen = verdict(&facts, doing, &*self.secrets)?;
        if !seen.hosts.values().all(HostStats::is_clean) {
            return Ok(seen);
        }
        if let Play::Recover { reset, .. } = &run.play
            && !reset.is_empty()
        {
            let words = [limited(reset), more(&Play::Reset)].concat();
            let ending = self.follow(ctx, &stage, Play::Reset.playbook(), &words, false, doing).await?;
            let seen = verdict(&ending, doing, &*self.secrets)?;
            if !seen.hosts.values().all(HostStats::is_clean) {
                return Ok(seen);
            }
        }
        let ending = self.follow(ctx, &stage, run.play.playbook(), &more(&run.play), true, doing).await?;
        let stats = verdict(&ending, doing, &*self.secrets)?;
        if run.accepts(&stats) {
            record.succeed(run, ctx.clock().now())?;
        }
        Ok(stats)
    }
}
