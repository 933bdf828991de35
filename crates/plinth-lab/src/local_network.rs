//! A network of nobody but a test: one namespace in which all addresses are this machine's own.

use crate::error::LabResult;
use crate::inside::inside;
use crate::network;
use crate::owner::Owner;
use crate::program::{fed, program, run};
use std::net::Ipv4Addr;

/// Beginning of the names of such namespaces; then the process, and a number.
const PREFIX: &str = "plinth-local-";

/// A network namespace with loopback alone, which also has the addresses that the maker wanted. Any port of them is free, and
/// nothing outside sees it. Gone when dropped; when the maker is killed, the next one removes it. Needs root.
#[derive(Debug)]
pub struct LocalNetwork {
    name: String,
}

impl LocalNetwork {
    /// Makes one with these addresses; those that dead makers left are removed before.
    pub fn up(addresses: &[Ipv4Addr]) -> LabResult<Self> {
        sweep();
        let Owner { pid, started, .. } = Owner::own().unwrap_or(Owner { pid: 0, started: 0, boot: String::new() });
        let numbers = (0..).map(|number| format!("{PREFIX}{pid}-{started}-{number}"));
        let name = numbers.into_iter().find(|name| !network::path(name).exists()).unwrap_or_default();
        let doing = format!("making the network {name}");
        run(&mut program("ip", &["netns", "add", &name]), &doing)?;
        let made = Self { name };
        let mut batch = "link set lo up\n".to_owned();
        batch.extend(addresses.iter().map(|address| format!("addr add {address}/32 dev lo\n")));
        fed(&mut program("ip", &["-n", &made.name, "-batch", "-"]), &doing, batch.as_bytes())?;
        Ok(made)
    }

    /// Runs `work` on a thread that stands in this network, as everything that it starts does.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> LabResult<T> {
        inside(&network::path(&self.name), work)
    }
}

impl Drop for LocalNetwork {
    fn drop(&mut self) {
        let _ = run(&mut program("ip", &["netns", "del", &self.name]), "removing a network");
    }
}

/// Removes those whose makers are gone. The names tell them apart, so a half-made one is nobody's either.
fn sweep() {
    for entry in network::all() {
        let maker = entry.strip_prefix(PREFIX).and_then(|rest| {
            let mut numbers = rest.split('-');
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        });
        if maker.is_some_and(|(pid, started)| !Owner::of(pid, started).lives()) {
            let _ = run(&mut program("ip", &["netns", "del", &entry]), "removing a network");
        }
    }
}
