//! Values that the kinds of this area share. What is done on nodes: logins, accounts, registries, least sizes.

use crate::facts::Asked;
use crate::{Domain, HostPath, NodeName, SecretRef};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// How a login proves itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// A password; keyboard-interactive where sshd asks that way.
    Password(SecretRef),
    /// A private key.
    Key(SecretRef),
    /// The caller's SSH agent.
    Agent,
}

/// Where a node is reached, and as whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTarget {
    /// Its name at the site, for people and for logs; `address` is where SSH goes.
    pub node: NodeName,
    /// Production address.
    pub address: Ipv4Addr,
    /// SSH port.
    #[serde(default = "ssh_port", skip_serializing_if = "is_ssh_port")]
    pub port: u16,
    /// As whom SSH signs in: the first-contact login, or the service account.
    pub user: String,
    /// How it proves itself.
    pub credential: Credential,
    /// SHA-1 host and user keys are accepted from this node; a visible finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy_keys: bool,
    /// Host in between: BCM's head node, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<Jump>,
}

impl NodeTarget {
    /// What is asked of the node, as a person would ask it, with what it is for: `ssh plinth@10.0.0.5 sudo sh # preparing the node on dgx-05`.
    /// `runs` is empty where nothing runs there. A script travels by standard input, and no value of it is told.
    #[must_use]
    pub fn command(&self, runs: &str, doing: &str) -> String {
        let mut words = vec!["ssh".to_owned()];
        words.extend(self.jump.as_ref().map(|jump| format!("-J {}", jump.shown())));
        words.extend((!is_ssh_port(&self.port)).then(|| format!("-p {}", self.port)));
        words.push(format!("{}@{}", self.user, self.address));
        words.extend((!runs.is_empty()).then(|| runs.to_owned()));
        words.push(format!("# {doing}"));
        words.join(" ")
    }
}

/// A host that SSH goes through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Jump {
    /// Host name or address.
    pub host: String,
    /// SSH port.
    #[serde(default = "ssh_port", skip_serializing_if = "is_ssh_port")]
    pub port: u16,
    /// As whom SSH signs in there; nothing runs there.
    pub user: String,
    /// How it proves itself.
    pub credential: Credential,
}

impl Jump {
    /// `user@host`, `user@[fd00::1]:2022`.
    fn shown(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = if is_ssh_port(&self.port) { String::new() } else { format!(":{}", self.port) };
        format!("{}@{host}{port}", self.user)
    }
}

/// The service account that plinth makes on every node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// User and group name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Home directory.
    pub home: HostPath,
    /// Login shell.
    pub shell: HostPath,
    /// Our key: the private half's place; the public half is authorised on the node.
    pub key: SecretRef,
    /// Algorithm of the key pair that plinth makes, when it makes it.
    #[serde(default)]
    pub key_algorithm: KeyAlgorithm,
    /// Further public keys to authorise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorized_keys: Vec<String>,
}

/// Algorithm of a key pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// RSA, 4096 bits: also very old SSH servers and FIPS hosts take it.
    #[default]
    Rsa4096,
    /// Ed25519.
    Ed25519,
}

/// One registry mirror.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    /// Registry that is mirrored: `docker.io`.
    pub registry: String,
    /// Mirror addresses, first tried first.
    pub endpoints: Vec<String>,
}

/// What images or charts of one registry are fetched with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistryLogin {
    /// Registry host, without scheme for containerd, as the vendor writes it for pull secrets.
    pub registry: String,
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: SecretRef,
}

/// Least a node must have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeMinimum {
    /// Processor cores.
    pub cpus: u32,
    /// MiB, as [`crate::facts::NodeFacts`] counts it.
    pub memory_mib: u64,
    /// GPUs are expected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gpu: bool,
}

/// What preflight holds a node's facts against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeExpectation {
    /// Least it must have.
    pub minimum: NodeMinimum,
    /// Directory of container images.
    pub images: HostPath,
    /// Space it must offer, GiB.
    pub images_gib: u64,
    /// Where images may move to; the same as `images` when the site decided the place.
    pub larger: HostPath,
    /// Address that services bind to.
    pub address: Ipv4Addr,
    /// TCP ports that nothing may listen on before Kubernetes is installed.
    pub ports: Vec<u16>,
    /// Names that must resolve on the node, and to what, where that is known.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub names: IndexMap<Domain, Option<Ipv4Addr>>,
    /// Addresses that must answer to the node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Our own Kubernetes runs here: it uses those ports and that space, and what it left is no obstacle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deployed: bool,
    /// The engine sees to swap, kernel modules and kernel settings. Stands in a plan only when it does not.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub engine_prepares: bool,
    /// The site says that the engine may uninstall Docker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub docker_may_go: bool,
}

impl NodeExpectation {
    /// What has to be asked of the node so that it can be judged. Beside the site's own directories these are the ones that
    /// Kubernetes fills, and the two that BCM makes partitions of by default.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let usual = ["/", "/var", "/var/lib/etcd", "/var/lib/kubelet", "/local"].map(str::to_owned);
        let (images, larger) = (self.images.to_string(), self.larger.to_string());
        let mut paths = vec![images.clone(), larger.clone()];
        paths.extend(usual);
        let mut seen = BTreeSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        Asked {
            paths,
            images: Some((images, larger)),
            names: self.names.keys().map(ToString::to_string).collect(),
            urls: self.urls.clone(),
        }
    }
}

/// What a node needs that the engine does not do itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Preparation {
    /// Name to address, for `/etc/hosts`; a name that already resolves to the address needs no line.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub hosts: IndexMap<Domain, Ipv4Addr>,
    /// Kernel modules, now and after a restart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Kernel settings, now and after a restart.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub sysctls: IndexMap<String, String>,
    /// Swap is off, now and after a restart.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub swap_off: bool,
    /// The time service that is installed runs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub time_service: bool,
}

const fn ssh_port() -> u16 {
    22
}

const fn is_ssh_port(port: &u16) -> bool {
    *port == ssh_port()
}

pub(super) const fn yes() -> bool {
    true
}

pub(super) const fn is_yes(said: &bool) -> bool {
    *said
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_node_can_be_asked_by_a_person() {
        let target = NodeTarget {
            node: NodeName::new("dgx-05").unwrap(),
            address: "10.0.0.5".parse().unwrap(),
            port: 22,
            user: "plinth".to_owned(),
            credential: Credential::Agent,
            legacy_keys: false,
            jump: None,
        };
        let plain = target.command("sudo sh", "preparing the node on dgx-05");
        assert_eq!(plain, "ssh plinth@10.0.0.5 sudo sh # preparing the node on dgx-05");
        let host = "fd00::1".to_owned();
        let jump = Jump { host, port: 2022, user: "hop".to_owned(), credential: Credential::Agent };
        let far = NodeTarget { port: 2222, jump: Some(jump), ..target };
        let asked = far.command("", "reading its host key");
        assert_eq!(asked, "ssh -J hop@[fd00::1]:2022 -p 2222 plinth@10.0.0.5 # reading its host key");
    }
}
