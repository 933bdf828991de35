//! The login itself.

use super::{Case, Judged, Rule};
use plinth_model::Finding;
use plinth_model::finding::code;

pub(super) const RULES: &[Rule] = &[no_root, sudo_password, home_on_nfs, noisy];

fn no_root(case: &Case<'_>) -> Option<Judged> {
    (case.facts.root == "none").then(|| {
        Finding::error(code::NODE_NO_ROOT, case.node, "the login cannot become root")
            .fix("give it sudo (`visudo -f /etc/sudoers.d/NAME`), or sign in first as root: access.bootstrap.user")
            .into()
    })
}

fn sudo_password(case: &Case<'_>) -> Option<Judged> {
    (case.facts.root == "sudo-password").then(|| {
        Finding::info(
            code::NODE_SUDO_PASSWORD,
            case.node,
            "sudo asks for the login's password; plinth's own account will not be asked",
        )
        .into()
    })
}

/// On a server that squashes root, root of the node can neither write `authorized_keys` there nor read it.
fn home_on_nfs(case: &Case<'_>) -> Option<Judged> {
    case.facts.home_filesystem.starts_with("nfs").then(|| {
        Finding::warning(
            code::NODE_HOME_ON_NFS,
            case.node,
            "the login's home directory is on NFS; keys written there may be refused, or shared by all nodes",
        )
        .evidence(case.facts.home_filesystem.clone())
        .fix("choose a local home: `access: {account: {home: /var/lib/NAME}}`; `df -T ~` shows where it is")
        .into()
    })
}

fn noisy(case: &Case<'_>) -> Option<Judged> {
    case.facts.noisy.then(|| {
        let message = "the login prints text of its own before commands answer; plinth is not misled, other tools such as scp may be";
        Finding::info(code::NODE_NOISY_LOGIN, case.node, message)
            .fix("let files such as ~/.bashrc print only for people: `case $- in *i*) ... esac`")
            .into()
    })
}
