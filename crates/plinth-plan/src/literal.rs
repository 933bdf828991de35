//! Finds values that look like secrets in clear. A second wall: the first is that secrets are references.

use plinth_model::values::{Leaf, walk};
use serde_json::Value;

/// How names of secret values end, in lower case without dashes and underscores.
const ENDINGS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "clientsecret",
    "secretkey",
    "apikey",
    "privatekey",
    "accesskey",
    "certificatekey",
    "encryptionkey",
    "signingkey",
    "ipseckey",
];
/// Words that are such a name alone or at its end, and would be a part of others: `bypass`.
const WORDS: [&str; 3] = ["pass", "pwd", "pw"];
/// Maps whose values are names of keys, not secrets.
const NAMES_OF_KEYS: [&str; 2] = ["secretKeys", "secretKeyRef"];

/// The path of the first value that looks like a secret, if there is one: by its name, or by its form.
#[must_use]
pub(crate) fn find(name: &str, value: &Value) -> Option<String> {
    let mut found = None;
    walk(value, &mut |path, leaf| {
        let Leaf::Scalar(Value::String(text)) = leaf else { return };
        let own = path.name().unwrap_or(name);
        let names_keys = std::iter::once(name).chain(path.keys()).any(|key| NAMES_OF_KEYS.contains(&key));
        if found.is_none() && !text.is_empty() && !names_keys && (is_secret_form(text) || is_secret_name(own)) {
            found = Some(std::iter::once(name).chain(path.keys()).collect::<Vec<_>>().join("."));
        }
    });
    found
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect::<String>().to_lowercase();
    ENDINGS.iter().any(|ending| plain.ends_with(ending)) || WORDS.contains(&last_word(name).as_str())
}

/// The last word of a name, in lower case: `pass` of `ansible_become_pass` and `becomePass`.
fn last_word(name: &str) -> String {
    let word = name.rsplit(['-', '_', '.']).next().unwrap_or(name);
    let begin = word
        .rfind(|c: char| c.is_ascii_uppercase())
        .filter(|at| word.get(at + 1..).is_some_and(|rest| !rest.is_empty()));
    word.get(begin.unwrap_or(0)..).unwrap_or(word).to_lowercase()
}

/// A private key, a signed token, or a URL with a password.
fn is_secret_form(text: &str) -> bool {
    let private_key = text.contains("PRIVATE KEY-----");
    let signed_token = text.starts_with("eyJ") && text.matches('.').count() == 2 && !text.contains(' ');
    let login_in_url = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next())
        .and_then(|authority| authority.split_once('@'))
        .is_some_and(|(login, _)| login.contains(':'));
    private_key || signed_token || login_in_url
}

#[cfg(test)]
mod tests {
    use super::find;
    use serde_json::json;

    #[test]
    fn secrets_in_clear_are_found_and_references_are_not() {
        let clear = [
            json!({"adminPassword": "hunter2"}),
            json!({"a": [{"registry_token": "abc"}]}),
            json!({"note": "-----BEGIN EC PRIVATE KEY-----\nabc"}),
            json!({"jwt": "eyJhbGciOi.J9.abc"}),
            json!({"proxy": "http://user:pw@proxy:3128"}),
            json!({"ansible_become_pass": "hunter2"}),
            json!({"ansible_sudo_pass": "hunter2"}),
            json!({"becomePass": "hunter2"}),
            json!({"kubeadm_certificate_key": "6d5a0c"}),
            json!({"kube_vip_bgp_pass": "x"}),
        ];
        for value in clear {
            assert!(find("values", &value).is_some(), "{value}");
        }
        let fine = [
            json!({"adminPassword": {"$secret": {"env": "ADMIN_PASSWORD"}}}),
            json!({"password": {"env": "ADMIN_PASSWORD"}}),
            json!({"adminPassword": ""}),
            json!({"bypass": "yes", "compass": "north", "tlsPassthrough": "on", "PASSAGE": "x"}),
            json!({"secretKeys": {"clientSecret": "client-secret"}}),
            json!({"tlsSecretName": "runai-backend-tls", "url": "https://host:30443/a@b:c"}),
            json!({"accessTokenLifespan": "300", "automountServiceAccountToken": false}),
        ];
        for value in fine {
            assert_eq!(find("values", &value), None, "{value}");
        }
    }
}
