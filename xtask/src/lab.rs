//! Labs by hand: real nodes to try plinth on. What a lab is and is not: docs/lab.md.

use crate::commands::Failure;
use clap::Subcommand;
use plinth_lab::{Lab, LabError, LabSpec, Login, Mirror, Node, NodeSpec, Odd, Sudo};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to do with labs.
#[derive(Debug, Subcommand)]
pub(crate) enum Work {
    /// Make a lab that stays until `down`
    Up {
        /// How many usual nodes: n1, n2, ...
        #[arg(long, default_value_t = 5)]
        nodes: usize,
        /// The lab's name
        #[arg(long, default_value = "lab")]
        name: String,
        /// A node with oddities, `NAME=ODDITY,ODDITY=VALUE,...`; docs/lab.md lists them
        #[arg(long = "odd", value_name = "NAME=ODDITIES")]
        odd: Vec<String>,
        /// Mebibytes of containerd content in every node
        #[arg(long, default_value_t = 0)]
        seed: u32,
        /// Bare nodes for installing Kubernetes, with this range for pods, such as 10.233.64.0/18
        #[arg(long, value_name = "RANGE")]
        kubernetes: Option<String>,
    },
    /// Serve what an installer of Kubernetes downloads to a lab's nodes, until interrupted
    Mirror {
        /// The lab's name
        #[arg(long, default_value = "lab")]
        name: String,
    },
    /// Take a lab down
    Down {
        /// The lab's name; all labs whose makers died go down as well
        #[arg(long, default_value = "lab")]
        name: String,
    },
    /// Which labs there are, and how their nodes are
    Status,
    /// Log in to a node, or run a command there, through its sshd
    Ssh(Target),
    /// Run a program in a node as root, past its sshd; without a node's name (`-`) in the lab's network
    Exec(Target),
    /// Pull a node's cable
    Cut(One),
    /// Plug it in again
    Fix(One),
    /// Stop all processes of a node where they stand
    Freeze(One),
    /// Let them go on
    Thaw(One),
    /// Reboot a node, or boot it when it is off
    Reboot(One),
    /// Make a node anew from its image, as BCM does: nothing that was written stays
    Provision(One),
}

/// A node.
#[derive(Debug, clap::Args)]
pub(crate) struct One {
    node: String,
    /// The lab's name
    #[arg(long, default_value = "lab")]
    name: String,
}

/// A node and a command.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    node: String,
    /// The lab's name
    #[arg(long, default_value = "lab")]
    name: String,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Does it; answers whether it went well.
pub(crate) fn run(work: &Work) -> Result<bool, Failure> {
    let done = match work {
        Work::Up { nodes, name, odd, seed, kubernetes } => {
            let spec = LabSpec::new(name).usual(*nodes).kept();
            up(with_kubernetes(spec, kubernetes.as_deref())?, odd, *seed)?
        }
        Work::Mirror { name } => mirror(name),
        Work::Down { name } => down(name),
        Work::Status => Ok(status()),
        Work::Ssh(target) => ssh(target),
        Work::Exec(target) => exec(target),
        Work::Cut(one) => on(one, |node| node.cut()),
        Work::Fix(one) => on(one, |node| node.fix()),
        Work::Freeze(one) => on(one, |node| node.freeze()),
        Work::Thaw(one) => on(one, |node| node.thaw()),
        Work::Provision(one) => on(one, |node| node.provision()),
        Work::Reboot(one) => on(one, |node| if node.power() == "off" { node.boot() } else { node.reboot() }),
    };
    done.map_err(|error| error.to_string())
}

fn with_kubernetes(spec: LabSpec, pods: Option<&str>) -> Result<LabSpec, Failure> {
    let Some(pods) = pods else { return Ok(spec) };
    let range = pods.parse().map_err(|_| format!("--kubernetes {pods}: write a range, such as 10.233.64.0/18"))?;
    Ok(spec.kubernetes(range))
}

/// Serves for as long as it is left running.
fn mirror(name: &str) -> Result<bool, LabError> {
    let lab = Lab::open(name)?;
    let mirror = Mirror::have()?;
    let served = mirror.serve(&lab)?;
    let variables = mirror.kubespray_variables(&served.url())?;
    let path = write(&lab, "mirror.json", &format!("{:#}\n", serde_json::Value::Object(variables)))?;
    println!("serving      {} as {}", mirror.folder().display(), served.url());
    println!("variables    {} (for Kubespray)", path.display());
    loop {
        std::thread::park();
    }
}

fn up(mut spec: LabSpec, odd: &[String], seed: u32) -> Result<Result<bool, LabError>, Failure> {
    for text in odd {
        let (node, oddities) = text.split_once('=').ok_or_else(|| format!("--odd {text}: write NAME=ODDITY,..."))?;
        let odd = oddities.split(',').try_fold(Odd::default(), with_oddity)?;
        match spec.nodes.iter_mut().find(|known| known.name == node) {
            Some(known) => known.odd = odd,
            None => spec.nodes.push(NodeSpec::new(node).odd(odd)),
        }
    }
    for node in &mut spec.nodes {
        node.seed = seed;
    }
    Ok(Lab::up(&spec).and_then(|lab| introduced(&lab)))
}

fn with_oddity(odd: Odd, oddity: &str) -> Result<Odd, Failure> {
    let (name, value) = oddity.split_once('=').unwrap_or((oddity, ""));
    let number = || value.parse::<i64>().map_err(|_| format!("the oddity {name} needs a number, as {name}=5"));
    let size = || number().and_then(|n| u32::try_from(n).map_err(|_| format!("{name}={n} is no size in MiB")));
    Ok(match name {
        "small-var" => odd.small_var(size()?),
        "small-local" => odd.disk("/local", size()?),
        "password-only" => odd.login(Login::Password),
        "keyboard-interactive" => odd.login(Login::KeyboardInteractive),
        "rsa-host-key" => odd.rsa_host_key(),
        "old-ssh" => odd.old_ssh(),
        "nfs-home" => odd.nfs_home(),
        "no-sudo" => odd.sudo(Sudo::Absent),
        "sudo-refused" => odd.sudo(Sudo::Refused),
        "sudo-nopasswd" => odd.sudo(Sudo::NoPassword),
        "root-login" => odd.root_login(),
        "skew" => odd.clock_skew(number()?),
        "hostname" => odd.hostname(value),
        "noisy" => odd.noisy(),
        "shell" => odd.shell(value),
        "gpus" => odd.gpus(u8::try_from(number()?).map_err(|_| "gpus is at most 255".to_owned())?),
        "busybox-sh" => odd.busybox_sh(),
        _ => return Err(format!("no oddity is called {name}; docs/lab.md lists them")),
    })
}

/// Says what a person needs next.
fn introduced(lab: &Lab) -> Result<bool, LabError> {
    let password = write(lab, "password", lab.password())?;
    let name = if lab.name() == "lab" { String::new() } else { format!(" --name {}", lab.name()) };
    for node in lab.nodes() {
        println!("{:<12} {}", node.name(), node.address());
    }
    let first = lab.nodes().next().map_or_else(|| "NODE".to_owned(), |node| node.name().to_owned());
    println!("user         {} (password in {})", lab.user(), password.display());
    println!("log in       cargo xtask lab ssh{name} {first}");
    println!("as root      cargo xtask lab exec{name} {first} -- COMMAND");
    // A site has a control plane and at least one worker.
    if lab.nodes().count() > 1 {
        let site = write(lab, "site.yaml", &site(lab))?;
        println!("site file    {}", site.display());
        println!("plinth       cargo xtask lab exec{name} - {} plan -f {}", plinth(), site.display());
    }
    println!("the end      cargo xtask lab down{name}");
    Ok(true)
}

/// A site of the lab's nodes: the first is the control plane, the others are workers.
fn site(lab: &Lab) -> String {
    let node = |node: Node<'_>| format!("    - {{name: {}, address: {}}}\n", node.name(), node.address());
    let list: String = lab.nodes().map(node).collect();
    let names: Vec<String> = lab.nodes().map(|node| node.name().to_owned()).collect();
    let (first, others) = names.split_at(names.len().min(1));
    format!(
        "# The nodes of a lab; made by `cargo xtask lab up`.\n\
         apiVersion: plinth/v1\nkind: Site\nmetadata: {{name: {name}}}\ninventory:\n  static:\n{list}\
         networks:\n  production: {network}\nnodes:\n  controlPlane: [{first}]\n  workers: [{workers}]\n\
         access:\n  bootstrap: {{user: {user}, password: {{file: password}}}}\n  account: {{name: plinth, uid: 60000, gid: 60000}}\n\
         storage: {{imagesGib: 1, larger: /local/containerd}}\n\
         kubernetes:\n  version: v1.31.9\n  network: {{plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16, nodePrefix: 24}}\n\
         platform:\n  ingress: {{http: 30080, https: 30443}}\n",
        name = lab.name(),
        network = lab.network(),
        first = first.join(", "),
        workers = others.join(", "),
        user = lab.user(),
    )
}

/// A file of the lab, for root only.
fn write(lab: &Lab, name: &str, text: &str) -> Result<PathBuf, LabError> {
    let path = lab.folder().join(name);
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
    let written = opened.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    let failed = |error: std::io::Error| {
        LabError::new(format!("writing {}", path.display()), error.to_string(), "look at the disk's free space")
    };
    written.map_err(failed)?;
    Ok(path)
}

fn down(name: &str) -> Result<bool, LabError> {
    for swept in Lab::sweep()? {
        println!("{swept} is down: its maker had died");
    }
    Lab::open(name)?.down()?;
    println!("{name} is down");
    Ok(true)
}

fn status() -> bool {
    for name in Lab::names() {
        match Lab::open(&name) {
            Err(error) => println!("{name}: {error}"),
            Ok(lab) => {
                println!("{name}: {} at {}", lab.network(), lab.folder().display());
                for node in lab.nodes() {
                    println!("  {:<12} {:<15} {}", node.name(), node.address(), node.power());
                }
            }
        }
    }
    true
}

fn on(one: &One, work: impl FnOnce(&Node<'_>) -> Result<(), LabError>) -> Result<bool, LabError> {
    let lab = Lab::open(&one.name)?;
    work(&lab.node(&one.node)?)?;
    Ok(true)
}

fn exec(target: &Target) -> Result<bool, LabError> {
    let lab = Lab::open(&target.name)?;
    let words: Vec<&str> = target.words.iter().map(String::as_str).collect();
    let mut command = match (target.node.as_str(), words.split_first()) {
        ("-", Some((program, rest))) => {
            let mut command = lab.command(program);
            command.args(rest);
            command
        }
        ("-", None) => lab.command("sh"),
        (name, None) => lab.node(name)?.command(&["bash", "--login"])?,
        (name, Some(_)) => lab.node(name)?.command(&words)?,
    };
    becomes(&mut command)
}

fn ssh(target: &Target) -> Result<bool, LabError> {
    let lab = Lab::open(&target.name)?;
    let node = lab.node(&target.node)?;
    let address = node.address();
    let known: String = node.host_keys()?.iter().map(|key| format!("{address} {key}\n")).collect();
    let known = write(&lab, &format!("known-hosts-{}", node.name()), &known)?;
    let password = write(&lab, "password", lab.password())?;
    let mut command = lab.command("ssh");
    command.args(["-F", "none", "-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=ERROR"]);
    command.arg("-o").arg(format!("UserKnownHostsFile={}", known.display()));
    command.args(["-o", "HostKeyAlgorithms=+ssh-rsa", "-l", lab.user(), &address.to_string()]);
    command.args(&target.words);
    command.env("SSH_ASKPASS", asks(&lab, &password)?).env("SSH_ASKPASS_REQUIRE", "force");
    ended(&mut command)
}

/// The program that tells ssh the password.
fn asks(lab: &Lab, password: &Path) -> Result<PathBuf, LabError> {
    let path = write(lab, "askpass", &format!("#!/bin/sh\nexec cat '{}'\n", password.display()))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&path, mode).map_err(|error| {
        LabError::new(format!("setting the mode of {}", path.display()), error.to_string(), "run as root")
    })?;
    Ok(path)
}

/// This process becomes the program: its exit code and every signal are the program's own.
fn becomes(command: &mut Command) -> Result<bool, LabError> {
    let error = command.exec();
    let program = command.get_program().to_string_lossy().into_owned();
    Err(LabError::new(format!("starting {program}"), error.to_string(), "install it"))
}

/// The plinth that was built beside this program, if there is one.
fn plinth() -> String {
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name("plinth"));
    beside.filter(|file| file.is_file()).map_or_else(|| "PATH/TO/plinth".to_owned(), |file| file.display().to_string())
}

fn ended(command: &mut Command) -> Result<bool, LabError> {
    let status = command.status().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        LabError::new(format!("starting {program}"), error.to_string(), "install it")
    })?;
    Ok(status.success())
}
