//! plinth: DGX bare metal to a running Kubernetes + Run:ai platform, from one site file.
//!
//! The binary holds arguments, the printer and exit codes, one file per verb, and no decisions: those are `plinth-app`'s.

mod again;
mod approval;
mod args;
mod complete;
mod evidence;
mod examples;
mod explain;
mod github;
mod hints;
mod input;
mod kept;
mod keys;
mod log;
mod moment;
mod out_file;
mod page;
mod prediction;
mod printer;
mod process;
mod recorded;
mod report;
mod running;
mod screen;
mod searched;
mod shared_sink;
mod signals;
mod sinks;
mod site_file;
mod streams;
mod terminal;
mod verbs;

use args::{Arguments, Common, GraphFormat, Output, Verb};
use clap::{CommandFactory, FromArgMatches};
use plinth_app::Failure;
use plinth_model::{Exit, Problem};
use printer::Printer;
use std::process::ExitCode;

/// Runs the process: reads the arguments, carries out the verb, prints what went wrong, and says how to exit.
#[must_use]
pub fn main() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(Arguments::command).var(verbs::completions::VARIABLE).complete();
    let read = site_file::without_empty_variables(Arguments::command()).try_get_matches();
    let mut arguments = match read.and_then(|read| Arguments::from_arg_matches(&read)) {
        Ok(arguments) => arguments,
        Err(error) => return usage(error),
    };
    process::no_core_dumps();
    arguments.common.json |= arguments.common.output != Output::Text;
    let printer = Printer::new(&arguments.common);
    let (json, file) = (arguments.common.json, arguments.common.file.clone());
    let tell = |failure: Failure| refuse(&input::problem(failure, json, &file, &printer), json, &printer);
    let exit = match process::check().and_then(|()| runtime()) {
        Ok(runtime) => {
            printer.signals().listen(&runtime);
            let exit = runtime.block_on(until_stopped(arguments, &printer)).unwrap_or_else(&tell);
            let exit = printer.end().map_or_else(|problem| tell(problem.into()), |()| exit);
            printer.last_words();
            // A helm that was dropped writes down that it failed.
            runtime.block_on(plinth_app::programs_end());
            // A thread that waits for a terminal or a disk does not hold the process.
            runtime.shutdown_background();
            exit
        }
        Err(problem) => {
            let exit = tell(problem.into());
            printer.last_words();
            exit
        }
    };
    exit.into()
}

/// Carries out the verb, unless a signal ends it before or after its run. Dropping it gives the lock back.
async fn until_stopped(arguments: Arguments, printer: &Printer) -> Result<Exit, Failure> {
    tokio::select! {
        biased;
        problem = printer.signals().unheeded() => Err(problem.into()),
        result = run(arguments, printer) => result,
    }
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

/// Verbs whose answer has one form only say so, and do not pass over what was asked for.
fn one_form(common: &Common, verb: &Verb) -> Result<(), Problem> {
    let form = match verb {
        Verb::Init(_) => "a site file in YAML",
        Verb::Completions(_) => "a script for a shell",
        Verb::Man(_) => "a manual page",
        Verb::Report(_) => "a page, or the events of one",
        Verb::Export(_) => "the format that `--format` names",
        Verb::Status(status) if status.watch => "text for people with `--watch`",
        Verb::Plan(plan) if plan.graph == Some(GraphFormat::Dot) => "a graph in the language of Graphviz",
        _ => return Ok(()),
    };
    if !common.json {
        return Ok(());
    }
    Err(Problem::while_doing("choosing the form of the output")
        .wrong_input(format!("this verb prints {form} and has no other form"))
        .try_this("leave `--json` and `-o` out"))
}

/// Help and version are answers, everything else is wrong input.
fn usage(error: clap::Error) -> ExitCode {
    let error = hints::improve(error);
    let exit = if error.use_stderr() { Exit::Input } else { Exit::Done };
    // A closed pipe is the reader's choice, not an error of ours.
    let _ = error.print();
    exit.into()
}

async fn run(arguments: Arguments, printer: &Printer) -> Result<Exit, Failure> {
    let common = &arguments.common;
    one_form(common, &arguments.verb)?;
    match arguments.verb {
        Verb::Init(verb) => verbs::init::run(common, &verb, printer).await,
        Verb::Validate(verb) => verbs::validate::run(common, &verb, printer),
        Verb::Discover(verb) => verbs::discover::run(common, &verb, printer).await,
        Verb::Plan(verb) => verbs::plan::run(common, &verb, printer).await,
        Verb::Apply(verb) => verbs::apply::run(common, &verb, printer).await,
        Verb::History(verb) => verbs::history::run(common, &verb, printer),
        Verb::Logs(verb) => verbs::logs::run(common, &verb, printer),
        Verb::Status(verb) => verbs::status::run(common, &verb, printer).await,
        Verb::Runs(verb) => verbs::runs::run(common, &verb, printer),
        Verb::Why(verb) => verbs::why::run(common, &verb, printer),
        Verb::Export(verb) => verbs::export::run(common, &verb, printer),
        Verb::Report(verb) => verbs::report::run(common, &verb, printer),
        Verb::Serve(verb) => verbs::serve::run(common, &verb, printer).await,
        Verb::Support(verb) => verbs::support::run(common, &verb, printer).await,
        Verb::Unlock(verb) => verbs::unlock::run(common, &verb, printer).await,
        Verb::Rehearse(verb) => verbs::rehearse::run(common, &verb, printer).await,
        Verb::Render(verb) => verbs::render::run(common, &verb, printer).await,
        Verb::Preflight(verb) => verbs::preflight::run(common, &verb, printer).await,
        Verb::Trust(verb) => verbs::trust::run(common, &verb, printer).await,
        Verb::Remove(verb) => verbs::removal::remove(common, &verb, printer).await,
        Verb::Recover(verb) => verbs::recovery::run(common, &verb, printer).await,
        Verb::Reset(verb) => verbs::removal::reset(common, &verb, printer).await,
        Verb::Rotate(verb) => verbs::rotate::run(common, &verb, printer).await,
        Verb::Rollback(verb) => verbs::rollback::run(common, &verb, printer).await,
        Verb::Kubeconfig(verb) => verbs::kubeconfig::run(common, &verb, printer),
        Verb::Check(verb) => verbs::check::run(common, &verb, printer).await,
        Verb::Explain(verb) => verbs::explain::run(common, &verb, printer),
        Verb::Schema => verbs::schema::run(printer),
        Verb::Completions(verb) => verbs::completions::run(&verb, printer),
        Verb::Man(verb) => verbs::man::run(&verb, printer),
        Verb::Version => verbs::version::run(common, printer),
    }
}
