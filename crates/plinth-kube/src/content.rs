//! What the cluster holds that may stand in the way of what comes: kinds, owners of objects, node ports. Objects are listed by their
//! metadata alone, one request for each kind.

use crate::api::KubeApi;
use crate::object::kind;
use async_trait::async_trait;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, DynamicObject, ListParams, ObjectMeta};
use plinth_model::{ObjectName, ReleaseName, api_group};
use plinth_world::helm::marks::{MANAGED_BY, NAMESPACE, RELEASE};
use plinth_world::kube::{KubeContent, NodePort};
use plinth_world::{ClientResult, Context};
use std::collections::{BTreeMap, BTreeSet};

#[async_trait]
impl KubeContent for KubeApi {
    async fn further_kinds(&self, ctx: &Context) -> ClientResult<Vec<String>> {
        let call = self.call(ctx, "listing kinds").await?;
        let client = call.client();
        // Kinds that are not named then would be taken for missing.
        call.is_whole().await?;
        let groups = call.read(|| client.list_api_groups()).await?;
        let further = groups.groups.iter().filter(|group| !api_group::is_own(&group.name));
        let versions: BTreeSet<&str> =
            further.flat_map(|group| &group.versions).map(|version| version.group_version.as_str()).collect();
        let mut kinds = BTreeSet::new();
        for version in versions {
            // A group whose server is away is still named.
            let Some(found) = call.find(|| client.list_api_group_resources(version)).await? else { continue };
            let own = found.resources.iter().filter(|resource| !resource.name.contains('/'));
            kinds.extend(own.map(|resource| format!("{version}/{}", resource.kind)));
        }
        Ok(kinds.into_iter().collect())
    }

    async fn owners(
        &self,
        ctx: &Context,
        objects: &[ObjectName],
    ) -> ClientResult<Vec<(ObjectName, Option<ReleaseName>)>> {
        let call = self.call(ctx, "looking whose objects are").await?;
        let mut by_kind: BTreeMap<(&str, &str), Vec<&ObjectName>> = BTreeMap::new();
        for object in objects {
            by_kind.entry((&object.api_version, &object.kind)).or_default().push(object);
        }
        let (params, mut owners) = (ListParams::default(), Vec::new());
        for ((version, name), wanted) in by_kind {
            let Some((resource, scope)) = kind(&call, version, name).await? else { continue };
            let api = Api::<DynamicObject>::all_with(call.client(), &resource);
            let there = call.read(|| api.list_metadata(&params)).await?;
            let is_of_cluster = scope == kube::discovery::Scope::Cluster;
            for object in wanted {
                let is_it = |metadata: &ObjectMeta| {
                    metadata.name.as_ref() == Some(&object.name)
                        && (is_of_cluster || metadata.namespace.as_ref() == Some(&object.namespace))
                };
                let found = there.items.iter().map(|item| &item.metadata).find(|metadata| is_it(metadata));
                owners.extend(found.map(|metadata| (object.clone(), owner(metadata))));
            }
        }
        Ok(owners)
    }

    async fn node_ports(&self, ctx: &Context) -> ClientResult<Vec<NodePort>> {
        let call = self.call(ctx, "listing services").await?;
        let services = Api::<Service>::all(call.client());
        let params = ListParams::default();
        let there = call.read(|| services.list(&params)).await?;
        Ok(there.items.iter().flat_map(of_service).collect())
    }
}

/// The release that an object is marked to belong to; none: helm would not take it for its own.
pub(crate) fn owner(metadata: &ObjectMeta) -> Option<ReleaseName> {
    let labels = metadata.labels.as_ref()?;
    let annotations = metadata.annotations.as_ref()?;
    let managed = labels.get(MANAGED_BY.0).is_some_and(|by| by == MANAGED_BY.1);
    let release =
        ReleaseName { namespace: annotations.get(NAMESPACE)?.clone(), name: annotations.get(RELEASE)?.clone() };
    managed.then_some(release)
}

fn of_service(service: &Service) -> Vec<NodePort> {
    let name = ObjectName {
        api_version: "v1".to_owned(),
        kind: "Service".to_owned(),
        namespace: service.metadata.namespace.clone().unwrap_or_default(),
        name: service.metadata.name.clone().unwrap_or_default(),
    };
    let release = owner(&service.metadata);
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let port = |port: &k8s_openapi::api::core::v1::ServicePort| {
        let number = u16::try_from(port.node_port?).ok()?;
        let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
        Some(NodePort { number, protocol, service: name.clone(), release: release.clone() })
    };
    ports.filter_map(port).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_a_releases_only_with_all_of_helms_marks() {
        let marked = json!({
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "a", "meta.helm.sh/release-namespace": "n"},
        });
        let of = |value: &serde_json::Value| owner(&serde_json::from_value(value.clone()).unwrap());
        assert_eq!(of(&marked), Some(ReleaseName { namespace: "n".to_owned(), name: "a".to_owned() }));
        for (list, key) in [
            ("labels", "app.kubernetes.io/managed-by"),
            ("annotations", "meta.helm.sh/release-name"),
            ("annotations", "meta.helm.sh/release-namespace"),
        ] {
            let mut without = marked.clone();
            without[list].as_object_mut().unwrap().remove(key);
            assert_eq!(of(&without), None, "{key}");
        }
    }

    #[test]
    fn node_ports_of_a_service_are_named_with_their_protocol() {
        let service = json!({
            "metadata": {"name": "s", "namespace": "n"},
            "spec": {"ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "nodePort": 30053, "protocol": "UDP"}, {"port": 1}]},
        });
        let ports = of_service(&serde_json::from_value(service).unwrap());
        let told: Vec<(u16, &str)> = ports.iter().map(|port| (port.number, port.protocol.as_str())).collect();
        assert_eq!(told, [(30080, "TCP"), (30053, "UDP")]);
        assert_eq!(ports[0].service.to_string(), "Service n/s");
    }
}
