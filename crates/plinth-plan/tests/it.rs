//! The planner against values: nothing here touches the world.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod it {
    pub mod discovery;
    pub mod existing;
    pub mod field;
    pub mod hardware;
    pub mod kubespray;
    pub mod leaving;
    pub mod left_out;
    pub mod lints;
    pub mod oidc;
    pub mod planning;
    pub mod proofs;
    pub mod properties;
    pub mod real_charts;
    pub mod recovery;
    pub mod releases;
    pub mod removal;
    pub mod rendering;
    pub mod rotation;
    pub mod saving;
    pub mod tenant;
    pub mod whole;
}

mod fixture;
