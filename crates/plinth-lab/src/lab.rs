//! A lab: making it, using it, taking it down.

use crate::error::{LabError, LabResult};
use crate::inside::inside;
use crate::node::Node;
use crate::owner::Owner;
use crate::spec::LabSpec;
use crate::state::{NodeState, State};
use crate::{group, launch, needs, network, seed, tree};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

/// A lab that is up. One that is not kept goes down when this goes out of scope.
#[derive(Debug)]
pub struct Lab {
    state: State,
    /// Whether we take it down.
    ours: bool,
}

impl Lab {
    /// Installs what a lab needs, where that can be done; an error names everything that is missing.
    pub fn prepare() -> LabResult<()> {
        needs::met(&told)
    }

    /// Makes the lab and waits until every sshd answers. Labs whose makers died are taken down first.
    pub fn up(spec: &LabSpec) -> LabResult<Self> {
        Self::prepare()?;
        Self::sweep()?;
        let addressed = spec.addressed()?;
        needs::room_for(Self::nodes_of_machine() + spec.nodes.len(), &told)?;
        let state = State {
            name: spec.name.clone(),
            owner: if spec.kept { None } else { Owner::own() },
            network: spec.network,
            bridge: spec.bridge(),
            password: uuid::Uuid::new_v4().simple().to_string(),
            root: spec.root.made(&told)?,
            pods: spec.pods,
            nodes: planned(spec, &addressed)?,
        };
        state.begin()?;
        // From here on whatever goes wrong takes down what was made.
        let mut lab = Self { state, ours: true };
        lab.fill(spec)?;
        lab.ours = !spec.kept;
        Ok(lab)
    }

    fn fill(&self, spec: &LabSpec) -> LabResult<()> {
        for (node, spec) in self.state.nodes.iter().zip(&spec.nodes) {
            launch::prepare(&self.state, node, &spec.odd)?;
        }
        network::make(&self.state)?;
        self.each(|node| {
            node.start()?;
            node.answers()?;
            node.configure_pods()?;
            if node.own.seed > 0 { seed::sow(&node, node.own.seed) } else { Ok(()) }
        })
    }

    /// Work on all nodes at once; the first error counts.
    fn each(&self, work: impl Fn(Node<'_>) -> LabResult<()> + Sync) -> LabResult<()> {
        let results: Vec<LabResult<()>> = std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = self.nodes().map(|node| scope.spawn(move || work(node))).collect();
            let panicked = || LabError::new("working on nodes", "a thread panicked", "see the message before");
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
        });
        results.into_iter().collect()
    }

    /// A lab that is up already, made by whomever; it stays up when this goes out of scope.
    pub fn open(name: &str) -> LabResult<Self> {
        Ok(Self { state: State::read(name)?, ours: false })
    }

    /// Names of all labs of this machine.
    #[must_use]
    pub fn names() -> Vec<String> {
        State::names()
    }

    /// Takes down every lab whose maker has died. Answers their names.
    pub fn sweep() -> LabResult<Vec<String>> {
        let _held = State::lock()?;
        State::clear_unborn()?;
        let mut swept = Vec::new();
        for name in State::names() {
            let Ok(lab) = Self::open(&name) else { continue };
            if lab.state.owner.as_ref().is_some_and(|owner| !owner.lives()) {
                lab.remove()?;
                swept.push(name);
            }
        }
        Ok(swept)
    }

    /// Takes the lab down: processes, control groups, namespaces, folder, in this order.
    pub fn down(mut self) -> LabResult<()> {
        // Our own lab is nobody else's to take down; another's may be swept at the same time.
        let _held = if self.ours { None } else { Some(State::lock()?) };
        self.ours = false;
        if !self.state.folder().exists() {
            return Ok(());
        }
        self.remove()
    }

    fn remove(&self) -> LabResult<()> {
        for node in &self.state.nodes {
            if let Some(unified) = node.groups.first() {
                group::kill(unified)?;
            }
            group::remove(&node.groups)?;
        }
        network::remove(&self.state)?;
        let folder = self.state.folder();
        // The record goes last: a removal that is interrupted is found and goes on.
        remove_all_but(&folder, "state.json")?;
        tree::remove(&folder)
    }

    /// Nodes of all labs of this machine.
    fn nodes_of_machine() -> usize {
        State::names().iter().filter_map(|name| State::read(name).ok()).map(|state| state.nodes.len()).sum()
    }

    /// The lab's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// By the name that [`Node::name`] gives.
    ///
    /// # Errors
    /// When the lab has no such node; the error lists those that it has.
    pub fn node(&self, name: &str) -> LabResult<Node<'_>> {
        self.nodes().find(|node| node.name() == name).ok_or_else(|| {
            let names: Vec<_> = self.nodes().map(|node| node.name().to_owned()).collect();
            let happened = format!("there is no node {name}");
            LabError::new(
                format!("looking into the lab {}", self.name()),
                happened,
                format!("one of {}", names.join(", ")),
            )
        })
    }

    /// All nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.state.nodes.iter().map(|own| Node { state: &self.state, own })
    }

    /// The account every node is delivered with.
    #[must_use]
    pub const fn user(&self) -> &'static str {
        "ubuntu"
    }

    /// Password of [`Lab::user`], and of root where root may log in.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.state.password
    }

    /// The bridge's address: where nodes reach what runs in the lab's namespace.
    #[must_use]
    pub const fn bridge(&self) -> Ipv4Addr {
        self.state.bridge
    }

    /// The lab's range.
    #[must_use]
    pub const fn network(&self) -> ipnet::Ipv4Net {
        self.state.network
    }

    /// The lab's folder; readable by root only, and gone after `down`.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.state.folder()
    }

    /// A program that stands in the lab's network: it has the bridge's address and a loopback of its own, and sees the
    /// machine's files.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", network::path(&self.state.namespace()).display())).arg("--").arg(program);
        command
    }

    /// Work of this process that stands in the lab's network, on a thread of its own; threads it starts stand there, too.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> LabResult<T> {
        inside(&network::path(&self.state.namespace()), work)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = self.remove()
        {
            eprintln!("lab: {error}");
        }
    }
}

/// Records of the nodes.
fn planned(spec: &LabSpec, addressed: &[(&crate::spec::NodeSpec, Ipv4Addr)]) -> LabResult<Vec<NodeState>> {
    let planned = |(index, (node, address)): (usize, &(&crate::spec::NodeSpec, Ipv4Addr))| {
        let groups = group::folders(&format!("plinth-lab.{}.{}", spec.name, node.name))?;
        let hostname = node.odd.hostname.clone().unwrap_or_else(|| node.name.clone());
        let disks = node.odd.disks.iter().map(|disk| (disk.at.clone(), disk.mib)).collect();
        Some(NodeState { name: node.name.clone(), index, address: *address, hostname, groups, disks, seed: node.seed })
    };
    addressed.iter().enumerate().map(planned).collect::<Option<_>>().ok_or_else(|| {
        let happened = "no hierarchy of control groups version 2 is mounted";
        LabError::new(format!("making the lab {}", spec.name), happened, "mount one at /sys/fs/cgroup/unified")
    })
}

fn remove_all_but(folder: &std::path::Path, kept: &str) -> LabResult<()> {
    for entry in std::fs::read_dir(folder).map_err(LabError::at("listing", folder))?.flatten() {
        if entry.file_name() != kept {
            tree::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// What takes long is told on standard error.
fn told(line: &str) {
    eprintln!("lab: {line}");
}
