//! What acceptance checks proved, for people who were not there: as JSON, as JUnit for build systems, and as one page that needs no
//! other file.

use crate::style::clean;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use plinth_model::run::StepView;
use plinth_model::verdict::{EVIDENCE, SKIPPED};
use plinth_model::{Finding, RunView, StepId, StepState, amount};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;
use std::time::Duration;

/// Version of the JSON.
const SCHEMA: u32 = 1;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// It could not be found out.
    Unknown,
    /// It was not carried out.
    NotRun,
}

impl Proof {
    fn of(step: &StepView, is_verdict: IsVerdict) -> Self {
        match step.state {
            StepState::Changed | StepState::Unchanged if step.detail.starts_with(SKIPPED) => Self::NotRun,
            StepState::Changed | StepState::Unchanged => Self::Holds,
            // With another finding, what failed is the looking.
            StepState::Failed if step.finding.as_deref().is_some_and(is_verdict) => Self::Fails,
            StepState::Failed => Self::Unknown,
            _ => Self::NotRun,
        }
    }

    /// For people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Unknown => "not known",
            Self::NotRun => "not run",
        }
    }
}

/// Whether a finding is what a check says, and not why it could not be carried out.
pub type IsVerdict = fn(&Finding) -> bool;

/// One check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked<'a> {
    /// Its step.
    pub id: &'a StepId,
    /// How it ended.
    pub proof: Proof,
    /// Node, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<&'a str>,
    /// Why it is checked.
    pub reason: &'a str,
    /// Seconds it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<&'a Finding>,
}

/// The checks of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence<'a> {
    schema: u32,
    site: String,
    run: String,
    started: String,
    plinth: &'static str,
    checks: Vec<Checked<'a>>,
}

impl<'a> Evidence<'a> {
    /// Of the steps of a run that are checks.
    #[must_use]
    pub fn of(view: &'a RunView, plinth: &'static str, is_verdict: IsVerdict) -> Self {
        let head = view.run.as_ref();
        let checks = view.steps.iter().filter(|(id, _)| id.area() == "checks");
        Self {
            schema: SCHEMA,
            site: head.map(|head| head.site.to_string()).unwrap_or_default(),
            run: head.map(|head| head.run.clone()).unwrap_or_default(),
            started: view.started.map(|at| format!("{at:.0}")).unwrap_or_default(),
            plinth,
            checks: checks.map(|(id, step)| checked(id, step, is_verdict)).collect(),
        }
    }

    /// All of them, by their steps.
    #[must_use]
    pub fn checks(&self) -> &[Checked<'a>] {
        &self.checks
    }

    fn count(&self, proof: Proof) -> usize {
        self.checks.iter().filter(|check| check.proof == proof).count()
    }

    /// `9 checks: 8 hold, 1 fails`.
    #[must_use]
    pub fn summary(&self) -> String {
        let told = |proof: Proof, one: &str, many: &str| match self.count(proof) {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let parts = [
            told(Proof::Holds, "holds", "hold"),
            told(Proof::Fails, "fails", "fail"),
            told(Proof::Unknown, "could not be found out", "could not be found out"),
            told(Proof::NotRun, "was not run", "were not run"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("{}: {}", amount(self.checks.len(), "check"), parts.join(", "))
    }

    /// As JSON.
    ///
    /// # Errors
    /// Never with what a view holds.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// As JUnit.
    ///
    /// # Errors
    /// Never with what a view holds.
    pub fn junit(&self) -> Result<String, String> {
        let mut suite = TestSuite::new(format!("plinth check {}", self.site));
        suite.add_test_cases(self.checks.iter().map(case));
        let mut report = Report::new("plinth check");
        report.add_test_suite(suite);
        report.to_string().map_err(|error| error.to_string())
    }

    /// As a page without scripts, that asks for nothing.
    #[must_use]
    pub fn page(&self) -> String {
        let title = format!("{}: {}", self.site, self.summary());
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { "Acceptance checks of site " (self.site) }
                    p.sum { (self.summary()) }
                    p { "Run " (self.run) ", begun " (self.started) ", plinth " (self.plinth) "." }
                    table {
                        thead { tr { th { "Check" } th { "Result" } th { "What was seen" } th { "Seconds" } } }
                        tbody { @for check in &self.checks { (row(check)) } }
                    }
                }
            }
        }
        .into_string()
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1b1b;background:#fff}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.5rem .75rem;border-bottom:1px solid #ccc}\
.sum{font-size:1.2rem;font-weight:600}.holds{color:#0a5d2a}.fails,.unknown{color:#a11010;font-weight:600}.why{color:#555}\
ul{margin:0;padding-left:1.1rem}code{overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181b}th,td{border-color:#444}.holds{color:#7fd6a0}.fails,.unknown{color:#ff9a9a}.why{color:#aaa}}";

fn checked<'a>(id: &'a StepId, step: &'a StepView, is_verdict: IsVerdict) -> Checked<'a> {
    let finding = step.finding.as_deref();
    let evidence = match finding {
        Some(finding) if !finding.evidence.is_empty() => finding.evidence.iter().map(|line| clean(line)).collect(),
        _ => step.detail.split(EVIDENCE).filter(|line| !line.is_empty()).map(clean).collect(),
    };
    let (proof, node) = (Proof::of(step, is_verdict), step.node.as_deref());
    Checked { id, proof, node, reason: &step.reason, seconds: step.seconds, evidence, finding }
}

fn case(check: &Checked<'_>) -> TestCase {
    let fix = check.finding.map(|finding| format!("\n{}: {}", finding.owner, finding.fix)).unwrap_or_default();
    let told = check.evidence.join("\n") + &fix;
    let status = match check.proof {
        Proof::Holds => TestCaseStatus::success(),
        Proof::NotRun => TestCaseStatus::skipped(),
        Proof::Fails | Proof::Unknown => {
            let kind = if check.proof == Proof::Fails { NonSuccessKind::Failure } else { NonSuccessKind::Error };
            let mut status = TestCaseStatus::non_success(kind);
            let code = check.finding.map_or("not-known", |finding| finding.code.as_str());
            status
                .set_type(code)
                .set_message(check.evidence.first().cloned().unwrap_or_default())
                .set_description(&told);
            status
        }
    };
    let mut case = TestCase::new(check.id.as_str(), status);
    case.set_classname("plinth.checks");
    if let Some(seconds) = check.seconds {
        case.set_time(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    }
    case.set_system_out(&told);
    case
}

fn row(check: &Checked<'_>) -> Markup {
    let class = match check.proof {
        Proof::Holds => "holds",
        Proof::Fails => "fails",
        Proof::Unknown => "unknown",
        Proof::NotRun => "why",
    };
    html! {
        tr {
            td { code { (check.id.as_str()) } br; span.why { (check.reason) } }
            td class=(class) { (check.proof.word()) }
            td {
                ul { @for line in &check.evidence { li { (line) } } }
                @if let Some(finding) = check.finding { p { strong { (finding.owner.to_string()) ": " } (finding.fix) } }
            }
            td { @if let Some(seconds) = check.seconds { (format!("{seconds:.1}")) } }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn view() -> RunView {
        let mut view = RunView::default();
        let step = |state: &str, more: Value| {
            let mut step = json!({"stage": "acceptance", "state": state, "reason": "because", "seq": 1});
            step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<StepView>(step).unwrap()
        };
        let finding = json!({
            "code": "network.pods-cut-off", "severity": "error", "subject": "n2", "owner": "network-team", "fix": "look at <n2>",
            "message": "cut off", "evidence": ["n2 says <script>alert(1)</script> \u{1b}[31m & more"],
        });
        let mut unseen = finding.clone();
        unseen["code"] = json!("run.step-failed");
        for (id, step) in [
            ("checks/nodes/lab", step("unchanged", json!({"detail": "3 of 3 Ready; kubelet v1", "seconds": 0.5}))),
            ("checks/pod-network/lab", step("failed", json!({"detail": "cut off", "finding": finding}))),
            ("checks/storage/default", step("failed", json!({"detail": "no answer", "finding": unseen}))),
            ("checks/runai/lab", step("not-run", json!({"detail": "stopped"}))),
            ("checks/gpu-pod/dgx-05", step("unchanged", json!({"detail": "skipped: every GPU of dgx-05 is in use"}))),
            ("nodes/account/n1", step("changed", json!({}))),
        ] {
            view.steps.insert(StepId::try_from(id.to_owned()).unwrap(), step);
        }
        view
    }

    #[test]
    fn only_checks_are_told_each_with_how_it_ended() {
        let view = view();
        let evidence = Evidence::of(&view, "1.2.3", |finding| finding.code == "network.pods-cut-off");
        let summary = "5 checks: 1 holds, 1 fails, 1 could not be found out, 2 were not run";
        assert_eq!(evidence.summary(), summary);
        let told: Value = serde_json::from_str(&evidence.json().unwrap()).unwrap();
        let proofs: Vec<&str> =
            told["checks"].as_array().unwrap().iter().map(|one| one["proof"].as_str().unwrap()).collect();
        assert_eq!(proofs, ["not-run", "holds", "fails", "not-run", "unknown"], "in the order of their ids");
        assert_eq!(told["checks"][1]["evidence"], json!(["3 of 3 Ready", "kubelet v1"]));
    }

    #[test]
    fn text_from_outside_is_text_on_the_page_and_in_junit() {
        let view = view();
        let evidence = Evidence::of(&view, "1.2.3", |finding| finding.code == "network.pods-cut-off");
        let page = evidence.page();
        assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script"), "{page}");
        assert!(!page.contains('\u{1b}') && !page.contains("src=") && !page.contains("href="), "it asks for nothing");
        let junit = evidence.junit().unwrap();
        assert!(
            junit.contains(r#"tests="4" skipped="1" errors="1" failures="1""#) || junit.contains(r#"failures="1""#),
            "{junit}"
        );
        assert!(!junit.contains('\u{1b}') && !junit.contains("<script"), "{junit}");
        assert!(junit.contains("network.pods-cut-off") && junit.contains("look at &lt;n2&gt;"), "{junit}");
    }
}
