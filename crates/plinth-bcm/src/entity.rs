//! BCM's entities, as far as plinth reads them. Field names: BCM 11 captures and the vendor's field definitions.
//!
//! Lenient, because BCM 10 is not captured: every field may be missing or null except the ones that say what the thing is.
//! Unknown fields are kept in `rest`. Secrets are masked before decoding, and `Debug` shows names only. There is no way to
//! serialise an entity: written back, the masks would replace the real secrets.

use crate::mask;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;

/// Fields that plinth does not read, kept as they came, with secrets masked.
pub type Rest = Map<String, Value>;

/// A machine or another device.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// `Device`.
    pub base_type: String,
    /// `PhysicalNode`, `HeadNode`; other kinds exist.
    pub child_type: String,
    /// Entity id.
    pub uuid: String,
    /// Host name, unique.
    pub hostname: String,
    /// Hardware address; zeros until the node was identified.
    pub mac: Option<String>,
    /// Entity id of the category; only on physical nodes.
    pub category: Option<String>,
    /// Whether it is a template and not a machine.
    pub template_node: Option<bool>,
    /// Interfaces; their order has no meaning.
    pub interfaces: Option<Vec<NetworkInterface>>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// An interface of a device.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkInterface {
    /// `NetworkInterface`.
    pub base_type: String,
    /// `NetworkPhysicalInterface`, `NetworkBmcInterface`, ...; compare without regard to case.
    pub child_type: String,
    /// Entity id.
    pub uuid: String,
    /// `bond0`, `bond0.100`, `eth0:0`: the parent of a VLAN or alias is in the name.
    pub name: String,
    /// Address; `0.0.0.0` when unset.
    pub ip: Option<String>,
    /// Whether the address comes from DHCP.
    pub dhcp: Option<bool>,
    /// Entity id of the network, or zeros.
    pub network: Option<String>,
    /// `ALWAYS`, `ACTIVE`, `PASSIVE`, `PREFERPASSIVE`.
    pub start_if: Option<String>,
    /// Higher wins when two interfaces are on one network.
    pub on_network_priority: Option<i64>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A network that BCM keeps; the ranges of pods and services are networks there too.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// `Network`.
    pub base_type: String,
    /// Empty.
    pub child_type: String,
    /// Entity id.
    pub uuid: String,
    /// Name, unique.
    pub name: String,
    /// `INTERNAL`, `EXTERNAL`, `GLOBAL`, ...
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// First address.
    pub base_address: Option<String>,
    /// Length of the network part, bits.
    pub netmask_bits: Option<i64>,
    /// Gateway; `0.0.0.0` is none.
    pub gateway: Option<String>,
    /// First address of the DHCP pool for unknown nodes; `0.0.0.0` is none.
    pub dynamic_range_start: Option<String>,
    /// Last address of that pool.
    pub dynamic_range_end: Option<String>,
    /// May be used by CMDaemon; does not mean out-of-band.
    pub management: Option<bool>,
    /// DNS domain that belongs to the network, where BCM has one.
    pub domain_name: Option<String>,
    /// Largest packet, bytes.
    pub mtu: Option<i64>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A named set of nodes with equal settings; plinth reads no more of it than which it is.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    /// `Category`.
    pub base_type: String,
    /// Empty.
    pub child_type: String,
    /// Entity id.
    pub uuid: String,
    /// Name, unique.
    pub name: String,
    /// Everything else, `bmcSettings` with its masked password among it.
    #[serde(flatten)]
    pub rest: Rest,
}

/// What entities have in common.
pub trait Entity: DeserializeOwned {
    /// The `baseType` it must have.
    const BASE_TYPE: &'static str;
    /// Field that names it: `hostname` or `name`.
    const NAME_FIELD: &'static str;
    /// The `baseType` it has.
    fn base_type(&self) -> &str;
}

macro_rules! entity {
    ($entity:ident, $base:literal, $name_field:literal, $name:ident) => {
        impl Entity for $entity {
            const BASE_TYPE: &'static str = $base;
            const NAME_FIELD: &'static str = $name_field;
            fn base_type(&self) -> &str {
                &self.base_type
            }
        }

        impl fmt::Debug for $entity {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($entity), "({} {} {})"), self.$name, self.child_type, self.uuid)
            }
        }
    };
}

entity!(Device, "Device", "hostname", hostname);
entity!(NetworkInterface, "NetworkInterface", "name", name);
entity!(Network, "Network", "name", name);
entity!(Category, "Category", "name", name);

/// An entity of a list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("item {index} ({name}) of {length} cannot be read at `{path}`: {why}")]
pub struct EntityError {
    /// Place in the list, from 1.
    pub index: usize,
    /// How many items the list has.
    pub length: usize,
    /// Its name, or `without name`.
    pub name: String,
    /// Where in the entity: `interfaces[2].ip`.
    pub path: String,
    /// What is wrong there.
    pub why: String,
}

/// Longest name or reason that is quoted, characters.
const QUOTE_MAX: usize = 120;

/// Decodes a list of entities. Secrets are masked first.
///
/// # Errors
/// The first entity that cannot be read. One bad entity refuses the list: a machine left out silently would be worse.
pub fn decode_list<E: Entity>(items: Vec<Value>) -> Result<Vec<E>, EntityError> {
    let length = items.len();
    items.into_iter().enumerate().map(|(index, item)| decode(index + 1, length, item)).collect()
}

fn decode<E: Entity>(index: usize, length: usize, mut item: Value) -> Result<E, EntityError> {
    mask::scrub(&mut item);
    let name = item.get(E::NAME_FIELD).and_then(Value::as_str).map_or_else(|| "without name".to_owned(), quote);
    let fail = |path: String, why: String| EntityError { index, length, name: name.clone(), path, why };
    let entity: E = serde_path_to_error::deserialize(item)
        .map_err(|error| fail(quote(&error.path().to_string()), quote(&error.inner().to_string())))?;
    if entity.base_type().eq_ignore_ascii_case(E::BASE_TYPE) {
        Ok(entity)
    } else {
        let why = format!("expected {}, found {}", E::BASE_TYPE, quote(entity.base_type()));
        Err(fail("baseType".to_owned(), why))
    }
}

fn quote(text: &str) -> String {
    text.chars().take(QUOTE_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,300}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("[a-zA-Z]{0,9}|password|name", inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_field_of_any_shape_gives_an_entity_or_a_short_error(
            field in "baseType|uuid|hostname|interfaces|category|templateNode|password",
            value in any_json(),
        ) {
            let mut item = device("node001");
            item[field] = value;
            if let Err(error) = decode_list::<Device>(vec![item]) {
                prop_assert!(error.to_string().chars().count() < 500);
            }
        }

        #[test]
        fn any_json_in_place_of_an_entity_is_an_error(value in any_json()) {
            prop_assert!(decode_list::<Network>(vec![value]).is_err());
        }
    }

    fn device(name: &str) -> Value {
        json!({"baseType": "Device", "childType": "PhysicalNode", "uuid": "u", "hostname": name})
    }

    #[test]
    fn four_fields_are_enough_and_nulls_are_missing() {
        let mut item = device("node001");
        item["interfaces"] = Value::Null;
        let devices: Vec<Device> = decode_list(vec![item]).unwrap();
        assert_eq!((devices[0].hostname.as_str(), &devices[0].interfaces), ("node001", &None));
    }

    #[test]
    fn unknown_fields_are_kept() {
        let mut item = device("node001");
        item["somethingNew"] = json!({"deep": [1]});
        let devices: Vec<Device> = decode_list(vec![item]).unwrap();
        assert_eq!(devices[0].rest["somethingNew"], json!({"deep": [1]}));
    }

    #[test]
    fn a_bad_one_among_many_is_named_with_its_place() {
        let mut bad = device("dgx-07");
        bad["interfaces"] = json!([
            {"baseType": "NetworkInterface", "childType": "", "uuid": "a", "name": "eth0"},
            {"baseType": "NetworkInterface", "childType": "", "uuid": "b", "name": "eth1", "ip": 7},
        ]);
        let error = decode_list::<Device>(vec![device("dgx-05"), bad, device("dgx-08")]).unwrap_err();
        assert_eq!((error.index, error.length, error.name.as_str()), (2, 3, "dgx-07"));
        assert_eq!(error.path, "interfaces[1].ip");
        assert!(error.why.contains("invalid type: integer `7`"), "{error}");
    }

    #[test]
    fn missing_name_and_wrong_family_are_errors() {
        let error = decode_list::<Device>(vec![json!({"baseType": "Device"})]).unwrap_err();
        assert_eq!(error.name, "without name");
        let network = json!({"baseType": "Category", "childType": "", "uuid": "u", "name": "n"});
        let error = decode_list::<Network>(vec![network]).unwrap_err();
        assert_eq!(error.to_string(), "item 1 (n) of 1 cannot be read at `baseType`: expected Network, found Category");
    }

    #[test]
    fn no_secret_is_printed_or_kept() {
        let item = json!({"baseType": "Category", "childType": "", "uuid": "u", "name": "default",
            "bmcSettings": {"password": "hunter22"}, "kubeadm_ca_key": "hunter22"});
        let categories: Vec<Category> = decode_list(vec![item]).unwrap();
        assert_eq!(format!("{categories:?}"), "[Category(default  u)]");
        assert!(!Value::Object(categories[0].rest.clone()).to_string().contains("hunter22"));
    }

    #[test]
    fn a_decoding_error_quotes_no_secret() {
        let item = json!({"baseType": "Device", "childType": "", "uuid": "u", "hostname": {"password": "hunter22"}});
        let error = decode_list::<Device>(vec![item]).unwrap_err().to_string();
        assert!(!error.contains("hunter22"), "{error}");
    }
}
