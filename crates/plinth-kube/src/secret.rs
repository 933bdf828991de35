//! Secrets. Their content is compared here and goes nowhere else; what the API server says of a refused one is not repeated, since
//! it may quote it.

use crate::api::{Call, KubeApi, OWNER};
use crate::failure::{Cause, Failure};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams, Preconditions};
use plinth_model::steps::{RegistryLogin, SecretContent};
use plinth_model::{Secret, SecretRef};
use plinth_world::keystore::CertificatePart;
use plinth_world::kube::KubeSecrets;
use plinth_world::{ClientResult, Context};
use serde_json::json;
use std::collections::BTreeMap;

/// What a secret holds, ready for Kubernetes.
struct Content {
    kind: &'static str,
    data: BTreeMap<String, ByteString>,
}

#[async_trait]
impl KubeSecrets for KubeApi {
    async fn secret_matches(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<Option<bool>> {
        let call = self.call(ctx, format!("comparing secret {namespace}/{name}")).await?;
        let api = secrets(call.client(), namespace);
        let found = call.read(|| api.get_opt(name)).await?;
        let Some(found) = found else { return Ok(None) };
        let wanted = self.content(&call, content)?;
        Ok(Some(is_same(&found, &wanted, labels)))
    }

    async fn make_secret(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<()> {
        let call = self.call(ctx, format!("making secret {namespace}/{name}")).await?;
        let wanted = self.content(&call, content)?;
        let api = secrets(call.client(), namespace);
        call.change(|| async {
            let found = call.patiently(|| api.get_opt(name)).await?;
            if found.as_ref().is_some_and(|found| is_same(found, &wanted, labels)) {
                return Ok(());
            }
            put(&call, (namespace, name), found, &wanted, labels).await.map_err(without_quotes)
        })
        .await
    }
}

impl KubeApi {
    fn content(&self, call: &Call<'_>, content: &SecretContent) -> ClientResult<Content> {
        let (kind, data) = match content {
            SecretContent::RegistryLogin { login } => {
                let document = self.login(call, login)?;
                ("kubernetes.io/dockerconfigjson", vec![(".dockerconfigjson", document)])
            }
            SecretContent::Tls { certificate } => {
                let file = |part| self.certificate_file(call, certificate, part);
                (
                    "kubernetes.io/tls",
                    vec![("tls.crt", file(CertificatePart::Chain)?), ("tls.key", file(CertificatePart::Key)?)],
                )
            }
            SecretContent::Authority { certificate, key } => {
                ("Opaque", vec![(key.as_str(), self.certificate_file(call, certificate, CertificatePart::Authority)?)])
            }
            SecretContent::Bundle { pem, key } => ("Opaque", vec![(key.as_str(), Secret::new(pem.clone()))]),
            SecretContent::Value { key, value, beside } => {
                let plain = beside.iter().map(|(key, text)| (key.as_str(), Secret::new(text.clone())));
                let secret = (key.as_str(), self.value(call, value)?);
                ("Opaque", plain.chain(std::iter::once(secret)).collect())
            }
        };
        let bytes = |(key, value): (&str, Secret)| (key.to_owned(), ByteString(value.expose().as_bytes().to_vec()));
        Ok(Content { kind, data: data.into_iter().map(bytes).collect() })
    }

    fn value(&self, call: &Call<'_>, reference: &SecretRef) -> ClientResult<Secret> {
        let got = self.secrets.get(reference);
        got.map_err(|error| call.fails(error.to_string(), "make the secret available, then run again"))
    }

    fn login(&self, call: &Call<'_>, login: &RegistryLogin) -> ClientResult<Secret> {
        let password = self.value(call, &login.password)?;
        let auth = STANDARD.encode(format!("{}:{}", login.username, password.expose()));
        let entry = json!({"username": login.username, "password": password.expose(), "auth": auth});
        let auths = serde_json::Map::from_iter([(login.registry.clone(), entry)]);
        Ok(Secret::new(json!({ "auths": auths }).to_string()))
    }

    fn certificate_file(&self, call: &Call<'_>, certificate: &str, part: CertificatePart) -> ClientResult<Secret> {
        self.keystore.read(certificate, part).map_err(|error| {
            let happened = format!("{} of certificate {certificate} cannot be read: {error}", part.file());
            call.fails(happened, "make the certificate first")
        })
    }
}

fn secrets(client: kube::Client, namespace: &str) -> Api<KubeSecret> {
    Api::namespaced(client, namespace)
}

fn is_same(found: &KubeSecret, wanted: &Content, labels: &IndexMap<String, String>) -> bool {
    let there = found.metadata.labels.as_ref();
    found.type_.as_deref() == Some(wanted.kind)
        && found.data.as_ref() == Some(&wanted.data)
        && labels.iter().all(|(key, value)| there.and_then(|labels| labels.get(key)) == Some(value))
}

/// Replaces the content as a whole and keeps other people's labels. Type and immutable content cannot be changed: then it is made
/// anew, if it is still the one that was seen.
async fn put(
    call: &Call<'_>,
    (namespace, name): (&str, &str),
    found: Option<KubeSecret>,
    wanted: &Content,
    labels: &IndexMap<String, String>,
) -> Result<(), Failure> {
    let api = secrets(call.client(), namespace);
    let metadata = found.as_ref().map_or_else(
        || ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        |found| found.metadata.clone(),
    );
    let mut all = metadata.labels.clone().unwrap_or_default();
    all.extend(labels.iter().map(|(key, value)| (key.clone(), value.clone())));
    let mut secret = KubeSecret {
        metadata: ObjectMeta { labels: Some(all), managed_fields: None, ..metadata },
        type_: Some(wanted.kind.to_owned()),
        data: Some(wanted.data.clone()),
        ..KubeSecret::default()
    };
    let params = PostParams { field_manager: Some(OWNER.to_owned()), ..PostParams::default() };
    let Some(found) = found else {
        return call.attempt(|| api.create(&params, &secret)).await.map(drop);
    };
    if found.type_ == secret.type_ && found.immutable != Some(true) {
        return call.attempt(|| api.replace(name, &params, &secret)).await.map(drop);
    }
    let seen = Preconditions { uid: found.metadata.uid, resource_version: None };
    let one = DeleteParams::default().preconditions(seen);
    call.attempt(|| api.delete(name, &one)).await?;
    secret.metadata.uid = None;
    secret.metadata.resource_version = None;
    secret.metadata.creation_timestamp = None;
    call.attempt(|| api.create(&params, &secret)).await.map(drop)
}

fn without_quotes(failure: Failure) -> Failure {
    match failure.cause {
        Cause::Rejected | Cause::Busy => Failure::new(failure.cause, "the API server does not take the secret"),
        _ => failure,
    }
}
