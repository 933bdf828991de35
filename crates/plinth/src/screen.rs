//! What an operation tells on its way, on the terminal.

use crate::printer::{Printer, palette};
use plinth_app::Audience;
use plinth_model::{Finding, Problem, Severity};
use plinth_site::Site;
use plinth_world::secrets::Secrets;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Talks at once, or keeps what is said until something else was said first.
pub(crate) struct Screen<'a> {
    printer: &'a Printer,
    /// Texts that wait.
    waiting: Option<Mutex<Vec<String>>>,
    /// Whether the log outlives this process, so that it can be named.
    is_lasting: bool,
}

impl<'a> Screen<'a> {
    /// Talks at once.
    pub(crate) const fn new(printer: &'a Printer) -> Self {
        Self { printer, waiting: None, is_lasting: true }
    }

    /// Talks when it is told to. `is_lasting`: the folder that is worked in is kept.
    pub(crate) fn waiting(printer: &'a Printer, is_lasting: bool) -> Self {
        Self { printer, waiting: Some(Mutex::default()), is_lasting }
    }

    /// Says what waited.
    pub(crate) fn go_on(&self) {
        let Some(waiting) = &self.waiting else { return };
        for text in std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner)) {
            self.printer.talk(&text);
        }
    }

    fn talk(&self, text: String) {
        match &self.waiting {
            None => self.printer.talk(&text),
            Some(waiting) => waiting.lock().unwrap_or_else(PoisonError::into_inner).push(text),
        }
    }
}

impl Audience for Screen<'_> {
    fn guard(&self, secrets: Arc<dyn Secrets>) {
        self.printer.log().guard(secrets);
    }

    fn opened(&self, directory: &Path, secrets: Arc<dyn Secrets>) -> Result<(), Problem> {
        self.printer.log().keep(directory, secrets, self.is_lasting)
    }

    fn text(&self, text: &str) {
        self.talk(text.to_owned());
    }

    fn findings(&self, site: &Site, findings: &[Finding]) {
        let color = self.printer.color_err();
        self.talk(plinth_site::render::findings_text(findings, site.source(), site.file(), color));
    }

    /// Folded, errors first. A rehearsal, whose screen waits, is not where remarks are read.
    fn checked(&self, findings: &[Finding]) {
        if self.waiting.is_some() && findings.iter().all(|finding| finding.severity == Severity::Info) {
            return;
        }
        self.talk(plinth_report::preflight::preflight(findings, palette(self.printer.color_err())));
    }
}
