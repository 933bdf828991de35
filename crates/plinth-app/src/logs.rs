//! Where the logs of a site are, and which run and step each belongs to.
//!
//! plinth's own log is beside the journal, those of plays are below `kubespray/logs`, those of helm below `helm/logs`. All are private to
//! the user, and secrets were taken out before anything was written. The log of a play or of helm is named after the time at which it
//! began; the journal knows what ran then.

mod of_run;

pub use of_run::{Piece, of_run, piece};

use jiff::Timestamp;
use plinth_ansible::LOGS;
use plinth_model::run::{LogFile, LogOf, Logs, logs};
use plinth_model::{Problem, RunView, StepId};
use plinth_run::journal::JournalReader;
use plinth_world::program_log::LOG_TIME;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

/// Beginning of the names of plinth's own logs.
const OWN: &str = "plinth.log";
/// Most of a log that is printed, bytes: what one holds at most, and more than any play was seen to write.
const LARGEST: u64 = 512 * 1024 * 1024;

/// All logs, oldest first. `journal` says which run and step they belong to.
///
/// # Errors
/// When a folder of logs cannot be read; one that is not there holds none.
pub fn logs(directory: &Path, journal: Option<&JournalReader>) -> Result<Logs, Problem> {
    let mut found = files(directory, |name| name.starts_with(OWN), LogOf::Plinth)?;
    for (mut some, fits) in of_programs(directory)? {
        if let Some(journal) = journal.filter(|_| !some.is_empty()) {
            attribute(&mut some, journal, fits)?;
        }
        found.extend(some);
    }
    found.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    Ok(Logs { schema: logs::SCHEMA, directory: directory.display().to_string(), logs: found })
}

/// Whether a log may be of a step.
type Fits = fn(&LogFile, &StepId) -> bool;

/// Logs of programs that steps start, by folder.
fn of_programs(directory: &Path) -> Result<Vec<(Vec<LogFile>, Fits)>, Problem> {
    let helms = files(&directory.join(plinth_helm::LOGS), |name| name.ends_with(".log"), LogOf::Play)?;
    let plays = files(&directory.join(LOGS), |name| name.ends_with(".log"), LogOf::Play)?;
    Ok(vec![(helms, is_of_helm), (plays, |_, id| id.area() == "kubernetes")])
}

/// The lines of a log.
///
/// # Errors
/// When it cannot be read.
pub fn lines(log: &LogFile) -> Result<impl Iterator<Item = Result<String, Problem>>, Problem> {
    let path = log.path.clone();
    let file = File::open(&log.path).map_err(|error| unreadable(&path, &error))?;
    let lines = BufReader::new(file.take(LARGEST)).split(b'\n');
    Ok(lines.map(move |line| match line {
        Ok(line) => Ok(String::from_utf8_lossy(&line).into_owned()),
        Err(error) => Err(unreadable(&path, &error)),
    }))
}

fn files(folder: &Path, wanted: impl Fn(&str) -> bool, of: LogOf) -> Result<Vec<LogFile>, Problem> {
    let failed = |error: &io::Error| unreadable(&folder.display().to_string(), error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(&error))?;
        let (name, known) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata());
        let known = match known {
            // A log that was turned over in this moment has another name now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            known => known.map_err(|error| failed(&error))?,
        };
        if known.is_file() && wanted(&name) {
            let written = known.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
            let at = if of == LogOf::Play { begun(&name) } else { written };
            let path = entry.path().display().to_string();
            found.push(LogFile { name, path, of, size: known.len(), at, run: None, step: None, failed: Vec::new() });
        }
    }
    Ok(found)
}

/// When the play of a log began, by its name.
fn begun(name: &str) -> Option<Timestamp> {
    let (stamp, _) = name.split_once('-')?;
    jiff::civil::DateTime::strptime(LOG_TIME, stamp)
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|at| at.timestamp())
}

/// Whether a log of helm, which is named after the release, may be of this step: several releases are installed at a time.
fn is_of_helm(log: &LogFile, id: &StepId) -> bool {
    let release = log.name.split_once('-').and_then(|(_, rest)| rest.strip_suffix(".log"));
    matches!(id.area(), "platform" | "runai") && release == Some(id.target())
}

/// Finds the run and the step of each log: the step that was in flight when the log was begun, of those that fit.
fn attribute(plays: &mut [LogFile], journal: &JournalReader, fits: Fits) -> Result<(), Problem> {
    for run in journal.runs().map_err(Problem::from)? {
        let view = RunView::of(&journal.since(&run, 0).map_err(Problem::from)?);
        attribute_to(plays, &run, &view, fits);
    }
    Ok(())
}

/// The same for one run. A rehearsal starts no program.
fn attribute_to(plays: &mut [LogFile], run: &str, view: &RunView, fits: Fits) {
    if view.run.as_ref().is_some_and(|head| head.rehearsal) {
        return;
    }
    for log in plays.iter_mut().filter(|log| log.run.is_none()) {
        let found = log.at.and_then(|at| running(view, at, |id| fits(log, id)));
        let Some((step, failed)) = found else { continue };
        (log.run, log.step, log.failed) = (Some(run.to_owned()), Some(step), failed);
    }
}

/// The step on several nodes that was in flight then, the one that began last, and on which nodes it failed.
fn running(view: &RunView, at: Timestamp, fits: impl Fn(&StepId) -> bool) -> Option<(StepId, Vec<String>)> {
    let covers = |started: Timestamp, seconds: Option<f64>| {
        let after = at.duration_since(started).as_secs_f64();
        after >= 0.0 && seconds.is_none_or(|seconds| after <= seconds)
    };
    let several = view.steps.iter().filter(|(id, step)| step.node.is_none() && fits(id));
    let then = several.filter_map(|(id, step)| Some((step.started?, id, step)));
    let (_, id, step) =
        then.filter(|(started, _, step)| covers(*started, step.seconds)).max_by_key(|(started, _, _)| *started)?;
    let subject = step.finding.as_ref().map(|finding| finding.subject.split(", ").map(str::to_owned).collect());
    Some((id.clone(), subject.unwrap_or_default()))
}

fn unreadable(path: &str, error: &io::Error) -> Problem {
    Problem::while_doing("reading the logs in")
        .to(path)
        .wrong_input(error)
        .try_this("check whose the state directory is")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_listed_by_age_and_found_by_what_people_call_them() {
        let state = tempfile::tempdir().unwrap();
        assert!(logs(state.path(), None).unwrap().logs.is_empty());
        let plays = state.path().join(LOGS);
        fs::create_dir_all(&plays).unwrap();
        let helms = state.path().join(plinth_helm::LOGS);
        fs::create_dir_all(&helms).unwrap();
        fs::write(helms.join("20261129T001305.120Z-gpu-operator.log"), "Error: UPGRADE FAILED").unwrap();
        let now: Timestamp = "2026-11-29T01:13:05.120Z".parse().unwrap();
        assert_eq!(begun(&format!("{}-facts.log", now.strftime(LOG_TIME))), Some(now), "as the writer names it");
        fs::write(state.path().join("plinth.log"), "own\n").unwrap();
        fs::write(state.path().join("journal.db"), "no log").unwrap();
        for name in ["20261129T021305.120Z-cluster.log", "20261129T011305.120Z-facts.log", "strange.log"] {
            fs::write(plays.join(name), format!("{name}\nsecond")).unwrap();
        }
        let found = logs(state.path(), None).unwrap();
        assert_eq!(found.logs.len(), 5);
        let helm = found.find("20261129T001305.120Z-gpu-operator.log").unwrap();
        assert!(is_of_helm(helm, &StepId::new("platform", "release", "gpu-operator")));
        assert!(!is_of_helm(helm, &StepId::new("platform", "release", "operator")));
        assert_eq!(found.find("last").unwrap().name, "20261129T021305.120Z-cluster.log");
        assert_eq!(found.find("run").unwrap().name, "plinth.log");
        let at = found.find("20261129T011305.120Z-facts.log").unwrap().at.unwrap();
        assert_eq!(at.to_string(), "2026-11-29T01:13:05.12Z");
        assert!(found.find("strange.log").unwrap().at.is_none() && found.find("nothing").is_none());
        let said: Vec<String> = lines(found.find("last").unwrap()).unwrap().map(Result::unwrap).collect();
        assert_eq!(said, ["20261129T021305.120Z-cluster.log", "second"]);
    }
}
