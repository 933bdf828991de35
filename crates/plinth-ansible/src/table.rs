//! What a release would fetch: its own table, filled with the written variables, by a small playbook of ours.

use crate::program::{self, CLIENT, FailureLogs};
use crate::stage::Stage;
use plinth_world::ansible::{Artifact, Download};
use plinth_world::{ClientError, ClientResult, files};
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::time::Duration;

const PLAYBOOK: &str = include_str!("table.yml");
/// Names of the role with the defaults: until v2.27 with a dash.
const DEFAULTS: [&str; 2] = ["kubespray_defaults", "kubespray-defaults"];
/// Largest table, bytes. v2.27.1's is 40 kB.
const LARGEST: usize = 8 * 1024 * 1024;

pub(super) async fn ask(
    stage: &Stage,
    failures: &FailureLogs,
    doing: &str,
    patience: Duration,
) -> ClientResult<Vec<Download>> {
    let failed = |happened: String| {
        ClientError::new(CLIENT, doing)
            .happened(happened)
            .attempt("see that source, environment, inventory and variables are there")
    };
    let playbook = stage.folder.write("table.yml", PLAYBOOK).map_err(|error| failed(error.to_string()))?;
    let goal = stage.folder.join("table.json");
    let role = DEFAULTS.iter().find(|role| stage.playbook("roles").join(role).is_dir()).unwrap_or(&DEFAULTS[0]);
    let vars = json!({"plinth_table": goal, "plinth_defaults": role}).to_string();
    let words = stage.words(&playbook, &[OsString::from("-e"), vars.into()]);
    let ended = program::run(stage.short(&words), doing, patience).await?;
    if !ended.status.success() {
        let happened = format!("ansible-playbook said: {}", ended.complaint().join("; "));
        return Err(failed(happened).failure(failures.failure(&ended)));
    }
    let text = files::read_up_to(&goal, LARGEST).map_err(|error| failed(error.to_string()))?;
    let table: Value = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
    Ok(read(&table))
}

/// Entries that make sense; a table of a later release may hold more.
fn read(table: &Value) -> Vec<Download> {
    let folder = table["folder"].as_str().unwrap_or_default();
    let entries = table["downloads"].as_object().into_iter().flatten();
    let listed = entries.filter_map(|(name, entry)| download(name, entry.as_object()?, folder));
    let images = table["images"].as_array().into_iter().flatten().filter_map(|pair| {
        let (repo, tag) = (pair[0].as_str()?, pair[1].as_str()?);
        let name = repo.rsplit('/').next().unwrap_or(repo).to_owned();
        let what = Artifact::Image { repo: repo.to_owned(), tag: tag.to_owned() };
        Some(Download { name, groups: vec!["k8s_cluster".to_owned()], enabled: true, what })
    });
    listed.chain(images).collect()
}

fn download(name: &str, entry: &Map<String, Value>, folder: &str) -> Option<Download> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let groups = entry.get("groups").and_then(Value::as_array).into_iter().flatten();
    let what = if truth(entry.get("container")) {
        Artifact::Image { repo: text("repo")?, tag: text("tag")? }
    } else {
        let (url, dest) = (text("url")?, text("dest")?);
        let dest = dest.strip_prefix(folder).unwrap_or(&dest).trim_start_matches('/').to_owned();
        let sha256 = text("checksum").or_else(|| text("sha256")).and_then(|sum| checksum(&sum));
        Artifact::File { url, dest, sha256 }
    };
    Some(Download {
        name: name.to_owned(),
        groups: groups.filter_map(|group| group.as_str().map(str::to_owned)).collect(),
        enabled: truth(entry.get("enabled")),
        what,
    })
}

/// Filled templates may be texts where truth values are meant.
fn truth(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// `sha256:HEX` since v2.28, `HEX` before.
fn checksum(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_images_are_read_and_the_rest_is_passed_over() {
        let sum = "a".repeat(64);
        let table = json!({
            "folder": "/tmp/releases",
            "downloads": {
                "kubelet": {"file": true, "enabled": "True", "url": "https://x/kubelet", "dest": "/tmp/releases/kubelet-1", "sha256": format!("sha256:{sum}"), "groups": ["k8s_cluster"]},
                "crds": {"file": true, "enabled": true, "url": "https://x/crds", "dest": "/tmp/releases/crds-1/v1.tar.gz", "groups": ["kube_control_plane"]},
                "calico": {"container": true, "enabled": false, "repo": "quay.io/calico/node", "tag": "v3", "groups": []},
                "odd": {"enabled": true},
            },
            "images": [["registry.k8s.io/kube-proxy", "v1.31.9"], [1, 2]],
        });
        let read = read(&table);
        assert_eq!(read.len(), 4, "{read:?}");
        let kubelet =
            Artifact::File { url: "https://x/kubelet".to_owned(), dest: "kubelet-1".to_owned(), sha256: Some(sum) };
        assert_eq!((read[0].enabled, &read[0].what), (true, &kubelet));
        assert!(matches!(&read[1].what, Artifact::File { dest, .. } if dest == "crds-1/v1.tar.gz"), "{:?}", read[1]);
        assert!(!read[2].enabled);
        assert_eq!(read[3].name, "kube-proxy");
    }
}
