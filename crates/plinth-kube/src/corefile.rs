//! CoreDNS's configuration with names of ours: a block for each, between marks, at the end. Everything else stays as it is.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// The text with this name in it.
///
/// # Errors
/// When somebody else answers for the name already; in words.
pub(super) fn with(text: &str, name: &str, address: Ipv4Addr) -> Result<String, String> {
    let name = name.trim_end_matches('.').to_lowercase();
    let (begin, end) = (format!("# plinth: {name} begins"), format!("# plinth: {name} ends"));
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        inside = inside || line.trim() == begin;
        if !inside {
            lines.push(line);
        }
        inside = inside && line.trim() != end;
    }
    if inside {
        return Err(format!("`{end}` is missing in the Corefile"));
    }
    if lines.iter().any(|line| serves(line, &name)) {
        return Err(format!("the Corefile has a block for {name} already, which is not plinth's"));
    }
    let mut new: String = lines.join("\n").trim_end().to_owned();
    // Names below this one go the usual way.
    let _ = write!(
        new,
        "\n{begin}\n{name}:53 {{\n    errors\n    hosts {{\n        {address} {name}\n        fallthrough\n    }}\n    forward . /etc/resolv.conf\n}}\n{end}\n"
    );
    Ok(new)
}

/// Whether a line begins a block for the zone.
fn serves(line: &str, zone: &str) -> bool {
    let line = line.trim();
    let Some(zones) = line.strip_suffix('{').filter(|_| !line.starts_with('#')) else { return false };
    zones.split([' ', ',']).any(|known| {
        let known = known.trim().trim_start_matches("dns://");
        known.split(':').next().unwrap_or(known).trim_end_matches('.').eq_ignore_ascii_case(zone)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PLAIN: &str =
        ".:53 {\n    errors\n    hosts /etc/coredns/hosts {\n        fallthrough\n    }\n    forward . 10.0.0.1\n}\n";

    #[test]
    fn a_name_comes_in_once_and_moves() {
        let first = with(PLAIN, "Runai.example.com.", Ipv4Addr::new(10, 0, 0, 5)).unwrap();
        insta::assert_snapshot!("corefile", first);
        assert_eq!(with(&first, "runai.example.com", Ipv4Addr::new(10, 0, 0, 5)).unwrap(), first);
        let moved = with(&first, "runai.example.com", Ipv4Addr::new(10, 0, 0, 6)).unwrap();
        assert_eq!(moved, first.replace("10.0.0.5", "10.0.0.6"));
        let two = with(&moved, "other.example.com", Ipv4Addr::new(10, 0, 0, 7)).unwrap();
        assert!(two.starts_with(&moved) && two.contains("10.0.0.7 other.example.com"), "{two}");
    }

    #[test]
    fn somebody_elses_block_is_left_alone() {
        let theirs = format!("{PLAIN}a.test, runai.example.com:53 {{\n    whoami\n}}\n");
        assert!(with(&theirs, "runai.example.com", Ipv4Addr::LOCALHOST).unwrap_err().contains("not plinth's"));
        assert!(with(&theirs, "b.test", Ipv4Addr::LOCALHOST).is_ok());
        let cut = "# plinth: b.test begins\nb.test:53 {\n";
        assert!(with(cut, "b.test", Ipv4Addr::LOCALHOST).unwrap_err().contains("is missing"));
    }
}
