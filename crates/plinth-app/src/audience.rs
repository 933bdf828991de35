//! Who is told what happens on the way: a terminal, a page, a test.

use plinth_model::{Finding, Problem};
use plinth_site::Site;
use plinth_world::secrets::Secrets;
use std::path::Path;
use std::sync::Arc;

/// Is told what happens on the way, in the order in which it happens. What ends an operation is not told here: that is a
/// [`crate::Failure`]. Texts hold no secrets.
pub trait Audience: Send + Sync {
    /// These secrets must be shown nowhere from now on, whoever asks: the operation is about to read them. It may keep nothing yet, and an
    /// operation that only reads never may.
    fn guard(&self, secrets: Arc<dyn Secrets>) {
        let _ = secrets;
    }
    /// The operation may write into this directory from now on, and these secrets must not be written anywhere: a log can begin.
    ///
    /// # Errors
    /// When it cannot; the operation ends.
    fn opened(&self, directory: &Path, secrets: Arc<dyn Secrets>) -> Result<(), Problem> {
        let _ = (directory, secrets);
        Ok(())
    }
    /// Says one sentence about what goes on; it asks for nothing.
    fn text(&self, text: &str);
    /// Findings that end nothing; their subjects may be paths in the site file.
    fn findings(&self, site: &Site, findings: &[Finding]);
    /// All that checking the nodes told, good or bad.
    fn checked(&self, findings: &[Finding]);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Audience for Nobody {
    fn text(&self, _: &str) {}
    fn findings(&self, _: &Site, _: &[Finding]) {}
    fn checked(&self, _: &[Finding]) {}
}
