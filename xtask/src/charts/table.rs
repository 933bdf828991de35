//! What came of it, for people: a line a component and version, and below it what is wrong.

use crate::commands::Failure;
use plinth_model::Digest;
use plinth_model::steps::Release;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// One component in one version.
#[derive(Default)]
pub(super) struct Row {
    pub(super) absent: bool,
    /// How often each helm rendered it, and how often it did not.
    helms: BTreeMap<&'static str, (usize, usize)>,
    /// What helm said, once each, with the site.
    refused: BTreeMap<String, String>,
    pub(super) alive: BTreeSet<String>,
    pub(super) dead: BTreeSet<String>,
    /// What is wrong, with the first site.
    pub(super) health: BTreeMap<String, String>,
    pub(super) images: BTreeMap<String, String>,
    /// Images of the catalog's list, each with whether anything names it on any site.
    pub(super) listed: BTreeMap<String, bool>,
    /// Whether the package is the one that the catalog knows; none while nothing was compared.
    is_known: Option<bool>,
    another: Option<String>,
    seen: BTreeSet<String>,
}

impl Row {
    /// Whether these values were not looked at yet.
    pub(super) fn is_new(&mut self, values: &Digest) -> bool {
        self.seen.insert(values.as_str().to_owned())
    }

    pub(super) fn rendered(&mut self, helm: &'static str) {
        self.helms.entry(helm).or_default().0 += 1;
    }

    pub(super) fn refused(&mut self, helm: &'static str, case: &str, lines: &[String]) {
        self.helms.entry(helm).or_default().1 += 1;
        self.refused.entry(format!("{helm}: {}", lines.join(" "))).or_insert_with(|| case.to_owned());
    }

    /// Compares the package with what the catalog knows.
    pub(super) fn digest(&mut self, file: &Path, release: &Release) -> Result<(), Failure> {
        let Some(wanted) = release.digest.as_deref().filter(|_| self.is_known.is_none()) else { return Ok(()) };
        let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let found = Digest::of_bytes(&bytes);
        self.is_known = Some(found.as_str() == wanted);
        if found.as_str() != wanted {
            self.another =
                Some(format!("{} has SHA-256 {}, and the catalog knows {wanted}", file.display(), found.as_str()));
        }
        Ok(())
    }

    pub(super) fn is_right(&self, absent_is_fine: bool) -> bool {
        if self.absent {
            return absent_is_fine;
        }
        self.refused.is_empty()
            && self.dead.is_empty()
            && self.health.is_empty()
            && self.images.is_empty()
            && self.unnamed().next().is_none()
            && self.another.is_none()
    }

    /// Listed images that nothing names on any site.
    fn unnamed(&self) -> impl Iterator<Item = &String> {
        self.listed.iter().filter(|(_, named)| !**named).map(|(image, _)| image)
    }

    fn cells(&self) -> Vec<String> {
        if self.absent {
            return vec!["not here".to_owned()];
        }
        let counted = |wrong: usize| if wrong == 0 { "ok".to_owned() } else { format!("{wrong} wrong") };
        let helm = |name: &str| match self.helms.get(name) {
            Some((times, 0)) => format!("{times}x"),
            Some((_, failed)) => format!("{failed} refused"),
            None => "-".to_owned(),
        };
        let schema = self.refused.keys().filter(|line| line.contains("schema")).count();
        vec![
            match self.is_known {
                Some(true) => "ok".to_owned(),
                Some(false) => "another".to_owned(),
                None => "-".to_owned(),
            },
            helm("helm3"),
            helm("helm4"),
            counted(schema),
            if self.dead.is_empty() {
                format!("{} alive", self.alive.len())
            } else {
                format!("{} dead", self.dead.len())
            },
            counted(self.health.len()),
            counted(self.images.len() + self.unnamed().count()),
        ]
    }

    fn lines(&self) -> Vec<String> {
        let with_site = |what: &'static str| move |(line, case): (&String, &String)| format!("{what}: {line} ({case})");
        let mut lines: Vec<String> = self.another.iter().map(|line| format!("package: {line}")).collect();
        lines.extend(self.refused.iter().map(with_site("helm")));
        lines.extend(self.dead.iter().map(|key| format!("key: {key} changes nothing")));
        lines.extend(self.health.iter().map(with_site("health")));
        lines.extend(self.images.iter().map(with_site("image")));
        lines.extend(self.unnamed().map(|image| format!("image: {image} is listed, and nothing names it")));
        lines
    }
}

/// All rows.
pub(super) fn table(rows: &BTreeMap<(String, String), Row>) -> String {
    let head = ["component", "version", "package", "helm 3", "helm 4", "schema", "keys", "health", "images"];
    let mut text = String::new();
    let widths = [24, 12, 10, 11, 11, 9, 10, 9, 9];
    let mut line = |cells: Vec<String>| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<String>();
        let _ = writeln!(text, "{}", padded.trim_end());
    };
    line(head.map(str::to_owned).to_vec());
    for ((name, version), row) in rows {
        line([vec![name.clone(), version.clone()], row.cells()].concat());
    }
    for ((name, version), row) in rows {
        for wrong in row.lines() {
            let _ = writeln!(text, "{name} {version}: {wrong}");
        }
    }
    text
}
