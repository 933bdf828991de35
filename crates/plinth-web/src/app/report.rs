//! The run as one file to hand over.

use super::{App, Refused, unwritten};
use crate::answer::{Answer, HTML};
use crate::route::Query;
use axum::http::header::CONTENT_DISPOSITION;
use plinth_model::text::visible_json;
use plinth_report::document::{self, Document, Form};
use plinth_report::export::Exported;

impl App {
    /// The report, to be kept as a file: its script does not run here. It holds what the pages show, which knows no secret of the site;
    /// `plinth report`, which may read them, searches for them as well.
    pub(super) fn report(&self, run: &str, query: &Query) -> Result<Answer, Refused> {
        self.of_run(run, query, |record| {
            let (Some(shown), Some(analysis)) = (record.shown(), record.analysis()) else {
                return Err(Refused::NoSuch);
            };
            let (site, plinth) = (self.runs.source.site(), self.runs.source.version());
            let mut lines = String::new();
            for event in &record.events {
                let line =
                    serde_json::to_string(&document::without_digest(event)).map_err(|error| unwritten(&error))?;
                lines.push_str(&line);
                lines.push('\n');
            }
            let lines = visible_json(&lines);
            let run = Exported { site: &site, shown, columns: &analysis.columns, plinth };
            let document = Document { run, events: &lines };
            let written = document.write(Form::OneFile, &str::to_owned).map_err(|error| unwritten(&error))?;
            let name = format!("attachment; filename=\"plinth-{site}-{}.html\"", analysis.entry.run);
            Ok(Answer::new(HTML, written.html).with(CONTENT_DISPOSITION, &name))
        })
    }
}
