//! Names of nodes and sites, checked when they are made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {rule}")]
pub struct NameError {
    /// The text refused.
    pub text: String,
    /// What it should have been.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// Checks an RFC 1123 label: 1 to 63 lower-case letters, digits and dashes, no dash at either end.
fn check_label(text: &str, what: &'static str) -> Result<(), NameError> {
    let error = |rule| Err(NameError { text: text.chars().take(80).collect(), what, rule });
    if text.is_empty() || text.len() > 63 {
        return error("it must have 1 to 63 characters");
    }
    if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return error("only lower-case letters, digits and dashes are allowed");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return error("it must not begin or end with a dash");
    }
    Ok(())
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text in.
            ///
            /// # Errors
            /// When it is not an RFC 1123 label in lower case.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check_label(text, $what)?;
                Ok(Self(Arc::from(text)))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        // Hashed and compared as its text, so that a map of names answers to a text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

label!(
    /// Name of a node: its BCM hostname, which is also its Kubernetes node name, so an RFC 1123 label in lower case.
    NodeName,
    "node name"
);
label!(
    /// Name of a site: also the name of a folder, so an RFC 1123 label in lower case.
    SiteName,
    "site name"
);

/// Why a name that Kubernetes takes leads astray further below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misread {
    /// YAML 1.1, in which Kubespray writes names without quotes, reads another type of value.
    Type(&'static str),
    /// Ansible or Kubespray has a group, a host or a word of this name.
    Ansible,
}

impl Misread {
    /// The sentence's second half: `because …`.
    #[must_use]
    pub fn why(self) -> String {
        match self {
            Self::Type(kind) => format!(
                "Kubespray writes node names without quotes into YAML, where this is {kind}; quotes in the site file do not help"
            ),
            Self::Ansible => {
                "Ansible or Kubespray gives this name to a group or to itself, so plays would reach other nodes than meant"
                    .to_owned()
            }
        }
    }
}

/// Names of Ansible and of Kubespray's inventory, with dashes for underscores too, since both are common.
const ANSIBLE: [&str; 20] = [
    "all",
    "ungrouped",
    "localhost",
    "etcd",
    "bastion",
    "kube-node",
    "kube-master",
    "kube-control-plane",
    "k8s-cluster",
    "calico-rr",
    "no-floating",
    "kube-ingress",
    "broken-etcd",
    "broken-kube-control-plane",
    "vault",
    "hostvars",
    "groups",
    "omit",
    "environment",
    "new-node",
];

/// Texts that YAML 1.1 reads as something else than a text.
fn yaml_type(text: &str) -> Option<&'static str> {
    match text {
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" => return Some("a truth value"),
        "null" | "~" => return Some("nothing"),
        _ => {}
    }
    let digits = |text: &str, base: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(base));
    let based = [("0x", 16), ("0o", 8), ("0b", 2)];
    let exponent = text
        .split_once('e')
        .is_some_and(|(number, power)| digits(number, 10) && digits(power.strip_prefix('-').unwrap_or(power), 10));
    if digits(text, 10)
        || exponent
        || based.iter().any(|(begin, base)| text.strip_prefix(begin).is_some_and(|d| digits(d, *base)))
    {
        return Some("a number");
    }
    let parts: Vec<&str> = text.split('-').collect();
    let date = matches!(parts.as_slice(), [y, m, d] if y.len() == 4 && (1..=2).contains(&m.len()) && (1..=2).contains(&d.len()));
    (date && parts.iter().all(|part| digits(part, 10))).then_some("a date")
}

/// Whether a name means something else to YAML or Ansible than to Kubernetes; none: it may be used.
#[must_use]
pub fn misread(text: &str) -> Option<Misread> {
    let folded = text.replace('_', "-");
    if ANSIBLE.contains(&folded.as_str()) { Some(Misread::Ansible) } else { yaml_type(text).map(Misread::Type) }
}

#[cfg(test)]
mod tests {
    use super::{Misread, misread};

    #[test]
    fn names_that_mean_something_else_below_are_known() {
        for number in ["101", "0", "0x1f", "1e3", "12e-4", "0b11", "0o17", "007"] {
            assert_eq!(misread(number), Some(Misread::Type("a number")), "{number}");
        }
        for truth in ["on", "off", "yes", "no", "true", "false", "y", "n"] {
            assert_eq!(misread(truth), Some(Misread::Type("a truth value")), "{truth}");
        }
        assert_eq!(misread("null"), Some(Misread::Type("nothing")));
        assert_eq!(misread("2026-11-29"), Some(Misread::Type("a date")));
        for group in ["all", "ungrouped", "localhost", "etcd", "bastion", "kube_node", "kube-node", "k8s-cluster"] {
            assert_eq!(misread(group), Some(Misread::Ansible), "{group}");
        }
        for fine in
            ["dgx-01", "1a", "0xg", "e3", "node1", "on-1", "etcd-1", "cp-1", "2026-11", "1-2-3", "10-184-162-23", "4e"]
        {
            assert_eq!(misread(fine), None, "{fine}");
        }
    }
}
