//! One file per verb: arguments and printing.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod discover;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod kubeconfig;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod preflight;
pub(crate) mod recovery;
pub(crate) mod rehearse;
pub(crate) mod removal;
pub(crate) mod render;
pub(crate) mod rollback;
pub(crate) mod rotate;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod trust;
pub(crate) mod unlock;
pub(crate) mod validate;
pub(crate) mod version;
