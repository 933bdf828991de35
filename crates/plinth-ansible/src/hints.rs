//! Known causes of failed tasks, and what helps. The texts to look for are what Kubespray's modules, kubeadm, systemd and apt
//! print; the causes come from runs of Kubespray v2.27 to v2.31 and from its issue tracker.

/// Found when all words are in the text of a failure: its path, task, message or output, in lower case.
struct Hint {
    words: &'static [&'static str],
    advice: &'static str,
}

const fn hint(words: &'static [&'static str], advice: &'static str) -> Hint {
    Hint { words, advice }
}

const HINTS: [Hint; 17] = [
    hint(
        &["censored", "download"],
        "a download failed and its reason is hidden; see from that node whether the address in the task before answers (proxy, mirror, name resolution)",
    ),
    hint(
        &["toomanyrequests"],
        "a registry limits how much may be pulled; name a mirror under `registries.mirrors`, or wait some hours",
    ),
    hint(&["temporary failure in name resolution"], "the node resolves no names; look at its /etc/resolv.conf"),
    hint(
        &["name or service not known"],
        "the node does not know that name; look at its /etc/resolv.conf and its proxy",
    ),
    hint(&["no space left on device"], "a disk of the node is full; make room, or name a larger place under `storage`"),
    hint(
        &["could not get lock"],
        "another program installs packages on the node (unattended upgrades, say); wait until it has ended",
    ),
    hint(&["failed to fetch", "apt"], "packages cannot be fetched; look at the node's package sources and proxy"),
    hint(
        &["etcd", "health"],
        "etcd does not become healthy; compare clocks, see that ports 2379 and 2380 are open between its members, and that no /var/lib/etcd of an earlier life is there",
    ),
    hint(
        &["requires sudo", "password"],
        "sudo asks for a password there; the account's rule is gone: apply makes it again before the play",
    ),
    hint(
        &["missing sudo password"],
        "sudo asks for a password there; the account's rule is gone: apply makes it again before the play",
    ),
    hint(&["sorry, you must have a tty"], "sudo wants a terminal there; take `requiretty` out of its rules"),
    hint(&["disk quota"], "a quota of the node is used up"),
    hint(&["swap"], "swap is on; take it out of /etc/fstab and switch it off"),
    hint(
        &["kubeadm", "timed out"],
        "the control plane did not answer in time; look at `journalctl -u kubelet` and `crictl ps -a` there",
    ),
    hint(
        &["drain", "pod disruption budget"],
        "a pod must not be evicted (a GPU job, say); end it, or wait, then apply again",
    ),
    hint(
        &["no such file or directory", "/usr/bin/python3"],
        "the node has no /usr/bin/python3; install the package python3",
    ),
    hint(
        &["operation not supported", "chattr"],
        "a file system there takes no chattr; set `resolvconf_mode: none` under kubernetes.extraVars",
    ),
];

/// Advice for the text of a failure, at most one of each.
pub(super) fn advice(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let fits = |hint: &&Hint| hint.words.iter().all(|word| text.contains(word));
    HINTS.iter().filter(fits).map(|hint| hint.advice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_known_by_all_their_words() {
        assert_eq!(advice("[censored: no_log] roles/download/tasks/download_file.yml").len(), 1);
        assert_eq!(advice("the etcd cluster is fine").len(), 0);
        assert_eq!(advice("E: Could not get lock /var/lib/dpkg/lock-frontend").len(), 1);
    }

    #[test]
    fn words_are_in_lower_case_and_every_hint_says_something() {
        for hint in &HINTS {
            assert!(
                !hint.words.is_empty() && hint.words.iter().all(|word| *word == word.to_lowercase()),
                "{:?}",
                hint.words
            );
            assert!(hint.advice.len() > 20);
        }
    }
}
