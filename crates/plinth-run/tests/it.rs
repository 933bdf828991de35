//! The executor, its journal, lock and status, against scripted steps on virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "it/clients.rs"]
mod clients;
#[path = "it/clock.rs"]
mod clock;
#[path = "it/held.rs"]
mod held;
#[path = "it/journal.rs"]
mod journal;
#[path = "it/kill.rs"]
mod kill;
#[path = "it/lock.rs"]
mod lock;
#[path = "it/looking.rs"]
mod looking;
#[path = "it/once.rs"]
mod once;
#[path = "it/order.rs"]
mod order;
#[path = "it/plans.rs"]
mod plans;
#[path = "it/retention.rs"]
mod retention;
#[path = "it/running.rs"]
mod running;
#[path = "it/script.rs"]
mod script;
#[path = "it/stopping.rs"]
mod stopping;
