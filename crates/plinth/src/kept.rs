//! What a site's state directory keeps, read without its lock: while a run is on, and without contacting anybody.

use crate::args::Common;
use plinth_app::{Failure, Input, state};
use plinth_model::{Problem, SiteName};
use plinth_run::Journal;
use plinth_run::journal::JournalReader;
use std::path::{Path, PathBuf};

/// The state directory of a site, opened for reading.
pub(crate) struct Kept {
    pub(crate) site: SiteName,
    pub(crate) directory: PathBuf,
    /// None: there never was a run.
    pub(crate) journal: Option<JournalReader>,
}

impl Kept {
    /// Opens it. A journal of another site is refused, and so is a folder given with `--state` that is not there.
    pub(crate) fn open(common: &Common) -> Result<Self, Failure> {
        Self::look(common, common.state.is_some())
    }

    /// The same for who can do without: a folder that is not there holds no run.
    pub(crate) fn open_if_there(common: &Common) -> Result<Self, Failure> {
        Self::look(common, false)
    }

    fn look(common: &Common, must_be_there: bool) -> Result<Self, Failure> {
        let input = Input::load(&common.file)?;
        let site = input.site.desired.name.clone();
        let directory = state::directory(common.state.as_deref(), &site)?;
        state::inspect(&directory)?;
        state::same_identity(&directory, &input.site)?;
        readable(&directory, must_be_there)?;
        let journal = Journal::open_read_only(&directory).map_err(Problem::from)?;
        let known = journal.as_ref().and_then(|journal| journal.view().run.as_ref());
        state::same_site(&directory, &site, known.map(|run| &run.site))?;
        Ok(Self { site, directory, journal })
    }
}

/// A folder that cannot be looked into says nothing about the site.
fn readable(directory: &Path, must_be_there: bool) -> Result<(), Problem> {
    match std::fs::read_dir(directory) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_be_there => Ok(()),
        Err(error) => Err(Problem::while_doing("reading the state directory")
            .to(directory.display())
            .wrong_input(error)
            .try_this("check the folder given with `--state`")),
    }
}
