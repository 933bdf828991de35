//! Files of the web: fetched here, known by their content, kept once for all nodes.

mod store;
mod web;

pub use store::Store;
pub use web::WebFiles;
