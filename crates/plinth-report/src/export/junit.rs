//! JUnit: a suite for each stage, a case for each step.

use super::{Exported, short};
use crate::style::told;
use plinth_analysis::Row;
use plinth_model::{Stage, StepState};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, Writer};
use std::time::Duration;

/// Lines of evidence of one case.
const LINES: usize = 20;

pub(super) fn junit(run: &Exported<'_>) -> Result<String, String> {
    let mut report = Report::new(format!("plinth {}", run.site));
    for stage in Stage::ALL {
        let rows: Vec<&Row> = run.columns.rows.iter().filter(|row| row.stage == stage).collect();
        if !rows.is_empty() {
            let mut suite = TestSuite::new(stage.title());
            suite.add_test_cases(rows.into_iter().map(|row| case(run, row)));
            report.add_test_suite(suite);
        }
    }
    let text = report.to_string().map_err(|error| error.to_string())?;
    as_jenkins_takes_it(&text)
}

/// The library counts what was left out as `disabled` in a suite; the schema of Jenkins calls it `skipped` and refuses the other word.
fn as_jenkins_takes_it(text: &str) -> Result<String, String> {
    let (mut reader, mut writer) = (Reader::from_str(text), Writer::new(Vec::with_capacity(text.len())));
    loop {
        let event = match reader.read_event().map_err(|error| error.to_string())? {
            Event::Eof => break,
            Event::Start(suite) if suite.name().as_ref() == b"testsuite" => Event::Start(renamed(&suite)?),
            Event::Empty(suite) if suite.name().as_ref() == b"testsuite" => Event::Empty(renamed(&suite)?),
            other => other,
        };
        writer.write_event(event).map_err(|error| error.to_string())?;
    }
    String::from_utf8(writer.into_inner()).map_err(|error| error.to_string())
}

fn renamed(suite: &BytesStart<'_>) -> Result<BytesStart<'static>, String> {
    let mut other = BytesStart::new("testsuite");
    for attribute in suite.attributes() {
        let mut attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_ref() == b"disabled" {
            attribute.key = QName(b"skipped");
        }
        other.push_attribute(attribute);
    }
    Ok(other)
}

fn case(run: &Exported<'_>, row: &Row) -> TestCase {
    let detail = run.detail(row);
    let status = match row.state {
        StepState::Changed | StepState::Unchanged => TestCaseStatus::success(),
        StepState::Failed => failed(run, row, &detail),
        _ => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(if detail.is_empty() { row.state.word().to_owned() } else { detail });
            status
        }
    };
    let mut case = TestCase::new(row.step.as_str(), status);
    case.set_classname(format!("plinth.{}", row.kind.replace('/', ".")));
    let took = row.started_s.map_or(0.0, |started| run.end_of(row) - started);
    case.set_time(Duration::try_from_secs_f64(took).unwrap_or_default());
    case
}

fn failed(run: &Exported<'_>, row: &Row, detail: &str) -> TestCaseStatus {
    let step = run.view().steps.get(&row.step);
    let finding = step.and_then(|step| step.finding.as_deref());
    let mut lines: Vec<String> = finding
        .map(|finding| finding.evidence.iter().take(LINES).map(|line| short(line)).collect())
        .unwrap_or_default();
    if let Some(failure) = step.and_then(|step| step.failure.as_deref()) {
        lines.push(format!("ran {} {}", told(&failure.command), failure.ending().unwrap_or_default()));
        lines.extend(failure.tail.iter().map(|line| format!("| {}", short(line))));
    }
    lines.extend(finding.map(|finding| format!("{}: {}", finding.owner, short(&finding.fix))));
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status
        .set_type(finding.map_or("failed", |finding| finding.code.as_str()))
        .set_message(detail)
        .set_description(lines.join("\n"));
    status
}
