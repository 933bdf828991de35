//! Opening: the state directory, the secrets, the lock. Nobody is contacted.

use super::Operation;
use crate::audience::Audience;
use crate::failure::Failure;
use crate::goal::Goal;
use crate::input::Input;
use crate::state::{self, SiteLock};
use crate::world::{OpenWorld, World, recorded_inventory};
use plinth_model::{Finding, Problem, Severity};
use std::path::Path;
use std::sync::Mutex;

/// What an operation starts from.
pub struct Setup<'a> {
    /// The site file and the catalog.
    pub input: Input,
    /// State directory; none: the site's own below the user's state directory.
    pub state: Option<&'a Path>,
    /// A recorded inventory, instead of the one that the site file names.
    pub recorded: Option<&'a Path>,
    /// What it may do.
    pub access: Access,
    /// What the operation is to come to; it decides what is observed and planned.
    pub goal: Goal,
    /// Who is told what happens on the way.
    pub audience: &'a dyn Audience,
}

/// What an operation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Ask the inventory and nobody else. No lock is taken and nothing is written.
    Read,
    /// Contact the site's systems, write into the state directory, run plans. Needs the lock, and every secret of the site
    /// unless the goal does with fewer.
    Change,
}

impl<'a> Operation<'a> {
    /// Opens a site. Contacts nobody; a rehearsal's BCM is started in this process.
    ///
    /// # Errors
    /// With a finding for each secret that is needed and cannot be had; when the state directory is of another site or of the other
    /// kind of run; exit 5 when somebody else holds the lock.
    pub fn open(setup: Setup<'a>, world: World) -> Result<Self, Failure> {
        let Setup { input, state, recorded, access, goal, audience } = setup;
        let directory = state::directory(state, &input.site.desired.name)?;
        match access {
            Access::Read => state::kind_fits(&directory, world.is_rehearsal())?,
            Access::Change => state::open(&directory, world.is_rehearsal())?,
        }
        state::identity::same(&directory, &input.site)?;
        let recorded = recorded.map(recorded_inventory).transpose()?;
        let (world, desired, recorded) = OpenWorld::open(world, &input, &directory, recorded)?;
        let (skips_source_check, traceparent, lock) = (false, None, None);
        let (tells_rehearsal, untold) = (false, Vec::new());
        let mut operation = Self {
            input,
            desired,
            directory,
            recorded,
            goal,
            audience,
            lock,
            world,
            skips_source_check,
            traceparent,
            tells_rehearsal,
            untold,
        };
        operation.world.secrets().into_iter().for_each(|secrets| audience.guard(secrets));
        operation.need_secrets(access)?;
        if access == Access::Change {
            let (directory, name) = (&operation.directory, &operation.desired.name);
            let rehearsal = operation.world.is_rehearsal();
            let lock = SiteLock::take(directory, name, rehearsal, operation.world.durability())?;
            operation.lock = Some(Mutex::new(lock.retaining(operation.desired.run.keep)));
            state::identity::keep(&operation.directory, &operation.input.site)?;
            if !rehearsal {
                state::mark::Mark::keep(&operation.directory)?;
            }
            operation.world.begin(&operation.desired)?;
            operation.say_opened()?;
        }
        Ok(operation)
    }

    /// Says that a log can begin, as soon as it is known what is secret: a rehearsal makes its secrets up.
    pub(crate) fn say_opened(&self) -> Result<(), Problem> {
        let (Some(secrets), Some(_)) = (self.world.secrets(), &self.lock) else { return Ok(()) };
        self.audience.opened(&self.directory, secrets)?;
        tracing::info!(site = %self.desired.name, rehearsal = self.world.is_rehearsal(), "opened");
        Ok(())
    }

    /// All secrets that this operation needs, before anything that must not wait; those that cannot be had are named at once.
    fn need_secrets(&self, access: Access) -> Result<(), Failure> {
        let inventory = self.recorded.is_none().then_some("inventory");
        let paths: Vec<&str> = match (access, &self.goal) {
            // Test pods are made with the kubeconfig that is held; nobody signs in to a node.
            (Access::Change, Goal::Checks(chosen)) => {
                inventory.into_iter().chain(chosen.may_ask_runai().then_some("runai.admin")).collect()
            }
            (Access::Read, _) | (Access::Change, Goal::MirrorList) => inventory.into_iter().collect(),
            (Access::Change, _) => vec![""],
        };
        let missing = paths.iter().flat_map(|path| self.world.missing_secrets(&self.desired, path));
        // Nobody is told then, and the run is the same.
        let missing = missing.map(|missing| match missing.subject.starts_with(plinth_site::NOTIFY) {
            true => Finding { severity: Severity::Warning, ..missing },
            false => missing,
        });
        self.accept(missing.collect())?;
        self.tell(&self.world.secret_warnings());
        Ok(())
    }

    /// Ends the operation if there is an error among these findings, and tells them otherwise.
    ///
    /// # Errors
    /// All of the findings, when one of them is an error.
    pub fn accept(&self, findings: Vec<Finding>) -> Result<(), Failure> {
        if findings.iter().any(Finding::is_error) {
            return Err(self.input.rejected_after_contact(findings));
        }
        self.tell(&findings);
        Ok(())
    }

    /// Tells findings that end nothing.
    pub(crate) fn tell(&self, findings: &[Finding]) {
        if !findings.is_empty() {
            self.audience.findings(&self.input.site, &self.input.place(findings.to_vec()));
        }
    }
}
