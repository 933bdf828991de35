//! What cannot be shown, and why.

use crate::answer::{Answer, HTML};
use axum::http::StatusCode;
use maud::{Markup, html};
use plinth_model::{Exit, Problem};

use super::parts::told;
use super::shell::document;

/// A page of one sentence.
pub(crate) fn plain(status: StatusCode, text: &str) -> Answer {
    page(status, html! { h1 { (text) } })
}

/// A problem, in its four parts.
pub(crate) fn of(problem: &Problem) -> Answer {
    let status = match problem.exit {
        Exit::Input => StatusCode::NOT_FOUND,
        Exit::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    page(
        status,
        html! {
            h1 { (told(&problem.doing)) " " (told(&problem.to)) }
            p { (told(&problem.happened)) }
            @if !problem.attempt.is_empty() { p { b { "Try: " } (told(&problem.attempt)) } }
            p { a href="/" { "all runs" } }
        },
    )
}

/// There is no such page.
pub(crate) fn no_such() -> Answer {
    page(StatusCode::NOT_FOUND, html! { h1 { "There is no such page" } p { a href="/" { "all runs" } } })
}

/// Whoever asks has not shown that they may.
pub(crate) fn locked() -> Answer {
    page(
        StatusCode::UNAUTHORIZED,
        html! {
            h1 { "This page needs its link" }
            p { "Open the link that " code { "plinth serve" } " printed; it has a token in it. It works for as long as that server runs." }
            p { "If you have just opened it, " a href="/" { "go on here" } ": a link from another site takes two steps." }
        },
    )
}

fn page(status: StatusCode, body: Markup) -> Answer {
    let body = html! { body { header.top { div.line { a.home href="/" { "plinth" } } } main id="main" { (body) } } };
    let whole = document("plinth", false, &[], body);
    Answer::new(HTML, whole.into_string()).status(status)
}
