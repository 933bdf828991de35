//! What a site file alone tells: itself, versions, files that it names. Whoever wrote the file has no say in what runs here: no
//! program is run, nobody is contacted and no secret is read.

use crate::goal::Goal;
use crate::input::Input;
use crate::state;
use crate::world::synthetic;
use plinth_model::finding::code;
use plinth_model::{Finding, Problem};
use plinth_plan::Observed;
use plinth_site::desired::{ChartSource, InventorySource, TlsTrust};
use plinth_world::files;
use std::path::Path;

impl Input {
    /// Everything that the file alone tells, each at its place in the file.
    ///
    /// # Errors
    /// When nodes cannot be made up for it, which is our bug.
    pub fn check(&self) -> Result<Vec<Finding>, Problem> {
        let mut findings = self.site.findings.clone();
        findings.extend(planned(self)?);
        findings.extend(authority_missing(self));
        findings.extend(charts_missing(self));
        Ok(self.place(findings))
    }

    /// Secrets that cannot be had now, which is an error, and those that others can read. Programs that the site names for its
    /// secrets are run. `state` is the state directory if it is not the usual one.
    ///
    /// # Errors
    /// When there is no place for a state directory.
    pub fn try_secrets(&self, state: Option<&Path>) -> Result<Vec<Finding>, Problem> {
        let directory = state::directory(state, &self.site.desired.name)?;
        Ok(self.place(self.check_secrets(&directory)))
    }
}

/// What planning with made-up nodes says: versions, components, values. Where BCM lists the nodes nothing is said of them, since their
/// names, numbers and addresses are made up.
fn planned(input: &Input) -> Result<Vec<Finding>, Problem> {
    let made_up = synthetic(&input.site.desired, None)?;
    let observed = Observed::new(made_up.inventory);
    let mut findings = match Goal::Site.plan(&made_up.desired, &observed, &input.catalog) {
        Ok(plan) => plan.findings,
        Err(findings) => findings,
    };
    if matches!(input.site.desired.inventory, InventorySource::Bcm(_)) {
        findings.retain(|finding| !is_about_nodes(finding));
    }
    Ok(findings)
}

fn is_about_nodes(finding: &Finding) -> bool {
    let code = finding.code;
    let counted = [code::SITE_EVEN_ETCD, code::SITE_POD_CAPACITY, code::KUBERNETES_ANNOUNCED_IN_USE].contains(&code);
    counted || code.as_str().starts_with("nodes.") || code.as_str().starts_with("bcm.address")
}

/// A folder that is not there now is only a warning: it may come later, or lie on another machine.
fn charts_missing(input: &Input) -> Option<Finding> {
    let Some(ChartSource::Folder(folder)) = &input.site.desired.platform.charts else { return None };
    let path = files::named(input.site.folder(), folder);
    let message = format!("{} is not there: no chart can be installed without it", path.display());
    (!path.is_dir()).then(|| {
        Finding::warning(code::SITE_FILE_MISSING, "platform.charts.folder", message)
            .fix("put the packages there; `plinth render mirror-list` names them")
    })
}

fn authority_missing(input: &Input) -> Option<Finding> {
    let InventorySource::Bcm(access) = &input.site.desired.inventory else { return None };
    let TlsTrust::CaFile(file) = &access.tls else { return None };
    let path = files::named(input.site.folder(), file);
    if path.is_file() {
        return None;
    }
    let message = format!("{} is not there: BCM cannot be asked without it", path.display());
    let finding = Finding::warning(code::SITE_FILE_MISSING, "inventory.bcm.tls.caFile", message);
    Some(finding.fix("copy the authority's certificate from the head node to that place"))
}
