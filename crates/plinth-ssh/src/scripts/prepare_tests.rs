use super::*;
use crate::scripts::trial::{Trial, assert_all_shells_accept};
use indexmap::IndexMap;
use plinth_model::Domain;
use std::fs;

/// Names of the node's hosts file, and one that a name server knows.
const GETENT: &str = r#"awk -v name="$2" '{ for (i = 2; i <= NF; i++) if ($i == name && !found) { print $1 " STREAM " name; found = 1 } }' "$root/etc/hosts"
[ "$2" != known.example.com ] || echo "10.0.0.9 STREAM known.example.com""#;
const SYSTEMCTL: &str = r#"for last; do :; done
echo "$*" >>"$root/calls"
case $1 in
list-unit-files) [ -e "$root/masked" ] || { echo "dev-zram0.swap generated -"; echo "a.swap masked -"; echo "b.swap disabled -"; }; [ -e "$root/off" ] || echo "c.swap enabled -" ;;
mask) : >"$root/masked" ;;
disable) : >"$root/off" ;;
show) case "$* " in
    *LoadState\ ntp.service*|*LoadState\ ntpsec.service*) echo LoadState=loaded ;;
    *LoadState*) echo LoadState=not-found ;;
    *) echo ntpsec.service ;;
    esac ;;
is-active) if [ -e "$root/active" ] && [ "$last" = ntpsec.service ]; then echo active; else echo inactive; exit 3; fi ;;
is-enabled) if [ -e "$root/active" ] && [ "$last" = ntpsec.service ]; then echo enabled; else echo disabled; exit 1; fi ;;
enable) : >"$root/active" ;;
esac"#;

fn node() -> Trial {
    let trial = Trial::new(&[
        ("getent", GETENT),
        ("systemctl", SYSTEMCTL),
        ("modprobe", "[ \"$1\" != missing ] && mkdir -p \"$root/sys/module/$1\""),
        ("swapoff", "echo Filename >\"$root/proc/swaps\""),
    ]);
    trial.file("/etc/hosts", "127.0.0.1 localhost\n10.0.0.5 theirs.example.com\n");
    trial.file("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n/swapfile none swap sw 0 0\n# /old none swap sw 0 0\n");
    trial.file("/proc/swaps", "Filename\n/swapfile file 1 0 -2\n");
    trial.file("/proc/sys/net/ipv4/ip_forward", "0\n");
    trial.file("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    fs::create_dir_all(trial.at("/run/systemd/system")).unwrap();
    fs::create_dir_all(trial.at("/etc/sysctl.d")).unwrap();
    fs::create_dir_all(trial.at("/sys/module/nf_conntrack")).unwrap();
    trial
}

fn wanted() -> Preparation {
    let hosts = [("runai.example.com", [10, 0, 0, 8]), ("known.example.com", [10, 0, 0, 9])];
    Preparation {
        hosts: hosts.into_iter().map(|(name, address)| (Domain::new(name).unwrap(), address.into())).collect(),
        modules: vec!["nf-conntrack".to_owned(), "overlay".to_owned()],
        sysctls: IndexMap::from([
            ("net.ipv4.ip_forward".to_owned(), "1".to_owned()),
            ("net.ipv4.ip_local_port_range".to_owned(), "32768 60999".to_owned()),
        ]),
        swap_off: true,
        time_service: true,
    }
}

fn look(trial: &Trial, wanted: &Preparation) -> Vec<String> {
    look_parse(&trial.run(&script("looking", "look", deadlines::SSH_PREPARE_LOOK, &trial.prefix(), wanted))).unwrap()
}

fn set(trial: &Trial, wanted: &Preparation) -> Result<(), String> {
    set_parse(&trial.run(&script("preparing", "set", deadlines::SSH_PREPARE, &trial.prefix(), wanted)))
}

#[test]
fn a_node_is_prepared_once() {
    let (trial, wanted) = (node(), wanted());
    let told = [
        "hosts line 10.0.0.8 runai.example.com",
        "module overlay is not loaded",
        "modules at start: /etc/modules-load.d/plinth.conf",
        "sysctl net.ipv4.ip_forward=1 (it is 0)",
        "settings at start: /etc/sysctl.d/90-plinth.conf",
        "swap on /swapfile is in use",
        "swap on /swapfile at start: /etc/fstab",
        "swap at start: dev-zram0.swap",
        "swap at start: c.swap",
        "time service ntpsec.service does not run",
    ];
    assert_eq!(look(&trial, &wanted), told);
    set(&trial, &wanted).unwrap();
    assert!(look(&trial, &wanted).is_empty());
    let hosts =
        "127.0.0.1 localhost\n10.0.0.5 theirs.example.com\n# begin plinth\n10.0.0.8 runai.example.com\n# end plinth\n";
    assert_eq!(trial.read("/etc/hosts"), hosts);
    let fstab = "/dev/sda1 / ext4 defaults 0 1\n# plinth: /swapfile none swap sw 0 0\n# /old none swap sw 0 0\n";
    assert_eq!(trial.read("/etc/fstab"), fstab);
    assert_eq!(trial.read("/etc/modules-load.d/plinth.conf"), "# Written by plinth.\nnf-conntrack\noverlay\n");
    assert_eq!(trial.read("/proc/sys/net/ipv4/ip_forward"), "1\n");
    let settings = "# Written by plinth.\nnet.ipv4.ip_forward=1\nnet.ipv4.ip_local_port_range=32768 60999\n";
    assert_eq!(trial.read("/etc/sysctl.d/90-plinth.conf"), settings);
    set(&trial, &wanted).unwrap();
    assert_eq!(trial.read("/etc/hosts"), hosts);
    assert!(
        trial.read("/calls").contains("mask --now dev-zram0.swap") && !trial.read("/calls").contains("a.swap --now")
    );
}

/// Killed between the writing of fstab and the word to systemd, which then still has the unit of the line that is gone: a mask of it
/// would outlive everything.
#[test]
fn a_unit_of_a_line_that_fstab_no_longer_has_is_read_again_and_not_masked() {
    let (trial, wanted) = (node(), wanted());
    trial.file("/etc/fstab", "# plinth: /swapfile none swap sw 0 0\n");
    let lists = "case $1 in list-unit-files) [ -e \"$root/read\" ] || echo 'swapfile.swap generated -'; exit ;; \
                 daemon-reload) : >\"$root/read\" ;; esac";
    trial.program("systemctl", &format!("{lists}\n{SYSTEMCTL}"));
    assert!(look(&trial, &wanted).contains(&"swap at start: swapfile.swap".to_owned()));
    set(&trial, &wanted).unwrap();
    assert!(!trial.read("/calls").contains("mask"), "{}", trial.read("/calls"));
}

#[test]
fn hosts_lines_that_are_no_longer_wanted_go_and_others_stay() {
    let (trial, mut wanted) = (node(), wanted());
    set(&trial, &wanted).unwrap();
    wanted.hosts = IndexMap::from([(Domain::fixed("new.example.com"), [10, 0, 0, 7].into())]);
    let told = ["hosts line 10.0.0.7 new.example.com", "hosts line 10.0.0.8 runai.example.com is no longer wanted"];
    assert_eq!(look(&trial, &wanted), told);
    set(&trial, &wanted).unwrap();
    assert!(
        trial
            .read("/etc/hosts")
            .ends_with("theirs.example.com\n# begin plinth\n10.0.0.7 new.example.com\n# end plinth\n")
    );
    wanted.hosts.clear();
    set(&trial, &wanted).unwrap();
    assert_eq!(trial.read("/etc/hosts"), "127.0.0.1 localhost\n10.0.0.5 theirs.example.com\n");
}

#[test]
fn what_contradicts_is_told_and_left() {
    let (trial, mut wanted) = (node(), wanted());
    wanted.hosts = IndexMap::from([(Domain::fixed("theirs.example.com"), [10, 0, 0, 6].into())]);
    trial.file("/etc/sysctl.conf", "# net.ipv4.ip_forward = 5\nnet.ipv4.ip_forward = 0\n");
    trial.file("/etc/sysctl.d/10-early.conf", "net.ipv4.ip_forward=0\n");
    let told = set(&trial, &wanted).unwrap_err();
    let hosts = "a line of /etc/hosts gives theirs.example.com the address 10.0.0.5, not 10.0.0.6";
    assert_eq!(told, format!("{hosts}; /etc/sysctl.conf sets net.ipv4.ip_forward to 0 at start, not 1"));
    assert!(trial.read("/etc/sysctl.conf").ends_with("net.ipv4.ip_forward = 0\n"));
}

#[test]
fn half_a_block_of_hosts_is_left_as_it_is() {
    for half in ["# begin plinth\n10.0.0.9 mine\n", "10.0.0.9 mine\n# end plinth\n"] {
        let (trial, wanted) = (node(), wanted());
        let text = trial.read("/etc/hosts") + half + "10.0.0.7 somebody.elses\n";
        trial.file("/etc/hosts", &text);
        assert!(
            set(&trial, &wanted)
                .unwrap_err()
                .starts_with("/etc/hosts has one of the lines # begin plinth and # end plinth")
        );
        assert_eq!(trial.read("/etc/hosts"), text);
    }
}

#[test]
fn failures_are_told() {
    let (trial, mut wanted) = (node(), wanted());
    wanted.modules.push("missing".to_owned());
    assert_eq!(set(&trial, &wanted).unwrap_err(), "module missing cannot be loaded");
    wanted.modules.pop();
    wanted.sysctls.insert("net.no.such".to_owned(), "1".to_owned());
    assert_eq!(set(&trial, &wanted).unwrap_err(), "a kernel setting cannot be written: net.no.such=1");
    wanted.sysctls.shift_remove("net.no.such");
    trial.program("systemctl", &SYSTEMCTL.replace("LoadState=loaded", "LoadState=not-found"));
    trial.program("getent", "exit 2");
    let told = set(&trial, &wanted).unwrap_err();
    assert!(told.ends_with("no time service is installed"), "{told}");
    assert!(look_parse(&Frames::default()).is_err());
}

/// A node under load: systemd does not answer within its own 25 s.
#[test]
fn a_systemd_that_does_not_answer_says_neither_yes_nor_no() {
    let cases = [
        ("is-active", "exit 1", "systemd does not say whether chrony.service runs"),
        ("show", "exit 1", "systemd does not say whether there is chrony.service"),
        (
            "list-unit-files",
            "echo 'Failed to list unit files: Connection timed out' >&2; exit 1",
            "systemd does not list its units of swap",
        ),
    ];
    for (verb, does, told) in cases {
        let (trial, wanted) = (node(), wanted());
        trial.program("systemctl", &format!("case $1 in {verb}) {does} ;; esac\n{SYSTEMCTL}"));
        assert_eq!(set(&trial, &wanted).unwrap_err(), told, "{verb}");
        assert!(
            !trial.at("/active").exists(),
            "{verb}: a service was started that may stop the one that keeps the time"
        );
        let frames = trial.run(&script("looking", "look", deadlines::SSH_PREPARE_LOOK, &trial.prefix(), &wanted));
        assert_eq!(look_parse(&frames).unwrap_err(), told, "{verb}");
    }
}

#[test]
fn hosts_that_cannot_be_read_are_not_written_anew() {
    let (trial, wanted) = (node(), wanted());
    let before = trial.read("/etc/hosts");
    trial.program("sed", "case $1 in *,/*d) exit 4 ;; esac; PATH=${PATH#*:} exec sed \"$@\"");
    assert_eq!(set(&trial, &wanted).unwrap_err(), "/etc/hosts cannot be read");
    assert_eq!(trial.read("/etc/hosts"), before);
}

#[test]
fn nothing_wanted_changes_nothing() {
    let trial = node();
    assert!(look(&trial, &Preparation::default()).is_empty());
    set(&trial, &Preparation::default()).unwrap();
    assert!(!trial.at("/etc/modules-load.d").exists() && trial.read("/etc/fstab").contains("\n/swapfile"));
}

#[test]
fn the_scripts() {
    assert_all_shells_accept(&set_script(&wanted()));
    insta::assert_snapshot!("prepare_set", set_script(&wanted()).render("nonce"));
}
