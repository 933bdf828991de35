//! The Ansible client following one playbook, in a process of its own: what `cargo xtask bench --ansible` measures.
//!
//! Reads its orders from the environment: `BENCH_STATE` (a directory), `BENCH_SOURCE` (a tree in Kubespray's shape), `BENCH_TREE`
//! (its tree id), `BENCH_HOSTS` (how many), and `BENCH_WORK`: `prepare` makes the environment and writes the inventory, `follow`
//! runs `playbooks/boilerplate.yml`, which contacts no node, as the second opinion does, and `install` runs `cluster.yml` on the nodes
//! of `BENCH_ADDRESSES`, as `BENCH_USER` with the private key in `BENCH_KEY`. Ends with status 1 when anything is not as wanted.

use indexmap::IndexMap;
use plinth_ansible::{LocalAnsible, PackageSource};
use plinth_keystore::SiteSecrets;
use plinth_model::engine::Play;
use plinth_model::steps::{
    Credential, HostInputs, INVENTORY_FILE, KubesprayRelease, NodeTarget, RunInputs, VARIABLES_FILE,
};
use plinth_model::{Digest, NodeName, SecretRef};
use plinth_ssh::{SshConfig, SshNodes};
use plinth_world::ansible::{AnsibleClient as _, PlayRun};
use plinth_world::node::NodeHostKeys as _;
use plinth_world::secrets::Secrets;
use plinth_world::{Context, SystemClock};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let state = PathBuf::from(order("BENCH_STATE")?);
    let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(&state));
    let nodes = SshNodes::new(SshConfig::new(&state), Arc::clone(&secrets));
    let client = LocalAnsible::new(&state, &state, PackageSource::default(), Arc::new(nodes.clone()), secrets);
    let (ctx, release) = (Context::quiet(Arc::new(SystemClock::new())), release()?);
    if order("BENCH_WORK")? == "prepare" {
        client.fetch_source(&ctx, &release).await?;
        client.make_environment(&ctx, &release).await?;
        client.write_inventory(&ctx, &files(order("BENCH_HOSTS")?.parse()?)).await?;
        return Ok(());
    }
    if order("BENCH_WORK")? == "install" {
        return install(&client, &nodes, &ctx, release).await;
    }
    match client.validate_inventory(&ctx, &release).await? {
        Some(complaints) if complaints.is_empty() => Ok(()),
        other => Err(format!("the playbook did not succeed: {other:?}").into()),
    }
}

/// On real nodes, whose host keys are pinned on the way.
async fn install(client: &LocalAnsible, nodes: &SshNodes, ctx: &Context, release: KubesprayRelease) -> Outcome {
    let targets = targets()?;
    for target in &targets {
        let seen = nodes.host_key(ctx, target).await?;
        nodes.pin_host_key(ctx, target, &seen.presented).await?;
    }
    client.write_inventory(ctx, &inventory(&targets)).await?;
    let nothing = HostInputs { groups: Vec::new(), variables: Digest::of_bytes(b"") };
    let hosts = targets.iter().map(|target| (target.node.clone(), nothing.clone())).collect();
    let (tag, version) = (release.tag.clone(), "v1.32.5".parse()?);
    let inputs = RunInputs { tag, version, variables: Digest::of_bytes(b""), hosts };
    let run = PlayRun { release, play: Play::Cluster, targets, inputs };
    let stats = client.play(ctx, &run).await?;
    if run.accepts(&stats) { Ok(()) } else { Err(format!("the playbook did not succeed: {stats:?}").into()) }
}

fn targets() -> Result<Vec<NodeTarget>, Box<dyn Error>> {
    let (user, key) = (order("BENCH_USER")?, order("BENCH_KEY")?);
    let target = |(n, address): (usize, &str)| -> Result<NodeTarget, Box<dyn Error>> {
        Ok(NodeTarget {
            node: NodeName::new(&format!("n{}", n + 1))?,
            address: address.parse()?,
            port: 22,
            user: user.clone(),
            credential: Credential::Key(SecretRef::File(key.clone())),
            legacy_keys: false,
            jump: None,
        })
    };
    order("BENCH_ADDRESSES")?.split_whitespace().enumerate().map(target).collect()
}

/// The nodes with their addresses.
fn inventory(targets: &[NodeTarget]) -> IndexMap<String, String> {
    let host = |target: &NodeTarget| (target.node.to_string(), json!({"ansible_host": target.address}));
    let hosts: Map<String, Value> = targets.iter().map(host).collect();
    written(&json!({"all": {"hosts": hosts}}))
}

fn release() -> Result<KubesprayRelease, Box<dyn Error>> {
    Ok(KubesprayRelease {
        tag: "v2.28.1".parse()?,
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
    written(&json!({"all": {"hosts": hosts}}))
}

fn written(inventory: &Value) -> IndexMap<String, String> {
    [(INVENTORY_FILE, inventory.clone()), (VARIABLES_FILE, json!({}))]
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .into()
}

fn order(name: &str) -> Result<String, Box<dyn Error>> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}
