//! Where nodes are listed, which networks they stand in, where their images come from and live.

use super::registry_rules::{MirrorEndpoint, RegistryHost};
use super::rules::{Endpoint, FilePath};
use super::secret::SecretSource;
use super::text::Text;
use ipnet::Ipv4Net;
use plinth_model::{HostPath, NodeName};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::Ipv4Addr;

/// Where nodes are listed: exactly one source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Inventory {
    /// NVIDIA Base Command Manager.
    Bcm(Bcm),
    /// This file.
    Static(Vec<StaticNode>),
}

/// How Base Command Manager is reached: with `username` and `password`, or with `certificate` and `key`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Bcm {
    /// Address of the head node's JSON interface, without a path.
    pub(crate) endpoint: Text<Endpoint>,
    /// User; a reference, like the password.
    #[serde(default)]
    pub(crate) username: Option<SecretSource>,
    /// Password.
    #[serde(default)]
    pub(crate) password: Option<SecretSource>,
    /// Client certificate, PEM file.
    #[serde(default)]
    pub(crate) certificate: Option<Text<FilePath>>,
    /// Key of the client certificate, PEM.
    #[serde(default)]
    pub(crate) key: Option<SecretSource>,
    /// Whom to trust; the system's authorities when absent.
    #[serde(default)]
    pub(crate) tls: Option<Tls>,
}

/// Whom to trust: the authority of a file, or nobody checked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tls {
    /// PEM file with the authority's certificate; a relative name starts at the folder of this file.
    #[serde(default)]
    pub(crate) ca_file: Option<Text<FilePath>>,
    /// Accept any certificate. A finding in every plan.
    #[serde(default)]
    pub(crate) insecure: Option<bool>,
}

/// A node of a static inventory.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StaticNode {
    /// Name; also its name in Kubernetes.
    pub(crate) name: Text<NodeName>,
    /// Address in the production network.
    pub(crate) address: Text<Ipv4Addr>,
    /// Category, for selection by category.
    #[serde(default)]
    pub(crate) category: Option<String>,
}

/// Which addresses may be used.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Networks {
    /// The one network whose addresses are used for SSH and Kubernetes: a range (`10.0.0.0/24`), or its name in BCM.
    #[schemars(length(min = 1), extend("examples" = ["192.0.2.0/24"]))]
    pub(crate) production: String,
    /// Networks whose addresses are never used, such as the out-of-band network.
    #[serde(default)]
    pub(crate) forbidden: Vec<Text<Ipv4Net>>,
}

/// Container registries, as the nodes use them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Registries {
    /// Mirrors, tried before the registry itself.
    #[serde(default)]
    pub(crate) mirrors: Vec<Mirror>,
    /// Logins.
    #[serde(default)]
    pub(crate) logins: Vec<Login>,
}

/// Mirrors of one registry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Mirror {
    /// Registry that is mirrored, without scheme.
    pub(crate) registry: Text<RegistryHost>,
    /// Addresses of mirrors, first tried first.
    #[schemars(length(min = 1))]
    pub(crate) endpoints: Vec<Text<MirrorEndpoint>>,
}

/// Login of one registry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RegistryLogin")]
pub(crate) struct Login {
    /// Registry, without scheme.
    pub(crate) registry: Text<RegistryHost>,
    /// User.
    #[schemars(length(min = 1))]
    pub(crate) username: String,
    /// Password or token.
    pub(crate) password: SecretSource,
}

/// Where container images live on the nodes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Storage {
    /// Folder of images; `/var/lib/containerd` when absent.
    #[serde(default)]
    pub(crate) images: Option<Text<HostPath>>,
    /// Free space wanted there, GiB; 100 when absent.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) images_gib: Option<u64>,
    /// Where images move to when that space is not there; `/local/containerd` when absent.
    #[serde(default)]
    pub(crate) larger: Option<Text<HostPath>>,
}
