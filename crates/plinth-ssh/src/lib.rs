//! The real node client, over SSH: semantic operations on one machine, each one POSIX `sh` script and one round trip.

pub mod frame;
mod key;
mod node_key;
mod nodes;
pub mod script;
mod scripts;
pub mod transport;

pub use key::public_key_line;
pub use node_key::KeptNodeKey;
pub use nodes::SshNodes;
pub use transport::{LOGS, SshConfig};
