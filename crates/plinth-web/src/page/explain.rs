//! What plinth tells about a thing that it names: the text of `plinth explain`.

use super::overview::told_lines;
use super::parts::told;
use super::shell;
use crate::route::encoded;
use crate::source::Told;
use maud::{Markup, html};
use plinth_model::SiteName;

/// The page.
pub(crate) fn page(site: &SiteName, what: &str, explained: &Told) -> Markup {
    let address = format!("/explain/{}", encoded(what));
    let body = html! {
        h1.id { (told(what)) }
        pre.told tabindex="0" { (told_lines(&explained.text)) }
        p.dim { a href={(address) ".json"} { "JSON" } " " a href={(address) ".txt"} { "text" } " " code { "plinth explain " (told(what)) } }
    };
    shell::plain(site, "What it means", None, body)
}
