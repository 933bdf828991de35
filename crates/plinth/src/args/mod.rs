//! The command line.

mod check;
mod form;
mod rehearse;
mod rollback;
mod rotate;
mod runs;
mod serve;
mod shared;

pub(crate) use check::Check;
pub(crate) use form::{Color, Output, Progress, Verbosity};
pub(crate) use rehearse::{Pace, Rehearse};
pub(crate) use rollback::Rollback;
pub(crate) use rotate::{Rotate, Rotated};
pub(crate) use runs::{Export, ExportFormat, Report, RunVerb, Runs, StatusOptions, Support, Why};
pub(crate) use serve::{Beside, Serve};
pub(crate) use shared::{InventoryOption, PlanText, Sources, Without};

use crate::out_file::place;
use crate::site_file::{FILE, FILE_VARIABLE, STATE_VARIABLE};
use crate::{complete, examples};
use clap::builder::RangedU64ValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;
use std::path::PathBuf;

/// DGX bare metal to a running Kubernetes + Run:ai platform, from one site file.
///
/// Start with `plinth rehearse -f examples/basepod.yaml`: the whole job against a simulated data centre; it needs no root, no
/// network, no secrets.
#[derive(Debug, Parser)]
#[command(name = "plinth", version = env!("PLINTH_VERSION"), max_term_width = 120)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct Common {
    /// Site file; `-` reads standard input
    #[arg(short, long, global = true, env = FILE_VARIABLE, hide_env_values = true, default_value = FILE, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where the site's journal, keys, pins and rendered files live [default: the user's state directory, a folder per site]
    #[arg(long, global = true, env = STATE_VARIABLE, hide_env_values = true, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Form of the data on standard output
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Text, value_name = "FORM")]
    pub(crate) output: Output,
    /// The same as `-o json`
    #[arg(long, global = true, conflicts_with = "output")]
    pub(crate) json: bool,
    /// When to use colour; `NO_COLOR` works too
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Say what happens inside, on standard error; twice: in more detail
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Say nothing but what was asked for, and what went wrong
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// How a run is shown while it is on
    #[arg(long, global = true, value_enum, default_value_t = Progress::Auto, value_name = "HOW")]
    pub(crate) progress: Progress,
    /// The same as `--progress lines`
    #[arg(long, global = true, conflicts_with = "progress")]
    pub(crate) no_progress: bool,
}

impl Common {
    /// How much is said.
    pub(crate) const fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Default,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Trace,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write a commented site file to start from
    #[command(after_help = examples::INIT)]
    Init(Init),
    /// Check the site file: all findings at once; runs no program, contacts nobody, reads no secret
    #[command(after_help = examples::VALIDATE)]
    Validate(Validate),
    /// List nodes and the addresses plinth would use, through BCM
    #[command(after_help = examples::DISCOVER)]
    Discover(Discover),
    /// Show what would be done, and why
    #[command(after_help = examples::PLAN)]
    Plan(Plan),
    /// Do it: the plan shown, or a saved one; run again to continue
    #[command(after_help = examples::APPLY)]
    Apply(Apply),
    /// Say how far the last run came and what it waits for, from another terminal too
    #[command(after_help = examples::STATUS)]
    Status(StatusOptions),
    /// List the runs, and show, compare and explain them
    #[command(after_help = examples::RUNS)]
    Runs(Runs),
    /// Tell the whole story of a run in a few kilobytes: for a ticket, or whoever takes over
    #[command(after_help = examples::WHY)]
    Why(Why),
    /// Write a run in the format of another tool
    #[command(after_help = examples::EXPORT)]
    Export(Export),
    /// Write a run as one page to hand over, which needs no other file
    #[command(after_help = examples::REPORT)]
    Report(Report),
    /// Show runs as a page, live: read-only, for a browser
    #[command(after_help = examples::SERVE)]
    Serve(Serve),
    /// Pack what is needed to find out what went wrong, without secrets
    #[command(after_help = examples::SUPPORT)]
    Support(Support),
    /// Say what happened to a node or a step: what, when, by whom, and what was there before
    #[command(after_help = examples::HISTORY)]
    History(History),
    /// List the logs, or print one
    #[command(after_help = examples::LOGS)]
    Logs(Logs),
    /// Free the site's lock when its holder is gone and the clocks say otherwise
    #[command(after_help = examples::UNLOCK)]
    Unlock(Unlock),
    /// Run the whole job against a simulated data centre made from the site file
    #[command(after_help = examples::REHEARSE)]
    Rehearse(Rehearse),
    /// Show what would be handed to Kubespray and helm
    #[command(after_help = examples::RENDER)]
    Render(Render),
    /// Check everything that can be known of the nodes before touching anything
    #[command(after_help = examples::PREFLIGHT)]
    Preflight(Preflight),
    /// Pin the host keys that nodes present now, after BCM re-imaged them
    #[command(after_help = examples::TRUST)]
    Trust(Trust),
    /// Take workers out of the cluster, and Kubernetes off them
    #[command(after_help = examples::REMOVE)]
    Remove(Remove),
    /// Take Kubernetes away from the whole site, with its data
    #[command(after_help = examples::RESET)]
    Reset(Reset),
    /// Rebuild failed control-plane nodes from the surviving ones
    #[command(after_help = examples::RECOVER)]
    Recover(Recover),
    /// Make a component's release what an earlier revision of it was, which worked
    #[command(after_help = examples::ROLLBACK)]
    Rollback(Rollback),
    /// Exchange the platform's certificate, or its authority too, while everybody goes on
    #[command(after_help = examples::ROTATE)]
    Rotate(Rotate),
    /// Print the cluster's kubeconfig, or merge it into your own
    #[command(after_help = examples::KUBECONFIG)]
    Kubeconfig(Kubeconfig),
    /// Prove that the platform works: with test pods, which are removed again
    #[command(after_help = examples::CHECK)]
    Check(Check),
    /// Explain a step, a group of steps, a node, a finding, `exit-codes` or `faults`
    #[command(after_help = examples::EXPLAIN)]
    Explain(Explain),
    /// Print the JSON Schema of the site file
    #[command(after_help = examples::SCHEMA)]
    Schema,
    /// Print shell completions; they know the site's nodes and steps
    #[command(after_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man(Man),
    /// Say which plinth this is, and which Kubespray and Kubernetes it knows
    #[command(after_help = examples::VERSION)]
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Name of the site [default: asked for, or taken from BCM's host name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Fill in what BCM at this address knows (https://HEAD:8081); user and password come from BCM_USERNAME and BCM_PASSWORD
    #[arg(long, value_name = "URL")]
    pub(crate) from_bcm: Option<String>,
    /// Certificates to trust for --from-bcm
    #[arg(long, value_name = "FILE", requires = "from_bcm")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Do not verify BCM's certificate
    #[arg(long, requires = "from_bcm", conflicts_with = "ca_file")]
    pub(crate) insecure: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Get every secret too: reads variables and files, and runs the programs that `exec` names. Only for a site file you trust
    #[arg(long)]
    pub(crate) check_secrets: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Discover {
    #[command(flatten)]
    pub(crate) from: InventoryOption,
    /// Record the inventory, for use without BCM later
    #[arg(long, value_name = "FILE", value_parser = place())]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) from: InventoryOption,
    /// Save the plan, for `plinth apply FILE`
    #[arg(long, value_name = "FILE", value_parser = place())]
    pub(crate) out: Option<PathBuf>,
    /// Draw the plan as a graph instead
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) graph: Option<GraphFormat>,
    #[command(flatten)]
    pub(crate) text: PlanText,
    /// Look at the nodes and at every step first, as `apply` does: what is seen is in the plan
    #[arg(long)]
    pub(crate) preflight: bool,
    /// Ask again which version a line of a chart means, such as `~2.21.0`, and remember it: what was chosen first stays without this
    #[arg(long)]
    pub(crate) refresh: bool,
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    #[command(flatten)]
    pub(crate) without: Without,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Graphviz
    Dot,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// A saved plan; refused when the site file, the inventory or the catalog moved since
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Look, show the plan, and stop: nothing is changed
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) text: PlanText,
    /// Manage the site from this state directory although another one does so: the marks on the nodes are replaced
    #[arg(long)]
    pub(crate) take_over: bool,
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) without: Without,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
    #[command(flatten)]
    pub(crate) page: Beside,
    #[command(flatten)]
    pub(crate) events: Events,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// A node by name, a step by its id, or a group of steps as a plan prints them; without it the runs are listed
    #[arg(value_name = "NODE|STEP", add = ArgValueCompleter::new(complete::nodes_and_steps))]
    pub(crate) what: Option<String>,
    /// Tell steps that were only found as they should be, too
    #[arg(long)]
    pub(crate) all: bool,
    /// Only the last N runs that had to do with it
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) last: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// `last` (the newest log of a play), `run` (plinth's own), a step by its id, or the name of a log; without it they are listed
    #[arg(value_name = "WHAT", add = ArgValueCompleter::new(complete::logs))]
    pub(crate) what: Option<String>,
    /// Print where it is instead of what it says
    #[arg(long, requires = "what")]
    pub(crate) path: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Preflight {
    /// Fix what can be fixed safely and what the engine does not set by itself, such as the time service
    #[arg(long)]
    pub(crate) fix: bool,
    /// Do not ask before fixing
    #[arg(short, long, requires = "fix")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
}

#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Nodes, by name or glob
    #[arg(required = true, value_name = "NODE", add = ArgValueCompleter::new(complete::nodes))]
    pub(crate) nodes: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Workers, by their exact names; they must still be in the site file
    #[arg(required = true, value_name = "NODE", add = ArgValueCompleter::new(complete::nodes))]
    pub(crate) nodes: Vec<String>,
    /// They do not answer: only the cluster forgets them
    #[arg(long)]
    pub(crate) unreachable: bool,
    #[command(flatten)]
    pub(crate) way: ConfirmedOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    pub(crate) way: ConfirmedOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// Broken members of the control plane or of etcd, by their exact names; machines under these names must answer
    #[arg(required = true, value_name = "NODE", add = ArgValueCompleter::new(complete::nodes))]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) way: ConfirmedOptions,
}

/// What every verb takes that asks for the site's name.
#[derive(Debug, Args)]
pub(crate) struct ConfirmedOptions {
    /// The site's name, instead of typing it when asked
    #[arg(long, value_name = "SITE")]
    pub(crate) confirm: Option<String>,
    /// Look, show the plan, and stop: nothing is changed
    #[arg(long, conflicts_with = "confirm")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
    #[command(flatten)]
    pub(crate) events: Events,
}

#[derive(Debug, Args)]
pub(crate) struct Kubeconfig {
    /// Merge it into $KUBECONFIG or ~/.kube/config; everything else there stays
    #[arg(long, conflicts_with = "out")]
    pub(crate) merge: bool,
    /// Write it into this file (mode 0600) instead of standard output
    #[arg(long, value_name = "FILE", value_parser = place())]
    pub(crate) out: Option<PathBuf>,
    /// Replace what is there under the same name even if plinth did not make it
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Unlock {
    /// Do not ask; a holder that shows a sign of life keeps the lock all the same
    #[arg(short, long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Write every event of the run to this file, one JSON object a line
    #[arg(long, value_name = "FILE", value_parser = place())]
    pub(crate) events: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Render {
    /// What to show
    #[arg(value_enum)]
    pub(crate) what: Rendering,
    /// Write files into this folder instead of standard output
    #[arg(long, value_name = "DIR", value_parser = place())]
    pub(crate) out: Option<PathBuf>,
    /// The inventory in INI form
    #[arg(long)]
    pub(crate) ini: bool,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
}

/// What can be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rendering {
    /// Kubespray's inventory
    Inventory,
    /// Kubespray's variables
    #[value(alias = "group-vars")]
    Variables,
    /// Helm values, a document per component; a secret is a text that says where it is found
    Values,
    /// Objects that are applied beside the releases, such as address pools
    Objects,
    /// Certificates for a review: names, dates and issuers of what would be made, is kept or is given, and which chart reads it under which
    /// name; never a private key
    Certs,
    /// Every file and image that a mirror must hold: for Kubernetes with its checksum, which Kubespray itself is asked for, and of the
    /// platform as far as known
    MirrorList,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A step, a group of steps or a node as a plan prints them, a kind of step, a finding code, or a table such as `exit-codes`
    #[arg(add = ArgValueCompleter::new(complete::topics))]
    pub(crate) what: Option<String>,
    #[command(flatten)]
    pub(crate) from: InventoryOption,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for every verb into this folder instead
    #[arg(long, value_name = "DIR", value_parser = place())]
    pub(crate) out: Option<PathBuf>,
}
