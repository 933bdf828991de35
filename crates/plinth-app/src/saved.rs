//! Plans in files: saved for a later apply, and refused when what they were made from moved.

use crate::input::Input;
use crate::operation::Planned;
use crate::overwrite::{is_plan, replaceable};
use plinth_model::inventory::{Inventory, SCHEMA};
use plinth_model::plan::MadeFrom;
use plinth_model::{NodeName, Plan, Problem};
use plinth_plan::Observed;
use plinth_world::files;
use std::path::{Path, PathBuf};

/// A plan that was read from a file.
pub struct SavedPlan {
    file: PathBuf,
    plan: Plan,
}

impl SavedPlan {
    /// Reads a file that `plan --out` wrote.
    ///
    /// # Errors
    /// When the file is no plan, or one of another format.
    pub fn read(file: &Path) -> Result<Self, Problem> {
        let name = file.display().to_string();
        let bytes = files::read_up_to(file, plinth_plan::saved::LARGEST).map_err(|error| {
            Problem::while_doing("reading the saved plan").to(&name).wrong_input(error).try_this("check the path")
        })?;
        if is_site_file(file, &bytes) {
            return Err(Problem::while_doing("reading the saved plan")
                .to(&name)
                .wrong_input("it is a site file")
                .try_this(format!("name it with `-f {name}`")));
        }
        Ok(Self { file: file.to_path_buf(), plan: plinth_plan::saved::read(&name, &bytes, None)? })
    }

    /// Nodes that it leaves out because a person wanted that; on those that were not fit their own steps are tried.
    #[must_use]
    pub fn without(&self) -> Vec<NodeName> {
        let is_tried = |node: &NodeName| self.plan.steps.iter().any(|step| step.work.node() == Some(node));
        self.plan.made_from.without.iter().filter(|node| !is_tried(node)).cloned().collect()
    }

    /// Refuses the plan when the site file or the catalog moved since: nobody need be asked for that.
    ///
    /// # Errors
    /// When it no longer fits; what moved is named.
    pub fn fits_input(&self, input: &Input) -> Result<(), Problem> {
        let now = plinth_plan::made_from(&input.site.desired, &Observed::new(nothing()), &input.catalog);
        self.fits_site(&input.site.desired.name)?;
        let (inventory, without) = (self.plan.made_from.inventory.clone(), self.plan.made_from.without.clone());
        self.fits(&MadeFrom { inventory, without, ..now })
    }

    /// Refuses the plan when it is not the one that would be made now.
    ///
    /// # Errors
    /// When it no longer fits; what moved is named.
    pub fn is_still(&self, now: &Planned) -> Result<(), Problem> {
        self.fits_site(&now.plan.site)?;
        self.fits(&now.plan.made_from)?;
        if self.plan.hash == now.plan.hash {
            return Ok(());
        }
        let moved = plinth_plan::diff::moved_charts(&self.plan, &now.plan);
        if !moved.is_empty() {
            return Err(self.stale(&format!("it no longer fits: {}", moved.join("; "))));
        }
        Err(self.stale("what is known of the nodes leads to another plan now"))
    }

    fn fits_site(&self, site: &plinth_model::SiteName) -> Result<(), Problem> {
        if self.plan.site == *site {
            return Ok(());
        }
        Err(self.stale(&format!("it is a plan of site `{}`, and this is site `{site}`", self.plan.site)))
    }

    fn fits(&self, now: &MadeFrom) -> Result<(), Problem> {
        let moved = plinth_plan::diff::moved(&self.plan.made_from, now);
        if moved.is_empty() {
            return Ok(());
        }
        let what: Vec<String> = moved.iter().map(ToString::to_string).collect();
        Err(self.stale(&format!("it no longer fits: {}", what.join("; "))))
    }

    fn stale(&self, happened: &str) -> Problem {
        Problem::while_doing("using the saved plan")
            .to(self.file.display())
            .wrong_input(format!("{happened}. Nothing was done"))
            .try_this("look at a new plan, and save that one")
    }
}

/// Writes a plan to a file, whole or not at all.
///
/// # Errors
/// When the file holds something else, or cannot be written.
pub fn save(plan: &Plan, file: &Path) -> Result<(), Problem> {
    replaceable(file, is_plan)?;
    let text = plinth_plan::saved::write(plan)?;
    files::write_whole(file, text.as_bytes()).map_err(|error| {
        let file = file.display().to_string();
        Problem::while_doing("saving the plan to")
            .to(file)
            .wrong_input(error)
            .try_this("choose a folder that you can write to")
    })
}

/// No inventory: BCM is not asked before the saved plan fits the site.
const fn nothing() -> Inventory {
    Inventory {
        schema: SCHEMA,
        source: String::new(),
        nodes: Vec::new(),
        networks: Vec::new(),
        categories: Vec::new(),
        overlays: plinth_model::Observed::Absent,
    }
}

/// A name in YAML with something else in it than a saved plan, which is JSON.
fn is_site_file(file: &Path, bytes: &[u8]) -> bool {
    let in_yaml = file.extension().is_some_and(|end| end == "yaml" || end == "yml");
    in_yaml && bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{')
}
