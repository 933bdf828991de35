//! What is asked of BCM.

mod identity;

pub use identity::BcmIdentity;
