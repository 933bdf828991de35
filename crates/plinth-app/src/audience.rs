//! Who is told what happens on the way: a terminal, a page, a test.

use plinth_model::Finding;
use plinth_site::Site;

/// Is told what happens on the way, in the order in which it happens. What ends an operation is not told here: that is a
/// [`crate::Failure`]. Texts hold no secrets.
pub trait Audience: Send + Sync {
    /// A sentence.
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
