//! Whether kubeadm began a cluster on a node, and how far it came. An installation that broke off between kubeadm's beginning and
//! the first Ready node is one that Kubespray cannot go on with: it takes kubelet's configuration for a sign that kubeadm ran
//! (`kubeadm_already_run` in its role kubernetes/control-plane), and from v2.30 on waits for a node that no network makes Ready.

use super::answer::failure;
use crate::frame::Frames;
use crate::script::Script;
use plinth_world::deadlines;
use plinth_world::node::Bootstrap;
use std::time::Duration;

const BODY: &str = include_str!("sh/bootstrap.sh");

#[must_use]
pub(crate) fn look_script() -> Script {
    look_at("")
}

fn look_at(root: &str) -> Script {
    Script::new("looking how far the cluster came", BODY, deadlines::SSH_BOOTSTRAP).as_root().text("root", root)
}

/// The cluster; none: kubeadm did not begin.
///
/// # Errors
/// When the script failed or was cut off; in words.
pub(crate) fn look_parse(frames: &Frames) -> Result<Option<Bootstrap>, String> {
    failure(frames)?;
    frames.get("looked").ok_or("the node did not say how far the cluster came")?;
    let Some(born) = frames.get("born") else { return Ok(None) };
    let age: i64 = born.parse().map_err(|_| format!("the age of the cluster makes no sense: {born}"))?;
    // A key from the future: the clock was set back, and no age can be told.
    let Ok(age) = u64::try_from(age) else { return Ok(None) };
    let is = |key: &str| frames.get(key).is_some();
    Ok(Some(Bootstrap { age: Duration::from_secs(age), whole: is("whole"), ready: is("ready") }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scripts::trial::{Trial, assert_all_shells_accept};

    /// Answers what the files say, and fails without them.
    const KUBECTL: &str = "case \"$*\" in *'get nodes'*) cat \"$root/nodes\" ;; \
        *cluster-info*--ignore-not-found*) [ ! -s \"$root/late\" ] || { sed -i 1d \"$root/late\"; exit 1; }; cat \"$root/info\" 2>/dev/null || true ;; \
        *) exit 1 ;; esac";

    fn node() -> Trial {
        let trial = Trial::new(&[("kubectl", KUBECTL), ("sleep", "true")]);
        trial.file("/etc/kubernetes/ssl/ca.key", "");
        trial.file("/etc/kubernetes/admin.conf", "");
        trial.file("/etc/kubernetes/manifests/kube-apiserver.yaml", "");
        trial.file("/var/lib/kubelet/config.yaml", "");
        trial
    }

    fn seen(trial: &Trial) -> Option<(bool, bool)> {
        let birth = look_parse(&trial.run(&look_at(&trial.prefix()))).unwrap()?;
        assert!(birth.age < Duration::from_secs(60), "{birth:?}");
        Some((birth.whole, birth.ready))
    }

    #[test]
    fn it_is_told_how_far_the_cluster_came() {
        let trial = node();
        assert_eq!(seen(&trial), Some((false, false)), "an API server that does not answer");
        trial.file("/nodes", "False");
        assert_eq!(seen(&trial), Some((false, false)));
        trial.file("/info", "configmap/cluster-info");
        assert_eq!(seen(&trial), Some((true, false)));
        trial.file("/nodes", "False True");
        assert_eq!(seen(&trial), Some((true, true)));
        std::fs::remove_file(trial.at("/nodes")).unwrap();
        std::fs::remove_file(trial.at("/info")).unwrap();
        trial.file("/etc/cni/net.d/10-calico.conflist", "");
        assert_eq!(seen(&trial), Some((false, true)), "it is silent now, and may have been Ready");
        trial.file("/nodes", "Unknown");
        assert_eq!(seen(&trial), Some((false, true)), "it has just started again");
        std::fs::remove_file(trial.at("/var/lib/kubelet/config.yaml")).unwrap();
        assert_eq!(seen(&trial), None, "Kubespray would start over by itself");
        assert_eq!(seen(&Trial::new(&[])), None);
    }

    #[test]
    fn an_api_server_that_answers_late_is_no_installation_that_did_not_end() {
        let trial = node();
        trial.file("/nodes", "False");
        trial.file("/info", "configmap/cluster-info");
        trial.file("/late", "once\ntwice\n");
        assert_eq!(seen(&trial), Some((true, false)));
        trial.file("/late", &"busy\n".repeat(9));
        let told = look_parse(&trial.run(&look_at(&trial.prefix()))).unwrap_err();
        assert_eq!(told, "the API server answers, and does not say whether kubeadm came to its end");
    }

    #[test]
    fn the_script() {
        assert_all_shells_accept(&look_script());
        insta::assert_snapshot!("bootstrap", look_script().render("nonce"));
    }
}
