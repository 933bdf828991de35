//! A cluster that is already there: its kubeconfig is read, tried, and copied; never changed.

use crate::api::KubeApi;
use crate::checks::default_classes;
use crate::config::KubeconfigFile;
use crate::mark;
use async_trait::async_trait;
use plinth_model::finding::code;
use plinth_model::{DefaultClass, Finding, Version};
use plinth_world::kube::{ClusterMark, ExistingCluster, GivenConfig};
use plinth_world::{ClientError, ClientResult, Context};

const FIX: &str = "give the file of an administrator with everything in it: `kubectl config view --raw --flatten --minify > FILE`, \
                   with a certificate, or with a token of a service account";

impl KubeApi {
    /// The site's kubeconfig as ours: its current context alone, under the site's name.
    fn given_config(&self, file: &str) -> ClientResult<KubeconfigFile> {
        let path = self.beside_site(file);
        let refused = |why: String| {
            let doing = format!("reading the kubeconfig {}", path.display());
            let finding = Finding::error(code::KUBERNETES_KUBECONFIG_UNUSABLE, "kubernetes.kubeconfig", why.clone());
            ClientError::new("kube", doing)
                .happened(why)
                .attempt(FIX)
                .finding(finding.evidence(path.display().to_string()).fix(FIX))
        };
        let theirs = match KubeconfigFile::read(&path) {
            Ok(Some(theirs)) => theirs,
            Ok(None) => return Err(refused("the file is not there".to_owned())),
            Err(error) => return Err(refused(error.to_string())),
        };
        if theirs.runs_program() {
            return Err(refused(
                "its user runs a program to prove who it is; plinth would have to run it too".to_owned(),
            ));
        }
        let server = theirs.server().unwrap_or_default().to_owned();
        if !server.starts_with("https://") {
            return Err(refused("it names no server that is reached over HTTPS".to_owned()));
        }
        theirs.for_site(self.site().as_str(), &server).map_err(|error| refused(error.to_string()))
    }
}

#[async_trait]
impl ExistingCluster for KubeApi {
    async fn given(&self, _: &Context, file: &str) -> ClientResult<GivenConfig> {
        let given = self.given_config(file)?;
        let held = self.held()?.is_some_and(|held| held.json().expose() == given.json().expose());
        Ok(GivenConfig { server: given.server().unwrap_or_default().to_owned(), held })
    }

    async fn mark(&self, ctx: &Context, file: &str) -> ClientResult<ClusterMark> {
        let given = self.given_config(file)?;
        let doing = format!("asking {} who manages the cluster", given.server().unwrap_or_default());
        mark::look(&self.call_with(ctx, doing, &given).await?, self.mark.as_ref()).await
    }

    async fn take_over(&self, ctx: &Context, file: &str) -> ClientResult<()> {
        let given = self.given_config(file)?;
        let doing = format!("marking the cluster at {}", given.server().unwrap_or_default());
        mark::write(&self.call_with(ctx, doing, &given).await?, self.mark.as_ref()).await?;
        self.keep_if_it_works(ctx, format!("trying the kubeconfig {file}"), &given).await
    }

    async fn version(&self, ctx: &Context, file: &str) -> ClientResult<Version> {
        let given = self.given_config(file)?;
        let doing = format!("asking {} for its version", given.server().unwrap_or_default());
        let call = self.call_with(ctx, doing, &given).await?;
        let told = call.read(|| async { call.client().apiserver_version().await }).await?;
        told.git_version.parse().map_err(|error| call.fails(format!("{error}"), "look at `kubectl version`"))
    }

    async fn default_classes(&self, ctx: &Context, file: &str) -> ClientResult<Vec<DefaultClass>> {
        let given = self.given_config(file)?;
        let doing = format!("listing storage classes of the cluster at {}", given.server().unwrap_or_default());
        default_classes(&self.call_with(ctx, doing, &given).await?).await
    }
}

#[cfg(test)]
#[path = "existing_tests.rs"]
mod tests;
