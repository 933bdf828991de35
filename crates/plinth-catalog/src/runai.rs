//! `runai.yaml`: what Run:ai fixes by name.

use crate::Facts;
use crate::expression::{Condition, ExpressionError, all_hold, render};
use plinth_model::Version;
use plinth_model::steps::{ClusterCredential, RunaiApi, TokenWay};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which of Run:ai's two parts a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RunaiPart {
    /// What people and the REST interface speak to; no component of this cluster where the site has it elsewhere.
    ControlPlane,
    /// The part in the cluster, which registers with the control plane.
    Cluster,
}

/// What Run:ai fixes by name.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunaiNames {
    pub(crate) schema: u32,
    /// Name under which the certificate of the domain is kept.
    pub certificate: String,
    /// Labels of nodes.
    pub node_roles: NodeRoles,
    api: Vec<ApiRow>,
    pub(crate) facts: Vec<DerivedFact>,
}

/// What of the REST interface changed with a version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiRow {
    from: Version,
    tokens: Option<Vec<TokenWay>>,
    #[serde(rename = "accountTokens")]
    account_tokens: Option<Vec<TokenWay>>,
    clusters: Option<String>,
    credentials: Option<String>,
    credential: Option<ClusterCredential>,
    nodes: Option<Vec<String>>,
    departments: Option<String>,
    projects: Option<String>,
    #[serde(rename = "nodePools")]
    node_pools: Option<String>,
    workloads: Option<String>,
    trainings: Option<String>,
}

impl ApiRow {
    /// What was so before, and what this row changes.
    fn over(&self, before: RunaiApi) -> RunaiApi {
        RunaiApi {
            tokens: self.tokens.clone().unwrap_or(before.tokens),
            clusters: self.clusters.clone().unwrap_or(before.clusters),
            credentials: self.credentials.clone().unwrap_or(before.credentials),
            credential: self.credential.unwrap_or(before.credential),
            nodes: self.nodes.clone().unwrap_or(before.nodes),
            departments: self.departments.clone().unwrap_or(before.departments),
            projects: self.projects.clone().unwrap_or(before.projects),
            node_pools: self.node_pools.clone().unwrap_or(before.node_pools),
            workloads: self.workloads.clone().unwrap_or(before.workloads),
            trainings: self.trainings.clone().unwrap_or(before.trainings),
        }
    }
}

impl RunaiNames {
    /// How a control plane of this version is spoken to. One that is older than all rows is spoken to like the oldest of them.
    #[must_use]
    pub fn api(&self, version: &Version) -> RunaiApi {
        let rows = self.api.iter().enumerate().filter(|(at, row)| *at == 0 || row.from <= *version);
        rows.fold(RunaiApi::default(), |before, (_, row)| row.over(before))
    }

    /// The same for who signs in with a service account (before 2.24 an application): only the ways to a token are others.
    #[must_use]
    pub fn account_api(&self, version: &Version) -> RunaiApi {
        let rows = self.api.iter().enumerate().filter(|(at, row)| *at == 0 || row.from <= *version);
        let tokens = rows.filter_map(|(_, row)| row.account_tokens.clone()).next_back();
        RunaiApi { tokens: tokens.unwrap_or_default(), ..self.api(version) }
    }
}

/// Labels by which Run:ai places its parts and workloads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRoles {
    /// Nodes of its system services.
    pub system: String,
    /// Workers with GPUs.
    pub gpu: String,
    /// Workers without GPUs.
    pub cpu: String,
}

/// A fact that follows from others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedFact {
    /// Its name.
    pub name: String,
    /// All must hold; otherwise it is as an earlier one of the same name left it.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Its value.
    pub value: Value,
}

impl DerivedFact {
    /// None: its conditions do not hold.
    pub(crate) fn value(&self, facts: &Facts) -> Result<Option<Value>, ExpressionError> {
        all_hold(&self.when, facts)?.then(|| render(&self.value, facts)).transpose()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Catalog;

    /// The two files were written apart; a line of versions is in both.
    #[test]
    fn every_line_of_versions_has_its_interface_and_the_credential_that_vendors_name() {
        let catalog = Catalog::embedded().unwrap();
        for (line, row) in &catalog.compatibility().runai {
            let api = catalog.runai().api(&line.parse().unwrap());
            assert_eq!(api.credential.field(), row.cluster_secret, "{line}");
            assert!(api.tokens.len() >= 2, "{line}");
            let paths =
                [&api.clusters, &api.credentials, &api.departments, &api.projects, &api.workloads, &api.trainings];
            assert!(!api.nodes.is_empty(), "{line}");
            for path in paths.into_iter().chain(&api.nodes) {
                assert!(path.starts_with("/api/v"), "{line}: {path}");
            }
        }
    }

    #[test]
    fn a_later_row_says_only_what_changed() {
        let api = |version: &str| Catalog::embedded().unwrap().runai().api(&version.parse().unwrap());
        let paths = |version: &str| api(version).tokens.iter().map(|way| way.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths("2.23.5"), paths("2.16"));
        assert_ne!(paths("2.23.5"), paths("2.24.1"));
        assert_eq!(paths("2.24.1"), paths("3.0"));
        assert_eq!((api("2.22").nodes.len(), api("2.23").nodes.len()), (1, 2));
        assert!(api("2.23").nodes[0].starts_with("/api/v1/nodes?"), "the newer one first");
        assert_eq!(api("2.26.9").credential, ClusterCredential::ClientSecret);
        assert_eq!(api("3.0.1").credential, ClusterCredential::BootstrapToken);
        assert_eq!(api("3.0.1").clusters, api("2.18").clusters);
        assert_eq!(api("2.18").node_pools, "/v1/k8s/clusters/{uuid}/node-pools");
        assert_eq!(api("2.19.3").node_pools, api("3.0").node_pools);
        assert_eq!(api("2.19.3").departments, api("2.18").departments);
    }
}
