//! The SSH client against many nodes at once, in a process of its own: what `cargo xtask bench --nodes` measures.
//!
//! Reads its orders from the environment, since one of them is a password: `BENCH_WORK` (`account`, `facts` or `idle`),
//! `BENCH_STATE` (a fresh directory), `BENCH_USER`, `BENCH_PASSWORD`, `BENCH_ADDRESSES`, and for the account `BENCH_ACCOUNT`,
//! `BENCH_UID` and `BENCH_KEY` (a private key's file). With `BENCH_LOGIN_KEY`, the same kind of file, it logs in by that key and not by the
//! password. Ends with status 1 when anything is not in the desired state afterwards.

use plinth_keystore::SiteSecrets;
use plinth_model::facts::Asked;
use plinth_model::steps::{Account, Credential, KeyAlgorithm, NodeTarget};
use plinth_model::{NodeName, SecretRef};
use plinth_ssh::{SshConfig, SshNodes};
use plinth_world::node::{AccountState, NodeAccounts as _, NodeHostKeys as _, NodeInspection as _};
use plinth_world::{Context, SystemClock};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinSet;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome {
    let state = PathBuf::from(order("BENCH_STATE")?);
    let secrets = Arc::new(SiteSecrets::new(&state));
    let ctx = Context::quiet(Arc::new(SystemClock::new()));
    let work = Arc::new(Work { client: SshNodes::new(SshConfig::new(&state), secrets), ctx, orders: Orders::read()? });
    let mut nodes = JoinSet::new();
    for target in work.orders.targets()? {
        let work = Arc::clone(&work);
        nodes.spawn(async move { work.on(&target).await });
    }
    while let Some(done) = nodes.join_next().await {
        done??;
    }
    if work.orders.work == "idle" {
        println!("{}", resident_kib()?);
    }
    Ok(())
}

/// What is to be done.
struct Orders {
    work: String,
    user: String,
    addresses: String,
    account: Option<Account>,
}

impl Orders {
    fn read() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let work = order("BENCH_WORK")?;
        let account = if work == "account" { Some(wanted()?) } else { None };
        Ok(Self { work, user: order("BENCH_USER")?, addresses: order("BENCH_ADDRESSES")?, account })
    }

    fn targets(&self) -> Result<Vec<NodeTarget>, Box<dyn Error + Send + Sync>> {
        let password = || Credential::Password(SecretRef::Env("BENCH_PASSWORD".to_owned()));
        let key = std::env::var("BENCH_LOGIN_KEY").ok().map(|file| Credential::Key(SecretRef::File(file)));
        let credential = key.unwrap_or_else(password);
        let target = |(index, address): (usize, &str)| {
            Ok(NodeTarget {
                node: NodeName::new(&format!("n{}", index + 1))?,
                address: address.parse()?,
                port: 22,
                user: self.user.clone(),
                credential: credential.clone(),
                legacy_keys: false,
                jump: None,
            })
        };
        self.addresses.split_whitespace().enumerate().map(target).collect()
    }
}

/// The account of the benchmark.
fn wanted() -> Result<Account, Box<dyn Error + Send + Sync>> {
    let name = order("BENCH_ACCOUNT")?;
    let id = order("BENCH_UID")?.parse()?;
    Ok(Account {
        home: format!("/home/{name}").try_into()?,
        name,
        uid: id,
        gid: id,
        shell: plinth_model::HostPath::fixed("/bin/bash"),
        key: SecretRef::File(order("BENCH_KEY")?),
        key_algorithm: KeyAlgorithm::Ed25519,
        authorized_keys: Vec::new(),
    })
}

/// The client, and what is to be done through it.
struct Work {
    client: SshNodes,
    ctx: Context,
    orders: Orders,
}

impl Work {
    async fn on(&self, target: &NodeTarget) -> Outcome {
        let seen = self.client.host_key(&self.ctx, target).await?;
        self.client.pin_host_key(&self.ctx, target, &seen.presented).await?;
        match &self.orders.account {
            Some(account) => self.account(target, account).await,
            None => self.facts(target).await,
        }
    }

    /// As a run of plinth does it: look, make, look.
    async fn account(&self, target: &NodeTarget, account: &Account) -> Outcome {
        let before = self.client.account(&self.ctx, target, account).await?;
        self.client.make_account(&self.ctx, target, account).await?;
        let after = self.client.account(&self.ctx, target, account).await?;
        match (before, after) {
            (AccountState::Absent, AccountState::Same) => Ok(()),
            (before, after) => Err(format!("{}: {before:?} before, {after:?} after", target.node).into()),
        }
    }

    async fn facts(&self, target: &NodeTarget) -> Outcome {
        let asked = Asked { paths: vec!["/var/lib/containerd".to_owned()], ..Asked::default() };
        let facts = self.client.facts(&self.ctx, target, &asked).await?;
        if facts.containerd.is_none() {
            Err(format!("{}: nothing is known of containerd", target.node).into())
        } else {
            Ok(())
        }
    }
}

fn order(name: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    std::env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// Memory of this process that is resident now.
fn resident_kib() -> Result<u64, Box<dyn Error + Send + Sync>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the kernel tells no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
