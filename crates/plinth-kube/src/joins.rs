//! Where nodes that join find the API: kubeadm reads the ConfigMap `cluster-info` in `kube-public`, which names the server that was the
//! cluster's first, unless there is a shared endpoint. While that one is away nobody joins, and least of all itself.
//!
//! The cluster's own controller signs the content anew when it changes.

use crate::api::KubeApi;
use async_trait::async_trait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use plinth_model::steps::NodeTarget;
use plinth_world::kube::KubeJoins;
use plinth_world::{ClientError, ClientResult, Context};
use serde_json::{Value, json};

const NAMESPACE: &str = "kube-public";
const NAME: &str = "cluster-info";
const KEY: &str = "kubeconfig";

#[async_trait]
impl KubeJoins for KubeApi {
    /// Whether the server that was named is on one of these nodes, and so was replaced.
    async fn redirect_joins(&self, ctx: &Context, away: &[NodeTarget], server: &str) -> ClientResult<bool> {
        let call = self.call(ctx, format!("reading {NAME} in {NAMESPACE}")).await?;
        let maps = Api::<ConfigMap>::namespaced(call.client(), NAMESPACE);
        let Some(found) = call.read(|| maps.get_opt(NAME)).await? else { return Ok(false) };
        let text = found.data.and_then(|mut data| data.remove(KEY)).unwrap_or_default();
        let wrong = |why: String| -> ClientError {
            call.fails(why, "look at it with `kubectl -n kube-public get cm cluster-info`")
        };
        let Some(changed) = redirected(&text, away, server).map_err(wrong)? else { return Ok(false) };
        // With the version that was read, so that nobody else's change is lost.
        let patch = json!({"metadata": {"resourceVersion": found.metadata.resource_version}, "data": {KEY: changed}});
        let params = PatchParams::default();
        let patch = Patch::Merge(&patch);
        call.write(|| maps.patch(NAME, &params, &patch)).await?;
        Ok(true)
    }
}

/// The content with another server where it names one of these nodes.
fn redirected(text: &str, away: &[NodeTarget], server: &str) -> Result<Option<String>, String> {
    let mut config: Value = serde_saphyr::from_str(text).map_err(|error| format!("it is no kubeconfig: {error}"))?;
    let mut changed = false;
    for cluster in config["clusters"].as_array_mut().into_iter().flatten() {
        let named = &mut cluster["cluster"]["server"];
        let is_there =
            |target: &NodeTarget| named.as_str().is_some_and(|url| url.contains(&format!("//{}:", target.address)));
        if away.iter().any(is_there) {
            *named = json!(server);
            changed = true;
        }
    }
    if !changed {
        return Ok(None);
    }
    serde_saphyr::to_string(&config).map(Some).map_err(|error| format!("it cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_model::NodeName;
    use plinth_model::steps::Credential;

    const INFO: &str = "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: QUJD\n    server: https://10.0.0.1:6443\n  name: \"\"\nkind: Config\n";

    fn at(last: u8) -> NodeTarget {
        NodeTarget {
            node: NodeName::new(&format!("n{last}")).unwrap(),
            address: std::net::Ipv4Addr::new(10, 0, 0, last),
            port: 22,
            user: "plinth".to_owned(),
            credential: Credential::Agent,
            legacy_keys: false,
            jump: None,
        }
    }

    #[test]
    fn only_a_server_that_is_away_is_replaced() {
        let changed = redirected(INFO, &[at(1)], "https://10.0.0.2:6443").unwrap().unwrap();
        let (before, after): (Value, Value) =
            (serde_saphyr::from_str(INFO).unwrap(), serde_saphyr::from_str(&changed).unwrap());
        assert_eq!(after.pointer("/clusters/0/cluster/server").unwrap(), "https://10.0.0.2:6443");
        let data = "/clusters/0/cluster/certificate-authority-data";
        assert_eq!(after.pointer(data), before.pointer(data));
        assert_eq!(after.pointer("/clusters/0/name"), before.pointer("/clusters/0/name"));
        assert_eq!(redirected(INFO, &[at(2), at(11)], "https://10.0.0.3:6443").unwrap(), None);
        assert!(redirected("no: [kubeconfig", &[at(1)], "x").is_err());
    }
}
