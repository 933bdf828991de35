//! The kubeconfig itself: whether the one we hold works, and how a new one is had.

use crate::api::{Call, KubeApi, unusable};
use crate::config::KubeconfigFile;
use crate::failure::Failure;
use async_trait::async_trait;
use backon::{ConstantBuilder, Retryable as _};
use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::api::{Api, ListParams};
use plinth_model::steps::NodeTarget;
use plinth_world::kube::{HeldConfig, KubeAccess};
use plinth_world::{ClientResult, Context, deadlines};

#[async_trait]
impl KubeAccess for KubeApi {
    /// Whether the kubeconfig works, by a question that only somebody known and trusted may ask.
    async fn kubeconfig(&self, ctx: &Context) -> ClientResult<Option<HeldConfig>> {
        let Some(held) = self.held()? else { return Ok(None) };
        let server = held.server().unwrap_or_default().to_owned();
        let call = self.call_with(ctx, format!("trying the kubeconfig for {server}"), &held).await?;
        let refused = match call.attempt(|| question(call.client())).await {
            Ok(()) => None,
            Err(failure) if failure.refuses_config() => Some(failure.happened),
            Err(_) => {
                call.read(|| question(call.client())).await?;
                None
            }
        };
        Ok(Some(HeldConfig { server, refused }))
    }

    /// Fetches the kubeconfig and tries it until it works; only then it takes the place of the one before.
    async fn fetch_kubeconfig(&self, ctx: &Context, from: &NodeTarget, server: &str) -> ClientResult<()> {
        let doing = format!("fetching the kubeconfig from {}", from.node);
        let text = self.nodes.admin_config(ctx, from).await?;
        let theirs = KubeconfigFile::parse(text.expose()).map_err(|error| unusable(&doing, &error))?;
        let ours = theirs.for_site(self.site().as_str(), server).map_err(|error| unusable(&doing, &error))?;
        self.keep_if_it_works(ctx, doing, &ours).await
    }
}

impl KubeApi {
    /// Tries a kubeconfig until it works; only then it takes the place of the one before.
    pub(super) async fn keep_if_it_works(
        &self,
        ctx: &Context,
        doing: impl Into<String> + Send,
        ours: &KubeconfigFile,
    ) -> ClientResult<()> {
        let call = self.call_with(ctx, doing, ours).await?;
        settled(&call).await?;
        self.keep(ours)
    }
}

/// The API server of a fresh control plane may be seconds late.
async fn settled(call: &Call<'_>) -> ClientResult<()> {
    let clock = call.ctx().clock();
    let began = clock.elapsed();
    let again = ConstantBuilder::new().with_delay(deadlines::KUBE_SETTLE_PAUSE).without_max_times();
    let settles = |failure: &Failure| {
        let waited = clock.elapsed().saturating_sub(began) + deadlines::KUBE_SETTLE_PAUSE;
        failure.transient().is_some() && waited <= deadlines::KUBE_SETTLES
    };
    let tell = |failure: &Failure, _| {
        call.ctx().progress(0, 0, format!("{} does not answer yet: {}", call.server(), failure.happened));
    };
    let question = || call.attempt(|| question(call.client()));
    let answer = question.retry(again).sleep(call.ctx().pause()).when(settles).notify(tell).await;
    answer.map_err(|failure| call.error(failure))
}

async fn question(client: Client) -> kube::Result<()> {
    Api::<Node>::all(client).list_metadata(&ListParams::default().limit(1)).await.map(drop)
}
