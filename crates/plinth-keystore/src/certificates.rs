//! Certificate authorities and leaf certificates in the state directory, private halves mode 0600.

mod chain;
mod file;
mod issue;
mod keystore;
mod review;
mod rotation;

pub use file::FileKeystore;
pub use review::{Review, SeenCertificate};
