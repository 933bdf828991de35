//! Inventories kept as a JSON file (`plinth discover --save`), and a client that answers from one.

use async_trait::async_trait;
use plinth_model::inventory::{Inventory, NodeKind, SCHEMA};
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::{ClientError, ClientResult, Context, deadlines, files};
use serde::Deserialize;
use std::path::Path;

/// Answers from an inventory that was read earlier.
#[derive(Clone, Debug)]
pub struct RecordedBcm(Inventory);

impl RecordedBcm {
    /// A client that answers from this inventory.
    #[must_use]
    pub fn new(inventory: Inventory) -> Self {
        Self(inventory)
    }
}

#[async_trait]
impl BcmClient for RecordedBcm {
    async fn identity(&self, _ctx: &Context) -> ClientResult<BcmIdentity> {
        let heads = || self.0.nodes.iter().filter(|node| node.kind == NodeKind::Head);
        Ok(BcmIdentity {
            head_nodes: heads().map(|node| node.uuid.clone()).collect(),
            names: heads().map(|node| node.name.clone()).collect(),
        })
    }

    async fn inventory(&self, _ctx: &Context) -> ClientResult<Inventory> {
        Ok(self.0.clone())
    }
}

/// The one field that is read before all others.
#[derive(Deserialize)]
struct Numbered {
    schema: Option<u64>,
}

/// Largest record that is read, bytes: it says less than the replies it was made from.
const LARGEST: usize = deadlines::BCM_REPLY_MAX;

/// Reads a recorded inventory.
///
/// # Errors
/// When the file cannot be read or is too large, is not a recorded inventory, or is of another schema.
pub fn load(file: &Path) -> ClientResult<Inventory> {
    let bytes = files::read_up_to(file, LARGEST).map_err(|error| unreadable(file, error.to_string()))?;
    parse(&bytes).map_err(|happened| unreadable(file, happened))
}

/// Reads a recorded inventory from its text. The error is the sentence that says what is wrong.
///
/// # Errors
/// When it is not a recorded inventory, or of another schema.
pub fn parse(bytes: &[u8]) -> Result<Inventory, String> {
    let numbered: Numbered =
        serde_json::from_slice(bytes).map_err(|error| format!("it is not a recorded inventory: {error}"))?;
    match numbered.schema {
        Some(number) if number == u64::from(SCHEMA) => {}
        Some(number) if number > u64::from(SCHEMA) => {
            return Err(format!(
                "it has schema {number}, and this plinth reads up to {SCHEMA}: a newer plinth wrote it"
            ));
        }
        Some(number) => return Err(format!("it has schema {number}, which never existed")),
        None => return Err("it is not a recorded inventory: it has no `schema`".to_owned()),
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| format!("at `{}`: {}", error.path(), error.inner()))
}

fn unreadable(file: &Path, happened: String) -> ClientError {
    ClientError::new("bcm", format!("reading the recorded inventory {}", file.display()))
        .happened(happened)
        .attempt("record it again with `plinth discover --save FILE`")
}

/// Writes an inventory: to a file beside it first, which then takes its place, so that there is never half of one.
///
/// # Errors
/// When the folder is not there or not writable, or the disk is full. The old file is then untouched.
pub fn save(inventory: &Inventory, file: &Path) -> ClientResult<()> {
    write(inventory, file).map_err(|error| {
        ClientError::new("bcm", format!("writing the recorded inventory {}", file.display()))
            .happened(error.to_string())
            .attempt("check that the folder is there, may be written to and has space")
    })
}

fn write(inventory: &Inventory, file: &Path) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(inventory)?;
    bytes.push(b'\n');
    files::write_whole(file, &bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::Observed;
    use plinth_model::inventory::InventoryNode;

    fn sample() -> Inventory {
        let node = |name: &str, kind| InventoryNode {
            name: name.to_owned(),
            uuid: format!("id of {name}"),
            kind,
            category: None,
            template: false,
            interfaces: vec![],
            given: None,
        };
        Inventory {
            schema: SCHEMA,
            source: "bcm https://head:8081".to_owned(),
            nodes: vec![node("head", NodeKind::Head), node("dgx-05", NodeKind::Physical)],
            networks: vec![],
            categories: vec![],
            overlays: Observed::Absent,
        }
    }

    #[test]
    fn what_is_saved_is_loaded_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("inventory.json");
        save(&sample(), &file).unwrap();
        save(&sample(), &file).unwrap();
        assert_eq!(load(&file).unwrap(), sample());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let cases = [
            ("", "not a recorded inventory"),
            ("[]", "not a recorded inventory"),
            ("{}", "no `schema`"),
            (r#"{"schema": 0}"#, "never existed"),
            (r#"{"schema": 99, "nodes": "of another shape"}"#, "a newer plinth wrote it"),
            (r#"{"schema": 1, "source": "x", "nodes": [{"name": 5}]}"#, "at `nodes[0].name`"),
        ];
        for (text, expected) in cases {
            let happened = parse(text.as_bytes()).unwrap_err();
            assert!(happened.contains(expected), "{text}: {happened}");
        }
    }

    #[test]
    fn a_missing_folder_is_an_error_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let error = save(&sample(), &folder.path().join("none/inventory.json")).unwrap_err();
        assert!(error.doing.contains("none/inventory.json"), "{error}");
        assert!(load(&folder.path().join("none")).is_err());
    }

    #[tokio::test]
    async fn the_client_answers_from_the_record() {
        let client = RecordedBcm::new(sample());
        let ctx = Context::quiet(std::sync::Arc::new(plinth_world::SystemClock::new()));
        let identity = client.identity(&ctx).await.unwrap();
        assert_eq!((identity.names, identity.head_nodes), (vec!["head".to_owned()], vec!["id of head".to_owned()]));
        assert_eq!(client.inventory(&ctx).await.unwrap(), sample());
    }
}
