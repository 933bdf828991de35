//! The report as a page: whole, hostile texts, what is left out of a large one, and its events back.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::runs::tests::{Made, hostile_run, site};
use crate::scripted;
use plinth_analysis::Shape;
use plinth_model::text::is_hidden;
use plinth_model::{Event, EventBody};

fn lines(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
}

fn written(events: &[Event], form: Form) -> (Written, String) {
    let (made, name, text) = (Made::of(events, &Shape::default()), site(), lines(events));
    let run = Exported { site: &name, shown: made.shown(), columns: &made.columns, plinth: "1.2.3" };
    (Document { run, events: &text }.write(form, &str::to_owned).unwrap(), text)
}

#[test]
fn the_report_of_a_small_run() {
    let (report, _) = written(&scripted::run(), Form::Folder);
    let texts = texts(&report.html);
    let lines: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn events_come_back_byte_by_byte_and_damage_is_said() {
    let (report, events) = written(&scripted::run(), Form::OneFile);
    assert_eq!(extract(&report.html).unwrap(), events);
    let at = report.html.find("id=\"events\"").unwrap() + 120;
    let mut damaged = report.html.clone();
    let other = if &damaged[at + 30..at + 31] == "A" { "B" } else { "A" };
    damaged.replace_range(at + 30..at + 31, other);
    assert!(matches!(extract(&damaged), Err(ExtractError::Damaged(_))));
    assert!(matches!(extract(&report.html[..at + 40]), Err(ExtractError::Damaged(_))));
    assert_eq!(extract("<!DOCTYPE html><title>another page</title>"), Err(ExtractError::None));
    assert_eq!(extract(&written(&scripted::run(), Form::Folder).0.html), Err(ExtractError::None));
}

#[test]
fn a_page_asks_nobody_and_runs_only_its_own_script() {
    for (form, scripts) in [(Form::OneFile, 2), (Form::Folder, 0)] {
        let (report, _) = written(&hostile_run(), form);
        assert_eq!(report.html.matches("<script").count(), scripts);
        assert_eq!(report.html.matches("style=").count(), 0, "attributes of style are forbidden where it is shown");
        assert_eq!(report.html.matches(" on").filter(|_| report.html.contains("onload=")).count(), 0);
        for asking in ["src=", "@import", "url(http", "fetch("] {
            assert!(!report.html.contains(asking), "{asking}");
        }
        assert!(!report.html.chars().any(is_hidden), "{form:?}");
        assert!(texts(&report.html).iter().any(|text| text.contains("<script>")), "the text itself is shown");
    }
}

#[test]
fn every_text_is_redacted_and_stays_a_text() {
    let (made, name) = (Made::of(&scripted::run(), &Shape::default()), site());
    let run = Exported { site: &name, shown: made.shown(), columns: &made.columns, plinth: "1.2.3" };
    let redact = |text: &str| text.replace("basepod", "<b>&\"");
    let html = Document { run, events: "" }.write(Form::OneFile, &redact).unwrap().html;
    assert!(!html.contains("basepod") && !html.contains("<b>"));
    assert!(texts(&html).iter().any(|text| text.contains("<b>&\"-a")));
    assert!(html.contains(STYLE) && html.contains(SCRIPT), "style and script are as they are hashed");
}

/// A run whose steps all end with another long text.
fn endless(steps: usize) -> Vec<Event> {
    let mut script = scripted::Script::new();
    script.begin(steps, steps);
    for step in 0..steps {
        let id = format!("nodes/account/dgx-{step:06}");
        script.start(1.0, &id);
    }
    let mut events = script.events();
    let ended = scripted::run().into_iter().find_map(|event| match event.body {
        EventBody::StepFinished { .. } => Some(event),
        _ => None,
    });
    let ended = ended.unwrap();
    for step in 0..steps {
        let mut event = ended.clone();
        event.seq = events.len() as u64 + 1;
        event.after = Some(event.seq - 1);
        if let EventBody::StepFinished { step: id, detail, .. } = &mut event.body {
            *id = scripted::id(&format!("nodes/account/dgx-{step:06}"));
            *detail =
                format!("{step} {}", (0..45).map(|n| format!("{:x}", (step + 1) * 7919 * (n + 3))).collect::<String>());
        }
        events.push(event);
    }
    events
}

#[test]
fn what_does_not_fit_is_left_out_and_that_is_said() {
    let (small, _) = written(&endless(50), Form::OneFile);
    assert!(small.left_out.is_none());
    let (large, events) = written(&endless(12_000), Form::OneFile);
    let said = large.left_out.unwrap();
    assert!(large.html.len() <= LARGEST, "{}", large.html.len());
    assert!(said.contains("leaves out") && large.html.contains(&said), "{said}");
    assert_eq!(extract(&large.html).unwrap(), events, "the events still fit");
}
