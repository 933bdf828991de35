//! What the contenders stand on: the lab, a directory for their files, and the account that they make.

use crate::commands::{self, Failure};
use crate::scratch::Scratch;
use plinth_lab::{Lab, Node};
use std::path::{Path, PathBuf};
use std::process::Command;

const BY_HAND: &str = include_str!("by_hand.sh");

/// A lab and what all contenders share.
pub(super) struct Ground<'a> {
    pub(super) lab: &'a Lab,
    pub(super) scratch: Scratch,
    plinth: &'a Path,
    key: String,
}

/// One account to be made: every contender makes its own in every round, so that each finds none.
pub(super) struct Order {
    pub(super) account: String,
    pub(super) uid: usize,
}

impl Order {
    pub(super) fn new(number: usize) -> Self {
        Self { account: format!("bench{number}"), uid: 61000 + number }
    }
}

impl<'a> Ground<'a> {
    /// `plinth` is the program that stands for plinth.
    pub(super) fn new(lab: &'a Lab, plinth: &'a Path) -> Result<Self, Failure> {
        let scratch = Scratch::new(lab.name())?;
        let file = scratch.path().join("key");
        commands::text(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&file))?;
        let key =
            std::fs::read_to_string(file.with_extension("pub")).map_err(|error| format!("reading the key: {error}"))?;
        Ok(Self { lab, scratch, plinth, key: key.trim().to_owned() })
    }

    /// The public key that is authorised for the account.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// A file or folder of one round.
    pub(super) fn place(&self, name: &str, order: &Order) -> PathBuf {
        self.scratch.path().join(format!("{}-{name}", order.account))
    }

    /// A program in the lab's network that sees nothing of our environment.
    pub(super) fn program(&self, program: &str) -> Command {
        let mut command = self.lab.command(program);
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", self.scratch.path()).env("LANG", "C.UTF-8").current_dir(self.scratch.path());
        command
    }

    /// Plinth's client at some work on the first nodes.
    pub(super) fn client(&self, work: &str, nodes: usize, state: &Path) -> Command {
        let addresses: Vec<String> = self.lab.nodes().take(nodes).map(|node| node.address().to_string()).collect();
        let mut command = self.program(&self.plinth.to_string_lossy());
        command.env("BENCH_WORK", work).env("BENCH_STATE", state).env("BENCH_USER", self.lab.user());
        command.env("BENCH_PASSWORD", self.lab.password()).env("BENCH_ADDRESSES", addresses.join(" "));
        command
    }

    /// The same as an account that was made before, by its key.
    pub(super) fn client_as(&self, order: &Order, work: &str, nodes: usize, state: &Path) -> Command {
        let mut command = self.client(work, nodes, state);
        command.env("BENCH_USER", &order.account).env("BENCH_LOGIN_KEY", self.scratch.path().join("key"));
        command
    }

    /// Plinth makes the account.
    pub(super) fn plinth(&self, order: &Order) -> Result<Command, Failure> {
        let mut command = self.client("account", usize::MAX, &self.place("state", order));
        command
            .env("BENCH_ACCOUNT", &order.account)
            .env("BENCH_UID", order.uid.to_string())
            .env("BENCH_KEY", self.scratch.path().join("key"));
        Ok(command)
    }

    /// The loop by hand makes it. Host keys are accepted on first contact, as plinth does.
    pub(super) fn by_hand(&self, order: &Order) -> Result<Command, Failure> {
        let script = self.write("by-hand.sh", BY_HAND)?;
        let mut command = self.program("sh");
        command.arg(script).arg(self.place("known-hosts", order)).arg(self.lab.user());
        command.arg(&order.account).arg(order.uid.to_string()).arg(&self.key);
        command.args(self.lab.nodes().map(|node| node.address().to_string()));
        command.env("SSHPASS", self.lab.password());
        Ok(command)
    }

    /// Writes a file that only we can read.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.scratch.path().join(name);
        let told = |error: std::io::Error| format!("writing {}: {error}", path.display());
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(told)?;
        file.write_all(text.as_bytes()).map_err(told)?;
        Ok(path)
    }

    /// Looks past sshd whether every node has the account as ordered, whoever made it.
    pub(super) fn made(&self, order: &Order) -> Result<(), Failure> {
        let look = |node: Node<'_>| {
            let script = "test \"$(id -u \"$1\") $(id -g \"$1\")\" = \"$2 $2\" && \
                          grep -qxF -- \"$3\" \"/home/$1/.ssh/authorized_keys\" && \
                          test \"$(stat -c '%a %u' \"/home/$1/.ssh\" \"/home/$1/.ssh/authorized_keys\" | tr '\\n' ' ')\" = \"700 $2 600 $2 \" && \
                          runuser -u \"$1\" -- sudo -n true";
            let uid = order.uid.to_string();
            node.exec(&["sh", "-euc", script, "look", &order.account, &uid, &self.key]).map(drop)
        };
        self.lab.nodes().try_for_each(look).map_err(|error| error.to_string())
    }
}
