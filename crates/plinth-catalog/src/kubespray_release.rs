//! The Kubespray release for a site: the one that it names, else the default or the newest that installs its Kubernetes.

use crate::Catalog;
use crate::kubespray::{KubernetesVersionForm, KubesprayPin, Release};
use crate::near::near_text;
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::steps::KubesprayRelease;
use plinth_model::{Finding, Version};
use plinth_site::Desired;
use plinth_site::desired::Engine;

impl Catalog {
    /// The Kubespray release for a site, the form of its Kubernetes version, and why this release.
    ///
    /// # Errors
    /// A finding: the release chosen in the site file is not known or cannot install the version, or no release can.
    #[expect(clippy::result_large_err, reason = "called once a plan, and the finding is used as it is")]
    pub fn kubespray(&self, desired: &Desired) -> Result<(KubesprayRelease, KubernetesVersionForm, String), Finding> {
        let ((pin, line), why) = self.kubespray_line(desired).map_err(|finding| *finding)?;
        let (commit, tree) =
            desired.kubernetes.kubespray_tools.pin.clone().unwrap_or_else(|| (pin.commit.clone(), pin.tree.clone()));
        let release = KubesprayRelease {
            tag: pin.tag.with_v(),
            source: desired.kubernetes.kubespray_source.clone().unwrap_or_else(|| self.kubespray.source.clone()),
            commit,
            tree,
            python: line.python.range.as_ref().map(ToString::to_string).unwrap_or_default(),
            ansible_core: line.ansible_core.range.as_ref().map(ToString::to_string).unwrap_or_default(),
            ansible: line
                .ansible_package
                .range
                .as_ref()
                .map(|r| r.as_str().trim_start_matches('=').to_owned())
                .unwrap_or_default(),
        };
        Ok((release, pin.form, why))
    }

    /// The containerd that comes with Kubernetes; none: the engine does not bring it, or no release for this site is known.
    pub(crate) fn containerd(&self, desired: &Desired) -> Option<&Version> {
        let ours = desired.kubernetes.engine == Engine::Kubespray;
        let ((_, line), _) = ours.then(|| self.kubespray_line(desired).ok()).flatten()?;
        Some(&line.containerd.installs)
    }

    /// As [`Catalog::kubespray`], with all that is known about the release.
    pub(crate) fn kubespray_line(&self, desired: &Desired) -> Result<(Release<'_>, String), Box<Finding>> {
        let Some(wanted) = &desired.kubernetes.version else { return Err(Box::new(no_version())) };
        if wanted.numbers() < 3 {
            return Err(Box::new(self.not_exact(wanted)));
        }
        if let Some(chosen) = &desired.kubernetes.kubespray {
            return self
                .chosen(chosen, wanted)
                .map(|release| (release, format!("Kubespray {} is chosen in the site file", release.0.tag)));
        }
        let mut releases: Vec<Release<'_>> = self.releases().collect();
        releases.sort_by_key(|(pin, _)| (pin.tag == self.kubespray.default, pin.tag.clone()));
        let found = releases.iter().rev().find(|(pin, _)| self.installs(pin, wanted));
        let Some(&release) = found else { return Err(Box::new(self.nobody_has(wanted))) };
        let why = if release.0.tag == self.kubespray.default {
            format!("Kubespray {} is the default and installs Kubernetes {wanted}", release.0.tag)
        } else {
            format!(
                "Kubespray {} is the newest release that installs Kubernetes {wanted}; the default {} does not",
                release.0.tag, self.kubespray.default
            )
        };
        Ok((release, why))
    }

    fn releases(&self) -> impl Iterator<Item = Release<'_>> {
        self.kubespray.releases.iter().filter_map(|pin| Some((pin, self.compatibility.kubespray.get(pin.tag.bare())?)))
    }

    /// Whether the release has checksums for exactly this Kubernetes.
    fn installs(&self, pin: &KubesprayPin, wanted: &Version) -> bool {
        let written = pin.form.write(wanted);
        self.kubernetes_of(pin).contains(&written)
    }

    fn kubernetes_of(&self, pin: &KubesprayPin) -> &[String] {
        self.known.versions.of(pin.tag.as_str(), "kube_version").unwrap_or_default()
    }

    /// The newest patch of each minor that a release installs: what is proposed in place of one that it does not.
    fn installable(&self, pin: &KubesprayPin) -> Vec<Version> {
        let mut newest: IndexMap<String, Version> = IndexMap::new();
        for version in self.kubernetes_of(pin).iter().filter_map(|version| version.parse::<Version>().ok()) {
            let patch = newest.entry(version.minor()).or_insert_with(|| version.clone());
            if version > *patch {
                *patch = version;
            }
        }
        newest.into_values().collect()
    }

    fn chosen(&self, chosen: &Version, wanted: &Version) -> Result<Release<'_>, Box<Finding>> {
        let Some((pin, line)) = self.releases().find(|(pin, _)| pin.tag == *chosen) else {
            return Err(Box::new(self.unknown_release(chosen)));
        };
        if self.installs(pin, wanted) {
            return Ok((pin, line));
        }
        let other = self.releases().filter(|(pin, _)| self.installs(pin, wanted)).last();
        let or =
            other.map(|(pin, _)| format!(", or set kubernetes.kubespray.version to {}", pin.tag)).unwrap_or_default();
        let near = near_text(wanted, &self.installable(pin));
        let finding = Finding::error(
            code::KUBERNETES_VERSION_NOT_IN_KUBESPRAY,
            "kubernetes.version",
            format!("Kubespray {chosen} cannot install Kubernetes {wanted}"),
        )
        .evidence(format!(
            "Kubespray {chosen} takes Kubernetes {} ({})",
            line.kubernetes.range,
            self.compatibility.title(&line.kubernetes.source)
        ))
        .fix(format!("set kubernetes.version to {near}, the nearest that it installs{or}"));
        Err(Box::new(finding))
    }

    fn unknown_release(&self, chosen: &Version) -> Finding {
        let near = near_text(chosen, self.kubespray.releases.iter().map(|pin| &pin.tag));
        Finding::error(
            code::KUBERNETES_UNKNOWN_KUBESPRAY,
            "kubernetes.kubespray",
            format!("Kubespray {chosen} is not among the releases whose commit is known"),
        )
        .evidence(format!(
            "known: {}",
            self.kubespray.releases.iter().map(|pin| pin.tag.as_str()).collect::<Vec<_>>().join(", ")
        ))
        .fix(format!("set kubernetes.kubespray.version to {near}, the nearest known, or leave it out"))
    }

    fn not_exact(&self, wanted: &Version) -> Finding {
        let patches: Vec<Version> = self.releases().flat_map(|(pin, _)| self.installable(pin)).collect();
        Finding::error(
            code::SITE_VERSION_NOT_EXACT,
            "kubernetes.version",
            format!("{wanted} names a line of Kubernetes, not a version"),
        )
        .fix(format!("write all three numbers: {} is the newest known", near_text(wanted, &patches)))
    }

    fn nobody_has(&self, wanted: &Version) -> Finding {
        let patches: Vec<Version> = self.releases().flat_map(|(pin, _)| self.installable(pin)).collect();
        let lines = self.releases().map(|(pin, line)| format!("Kubespray {} takes {}", pin.tag, line.kubernetes.range));
        let finding = Finding::error(
            code::KUBERNETES_VERSION_NOT_IN_KUBESPRAY,
            "kubernetes.version",
            format!("no known Kubespray release installs Kubernetes {wanted}"),
        );
        lines
            .fold(finding, Finding::evidence)
            .fix(format!("set kubernetes.version to {}, the nearest that one installs", near_text(wanted, &patches)))
    }
}

/// An engine that installs Kubernetes must be told which.
#[must_use]
pub fn no_version() -> Finding {
    let finding =
        Finding::error(code::SITE_MISSING_KEY, "kubernetes.version", "which Kubernetes is wanted is not said");
    finding.fix("add `version:` under `kubernetes`, such as `v1.31.9`")
}
