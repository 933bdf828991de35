//! Verbs that look at runs.

use crate::out_file::place;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The run that is meant where none is named.
const LAST: &str = "last";

#[derive(Debug, Args)]
pub(crate) struct Runs {
    #[command(subcommand)]
    pub(crate) what: Option<RunVerb>,
    /// Only runs that fit: `state:partly took:>1h`, or that have a step that fits: `state:failed node:dgx-*`
    #[arg(long = "where", value_name = "FILTER")]
    pub(crate) filter: Option<String>,
}

/// What is asked of a run.
#[derive(Debug, Subcommand)]
pub(crate) enum RunVerb {
    /// One run: kinds of steps, what failed, what waits and why
    Show(Show),
    /// What differs from the last good run, or from another one: what the desired state changed first
    Diff(Diff),
    /// The chain of steps that the end waited for, with what each waited for itself
    CriticalPath(Path),
    /// What failed, by cause: equal failures once, with their nodes
    WhatFailed(RunOption),
}

#[derive(Debug, Args)]
pub(crate) struct RunOption {
    /// The beginning of an id, `last`, `last-good`, or `^1`
    #[arg(value_name = "RUN", default_value = LAST)]
    pub(crate) run: String,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) which: RunOption,
    /// List the steps that fit instead
    #[arg(long = "where", value_name = "FILTER")]
    pub(crate) filter: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The run in question
    #[arg(value_name = "A", default_value = LAST)]
    pub(crate) run: String,
    /// The run that it is compared with [default: the last good one before it]
    #[arg(value_name = "B")]
    pub(crate) with: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Path {
    #[command(flatten)]
    pub(crate) which: RunOption,
    /// Also say how long it would have taken with so many steps at once; may be given several times
    #[arg(long, value_name = "parallel=N", value_parser = parallel)]
    pub(crate) what_if: Vec<usize>,
}

fn parallel(text: &str) -> Result<usize, String> {
    let number = text.strip_prefix("parallel=").ok_or("write `parallel=N`")?;
    number.parse().ok().filter(|number| *number > 0).ok_or_else(|| "N is a number from 1".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) which: RunOption,
    /// Bytes at most
    #[arg(long, value_name = "N", default_value_t = 8192)]
    pub(crate) bytes: usize,
}

#[derive(Debug, Args)]
pub(crate) struct StatusOptions {
    /// Go on showing it until the run ends
    #[arg(long, conflicts_with = "at")]
    pub(crate) watch: bool,
    /// As it was then: `2026-11-30T02:14:00Z`, `02:14` (UTC, of the last run), or `+90s`, `+12min` after the run began
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Also ask the cluster what somebody changed of the releases and objects that the last run left there
    #[arg(long, conflicts_with_all = ["at", "watch"])]
    pub(crate) drift: bool,
    /// Exit with 2 when something was changed, else with 6 when the cluster could not be asked about all
    #[arg(long, requires = "drift")]
    pub(crate) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) which: RunOption,
    /// Format
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,
    /// Write it into this file instead of standard output
    #[arg(long, value_name = "FILE", value_parser = place())]
    pub(crate) out: Option<PathBuf>,
}

/// Formats of other tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Chrome's trace events, for Perfetto
    Trace,
    /// OpenTelemetry traces, as OTLP/JSON
    Otlp,
    /// Common Test Report Format
    Ctrf,
    /// JUnit XML
    Junit,
    /// A summary for a merge request or a ticket
    Markdown,
    /// Prometheus text, for node_exporter's textfile collector
    Metrics,
}

#[derive(Debug, Args)]
pub(crate) struct Support {
    /// Write the archive (tar.gz, mode 0600) here
    #[arg(long, value_name = "FILE", value_parser = place())]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) which: RunOption,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) which: RunOption,
    /// Write it into this file
    #[arg(long, value_name = "FILE", value_parser = place(), required_unless_present_any = ["dir", "extract"])]
    pub(crate) out: Option<PathBuf>,
    /// Write a page, its style and the events into this folder instead: for servers that allow no style within a page, such as Jenkins
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub(crate) dir: Option<PathBuf>,
    /// Give back the events that a report holds, to standard output or into the file of --out
    #[arg(long, value_name = "REPORT", conflicts_with = "dir")]
    pub(crate) extract: Option<PathBuf>,
}
