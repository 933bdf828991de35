//! One node of a lab.

use crate::error::{LabError, LabResult};
use crate::inside::inside;
use crate::program::{fed, run};
use crate::state::{NodeState, State};
use crate::{group, launch, network, pods};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a node may take to boot; fifty on two cores take half a minute.
const BOOT: Duration = Duration::from_secs(180);
/// How long the processes of a node that was ended may take to go.
const OFF: Duration = Duration::from_secs(30);

/// A node of a lab that is up.
#[derive(Clone, Copy, Debug)]
pub struct Node<'lab> {
    pub(crate) state: &'lab State,
    pub(crate) own: &'lab NodeState,
}

impl Node<'_> {
    /// Unique in the lab; its hostname may be another.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.own.name
    }

    /// Where its sshd listens, on port 22.
    #[must_use]
    pub const fn address(&self) -> Ipv4Addr {
        self.own.address
    }

    /// A program inside the node, as root, past sshd. Its standard streams are the caller's to set.
    pub fn command(&self, words: &[&str]) -> LabResult<Command> {
        let init = self.init().ok_or_else(|| self.wrong("running a program on", "it is off", "boot it"))?;
        let mut command = Command::new("nsenter");
        command.arg("--all").arg("--target").arg(init.to_string()).arg("--");
        command.args(words).current_dir("/").env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", "/root").env("LANG", "C.UTF-8");
        Ok(command)
    }

    /// Runs a program inside the node to its end and gives its standard output; a bad end is an error.
    pub fn exec(&self, words: &[&str]) -> LabResult<String> {
        run(&mut self.command(words)?, &format!("running {} on {}", words.join(" "), self.name()))
    }

    /// As [`Node::exec`], with standard input.
    pub fn fed(&self, words: &[&str], input: &[u8]) -> LabResult<String> {
        fed(&mut self.command(words)?, &format!("running {} on {}", words.join(" "), self.name()), input)
    }

    /// Writes a file inside the node, owned by root; `mode` as chmod takes it, such as `0644`.
    pub fn write_file(&self, path: &str, mode: &str, content: &[u8]) -> LabResult<()> {
        let script = "umask 077; mkdir -p \"$(dirname \"$1\")\"; cat > \"$1\"; chmod \"$2\" \"$1\"";
        self.fed(&["/bin/sh", "-euc", script, "sh", path, mode], content).map(drop)
    }

    /// Pulls its cable: its link goes down at the bridge. What is connected hears nothing of it.
    pub fn cut(&self) -> LabResult<()> {
        network::plug(self.state, self.own, false)
    }

    /// Plugs the cable in again.
    pub fn fix(&self) -> LabResult<()> {
        network::plug(self.state, self.own, true)
    }

    /// Stops all its processes where they stand. Its kernel still takes connections; nothing answers on them.
    pub fn freeze(&self) -> LabResult<()> {
        group::freeze(self.group(), true)
    }

    /// Lets its processes go on.
    pub fn thaw(&self) -> LabResult<()> {
        group::freeze(self.group(), false)
    }

    /// Ends it at once, as a power cut does, except that what was written is not lost.
    pub fn kill(&self) -> LabResult<()> {
        group::kill(self.group())
    }

    /// Boots a node that is off, and waits for its sshd.
    pub fn boot(&self) -> LabResult<()> {
        if !group::processes(self.group()).is_empty() {
            return Err(self.wrong("booting", "it is not off", "kill it first"));
        }
        self.start()?;
        self.answers()
    }

    /// Reboots it from inside, and waits for its sshd.
    pub fn reboot(&self) -> LabResult<()> {
        let before = self.init();
        self.exec(&["systemctl", "reboot"])?;
        let until = Instant::now() + BOOT;
        while self.init() == before || self.init().is_none() {
            if Instant::now() > until || group::processes(self.group()).is_empty() {
                return Err(self.wrong("rebooting", "it did not come back", "look at its console.log"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.answers()
    }

    /// Re-images it, as BCM provisions a node: nothing that was written stays, sshd has new host keys.
    pub fn provision(&self) -> LabResult<()> {
        self.kill()?;
        let until = Instant::now() + OFF;
        while !group::processes(self.group()).is_empty() {
            if Instant::now() > until {
                return Err(self.wrong("provisioning", "its processes do not end", "look at what holds them"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        launch::wipe(self.state, self.own)?;
        self.boot()?;
        self.configure_pods()
    }

    /// Has it configure its bridge as soon as an installer has brought the plugins, if the lab has pods. Not before: a
    /// configuration on a bare node is what is left of another cluster.
    pub(crate) fn configure_pods(&self) -> LabResult<()> {
        let Some(text) = pods::configuration(self.state, self.own)? else { return Ok(()) };
        self.write_file(pods::CONTENT, "0644", text.as_bytes())?;
        self.fed(&["/bin/sh", "-eu"], pods::SCRIPT.as_bytes()).map(drop)
    }

    /// Gives its sshd new host keys of the same kinds, as a provisioning from scratch does.
    pub fn new_host_keys(&self) -> LabResult<()> {
        let script = "for key in /etc/ssh/ssh_host_*_key; do kind=${key#*host_}; rm -f \"$key\" \"$key.pub\"; \
                      ssh-keygen -q -t \"${kind%_key}\" -N '' -f \"$key\"; done; systemctl restart ssh";
        self.exec(&["/bin/sh", "-euc", script])?;
        self.answers()
    }

    /// Public host keys, as `known_hosts` has them, without the address.
    pub fn host_keys(&self) -> LabResult<Vec<String>> {
        let text = self.exec(&["/bin/sh", "-c", "cut -d ' ' -f 1,2 /etc/ssh/ssh_host_*_key.pub"])?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Whether it is off, on or frozen.
    #[must_use]
    pub fn power(&self) -> &'static str {
        let frozen = std::fs::read_to_string(self.group().join("cgroup.freeze")).unwrap_or_default();
        match self.init() {
            None => "off",
            Some(_) if frozen.trim() == "1" => "frozen",
            Some(_) => "on",
        }
    }

    pub(crate) fn start(&self) -> LabResult<()> {
        group::make(&self.own.groups)?;
        launch::start(self.state, self.own)
    }

    /// Waits until its sshd says its version.
    pub(crate) fn answers(&self) -> LabResult<()> {
        let address = SocketAddr::from((self.address(), 22));
        let (until, started) = (Instant::now() + BOOT, Instant::now());
        let said = inside(&network::path(&self.state.namespace()), || {
            while Instant::now() < until {
                if greets(address) {
                    return true;
                }
                // The launcher joins its group within moments; later an empty group means that it gave up.
                let grace = started.elapsed() > Duration::from_secs(5);
                if grace && group::processes(self.group()).is_empty() {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            false
        })?;
        let words = launch::last_words(self.state, self.own);
        if said { Ok(()) } else { Err(self.wrong("waiting for sshd of", &words, "fix what its last words name")) }
    }

    fn group(&self) -> &std::path::Path {
        // Every node has at least the unified group: `Lab::up` refuses to begin without one.
        self.own.groups.first().map_or(std::path::Path::new("/nonexistent"), |group| group)
    }

    /// The node's first process: the one of its groups that is the first of one process namespace below ours.
    fn init(&self) -> Option<u32> {
        group::processes(self.group()).into_iter().find(|pid| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
            matches!(ids.split_whitespace().collect::<Vec<_>>().as_slice(), [_, "1"])
        })
    }

    fn wrong(&self, doing: &str, happened: &str, attempt: &str) -> LabError {
        LabError::new(format!("{doing} {} of the lab {}", self.name(), self.state.name), happened, attempt)
    }
}

fn greets(address: SocketAddr) -> bool {
    let mut said = [0; 4];
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok_and(|mut stream| {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        stream.read_exact(&mut said).is_ok() && said == *b"SSH-"
    })
}
