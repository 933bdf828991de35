//! One language to choose runs and steps: `state:failed node:dgx-* kind:nodes/downloads stage:nodes took:>30s waiting:slot word`. All terms
//! must hold. The same words stand in the address of a page.

use crate::columns::Row;
use crate::graph::Shape;
use crate::waiting::Waiting;
use plinth_model::run::HeldBy;
use plinth_model::{Stage, StepId};
use std::collections::BTreeSet;
use std::fmt;

/// Terms that a step, or a run, must fit all. The default has none and lets everything through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    text: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    State(String),
    Node(String),
    Kind(String),
    Stage(String),
    Took { more: bool, seconds: f64 },
    Waiting(String),
    Reach { step: StepId, down: bool },
    Word(String),
}

/// A term that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The part of the text, between blanks, that was not understood.
    pub term: String,
    /// What is wrong with it, or how it is to be written.
    pub why: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.term, self.why)
    }
}

impl std::error::Error for FilterError {}

/// What a filter looks at: a step with what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The step.
    pub row: &'a Row,
    /// Why it waits, if it does.
    pub waiting: Option<&'a Waiting>,
    /// What was said of it.
    pub detail: &'a str,
}

/// What terms there are, for help and errors.
const TERMS: &str = "state: node: kind: stage: took: waiting: up: down: or a word";

impl Filter {
    /// Reads a filter. An empty one lets everything through.
    ///
    /// # Errors
    /// The first term that is none.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let terms = text.split_whitespace().map(Term::parse).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether there is no term.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Places of the subjects that fit. When none does, the term that emptied the list.
    pub fn choose(&self, subjects: &[Subject<'_>], shape: &Shape) -> Result<Vec<usize>, String> {
        let mut left: Vec<usize> = (0..subjects.len()).collect();
        for term in &self.terms {
            let reach = term.reach(shape);
            left.retain(|at| subjects.get(*at).is_some_and(|subject| term.fits(subject, reach.as_ref())));
            if left.is_empty() {
                return Err(term.text.clone());
            }
        }
        Ok(left)
    }

    /// The words and states that a whole run may be meant by, as it is said in a list.
    #[must_use]
    pub fn fits_run(&self, state: &str, words: &str, seconds: f64) -> bool {
        self.terms.iter().all(|term| match &term.test {
            Test::State(wanted) => like(wanted, state),
            Test::Took { more, seconds: limit } => (seconds > *limit) == *more,
            Test::Word(word) => has(word, words),
            _ => false,
        })
    }

    /// Whether it asks for something that only steps have, so that runs have to be read whole.
    #[must_use]
    pub fn is_about_steps(&self) -> bool {
        self.terms.iter().any(|term| !matches!(term.test, Test::State(_) | Test::Took { .. } | Test::Word(_)))
    }
}

impl Term {
    fn parse(text: &str) -> Result<Self, FilterError> {
        let error = |why: String| FilterError { term: text.to_owned(), why };
        let test = match text.split_once(':') {
            None => Test::Word(text.to_lowercase()),
            Some((key, "")) => return Err(error(format!("a value is missing behind `{key}:`"))),
            Some(("state", value)) => Test::State(value.to_lowercase()),
            Some(("node", value)) => Test::Node(value.to_owned()),
            Some(("kind", value)) => Test::Kind(value.to_owned()),
            Some(("stage", value)) => stage(value).ok_or_else(|| {
                let all = Stage::ALL.map(|stage| words_of(stage)[1].clone());
                error(format!("there is no such stage; there is {}", all.join(", ")))
            })?,
            Some(("took", value)) => took(value).ok_or_else(|| error("write `took:>30s`, `took:<5min`".to_owned()))?,
            Some(("waiting", value)) => waiting_for(value).ok_or_else(|| {
                error("waiting for what? need, gate, lane, slot, budget, quorum, stop, or any".to_owned())
            })?,
            Some((key @ ("up" | "down"), value)) => {
                let step = StepId::try_from(value.to_owned()).map_err(|_| error(format!("`{value}` is no step id")))?;
                Test::Reach { step, down: key == "down" }
            }
            Some((key, _)) => return Err(error(format!("`{key}:` is not known; there is {TERMS}"))),
        };
        Ok(Self { text: text.to_owned(), test })
    }

    fn reach(&self, shape: &Shape) -> Option<BTreeSet<StepId>> {
        match &self.test {
            Test::Reach { step, down } => Some(shape.reach(step, *down)),
            _ => None,
        }
    }

    fn fits(&self, subject: &Subject<'_>, reach: Option<&BTreeSet<StepId>>) -> bool {
        let Subject { row, waiting, detail } = subject;
        match &self.test {
            // What somebody has read on a page, they may write as well, but for `not run`, which has a blank: `not-run`.
            Test::State(wanted) => like(wanted, row.state.word()) || like(wanted, row.state.told()),
            Test::Node(wanted) => row.node.as_deref().is_some_and(|node| like(wanted, node)),
            Test::Kind(wanted) => like(wanted, &row.kind),
            Test::Stage(wanted) => words_of(row.stage).iter().any(|word| like(wanted, word)),
            Test::Took { more, seconds } => row.took_s().is_some_and(|took| (took > *seconds) == *more),
            Test::Waiting(wanted) => match waiting {
                Some(waiting) => wanted == "any" || waiting.held_by.as_ref().map(HeldBy::word) == Some(wanted),
                None => false,
            },
            Test::Reach { .. } => reach.is_some_and(|reach| reach.contains(&row.step)),
            Test::Word(word) => has(word, row.step.as_str()) || has(word, detail),
        }
    }
}

fn waiting_for(value: &str) -> Option<Test> {
    let known = ["need", "gate", "lane", "slot", "budget", "quorum", "stop", "any"];
    known.contains(&value).then(|| Test::Waiting(value.to_owned()))
}

/// What a stage is called: as people read it, and as it is typed without a colon: `run:ai`, `runai`.
fn words_of(stage: Stage) -> [String; 2] {
    let told = stage.title().to_lowercase();
    [told.clone(), told.replace(':', "")]
}

fn stage(value: &str) -> Option<Test> {
    let wanted = value.to_lowercase();
    let is_one = Stage::ALL.iter().any(|stage| words_of(*stage).iter().any(|word| like(&wanted, word)));
    is_one.then_some(Test::Stage(wanted))
}

/// Whether a text has a word in it, written small; `*` stands for anything within it.
fn has(word: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    if word.contains('*') { like(&format!("*{word}*"), &text) } else { text.contains(word) }
}

/// `>30s`, `<5min`, `>1h`; without a unit seconds are meant.
fn took(value: &str) -> Option<Test> {
    let (more, value) = match value.split_at_checked(1)? {
        (">", value) => (true, value),
        ("<", value) => (false, value),
        _ => return None,
    };
    let unit = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(unit)?;
    let times = match unit {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * times;
    Some(Test::Took { more, seconds })
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
