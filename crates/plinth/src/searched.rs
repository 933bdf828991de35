//! What is said of a file that was searched for the site's secrets before it was written.

use crate::printer::Printer;
use plinth_app::support::Redaction;
use plinth_model::amount;
use plinth_world::secrets::Redactor;

/// What such a file is searched for, for people.
const SEARCHED: &str =
    "what the site file names as a secret, and plinth's own secrets, keys and kubeconfig of the site";

/// Secrets that it could not be searched for; `what` is the archive or the report.
pub(crate) fn tell_gaps(what: &str, redaction: &Redaction, printer: &Printer) {
    for place in &redaction.unread {
        printer.changed(&format!("the secret at `{place}` cannot be read here, so {what} was not searched for it"));
    }
    for place in &redaction.short {
        printer.changed(&format!(
            "the secret at `{place}` is too short to be searched for (less than {} bytes)",
            Redactor::SHORTEST
        ));
    }
}

/// `searched for 4 of 5 secrets (…); read it before you hand it on`.
pub(crate) fn summary(redaction: &Redaction) -> String {
    let (searched, all) = redaction.count();
    format!("searched for {searched} of {} ({SEARCHED}); read it before you hand it on", amount(all, "secret"))
}
