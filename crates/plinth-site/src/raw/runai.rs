//! Run:ai: self-hosted, or its cluster part alone.

use super::cluster_rules::Pem;
use super::rules::{Email, Endpoint, FilePath, Label, MirrorHost};
use super::secret::SecretSource;
use super::text::Text;
use plinth_model::{Domain, Version};
use schemars::JsonSchema;
use serde::Deserialize;

/// Run:ai: control plane and cluster part on this cluster, or with `controlPlane` the cluster part alone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Runai {
    /// Version: a line (`"2.21"`, in quotes) or an exact one (`2.21.43`).
    pub(crate) version: Text<Version>,
    /// Host name of the control plane, without scheme and port; with `controlPlane` the one under which this cluster is reached.
    pub(crate) domain: Text<Domain>,
    /// The control plane, where it is not on this cluster; plinth installs it when absent.
    #[serde(default)]
    pub(crate) control_plane: Option<ControlPlane>,
    /// Port in its address: 443 behind a load balancer, else the ingress node port for HTTPS.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// Where artefacts come from; `jfrog` below 2.25, `ngc` from there, when absent. Without a token `oss` from 3.0 on, and `jfrog` for 2.25 with
    /// `controlPlane`.
    #[serde(default)]
    pub(crate) source: Option<Source>,
    /// Registry inside the site, with `source: airgapped`: `HOST/PATH` that holds the images, and, unless `platform.charts` names another
    /// place for all charts, the charts `control-plane` and `runai-cluster` as OCI artefacts.
    #[serde(default)]
    pub(crate) mirror: Option<Text<MirrorHost>>,
    /// Login of the artefact registry.
    #[serde(default)]
    pub(crate) registry: Option<Registry>,
    /// First administrator; with `controlPlane` one that is there, with a password of the control plane's own. Absent where
    /// `controlPlane.serviceAccount` is given.
    #[serde(default)]
    pub(crate) admin: Option<Admin>,
    /// The cluster as Run:ai knows it.
    #[serde(default)]
    pub(crate) cluster: Option<Cluster>,
    /// Domain below which services of inference get their names; DNS must lead `*.DOMAIN` to the ingress, and the certificate is for it too. Such
    /// services are reached from inside of the cluster alone when absent.
    #[serde(default)]
    pub(crate) inference_domain: Option<Text<Domain>>,
    /// Certificate of the domain; made by an own authority when absent.
    #[serde(default)]
    pub(crate) certificate: Option<Certificate>,
    /// First departments with their projects and quotas; none are made when absent. They are made and their quotas kept as they are here;
    /// what leaves this list stays in Run:ai.
    #[serde(default)]
    pub(crate) departments: Vec<Department>,
}

/// A department: who shares a number of GPUs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Department {
    /// Name; `default` is the one that Run:ai makes itself.
    pub(crate) name: Text<Label>,
    /// Quota of GPUs in the node pool `default`.
    #[schemars(range(max = 100_000))]
    pub(crate) gpus: u32,
    /// Its projects.
    #[serde(default)]
    pub(crate) projects: Vec<Project>,
}

/// A project: where people submit workloads. Its namespace is `runai-NAME`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Project {
    /// Name; unique in the cluster.
    pub(crate) name: Text<Label>,
    /// Quota of GPUs in the node pool `default`.
    #[schemars(range(max = 100_000))]
    pub(crate) gpus: u32,
}

/// A control plane that is not on this cluster: a tenant of Run:ai's service (SaaS), or one of another cluster.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ControlPlane {
    /// Its address, such as `https://TENANT.run.ai`.
    pub(crate) url: Text<Endpoint>,
    /// Realm of its logins; the tenant of `https://TENANT.run.ai`, else `runai`, when absent.
    #[serde(default)]
    pub(crate) realm: Option<Text<Label>>,
    /// A service account of it (before 2.24 an application), where people sign in elsewhere (SSO) and no administrator has a password of the
    /// control plane's own. It needs a role that may make clusters, and departments and projects where the site lists some.
    #[serde(default)]
    pub(crate) service_account: Option<ServiceAccount>,
    /// Certificate of the authority that signed the one of its address, PEM text; absent when everybody trusts it. Run:ai's agents in this
    /// cluster trust it too.
    #[serde(default)]
    pub(crate) authority: Option<Text<Pem>>,
}

/// A service account, as Run:ai shows it once when it is made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ServiceAccount {
    /// Its client id; of an application its name.
    #[schemars(length(min = 1))]
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: SecretSource,
}

/// Where artefacts come from.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Source {
    /// Run:ai's registry, up to 2.25.
    Jfrog,
    /// NVIDIA's registry, from 2.24.
    Ngc,
    /// NVIDIA's registry of the open-source artefacts, from 3.0: no login.
    Oss,
    /// A mirror inside the site.
    Airgapped,
}

/// Login of the artefact registry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Registry {
    /// User; the source's fixed one when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) user: Option<String>,
    /// Token.
    #[serde(default)]
    pub(crate) token: Option<SecretSource>,
}

/// First administrator.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Admin {
    /// E-mail address, which is the login.
    pub(crate) email: Text<Email>,
    /// Password.
    pub(crate) password: SecretSource,
}

/// The cluster as Run:ai knows it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Cluster {
    /// Name; the site's when absent.
    #[serde(default)]
    pub(crate) name: Option<Text<Label>>,
}

/// Certificate of the domain.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Certificate {
    /// Made by an own authority that is kept in the state directory.
    Generate(Generate),
    /// Files.
    Files(Files),
}

/// Life times of generated certificates.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Generate {
    /// Days the authority is valid; 3650 when absent.
    #[serde(default)]
    #[schemars(range(min = 1, max = 36500))]
    pub(crate) authority_days: Option<u32>,
    /// Days the certificate is valid; 365 when absent.
    #[serde(default)]
    #[schemars(range(min = 1, max = 36500))]
    pub(crate) leaf_days: Option<u32>,
}

/// Certificate files, PEM. Relative names start at the folder of this file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CertificateFiles")]
pub(crate) struct Files {
    /// Chain, the domain's certificate first.
    pub(crate) certificate: Text<FilePath>,
    /// Private key.
    pub(crate) key: SecretSource,
    /// Authority; absent when it is publicly trusted.
    #[serde(default)]
    pub(crate) authority: Option<Text<FilePath>>,
}
