//! What is known of the nodes: the facts that were read last, kept in the state directory. A node that does not answer now is
//! planned for with what was seen before.

mod told;

use jiff::Timestamp;
use plinth_model::facts::NodeFacts;
use plinth_model::{NodeName, Problem};
use plinth_world::files;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILE: &str = "facts.json";
/// Largest file that is read, bytes. Facts of one node are about 4 KiB, so this is for 16,000 nodes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Where a node stands among others, as those say who have put it there: its `category`, and the labels that the site gives it.
pub(crate) type Place = BTreeMap<String, String>;

/// What is kept of a node.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    facts: &'a NodeFacts,
    seen: Timestamp,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    place: &'a Place,
}

/// What stands beside the facts of a node. Earlier releases kept none of it.
#[derive(Deserialize)]
struct Beside {
    /// When they were read from it.
    seen: Option<Timestamp>,
    #[serde(default)]
    place: Place,
}

/// The file with the facts of earlier runs. Of thousands of nodes it is large, so its nodes are read one by one.
struct File {
    path: PathBuf,
    text: Vec<u8>,
}

impl File {
    /// One without nodes when there is none.
    fn open(directory: &Path) -> Result<Self, Problem> {
        let path = directory.join(FILE);
        if !path.exists() {
            return Ok(Self { path, text: b"{}".to_vec() });
        }
        let text = files::read_up_to(&path, LARGEST).map_err(|error| broken(&path, &error))?;
        Ok(Self { path, text })
    }

    fn nodes(&self) -> Result<BTreeMap<NodeName, &RawValue>, Problem> {
        serde_json::from_slice(&self.text).map_err(|error| broken(&self.path, &error))
    }

    fn facts(&self, node: &RawValue) -> Result<NodeFacts, Problem> {
        let mut facts: NodeFacts = serde_json::from_str(node.get()).map_err(|error| broken(&self.path, &error))?;
        // Which sources answered is true only while it is asked.
        facts.answers.clear();
        Ok(facts)
    }

    fn beside(&self, node: &RawValue) -> Result<Beside, Problem> {
        serde_json::from_str(node.get()).map_err(|error| broken(&self.path, &error))
    }
}

fn broken(file: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::while_doing("reading the facts of earlier runs")
        .to(file.display())
        .wrong_input(error)
        .try_this("remove the file: the facts are read from the nodes again")
}

/// Facts of an earlier run. None are no error, broken ones are: they decide where images go.
pub(crate) fn read(directory: &Path) -> Result<BTreeMap<NodeName, NodeFacts>, Problem> {
    let file = File::open(directory)?;
    file.nodes()?.into_iter().map(|(node, kept)| Ok((node, file.facts(kept)?))).collect()
}

/// What one node said of itself when it was asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When; none where that was not recorded.
    pub at: Option<Timestamp>,
    /// Names and values, for people.
    pub facts: Vec<(&'static str, String)>,
}

/// What is known of a node; none when nothing was read from it yet.
///
/// # Errors
/// When the facts that are kept cannot be read.
pub fn of_node(directory: &Path, node: &str) -> Result<Option<Seen>, Problem> {
    let file = File::open(directory)?;
    let Some((_, kept)) = file.nodes()?.into_iter().find(|(name, _)| name.as_str() == node) else { return Ok(None) };
    Ok(Some(Seen { at: file.beside(kept)?.seen, facts: told::rows(&file.facts(kept)?) }))
}

/// What is known of each node that may explain why it alone fails: its system, kernel, driver, hardware, its category and the labels that the
/// site gives it, such as its rack. None when nothing was read yet.
///
/// # Errors
/// When the facts that are kept cannot be read.
pub fn traits(directory: &Path) -> Result<BTreeMap<String, BTreeMap<String, String>>, Problem> {
    let file = File::open(directory)?;
    let of = |(node, kept): (NodeName, &RawValue)| {
        // What the machine says of itself counts more than a label that is called the same.
        let mut traits = file.beside(kept)?.place;
        traits.extend(file.facts(kept)?.traits());
        Ok((node.to_string(), traits))
    };
    file.nodes()?.into_iter().map(of).collect()
}

/// Keeps what was just read, at this time, for later runs, beside what is known of others.
pub(crate) fn keep(
    directory: &Path,
    new: &BTreeMap<NodeName, NodeFacts>,
    places: &BTreeMap<NodeName, Place>,
    now: Timestamp,
) -> Result<(), Problem> {
    let none = Place::new();
    let file = File::open(directory)?;
    let mut known: BTreeMap<NodeName, Cow<'_, RawValue>> =
        file.nodes()?.into_iter().map(|(node, kept)| (node, Cow::Borrowed(kept))).collect();
    for (node, facts) in new {
        let kept = to_raw_value(&Kept { facts, seen: now, place: places.get(node).unwrap_or(&none) });
        let unwritten = |error| Problem::while_doing("keeping the facts of").to(node).bug(error);
        known.insert(node.clone(), Cow::Owned(kept.map_err(unwritten)?));
    }
    let failed = |error: &dyn std::fmt::Display| {
        let attempt = "free some space, or choose another folder with `--state DIR`";
        Problem::while_doing("keeping the facts of the nodes")
            .to(file.path.display())
            .wrong_input(error)
            .try_this(attempt)
    };
    // A line for each node.
    let text = serde_json::to_vec_pretty(&known).map_err(|error| failed(&error))?;
    files::write_whole(&file.path, &text).map_err(|error| failed(&error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_kept_and_broken_ones_are_told() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path()).unwrap(), BTreeMap::new());
        let node = NodeName::new("dgx-05").unwrap();
        let facts = NodeFacts { cpus: 7, kernel: "6.8.0".to_owned(), ..NodeFacts::default() };
        let facts = BTreeMap::from([(node.clone(), facts)]);
        let answers = [("https://example.com/".to_owned(), 0)].into_iter().collect();
        let seen = BTreeMap::from([(node.clone(), NodeFacts { answers, ..facts[&node].clone() })]);
        let at: Timestamp = "2026-11-29T01:13:05Z".parse().unwrap();
        let place: Place =
            [("category", "dgx"), ("rack", "a1"), ("kernel", "as a label")].map(|(k, v)| (k.into(), v.into())).into();
        keep(directory.path(), &seen, &BTreeMap::from([(node, place)]), at).unwrap();
        let known = &traits(directory.path()).unwrap()["dgx-05"];
        assert_eq!((known["category"].as_str(), known["rack"].as_str(), known["CPUs"].as_str()), ("dgx", "a1", "7"));
        assert_eq!(known["kernel"], "6.8.0", "what the machine says counts more");
        assert_eq!(read(directory.path()).unwrap(), facts, "what answered then is not known now");
        let other = BTreeMap::from([(NodeName::new("dgx-06").unwrap(), NodeFacts::default())]);
        keep(directory.path(), &other, &BTreeMap::new(), at + jiff::SignedDuration::from_hours(1)).unwrap();
        assert_eq!(read(directory.path()).unwrap().len(), 2, "others stay known");
        let told = of_node(directory.path(), "dgx-05").unwrap().unwrap();
        assert_eq!(
            (told.at, told.facts.as_slice()),
            (Some(at), [("kernel", "6.8.0".to_owned()), ("CPUs", "7".to_owned())].as_slice()),
            "as they were then"
        );
        assert!(of_node(directory.path(), "dgx-07").unwrap().is_none());
        // As a release wrote them that kept no times.
        let old = r#"{"dgx-05": {"cpus": 8, "listening": {"6443": "kube-apiserver"}}}"#;
        std::fs::write(directory.path().join(FILE), old).unwrap();
        let told = of_node(directory.path(), "dgx-05").unwrap().unwrap();
        assert_eq!((told.at, told.facts.len()), (None, 2));
        std::fs::write(directory.path().join(FILE), "{").unwrap();
        assert_eq!(read(directory.path()).unwrap_err().exit, plinth_model::Exit::Input);
    }
}
