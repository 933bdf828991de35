//! An answer, judged by its status and then by its form.

use crate::failure::{Cause, Failure};
use plinth_model::steps::RunaiTarget;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// What came over the wire.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether it calls itself a web page.
    pub(crate) html: bool,
    /// How long the server wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether it is of the kind that something else gives while what should answer is not up.
    pub(crate) fn is_of_a_stand_in(&self) -> bool {
        matches!(self.status, 502..=504) || self.status == 404 && self.json().is_none()
    }

    /// Whether Keycloak itself does not know the realm. In a control plane that plinth installs, the realm comes some time after
    /// Keycloak; in one elsewhere it is named by the site file, and wrong.
    pub(crate) fn lacks_the_realm(&self, target: &RunaiTarget) -> bool {
        self.status == 404 && target.is_here()
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }

    /// The body as what it should be. No value of it is quoted: it may hold secrets.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let bad = |happened: String| Failure::new(Cause::BadAnswer, happened).perhaps_done();
        if self.html || self.body.trim_ascii_start().first() == Some(&b'<') {
            return Err(bad("a web page came instead of JSON".to_owned()));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let (path, inner) = (error.path().to_string(), error.inner());
            if inner.is_eof() {
                let happened = format!("the answer ends in the middle, after {} bytes", self.body.len());
                return Failure::new(Cause::Truncated, happened).perhaps_done();
            }
            if inner.is_data() {
                return bad(format!(
                    "the answer does not have the form of one: `{path}` is missing or of another kind"
                ));
            }
            bad(format!("the answer is not JSON (line {}, column {})", inner.line(), inner.column()))
        })?;
        reader.end().map_err(|_| bad("something stands behind the JSON of the answer".to_owned()))?;
        Ok(value)
    }
}
