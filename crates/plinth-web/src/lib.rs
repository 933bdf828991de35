//! The page of runs: read-only, made on the server, live by server-sent events, every fact without JavaScript.
//!
//! It knows what a run is (`plinth-model`), what runs amount to (`plinth-analysis`) and how that is said in words (`plinth-report`). Where
//! runs are read from is behind [`Source`], so it never sees a journal, a site file or a secret. A run is folded once for all that look at
//! it; what changes is one patch for all followers, who are never waited for.

mod access;
mod answer;
mod app;
mod assets;
mod bands;
mod grid;
mod layers;
mod live;
mod page;
mod record;
mod route;
mod runs;
mod server;
mod source;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

pub use access::Token;
pub use server::{Listen, Options, Server};
pub use source::{Earlier, Seen, Source, Told};
pub use tls::TlsFiles;
