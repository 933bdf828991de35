//! Where secret values come from.

mod site;
mod source;

pub use site::SiteSecrets;
