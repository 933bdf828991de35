//! Lines of Kubernetes that nobody makes patches for any more.

use crate::Catalog;
use crate::compatibility::line;
use plinth_model::finding::code;
use plinth_model::{Finding, Version};
use plinth_site::Desired;

impl Catalog {
    /// A warning when the line of the site's Kubernetes has come to its end, with the newest version that would do.
    pub(crate) fn past_its_end(&self, desired: &Desired) -> Option<Finding> {
        let (version, lines) = (desired.kubernetes.version.as_ref()?, &self.compatibility.kubernetes_lines);
        let end = lines.ended(version)?;
        let message = format!("Kubernetes {} is past its end of life: no patches since {end}", version.minor());
        let finding = Finding::warning(code::COMPATIBILITY_END_OF_LIFE, "kubernetes.version", message);
        let source = self.compatibility.title(&lines.source);
        Some(finding.evidence(format!("{source}, as of {}", lines.as_of)).fix(self.lines_that_live(desired)))
    }

    /// What the site could have instead.
    fn lines_that_live(&self, desired: &Desired) -> String {
        let data = &self.compatibility;
        let all = data.kubespray.values().flat_map(|line| &line.kubernetes.newest_patches);
        let living: Vec<&Version> = all.filter(|version| data.kubernetes_lines.lives(version)).collect();
        let newest = |takes: &dyn Fn(&Version) -> bool| living.iter().copied().filter(|version| takes(version)).max();
        let Some(runai) = &desired.runai else {
            return newest(&|_| true)
                .map_or_else(none, |version| format!("set kubernetes.version to {}", version.prefixed()));
        };
        let row = line(&data.runai, &runai.version).map(|(_, row)| row);
        let range = row.and_then(|row| row.kubernetes.range.as_ref());
        if let Some(version) = newest(&|version| range.is_none_or(|range| range.contains(version))) {
            return format!("set kubernetes.version to {}", version.prefixed());
        }
        let takes = data.runai.iter().find_map(|(name, row)| {
            let range = row.kubernetes.range.as_ref()?;
            Some((name, newest(&|version| range.contains(version))?))
        });
        takes.map_or_else(none, |(name, version)| {
            let (old, new) = (runai.version.minor(), version.prefixed());
            format!("no line that Run:ai {old} takes still gets patches: Run:ai {name} is the first that takes {new}")
        })
    }
}

fn none() -> String {
    "no release of Kubespray that is known here installs one that still gets patches".to_owned()
}
