//! Clock and time service.

use super::{Case, Judged, Rule};
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::steps::Preparation;

pub(super) const RULES: &[Rule] = &[clock, no_time_service, not_synchronised];

/// Largest clock offset, milliseconds. Certificates and Keycloak's tokens have lives of minutes; NTP is a prerequisite of Run:ai
/// (NVIDIA Run:ai documentation, system requirements).
pub(super) const OFFSET_MAX_MS: u64 = 60_000;
/// etcd complains when the clocks of two members are a second apart (etcd, "the clock difference against peer is too high").
const OFFSET_NOTED_MS: u64 = 1_000;
/// Units of time services.
const UNITS: [&str; 6] = ["chrony", "chronyd", "ntpd", "ntp", "ntpsec", "systemd-timesyncd"];

fn clock(case: &Case<'_>) -> Option<Judged> {
    let offset = case.facts.clock_offset_ms;
    let message = format!(
        "its clock is {}.{} s {}",
        offset.unsigned_abs() / 1000,
        offset.unsigned_abs() % 1000 / 100,
        way(offset)
    );
    let finding = match offset.unsigned_abs() {
        off if off > OFFSET_MAX_MS => Finding::error(code::NODE_CLOCK_OFF, case.node, message),
        off if off > OFFSET_NOTED_MS => Finding::warning(code::NODE_CLOCK_DRIFTS, case.node, message),
        _ => return None,
    };
    let finding = finding.fix(
        "make NTP work on the node and on this machine; `chronyc makestep` or `timedatectl set-ntp true` sets the clock",
    );
    Some(started(case, finding))
}

const fn way(offset: i64) -> &'static str {
    if offset > 0 { "ahead of ours" } else { "behind ours" }
}

fn no_time_service(case: &Case<'_>) -> Option<Judged> {
    (case.facts.time_service.is_none() && !case.facts.services.is_empty()).then(|| {
        let finding = Finding::warning(code::NODE_NO_TIME_SERVICE, case.node, "no time service runs, and Run:ai wants NTP")
            .fix("`systemctl enable --now chrony` (chronyd on Red Hat and SUSE), after installing it and naming a time server");
        started(case, finding)
    })
}

fn not_synchronised(case: &Case<'_>) -> Option<Judged> {
    let service = case.facts.time_service.as_deref()?;
    (case.facts.time_synchronised == Some(false)).then(|| {
        Finding::warning(code::NODE_NOT_SYNCHRONISED, case.node, format!("{service} runs, but the clock is not synchronised"))
            .fix("open UDP 123 to a time server, or name one that answers; `chronyc sources` or `timedatectl timesync-status` shows it")
            .into()
    })
}

/// A service that is installed and does not run may be started.
fn started(case: &Case<'_>, finding: Finding) -> Judged {
    let installed = UNITS.iter().any(|unit| case.unit(unit).is_some());
    if case.facts.time_service.is_some() || !installed {
        return finding.into();
    }
    Judged::fixed_by(finding, Preparation { time_service: true, ..Preparation::default() })
}
