//! The registration of a cluster, which must not be sent twice: the interface knows no conflict of names.

use crate::failure::{Cause, Effect, Failure};
use crate::link::Body;
use crate::session::Session;
use crate::timing::RunaiTiming;
use crate::wire::Cluster;
use plinth_model::steps::RunaiTarget;
use plinth_world::Context;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

/// All clusters of exactly this name that are there.
pub(crate) async fn named(session: &Session, ctx: &Context, target: &RunaiTarget) -> Result<Vec<Cluster>, Failure> {
    let clusters: Vec<Cluster> = session.read(ctx, &format!("{}?verbosity=full", target.api.clusters)).await?;
    Ok(clusters.into_iter().filter(|cluster| cluster.name == target.cluster && cluster.is_there()).collect())
}

/// Registers. Sent again only when it provably had no effect; when that is not known, the new entry is looked for.
pub(crate) async fn register(
    session: &Session,
    ctx: &Context,
    target: &RunaiTarget,
    timing: RunaiTiming,
) -> Result<Cluster, Failure> {
    let before: Vec<Uuid> = named(session, ctx, target).await?.into_iter().map(|cluster| cluster.uuid).collect();
    // Fields beyond these are refused, such as a description.
    let fields = json!({"name": target.cluster, "domain": target.cluster_url.as_ref().unwrap_or(&target.url), "version": target.version.bare()});
    let body = Body::Json(fields.to_string());
    let once = || async {
        let answer = session.call(ctx, Method::POST, &target.api.clusters, &body).await.map_err(only_if_unsent)?;
        answer.decode::<Cluster>().map_err(only_if_unsent)
    };
    match session.patiently(ctx, once).await {
        Ok(cluster) => Ok(cluster),
        Err(failure) if failure.effect == Effect::Possible => {
            read_back(session, ctx, target, &before, failure, timing).await
        }
        Err(failure) => Err(failure),
    }
}

/// A failure after which nothing may be sent again, unless it had no effect.
fn only_if_unsent(failure: Failure) -> Failure {
    match failure.effect {
        Effect::None => failure,
        Effect::Possible => {
            // A control plane that answered itself has ended what it was asked; of everything else nobody knows.
            let cause = if failure.cause == Cause::Server { Cause::Undone } else { Cause::Lost };
            Failure::new(cause, failure.happened).perhaps_done()
        }
    }
}

/// Looks for the entry that was not there before, until it is there or the time is over.
async fn read_back(
    session: &Session,
    ctx: &Context,
    target: &RunaiTarget,
    before: &[Uuid],
    failure: Failure,
    timing: RunaiTiming,
) -> Result<Cluster, Failure> {
    let until = ctx.clock().elapsed() + timing.read_back;
    let mut last = "no entry of that name appeared".to_owned();
    loop {
        let mut in_vain = false;
        ctx.progress(0, 0, "Run:ai: the registration was not answered; looking for the entry");
        match named(session, ctx, target).await {
            Ok(mut clusters) => {
                clusters.retain(|cluster| !before.contains(&cluster.uuid));
                match (clusters.pop(), clusters.len()) {
                    (Some(cluster), 0) => return Ok(cluster),
                    (Some(_), more) => last = format!("{} entries of that name appeared", more + 1),
                    (None, _) => {}
                }
            }
            Err(failure) => {
                // A refused login does not get better by asking, only worse.
                in_vain = failure.cause == Cause::Credentials;
                last = format!("the list could not be read: {}", failure.happened);
            }
        }
        if in_vain || ctx.clock().elapsed() >= until {
            let happened =
                format!("the registration was not answered as it should be ({}), and {last}", failure.happened);
            return Err(Failure { happened, ..failure });
        }
        ctx.clock().sleep(timing.read_back_pause).await;
    }
}
