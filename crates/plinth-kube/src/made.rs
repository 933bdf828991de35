//! Objects that helm made: listed kind by kind, page by page, and put right in helm's name.

use crate::api::{Call, KubeApi};
use crate::failure::Cause;
use crate::object::{kind, place};
use async_trait::async_trait;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams, Request};
use kube::core::GroupVersionKind;
use kube::{Error, Resource as _};
use plinth_model::{ObjectName, api_group};
use plinth_world::helm::marks::MANAGED_BY;
use plinth_world::helm::{HelmObjects, Made, Part};
use plinth_world::{ClientResult, Context};
use serde::de::Error as _;
use serde_json::Value;

/// As whom fields are set back: the name under which helm sets them.
const HELM: &str = "helm";
/// Objects in one answer: large ones, such as settings with whole dashboards in them, are some 100 kB each.
const PAGE: u32 = 250;

#[async_trait]
impl HelmObjects for KubeApi {
    async fn made(&self, ctx: &Context, api_version: &str, kind: &str, part: Part) -> ClientResult<Made> {
        let call = self.call(ctx, format!("listing objects of kind {kind} that helm made")).await?;
        let Some(resource) = resource(&call, api_version, kind).await? else { return Ok(Made::NoKind) };
        let path = DynamicObject::url_path(&resource, None);
        let label = format!("{}={}", MANAGED_BY.0, MANAGED_BY.1);
        let (mut params, mut all) = (ListParams::default().labels(&label).limit(PAGE), Vec::new());
        loop {
            let mut page = match call.patiently(|| page(&call, &path, &params, part)).await {
                Ok(page) => page,
                Err(failure) if failure.cause == Cause::NotFound => return Ok(Made::NoKind),
                Err(failure) if failure.cause == Cause::Forbidden => return Ok(Made::Forbidden(failure.happened)),
                Err(failure) => return Err(call.error(failure)),
            };
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                all.extend(items.into_iter().map(without_status));
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str).filter(|next| !next.is_empty()) {
                Some(next) => params = params.continue_token(next),
                None => return Ok(Made::There(all)),
            }
        }
    }

    async fn live(&self, ctx: &Context, object: &ObjectName) -> ClientResult<Option<Value>> {
        let call = self.call(ctx, format!("looking at {object}")).await?;
        let Some(api) = place(&call, object).await? else { return Ok(None) };
        let found = call.read(|| api.get_opt(&object.name)).await?;
        Ok(found.map(|found| without_status(value(&found))))
    }

    async fn change(&self, ctx: &Context, object: &ObjectName, patch: &Value, dry: bool) -> ClientResult<Value> {
        let call = self.call(ctx, format!("putting {object} right")).await?;
        let api = known(&call, object).await?;
        let patch = serde_json::from_value(patch.clone())
            .map(Patch::<()>::Json)
            .map_err(|error| call.fails(format!("the patch is none: {error}"), "report this as a bug of plinth"))?;
        let params = PatchParams { dry_run: dry, field_manager: Some(HELM.to_owned()), ..PatchParams::default() };
        let work = || api.patch(&object.name, &params, &patch);
        // A dry run changes nothing, so it may be tried again.
        let after = if dry { call.read(work).await? } else { call.write(work).await? };
        Ok(without_status(value(&after)))
    }

    async fn create(&self, ctx: &Context, object: &ObjectName, manifest: &Value) -> ClientResult<Value> {
        let call = self.call(ctx, format!("making {object} again")).await?;
        let api = known(&call, object).await?;
        let wanted: DynamicObject = serde_json::from_value(manifest.clone()).map_err(|error| {
            call.fails(format!("its manifest cannot be read: {error}"), "look at it with `helm get manifest`")
        })?;
        let params = PostParams { dry_run: false, field_manager: Some(HELM.to_owned()) };
        let after = call.write(|| api.create(&params, &wanted)).await?;
        Ok(without_status(value(&after)))
    }
}

/// Where a kind is listed: Kubernetes' own are called by rule, the API server is asked for others.
async fn resource(call: &Call<'_>, api_version: &str, name: &str) -> ClientResult<Option<ApiResource>> {
    let group = api_group::group_of(api_version);
    if api_group::is_own(group) {
        let version = api_version.rsplit('/').next().unwrap_or_default();
        return Ok(Some(ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, name))));
    }
    Ok(kind(call, api_version, name).await?.map(|(resource, _)| resource))
}

async fn page(call: &Call<'_>, path: &str, params: &ListParams, part: Part) -> kube::Result<Value> {
    let request = Request::new(path);
    let request = match part {
        Part::Whole => request.list(params),
        Part::Metadata => request.list_metadata(params),
    };
    let request = request.map_err(Error::BuildRequest)?;
    let page: Value = call.client().request(request).await?;
    let is_list = page.get("items").is_some_and(Value::is_array);
    if is_list { Ok(page) } else { Err(Error::SerdeError(serde_json::Error::custom("no list"))) }
}

async fn known(call: &Call<'_>, object: &ObjectName) -> ClientResult<Api<DynamicObject>> {
    let attempt = "install the component that brings this kind first";
    let unknown = || call.fails(format!("the API server does not know the kind of {object}"), attempt);
    place(call, object).await?.ok_or_else(unknown)
}

fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

fn without_status(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    object
}
