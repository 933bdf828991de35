//! The real client.

use crate::crds;
use crate::failure::CLIENT;
use crate::hooks;
use crate::kept::{LOGS, LOGS_KEPT};
use crate::local::{LocalHelm, absolute};
use crate::mark::{ABANDONED, ATTEMPT, Attempt};
use crate::objects::{Looked, PutRight};
use crate::package::of_package;
use crate::payload::Payload;
use crate::process::{self, Job};
use crate::program::Words;
use crate::records::{Way, compared_by_helm, way};
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::steps::{CrdPolicy, Release};
use plinth_model::{ObjectName, ReleaseName, Secret, SecretRef, Values};
use plinth_world::helm::{DEPLOYED, Drift, HelmClient, ReleaseRecord, ReleaseState, not_older, value_differences};
use plinth_world::program_log::{LOG_TIME, ProgramLog};
use plinth_world::secrets::SecretError;
use plinth_world::{Cause, ClientError, ClientResult, Context, deadlines};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Label by which a release remembers the package that it was made from: the beginning of the digest that the plan asked for (of the package, or of what names it in a registry), since
/// the value of a label has at most 63 characters.
const PACKAGE: &str = "plinth-package";
/// Digits of a digest in that label.
const DIGITS: usize = 32;

impl LocalHelm {
    fn secret(&self, reference: &SecretRef, doing: &str) -> ClientResult<Secret> {
        self.secrets.get(reference).map_err(|error| unavailable(&error, doing))
    }

    fn compare(
        &self,
        release: &Release,
        last: &ReleaseRecord,
        there: &Payload,
        doing: &str,
    ) -> ClientResult<Vec<String>> {
        let mut lines = Vec::new();
        if !release.version.takes(&there.version) {
            lines.push(format!("~ version {} → {}", there.version.bare(), release.version));
        }
        let noted = last.labels.iter().find(|(key, _)| key == PACKAGE);
        if let (Some((_, noted)), Some(wanted)) = (noted, package_label(release))
            && *noted != wanted
        {
            lines.push(format!("~ package {noted} → {wanted}"));
        }
        if last.status != DEPLOYED {
            lines.push(format!("~ status {} → {DEPLOYED}", last.status));
        }
        let lookup = &mut |reference: &SecretRef| self.secret(reference, doing);
        let values = value_differences(&there.values, &self.known(release, doing)?, lookup)?;
        lines.extend(values.iter().map(|line| self.secrets.redact(line)));
        Ok(lines)
    }

    /// The values without those whose secret was never learnt.
    fn known(&self, release: &Release, doing: &str) -> ClientResult<Values> {
        let is_kept = &mut |reference: &SecretRef| self.secrets.find(reference).map(|found| found.is_some());
        release.values.known(is_kept).map_err(|error| unavailable(&error, doing))
    }

    /// Whole values with their secrets, in a form that helm's YAML reader takes as it is.
    fn values(&self, release: &Release, doing: &str) -> ClientResult<Secret> {
        let lookup = &mut |reference: &SecretRef| self.secret(reference, doing);
        let json = self.known(release, doing)?.resolve(lookup).map_err(|unresolved| unresolved.error)?;
        Ok(for_yaml(&json))
    }

    /// Keeps what Jobs of an earlier attempt left before they are removed; answers where, for people.
    async fn keep_words(&self, ctx: &Context, release: &Release, jobs: &[String]) -> String {
        let name = format!("{}-{}-earlier.log", ctx.clock().now().strftime(LOG_TIME), release.release);
        let log = match ProgramLog::begin(&self.state.join(LOGS), &name, LOGS_KEPT) {
            Ok(log) => log,
            Err(error) => return format!("what it left could not be kept ({error})"),
        };
        let lines = hooks::left(ctx, &*self.cluster, &release.namespace, Some(jobs), &log, &self.secrets).await;
        match lines.last().filter(|line| line.starts_with("what hooks wrote could not be read")) {
            Some(why) => why.clone(),
            None => format!("what it left is in {}", log.path().display()),
        }
    }

    /// Removes Jobs of a failed attempt that spoil the next.
    async fn remove_stale_jobs(&self, ctx: &Context, release: &Release, doing: &str) -> ClientResult<Vec<String>> {
        let name = |job: &String| ObjectName {
            api_version: "batch/v1".to_owned(),
            kind: "Job".to_owned(),
            namespace: release.namespace.clone(),
            name: job.clone(),
        };
        let jobs: Vec<ObjectName> = release.stale_jobs.iter().map(name).collect();
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let left = self.cluster.present(ctx, &jobs).await?;
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<String> = left.iter().map(|job| job.name.clone()).collect();
        let kept = self.keep_words(ctx, release, &names).await;
        let said: Vec<String> =
            left.iter().map(|job| format!("{job} of an earlier attempt was removed; {kept}")).collect();
        ctx.progress(0, 0, said.join("; "));
        self.cluster.remove(ctx, &left).await?;
        let until = ctx.clock().elapsed() + deadlines::HELM_JOBS_GONE;
        while !self.cluster.present(ctx, &left).await?.is_empty() {
            if ctx.clock().elapsed() >= until {
                let happened = format!("{} of an earlier attempt was removed and is still there", left[0]);
                return Err(ClientError::new(CLIENT, doing)
                    .happened(happened)
                    .attempt("look at its `metadata.finalizers` and at its pods, then run again"));
            }
            ctx.clock().sleep(deadlines::HELM_POLL).await;
        }
        Ok(said)
    }

    /// Definitions of the package that nobody else changes; those that helm would remove are refused.
    async fn definitions(
        &self,
        ctx: &Context,
        release: &Release,
        package: &Path,
        there: Option<&Payload>,
        doing: &str,
    ) -> ClientResult<Vec<Value>> {
        let all = of_package(release, package, doing)?;
        let moved = match there {
            Some(there) if !all.is_empty() => {
                crds::moved(ctx, &*self.cluster, &name_of(release), &there.manifest, &all, doing).await?
            }
            _ => Vec::new(),
        };
        Ok(if release.crds == CrdPolicy::Apply { all } else { moved })
    }

    async fn install(&self, ctx: &Context, release: &Release, doing: &str) -> ClientResult<Vec<String>> {
        let name = name_of(release);
        self.lists.wrote();
        let limit = Duration::from_secs(u64::from(release.timeout_s));
        let records = self.records(ctx, &name).await?;
        self.must_be_free(ctx, &name, &records, limit, doing)?;
        // What may refuse it comes before anything is changed.
        let program = self.program.program(ctx).await?;
        let values = self.values(release, doing)?;
        let package = self.packages.package(ctx, release).await?;
        // A package may have taken minutes: what is there is looked at again, right before it is changed.
        let records = self.records(ctx, &name).await?;
        self.must_be_free(ctx, &name, &records, limit, doing)?;
        let there = self.written(ctx, &name, compared_by_helm(&records), doing).await?;
        if let Some(there) = &there {
            not_older(release, &there.version, &package.version)?;
        }
        let package = absolute(&package.file);
        let wanted = self.definitions(ctx, release, &package, there.as_ref(), doing).await?;
        let mut said = self.repair(ctx, &name, &records, limit).await?;
        let records = if said.is_empty() { records } else { self.records(ctx, &name).await? };
        if !wanted.is_empty() {
            ctx.progress(0, 0, format!("custom resource definitions of {}", release.release));
            crds::apply(ctx, &*self.cluster, &wanted, doing).await?;
        }
        said.extend(self.remove_stale_jobs(ctx, release, doing).await?);
        let attempt = Attempt::to_upgrade(records.last().map_or(1, |last| last.revision + 1), ctx.clock().now());
        let way = way(&records);
        let labels = labels(release, records.last().filter(|_| way == Way::Upgrade), &attempt);
        let job = Job {
            program: &program,
            release: &name,
            words: Words::install(program.major, way, &name, &package, labels, &self.kubeconfig, limit),
            input: Some(values),
            limit: limit + deadlines::HELM_MARGIN,
            state: &self.state,
            title: match way {
                Way::Upgrade => "helm upgrade --install",
                Way::Anew => "helm install",
            },
            doing,
            attempt,
        };
        let ran = process::run(ctx, job, &*self.cluster, &self.secrets).await;
        self.lists.wrote();
        ran.map(|()| said)
    }

    /// What helm keeps of a release that is deployed, and when it wrote that down.
    async fn deployed(
        &self,
        ctx: &Context,
        name: &ReleaseName,
        doing: &str,
    ) -> ClientResult<Option<(Payload, Option<Timestamp>)>> {
        let records = self.records(ctx, name).await?;
        let Some(last) = records.last().filter(|last| last.status == DEPLOYED) else { return Ok(None) };
        if let Some(there) = self.take_read(name, last) {
            return Ok(Some((there, last.settled)));
        }
        Ok(self.written(ctx, name, Some(last), doing).await?.map(|there| (there, last.settled)))
    }

    /// Puts objects right where nothing else is otherwise. What is gone with its kind only the chart brings back.
    async fn put_right_or_install(&self, ctx: &Context, release: &Release, doing: &str) -> ClientResult<Vec<String>> {
        let name = name_of(release);
        let Some((there, settled)) = self.deployed(ctx, &name, doing).await? else { return Ok(Vec::new()) };
        match self.put_objects_right(ctx, &Looked { name, there: &there, settled, doing }).await? {
            PutRight::Done(said) => Ok(said),
            PutRight::NeedsChart => self.install(ctx, release, doing).await,
        }
    }
}

fn unavailable(error: &SecretError, doing: &str) -> ClientError {
    ClientError::new(CLIENT, doing)
        .happened(error.to_string())
        .attempt("make the secret available, then run again")
        .because(Cause::Input)
}

#[async_trait]
impl HelmClient for LocalHelm {
    async fn release(&self, ctx: &Context, namespace: &str, name: &str) -> ClientResult<Option<ReleaseState>> {
        let name = ReleaseName { namespace: namespace.to_owned(), name: name.to_owned() };
        let doing = format!("looking at release {name}");
        let records = self.records(ctx, &name).await?;
        let there = self.written(ctx, &name, records.last(), &doing).await?;
        let state = there.zip(records.last()).map(|(there, last)| ReleaseState {
            version: there.version.without_v(),
            status: last.status.clone(),
            revision: last.revision,
            since: last.written,
            first_deployed: there.first_deployed,
        });
        Ok(state)
    }

    async fn differences(&self, ctx: &Context, release: &Release) -> ClientResult<Vec<String>> {
        let name = name_of(release);
        let doing = format!("comparing release {name}");
        let records = self.records(ctx, &name).await?;
        let there = self.written(ctx, &name, records.last(), &doing).await?;
        let Some((there, last)) = there.zip(records.last()) else {
            return Ok(vec![format!("+ release {name} {}", release.version)]);
        };
        let differences = self.compare(release, last, &there, &doing)?;
        if !differences.is_empty() {
            return Ok(differences);
        }
        let drift = self.file_drift(ctx, release, &there, &doing).await?;
        // Its objects are asked for next.
        self.keep_read(&name, last, there);
        Ok(drift)
    }

    async fn drift(&self, ctx: &Context, release: &Release) -> ClientResult<Drift> {
        let name = name_of(release);
        let doing = format!("looking at the objects of release {name}");
        self.lists.tidy(ctx);
        if release.of_objects {
            return Ok(Drift::default());
        }
        let Some((there, settled)) = self.deployed(ctx, &name, &doing).await? else { return Ok(Drift::default()) };
        self.changed_objects(ctx, &Looked { name, there: &there, settled, doing: &doing }).await
    }

    async fn upgrade(&self, ctx: &Context, release: &Release) -> ClientResult<Vec<String>> {
        let doing = format!("installing release {}", name_of(release));
        let differences = self.differences(ctx, release).await?;
        if differences.is_empty() && release.of_objects {
            return Ok(Vec::new());
        }
        if differences.is_empty() {
            return self.put_right_or_install(ctx, release, &doing).await;
        }
        if release.of_objects {
            let records = self.records(ctx, &name_of(release)).await?;
            let there = self.written(ctx, &name_of(release), records.last(), &doing).await?;
            if let Some((there, last)) = there.zip(records.last())
                && self.compare(release, last, &there, &doing)?.is_empty()
            {
                return self.put_right(ctx, release, &there, &differences, &doing).await;
            }
        }
        self.refused_twice(ctx, || self.install(ctx, release, &doing)).await
    }

    async fn history(&self, ctx: &Context, release: &ReleaseName) -> ClientResult<Vec<ReleaseState>> {
        self.remembered(ctx, release).await
    }

    async fn differences_to_revision(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        revision: u32,
    ) -> ClientResult<Vec<String>> {
        self.unlike(ctx, release, revision).await
    }

    async fn rollback(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        revision: u32,
        limit: Duration,
    ) -> ClientResult<Vec<String>> {
        self.refused_twice(ctx, || self.go_back(ctx, release, revision, limit)).await
    }

    async fn uninstall(&self, ctx: &Context, release: &ReleaseName, limit: Duration) -> ClientResult<()> {
        self.refused_twice(ctx, || self.taken_away(ctx, release, limit)).await
    }
}

fn name_of(release: &Release) -> ReleaseName {
    ReleaseName { namespace: release.namespace.clone(), name: release.release.clone() }
}

fn package_label(release: &Release) -> Option<String> {
    let digest = release.digest.as_deref().or(release.manifest_digest.as_deref())?;
    Some(digest.chars().filter(char::is_ascii_alphanumeric).take(DIGITS).collect())
}

/// helm keeps labels from one revision to the next; `null` takes one away.
fn labels(release: &Release, last: Option<&ReleaseRecord>, attempt: &Attempt) -> Option<String> {
    let had = |key: &str| last.is_some_and(|last| last.labels.iter().any(|(noted, _)| noted == key));
    let wanted = [(PACKAGE, package_label(release)), (ATTEMPT, attempt.id.clone()), (ABANDONED, None)];
    let label = |(key, value): (&str, Option<String>)| {
        let value = value.or_else(|| had(key).then(|| "null".to_owned()))?;
        Some(format!("{key}={value}"))
    };
    let labels: Vec<String> = wanted.into_iter().filter_map(label).collect();
    (!labels.is_empty()).then(|| labels.join(","))
}

/// JSON is YAML, but for some characters that YAML's readers refuse, or take for a line break and fold: those are written out. They
/// stand in texts only. (YAML 1.2, 5.1 and 7.3.1; the reader of helm knows `\uXXXX` and no pairs of them.)
pub(super) fn for_yaml(json: &Secret) -> Secret {
    let mut text = String::with_capacity(json.expose().len());
    for c in json.expose().chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    Secret::new(text)
}
