//! One chosen component becomes a release, with complete values and what is doubtful about them.

use crate::choice::{Chosen, ChosenVersion};
use crate::component::{Component, Namespace, ObjectsFile, PinnedVersion, Variant, VariantFinding};
use crate::expression::{Condition, ExpressionError, VALUES, all_hold, render, render_all};
use crate::known_bad::{KnownBadHit, KnownBadVerdict};
use crate::merge::{merge, remove};
use crate::site_path::path;
use crate::versions::{RUNAI, rule_name, titled};
use crate::{Catalog, Facts, ResolvedComponent, ResolvedSecret, ResolvedStage, objects};
use plinth_model::finding::code;
use plinth_model::steps::{Carrier, PodSecurity, RegistryLogin, Release, UpgradePath};
use plinth_model::{ChartVersion, Finding, SecretRef, Severity, Values, Version};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// One component, with everything its expressions may speak of.
pub(crate) struct Rendering<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) chosen: &'a Chosen<'a>,
    pub(crate) version: &'a ChosenVersion<'a>,
    pub(crate) facts: &'a Facts,
    pub(crate) findings: &'a mut Vec<Finding>,
}

impl<'a> Rendering<'a> {
    /// The component, without its needs.
    pub(crate) fn component(&mut self) -> Result<ResolvedComponent, ExpressionError> {
        let component = self.chosen.component;
        let variants = self.variants()?;
        let values = self.values(&variants)?;
        let known = self.with_values(&values)?;
        self.conditional_findings(&known)?;
        let (secrets, values) = self.secrets(values, &known)?;
        let selector = self.version.selector();
        let (images, unlisted_images) = self.images(&variants)?;
        Ok(ResolvedComponent {
            name: component.name.clone(),
            title: component.title.clone(),
            stage: component.stage,
            part: component.part,
            reason: format!("{}; {selector}: {}", self.chosen.why, self.version.why),
            namespace: self.chosen.namespace.clone(),
            pod_security: level(&component.namespace, &known)?,
            secrets,
            objects: render_all(component.objects.iter().chain(of(&variants, |v| &v.objects)), &known)?,
            namespaces: further(component, &known)?,
            objects_health: wanted(
                "health",
                component.objects_health.iter().chain(of(&variants, |v| &v.objects_health)),
                &known,
            )?,
            stages: stages(&variants, &known)?,
            checks: wanted("checks", component.checks.iter().chain(of(&variants, |v| &v.checks)), &known)?,
            needs: Vec::new(),
            images,
            unlisted_images,
            idle_images: self.idle_images(&known)?,
            release: self.release(values, selector, &variants, &known)?,
        })
    }

    /// The facts, with the complete values and the names that these decide.
    fn with_values(&self, values: &Values) -> Result<Facts, ExpressionError> {
        let mut known = self.facts.clone();
        known.insert(VALUES.to_owned(), Value::clone(values));
        for (name, text) in &self.chosen.component.names {
            let text = render(text, &known)?;
            known.insert(format!("self.name.{name}"), text);
        }
        Ok(known)
    }

    fn conditional_findings(&mut self, known: &Facts) -> Result<(), ExpressionError> {
        for one in &self.chosen.component.findings {
            if all_hold(&one.when, known)? {
                self.findings.push(said(&one.finding));
            }
        }
        Ok(())
    }

    /// What is known to be pulled: of the version, and of the variants where anything is known of the version. Beside it what is not known.
    fn images(&self, variants: &[&Variant]) -> Result<(Vec<String>, Option<String>), ExpressionError> {
        let component = self.chosen.component;
        let (own, unlisted) = match self.version.pin {
            Some(pin) if component.chart.versions.first().is_some_and(|first| first.version == pin.version) => {
                (component.images.as_ref(), component.unlisted_images.clone())
            }
            Some(pin) => (pin.images.as_ref(), pin.unlisted_images.clone()),
            None => (None, None),
        };
        let Some(own) = own else { return Ok((Vec::new(), Some("all that the chart names".to_owned()))) };
        let named = own.iter().chain(of(variants, |variant| &variant.images));
        let images: Result<Vec<String>, _> = named.map(|image| self.text(image, "an image")).collect();
        Ok((images?, unlisted))
    }

    fn idle_images(&self, known: &Facts) -> Result<Vec<String>, ExpressionError> {
        let mut images = Vec::new();
        for idle in &self.chosen.component.idle_images {
            if all_hold(&idle.when, known)? {
                images.extend(idle.images.iter().cloned());
            }
        }
        Ok(images)
    }

    fn release(
        &mut self,
        values: Values,
        version: ChartVersion,
        variants: &[&Variant],
        known: &Facts,
    ) -> Result<Release, ExpressionError> {
        let component = self.chosen.component;
        let (chart, repository) = self.chart()?;
        let digest = objects::digest(self.chosen, self.version, self.findings);
        let timeouts = variants.iter().filter_map(|variant| variant.timeout_s);
        Ok(Release {
            component: component.name.clone(),
            release: component.release.clone(),
            namespace: self.chosen.namespace.clone(),
            chart,
            repository,
            login: self.login()?,
            version,
            of_objects: component.chart.objects.is_some(),
            digest,
            manifest_digest: self.version.pin.and_then(|pin| pin.manifest_digest.clone()),
            values,
            crds: component.crds,
            timeout_s: timeouts.fold(component.timeout_s, u32::max),
            health: wanted("health", component.health.iter().chain(of(variants, |v| &v.health)), known)?,
            stale_jobs: component.stale_jobs.clone(),
            remove_first: component.remove_first.clone(),
            upgrades_from: self.upgrades_from(),
            meaning_of: None,
            named_by_site: self.version.is_named(),
            upgrade_path: self.upgrade_path().map(Box::new),
        })
    }

    /// The oldest version of Run:ai that may be upgraded to the chosen one; nothing is known of other components.
    fn upgrades_from(&self) -> Option<Version> {
        self.chosen.component.part?;
        self.catalog.compatibility().upgrades_from(&self.version.version)
    }

    /// What moves by one minor at a time, with the lines that this release and the listed ones carry.
    fn upgrade_path(&self) -> Option<UpgradePath> {
        let component = self.chosen.component;
        let path = component.upgrade_path.as_ref()?;
        let data = self.catalog.compatibility();
        let carried = |version: &Version| data.carried(component.compatibility.as_deref()?, version, &path.part);
        let other =
            |pin: &PinnedVersion| Some(Carrier { version: pin.version.clone(), carried: carried(&pin.version)? });
        let mut others: Vec<Carrier> = component.chart.versions.iter().filter_map(other).collect();
        others.sort_by(|one, other| one.version.cmp(&other.version));
        Some(UpgradePath {
            object: path.object.clone(),
            title: titled(&path.part),
            rule: rule_name(RUNAI, &path.part),
            wanted: component.parts(&self.version.version).get(&path.part)?.clone(),
            carried: carried(&self.version.version)?,
            others,
        })
    }

    /// Chart and repository. In a registry of images the two are one address.
    fn chart(&self) -> Result<(String, String), ExpressionError> {
        let chart = &self.chosen.component.chart;
        if let Some(file) = &chart.objects {
            let address = file.address.as_deref().map(|text| ObjectsFile::of_version(text, &self.version.version));
            return Ok((chart.name.clone(), address.unwrap_or_default()));
        }
        let repository = match &chart.repository {
            None => String::new(),
            Some(address) => self.text(address, "a repository's address")?,
        };
        Ok(match repository.starts_with("oci://") {
            true => (format!("{}/{}", repository.trim_end_matches('/'), chart.name), String::new()),
            false => (chart.name.clone(), repository),
        })
    }

    fn text(&self, value: &Value, what: &str) -> Result<String, ExpressionError> {
        match render(value, self.facts)? {
            Value::String(text) => Ok(text),
            other => Err(ExpressionError::Form(other.to_string(), format!("{what} is a text"))),
        }
    }

    fn login(&mut self) -> Result<Option<RegistryLogin>, ExpressionError> {
        let Some(login) = &self.chosen.component.chart.login else { return Ok(None) };
        if !all_hold(&login.when, self.facts)? {
            return Ok(None);
        }
        let registry = self.text(&login.registry, "the address of a login")?;
        let username = self.text(&login.username, "a user")?;
        let password = render(&login.password, self.facts)?;
        let reference = Values::as_reference(&password);
        if reference.is_none() {
            let message = format!(
                "the chart repository of {} wants a login, but there is no token for it",
                self.chosen.component.name
            );
            let finding =
                Finding::error(code::PLATFORM_REPOSITORY_WITHOUT_LOGIN, path(&self.chosen.component.name), message);
            self.findings.push(
                finding
                    .evidence(format!("repository login: {registry}"))
                    .fix("give runai.registry.token as a reference"),
            );
        }
        Ok(reference.map(|password| RegistryLogin { registry, username, password }))
    }

    /// Secrets, and the values without what only these hold.
    fn secrets(&self, values: Values, known: &Facts) -> Result<(Vec<ResolvedSecret>, Values), ExpressionError> {
        let mut secrets = Vec::new();
        let mut left = Value::clone(&values);
        for secret in &self.chosen.component.secrets {
            if all_hold(&secret.when, known)? {
                let content = in_parameters(render(&secret.content, known)?)?;
                secret.takes.iter().for_each(|path| remove(&mut left, path));
                secrets.push(ResolvedSecret {
                    namespace: secret.namespace.clone().unwrap_or_else(|| self.chosen.namespace.clone()),
                    name: secret.name.clone(),
                    reason: self.text(&secret.reason, "a reason")?,
                    content: serde_json::from_value(content)
                        .map_err(|error| ExpressionError::Form(secret.name.clone(), error.to_string()))?,
                    labels: secret.labels.clone(),
                });
            }
        }
        let left = Values::new(left).map_err(|error| ExpressionError::Form("values".to_owned(), error.to_string()))?;
        Ok((secrets, left))
    }

    /// Variants whose conditions hold; their findings are passed on.
    fn variants(&mut self) -> Result<Vec<&'a Variant>, ExpressionError> {
        let mut variants = Vec::new();
        for variant in &self.chosen.component.variants {
            if all_hold(&variant.when, self.facts)? {
                self.findings.extend(variant.finding.as_ref().map(said));
                variants.push(variant);
            }
        }
        Ok(variants)
    }

    fn values(&mut self, variants: &[&Variant]) -> Result<Values, ExpressionError> {
        let component = self.chosen.component;
        let mut values = Value::Object(Map::new());
        for layer in
            std::iter::once(&component.values).chain(variants.iter().filter_map(|variant| variant.values.as_ref()))
        {
            if !layer.is_null() {
                merge(&mut values, &render(layer, self.facts)?);
            }
        }
        match self.chosen.user_values {
            Some(given) if !given.is_object() => {
                let subject = format!("{}.values", path(&component.name));
                self.findings.push(
                    Finding::error(code::PLATFORM_VALUES_NOT_A_MAP, subject, "helm values are a map")
                        .fix("write `key: value` lines"),
                );
            }
            Some(given)
                if component.chart.objects.is_some() && given.as_object().is_some_and(|map| !map.is_empty()) =>
            {
                self.findings.push(objects::no_values(component));
            }
            Some(given) => {
                merge(&mut values, given);
                self.judge(component, given, &values)?;
            }
            None => {}
        }
        Values::new(values).map_err(|error| ExpressionError::Form("values".to_owned(), error.to_string()))
    }

    /// Finds wrong and unknown keys in the site's own values.
    fn judge(&mut self, component: &Component, given: &Value, merged: &Value) -> Result<(), ExpressionError> {
        let at = |key: &str| format!("{}.values.{key}", path(&component.name));
        let hits = self.catalog.known_bad.in_values(&component.name, given, merged, self.facts)?;
        let checked = component.chart.versions.first().is_none_or(|first| {
            self.version.pin.is_some_and(|pin| pin.version == first.version || !pin.when.is_empty())
        });
        self.findings.extend(hits.iter().map(|hit| refused(hit, at(hit.path), checked)));
        // By the version itself: what is known of its keys does not depend on whether it can be the default.
        let Some(index) = self.catalog.keys(&component.name, self.version.version.as_str()) else { return Ok(()) };
        let refused =
            |path: &String| hits.iter().any(|hit| hit.path == path || hit.path.starts_with(&format!("{path}.")));
        let doubts = index.doubts(&component.name, self.version.version.as_str(), given);
        self.findings.extend(doubts.into_iter().filter(|(path, _)| !refused(path)).map(|(_, finding)| finding));
        Ok(())
    }
}

/// One list of all variants, end to end.
fn of<'v, T: 'v>(
    variants: &'v [&'v Variant],
    list: impl Fn(&'v Variant) -> &'v Vec<T> + 'v,
) -> impl Iterator<Item = &'v T> + 'v {
    variants.iter().copied().flat_map(list)
}

fn said(finding: &VariantFinding) -> Finding {
    Finding::new(finding.severity, finding.code, &finding.subject, &finding.message).fix(&finding.fix)
}

/// The level that a namespace needs with these values.
fn level(namespace: &Namespace, known: &Facts) -> Result<PodSecurity, ExpressionError> {
    let mut level = namespace.pod_security;
    for raised in &namespace.raised {
        if all_hold(&raised.when, known)? {
            level = level.max(raised.pod_security);
        }
    }
    Ok(level)
}

fn further(component: &Component, known: &Facts) -> Result<Vec<(String, PodSecurity)>, ExpressionError> {
    component.namespaces.iter().map(|namespace| Ok((namespace.name.clone(), level(namespace, known)?))).collect()
}

/// Rules, or checks, whose `when` holds, or that have none.
fn wanted<'v, T: DeserializeOwned>(
    what: &str,
    rules: impl Iterator<Item = &'v Value>,
    known: &Facts,
) -> Result<Vec<T>, ExpressionError> {
    let wrong = |error: serde_json::Error| ExpressionError::Form(what.to_owned(), error.to_string());
    let mut wanted = Vec::new();
    for rule in rules {
        let mut rule = rule.clone();
        let when = rule.as_object_mut().and_then(|rule| rule.shift_remove("when"));
        let when: Vec<Condition> = when.map_or_else(|| Ok(Vec::new()), serde_json::from_value).map_err(wrong)?;
        if all_hold(&when, known)? {
            wanted.push(rule);
        }
    }
    let rendered = render_all(&wanted, known)?.into_iter();
    rendered.map(|rule| serde_json::from_value(rule).map_err(wrong)).collect()
}

/// Those of the variants that apply, without what is empty.
fn stages(variants: &[&Variant], known: &Facts) -> Result<Vec<ResolvedStage>, ExpressionError> {
    let mut made = Vec::new();
    for stage in variants.iter().flat_map(|variant| &variant.stages) {
        let objects = render_all(&stage.objects, known)?;
        if !objects.is_empty() {
            made.push(ResolvedStage {
                name: stage.name.clone(),
                objects,
                health: wanted("health", stage.objects_health.iter(), known)?,
            });
        }
    }
    Ok(made)
}

/// References as parameters of steps have them: without the key that marks them inside values.
fn in_parameters(json: Value) -> Result<Value, ExpressionError> {
    let bare = |reference: &SecretRef| serde_json::to_value(reference).unwrap_or_default();
    let values = Values::new(json).map_err(|error| ExpressionError::Form("content".to_owned(), error.to_string()))?;
    Ok(values.replaced(&mut |reference| bare(reference)))
}

/// A key without effect is an error in the version it was tried with, and a doubt in others.
fn refused(hit: &KnownBadHit<'_>, subject: String, checked: bool) -> Finding {
    let (severity, what) = match hit.entry.verdict {
        KnownBadVerdict::Dead if checked => (Severity::Error, "has no effect"),
        KnownBadVerdict::Dead => (Severity::Warning, "has no effect in the version that was tried"),
        KnownBadVerdict::Contradictory => (Severity::Error, "contradicts another setting"),
        KnownBadVerdict::Wrong | KnownBadVerdict::Practice => (Severity::Warning, "does not do what it seems to"),
        KnownBadVerdict::Undocumented => (Severity::Warning, "is in no public document"),
    };
    let message = format!("`{}` {what}: {}", hit.path, hit.entry.why);
    Finding::new(severity, code::PLATFORM_REFUSED_VALUE, subject, message)
        .fix(format!("instead: {}", hit.entry.instead))
}
