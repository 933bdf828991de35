//! Ansible as a contender: a pinned release in an environment of its own, and a playbook of ours.

use super::ground::{Ground, Order};
use crate::commands::{self, Failure};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of the release line that Kubespray v2.29 stands on.
pub(super) const RELEASE: &str = "2.17.14";
const PLAYBOOK: &str = include_str!("playbook.yml");

/// Nothing but Ansible's own defaults: five forks, a connection that is kept for a minute.
pub(super) const DEFAULTS: &str = "";
/// What people tune.
pub(super) const TUNED: &str = "[defaults]\nforks = 50\n[ssh_connection]\npipelining = true\n";

/// An installed Ansible.
pub(super) struct Ansible {
    bin: PathBuf,
}

impl Ansible {
    /// Installs it into the cache directory when it is not there; needs sshpass, which Ansible asks passwords with.
    pub(super) fn installed() -> Result<Self, Failure> {
        if !commands::output(Command::new("sshpass").arg("-V")).is_ok_and(|output| output.status.success()) {
            return Err("sshpass is not there: `apt-get install sshpass`".to_owned());
        }
        let folder = cache()?.join(format!("ansible-core-{RELEASE}"));
        let bin = folder.join("bin");
        let works = |bin: &Path| commands::text(Command::new(bin.join("ansible-playbook")).arg("--version")).is_ok();
        if !works(&bin) {
            println!("bench: installing ansible-core {RELEASE} into {}", folder.display());
            commands::text(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
            let package = format!("ansible-core=={RELEASE}");
            commands::text(Command::new(bin.join("pip")).args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                &package,
            ]))?;
        }
        if works(&bin) {
            Ok(Self { bin })
        } else {
            Err(format!("ansible-playbook in {} does not start", bin.display()))
        }
    }

    /// A run of the playbook. Host keys are known already.
    pub(super) fn playbook(&self, ground: &Ground<'_>, order: &Order, settings: &str) -> Result<Command, Failure> {
        let settings = ground.write(&format!("{}.cfg", order.account), settings)?;
        let inventory = ground.write(&format!("{}.ini", order.account), &inventory(ground, order)?)?;
        let playbook = ground.write(&format!("{}.yml", order.account), PLAYBOOK)?;
        let path = format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", self.bin.display());
        let mut command = ground.program(&self.bin.join("ansible-playbook").to_string_lossy());
        command.arg("-i").arg(inventory).arg(playbook).env("PATH", path).env("ANSIBLE_CONFIG", settings);
        // Connections of its own in each round: plinth and the loop open theirs anew, too.
        command.env("ANSIBLE_SSH_CONTROL_PATH_DIR", ground.place("cp", order));
        // Of what it says, standard error is all that a failure shows.
        command.env("ANSIBLE_DISPLAY_FAILED_STDERR", "true");
        Ok(command)
    }

    /// Ends the connections that a run keeps open.
    pub(super) fn hang_up(ground: &Ground<'_>, order: &Order) {
        for socket in std::fs::read_dir(ground.place("cp", order)).into_iter().flatten().flatten() {
            let mut option = std::ffi::OsString::from("ControlPath=");
            option.push(socket.path());
            // One that has ended by itself has nothing to hang up.
            let _ended_already = commands::output(
                ground.program("ssh").args(["-F", "none", "-O", "exit", "-o"]).arg(option).arg("node"),
            );
        }
    }
}

fn inventory(ground: &Ground<'_>, order: &Order) -> Result<String, Failure> {
    let known = known_hosts(ground)?;
    let mut text = String::from("[all]\n");
    for node in ground.lab.nodes() {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{} ansible_host={}", node.name(), node.address());
    }
    let (user, password) = (ground.lab.user(), ground.lab.password());
    let _ = write!(
        text,
        "[all:vars]\nansible_user={user}\nansible_password={password}\nansible_become_password={password}\n\
         ansible_python_interpreter=auto_silent\nansible_ssh_common_args=-F none -o UserKnownHostsFile={}\naccount_name={}\naccount_uid={}\naccount_key={}\n",
        known.display(),
        order.account,
        order.uid,
        ground.key(),
    );
    Ok(text)
}

fn known_hosts(ground: &Ground<'_>) -> Result<PathBuf, Failure> {
    let mut text = String::new();
    for node in ground.lab.nodes() {
        for key in node.host_keys().map_err(|error| error.to_string())? {
            let _ = writeln!(text, "{} {key}", node.address());
        }
    }
    ground.write("known_hosts", &text)
}

/// Where things are kept between runs.
fn cache() -> Result<PathBuf, Failure> {
    let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    own.or_else(home)
        .map(|cache| cache.join("plinth-bench"))
        .ok_or_else(|| "neither XDG_CACHE_HOME nor HOME is set".to_owned())
}
