//! Puts one file in place on a node: whole, with mode and owner, and proven by its checksum before it counts.

use super::Ssh;
use super::failure::permanent;
use super::peer::Peer;
use crate::script::Script;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinth_model::steps::NodeTarget;
use plinth_model::{Digest, Secret};
use plinth_world::{ClientResult, Context, deadlines};

/// Largest file that is put in place, bytes. The shell on the node holds it in memory as text; configuration and certificates are
/// smaller by far.
pub const LARGEST: usize = 4 * 1024 * 1024;

/// A file for a node.
#[derive(Clone, Debug)]
pub struct Upload<'a> {
    /// Absolute path; its folder must be there.
    pub path: &'a str,
    /// Mode bits: `0o600`.
    pub mode: u32,
    /// `user:group`, as chown takes it.
    pub owner: &'a str,
    /// Content. May be secret.
    pub content: &'a [u8],
}

impl Ssh {
    /// Puts a file in place as root, or leaves what is there as it is.
    ///
    /// # Errors
    /// When the path is not absolute, the content too large, or as for [`Ssh::run`].
    pub async fn upload(&self, ctx: &Context, target: &NodeTarget, upload: &Upload<'_>) -> ClientResult<()> {
        let peer = Peer::node(target);
        let refused = |happened: String| {
            Err(permanent("uploading a file", &peer, happened, "this is a defect of plinth: report it"))
        };
        if !upload.path.starts_with('/') {
            return refused(format!("`{}` is not an absolute path", upload.path));
        }
        if upload.content.len() > LARGEST {
            return refused(format!("{} is larger than {LARGEST} bytes", upload.path));
        }
        self.run(ctx, target, &script(upload)).await.map(|_| ())
    }
}

fn script(upload: &Upload<'_>) -> Script {
    Script::new("uploading a file", include_str!("sh/upload.sh"), deadlines::SSH_UPLOAD)
        .as_root()
        .changing()
        .text("path", upload.path)
        .text("owner", upload.owner)
        .text("mode", &format!("{:o}", upload.mode))
        .text("sha256", Digest::of_bytes(upload.content).as_str())
        .secret("content", &Secret::new(STANDARD.encode(upload.content)))
}
