//! The pages and the report of a run in a real browser. They need Debian's Chromium: `cargo xtask test --tier page`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "page/exports.rs"]
mod exports;
#[path = "page/ground.rs"]
mod ground;
#[path = "page/hostile.rs"]
mod hostile;
#[path = "page/live.rs"]
mod live;
#[path = "page/pages.rs"]
mod pages;
#[path = "page/report.rs"]
mod report;
#[path = "page/timeline.rs"]
mod timeline;
