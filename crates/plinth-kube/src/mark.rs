//! The mark of the site's state directory in a cluster that somebody else installed: a map in `kube-system`, since no node of it is
//! touched.

use crate::api::{Call, OWNER};
use crate::failure::Failure;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use plinth_world::ClientResult;
use plinth_world::kube::ClusterMark;
use plinth_world::mark::{self, SiteMark};
use std::collections::BTreeMap;

/// Where it is.
const NAMESPACE: &str = "kube-system";
const NAME: &str = "plinth-site";

/// Whose mark is in the cluster; ours where we have none to compare it with, since nothing is changed then.
pub(super) async fn look(call: &Call<'_>, ours: Option<&SiteMark>) -> ClientResult<ClusterMark> {
    let Some(ours) = ours else { return Ok(ClusterMark::Ours) };
    let maps = Api::<ConfigMap>::namespaced(call.client(), NAMESPACE);
    let found = call.read(|| maps.get_opt(NAME)).await?;
    Ok(found.map_or(ClusterMark::Absent, |found| judge(&found, ours)))
}

/// Writes ours, unless another directory's is there. Of two that write at once one is told of the other.
pub(super) async fn write(call: &Call<'_>, ours: Option<&SiteMark>) -> ClientResult<()> {
    let Some(mark) = ours else { return Ok(()) };
    call.change(|| put(call, mark)).await?;
    match look(call, ours).await? {
        ClusterMark::Ours => Ok(()),
        ClusterMark::Absent => Err(call.fails("the mark of this state directory is gone again", "run again")),
        ClusterMark::Other(whose) => Err(call.fails(
            format!("nothing was changed: it is managed from elsewhere ({whose})"),
            "use that state directory; if the site is yours now, `plinth apply --take-over`",
        )),
    }
}

async fn put(call: &Call<'_>, mark: &SiteMark) -> Result<(), Failure> {
    let maps = Api::<ConfigMap>::namespaced(call.client(), NAMESPACE);
    let params = PostParams { field_manager: Some(OWNER.to_owned()), ..PostParams::default() };
    let found = call.patiently(|| maps.get_opt(NAME)).await?;
    match found {
        None => {
            let wanted = object(mark, None);
            call.attempt(|| maps.create(&params, &wanted)).await.map(|_| ())
        }
        Some(found) if judge(&found, mark) == ClusterMark::Absent => {
            let wanted = object(mark, found.metadata.resource_version);
            call.attempt(|| maps.replace(NAME, &params, &wanted)).await.map(|_| ())
        }
        Some(_) => Ok(()),
    }
}

/// A mark without an id marks nothing, and one that is to be taken over does not count.
fn judge(found: &ConfigMap, ours: &SiteMark) -> ClusterMark {
    let value = |key: &str| found.data.as_ref().and_then(|data| data.get(key)).map(String::as_str);
    match value("id") {
        Some(id) if id == ours.id => ClusterMark::Ours,
        Some(id) if !id.is_empty() && !ours.takes_over => ClusterMark::Other(mark::whose(value)),
        _ => ClusterMark::Absent,
    }
}

fn object(mark: &SiteMark, version: Option<String>) -> ConfigMap {
    let labels = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), OWNER.to_owned())]);
    let metadata = ObjectMeta {
        name: Some(NAME.to_owned()),
        namespace: Some(NAMESPACE.to_owned()),
        labels: Some(labels),
        resource_version: version,
        ..ObjectMeta::default()
    };
    let data = mark.entries().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    ConfigMap { metadata, data: Some(data), ..ConfigMap::default() }
}

#[cfg(test)]
mod tests {
    use super::{judge, object};
    use plinth_world::kube::ClusterMark;
    use plinth_world::mark::SiteMark;

    fn mark(id: &str, takes_over: bool) -> SiteMark {
        let text = |text: &str| text.to_owned();
        let (by, directory) = (text("anna@bastion"), format!("/state/{id}"));
        SiteMark { id: text(id), site: text("lab"), by, directory, since: text("2026-11-29T02:13:05Z"), takes_over }
    }

    #[test]
    fn a_mark_of_another_directory_is_told_with_its_place_unless_it_is_taken_over() {
        let there = object(&mark("a", false), None);
        assert_eq!(judge(&there, &mark("a", false)), ClusterMark::Ours);
        assert_eq!(
            judge(&there, &mark("b", false)),
            ClusterMark::Other("by anna@bastion, directory /state/a, since 2026-11-29T02:13:05Z".to_owned())
        );
        assert_eq!(judge(&there, &mark("b", true)), ClusterMark::Absent);
        assert_eq!(judge(&Default::default(), &mark("b", false)), ClusterMark::Absent, "an empty map marks nothing");
    }
}
