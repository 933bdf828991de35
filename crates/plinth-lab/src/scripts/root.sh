# Runs once inside the new root file system (chroot, sh -eu). Everything here holds for all nodes.
rm -f /etc/apt/apt.conf.d/99mmdebstrap /etc/ssh/ssh_host_* /etc/machine-id
: > /etc/machine-id
# Nothing answers there, so a name that is not in /etc/hosts fails soon.
printf 'nameserver 10.77.0.1\noptions timeout:1 attempts:1\n' > /etc/resolv.conf

# The account every node is delivered with; its password is set per lab.
useradd --create-home --shell /bin/bash --uid 1000 --user-group ubuntu

# Nothing here may reach out by itself, wait for devices, or wear the machine.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer \
    e2scrub_reap.service systemd-pstore.service getty@tty1.service; do
    systemctl disable "$unit"
done
systemctl mask console-getty.service getty-static.service systemd-udevd.service systemd-udev-trigger.service \
    systemd-networkd.service systemd-networkd.socket systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount
mkdir -p /etc/systemd/system.conf.d /etc/systemd/journald.conf.d
# Container scopes never end by themselves when a node is shut down.
printf '[Manager]\nDefaultTimeoutStopSec=5s\n' > /etc/systemd/system.conf.d/lab.conf
# Stopping a user's manager needs word from the kernel that its group is empty, which does not come in here; the next login
# would wait for it.
mkdir -p /etc/systemd/logind.conf.d
printf '[Login]\nUserStopDelaySec=infinity\n' > /etc/systemd/logind.conf.d/lab.conf
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n' > /etc/systemd/journald.conf.d/lab.conf

# What a kubelet and containerd expect of a machine, without giving the node the machine's own settings.
cat > /usr/local/sbin/lab-node-ready <<'NODE'
#!/bin/sh
# Makes a container look like a machine to containerd and the kubelet. The machine's own settings stay as they are.
mount --make-rshared /
if [ "$(stat -f -c %T /sys/fs/cgroup)" = tmpfs ]; then
    mount -o remount,rw /sys/fs/cgroup
    for group in /sys/fs/cgroup/*/; do
        [ -L "${group%/}" ] || mount -o remount,bind,rw "$group"
    done
fi
mkdir -p /run/lab-sysctl
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
    kernel/keys/root_maxbytes; do
    copy=/run/lab-sysctl/$(printf %s "$name" | tr / _)
    cat "/proc/sys/$name" > "$copy"
    mount --bind "$copy" "/proc/sys/$name"
done
NODE
chmod 0755 /usr/local/sbin/lab-node-ready
cat > /etc/systemd/system/lab-node-ready.service <<'UNIT'
[Unit]
Description=Mounts and settings that containerd and the kubelet expect
DefaultDependencies=no
Before=systemd-sysctl.service containerd.service sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-node-ready
[Install]
WantedBy=sysinit.target
UNIT
systemctl enable lab-node-ready.service

mkdir -p /etc/containerd
cat > /etc/containerd/config.toml <<'TOML'
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "registry.k8s.io/pause:3.10"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
TOML

# Machines have these folders; each node gets its own content for them.
mkdir -p /var/lib/containerd /var/lib/kubelet /var/lib/etcd /local /lib/modules /etc/ssh/sshd_config.d /usr/lib/lab
