//! Which call returns what. Calls and their arguments: captures, the vendor's open client, a public Terraform provider.

use super::BcmFixture;
use plinth_world::bcm::wire::ZERO_UUID;
use serde_json::{Value, json};

/// A request body, read.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    /// `{"service": "login", "username": ..., "password": ...}`.
    Login {
        /// User name as sent.
        username: String,
        /// Password as sent.
        password: String,
    },
    /// `{"service": ..., "call": ..., "args": [...]}`; a single `arg` counts as one argument.
    Call {
        /// Service as spelled.
        service: String,
        call: String,
        /// Arguments, in order.
        args: Vec<Value>,
    },
}

impl Request {
    /// Reads a body. None: it is no request.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let service = text("service")?;
        if service == "login" {
            return Some(Request::Login { username: text("username")?, password: text("password")? });
        }
        let args = match (value.get("args"), value.get("arg")) {
            (Some(Value::Array(args)), None) => args.clone(),
            (None, Some(arg)) => vec![arg.clone()],
            (None, None) => Vec::new(),
            _ => return None,
        };
        Some(Request::Call { service, call: text("call")?, args })
    }

    /// `cmdevice.getNodes`, or `login`: what faults and logs name it by.
    pub(super) fn name(&self) -> String {
        match self {
            Request::Login { .. } => "login".to_owned(),
            Request::Call { service, call, .. } => format!("{service}.{call}"),
        }
    }
}

/// The answer to a call. None: there is no such call, or not with these arguments.
pub(super) fn answer(fixture: &BcmFixture, service: &str, call: &str, args: &[Value]) -> Option<Value> {
    match args {
        [] => list(fixture, service, call),
        [Value::String(key)] => single(fixture, service, call, key),
        _ => None,
    }
}

fn list(fixture: &BcmFixture, service: &str, call: &str) -> Option<Value> {
    let devices = |head: bool| fixture.devices.iter().filter(|device| is_head(device) == head).cloned().collect();
    Some(match (service, call) {
        ("cmdevice", "getNodes" | "getDevices") => Value::Array(fixture.devices.clone()),
        ("cmdevice", "getHeadNodes") => Value::Array(devices(true)),
        ("cmdevice", "getComputeNodes") => Value::Array(devices(false)),
        ("cmdevice", "getCategories") => Value::Array(fixture.categories.clone()),
        ("cmnet", "getNetworks") => Value::Array(fixture.networks.clone()),
        ("cmuser", "getUsers") => Value::Array(fixture.users.clone()),
        ("cmkube", "getKubeClusters") => Value::Array(fixture.kube_clusters.clone()),
        ("cmmain", "ping" | "need_uuid") => Value::Bool(true),
        ("cmmain", "getActivePassiveUuids") => active_passive(fixture),
        _ => return None,
    })
}

fn single(fixture: &BcmFixture, service: &str, call: &str, key: &str) -> Option<Value> {
    let (entities, fields): (&[Value], &[&str]) = match (service, call) {
        ("cmdevice", "getNode" | "getDevice") if key == "master" => {
            return Some(fixture.devices.iter().find(|device| is_head(device)).cloned().unwrap_or_default());
        }
        ("cmdevice", "getNode" | "getDevice") => (&fixture.devices, &["hostname", "uuid"]),
        ("cmdevice", "getCategory") => (&fixture.categories, &["name", "uuid"]),
        ("cmnet", "getNetwork") => (&fixture.networks, &["name", "uuid"]),
        ("cmuser", "getUser") => (&fixture.users, &["name"]),
        ("cmkube", "getKubeCluster") => (&fixture.kube_clusters, &["name", "uuid"]),
        _ => return None,
    };
    let found = entities.iter().find(|entity| fields.iter().any(|field| entity[*field] == key));
    Some(found.cloned().unwrap_or_default())
}

/// Active and passive head node; what the third item means is not known.
fn active_passive(fixture: &BcmFixture) -> Value {
    let mut heads = fixture.devices.iter().filter(|device| is_head(device)).map(|device| device["uuid"].clone());
    let mut next = || heads.next().unwrap_or_else(|| Value::from(ZERO_UUID));
    json!([next(), next(), Value::Null])
}

fn is_head(device: &Value) -> bool {
    device["childType"] == "HeadNode"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(value: &Value) -> Vec<&str> {
        value.as_array().unwrap().iter().filter_map(|item| item["hostname"].as_str()).collect()
    }

    #[test]
    fn lists_are_those_of_the_capture() {
        let fixture = BcmFixture::captured().unwrap();
        let call = |name: &str| answer(&fixture, "cmdevice", name, &[]).unwrap();
        assert_eq!(names(&call("getNodes")), ["node002", "bcm11-headnode", "node001"]);
        assert_eq!(call("getDevices"), call("getNodes"));
        assert_eq!(names(&call("getComputeNodes")), ["node002", "node001"]);
        assert_eq!(names(&call("getHeadNodes")), ["bcm11-headnode"]);
    }

    #[test]
    fn single_objects_by_name_by_id_or_null() {
        let fixture = BcmFixture::captured().unwrap();
        let call = |service: &str, name: &str, key: &str| answer(&fixture, service, name, &[Value::from(key)]).unwrap();
        assert_eq!(call("cmdevice", "getNode", "master")["hostname"], "bcm11-headnode");
        assert_eq!(call("cmdevice", "getNode", "95a75a76-09ba-4bbe-9ff0-ae68dc0c330e")["hostname"], "node001");
        assert_eq!(call("cmdevice", "getCategory", "default")["baseType"], "Category");
        assert_eq!(call("cmuser", "getUser", "cmsupport")["ID"], "1000");
        assert_eq!(call("cmuser", "getUser", "root"), Value::Null);
        assert_eq!(call("cmkube", "getKubeCluster", "cluster-name")["version"], "1.28.0");
    }

    #[test]
    fn refused_calls_of_the_capture_are_refused() {
        let refused: std::collections::BTreeMap<String, Vec<String>> =
            serde_json::from_str(include_str!("../../data/bcm/unknown_calls.json")).unwrap();
        let fixture = BcmFixture::captured().unwrap();
        for (service, calls) in &refused {
            for call in calls {
                assert_eq!(answer(&fixture, service, call, &[]), None, "{service}.{call}");
            }
        }
        assert_eq!(answer(&fixture, "CMDevice", "getNodes", &[]), None, "only lower case is proven");
        assert_eq!(answer(&fixture, "cmdevice", "getNodes", &[Value::Bool(true)]), None);
    }

    #[test]
    fn both_argument_forms_are_read() {
        let read = |body: &str| Request::read(body.as_bytes());
        let array = read(r#"{"service":"cmdevice","call":"getNode","args":["master"]}"#).unwrap();
        assert_eq!(array, read(r#"{"service":"cmdevice","call":"getNode","arg":"master"}"#).unwrap());
        assert_eq!(array.name(), "cmdevice.getNode");
        for nothing in ["", "[]", "{}", r#"{"service":"login"}"#, r#"{"service":"s","call":"c","args":{}}"#] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
