//! Findings as text, for those that do not point into a file. Those that do are drawn with their place in the file by the
//! printer of the binary.

use crate::style::{Palette, Sign, told};
use plinth_model::{Finding, Severity, amount};

/// What, evidence and fix; one line each, labelled.
pub(crate) fn parts(finding: &Finding, palette: Palette) -> Vec<String> {
    let what = labelled("what", &finding.message, palette);
    std::iter::once(what).chain(behind_what(finding, palette)).collect()
}

/// Evidence and fix; one line each, labelled. What already stands in the message is not said again.
pub(crate) fn behind_what(finding: &Finding, palette: Palette) -> Vec<String> {
    let mut lines = Vec::new();
    let new = finding.evidence.iter().filter(|line| !finding.message.contains(line.as_str()));
    for (n, evidence) in new.enumerate() {
        lines.push(labelled(if n == 0 { "evidence" } else { "" }, evidence, palette));
    }
    if !finding.fix.is_empty() {
        lines.push(labelled("fix", &format!("{} ({})", told(&finding.fix), finding.owner), palette));
    }
    lines
}

/// `what      the certificate is not checked`.
pub(crate) fn labelled(label: &str, text: &str, palette: Palette) -> String {
    format!("{} {}", palette.dim(&format!("{label:<9}")), told(text))
}

/// Whether somebody should do something about it.
pub(crate) fn is_warning(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning
}

/// One line: `! kubernetes: 3 certificates end within 30 days; renew them`.
pub(crate) fn warning(finding: &Finding, palette: Palette) -> String {
    let fix = if finding.fix.is_empty() { String::new() } else { format!("; {}", told(&finding.fix)) };
    format!("{} {}: {}{fix}", palette.painted(Sign::Warning), told(&finding.subject), told(&finding.message))
}

/// `1 error, 2 warnings`.
#[must_use]
pub fn tally(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let parts =
        [(count(Severity::Error), "error"), (count(Severity::Warning), "warning"), (count(Severity::Info), "note")];
    let told: Vec<String> = parts.iter().filter(|p| p.0 > 0).map(|(n, noun)| amount(*n, noun)).collect();
    if told.is_empty() { "no findings".to_owned() } else { told.join(", ") }
}

/// Columns of a label, with the blank behind it.
pub(crate) const LABEL: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_model::Code;
    use plinth_model::Owner;
    use plinth_model::finding::code;

    #[test]
    fn all_parts_are_there_and_are_counted() {
        let error = Finding::error(code::BCM_ADDRESS_NONE_SAFE, "dgx-05", "no address is safe")
            .evidence("bond0 10.229.10.5: forbidden")
            .evidence("ipmi0 10.9.0.5: a BMC")
            .owner(Owner::BcmAdmin)
            .fix("give it an address in 10.184.162.0/24");
        let told = parts(&error, Palette::PLAIN);
        let wanted = [
            "what      no address is safe",
            "evidence  bond0 10.229.10.5: forbidden",
            "          ipmi0 10.9.0.5: a BMC",
            "fix       give it an address in 10.184.162.0/24 (BCM admin)",
        ];
        assert_eq!(told, wanted);
        let note = Finding::info(Code::named("a.note"), "x", "worth knowing");
        assert_eq!(tally(&[error, note]), "1 error, 1 note");
        assert_eq!(tally(&[]), "no findings");
    }
}
