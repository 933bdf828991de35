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
use plinth_app::{Failure, Input, logs};
use plinth_model::run::LogFile;
use plinth_model::text::{visible_json, visible_lines};
use plinth_model::{Exit, Problem, amount};
use plinth_report::runs::{Story, story};
use plinth_world::{Clock as _, SystemClock};
use serde::Serialize;
use std::io::Read as _;

/// Runs whose events are packed, beside the one that is meant.
const RUNS: usize = 5;
/// Newest logs that are packed.
const LOGS: usize = 20;
/// Most of the end of a log that is packed, bytes.
const LOG: u64 = 4 * 1024 * 1024;
/// Folder within the archive.
const FOLDER: &str = "plinth-support";

/// Packs journal, events, plan, findings, versions and logs. The secrets of [`Redaction::of`] are taken out of every text, and then every
/// file is searched for each of them: with one found, nothing is written.
pub(crate) async fn run(common: &Common, verb: &Support, printer: &Printer) -> Result<Exit, Failure> {
    let recorded = Recorded::open(common)?;
    let input = Input::load(&common.file)?;
    let redaction = Redaction::of(&input, &recorded.directory);
    let mut pack = Pack { redaction: &redaction, files: Vec::new() };
    pack.versions(&recorded, verb);
    if !recorded.runs.is_empty() {
        let mut chosen = recorded.choose(&verb.which.run)?;
        recorded.ahead(&mut chosen, SystemClock::new().now(), printer)?;
        pack.run(&recorded, &chosen)?;
        pack.others(&recorded, &chosen)?;
    }
    let kept = Kept::open(common)?;
    pack.logs(&logs::logs(&kept.directory, kept.journal.as_ref())?.logs);
    let (count, archive) = pack.sealed()?;
    out_file::write(&verb.out, &archive, 0o600, "writing the archive to", |there| out_file::is_archive(there, FOLDER))?;
    searched::tell_gaps("the archive", &redaction, printer);
    printer.changed(&format!("{}: {}, {}", verb.out.display(), amount(count, "file"), searched::summary(&redaction)));
    Ok(Exit::Done)
}

/// Files of the archive, in order.
struct Pack<'a> {
    redaction: &'a Redaction,
    files: Vec<(String, String)>,
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

    fn versions(&mut self, recorded: &Recorded, verb: &Support) {
        let unread = &self.redaction.unread;
        let about = serde_json::json!({
            "plinth": env!("PLINTH_VERSION"),
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

    fn run(&mut self, recorded: &Recorded, chosen: &Chosen) -> Result<(), Problem> {
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
        Ok(())
    }

    /// The journal: events of the runs before, each as it was recorded.
    fn others(&mut self, recorded: &Recorded, chosen: &Chosen) -> Result<(), Failure> {
        let others = recorded.runs.iter().rev().filter(|entry| entry.run != chosen.analysis.entry.run).take(RUNS);
        for entry in others {
            let whole = recorded.whole(entry)?;
            self.add_json(format!("journal/{}.ndjson", entry.run), &whole.lines());
        }
        Ok(())
    }

    fn logs(&mut self, logs: &[LogFile]) {
        for log in logs.iter().rev().take(LOGS) {
            let text = end_of(log).unwrap_or_else(|error| format!("it cannot be read: {error}\n"));
            self.add(format!("logs/{}", log.name), &text);
        }
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
        let mut pack = Pack { redaction: &redaction, files: Vec::new() };
        let said = "helm\u{200b}said";
        pack.json("causes.json", &said);
        pack.add_json("events.ndjson", &(serde_json::to_string(said).unwrap() + "\n"));
        for (name, text) in &pack.files {
            assert!(!text.contains('\u{200b}'), "{name}");
            assert_eq!(serde_json::from_str::<String>(text).unwrap(), said, "{name}");
        }
    }
}
