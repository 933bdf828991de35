//! What plinth tells about a thing that it names: the text of `plinth explain`.

use super::overview::some_lines;
use super::parts::{quoted, told};
use super::shell::{self, Twins};
use crate::route::encoded;
use crate::source::Told;
use maud::{Markup, html};
use plinth_model::SiteName;

pub(crate) fn page(site: &SiteName, what: &str, explained: &Told) -> Markup {
    let body = html! {
        h1.id { (told(what)) }
        pre.told tabindex="0" { (some_lines(&explained.text)) }
    };
    let command = format!("plinth explain {}", quoted(what));
    let twins = Twins::of(&format!("/explain/{}", encoded(what)), "", command);
    shell::plain(site, "What it means", None, &twins, body)
}
