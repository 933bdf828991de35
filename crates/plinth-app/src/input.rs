//! What an operation starts from: the site file and the catalog.

use crate::admin_password;
use crate::failure::Failure;
use plinth_catalog::Catalog;
use plinth_keystore::SiteSecrets;
use plinth_model::{Finding, Problem};
use plinth_site::Rejected;
use plinth_site::Site;
use std::io::Read as _;
use std::path::Path;

/// Names standard input instead of a file.
const STDIN: &str = "-";

/// The site file and the catalog.
pub struct Input {
    /// The site file, with where each of its parts stands.
    pub site: Site,
    /// Components and versions that this plinth knows.
    pub catalog: Catalog,
}

impl Input {
    /// Reads the site file; the catalog is inside the binary.
    ///
    /// # Errors
    /// When the site file cannot be read or holds an error; all of its findings are given at once.
    pub fn load(file: &Path) -> Result<Self, Failure> {
        let site = if file == Path::new(STDIN) { piped()? } else { plinth_site::load(file)? };
        Ok(Self { catalog: catalog()?, site })
    }

    /// Points findings at their place in the site file, where their subject is a path in it.
    #[must_use]
    pub fn place(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        for finding in &mut findings {
            if finding.position.is_none()
                && let Some(position) = self.site.position(&finding.subject)
            {
                *finding = finding.clone().at(position);
            }
        }
        findings
    }

    /// The secrets of this site, whose state is in this directory. No program that gives one is given those that are in variables.
    pub(crate) fn secrets(&self, directory: &Path) -> SiteSecrets {
        let references = plinth_site::secret_refs(&self.site.desired);
        let hidden = references.iter().map(|(_, reference)| reference);
        SiteSecrets::new(directory).below(self.site.folder()).hiding(hidden)
    }

    /// A finding for each secret of the site that cannot be had, and for each whose file others can read. Programs that the site
    /// names for its secrets are run.
    #[must_use]
    pub fn check_secrets(&self, directory: &Path) -> Vec<Finding> {
        let secrets = self.secrets(directory);
        let mut findings = secrets.check_all(&plinth_site::secret_refs(&self.site.desired));
        findings.extend(admin_password::weak(&secrets, &self.site.desired, ""));
        findings.extend(secrets.warnings());
        findings
    }

    /// The end of a verb that only reads because of these findings.
    #[must_use]
    pub fn rejected(&self, findings: Vec<Finding>) -> Failure {
        self.refused(findings, false).into()
    }

    /// The end of an operation, which may have asked BCM or nodes before.
    #[must_use]
    pub fn rejected_after_contact(&self, findings: Vec<Finding>) -> Failure {
        self.refused(findings, true).into()
    }

    fn refused(&self, findings: Vec<Finding>, contacted: bool) -> Rejected {
        let (source, file) = (self.site.source().to_owned(), self.site.file().to_owned());
        Rejected { findings: self.place(findings), source, file, contacted }
    }
}

/// The site file as it comes through standard input; names of files in it start at the current folder.
fn piped() -> Result<Site, Failure> {
    let mut bytes = Vec::new();
    // One more than is taken, so that what is too long is seen to be.
    let most = u64::try_from(plinth_site::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(|error| {
        Problem::while_doing("reading the site file from standard input")
            .wrong_input(error)
            .try_this("name a file with `-f FILE`")
    })?;
    Ok(plinth_site::parse(bytes, Path::new("standard-input"))?)
}

/// The catalog inside the binary.
///
/// # Errors
/// When it does not hold together, which is our bug.
pub fn catalog() -> Result<Catalog, Problem> {
    Catalog::embedded().map_err(|error| Problem::while_doing("reading the catalog inside plinth").bug(error))
}
