//! What is known of the nodes: the facts that were read last, kept in the state directory. A node that does not answer now is
//! planned for with what was seen before.

use plinth_model::facts::NodeFacts;
use plinth_model::{NodeName, Problem};
use plinth_world::files;
use std::collections::BTreeMap;
use std::path::Path;

const FILE: &str = "facts.json";
/// Largest file that is read, bytes. Facts of one node are about 4 KiB, so this is for 16,000 nodes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Facts of an earlier run. None are no error, broken ones are: they decide where images go.
pub(crate) fn read(directory: &Path) -> Result<BTreeMap<NodeName, NodeFacts>, Problem> {
    let file = directory.join(FILE);
    if !file.exists() {
        return Ok(BTreeMap::new());
    }
    let broken = |error: &dyn std::fmt::Display| {
        Problem::while_doing("reading the facts of earlier runs")
            .to(file.display())
            .wrong_input(error)
            .try_this("remove the file: the facts are read from the nodes again")
    };
    let bytes = files::read_up_to(&file, LARGEST).map_err(|error| broken(&error))?;
    let mut facts: BTreeMap<NodeName, NodeFacts> = serde_json::from_slice(&bytes).map_err(|error| broken(&error))?;
    // Which sources answered is true only while it is asked.
    facts.values_mut().for_each(|facts| facts.answers.clear());
    Ok(facts)
}

/// What is known of each node that may explain why it alone fails: its system, kernel, driver, hardware. None when nothing was read yet.
///
/// # Errors
/// When the facts that are kept cannot be read.
pub fn traits(directory: &Path) -> Result<BTreeMap<String, BTreeMap<String, String>>, Problem> {
    let of = |facts: NodeFacts| {
        let rows = [
            ("system", facts.os),
            ("DGX release", facts.dgx_release.unwrap_or_default()),
            ("kernel", facts.kernel),
            ("architecture", facts.architecture),
            ("driver", facts.driver.unwrap_or_default()),
            ("CPUs", facts.cpus.to_string()),
            ("GPUs", facts.gpus.to_string()),
            ("SELinux", facts.selinux.unwrap_or_default()),
            ("time service", facts.time_service.unwrap_or_default()),
        ];
        rows.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value)).collect()
    };
    Ok(read(directory)?.into_iter().map(|(node, facts)| (node.to_string(), of(facts))).collect())
}

/// Keeps what was just read for later runs, beside what is known of others.
pub(crate) fn keep(directory: &Path, new: &BTreeMap<NodeName, NodeFacts>) -> Result<(), Problem> {
    let known = read(directory)?;
    write(directory, &known.iter().chain(new).collect())
}

fn write(directory: &Path, facts: &BTreeMap<&NodeName, &NodeFacts>) -> Result<(), Problem> {
    let file = directory.join(FILE);
    let failed = |error: &dyn std::fmt::Display| {
        let attempt = "free some space, or choose another folder with `--state DIR`";
        Problem::while_doing("keeping the facts of the nodes").to(file.display()).wrong_input(error).try_this(attempt)
    };
    let text = serde_json::to_vec_pretty(facts).map_err(|error| failed(&error))?;
    files::write_whole(&file, &text).map_err(|error| failed(&error))
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
        let facts = BTreeMap::from([(node.clone(), NodeFacts { cpus: 7, ..NodeFacts::default() })]);
        let answers = [("https://example.com/".to_owned(), 0)].into_iter().collect();
        let seen = BTreeMap::from([(node, NodeFacts { cpus: 7, answers, ..NodeFacts::default() })]);
        keep(directory.path(), &seen).unwrap();
        assert_eq!(read(directory.path()).unwrap(), facts, "what answered then is not known now");
        let other = BTreeMap::from([(NodeName::new("dgx-06").unwrap(), NodeFacts::default())]);
        keep(directory.path(), &other).unwrap();
        assert_eq!(read(directory.path()).unwrap().len(), 2, "others stay known");
        std::fs::write(directory.path().join(FILE), "{").unwrap();
        assert_eq!(read(directory.path()).unwrap_err().exit, plinth_model::Exit::Input);
    }
}
