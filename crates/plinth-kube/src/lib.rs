//! The real Kubernetes client, over the API server.
//!
//! Every call has a limit, certificates are always verified, reads are tried again and writes are not. Nothing that is told holds a
//! token, a key or the content of a secret.

mod api;
mod checks;
pub mod config;
mod content;
mod corefile;
mod dns;
mod existing;
mod failure;
mod fetch;
mod health;
mod joins;
mod listing;
mod made;
mod mark;
mod node;
mod object;
pub mod place;
mod ready;
mod release;
mod restart;
mod seam;
mod secret;
mod system;
mod taint;
mod toolkit;
mod watch;

pub use api::KubeApi;
