//! Objects of a release that somebody changed or removed, for charts that were made of one file of objects. Such objects are the maker's to
//! the letter, so a dry run of the server tells what is otherwise. For those of other charts see `objects`: operators and webhooks write into
//! many of them. Definitions of kinds lie beside the templates (`crds/`), so helm's record has none of them: they are read from
//! the package. Not covered: definitions of a package that is not on this machine, while nothing else is otherwise.

use crate::crds;
use crate::documents;
use crate::failure::CLIENT;
use crate::local::LocalHelm;
use crate::objects;
use crate::package::of_package;
use crate::payload::Payload;
use plinth_model::steps::{CrdPolicy, Release};
use plinth_model::{ReleaseName, amount};
use plinth_world::{ClientError, ClientResult, Context};
use serde_json::Value;
use std::path::Path;

impl LocalHelm {
    /// Differences between what was applied and what is there, one line each; none for a chart of its maker.
    pub(super) async fn file_drift(
        &self,
        ctx: &Context,
        release: &Release,
        there: &Payload,
        doing: &str,
    ) -> ClientResult<Vec<String>> {
        if !release.of_objects {
            return Ok(Vec::new());
        }
        let definitions = match self.packages.at_hand(ctx, release).await? {
            Some(package) => beside(release, &package.file, doing)?,
            None => Vec::new(),
        };
        let mut lines = self.cluster.diff(ctx, &definitions).await?;
        // Without the definition there is no object of its kind, and the server compares none.
        if !lines.iter().any(|line| line.starts_with('+')) {
            lines.extend(self.cluster.diff(ctx, &applied(release, there, doing)?).await?);
        }
        Ok(lines)
    }

    /// Makes the objects what they were applied as. helm takes changed objects for what they are, and comes to none that is as it wrote it.
    pub(super) async fn put_right(
        &self,
        ctx: &Context,
        release: &Release,
        there: &Payload,
        drift: &[String],
        doing: &str,
    ) -> ClientResult<Vec<String>> {
        ctx.progress(0, 0, format!("{} of {} put right", amount(drift.len(), "object"), release.release));
        let package = self.packages.package(ctx, release).await?;
        let definitions = beside(release, &package.file, doing)?;
        if !definitions.is_empty() {
            crds::apply(ctx, &*self.cluster, &definitions, doing).await?;
        }
        self.cluster.apply(ctx, &applied(release, there, doing)?).await?;
        Ok(vec![format!("{} that somebody changed or removed put right", amount(drift.len(), "object"))])
    }
}

/// Definitions that plinth applies itself, since helm changes none that is there.
fn beside(release: &Release, package: &Path, doing: &str) -> ClientResult<Vec<Value>> {
    if release.crds == CrdPolicy::Apply { of_package(release, package, doing) } else { Ok(Vec::new()) }
}

/// Objects of the release as helm applied them, each with its namespace.
fn applied(release: &Release, there: &Payload, doing: &str) -> ClientResult<Vec<Value>> {
    let name = ReleaseName { namespace: release.namespace.clone(), name: release.release.clone() };
    let objects = documents::objects(&there.manifest).map_err(|why| {
        ClientError::new(CLIENT, doing)
            .happened(format!("what helm keeps of its objects cannot be read: {why}"))
            .attempt("look at it with `helm get manifest`")
    })?;
    Ok(objects.into_iter().map(|object| objects::applied(object, &name)).collect())
}
