//! Events become terminal lines, a live view, NDJSON and a summary; rows become tables.
//!
//! Everything here is drawn from values of `plinth-model`, runs from one [`plinth_model::RunView`]; nothing is decided, nothing is looked up. Secrets never get this
//! far: events and findings do not hold them. Text of foreign programs is cleaned of control characters.

mod background;
mod card;
pub mod document;
pub mod evidence;
pub mod export;
pub mod findings;
mod fold;
pub mod frame;
mod github;
pub mod history;
mod lines;
mod live;
pub mod logs;
mod ndjson;
mod outlet;
mod painter;
pub mod preflight;
pub mod rehearsal;
pub mod runs;
#[cfg(test)]
mod scripted;
mod sink;
pub mod status;
mod style;
pub mod summary;
pub mod tables;
mod text_log;
#[cfg(test)]
mod view_tests;

pub use background::{Background, View};
pub use github::GitHub;
pub use lines::Lines;
pub use live::{Earlier, Live, Terminal};
pub use ndjson::Ndjson;
pub use outlet::{Gap, IsOver, Open, Outlet, OutletLines};
pub use painter::{Features, Painter, Taskbar};
pub use sink::Sink;
pub use style::{Palette, Sign, clean, short, told};
pub use tables::NodeRow;
pub use text_log::{TextLog, Verbosity};
