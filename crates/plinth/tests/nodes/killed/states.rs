//! Where each operation of the sweep begins on its node, and all that tells what it did there: shell scripts, run as root.

/// An operation that is killed.
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) node: &'static str,
    /// Once, before anything.
    pub(super) stands: &'static str,
    /// Once, when a run before has left what it leaves.
    pub(super) keeps: &'static str,
    /// Brings the node to where the operation begins, whatever happened there.
    pub(super) begins: &'static str,
    /// Everything that the operation may change.
    pub(super) tells: &'static str,
    /// Fewest effects that the operation has: with fewer the test does not see them.
    pub(super) least: usize,
}

/// Those of one node stand together.
pub(super) const ALL: [Operation; 7] = [
    Operation {
        name: "account",
        node: "account",
        stands: "",
        keeps: "",
        begins: "userdel -f -r ansiblebcm 2>/dev/null || true; ! getent group ansiblebcm >/dev/null || groupdel ansiblebcm
            rm -rf /home/ansiblebcm* /etc/sudoers.d/ansiblebcm* /etc/plinth",
        tells: "for file in passwd group shadow gshadow; do echo $file; grep ^ansiblebcm: /etc/$file || true; done
            find /home /etc/sudoers.d /etc/plinth -printf '%p %y %m %U:%G\\n' 2>/dev/null | sort
            cat /home/ansiblebcm/.ssh/authorized_keys /etc/sudoers.d/ansiblebcm /etc/plinth/managed-by 2>/dev/null || true
            ls -d /etc/*.lock /etc/*+ 2>/dev/null || true",
        least: 20,
    },
    Operation {
        name: "prepare",
        node: "prepare",
        stands: SWAP_AND_TIME,
        keeps: "",
        begins: "cp /run/hosts /etc/hosts; echo '/dev/fake none swap sw 0 0' >/etc/fstab
            rm -rf /etc/modules-load.d/plinth.conf* /etc/sysctl.d/90-plinth.conf* /etc/*.plinth-new
            rm -f /etc/systemd/system/dev-fake.swap /etc/systemd/system/dev-zram9.swap
            echo 0 >/proc/sys/net/ipv4/ip_forward
            systemctl disable -q --now chrony.service",
        tells: "cat /etc/hosts /etc/fstab /etc/modules-load.d/plinth.conf /etc/sysctl.d/90-plinth.conf 2>/dev/null || true
            cat /proc/sys/net/ipv4/ip_forward; find /etc -name '*plinth*' -printf '%p %m\\n' | sort
            find /etc/systemd/system -type l -printf '%p %l\\n' | sort
            systemctl list-unit-files --type=swap --no-legend --no-pager || true
            systemctl is-active chrony.service || true",
        least: 13,
    },
    Operation {
        name: "registries",
        node: "registries",
        stands: "printf '#!/bin/sh\\nprintf 401\\n' >/usr/local/bin/curl; chmod 755 /usr/local/bin/curl
            printf 'version = 2\\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\\nconfig_path = \"/etc/containerd/certs.d\"\\n' \\
                >/etc/containerd/config.toml",
        keeps: "mkdir /run/before; cd /
            cp -a --parents etc/containerd/certs.d var/lib/plinth/files var/lib/kubelet/config.json /run/before",
        begins: "rm -rf /etc/containerd/certs.d /var/lib/plinth/files /var/lib/kubelet/config.json*; cp -a /run/before/. /",
        tells: "for file in $(find /etc/containerd/certs.d /var/lib/plinth/files /var/lib/kubelet/config.json* | sort); do
                stat -c '%n %a %U' $file; [ -d $file ] || cat $file
            done; stat -c %a /var/lib/plinth",
        least: 20,
    },
    Operation {
        name: "leftovers",
        node: "leftovers",
        stands: FEW_GENERATORS,
        keeps: "",
        begins: KUBERNETES_WAS_HERE,
        tells: "find /etc/kubernetes /var/lib/kubelet /var/lib/etcd /var/lib/cni /etc/cni 2>/dev/null | sort || true
            ls /usr/local/bin /etc/systemd/system; grep ' /var/lib/kubelet/' /proc/mounts || true
            ip -o link show | cut -d : -f 2; systemctl show -p LoadState kubelet.service
            iptables-save | grep '^[:*-]' | sed 's/ \\[.*//'",
        least: 20,
    },
    // Nothing comes behind the word to systemd, so that nothing else is left over.
    Operation {
        name: "a unit alone",
        node: "leftovers",
        stands: "",
        keeps: "",
        begins: "printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/kubelet.service
            systemctl enable -q kubelet.service",
        tells: "ls /etc/systemd/system; systemctl show -p LoadState kubelet.service",
        least: 2,
    },
    Operation {
        name: "push",
        node: "files",
        stands: "",
        keeps: "",
        begins: "rm -rf /var/cache/plinth",
        tells: "find /var/cache/plinth -printf '%p %m %s\\n' 2>/dev/null | sort || true",
        least: 3,
    },
    Operation {
        name: "old storage",
        node: "files",
        stands: "",
        keeps: "",
        begins: "mkdir -p /var/lib/plinth /local/data /srv/data.plinth-old/below; echo now >/local/data/image
            ln -sfn /local/data /srv/data; echo old >/srv/data.plinth-old/image; echo old >/srv/data.plinth-old/below/image
            printf 'stage=done\\nfrom=/srv/data\\nto=/local/data\\nservices=\\n' >/var/lib/plinth/storage",
        tells: "find /srv /local/data -printf '%p %y\\n' | sort; sed -n s/^stage=//p /var/lib/plinth/storage",
        least: 2,
    },
];

/// A module that is built in; a generator that makes a unit of a line of fstab, as systemd's own does on machines, and one of its own; a service that keeps
/// the time.
const SWAP_AND_TIME: &str = r#"cp /etc/hosts /run/hosts
# Refuses at once: a name that nobody knows is asked for often.
echo nameserver 127.0.0.1 >/etc/resolv.conf
modules=/lib/modules/$(uname -r); mkdir -p $modules; echo kernel/fs/overlayfs/overlay.ko >$modules/modules.builtin
mkdir -p /etc/systemd/system-generators
for one in /lib/systemd/system-generators/*; do ln -sf /dev/null /etc/systemd/system-generators/${one##*/}; done
cat >/etc/systemd/system-generators/lab-swap <<'END'
#!/bin/sh
unit() { printf '[Unit]\nDescription=swap\n[Swap]\nWhat=/dev/%s\n' "$1" >"$2/dev-$1.swap"; }
! grep -q '^[^#].* swap ' /etc/fstab || unit fake "$1"
unit zram9 "$1"
END
chmod 755 /etc/systemd/system-generators/lab-swap
printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/chrony.service
systemctl daemon-reload"#;

/// systemd runs all of its generators each time that it reads its files again.
const FEW_GENERATORS: &str = "mkdir -p /etc/systemd/system-generators
    for one in /lib/systemd/system-generators/*; do ln -sf /dev/null /etc/systemd/system-generators/${one##*/}; done";

/// What Kubernetes may leave, beside what is not its own.
const KUBERNETES_WAS_HERE: &str = r"mkdir -p /etc/kubernetes/ssl /var/lib/etcd/member /var/lib/kubelet/pods/x/data /etc/cni/net.d /var/lib/cni/networks
for file in /etc/kubernetes/admin.conf /etc/kubernetes/ssl/ca.key /var/lib/etcd/member/db /var/lib/kubelet/config.yaml \
    /var/lib/cni/networks/a /etc/etcd.env /usr/local/bin/kubeadm /usr/local/bin/etcdutl /usr/local/bin/theirs \
    /etc/cni/net.d/10-calico.conflist /etc/cni/net.d/87-podman.conflist; do echo 1 >$file; done
mountpoint -q /var/lib/kubelet/pods/x/data || mount -t tmpfs tmpfs /var/lib/kubelet/pods/x/data
printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/kubelet.service
systemctl enable -q kubelet.service
ip link show cni0 >/dev/null 2>&1 || ip link add cni0 type bridge
for chain in KUBE-LAB theirs; do
    iptables -N $chain 2>/dev/null || iptables -F $chain
    iptables -C FORWARD -j $chain 2>/dev/null || iptables -A FORWARD -j $chain
done
iptables -t nat -N KUBE-NAT 2>/dev/null || true";
