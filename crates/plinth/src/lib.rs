//! plinth: DGX bare metal to a running Kubernetes + Run:ai platform, from one site file.
//!
//! The binary holds arguments, the printer and exit codes, one file per verb, and no decisions: those are `plinth-app`'s.

mod approval;
mod args;
mod explain;
mod input;
mod kept;
mod log;
mod printer;
mod running;
mod screen;
mod sinks;
mod verbs;

use args::{Arguments, Verb};
use clap::Parser;
use plinth_app::Failure;
use plinth_app::world::not_in_this_release;
use plinth_model::{Exit, Problem};
use printer::Printer;
use std::process::ExitCode;

/// Runs the process: reads the arguments, carries out the verb, prints what went wrong, and says how to exit.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let printer = Printer::new(&arguments.common);
    let (json, file) = (arguments.common.json, arguments.common.file.clone());
    let result = runtime().map_err(Failure::from).and_then(|runtime| runtime.block_on(run(arguments, &printer)));
    let result = result.map_err(|failure| input::problem(failure, json, &file, &printer));
    let result = result.and_then(|exit| printer.lost().map_or(Ok(exit), Err));
    let exit = match result {
        Ok(exit) => exit,
        Err(problem) => refuse(&problem, json, &printer),
    };
    exit.into()
}

/// The one runtime of the process.
fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| {
        Problem::while_doing("starting the runtime").bug(error).try_this("check the limits on threads and open files")
    })
}

/// Says what went wrong: to people always, to programs where they asked for data and got none yet.
fn refuse(problem: &Problem, json: bool, printer: &Printer) -> Exit {
    if json && !printer.spoken() {
        printer.json(&input::FindingsReport { schema: input::SCHEMA, findings: &[input::as_finding(problem)] });
    }
    printer.problem(problem);
    printer.name_log();
    problem.exit
}

/// Help and version are answers, everything else is wrong input.
fn usage(error: &clap::Error) -> ExitCode {
    let exit = if error.use_stderr() { Exit::Input } else { Exit::Done };
    // A closed pipe is the reader's choice, not an error of ours.
    let _ = error.print();
    exit.into()
}

async fn run(arguments: Arguments, printer: &Printer) -> Result<Exit, Failure> {
    let common = &arguments.common;
    match arguments.verb {
        Verb::Init(verb) => verbs::init::run(common, &verb, printer).await,
        Verb::Validate(verb) => verbs::validate::run(common, &verb, printer),
        Verb::Discover(verb) => verbs::discover::run(common, &verb, printer).await,
        Verb::Plan(verb) => verbs::plan::run(common, &verb, printer).await,
        Verb::Apply(verb) => verbs::apply::run(common, &verb, printer).await,
        Verb::History(verb) => verbs::history::run(common, &verb, printer),
        Verb::Logs(verb) => verbs::logs::run(common, &verb, printer),
        Verb::Status => verbs::status::run(common, printer),
        Verb::Rehearse(verb) => verbs::rehearse::run(common, &verb, printer).await,
        Verb::Render(verb) => verbs::render::run(common, &verb, printer).await,
        Verb::Preflight(verb) => verbs::preflight::run(common, &verb, printer).await,
        Verb::Trust(verb) => verbs::trust::run(common, &verb, printer).await,
        Verb::Remove(verb) => verbs::removal::remove(common, &verb, printer).await,
        Verb::Recover(verb) => verbs::recovery::run(common, &verb, printer).await,
        Verb::Reset(verb) => verbs::removal::reset(common, &verb, printer).await,
        Verb::Kubeconfig(verb) => verbs::kubeconfig::run(common, &verb, printer),
        Verb::Check => Err(not_in_this_release("check").into()),
        Verb::Explain(verb) => verbs::explain::run(common, &verb, printer),
        Verb::Schema => verbs::schema::run(printer),
        Verb::Completions(verb) => verbs::completions::run(&verb),
    }
}
