//! Kubespray's source.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;
use plinth_model::steps::{KubesprayRelease, KubespraySource};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
impl StepKind for KubespraySource {
    const EXPLANATION: Explanation = Explanation {
        kind: KubespraySource::KIND,
        title: "Kubespray's source is here and is the pinned one.",
        probe: "Recomputes the tree id of the local copy from its files and compares the commit that was proved. Another one is never used.",
        act: "Fetches the source and verifies it.",
    };

    /// The source is here and is the pinned one: commit and tree, since a tarball has no history to check.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { release } = self;
        match env.clients.ansible.source(&env.ctx, release).await? {
            Some((commit, tree)) if commit == release.commit && tree == release.tree => {
                done(format!("{} is here, tree {} verified", release.tag, short(&tree)))
            }
            Some((commit, tree)) => blocked(source_differs(release, &commit, &tree)),
            None => todo(format!("+ Kubespray {} (commit {})", release.tag, short(&release.commit))),
        }
    }

    /// Fetches and verifies.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { release } = self;
        env.clients.ansible.fetch_source(&env.ctx, release).await?;
        Ok(format!("{} fetched and verified", release.tag))
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn source_differs(release: &KubesprayRelease, commit: &str, tree: &str) -> Finding {
    Finding::error(code::KUBESPRAY_SOURCE_DIFFERS, release.tag.as_str(), format!("the source of Kubespray {} is not the pinned one", release.tag))
        .evidence(format!("commit: {commit}; pinned {}", release.commit))
        .evidence(format!("tree: {tree}; pinned {}", release.tree))
        .evidence(format!("source: {}", release.source))
        .fix("remove the local copy so that it is fetched again; if it differs again, do not use this source: its tag was moved, or it was changed")
}
