//! Whom a run tells about itself.

use crate::diagnostics::Diagnostics;
use crate::raw::Site;
use plinth_model::Finding;
use plinth_model::finding::code;
use std::collections::BTreeSet;

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let mut seen = BTreeSet::new();
    for (at, webhook) in site.notify.iter().flat_map(|notify| &notify.webhooks).enumerate() {
        let name = &webhook.name.0.0;
        if !seen.insert(name) {
            let message = format!("two webhooks are called `{name}`: messages that wait are kept by name");
            let finding = Finding::error(code::SITE_DUPLICATE_WEBHOOK, format!("notify.webhooks[{at}].name"), message);
            diagnostics.report(finding.fix("give each a name of its own"));
        }
    }
}
