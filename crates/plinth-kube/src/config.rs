//! Kubeconfigs as documents: Kubernetes' own becomes ours, and ours goes into a person's.
//!
//! Documents are kept as they are read, so that what plinth does not know survives; comments do not, as with kubectl. No error
//! here quotes any content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use plinth_model::Secret;
use serde_json::{Map, Value, json};
use x509_parser::pem::Pem;

/// Name of the extension by which plinth knows its own entries; kubectl keeps extensions.
const MARK: &str = "plinth";
/// The lists of a kubeconfig, with what each entry holds.
const LISTS: [(&str, &str); 3] = [("clusters", "cluster"), ("users", "user"), ("contexts", "context")];
/// What of a user, or of the plugin's settings of one, is secret.
const PROOFS: [&str; 7] =
    ["client-key-data", "token", "password", "id-token", "access-token", "refresh-token", "client-secret"];

/// One kubeconfig file as a whole. It may hold keys and tokens, so it has no `Debug`.
#[derive(Clone)]
pub struct KubeconfigFile(Map<String, Value>);

/// Why a kubeconfig cannot be used or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is not what it should be.
    #[error("{0}")]
    Unusable(String),
    /// Entries of the same name are somebody else's; nothing was changed.
    #[error("{} of that name {} there and not made by plinth", .0.join(", "), if .0.len() == 1 { "is" } else { "are" })]
    Foreign(Vec<String>),
}

fn unusable(why: &str) -> ConfigError {
    ConfigError::Unusable(why.to_owned())
}

impl KubeconfigFile {
    /// Reads one; an empty text is an empty kubeconfig.
    ///
    /// # Errors
    /// When it is not YAML, or not a kubeconfig.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.trim().is_empty() {
            return Ok(Self::empty());
        }
        let value: Value = serde_saphyr::from_str(text).map_err(|_| unusable("it is not YAML"))?;
        let Value::Object(document) = value else { return Err(unusable("it is not a kubeconfig")) };
        let kind = document.get("kind").and_then(Value::as_str);
        let list = |name: &str| document.get(name).is_none_or(|list| list.is_array() || list.is_null());
        if kind.is_some_and(|kind| kind != "Config") || !LISTS.iter().all(|(name, _)| list(name)) {
            return Err(unusable("it is not a kubeconfig"));
        }
        Ok(Self(document))
    }

    /// One without any entry.
    #[must_use]
    pub fn empty() -> Self {
        Self(Map::new())
    }

    /// Whether its current context is the site's, as plinth made it.
    #[must_use]
    pub fn is_of_site(&self, site: &str) -> bool {
        self.context() == Some(site)
            && self.entry("clusters", site).is_some_and(|entry| is_ours(entry, "cluster", site))
    }

    /// The administrator's kubeconfig as Kubernetes wrote it, as the one of a site: its current context alone, every name the
    /// site's, this server.
    ///
    /// # Errors
    /// When it has no usable context, leads to files of another machine, or asks not to verify the server.
    pub fn for_site(&self, site: &str, server: &str) -> Result<Self, ConfigError> {
        let context = self.current().ok_or_else(|| unusable("it has no current context"))?;
        let part = |list: &str, inner: &str, key: &str| {
            let name = context.get(key).and_then(Value::as_str)?;
            self.entry(list, name)?.get(inner)?.as_object().cloned()
        };
        let mut cluster = part("clusters", "cluster", "cluster").ok_or_else(|| unusable("its cluster is missing"))?;
        let user = part("users", "user", "user").ok_or_else(|| unusable("its user is missing"))?;
        for (entry, key) in [(&cluster, "certificate-authority"), (&user, "client-certificate"), (&user, "client-key")]
        {
            if entry.contains_key(key) {
                return Err(ConfigError::Unusable(format!("`{key}` names a file of another machine")));
            }
        }
        if !cluster.contains_key("certificate-authority-data") || cluster.contains_key("insecure-skip-tls-verify") {
            return Err(unusable("it does not say which authority the server's certificate must have"));
        }
        cluster.insert("server".to_owned(), json!(server));
        let context = Map::from_iter([("cluster".to_owned(), json!(site)), ("user".to_owned(), json!(site))]);
        let mut document = Map::new();
        document.insert("apiVersion".to_owned(), json!("v1"));
        document.insert("kind".to_owned(), json!("Config"));
        for ((list, inner), content) in LISTS.into_iter().zip([cluster, user, context]) {
            document.insert(list.to_owned(), json!([{ "name": site, inner: marked(content, site) }]));
        }
        document.insert("current-context".to_owned(), json!(site));
        Ok(Self(document))
    }

    /// Puts the entries of a site's kubeconfig into this one. Everything else stays; the current context too, if there is one.
    ///
    /// # Errors
    /// When entries of that name are not plinth's, unless `force` is given.
    pub fn merge(&mut self, ours: &Self, site: &str, force: bool) -> Result<(), ConfigError> {
        let foreign: Vec<String> = LISTS
            .iter()
            .filter(|(list, inner)| self.entry(list, site).is_some_and(|entry| !is_ours(entry, inner, site)))
            .map(|(_, inner)| format!("a {inner}"))
            .collect();
        if !foreign.is_empty() && !force {
            return Err(ConfigError::Foreign(foreign));
        }
        self.0.entry("apiVersion").or_insert_with(|| json!("v1"));
        self.0.entry("kind").or_insert_with(|| json!("Config"));
        for (list, _) in LISTS {
            let Some(entry) = ours.entry(list, site) else { continue };
            let entry = Value::Object(entry.clone());
            let all = self.0.entry(list).or_insert_with(|| json!([]));
            if all.is_null() {
                *all = json!([]);
            }
            let Value::Array(all) = all else { continue };
            match all.iter().position(|known| known["name"] == site) {
                Some(place) => all[place] = entry,
                None => all.push(entry),
            }
        }
        if self.0.get("current-context").and_then(Value::as_str).is_none_or(str::is_empty) {
            self.0.insert("current-context".to_owned(), json!(site));
        }
        Ok(())
    }

    /// Server of the current context.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.of_current("clusters", "cluster")?.get("server")?.as_str()
    }

    /// Whether the current user runs a program, or a plugin of kubectl, to prove who it is.
    #[must_use]
    pub fn runs_program(&self) -> bool {
        let user = self.of_current("users", "user");
        user.is_some_and(|user| user.contains_key("exec") || user.contains_key("auth-provider"))
    }

    /// What proves who its users are: keys, as they stand here and decoded, tokens, passwords, and what a plugin of kubectl keeps. Not
    /// covered: files that it names, and variables of programs that it runs.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let users = self.0.get("users").and_then(Value::as_array).into_iter().flatten();
        let users = users.filter_map(|entry| entry.get("user")?.as_object());
        let plugin = |user: &Map<String, Value>| user.get("auth-provider")?.get("config")?.as_object().cloned();
        let parts = users.flat_map(|user| [Some(user.clone()), plugin(user)]).flatten();
        let texts: Vec<String> = parts
            .flat_map(|part| PROOFS.map(|key| part.get(key).and_then(Value::as_str).map(str::to_owned)))
            .flatten()
            .filter(|text| !text.is_empty())
            .collect();
        let key = |text: &String| STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let keys: Vec<String> = texts.iter().filter_map(key).collect();
        texts.into_iter().chain(keys).filter(|text| !text.is_empty()).map(Secret::new).collect()
    }

    /// Name of the current context.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.0.get("current-context")?.as_str()
    }

    /// When the certificate of the current user expires; none when the user proves itself otherwise.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        let data = self.of_current("users", "user")?.get("client-certificate-data")?.as_str()?;
        let pem = STANDARD.decode(data.trim()).ok()?;
        let pem = Pem::iter_from_buffer(&pem).next()?.ok()?;
        Timestamp::from_second(pem.parse_x509().ok()?.validity().not_after.timestamp()).ok()
    }

    /// As YAML. Holds a key.
    ///
    /// # Errors
    /// When it cannot be written as YAML.
    pub fn text(&self) -> Result<Secret, ConfigError> {
        // Keys on one line, as everybody else writes them.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        serde_saphyr::to_string_with_options(&self.0, options)
            .map(Secret::new)
            .map_err(|_| unusable("it cannot be written as YAML"))
    }

    /// As JSON, which is YAML too. Holds a key.
    #[must_use]
    pub fn json(&self) -> Secret {
        Secret::new(format!("{:#}\n", Value::Object(self.0.clone())))
    }

    fn current(&self) -> Option<&Map<String, Value>> {
        self.entry("contexts", self.context()?)?.get("context")?.as_object()
    }

    fn of_current(&self, list: &str, inner: &str) -> Option<&Map<String, Value>> {
        let name = self.current()?.get(inner)?.as_str()?;
        self.entry(list, name)?.get(inner)?.as_object()
    }

    fn entry(&self, list: &str, name: &str) -> Option<&Map<String, Value>> {
        self.0.get(list)?.as_array()?.iter().find(|entry| entry["name"] == name)?.as_object()
    }
}

fn marked(mut content: Map<String, Value>, site: &str) -> Map<String, Value> {
    content.insert("extensions".to_owned(), json!([{ "name": MARK, "extension": { "site": site } }]));
    content
}

fn is_ours(entry: &Map<String, Value>, inner: &str, site: &str) -> bool {
    let extensions = entry.get(inner).and_then(|content| content.get("extensions")).and_then(Value::as_array);
    extensions.is_some_and(|all| all.iter().any(|one| one["name"] == MARK && one["extension"]["site"] == site))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
