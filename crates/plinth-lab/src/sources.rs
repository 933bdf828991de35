//! Where this machine gets Debian packages from, so that the lab's root file system comes from the same place.

use crate::error::{LabError, LabResult};
use std::path::Path;

/// One line of `sources.list`(5).
type Line = String;

/// What the root file system is made from: this machine's own sources of the suite, main component only.
pub(crate) fn own(suite: &str) -> LabResult<Vec<Line>> {
    let mut lines = Vec::new();
    let mut files = vec![Path::new("/etc/apt/sources.list").to_path_buf()];
    if let Ok(entries) = std::fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => lines.extend(text.lines().filter_map(|line| of_line(line, suite))),
            Some("sources") => lines.extend(of_stanzas(&text, suite)),
            _ => {}
        }
    }
    if lines.is_empty() {
        return Err(LabError::new(
            "looking for a Debian mirror in /etc/apt",
            format!("no source of {suite} is configured there"),
            format!("add the machine's mirror of {suite} to /etc/apt/sources.list.d"),
        ));
    }
    Ok(lines)
}

/// Whether the suite is ours: `bookworm`, `bookworm-updates`, `bookworm-security`, `bookworm/updates`.
fn fits(suite: &str, ours: &str) -> bool {
    suite.strip_prefix(ours).is_some_and(|rest| matches!(rest, "" | "-updates" | "-security" | "/updates"))
}

fn of_line(line: &str, ours: &str) -> Option<Line> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(options, rest)| (Some(options.trim()), rest))?,
        None => (None, rest),
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (uri, suite) = (words.first()?, words.get(1)?);
    if !fits(suite, ours) || !words.contains(&"main") {
        return None;
    }
    let options = options.map(|options| format!("[{options}] ")).unwrap_or_default();
    Some(format!("deb {options}{uri} {suite} main"))
}

/// The deb822 form: fields, one stanza per blank line; values may go on in lines that start with a blank.
fn of_stanzas(text: &str, ours: &str) -> Vec<Line> {
    let bare: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    bare.split(|line| line.trim().is_empty()).flat_map(|stanza| of_stanza(stanza, ours)).collect()
}

fn of_stanza(stanza: &[&str], ours: &str) -> Vec<Line> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in stanza {
        match (line.starts_with([' ', '\t']), line.split_once(':')) {
            (true, _) => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push_str(line);
                }
            }
            (false, Some((name, value))) => fields.push((name.to_lowercase(), value.trim().to_owned())),
            (false, None) => {}
        }
    }
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let words = |name: &str| field(name).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let wanted = words("types").contains(&"deb".to_owned())
        && words("components").contains(&"main".to_owned())
        && field("enabled") != "no";
    // A key written into the stanza itself has no place in the one-line form; the machine's keyring has it as well.
    let signed = Some(field("signed-by")).filter(|path| path.starts_with('/') && !path.contains(' '));
    let options = signed.map(|path| format!("[signed-by={path}] ")).unwrap_or_default();
    let mut lines = Vec::new();
    for uri in words("uris").iter().filter(|_| wanted) {
        for suite in words("suites").iter().filter(|suite| fits(suite, ours)) {
            lines.push(format!("deb {options}{uri} {suite} main"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_sources() {
        let cases = [
            ("deb http://m.example/debian bookworm main contrib", Some("deb http://m.example/debian bookworm main")),
            (
                "deb [arch=amd64 signed-by=/k.gpg] http://m.example/d bookworm-updates main",
                Some("deb [arch=amd64 signed-by=/k.gpg] http://m.example/d bookworm-updates main"),
            ),
            ("deb-src http://m.example/debian bookworm main", None),
            ("# deb http://m.example/debian bookworm main", None),
            ("deb http://m.example/debian trixie main", None),
            ("deb http://m.example/other bookworm stable", None),
            ("deb http://m.example/debian bookworm-backports main", None),
        ];
        for (line, want) in cases {
            assert_eq!(of_line(line, "bookworm").as_deref(), want, "{line}");
        }
    }

    #[test]
    fn stanzas() {
        let text = "# made by hand\nTypes: deb deb-src\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\n\
                    Components: main\nSigned-By: /k.gpg\n\nTypes: deb\nURIs: http://m.example/node\nSuites: nodistro\n\
                    Components: main\n\nTypes: deb\nURIs: http://m.example/security\nSuites: bookworm-security\n\
                    Components: main\nEnabled: no\n\nTypes: deb\nURIs:\n http://a.example\n http://b.example\nSuites: bookworm\nComponents: main\n";
        let want = [
            "deb [signed-by=/k.gpg] http://m.example/debian bookworm main",
            "deb [signed-by=/k.gpg] http://m.example/debian bookworm-updates main",
            "deb http://a.example bookworm main",
            "deb http://b.example bookworm main",
        ];
        assert_eq!(of_stanzas(text, "bookworm"), want);
    }
}
