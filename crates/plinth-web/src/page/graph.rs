//! stub
use super::OfRun;
use maud::{Markup, html};

pub(crate) fn page(_page: &OfRun<'_>) -> Markup {
    html! { h1 { "Graph" } }
}
