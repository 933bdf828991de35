//! What is written in a record of helm: base64 of gzip of JSON. Whoever may write Secrets may write anything there, so all of it is
//! bounded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use plinth_model::{Secret, Version};
use plinth_world::packed::{Budget, Unpacked};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::io::{self, BufReader};

/// Largest record as it is kept: the API server takes some 1.5 MB for one object.
const KEPT: usize = 4 << 20;
/// Largest record unpacked: the largest charts have some 8 MB of manifests and templates.
const UNPACKED: u64 = 64 << 20;
/// How gzip begins. helm takes what begins otherwise for JSON itself, as its first releases wrote it.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// The parts of a release that we look at. It holds values, so it has no `Debug`.
pub(super) struct Payload {
    /// Chart version, as the package says.
    pub(super) version: Version,
    /// Values that were given to helm.
    pub(super) values: Value,
    /// Manifests of all objects but hooks and `crds/`.
    pub(super) manifest: String,
    /// When its installation began. helm carries it on with each upgrade and each rollback, and an installation in place of a failed one
    /// (`helm install --replace`) sets it anew (its source, `pkg/action`).
    pub(super) first_deployed: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Written {
    name: String,
    chart: Chart,
    #[serde(default)]
    config: Option<Map<String, Value>>,
    #[serde(default)]
    manifest: String,
    #[serde(default)]
    info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    first_deployed: Value,
}

#[derive(Deserialize)]
struct Chart {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: Version,
}

/// The same record with another status, and with why.
///
/// # Errors
/// As for [`read`].
pub(super) fn with_status(content: &Secret, name: &str, status: &str, why: &str) -> Result<Secret, String> {
    let mut written: Value = parsed(content)?;
    if written["name"] != name {
        return Err("it is of another release".to_owned());
    }
    let info = written["info"].as_object_mut().ok_or("it is not what helm writes")?;
    info.insert("status".to_owned(), status.into());
    info.insert("description".to_owned(), why.into());
    let packed = || {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        serde_json::to_writer(&mut gzip, &written)?;
        gzip.finish()
    };
    let packed = packed().map_err(|_| "it cannot be packed")?;
    Ok(Secret::new(STANDARD.encode(packed)))
}

/// Reads a record of the release of this name.
///
/// # Errors
/// With why it cannot be read; never with its content.
pub(super) fn read(content: &Secret, name: &str) -> Result<Payload, String> {
    let written: Written = parsed(content)?;
    if written.name != name {
        return Err("it is of another release".to_owned());
    }
    let Written { chart, config, manifest, info, .. } = written;
    let first_deployed = info.and_then(|info| info.first_deployed.as_str()?.parse().ok());
    let values = Value::Object(config.unwrap_or_default());
    Ok(Payload { version: chart.metadata.version, values, manifest, first_deployed })
}

fn parsed<T: DeserializeOwned>(content: &Secret) -> Result<T, String> {
    let text = content.expose().trim();
    if text.len() > KEPT {
        return Err(format!("it is longer than {} MiB", KEPT >> 20));
    }
    let bytes = STANDARD.decode(text).map_err(|_| "it is not base64")?;
    let written: Result<T, _> = if bytes.starts_with(&GZIP) {
        serde_json::from_reader(BufReader::new(Unpacked::new(bytes.as_slice(), &Budget::of(UNPACKED, 0))))
    } else {
        serde_json::from_slice(&bytes)
    };
    // What serde_json says may quote a value.
    written.map_err(|error| match error.io_error_kind() {
        Some(io::ErrorKind::FileTooLarge) => format!("unpacked it is longer than {} MiB", UNPACKED >> 20),
        Some(_) => "it is cut off or damaged".to_owned(),
        None if error.is_eof() => "it is cut off".to_owned(),
        None => "it is not what helm writes".to_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;
    use std::io::Write as _;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    /// A record as helm writes it.
    pub(crate) fn record(name: &str, version: &str, values: &Value, manifest: &str) -> String {
        let metadata = json!({"name": name, "version": version, "apiVersion": "v2"});
        let release = json!({"name": name, "info": {"status": "deployed"}, "chart": {"metadata": metadata, "templates": []},
            "config": values, "manifest": manifest, "version": 1, "namespace": "n"});
        STANDARD.encode(packed(release.to_string().as_bytes()))
    }

    /// Its own status.
    pub(crate) fn status(content: &Secret) -> String {
        parsed::<Value>(content).unwrap()["info"]["status"].as_str().unwrap().to_owned()
    }

    fn why(text: String) -> String {
        match read(&Secret::new(text), "a") {
            Ok(_) => panic!("it must be refused"),
            Err(why) => why,
        }
    }

    #[test]
    fn what_helm_writes_is_read() {
        let values = json!({"a": {"b": 1}});
        let read = read(&Secret::new(record("a", "v1.2.3", &values, "kind: A\n")), "a").unwrap();
        assert_eq!((read.version.as_str(), &read.values, read.manifest.as_str()), ("v1.2.3", &values, "kind: A\n"));
        let plain = json!({"name": "a", "chart": {"metadata": {"version": "1.0"}}, "config": null});
        let old = super::read(&Secret::new(STANDARD.encode(plain.to_string())), "a").unwrap();
        assert_eq!((old.values, old.first_deployed), (json!({}), None));
        let told = |time: Value| {
            let info = json!({"first_deployed": time, "last_deployed": "2026-11-30T12:00:00Z", "status": "deployed"});
            let written = json!({"name": "a", "chart": {"metadata": {"version": "1.0"}}, "info": info});
            super::read(&Secret::new(STANDARD.encode(written.to_string())), "a").unwrap().first_deployed
        };
        let time = told(json!("2026-11-30T01:02:03.123456789+02:00")).unwrap();
        assert_eq!(time.to_string(), "2026-11-29T23:02:03.123456789Z");
        for other in [json!(""), json!(null), json!(7)] {
            assert_eq!(told(other), None);
        }
    }

    #[test]
    fn a_status_is_changed_and_nothing_else() {
        let values = json!({"a": {"b": 1.5, "c": u64::MAX}});
        let before = Secret::new(record("a", "v1.2.3", &values, "kind: A\n"));
        let after = with_status(&before, "a", "failed", "why").unwrap();
        let whole = |content: &Secret| parsed::<Value>(content).unwrap();
        let mut want = whole(&before);
        want["info"] = json!({"status": "failed", "description": "why"});
        assert_eq!(whole(&after), want);
        assert!(with_status(&before, "b", "failed", "why").is_err());
        let bare = Secret::new(STANDARD.encode("{\"name\":\"a\"}"));
        assert!(with_status(&bare, "a", "failed", "why").is_err());
    }

    #[test]
    fn whatever_else_stands_there_is_refused_in_bounds_and_not_repeated() {
        let json = |value: Value| STANDARD.encode(packed(value.to_string().as_bytes()));
        let mut whole = STANDARD.decode(record("a", "1.0.0", &json!({"x": "y".repeat(9999)}), "")).unwrap();
        whole.truncate(whole.len() / 2);
        let deep = format!("{{\"name\":\"a\",\"config\":{}1{}}}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        let bomb = packed(&vec![b' '; usize::try_from(UNPACKED).unwrap() + (1 << 20)]);
        let cases = [
            ("%%%".to_owned(), "not base64"),
            (String::new(), "cut off"),
            (STANDARD.encode([GZIP.as_slice(), &[0, 1, 2, 3]].concat()), "cut off or damaged"),
            (STANDARD.encode(whole), "cut off or damaged"),
            (json(json!({"name": "a"})), "not what helm writes"),
            (json(json!({"name": "a", "chart": {"metadata": {"version": "hunter2"}}})), "not what helm writes"),
            (
                json(json!({"name": "a", "chart": {"metadata": {"version": "1"}}, "config": ["hunter2"]})),
                "not what helm",
            ),
            (json(json!({"name": "b", "chart": {"metadata": {"version": "1"}}})), "another release"),
            (STANDARD.encode(packed(deep.as_bytes())), "not what helm writes"),
            (STANDARD.encode(bomb), "longer than 64 MiB"),
            ("A".repeat(KEPT + 4), "longer than 4 MiB"),
        ];
        for (text, want) in cases {
            let why = why(text);
            assert!(why.contains(want) && !why.contains("hunter2"), "{want}: {why}");
        }
    }
}
