//! The Python environment of a release.

use super::CLIENT;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::steps::KubesprayEnvironment;
use plinth_model::{Step, Version};
use plinth_world::ClientError;
use semver::VersionReq;
impl StepKind for KubesprayEnvironment {
    const EXPLANATION: Explanation = Explanation {
        kind: KubesprayEnvironment::KIND,
        title: "A Python environment with the Ansible of that release exists.",
        probe: "Reads its ansible-core version and compares it with the accepted range.",
        act: "Makes the environment from pinned packages.",
    };

    /// The environment is here, with an ansible-core that this release accepts (its own playbook enforces the range).
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { release } = self;
        match env.clients.ansible.environment(&env.ctx, release).await? {
            Some(version) if accepts(&release.ansible_core, &version)? => {
                done(format!("ansible-core {version} is ready for {}", release.tag))
            }
            Some(version) => todo(format!("~ ansible-core {version} → {}", release.ansible_core)),
            None => todo(format!("+ Python environment with ansible {}", release.ansible)),
        }
    }

    /// Makes the environment.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { release } = self;
        env.clients.ansible.make_environment(&env.ctx, release).await?;
        Ok(format!("environment with ansible {} made", release.ansible))
    }
}

fn accepts(range: &str, version: &str) -> Result<bool, ClientError> {
    let requirement = VersionReq::parse(range).map_err(|error| {
        let doing = format!("reading the accepted ansible-core range `{range}`");
        ClientError::new(CLIENT, doing)
            .happened(error.to_string())
            .attempt("make the plan again; the catalog holds this range")
    })?;
    Ok(version.parse::<Version>().is_ok_and(|version| requirement.matches(version.semver())))
}
