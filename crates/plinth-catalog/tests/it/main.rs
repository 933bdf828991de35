//! The catalog as shipped: it renders, it knows its charts' keys, none of the known_bad list is in it, and the resolver answers
//! the cases of the compatibility data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![recursion_limit = "256"]

mod charts;
mod checks;
mod choices;
mod credentials;
mod elsewhere;
mod known_bad;
mod kubespray;
mod lines;
mod nim;
mod objects;
mod places;
mod real_charts;
mod resolve;
mod site;
mod versions;
