//! Formats of other tools, read by parsers that are not ours.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::runs::tests::{Made, hostile_run, site};
use crate::scripted;
use plinth_analysis::{FailureGroup, Shape};
use plinth_model::{Event, EventBody};
use quick_xml::Reader;
use quick_xml::events::Event as Xml;
use std::collections::{BTreeMap, BTreeSet};

fn exported(events: &[Event], format: Format) -> String {
    let made = Made::of(events, &Shape::default());
    let name = site();
    Exported { site: &name, shown: made.shown(), columns: &made.columns, plinth: "1.2.3" }.write(format).unwrap()
}

fn json(events: &[Event], format: Format) -> Value {
    serde_json::from_str(&exported(events, format)).unwrap()
}

#[test]
fn a_trace_has_pairs_that_close_and_no_complete_events() {
    for events in [scripted::run(), hostile_run()] {
        let trace = json(&events, Format::Trace);
        let all = trace["traceEvents"].as_array().unwrap();
        let mut open: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut pairs = 0;
        for event in all {
            let phase = event["ph"].as_str().unwrap();
            assert!(["b", "e", "s", "f", "C", "M"].contains(&phase), "{phase}");
            assert!(event["pid"].is_u64() && event["tid"].is_u64(), "{event}");
            let key = || (event["cat"].as_str().unwrap().to_owned(), event["id"].as_str().unwrap().to_owned());
            match phase {
                "b" => assert_eq!(open.insert(key(), event["ts"].as_u64().unwrap()), None, "{event}"),
                "e" => {
                    let began = open.remove(&key()).expect("its begin");
                    assert!(event["ts"].as_u64().unwrap() >= began);
                    pairs += 1;
                }
                "C" => assert!(event["args"]["running"].as_i64().unwrap() >= 0),
                _ => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert!(pairs >= 2);
    }
}

#[test]
fn otlp_ids_are_hexadecimal_and_long_numbers_are_texts() {
    let mut events = scripted::run();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    if let EventBody::RunStarted(head) = &mut events[0].body {
        head.traceparent = Some(traceparent.to_owned());
    }
    let told = json(&events, Format::Otlp);
    let spans = told["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let hex = |value: &Value, length: usize| {
        let text = value.as_str().unwrap();
        assert!(
            text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
            "{text}"
        );
    };
    let mut ids = BTreeSet::new();
    for span in spans {
        hex(&span["traceId"], 32);
        hex(&span["spanId"], 16);
        let nanos = |name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
        assert!(nanos("endTimeUnixNano") >= nanos("startTimeUnixNano"));
        assert!(ids.insert((span["traceId"].clone().to_string(), span["spanId"].clone().to_string())), "{span}");
        for attribute in span["attributes"].as_array().unwrap() {
            assert!(attribute["value"]["intValue"].is_null() || attribute["value"]["intValue"].is_string());
        }
    }
    assert_eq!(spans[0]["traceId"], "0af7651916cd43dd8448eb211c80319c", "the trace of whoever called");
    assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
    let failed = spans.iter().find(|span| span["name"] == "nodes/account/dgx-06").unwrap();
    assert_eq!(failed["status"]["code"], 2);
    let of_a_node = spans.iter().find(|span| span["name"] == "dgx-05" && !span["links"].is_null()).unwrap();
    assert_eq!(of_a_node["links"][0]["spanId"], spans[0]["spanId"]);
}

/// What the schema of JUnit (as Jenkins has it) demands: which elements stand in which, their attributes, and that counts are right.
#[test]
fn junit_is_well_formed_and_counts_what_it_holds() {
    for events in [scripted::run(), hostile_run()] {
        let text = exported(&events, Format::Junit);
        let mut reader = Reader::from_str(&text);
        let (mut path, mut cases, mut failures, mut told) = (Vec::new(), 0_usize, 0_usize, None);
        loop {
            let event = reader.read_event().unwrap();
            let (element, is_empty) = match &event {
                Xml::Start(element) => (element, false),
                Xml::Empty(element) => (element, true),
                Xml::End(_) => {
                    path.pop();
                    continue;
                }
                Xml::Eof => break,
                _ => continue,
            };
            let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
            let allowed: &[&str] = match path.last().map(String::as_str) {
                None => &["testsuites"],
                Some("testsuites") => &["testsuite"],
                Some("testsuite") => &["testcase", "properties", "system-out", "system-err"],
                Some("testcase") => &["failure", "error", "skipped", "system-out", "system-err"],
                Some(_) => &[],
            };
            assert!(allowed.contains(&name.as_str()), "{name} in {path:?}");
            let attribute = |wanted: &str| {
                let found = element.try_get_attribute(wanted).unwrap()?;
                String::from_utf8(found.value.to_vec()).ok()
            };
            match name.as_str() {
                "testsuites" => told = Some((attribute("tests").unwrap(), attribute("failures").unwrap())),
                "testsuite" => assert!(attribute("skipped").is_some() && attribute("disabled").is_none(), "{text}"),
                "testcase" => {
                    assert!(attribute("name").is_some() && attribute("classname").is_some());
                    attribute("time").unwrap().parse::<f64>().unwrap();
                    cases += 1;
                }
                "failure" => failures += 1,
                _ => {}
            }
            if !is_empty {
                path.push(name);
            }
        }
        assert_eq!(told, Some((cases.to_string(), failures.to_string())));
        assert!(cases > 1 && failures > 0);
    }
}

#[test]
fn ctrf_counts_what_it_holds() {
    let told = json(&scripted::run(), Format::Ctrf);
    let (tests, summary) = (told["results"]["tests"].as_array().unwrap(), &told["results"]["summary"]);
    let count = |status: &str| tests.iter().filter(|test| test["status"] == status).count();
    for status in ["passed", "failed", "pending", "skipped", "other"] {
        assert_eq!(summary[status], count(status), "{status}");
    }
    assert_eq!(summary["tests"], tests.len());
    assert_eq!((count("failed"), count("other")), (1, 0));
}

#[test]
fn metrics_are_what_prometheus_reads() {
    let text = exported(&hostile_run(), Format::Metrics);
    let mut families = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert!(families.insert(rest.split(' ').next().unwrap().to_owned()), "each family once: {line}");
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        value.parse::<f64>().unwrap();
        let (name, labels) = series.split_once('{').unwrap();
        assert!(families.contains(name), "{name} before its type");
        assert!(labels.ends_with('}') && labels.matches('"').count() % 2 == 0, "{line}");
    }
    assert!(text.contains("plinth_run_steps{site=\"basepod-a\",state=\"failed\"} 2"), "{text}");
}

#[test]
fn markdown_is_a_summary_that_github_takes() {
    let text = exported(&scripted::run(), Format::Markdown);
    insta::assert_snapshot!(text);
}

#[test]
fn a_summary_of_endless_causes_counts_those_that_github_would_not_take() {
    let made = Made::of(&scripted::run(), &Shape::default());
    let long = "\u{1f980}".repeat(2_000);
    let first = &made.shown().groups[0];
    let group = FailureGroup { evidence: vec![long; 30], failure: None, ..first.clone() };
    let groups = vec![group; 50];
    let (name, shown) = (site(), Shown { groups: &groups, ..made.shown() });
    let run = Exported { site: &name, shown, columns: &made.columns, plinth: "1.2.3" };
    let text = run.write(Format::Markdown).unwrap();
    assert!(text.len() < LARGEST_SUMMARY, "{} bytes", text.len());
    let told = text.matches("\n### ").count();
    assert!(told > 5 && text.contains(&format!("And {} more causes", 50 - told)), "{told}");
}
