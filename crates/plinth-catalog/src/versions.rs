//! The compatibility resolver: does everything go together, by which document, and what would.

use crate::compatibility::{Confidence, Requirement, line, line_versions};
use crate::component::Component;
use crate::near::near_text;
use crate::range::closest;
use crate::{Catalog, Resolution, ResolvedComponent};
use plinth_model::finding::code;
use plinth_model::nearest::nearest;
use plinth_model::steps::ClusterCredential;
use plinth_model::{Finding, Severity, Version};
use plinth_site::Desired;
use plinth_site::desired::{ArtifactSource, Engine, Runai};
use std::collections::BTreeSet;

/// A version that the site has, under its name in the compatibility data.
struct Part {
    key: String,
    title: String,
    version: Version,
    /// Where it is set in the site file; none: the catalog or Kubespray set it.
    path: Option<String>,
}

/// Something that wants things of others.
struct Owner<'a> {
    /// First half of rule names.
    name: &'a str,
    title: String,
    version: &'a Version,
    path: Option<String>,
    requirements: Vec<(&'static str, &'a Requirement)>,
}

/// What is being compared, and what came out so far.
struct Comparison<'a> {
    catalog: &'a Catalog,
    desired: &'a Desired,
    parts: Vec<Part>,
    findings: Vec<Finding>,
    unstated: Vec<String>,
}

impl Catalog {
    /// Compares all versions of a site with the compatibility data. High confidence refuses, unless the rule's name is in
    /// `platform.acceptIncompatible`; medium warns; low informs; what the sources do not say is one piece of information.
    #[must_use]
    pub fn check_versions(&self, desired: &Desired, resolution: &Resolution) -> Vec<Finding> {
        let versions = self.versions(desired, resolution);
        let mut comparison = Comparison {
            catalog: self,
            desired,
            parts: Vec::new(),
            findings: self.unknown_rules(&desired.platform.accept),
            unstated: Vec::new(),
        };
        comparison.collect(&versions);
        for owner in comparison.owners(&versions) {
            comparison.compare(&owner);
        }
        if let Some(runai) = &desired.runai {
            comparison.runai(runai, &versions);
        }
        comparison.finish()
    }

    /// A misspelt rule would accept nothing, and nobody would know.
    fn unknown_rules(&self, accept: &[String]) -> Vec<Finding> {
        let rules = self.rules();
        let unknown = |(place, rule): (usize, &String)| {
            let finding = Finding::warning(
                code::PLATFORM_UNKNOWN_RULE,
                format!("platform.acceptIncompatible[{place}]"),
                format!("there is no rule `{rule}`"),
            );
            finding.fix(match nearest(rule, rules.iter().map(String::as_str)) {
                Some(meant) => format!("write `{meant}`"),
                None => "remove it".to_owned(),
            })
        };
        accept.iter().enumerate().filter(|(_, rule)| !rules.contains(*rule)).map(unknown).collect()
    }

    /// Names of all rules that can be accepted.
    fn rules(&self) -> BTreeSet<String> {
        let mut rules: BTreeSet<String> = self.components.values().flat_map(rules_of_needs).collect();
        let mut add = |owner: &str, rows: Vec<(&str, &Requirement)>| {
            rules.insert(format!("{owner}.known"));
            rules.extend(rows.iter().map(|(key, _)| rule_name(owner, key)));
        };
        self.compatibility.runai.values().for_each(|row| add(RUNAI, row.requirements()));
        for component in self.components.values() {
            let table = component.compatibility.as_deref().and_then(|table| self.compatibility.table(table));
            table.into_iter().flat_map(|table| table.values()).for_each(|row| add(&component.name, row.requirements()));
        }
        let parts = self.components.values().flat_map(|c| &c.chart.versions).flat_map(|pin| pin.parts.keys());
        for (part, table) in parts.filter_map(|part| Some((part, self.compatibility.table(part)?))) {
            table.values().for_each(|row| add(part, row.requirements()));
        }
        rules.insert(SOURCE_RULE.to_owned());
        rules
    }

    /// Components with compatibility data, with their versions as numbers.
    fn versions<'a>(&'a self, desired: &Desired, resolution: &'a Resolution) -> Vec<Installed<'a>> {
        let installed = |resolved: &'a ResolvedComponent| {
            let component = self.components.get(&resolved.name)?;
            let version = resolved.release.version.version().clone();
            let set = desired.platform.components.get(&resolved.name).is_some_and(|choice| choice.version.is_some());
            let path = set.then(|| format!("platform.components.{}.version", resolved.name));
            let parts = component.parts(&version).into_iter().collect();
            Some(Installed { resolved, table: component.compatibility.as_deref()?, version, path, parts })
        };
        resolution.components.iter().filter_map(installed).collect()
    }
}

/// A component that the compatibility data knows.
struct Installed<'a> {
    resolved: &'a ResolvedComponent,
    table: &'a str,
    version: Version,
    path: Option<String>,
    parts: Vec<(String, Version)>,
}

pub(crate) const RUNAI: &str = "runai";
const SOURCE_RULE: &str = "runai.source";
/// What plinth can sign a cluster in with.
const CREDENTIALS: [ClusterCredential; 2] = [ClusterCredential::ClientSecret, ClusterCredential::BootstrapToken];

/// What a site lists in `platform.acceptIncompatible`.
pub(crate) fn rule_name(owner: &str, key: &str) -> String {
    format!("{owner}.{key}").replace('_', "-")
}

fn rules_of_needs(component: &Component) -> impl Iterator<Item = String> {
    component
        .needs
        .iter()
        .filter(|need| need.required)
        .map(|need| format!("{}.needs.{}", component.name, need.component))
}

impl<'a> Comparison<'a> {
    fn collect(&mut self, versions: &[Installed<'a>]) {
        let kubernetes = &self.desired.kubernetes;
        if let Some(version) = &kubernetes.version {
            self.add("kubernetes", "Kubernetes", version.clone(), Some("kubernetes.version".to_owned()));
        }
        if kubernetes.engine == Engine::Kubespray {
            match self.catalog.kubespray_line(self.desired) {
                Ok(((_, line), _)) => {
                    let path = kubernetes.kubespray.as_ref().map_or("kubernetes.version", |_| "kubernetes.kubespray");
                    self.add("containerd", "containerd", line.containerd.installs.clone(), Some(path.to_owned()));
                }
                Err(finding) => self.findings.push(*finding),
            }
        }
        for installed in versions.iter().filter(|installed| installed.table != RUNAI) {
            self.add(installed.table, &installed.resolved.title, installed.version.clone(), installed.path.clone());
            for (name, version) in &installed.parts {
                self.add(name, &titled(name), version.clone(), installed.path.clone());
            }
        }
    }

    fn add(&mut self, key: &str, title: &str, version: Version, path: Option<String>) {
        self.parts.push(Part { key: key.to_owned(), title: title.to_owned(), version, path });
    }

    /// Everything that wants something; a version without a line becomes a finding.
    fn owners<'v>(&mut self, versions: &'v [Installed<'a>]) -> Vec<Owner<'v>>
    where
        'a: 'v,
    {
        let mut owners = Vec::new();
        let data = &self.catalog.compatibility;
        if let Some(runai) = &self.desired.runai {
            let path = Some("runai.version".to_owned());
            match line(&data.runai, &runai.version) {
                Some((_, row)) => owners.push(Owner {
                    name: RUNAI,
                    title: format!("Run:ai {}", runai.version),
                    version: &runai.version,
                    path,
                    requirements: row.requirements(),
                }),
                None => self.unknown(RUNAI, "Run:ai", &runai.version, path, &line_versions(&data.runai)),
            }
        }
        for installed in versions {
            let Some(table) = data.table(installed.table) else { continue };
            let (name, title, version) =
                (installed.resolved.name.as_str(), installed.resolved.title.as_str(), &installed.version);
            match line(table, version) {
                Some((_, row)) => owners.push(Owner {
                    name,
                    title: format!("{title} {version}"),
                    version,
                    path: installed.path.clone(),
                    requirements: row.requirements(),
                }),
                None => self.unknown(name, title, version, installed.path.clone(), &line_versions(table)),
            }
            owners.extend(self.parts_that_want(installed));
        }
        owners
    }

    /// Parts of a component that want something themselves.
    fn parts_that_want<'v>(&self, installed: &'v Installed<'a>) -> Vec<Owner<'v>>
    where
        'a: 'v,
    {
        let own = format!("platform.components.{}.version", installed.resolved.name);
        let owner = |(name, version): &'v (String, Version)| {
            let (_, row) = line(self.catalog.compatibility.table(name)?, version)?;
            Some(Owner {
                name,
                title: format!("{} {version}", titled(name)),
                version,
                path: Some(installed.path.clone().unwrap_or_else(|| own.clone())),
                requirements: row.requirements(),
            })
        };
        installed.parts.iter().filter_map(owner).collect()
    }

    fn unknown(&mut self, name: &str, title: &str, version: &Version, path: Option<String>, known: &[Version]) {
        let rule = format!("{name}.known");
        let lines = known.iter().map(Version::as_str).collect::<Vec<_>>().join(", ");
        let near = closest(version, known).map_or("another", Version::as_str);
        let subject = path.unwrap_or_else(|| format!("platform.components.{name}"));
        let finding = Finding::new(
            self.severity(Confidence::High, &rule),
            code::COMPATIBILITY_UNKNOWN_VERSION,
            &subject,
            format!("nothing is known about {title} {version}"),
        )
        .evidence(format!("known lines: {lines}"))
        .evidence(format!("rule {rule}"))
        .fix(format!("use {title} {near}, the nearest that is known, or add `{rule}` to platform.acceptIncompatible"));
        self.findings.push(finding);
    }

    fn compare(&mut self, owner: &Owner<'_>) {
        for (key, requirement) in &owner.requirements {
            let Some(part) = self.parts.iter().find(|part| part.key == *key) else { continue };
            match &requirement.range {
                Some(range) if range.contains(&part.version) => {}
                Some(_) => {
                    let finding = self.mismatch(owner, key, requirement, part);
                    self.findings.push(finding);
                }
                None => {
                    let good = requirement.known_good.contains(&part.version);
                    let known = if good { "known to work" } else { "not stated" };
                    let title = self.catalog.compatibility.title(&requirement.source);
                    self.unstated.push(format!("{} with {}: {known} ({title})", owner.title, named(part)));
                }
            }
        }
    }

    fn mismatch(&self, owner: &Owner<'_>, key: &str, requirement: &Requirement, part: &Part) -> Finding {
        let rule = rule_name(owner.name, key);
        let severity = self.severity(requirement.confidence, &rule);
        let range = requirement.range.as_ref().map(ToString::to_string).unwrap_or_default();
        let source = self.catalog.compatibility.title(&requirement.source);
        let confidence = confidence_text(requirement.confidence);
        let message = format!(
            "{} wants {} {range} ({source}, {confidence}); the site has {}",
            owner.title, part.title, part.version
        );
        let own = format!("platform.components.{}.version", owner.name);
        let subject = part.path.clone().or_else(|| owner.path.clone()).unwrap_or(own);
        let finding = Finding::new(severity, code::COMPATIBILITY_OUT_OF_RANGE, subject, message)
            .evidence(format!("rule {rule}, confidence {confidence}"));
        let finding = requirement.note.iter().fold(finding, |finding, note| finding.evidence(format!("note: {note}")));
        finding.fix(self.ways_out(owner, key, requirement, part, &rule, severity))
    }

    /// The nearest version of either side that fits, and the way to go on regardless.
    fn ways_out(
        &self,
        owner: &Owner<'_>,
        key: &str,
        requirement: &Requirement,
        part: &Part,
        rule: &str,
        severity: Severity,
    ) -> String {
        let mut ways = Vec::new();
        let candidates = self.candidates(key);
        let fitting =
            candidates.iter().filter(|version| requirement.range.as_ref().is_some_and(|range| range.contains(version)));
        let fitting: Vec<&Version> = fitting.collect();
        if !fitting.is_empty() {
            ways.push(format!("use {} {}, the nearest that fits", part.title, near_text(&part.version, fitting)));
        }
        let lines = self.lines_that_take(owner, key, &part.version);
        if let Some(near) = closest(owner.version, &lines) {
            ways.push(format!("use {} {near}, which takes {}", owner_title(owner), part.version));
        }
        if severity == Severity::Error {
            ways.push(format!("add `{rule}` to platform.acceptIncompatible"));
        }
        if ways.is_empty() { "no version that fits is known".to_owned() } else { ways.join(", or ") }
    }

    /// Versions that a part could have.
    fn candidates(&self, key: &str) -> Vec<Version> {
        let data = &self.catalog.compatibility;
        let pins = self.catalog.components.values().filter(|component| component.compatibility.as_deref() == Some(key));
        let mut versions: Vec<Version> =
            pins.flat_map(|component| component.chart.versions.iter().map(|pin| pin.version.clone())).collect();
        match key {
            "kubernetes" => {
                versions.extend(data.kubespray.values().flat_map(|line| line.kubernetes.newest_patches.iter().cloned()))
            }
            "containerd" => versions.extend(data.kubespray.values().map(|line| line.containerd.installs.clone())),
            _ => versions.extend(data.table(key).map(line_versions).unwrap_or_default()),
        }
        versions
    }

    /// Lines of the owner whose own requirement the part fulfils.
    fn lines_that_take(&self, owner: &Owner<'_>, key: &str, version: &Version) -> Vec<Version> {
        let data = &self.catalog.compatibility;
        let takes = |rows: Vec<(&'static str, &Requirement)>| {
            rows.iter()
                .any(|(name, row)| *name == key && row.range.as_ref().is_some_and(|range| range.contains(version)))
        };
        if owner.name == RUNAI {
            return data
                .runai
                .iter()
                .filter(|(_, row)| takes(row.requirements()))
                .filter_map(|(name, _)| name.parse().ok())
                .collect();
        }
        let of_component = self.catalog.components.get(owner.name);
        let table = of_component
            .and_then(|component| data.table(component.compatibility.as_deref()?))
            .or_else(|| data.table(owner.name));
        table
            .into_iter()
            .flatten()
            .filter(|(_, row)| takes(row.requirements()))
            .filter_map(|(name, _)| name.parse().ok())
            .collect()
    }

    fn severity(&self, confidence: Confidence, rule: &str) -> Severity {
        match confidence {
            Confidence::High if self.desired.platform.accept.iter().any(|accepted| accepted == rule) => {
                Severity::Warning
            }
            Confidence::High => Severity::Error,
            Confidence::Medium => Severity::Warning,
            Confidence::Low => Severity::Info,
        }
    }

    /// What holds for Run:ai besides version ranges.
    fn runai(&mut self, runai: &Runai, versions: &[Installed<'_>]) {
        let Some((name, row)) = line(&self.catalog.compatibility.runai, &runai.version) else { return };
        let source = source_name(runai.source);
        if !row.artifact_sources.iter().any(|known| known == source) {
            let message = format!("Run:ai {name} is not published at {source}");
            let fix = format!(
                "use one of: {}, or add `{SOURCE_RULE}` to platform.acceptIncompatible",
                row.artifact_sources.join(", ")
            );
            let severity = self.severity(Confidence::High, SOURCE_RULE);
            self.findings.push(Finding::new(severity, code::RUNAI_ARTIFACT_SOURCE, "runai.source", message).fix(fix));
        }
        let known = |credential: &str| CREDENTIALS.iter().any(|one| one.field() == credential);
        if !known(&row.cluster_secret) {
            let message = format!(
                "Run:ai {name} registers clusters with a {}, which this release of plinth cannot",
                row.cluster_secret
            );
            let lines = self.catalog.compatibility.runai.iter();
            let near = lines.filter(|(_, row)| known(&row.cluster_secret)).map(|(name, _)| name.as_str()).next_back();
            let fix = format!("use Run:ai {} or older", near.unwrap_or("3.0"));
            self.findings.push(Finding::error(code::RUNAI_CLUSTER_SECRET, "runai.version", message).fix(fix));
        }
        for installed in versions
            .iter()
            .filter(|installed| installed.table == RUNAI && installed.version.minor() != runai.version.minor())
        {
            let message = format!(
                "{} {} and Run:ai {} are of different minors",
                installed.resolved.title, installed.version, runai.version
            );
            let subject = installed.path.clone().unwrap_or_else(|| "runai.version".to_owned());
            let fix = "keep control plane and cluster on the same minor";
            self.findings.push(Finding::warning(code::RUNAI_SAME_MINOR, subject, message).fix(fix));
        }
    }

    fn finish(mut self) -> Vec<Finding> {
        if !self.unstated.is_empty() {
            let subject = if self.desired.runai.is_some() { "runai.version" } else { "platform.components" };
            let message = "for some pairs of versions the public documents give no range".to_owned();
            let finding = Finding::info(code::COMPATIBILITY_NOT_STATED, subject, message);
            self.findings.push(self.unstated.drain(..).fold(finding, Finding::evidence));
        }
        self.findings
    }
}

/// `knative_serving` as `Knative Serving`.
pub(crate) fn titled(key: &str) -> String {
    let capital =
        |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
    key.split('_').map(capital).collect::<Vec<_>>().join(" ")
}

fn named(part: &Part) -> String {
    format!("{} {}", part.title, part.version)
}

fn owner_title<'o>(owner: &'o Owner<'_>) -> &'o str {
    owner.title.rsplit_once(' ').map_or(owner.title.as_str(), |(title, _)| title)
}

fn confidence_text(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

fn source_name(source: ArtifactSource) -> &'static str {
    match source {
        ArtifactSource::Jfrog => "jfrog",
        ArtifactSource::Ngc => "ngc",
        ArtifactSource::Oss => "oss",
        ArtifactSource::Airgapped => "airgapped",
    }
}
