//! The scripts that make nodes odd; what they do is tested on real nodes.

use super::*;
use crate::program::{fed, program};

/// A shell reads it without complaint.
fn parses(script: &str) {
    fed(&mut program("sh", &["-n"]), "reading the script", script.as_bytes()).unwrap();
}

/// The script without what is random.
fn same(odd: &Odd) -> String {
    odd.script("n1").lines().filter(|line| !line.contains("MACHINE_ID=")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_oddity_is_a_script_that_parses_and_differs() {
    let usual = same(&Odd::default());
    parses(&usual);
    let odd = [
        Odd::default().login(Login::Password),
        Odd::default().login(Login::KeyboardInteractive),
        Odd::default().login(Login::Key),
        Odd::default().rsa_host_key(),
        Odd::default().old_ssh(),
        Odd::default().nfs_home(),
        Odd::default().sudo(Sudo::NoPassword),
        Odd::default().sudo(Sudo::Refused),
        Odd::default().sudo(Sudo::Absent),
        Odd::default().root_login(),
        Odd::default().clock_skew(-90),
        Odd::default().hostname("other"),
        Odd::default().noisy(),
        Odd::default().shell("/bin/tcsh"),
        Odd::default().group("it's", 60000),
        Odd::default().group("g", 7).user("plinth", 60000, 7),
        Odd::default().authorized_key("ssh-ed25519 AAAA me"),
        Odd::default().gpus(8),
        Odd::default().busybox_sh(),
    ];
    let mut seen = std::collections::BTreeSet::from([usual]);
    for one in odd {
        let script = same(&one);
        parses(&script);
        assert!(seen.insert(script), "{one:?} makes no difference of its own");
    }
}

#[test]
fn all_oddities_combine() {
    let all = Odd::default().login(Login::Password).old_ssh().nfs_home().clock_skew(5).noisy().gpus(2).busybox_sh();
    let script = all.script("n1");
    parses(&script);
    for part in ["HostKeyAlgorithms ssh-rsa", "PubkeyAuthentication no", "SKEW=5", "GPUS=2", "Banner"] {
        assert!(script.contains(part), "{part}");
    }
}
