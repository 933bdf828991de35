//! Chores of the repository: test tiers, generated reference pages, benchmarks.
//!
//! `cargo xtask test` is the one command that says whether the repository is sound.

mod bench;
mod bench_ansible;
mod bench_nodes;
mod bench_platform;
mod charts;
mod commands;
mod cpu;
mod direction;
mod docs;
mod e2e;
mod house;
mod house_circles;
mod house_docs;
mod house_paths;
mod house_rules;
mod house_sources;
mod house_verbs;
mod kubespray;
mod lab;
mod lanes;
mod machine;
mod measure;
mod page;
mod rehearsal;
mod scratch;
mod tally;
mod tiers;
mod views;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of the repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Run the test tiers in order; the last line is `N passed, N failed`
    Test {
        /// Only these tiers
        #[arg(long = "tier", value_enum)]
        tiers: Vec<tiers::Tier>,
    },
    /// Write the generated pages of docs/reference
    Docs {
        /// Write nothing; fail when a page is not what would be written
        #[arg(long)]
        check: bool,
    },
    /// Measure, and write docs/benchmarks.md
    Bench {
        /// Another plinth, built before, that is measured in the same run
        #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["nodes", "ansible", "platform", "page"])]
        against: Option<std::path::PathBuf>,
        /// Only the SSH client against Ansible and `ssh` by hand, on real nodes; needs root, takes some ten minutes
        #[arg(long)]
        nodes: bool,
        /// Only the Ansible client against `ansible-playbook` by hand; takes some fifteen minutes
        #[arg(long, conflicts_with = "nodes")]
        ansible: bool,
        /// Only the whole platform on a real control plane, against helm by hand; needs root and Go, takes some five minutes
        #[arg(long, conflicts_with_all = ["nodes", "ansible"])]
        platform: bool,
        /// Only pages of runs in a real browser; takes some five minutes
        #[arg(long, conflicts_with_all = ["nodes", "ansible", "platform"])]
        page: bool,
        /// A plinth that was built before, instead of a release build
        #[arg(long, value_name = "PROGRAM", requires = "page")]
        program: Option<std::path::PathBuf>,
        /// Of pages only these, which are printed and written nowhere; a minute or two
        #[arg(long, value_enum, requires = "page")]
        part: Option<views::Part>,
        /// Of these, only some
        #[arg(long, value_enum, value_delimiter = ',', requires = "ansible")]
        only: Vec<bench_ansible::Part>,
    },
    /// plinth from one end to the other with a foreign program that is not part of the repository
    #[command(subcommand)]
    E2e(e2e::Work),
    /// Carry names and versions that releases of Kubespray know into the catalog
    KubesprayNames {
        /// A checkout or an unpacked archive of a pinned release; may be given several times
        #[arg(long = "source", required = true, value_name = "DIR")]
        sources: Vec<std::path::PathBuf>,
    },
    /// Hold the catalog against real packages of charts in a folder; builds both helms
    Charts(charts::Charts),
    /// Draw every page of runs of three sizes, in light and dark, by a real browser
    Page {
        /// Where the pictures go
        #[arg(long, value_name = "DIR")]
        screenshots: std::path::PathBuf,
        /// A plinth that was built before, instead of a release build
        #[arg(long, value_name = "PROGRAM")]
        program: Option<std::path::PathBuf>,
        /// As WebP, a third of the bytes, for documents
        #[arg(long)]
        small: bool,
    },
    /// Real nodes in namespaces of this machine, for tests and for trying plinth; needs root
    #[command(subcommand)]
    Lab(lab::Work),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().chore {
        Chore::Test { tiers } => tiers::run(&tiers),
        Chore::Docs { check } => docs::run(check),
        Chore::Bench { ansible: true, only, .. } => bench_ansible::run(&only),
        Chore::Bench { platform: true, .. } => bench_platform::run(),
        Chore::Bench { page: true, program, part, .. } => views::bench(program.as_deref(), part),
        Chore::Bench { nodes: false, against, .. } => bench::run(against.as_deref()),
        Chore::Bench { nodes: true, .. } => bench_nodes::run(),
        Chore::E2e(work) => e2e::run(&work),
        Chore::KubesprayNames { sources } => kubespray::run(&sources),
        Chore::Charts(work) => charts::run(&work),
        Chore::Page { screenshots, program, small } => views::pictures(&screenshots, program.as_deref(), small),
        Chore::Lab(work) => lab::run(&work),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
