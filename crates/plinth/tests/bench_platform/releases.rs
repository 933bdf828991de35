//! Reading very many releases, as a look does: each with the newest of its records, by the client alone. The bench is a release build, as the
//! program is.

use crate::ground::Ground;
use crate::node::Node;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::stream::{self, StreamExt as _};
use plinth_helm::LocalHelm;
use plinth_keystore::{FileKeystore, SiteSecrets};
use plinth_kube::KubeApi;
use plinth_model::SiteName;
use plinth_model::steps::Release;
use plinth_world::charts::{ChartPackage, ChartPackages};
use plinth_world::helm::{Helm, HelmClient as _, HelmPrograms};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context, SystemClock};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

const MANY: usize = 200;
/// Looks at once: `run.parallel` of a site that says nothing.
const PARALLEL: usize = 64;

/// Reading needs neither a package nor a program.
struct Neither;

fn refused<T>(doing: &str) -> ClientResult<T> {
    Err(ClientError::new("bench", doing).happened("reading asks for that").attempt("see why"))
}

#[async_trait]
impl ChartPackages for Neither {
    async fn package(&self, _: &Context, _: &Release) -> ClientResult<ChartPackage> {
        refused("package")
    }

    async fn at_hand(&self, _: &Context, _: &Release) -> ClientResult<Option<ChartPackage>> {
        refused("package")
    }
}

#[async_trait]
impl HelmPrograms for Neither {
    async fn program(&self, _: &Context) -> ClientResult<Helm> {
        refused("program")
    }

    async fn at_hand(&self, _: &Context) -> ClientResult<Option<Helm>> {
        refused("program")
    }
}

/// Makes copies of the largest record under other names, and reads them all.
pub(crate) fn read(ground: &Ground) -> Value {
    let names = copies(ground);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (client, ctx) = (client(ground), Context::quiet(Arc::new(SystemClock::new())));
    let once = || {
        let (began, before) = (std::time::Instant::now(), crate::own());
        let asked = stream::iter(&names).map(|name| client.release(&ctx, "many", name)).buffer_unordered(PARALLEL);
        let states: Vec<_> = runtime.block_on(asked.collect());
        assert!(states.iter().all(|state| state.as_ref().is_ok_and(Option::is_some)), "{:?}", states.first());
        (began.elapsed().as_secs_f64(), crate::own() - before)
    };
    let mut took: Vec<(f64, f64)> = (0..3).map(|_| once()).collect();
    took.sort_by(|a, b| a.0.total_cmp(&b.0));
    json!({"count": MANY, "seconds": took[1].0, "cpu": took[1].1})
}

fn client(ground: &Ground) -> LocalHelm {
    let state = ground.path("state");
    let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(&state).below(ground.folder.path()));
    let keystore = Arc::new(FileKeystore::new(&state, Arc::clone(&secrets)));
    let node = Arc::new(Node(Mutex::new(ground.plane.admin())));
    let cluster = KubeApi::new(&state, &SiteName::new("played").unwrap(), node, keystore, Arc::clone(&secrets));
    let kept = KubeApi::kept_in(&state);
    LocalHelm::new(&state, &kept, Arc::new(cluster), Arc::new(Neither), Arc::new(Neither), secrets)
}

/// Names of the copies, all in one namespace.
fn copies(ground: &Ground) -> Vec<String> {
    ground.plane.kubectl(&["create", "namespace", "many"]).unwrap();
    let all = ground.plane.kubectl(&["get", "secrets", "-A", "-l", "owner=helm", "-o", "json"]).unwrap();
    let all: Value = serde_json::from_str(&all).unwrap();
    let length = |record: &&Value| record["data"]["release"].as_str().map_or(0, str::len);
    let largest = all["items"].as_array().unwrap().iter().max_by_key(length).unwrap();
    let content = unpacked(largest["data"]["release"].as_str().unwrap());
    let names: Vec<String> = (0..MANY).map(|number| format!("copy-{number:03}")).collect();
    let items: Vec<Value> = names.iter().map(|name| copy(largest, &content, name)).collect();
    let file = ground.path("copies.json");
    std::fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()).unwrap();
    ground.plane.kubectl(&["create", "-f", Path::to_str(&file).unwrap()]).unwrap();
    names
}

fn copy(record: &Value, content: &Value, name: &str) -> Value {
    let mut content = content.clone();
    content["name"] = name.into();
    content["namespace"] = "many".into();
    let mut labels = record["metadata"]["labels"].clone();
    labels["name"] = name.into();
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": record["type"],
        "metadata": {"name": format!("sh.helm.release.v1.{name}.v1"), "namespace": "many", "labels": labels},
        "data": {"release": packed(&content)},
    })
}

/// base64 of what helm writes, which is base64 of gzip of JSON.
fn unpacked(data: &str) -> Value {
    let written = STANDARD.decode(STANDARD.decode(data).unwrap()).unwrap();
    let mut text = String::new();
    GzDecoder::new(&written[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn packed(content: &Value) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    serde_json::to_writer(&mut gzip, content).unwrap();
    STANDARD.encode(STANDARD.encode(gzip.finish().unwrap()))
}
