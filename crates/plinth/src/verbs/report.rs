//! `plinth report`.

use crate::args::{Common, Report};
use crate::out_file;
use crate::printer::Printer;
use crate::recorded::{Chosen, Recorded};
use crate::searched;
use plinth_app::overwrite::{is_events, replaceable};
use plinth_app::support::Redaction;
use plinth_app::{Failure, Input};
use plinth_model::text::visible_json;
use plinth_model::{Event, Exit, Problem};
use plinth_report::document::{self, Document, Form, Written};
use plinth_report::export::Exported;
use plinth_world::files;
use std::path::Path;

/// Mode of what is written: it holds what happened, and names of machines.
const MODE: u32 = 0o644;
/// Largest report that is read back, bytes; plinth writes none above 5 MB.
const LARGEST: usize = 64 * 1024 * 1024;

/// Writes a run as one page, or gives back the events of such a page. Reads the journal and the site's secrets, and contacts nobody.
pub(crate) fn run(common: &Common, verb: &Report, printer: &Printer) -> Result<Exit, Failure> {
    match &verb.extract {
        Some(report) => extract(report, verb.out.as_deref(), printer),
        None => write(common, verb, printer),
    }
}

fn write(common: &Common, verb: &Report, printer: &Printer) -> Result<Exit, Failure> {
    let recorded = Recorded::open(common)?;
    let redaction = Redaction::of(&Input::load(&common.file)?, &recorded.directory);
    let chosen = recorded.choose(&verb.which.run)?;
    let form = if verb.dir.is_some() { Form::Folder } else { Form::OneFile };
    let written = written((&recorded, &chosen), form, &redaction, printer)?;
    let place = match (&verb.dir, &verb.out) {
        (Some(folder), _) => {
            write_folder(folder, &written)?;
            folder
        }
        (None, Some(file)) => {
            put(file, written.html.as_bytes(), out_file::is_report)?;
            file
        }
        (None, None) => return Ok(Exit::Done),
    };
    searched::tell_gaps("the report", &redaction, printer);
    if let Some(text) = &written.left_out {
        printer.changed(text);
    }
    printer.changed(&format!("{}: {}", place.display(), searched::summary(&redaction)));
    Ok(Exit::Done)
}

/// The page, without secrets: they are taken out of the events, then of every text that is made of them, and then it is searched.
fn written(
    (recorded, chosen): (&Recorded, &Chosen),
    form: Form,
    redaction: &Redaction,
    printer: &Printer,
) -> Result<Written, Failure> {
    let short = recorded.rewritten(chosen, chosen.events.iter().map(document::without_digest).collect())?;
    let lines = visible_json(&redaction.redact(&short.lines())).into_owned();
    let mut clean = recorded.rewritten(chosen, events(&lines)?)?;
    recorded.find_slow(&mut clean, printer)?;
    let run = Exported {
        site: &recorded.site,
        shown: clean.shown(),
        columns: &clean.analysis.columns,
        plinth: env!("PLINTH_VERSION"),
    };
    let redact = |text: &str| redaction.redact(text);
    let written = Document { run, events: &lines }.write(form, &redact).map_err(|error| {
        Problem::while_doing("packing the events").wrong_input(error).try_this("see that there is memory for it")
    })?;
    let texts = document::texts(&written.html);
    if redaction.finds_any(lines.as_bytes()) || texts.iter().any(|text| redaction.finds_any(text.as_bytes())) {
        return Err(Problem::while_doing("writing the report")
            .bug("a secret of the site stands in it after it was taken out; nothing was written")
            .try_this("send the output of `plinth why` instead, and report this")
            .into());
    }
    Ok(written)
}

/// Events without secrets, read again: everything else is made of these.
fn events(lines: &str) -> Result<Vec<Event>, Problem> {
    let read = |line: &str| {
        serde_json::from_str(line).map_err(|error| {
            Problem::while_doing("taking secrets out of the events")
                .bug(error)
                .try_this("look whether a secret of the site is a word that events need, such as `step`")
        })
    };
    lines.lines().map(read).collect()
}

/// The files of a report, over nothing but those of another one: a folder whose page is a report is ours.
fn write_folder(folder: &Path, written: &Written) -> Result<(), Problem> {
    std::fs::create_dir_all(folder).map_err(|error| not_written(folder, error))?;
    let page = folder.join("index.html");
    let is_ours = |_: &Path| out_file::is_report(&page);
    let events = folder.join(document::EVENTS_FILE);
    let files = [&page, &folder.join(document::STYLE_FILE), &events];
    files.iter().try_for_each(|file| replaceable(file, is_ours))?;
    put(&folder.join(document::STYLE_FILE), document::style().as_bytes(), is_ours)?;
    match &written.events {
        Some(packed) => put(&events, packed, is_ours)?,
        // Those of an earlier report would be taken for this one's.
        None if events.exists() => std::fs::remove_file(&events).map_err(|error| not_written(&events, error))?,
        None => {}
    }
    put(&page, written.html.as_bytes(), is_ours)
}

fn put(file: &Path, bytes: &[u8], ours: impl Fn(&Path) -> bool) -> Result<(), Problem> {
    out_file::write(file, bytes, MODE, "writing the report to", ours)
}

fn not_written(place: &Path, error: impl std::fmt::Display) -> Problem {
    Problem::while_doing("writing the report to")
        .to(place.display())
        .wrong_input(error)
        .try_this("choose a folder that you can write to")
}

fn extract(report: &Path, out: Option<&Path>, printer: &Printer) -> Result<Exit, Failure> {
    let refused = |error: String| {
        Problem::while_doing("reading the report")
            .to(report.display())
            .wrong_input(error)
            .try_this("name a file that `plinth report --out` wrote, as it wrote it")
    };
    let text = files::read_up_to(report, LARGEST).map_err(|error| refused(error.to_string()))?;
    let events = document::extract(&String::from_utf8_lossy(&text)).map_err(|error| refused(error.to_string()))?;
    match out {
        Some(file) => out_file::write(file, events.as_bytes(), MODE, "writing the events to", is_events)?,
        None => printer.file(&events),
    }
    Ok(Exit::Done)
}
