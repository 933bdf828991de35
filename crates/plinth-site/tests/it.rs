//! The crate as others use it: examples, bad files with golden output, schema, secrets, arbitrary input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "it/arbitrary.rs"]
mod arbitrary;
#[path = "it/bad_files.rs"]
mod bad_files;
#[path = "it/cluster.rs"]
mod cluster;
#[path = "it/examples.rs"]
mod examples;
#[path = "it/schema.rs"]
mod schema;
#[path = "it/secrets.rs"]
mod secrets;
#[path = "it/templates.rs"]
mod templates;

use plinth_site::{Rejected, Site, parse};
use std::path::Path;

/// A small valid site, as a text that tests change.
pub(crate) const GOOD: &str = r#"apiVersion: plinth/v1
kind: Site
metadata: {name: basepod-a}
inventory:
  bcm: {endpoint: "https://bcm-head-01:8081", username: {env: BCM_USERNAME}, password: {env: BCM_PASSWORD}}
networks:
  production: 10.184.162.0/24
  forbidden: [10.229.10.0/24]
nodes:
  controlPlane: [cpu-03, cpu-05, cpu-06]
  workers: [dgx-05, dgx-06]
  gpu: [dgx-*]
access:
  bootstrap: {user: ibm, password: {env: BOOTSTRAP_PASSWORD}}
kubernetes:
  version: v1.31.9
  network: {plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16}
platform:
  ingress: {http: 30080, https: 30443}
runai:
  version: "2.21"
  domain: bcm-head-01.eth.cluster
  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}
  admin: {email: admin@example.com, password: {env: RUNAI_ADMIN_PASSWORD}}
"#;

/// [`GOOD`] with texts replaced; every one of them must be there.
pub(crate) fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(GOOD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` is not in the good file");
        text.replacen(from, to, 1)
    })
}

pub(crate) fn read(text: impl AsRef<[u8]>) -> Result<Site, Rejected> {
    parse(text, Path::new("site.yaml"))
}

/// `line:column code subject` of each finding, of good files too.
pub(crate) fn summary(text: &str) -> Vec<String> {
    let findings = match read(text) {
        Ok(site) => site.findings,
        Err(rejected) => rejected.findings,
    };
    let place = |number: Option<usize>| number.map_or("-".to_owned(), |number| number.to_string());
    findings.iter().map(|f| format!("{}:{} {} {}", place(f.line), place(f.column), f.code, f.subject)).collect()
}
