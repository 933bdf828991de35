//! `runai.register`.

use crate::steps::{Effect, Lane, Properties, RunaiTarget, StepParams, Undo, deadlines};
use crate::{ReleaseName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster is registered, under one entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiRegister {
    /// Control plane.
    pub target: RunaiTarget,
    /// The release that installs it; none where it is not installed by plinth. Entries made before this installation are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseName>,
}

impl StepParams for RunaiRegister {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Runai,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: true,
        undo: Undo::OneWay("The entry is removed in the control plane; its identity, projects and history go with it."),
        expected_s: 5,
        deadline: deadlines::of::RUNAI_REGISTER,
    };

    const NOT_IN_DIGEST: &'static [&'static str] = &["release"];

    /// The control plane, the tenant in it, the name there. Not how it is spoken to, nor which version is to be registered.
    fn made_once(&self) -> Vec<&str> {
        vec![&self.target.url, &self.target.realm, &self.target.cluster]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::{Change, FORM, Step};
    use crate::{Digest, SecretRef, StepId, Work};

    #[test]
    fn the_release_that_is_looked_at_makes_no_other_step_of_it() {
        let step = |cluster: &str, release: Option<&str>| {
            let target = RunaiTarget {
                url: "https://runai.example.com".to_owned(),
                address: None,
                realm: "runai".to_owned(),
                admin: "admin@example.com".to_owned(),
                password: SecretRef::Env("P".to_owned()),
                authority: None,
                authority_text: None,
                cluster: cluster.to_owned(),
                cluster_url: None,
                version: "2.24.1".parse().unwrap(),
                api: crate::steps::RunaiApi::default(),
            };
            let release = release.map(|name| ReleaseName { namespace: name.to_owned(), name: name.to_owned() });
            let work = Work::from(RunaiRegister { target, release });
            let id = StepId::new("runai", "register", cluster);
            Step { id, work, needs: Vec::new(), reason: "a test".into(), change: Change::Check, when: None }
        };
        let plain = step("a", None);
        assert_eq!(step("a", Some("runai-backend")).digest(), plain.digest());
        assert_ne!(step("b", None).digest(), plain.digest());
        // Plans of before had no release and left nothing out; what their journals say of it must hold on.
        assert_eq!(plain.digest(), Digest::of(&(&plain.work, FORM)));
    }
}
