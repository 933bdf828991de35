//! The words for going on without nodes: the same command wherever something fails that only a worker did.

/// The command that goes on without these nodes, as the end of a fix. `verb`: the one that runs, `apply` or `rehearse`.
#[must_use]
pub fn go_on_without(verb: &str, nodes: &[&str]) -> String {
    let flags: String = nodes.iter().map(|node| format!(" --without {node}")).collect();
    let them = if nodes.len() == 1 { "it" } else { "them" };
    format!("to go on without {them} meanwhile: `plinth {verb}{flags}`")
}
