//! What plinth keeps for a site on this machine: the secrets that the site file names or that plinth made, and certificates.
//! Both are files of the state directory, and certificates take their keys from the secrets; so they are one crate.

pub mod certificates;
pub mod secrets;

pub use certificates::{FileKeystore, Review, SeenCertificate};
pub use secrets::SiteSecrets;
