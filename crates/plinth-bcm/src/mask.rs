//! Takes secrets out of BCM's entities before anything else looks at them.
//!
//! `cmdevice.getCategories` returns the BMC user's password in clear (BCM 11 capture), and a KubeCluster carries kubeadm's keys.
//! Masking happens on the raw JSON, so that not even a decoding error can quote one.

use serde_json::{Map, Value};

/// What stands where a secret was.
pub const MASK: &str = "[masked]";

/// Parts of key names that mean a secret. `kubeadm_` covers the init file, which holds tokens.
const TELLING_PARTS: [&str; 7] = ["password", "passwd", "passphrase", "secret", "token", "credential", "kubeadm_"];

/// Whether a value under this key is a secret. Keys that end in `key` count too (`cakey`, `apiKey`, `memberCertificateKey`).
#[must_use]
pub fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.ends_with("key") || TELLING_PARTS.iter().any(|part| key.contains(part))
}

/// Masks every secret in the value, at any depth. Flags, numbers, nulls and empty texts stay: they say nothing, or that there is
/// no secret. A `{name, value}` pair is masked when its name tells (environment entries of BCM's Kubernetes applications).
pub fn scrub(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(fields) => scrub_fields(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn scrub_fields(fields: &mut Map<String, Value>) {
    let telling_name = fields.get("name").and_then(Value::as_str).is_some_and(is_secret_key);
    for (key, value) in fields.iter_mut() {
        if is_secret_key(key) || (telling_name && key == "value") {
            cover(value);
        } else {
            scrub(value);
        }
    }
}

fn cover(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) if text.is_empty() => {}
        Value::Array(items) if items.is_empty() => {}
        Value::String(_) | Value::Array(_) | Value::Object(_) => *value = Value::from(MASK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let mut value = json!({
            "bmcSettings": {"userName": "bright", "password": "hunter22", "userID": 4},
            "kubeadm_init_file": "token: abcdef", "kubeadm_ca_key": "", "cakey": "KEYDATA",
            "disablePasswordSsh": false, "extra_values": {"apiToken": ["t0k3n"], "site": "north"},
            "environment": [{"name": "DB_PASSWORD", "value": "s3cr3t"}, {"name": "replicas", "value": "3"}],
            "authorizedSshKeys": "ssh-ed25519 AAAA",
        });
        scrub(&mut value);
        assert_eq!(
            value,
            json!({
                "bmcSettings": {"userName": "bright", "password": MASK, "userID": 4},
                "kubeadm_init_file": MASK, "kubeadm_ca_key": "", "cakey": MASK,
                "disablePasswordSsh": false, "extra_values": {"apiToken": MASK, "site": "north"},
                "environment": [{"name": "DB_PASSWORD", "value": MASK}, {"name": "replicas", "value": "3"}],
                "authorizedSshKeys": "ssh-ed25519 AAAA",
            })
        );
    }

    #[test]
    fn a_secret_that_is_an_object_goes_as_a_whole() {
        let mut value = json!({"password": {"clear": "hunter22"}});
        scrub(&mut value);
        assert_eq!(value, json!({"password": MASK}));
    }
}
