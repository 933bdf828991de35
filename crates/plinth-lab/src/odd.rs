//! What can be unusual about a node.

use crate::program::quoted;

/// What is unusual; everything combines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Odd {
    pub(crate) disks: Vec<Disk>,
    pub(crate) login: Login,
    pub(crate) rsa_host_key: bool,
    pub(crate) old_ssh: bool,
    pub(crate) nfs_home: bool,
    pub(crate) sudo: Sudo,
    pub(crate) root_login: bool,
    pub(crate) skew: i64,
    pub(crate) hostname: Option<String>,
    pub(crate) noisy: bool,
    pub(crate) shell: Option<String>,
    pub(crate) groups: Vec<(String, u32)>,
    pub(crate) users: Vec<(String, u32, u32)>,
    pub(crate) keys: Vec<String>,
    pub(crate) gpus: u8,
    pub(crate) busybox_sh: bool,
}

/// A file system of its own, in an ext4 image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) at: String,
    pub(crate) mib: u32,
}

/// How sshd lets people in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Login {
    /// Keys and passwords, as Debian delivers it.
    #[default]
    Usual,
    /// Passwords only.
    Password,
    /// A password through keyboard-interactive only.
    KeyboardInteractive,
    /// Keys only.
    Key,
}

/// How `ubuntu` becomes root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sudo {
    /// sudo asks for the lab's password.
    #[default]
    Password,
    /// sudo asks for nothing.
    NoPassword,
    /// sudo is there and refuses the account.
    Refused,
    /// There is no sudo.
    Absent,
}

impl Odd {
    /// A file system of its own at `at`, of `mib` mebibytes (ext4 takes some), with what the root has there as its content.
    #[must_use]
    pub fn disk(mut self, at: impl Into<String>, mib: u32) -> Self {
        self.disks.push(Disk { at: at.into(), mib });
        self
    }

    /// A small /var that holds containerd's data, too; /local, on the machine's own disk, is larger. 32 MiB is the least.
    #[must_use]
    pub fn small_var(self, mib: u32) -> Self {
        self.disk("/var", mib)
    }

    /// How sshd lets people in.
    #[must_use]
    pub const fn login(mut self, login: Login) -> Self {
        self.login = login;
        self
    }

    /// An RSA host key and no other.
    #[must_use]
    pub const fn rsa_host_key(mut self) -> Self {
        self.rsa_host_key = true;
        self
    }

    /// As sshd of long ago: an RSA host key, and SHA-1 signatures for it and for users' keys.
    #[must_use]
    pub const fn old_ssh(mut self) -> Self {
        self.old_ssh = true;
        self.rsa_host_key = true;
        self
    }

    /// A home that `stat -f`, `findmnt` and `df -T` call NFS. Programs that read /proc/mounts or ask the kernel see the truth.
    #[must_use]
    pub const fn nfs_home(mut self) -> Self {
        self.nfs_home = true;
        self
    }

    /// How `ubuntu` becomes root.
    #[must_use]
    pub const fn sudo(mut self, sudo: Sudo) -> Self {
        self.sudo = sudo;
        self
    }

    /// root may log in with the lab's password.
    #[must_use]
    pub const fn root_login(mut self) -> Self {
        self.root_login = true;
        self
    }

    /// The program `date` is this many seconds ahead. A container cannot have a clock of its own: other programs see the
    /// machine's time.
    #[must_use]
    pub const fn clock_skew(mut self, seconds: i64) -> Self {
        self.skew = seconds;
        self
    }

    /// Another host name than the node's name.
    #[must_use]
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.hostname = Some(name.into());
        self
    }

    /// sshd's banner, a message of the day, and a .bashrc that prints without a line's end, also for commands.
    #[must_use]
    pub const fn noisy(mut self) -> Self {
        self.noisy = true;
        self
    }

    /// Login shell of `ubuntu`: /bin/tcsh, /bin/dash, /bin/rbash and /usr/sbin/nologin are there.
    #[must_use]
    pub fn shell(mut self, path: impl Into<String>) -> Self {
        self.shell = Some(path.into());
        self
    }

    /// A group that is there already.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>, gid: u32) -> Self {
        self.groups.push((name.into(), gid));
        self
    }

    /// A user that is there already; its group must be as well (see [`Odd::group`]).
    #[must_use]
    pub fn user(mut self, name: impl Into<String>, uid: u32, gid: u32) -> Self {
        self.users.push((name.into(), uid, gid));
        self
    }

    /// A public key that `ubuntu` (and root, where root may log in) already accepts.
    #[must_use]
    pub fn authorized_key(mut self, line: impl Into<String>) -> Self {
        self.keys.push(line.into());
        self
    }

    /// `nvidia-smi` and `lspci` that tell of this many GPUs, and /etc/dgx-release. There is no driver and no device.
    #[must_use]
    pub const fn gpus(mut self, count: u8) -> Self {
        self.gpus = count;
        self
    }

    /// /bin/sh is busybox.
    #[must_use]
    pub const fn busybox_sh(mut self) -> Self {
        self.busybox_sh = true;
        self
    }

    /// The script that makes it so: run once by root inside the node's root file system, before its first boot. What it is
    /// given on standard input is for chpasswd.
    pub(crate) fn script(&self, node: &str) -> String {
        let host = self.hostname.as_deref().unwrap_or(node);
        let mut lines = vec![
            format!("export HOST={}", quoted(host)),
            format!("export MACHINE_ID={}", uuid::Uuid::new_v4().simple()),
            format!("export PERMIT_ROOT={}", if self.root_login { "yes" } else { "no" }),
            format!("export HOST_KEYS='{}'", if self.rsa_host_key { "rsa" } else { "ed25519 ecdsa" }),
            BASE.to_owned(),
            format!("cat > /etc/ssh/sshd_config.d/lab.conf <<'SSHD'\n{}SSHD", self.sshd()),
        ];
        lines.extend(self.groups.iter().map(|(name, gid)| format!("groupadd --gid {gid} {}", quoted(name))));
        lines.extend(self.users.iter().map(|(name, uid, gid)| {
            format!("useradd --create-home --shell /bin/bash --uid {uid} --gid {gid} {}", quoted(name))
        }));
        lines.extend(self.keys.iter().map(|key| format!("key {}", quoted(key))));
        lines.extend(self.shell.iter().map(|shell| format!("usermod --shell {} ubuntu", quoted(shell))));
        lines.push(self.sudoers().to_owned());
        let switches = [
            (self.noisy, NOISY.to_owned()),
            (self.nfs_home, NFS.to_owned()),
            (self.skew != 0, format!("SKEW={}\n{CLOCK}", self.skew)),
            (self.gpus > 0, format!("GPUS={}\n{GPU}", self.gpus)),
            (self.busybox_sh, "ln -sf busybox /bin/sh".to_owned()),
        ];
        lines.extend(switches.into_iter().filter_map(|(on, line)| on.then_some(line)));
        lines.join("\n") + "\n"
    }

    const fn sudoers(&self) -> &'static str {
        match self.sudo {
            Sudo::Password => "sudoers 'ubuntu ALL=(ALL:ALL) ALL'",
            Sudo::NoPassword => "sudoers 'ubuntu ALL=(ALL:ALL) NOPASSWD: ALL'",
            Sudo::Refused => "",
            Sudo::Absent => "SUDO_FORCE_REMOVE=yes dpkg --purge --force-depends sudo >/dev/null 2>&1",
        }
    }

    fn sshd(&self) -> String {
        let (password, interactive, key) = match self.login {
            Login::Usual => ("yes", "no", "yes"),
            Login::Password => ("yes", "no", "no"),
            Login::KeyboardInteractive => ("no", "yes", "no"),
            Login::Key => ("no", "no", "yes"),
        };
        let keys: &[&str] = if self.rsa_host_key { &["rsa"] } else { &["ed25519", "ecdsa"] };
        let mut lines: Vec<String> = keys.iter().map(|kind| format!("HostKey /etc/ssh/ssh_host_{kind}_key")).collect();
        lines.push(format!("PasswordAuthentication {password}"));
        lines.push(format!("KbdInteractiveAuthentication {interactive}"));
        lines.push(format!("PubkeyAuthentication {key}"));
        lines.push(format!("PermitRootLogin {}", if self.root_login { "yes" } else { "no" }));
        // Many tests log in at once, through one address.
        lines.push("MaxStartups 200".to_owned());
        if self.old_ssh {
            lines.push("HostKeyAlgorithms ssh-rsa".to_owned());
            lines.push("PubkeyAcceptedAlgorithms ssh-rsa".to_owned());
        }
        if self.noisy {
            lines.push("Banner /etc/issue.net".to_owned());
        }
        lines.join("\n") + "\n"
    }
}

const BASE: &str = include_str!("scripts/node.sh");
const NOISY: &str = include_str!("scripts/noisy.sh");
const NFS: &str = include_str!("scripts/nfs.sh");
const CLOCK: &str = include_str!("scripts/clock.sh");
const GPU: &str = include_str!("scripts/gpu.sh");

#[cfg(test)]
#[path = "odd_tests.rs"]
mod tests;
