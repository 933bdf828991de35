//! The Ansible door following one playbook that contacts no node, in a process of its own: what `cargo xtask bench --ansible`
//! measures.
//!
//! Reads its orders from the environment: `BENCH_STATE` (a directory), `BENCH_SOURCE` (a tree in Kubespray's shape), `BENCH_TREE`
//! (its tree id), `BENCH_HOSTS` (how many), and `BENCH_WORK`: `prepare` makes the environment and writes the inventory, `follow`
//! runs `playbooks/boilerplate.yml` as the second opinion does. Ends with status 1 when anything is not as wanted.

use indexmap::IndexMap;
use plinth_model::Observed;
use plinth_model::work::{INVENTORY_FILE, KubesprayRelease, VARIABLES_FILE};
use plinth_world::ansible::{AnsibleDoor as _, LocalAnsible, PackageSource};
use plinth_world::node::ssh::{SshConfig, SshNodes};
use plinth_world::secrets::{Secrets, SiteSecrets};
use plinth_world::{Context, SystemClock};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let state = PathBuf::from(order("BENCH_STATE")?);
    let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(&state));
    let nodes = SshNodes::new(SshConfig::new(&state), Arc::clone(&secrets));
    let door = LocalAnsible::new(&state, &state, PackageSource::default(), nodes, secrets);
    let (ctx, release) = (Context::quiet(Arc::new(SystemClock::new())), release()?);
    if order("BENCH_WORK")? == "prepare" {
        door.fetch_source(&ctx, &release).await?;
        door.make_environment(&ctx, &release).await?;
        door.write_inventory(&ctx, &files(order("BENCH_HOSTS")?.parse()?)).await?;
        return Ok(());
    }
    match door.opinion(&ctx, &release).await? {
        Observed::Known(complaints) if complaints.is_empty() => Ok(()),
        other => Err(format!("the playbook did not succeed: {other:?}").into()),
    }
}

fn release() -> Result<KubesprayRelease, Box<dyn Error>> {
    Ok(KubesprayRelease {
        tag: "v2.28.1".to_owned(),
        source: order("BENCH_SOURCE")?,
        commit: String::new(),
        tree: order("BENCH_TREE")?,
        python: ">=3.10, <3.13".to_owned(),
        ansible_core: ">=2.16.4, <2.17.0".to_owned(),
        ansible: String::new(),
    })
}

fn files(hosts: usize) -> IndexMap<String, String> {
    let hosts: Map<String, Value> =
        (1..=hosts).map(|n| (format!("n{n}"), json!({"ansible_connection": "local"}))).collect();
    let inventory = json!({"all": {"hosts": hosts}});
    [(INVENTORY_FILE, inventory), (VARIABLES_FILE, json!({}))]
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .into()
}

fn order(name: &str) -> Result<String, Box<dyn Error>> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}
