//! What types cannot say: how the parts of a site fit together.

mod access;
mod cluster;
mod engine;
mod inventory;
mod labels;
mod networks;
mod nodes;
mod notify;
mod platform;
mod ranges;

pub(crate) use nodes::bad_name;

use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::raw;
use crate::tree::{Counting, Node};
use plinth_model::Finding;
use plinth_model::finding::code;

/// All checks of a decoded site.
pub(crate) fn all(site: &raw::Site, diagnostics: &mut Diagnostics<'_>) {
    format(site, diagnostics);
    inventory::check(site, diagnostics);
    networks::check(site, diagnostics);
    ranges::check(site, diagnostics);
    nodes::check(site, diagnostics);
    access::check(site, diagnostics);
    cluster::check(site, diagnostics);
    engine::check(site, diagnostics);
    platform::check(site, diagnostics);
    notify::check(site, diagnostics);
}

/// Whether the file is of a later format than this release reads. Then nothing else in it can be judged.
pub(crate) fn newer_format(tree: &Node) -> Option<Finding> {
    let version = tree.get("apiVersion")?.text()?;
    let number: u32 = version.strip_prefix("plinth/v")?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    (number > 1).then(|| {
        Finding::error(
            code::SITE_NEWER_FORMAT,
            "apiVersion",
            format!("this plinth reads `{}`; the file is of a later format", raw::API_VERSION),
        )
        .fix("use a later plinth for this file")
        .at(tree.locate(&Path::parse("apiVersion"), Counting::File).position)
    })
}

fn format(site: &raw::Site, diagnostics: &mut Diagnostics<'_>) {
    for (path, found, wanted) in [("apiVersion", &site.api_version, raw::API_VERSION), ("kind", &site.kind, raw::KIND)]
    {
        if found != wanted {
            let message = format!("`{path}` must be `{wanted}`");
            diagnostics
                .report(Finding::error(code::SITE_FORMAT, path, message).fix(format!("write `{path}: {wanted}`")));
        }
    }
}
