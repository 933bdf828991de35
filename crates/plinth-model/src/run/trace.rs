//! Ids of a run in distributed traces (W3C Trace Context): of the export, and of what plinth hands to the programs that it starts, so that
//! what those record hangs below the step that started them. Ids follow from names, so an export made twice is the same trace.

use crate::{Digest, StepId};

/// 16 bytes in hexadecimal digits that follow from these words.
#[must_use]
pub fn trace_id(words: &[&str]) -> String {
    hex(&["trace", &words.join("\n")], 32)
}

/// 8 bytes likewise.
#[must_use]
pub fn span_id(words: &[&str]) -> String {
    hex(&["span", &words.join("\n")], 16)
}

fn hex(words: &[&str], digits: usize) -> String {
    let digest = Digest::of_bytes(words.join("\n").as_bytes());
    digest.as_str().get(..digits).unwrap_or_default().to_owned()
}

/// The trace of a run with the span that it hangs below: those of whoever called plinth, where they were given, or its own.
#[must_use]
pub fn of_run(run: &str, traceparent: Option<&str>) -> (String, Option<String>) {
    match traceparent.map(|text| text.split('-').collect::<Vec<_>>()).as_deref() {
        Some([_, trace, parent, _]) => ((*trace).to_owned(), Some((*parent).to_owned())),
        _ => (trace_id(&["run", run]), None),
    }
}

/// `TRACEPARENT` for the programs of a step: its span in the run's trace. Whether it is sampled is for the caller to say; a run of its own
/// is.
#[must_use]
pub fn of_step(run: &str, traceparent: Option<&str>, step: &StepId) -> String {
    let (trace, _) = of_run(run, traceparent);
    let flags = traceparent.and_then(|text| text.rsplit('-').next()).unwrap_or("01");
    format!("00-{trace}-{}-{flags}", span_id(&[step.as_str(), &trace]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_span_of_the_callers_trace_or_of_its_own() {
        let step = StepId::new("platform", "release", "gpu-operator");
        let given = of_step("run-1", Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), &step);
        assert!(given.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && given.ends_with("-00"), "{given}");
        assert!(!given.contains("b7ad6b7169203331"), "the step is the parent of what it starts");
        let own = of_step("run-1", None, &step);
        assert_eq!((own.len(), own.ends_with("-01")), (55, true), "{own}");
        assert_ne!(own, of_step("run-2", None, &step));
    }
}
