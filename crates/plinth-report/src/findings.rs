//! Findings as text, for those that do not point into a file. Those that do are drawn with their place in the file by the
//! printer of the binary.

use crate::style::{Palette, Sign, clean};
use plinth_model::{Finding, Severity, amount};

/// All findings, worst first, with a closing line that counts them; empty for none.
#[must_use]
pub fn findings(findings: &[Finding], palette: Palette) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut text = String::new();
    for one in sorted {
        text.push_str(&finding(one, palette));
        text.push('\n');
    }
    text.push_str(&tally(findings));
    text.push('\n');
    text
}

/// One finding: its head, then what was seen and what to do.
#[must_use]
pub fn finding(finding: &Finding, palette: Palette) -> String {
    let severity = match finding.severity {
        Severity::Error => palette.red("error"),
        Severity::Warning => palette.yellow("warning"),
        Severity::Info => palette.cyan("info"),
    };
    let place = match (finding.line, finding.column) {
        (Some(line), Some(column)) => format!(" (line {line}, column {column})"),
        _ => String::new(),
    };
    let head =
        format!("{severity}  {}  {}{place}", palette.bold(&clean(finding.code.as_str())), clean(&finding.subject));
    let mut text = head.trim_end().to_owned() + "\n";
    for part in parts(finding, palette) {
        text.push_str(&format!("  {part}\n"));
    }
    text
}

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
        lines.push(labelled("fix", &format!("{} ({})", clean(&finding.fix), finding.owner), palette));
    }
    lines
}

/// `what      the certificate is not checked`.
pub(crate) fn labelled(label: &str, text: &str, palette: Palette) -> String {
    format!("{} {}", palette.dim(&format!("{label:<9}")), clean(text))
}

/// Whether somebody should do something about it.
pub(crate) fn is_warning(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning
}

/// One line: `! kubernetes: 3 certificates end within 30 days; renew them`.
pub(crate) fn warning(finding: &Finding, palette: Palette) -> String {
    let fix = if finding.fix.is_empty() { String::new() } else { format!("; {}", clean(&finding.fix)) };
    format!("{} {}: {}{fix}", palette.painted(Sign::Warning), clean(&finding.subject), clean(&finding.message))
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
    fn errors_come_first_and_all_parts_are_there() {
        let list = [
            Finding::info(Code::named("a.note"), "x", "worth knowing"),
            Finding::error(code::BCM_ADDRESS_NONE_SAFE, "dgx-05", "no address is safe")
                .evidence("bond0 10.229.10.5: forbidden")
                .evidence("ipmi0 10.9.0.5: a BMC")
                .owner(Owner::BcmAdmin)
                .fix("give it an address in 10.184.162.0/24"),
            Finding::warning(Code::named("b.doubt"), "y", "odd").fix("look"),
        ];
        insta::assert_snapshot!(findings(&list, Palette::PLAIN));
        assert_eq!(findings(&[], Palette::PLAIN), "");
        assert_eq!(tally(&[]), "no findings");
    }
}
