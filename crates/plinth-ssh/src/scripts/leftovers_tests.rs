use super::*;
use crate::scripts::trial::{Trial, assert_all_shells_accept};
use std::fs;

/// A filter table that keeps to a file.
const SAVE: &str = "cat \"$root/rules\" 2>/dev/null; true";
const RESTORE: &str = "cat >\"$root/rules.new\" && mv \"$root/rules.new\" \"$root/rules\"";
const RULES: &str = "*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-POSTROUTING - [0:0]\n\
                     -A PREROUTING -j KUBE-SERVICES\n-A PREROUTING -p tcp --dport 22 -j ACCEPT\nCOMMIT\n";

fn node() -> Trial {
    let trial = Trial::new(&[
        ("iptables-save", SAVE),
        ("iptables-restore", RESTORE),
        ("ip6tables-save", "true"),
        ("ip6tables-restore", "false"),
        ("systemctl", "true"),
        ("ip", "[ \"$1 $2\" = 'link delete' ] && rm -r \"$root/sys/class/net/$3\""),
        ("umount", "echo \"$1\" >>\"$root/unmounted\""),
    ]);
    trial.file("/proc/mounts", "/dev/sda1 / ext4 rw 0 0\n");
    trial.file("/proc/1/comm", "systemd\n");
    trial
}

fn used() -> Trial {
    let trial = node();
    trial.file("/etc/kubernetes/admin.conf", "");
    trial.file("/var/lib/etcd/member/snap/db", "");
    trial.file("/usr/local/bin/etcdutl", "");
    trial.file("/usr/local/bin/theirs", "");
    trial.file("/etc/cni/net.d/10-calico.conflist", "");
    trial.file("/etc/cni/net.d/87-podman.conflist", "");
    trial.file("/sys/class/net/cni0/address", "");
    trial.file("/rules", RULES);
    trial
}

fn look(trial: &Trial) -> Leftovers {
    look_parse(&trial.run(&script("looking", "look", &trial.prefix()))).unwrap()
}

fn clear(trial: &Trial) -> Result<(), String> {
    clear_parse(&trial.run(&script("clearing", "clear", &trial.prefix())))
}

#[test]
fn what_is_left_is_named_and_cleared_and_what_is_not_ours_stays() {
    let trial = used();
    let left = [
        "content of /etc/kubernetes",
        "content of /var/lib/etcd",
        "program /usr/local/bin/etcdutl",
        "network /etc/cni/net.d/10-calico.conflist",
        "network link cni0",
        "2 chains of Kubernetes in iptables",
    ];
    assert_eq!(look(&trial).left, left);
    clear(&trial).unwrap();
    assert!(look(&trial).is_clean());
    assert!(trial.at("/usr/local/bin/theirs").exists() && trial.at("/etc/cni/net.d/87-podman.conflist").exists());
    let rules = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 22 -j ACCEPT\nCOMMIT\n";
    assert_eq!(trial.read("/rules"), rules);
}

#[test]
fn settings_of_containerd_go_only_when_containerd_has_gone() {
    let trial = node();
    trial.file("/etc/containerd/config.toml", "password");
    trial.file("/usr/bin/containerd", "");
    assert!(look(&trial).is_clean());
    fs::remove_file(trial.at("/usr/bin/containerd")).unwrap();
    assert_eq!(look(&trial).left, ["content of /etc/containerd"]);
    clear(&trial).unwrap();
    assert!(look(&trial).is_clean() && !trial.at("/etc/containerd").exists());
}

#[test]
fn a_clean_node_is_left_alone() {
    let trial = node();
    fs::create_dir_all(trial.at("/var/lib/etcd")).unwrap();
    assert!(look(&trial).is_clean());
    clear(&trial).unwrap();
}

#[test]
fn nothing_is_cleared_while_kubernetes_runs() {
    let trial = used();
    trial.file("/proc/77/comm", "kubelet\n");
    assert_eq!(look(&trial).running, ["kubelet"]);
    let error = clear(&trial).unwrap_err();
    assert_eq!(error, "Kubernetes still runs here: nothing was taken away (kubelet)");
    assert!(trial.at("/etc/kubernetes/admin.conf").exists());
}

#[test]
fn what_pods_left_mounted_is_unmounted_from_the_inside_out() {
    let trial = used();
    trial.file(
        "/proc/mounts",
        "tmpfs /var/lib/kubelet/pods/a tmpfs rw 0 0\ntmpfs /var/lib/kubelet/pods/a/b tmpfs rw 0 0\n",
    );
    clear(&trial).unwrap();
    assert_eq!(trial.read("/unmounted"), "/var/lib/kubelet/pods/a/b\n/var/lib/kubelet/pods/a\n");
}

#[test]
fn rules_that_cannot_be_read_are_not_none() {
    let trial = node();
    trial.file("/rules", RULES);
    trial.program("iptables-save", "echo 'iptables-save: Resource temporarily unavailable' >&2; exit 4");
    let told = "the rules of iptables cannot be read: iptables-save: Resource temporarily unavailable";
    assert_eq!(look_parse(&trial.run(&script("looking", "look", &trial.prefix()))).unwrap_err(), told);
    assert_eq!(clear(&trial).unwrap_err(), told);
    assert_eq!(trial.read("/rules"), RULES);
    trial.program("iptables-save", "echo 'Failed to initialize nft: Protocol not supported' >&2; exit 1");
    assert!(look(&trial).is_clean(), "a kernel without packet filters has no rules");
}

/// As after a kill between the removal of its file and the word to systemd.
#[test]
fn a_unit_that_systemd_still_knows_is_left_over_and_one_of_a_package_is_not() {
    let trial = node();
    fs::create_dir_all(trial.at("/run/systemd/system")).unwrap();
    let unit = |place: &str, name: &str| {
        let reload = "if [ -e \"$root/read\" ]; then echo NeedDaemonReload=no; else echo NeedDaemonReload=yes; fi";
        format!("echo FragmentPath={place}/{name}; {reload}; echo Id={name}; echo")
    };
    let (ours, theirs) = (unit("/etc/systemd/system", "kubelet.service"), unit("/lib/systemd/system", "etcd.service"));
    trial.program(
        "systemctl",
        &format!("case $1 in show) {ours}; {theirs} ;; daemon-reload) : >\"$root/read\" ;; esac"),
    );
    assert_eq!(look(&trial).left, ["unit kubelet.service, which systemd still knows"]);
    clear(&trial).unwrap();
    assert!(look(&trial).is_clean());
    trial.program("systemctl", "exit 1");
    let silent = look_parse(&trial.run(&script("looking", "look", &trial.prefix()))).unwrap_err();
    assert_eq!(silent, "systemd does not say which units it knows");
}

#[test]
fn what_cannot_be_cleared_is_told() {
    let trial = used();
    trial.program("ip", "exit 1");
    assert_eq!(clear(&trial).unwrap_err(), "network link cni0 cannot be removed");
}

#[test]
fn the_scripts() {
    assert_all_shells_accept(&clear_script());
    insta::assert_snapshot!("leftovers_clear", clear_script().render("<frame>"));
}
