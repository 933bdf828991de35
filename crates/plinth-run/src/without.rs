//! The words for going on without nodes: the same command wherever something fails that only a worker did.

/// The same where a run went on without them by itself, and will ask them again.
#[must_use]
pub(crate) fn leave_out(verb: &str, nodes: &[&str]) -> String {
    let (flags, them) = words(nodes);
    format!("to leave {them} out until then: `plinth {verb}{flags}`")
}

/// The command that goes on without these nodes, as the end of a fix. `verb`: the one that runs, `apply` or `rehearse`.
#[must_use]
pub fn go_on_without(verb: &str, nodes: &[&str]) -> String {
    let (flags, them) = words(nodes);
    format!("to go on without {them} meanwhile: `plinth {verb}{flags}`")
}

fn words(nodes: &[&str]) -> (String, &'static str) {
    let flags = nodes.iter().map(|node| format!(" --without {node}")).collect();
    (flags, if nodes.len() == 1 { "it" } else { "them" })
}
