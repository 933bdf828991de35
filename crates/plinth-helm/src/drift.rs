//! Objects of a release that somebody changed or removed, for charts that were made of one file of objects. Such objects are the maker's to
//! the letter, so a dry run of the server tells what is otherwise. Objects of other charts are left to health rules: operators and webhooks
//! write into many of them.

use crate::client::LocalHelm;
use crate::failure::CLIENT;
use crate::payload::Payload;
use crate::render;
use plinth_model::amount;
use plinth_model::api_group::{group_of, is_of_cluster, is_own};
use plinth_model::steps::Release;
use plinth_world::{ClientError, ClientResult, Context};
use serde_json::Value;

impl LocalHelm {
    /// Differences between what was applied and what is there, one line each; none for a chart of its maker.
    pub(super) async fn drift(
        &self,
        ctx: &Context,
        release: &Release,
        there: &Payload,
        doing: &str,
    ) -> ClientResult<Vec<String>> {
        if !release.of_objects {
            return Ok(Vec::new());
        }
        self.cluster.diff(ctx, &applied(release, there, doing)?).await
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
        self.cluster.apply(ctx, &applied(release, there, doing)?).await?;
        Ok(vec![format!("{} that somebody changed or removed put right", amount(drift.len(), "object"))])
    }
}

/// Objects of the release as helm applied them, each with its namespace.
fn applied(release: &Release, there: &Payload, doing: &str) -> ClientResult<Vec<Value>> {
    let mut objects = render::objects(&there.manifest).map_err(|why| {
        ClientError::new(CLIENT, doing)
            .happened(format!("what helm keeps of its objects cannot be read: {why}"))
            .attempt("look at it with `helm get manifest`")
    })?;
    for object in &mut objects {
        let text = |key: &str| object[key].as_str().unwrap_or_default();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let has_none = object["metadata"]["namespace"].as_str().is_none_or(str::is_empty);
        if has_none && is_own(group_of(version)) && !is_of_cluster(version, kind) {
            object["metadata"]["namespace"] = release.namespace.clone().into();
        }
    }
    Ok(objects)
}
