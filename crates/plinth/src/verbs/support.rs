//! `plinth support`.

use crate::args::{Common, Support};
use crate::kept::Kept;
use crate::out_file;
use crate::printer::Printer;
use crate::recorded::{Chosen, Recorded};
use crate::searched;
use flate2::Compression;
use flate2::write::GzEncoder;
use plinth_app::support::Redaction;
use plinth_app::versions::versions;
use plinth_app::{Failure, Input, logs};
use plinth_model::run::{LogFile, LogOf};
use plinth_model::text::{visible_json, visible_lines};
use plinth_model::{Exit, Problem, amount};
use plinth_report::runs::{Story, story};
use plinth_world::{Clock as _, SystemClock};
use serde::Serialize;
use std::io::Read as _;

/// Runs whose events are packed, beside the one that is meant.
const RUNS: usize = 5;
/// Newest logs that are packed: of programs and of plinth itself, and of operations on nodes, which are small.
const LOGS: usize = 20;
const NODE_LOGS: usize = 200;
/// Most of the end of a log that is packed, bytes.
const LOG: u64 = 4 * 1024 * 1024;
/// Folder within the archive.
const FOLDER: &str = "plinth-support";
/// File of the archive that names what is not in it.
const LEFT_OUT: &str = "left-out.txt";

/// Packs journal, events, plan, findings, versions and logs, and tells what had no room. The secrets of [`Redaction::of`] are taken out of every text, and then every
/// file is searched for each of them: with one found, nothing is written.
pub(crate) async fn run(common: &Common, verb: &Support, printer: &Printer) -> Result<Exit, Failure> {
    let recorded = Recorded::open(common)?;
    let input = Input::load(&common.file)?;
    let redaction = Redaction::of(&input, &recorded.directory);
    let mut pack = Pack { redaction: &redaction, files: Vec::new(), left_out: Vec::new() };
    let mut plan = None;
    if !recorded.runs.is_empty() {
        let mut chosen = recorded.choose(&verb.which.run)?;
        recorded.ahead(&mut chosen, SystemClock::new().now(), printer)?;
        plan = pack.run(&recorded, &chosen)?;
        pack.others(&recorded, &chosen)?;
    }
    pack.versions(&recorded, verb, &versions(&input, &recorded.directory, plan.as_deref()));
    let kept = Kept::open(common)?;
    pack.logs(&logs::logs(&kept.directory, kept.journal.as_ref())?.logs);
    let left_out = pack.left_out();
    let (count, archive) = pack.sealed()?;
    out_file::write(&verb.out, &archive, 0o600, "writing the archive to", |there| out_file::is_archive(there, FOLDER))?;
    searched::tell_gaps("the archive", &redaction, printer);
    left_out.iter().for_each(|text| printer.changed(text));
    printer.changed(&format!("{}: {}, {}", verb.out.display(), amount(count, "file"), searched::summary(&redaction)));
    Ok(Exit::Done)
}

/// Files of the archive, in order.
struct Pack<'a> {
    redaction: &'a Redaction,
    files: Vec<(String, String)>,
    /// What had no room, by its sort, each with the names.
    left_out: Vec<(String, Vec<String>)>,
}

impl Pack<'_> {
    // Redacted first: a secret that is broken by an escape would not be found any more.
    fn add(&mut self, name: impl Into<String>, text: &str) {
        let clean = visible_lines(&self.redaction.redact(text)).into_owned();
        self.files.push((name.into(), clean));
    }

    /// JSON, or lines of it: it stays JSON.
    fn add_json(&mut self, name: impl Into<String>, json: &str) {
        let clean = visible_json(&self.redaction.redact(json)).into_owned();
        self.files.push((name.into(), clean));
    }

    fn json<T: Serialize>(&mut self, name: impl Into<String>, value: &T) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.add_json(name, &(text + "\n")),
            Err(error) => self.add(name, &format!("not written: {error}\n")),
        }
    }

    fn versions(&mut self, recorded: &Recorded, verb: &Support, versions: &serde_json::Value) {
        let unread = &self.redaction.unread;
        let about = serde_json::json!({
            "plinth": env!("PLINTH_VERSION"),
            "versions": versions,
            "system": std::env::consts::OS,
            "architecture": std::env::consts::ARCH,
            "site": recorded.site,
            "run": verb.which.run,
            "lock": recorded.lock,
            "secretsNotSearchedFor": unread,
            "secretsTooShortToSearchFor": self.redaction.short,
        });
        self.json("versions.json", &about);
        self.json("runs.json", &recorded.runs);
    }

    /// The run that is meant; answers its plan.
    fn run(&mut self, recorded: &Recorded, chosen: &Chosen) -> Result<Option<String>, Problem> {
        let told = story(&Story { site: &recorded.site, shown: chosen.shown(), bytes: 64 * 1024, unicode: false });
        self.add("why.txt", &(told + "\n"));
        self.add_json("events.ndjson", &chosen.lines());
        self.json("findings.json", &chosen.view.findings);
        self.json("causes.json", &chosen.analysis.groups);
        let plan = match (&recorded.journal, &chosen.analysis.entry.plan) {
            (Some(journal), Some(hash)) => journal.plan_text(hash).map_err(Problem::from)?,
            _ => None,
        };
        plan.iter().for_each(|plan| self.add_json("plan.json", plan));
        Ok(plan)
    }

    /// The journal: events of the runs before, each as it was recorded.
    fn others(&mut self, recorded: &Recorded, chosen: &Chosen) -> Result<(), Failure> {
        let others = recorded.runs.iter().rev().filter(|entry| entry.run != chosen.analysis.entry.run);
        let others: Vec<_> = others.collect();
        for entry in others.iter().take(RUNS) {
            let whole = recorded.whole(entry)?;
            self.add_json(format!("journal/{}.ndjson", entry.run), &whole.lines());
        }
        let more: Vec<String> = others.iter().skip(RUNS).map(|entry| entry.run.clone()).collect();
        self.leaves_out("older run", " (`plinth support RUN` packs another one)", more);
        Ok(())
    }

    fn logs(&mut self, logs: &[LogFile]) {
        let (nodes, others): (Vec<&LogFile>, Vec<&LogFile>) = logs.iter().rev().partition(|log| log.of == LogOf::Node);
        let mut cut = Vec::new();
        for log in others.iter().take(LOGS).chain(nodes.iter().take(NODE_LOGS)) {
            let text = end_of(log).unwrap_or_else(|error| format!("it cannot be read: {error}\n"));
            self.add(format!("logs/{}", log.name), &text);
            cut.extend(
                (log.size > LOG)
                    .then(|| format!("{}, all but its last {} MiB of {}", log.path, LOG >> 20, log.size >> 20)),
            );
        }
        let paths = |logs: &[&LogFile], most: usize| logs.iter().skip(most).map(|log| log.path.clone()).collect();
        self.leaves_out("older log", "", paths(&others, LOGS));
        self.leaves_out("older log of an operation on a node", "", paths(&nodes, NODE_LOGS));
        self.leaves_out("beginning of a long log", "", cut);
    }

    fn leaves_out(&mut self, what: &str, hint: &str, names: Vec<String>) {
        if !names.is_empty() {
            self.left_out.push((format!("{}{hint}", amount(names.len(), what)), names));
        }
    }

    /// Packs the names of what had no room; answers how to say it in a line, if there was anything.
    fn left_out(&mut self) -> Option<String> {
        let left_out = std::mem::take(&mut self.left_out);
        let lines = left_out.iter().flat_map(|(what, names)| {
            std::iter::once(format!("{what}:")).chain(names.iter().map(|name| format!("  {name}")))
        });
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() {
            return None;
        }
        self.add(LEFT_OUT, &(lines.join("\n") + "\n"));
        let sorts: Vec<&str> = left_out.iter().map(|(what, _)| what.as_str()).collect();
        Some(format!("left out: {}; {LEFT_OUT} in the archive names them", sorts.join(", ")))
    }

    /// The archive, once no file holds a secret.
    fn sealed(self) -> Result<(usize, Vec<u8>), Problem> {
        let found = self.files.iter().find(|(_, text)| self.redaction.finds_any(text.as_bytes()));
        if let Some((name, _)) = found {
            return Err(Problem::while_doing("packing")
                .to(name)
                .bug("a secret of the site stands in it after it was taken out; nothing was written")
                .try_this("send the output of `plinth why` instead, and report this"));
        }
        let failed = |error: std::io::Error| {
            Problem::while_doing("packing the archive").wrong_input(error).try_this("see that there is memory for it")
        };
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (name, text) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            archive.append_data(&mut header, format!("{FOLDER}/{name}"), text.as_bytes()).map_err(failed)?;
        }
        let packed = archive.into_inner().and_then(GzEncoder::finish).map_err(failed)?;
        Ok((self.files.len(), packed))
    }
}

/// The last part of a log.
fn end_of(log: &LogFile) -> std::io::Result<String> {
    use std::io::Seek as _;
    let mut file = std::fs::File::open(&log.path)?;
    file.seek(std::io::SeekFrom::Start(log.size.saturating_sub(LOG)))?;
    let mut bytes = Vec::new();
    file.take(LOG).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn json_with_a_hidden_character_stays_json_and_a_terminal_shows_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("site.yaml");
        std::fs::write(&file, include_str!("../../../../examples/basepod.yaml")).unwrap();
        let redaction = Redaction::of(&Input::load(&file).unwrap(), &folder.path().join("state"));
        let mut pack = Pack { redaction: &redaction, files: Vec::new(), left_out: Vec::new() };
        let said = "helm\u{200b}said";
        pack.json("causes.json", &said);
        pack.add_json("events.ndjson", &(serde_json::to_string(said).unwrap() + "\n"));
        for (name, text) in &pack.files {
            assert!(!text.contains('\u{200b}'), "{name}");
            assert_eq!(serde_json::from_str::<String>(text).unwrap(), said, "{name}");
        }
    }
}
