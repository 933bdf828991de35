//! Running: an approved plan through the executor, under the lock, into the journal.

use super::{Approved, Operation, Planned};
use crate::failure::bug;
use crate::goal::Goal;
use crate::notify::{Notifier, Told};
use crate::state::{ProgressFile, refused};
use crate::world::Crash;
use plinth_model::run::Who;
use plinth_model::steps::Removal;
use plinth_model::{NodeName, Problem, Severity};
use plinth_plan::Cluster;
use plinth_run::executor::Sink;
use plinth_run::steps::Kinds;
use plinth_run::{CrashAfter, Remembered, RunOptions, RunReport, RunWorld, StopSignal};
use plinth_world::secrets::Secrets;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

/// `00-TRACE-PARENT-FLAGS` in lower-case hexadecimal digits, neither id all zero.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else { return false };
    let is_null = |part: &str| part.bytes().all(|byte| byte == b'0');
    hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && !is_null(trace) && !is_null(parent)
}

/// Workers; whoever else fails counts in a majority.
fn optional(cluster: &Cluster) -> BTreeSet<NodeName> {
    cluster.members.iter().filter(|member| !member.is_quorum()).map(|member| member.name.clone()).collect()
}

impl Operation<'_> {
    /// The run is a part of this trace, which somebody else began (W3C Trace Context). What has not that form is left out.
    pub fn traced_by(&mut self, traceparent: Option<String>) {
        self.traceparent = traceparent.filter(|text| is_traceparent(text));
    }

    /// The verb that runs it. One small thing has the site for its goal too, and a command of its own.
    pub(super) fn verb<'a>(&self, small: Option<&'a str>) -> &'a str {
        if let Some(verb) = small.and_then(|command| command.split_whitespace().next()) {
            return verb;
        }
        match (&self.goal, self.world.is_rehearsal()) {
            (Goal::Site, true) => "rehearse",
            (Goal::Site, false) => "apply",
            (Goal::MirrorList, _) => "render",
            (Goal::Removal(Removal::All | Removal::Unprovisioned), _) => "reset",
            (Goal::Removal(_), _) => "remove",
            (Goal::Recovery(_), _) => "recover",
            (Goal::Checks(_), _) => "check",
        }
    }

    /// Tells others about the run, as the site file wants it. A rehearsal reads no secrets of the site but these.
    fn notifier(&self) -> Option<Notifier> {
        let (folder, directory) = (self.input.site.folder().to_path_buf(), self.directory.clone());
        let secrets: Arc<dyn Secrets> = match (self.world.is_rehearsal(), self.tells_rehearsal) {
            (true, false) => return None,
            (true, true) => Arc::new(self.input.secrets(&directory)),
            (false, _) => self.world.secrets()?,
        };
        let (webhooks, is_kept) = (self.desired.notify.clone(), self.world.is_kept());
        Notifier::begin(Told { directory, is_kept, folder, webhooks, secrets })
    }

    /// Runs the plan to its end, or as far as it goes. May be called for several plans; the lock is kept in between.
    ///
    /// # Errors
    /// When the lock was not taken or was lost, or the journal cannot be written. A failed step is no error: the report tells it.
    pub async fn run(&mut self, approved: &mut Approved, sink: Sink, stop: StopSignal) -> Result<RunReport, Problem> {
        let behaviour = Arc::new(Remembered::new(Arc::new(Kinds), approved.take_done()));
        let world = RunWorld { env: self.env()?.sharing_nodes(), behaviour };
        let Planned { plan, cluster, checks, small, .. } = approved.planned();
        let (verb, traceparent) = (self.verb(small.as_deref()).to_owned(), self.traceparent.clone());
        let notifier = self.notifier();
        refused::forget(&self.directory);
        let lock = self.lock.as_mut().ok_or_else(|| bug("running a plan", "the site's lock was not taken"))?;
        let lock = lock.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (run, took_over) = lock.next_run()?;
        let control_plane: Vec<NodeName> = cluster.control_plane().map(|member| member.name.clone()).collect();
        let options = RunOptions {
            verb,
            who: Some(Who { user: lock.owner.user.clone(), host: lock.owner.host.clone(), process: lock.owner.pid }),
            traceparent,
            small: small.clone(),
            rehearsal: self.world.is_rehearsal(),
            kept: self.world.is_kept(),
            parallel: self.desired.run.parallel,
            node_failures: self.desired.run.node_failures,
            control_plane,
            optional: optional(cluster),
            took_over,
            warnings: checks.iter().filter(|finding| finding.severity == Severity::Warning).count(),
            ..RunOptions::new(run, lock.owner.to_string())
        };
        let sink = notifier.as_ref().map_or_else(|| Arc::clone(&sink), |notifier| notifier.before(Arc::clone(&sink)));
        let progress = if options.kept { Some(ProgressFile::begin(&self.directory, &options.run)?) } else { None };
        let sink = progress.as_ref().map_or_else(|| Arc::clone(&sink), |progress| progress.before(Arc::clone(&sink)));
        let report = match self.world.crash() {
            None => {
                let work = plinth_run::run(plan, world, &mut lock.journal, sink, stop, options);
                self.world.drive(work, true).await
            }
            Some(Crash { records, how }) => {
                let mut crashing = CrashAfter::new(&mut lock.journal, records).calling(how);
                let work = plinth_run::run(plan, world, &mut crashing, sink, stop, options);
                self.world.drive(work, true).await
            }
        };
        drop(progress);
        if let Some(notifier) = notifier {
            self.untold.extend(notifier.end().await);
        }
        report
    }
}
