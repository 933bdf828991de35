//! What to say to words that plinth does not know but that people type first, since other tools know them.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Verbs of other tools, and what does the same here.
const VERBS: [(&str, &str); 68] = [
    ("destroy", "`plinth reset` takes Kubernetes away from the whole site, `plinth remove NODE` from workers"),
    ("delete", "`plinth reset` takes Kubernetes away from the whole site, `plinth remove NODE` from workers"),
    ("uninstall", "`plinth reset` takes Kubernetes away from the whole site, `plinth remove NODE` from workers"),
    ("down", "`plinth reset` takes Kubernetes away from the whole site, `plinth remove NODE` from workers"),
    ("drain", "`plinth remove NODE` takes workers out of the cluster"),
    ("diff", "`plinth plan --preflight` shows what differs from the site file"),
    ("drift", "`plinth plan --preflight` shows what differs from the site file"),
    ("preview", "`plinth plan` shows what would be done"),
    ("dry-run", "`plinth plan` shows what would be done; `plinth apply --dry-run` too, after a look at every step"),
    ("get", "`plinth discover` lists the nodes, `plinth status` the last run, `plinth kubeconfig` lets kubectl in"),
    ("list", "`plinth discover` lists the nodes, `plinth plan` the steps, `plinth explain findings` the codes"),
    ("ls", "`plinth discover` lists the nodes, `plinth plan` the steps, `plinth explain findings` the codes"),
    ("nodes", "`plinth discover` lists the nodes"),
    ("describe", "`plinth explain NODE` lists the steps of a node, `plinth explain STEP` tells about a step"),
    ("show", "`plinth plan` shows the steps, `plinth status` the last run, `plinth explain STEP` one step"),
    ("create", "`plinth init` writes a site file, `plinth apply` makes the site"),
    ("new", "`plinth init` writes a site file"),
    ("install", "`plinth apply` makes the site what its file describes"),
    ("deploy", "`plinth apply` makes the site what its file describes"),
    ("up", "`plinth apply` makes the site what its file describes"),
    ("run", "`plinth apply` makes the site what its file describes"),
    ("resume", "`plinth apply`, run again, continues where it stopped"),
    ("upgrade", "write the new versions into the site file, then `plinth apply`"),
    ("test", "`plinth preflight` looks at the nodes before a run, `plinth check` at the cluster after it"),
    ("verify", "`plinth check` proves that the platform works; `plinth validate` looks at the site file alone"),
    ("prove", "`plinth check` proves that the platform works"),
    ("health", "`plinth check` proves that the platform works"),
    ("doctor", "`plinth preflight` looks at the nodes, `plinth check` at the platform"),
    ("lint", "`plinth validate` checks the site file"),
    (
        "undo",
        "`plinth history STEP` says how a step is undone, `plinth rollback COMPONENT` goes back to an earlier release",
    ),
    ("revert", "`plinth rollback COMPONENT` makes a release what an earlier revision of it was"),
    ("downgrade", "`plinth rollback COMPONENT` makes a release what an earlier revision of it was"),
    ("certs", "`plinth render certs` shows the certificates, their dates and who reads them"),
    ("certificates", "`plinth render certs` shows the certificates, their dates and who reads them"),
    ("images", "`plinth render mirror-list` lists every file and image that a mirror must hold"),
    ("mirror", "`plinth render mirror-list` lists every file and image that a mirror must hold"),
    ("values", "`plinth render values` shows what helm is given"),
    ("inventory", "`plinth discover` lists the nodes, `plinth render inventory` what Kubespray is given"),
    ("template", "`plinth render values` and `plinth render objects` show what is applied"),
    ("refresh", "`plinth plan --refresh` chooses the newest versions of lines again"),
    (
        "update",
        "`plinth plan --refresh` chooses the newest versions of lines again; other versions stand in the site file",
    ),
    ("events", "`plinth apply --events FILE` writes them, `plinth history NODE` tells what happened"),
    ("watch", "`plinth status --watch` does that, `plinth serve` in a browser"),
    ("tail", "`plinth logs last` prints the newest log, `plinth status` what is running"),
    (
        "stop",
        "Ctrl-C, or SIGTERM to its process, lets a run finish what is in flight; `plinth status` names the process",
    ),
    ("force-unlock", "`plinth unlock` frees a lock whose holder is gone"),
    ("state", "`plinth status` shows the last run, `plinth history` what happened; `--state DIR` names another folder"),
    ("retry", "`plinth apply`, run again, continues where it stopped"),
    ("rerun", "`plinth apply`, run again, continues where it stopped"),
    ("continue", "`plinth apply`, run again, continues where it stopped"),
    ("restart", "`plinth apply`, run again, continues where it stopped"),
    (
        "import",
        "`plinth init --from-bcm ADDRESS` fills in what BCM knows; a cluster that is there takes `engine: existing`",
    ),
    (
        "taint",
        "taints of a node stand in the site file (`nodes.overrides.NODE.taints`); a run looks at every step anyway",
    ),
    ("untaint", "taints of a node stand in the site file (`nodes.overrides.NODE.taints`)"),
    ("label", "labels of a node stand in the site file (`nodes.overrides.NODE.labels`)"),
    ("cordon", "`plinth remove NODE` takes workers out of the cluster; `kubectl cordon` keeps new pods away"),
    (
        "cancel",
        "Ctrl-C, or SIGTERM to its process, lets a run finish what is in flight; `plinth status` names the process",
    ),
    (
        "abort",
        "Ctrl-C, or SIGTERM to its process, lets a run finish what is in flight; `plinth status` names the process",
    ),
    (
        "kill",
        "Ctrl-C, or SIGTERM to its process, lets a run finish what is in flight; `plinth status` names the process",
    ),
    ("graph", "`plinth plan --graph dot` writes the plan as a graph"),
    ("output", "`plinth kubeconfig` prints the kubeconfig, `plinth render` what is handed to others"),
    ("config", "the site file is all there is to configure: `plinth schema` describes it, `plinth init` writes one"),
    ("facts", "`plinth preflight` looks at the nodes, `plinth discover` lists them"),
    ("ping", "`plinth preflight` tells which nodes do not answer"),
    ("wipe", "`plinth reset` takes Kubernetes away from the whole site, `plinth remove NODE` from workers"),
    ("format", "`plinth validate` checks the site file; it is never rewritten"),
    ("add", "write the node into the site file, then `plinth apply` takes it in"),
    ("join", "write the node into the site file, then `plinth apply` takes it in"),
];

/// How a question is answered before it is asked.
const ANSWERS: &str = "`apply` takes `--yes`; `remove`, `reset` and `recover` delete data, so they take the site's name: `--confirm SITE`; other verbs ask nothing";

/// Flags of other tools, and what does the same here.
const FLAGS: [(&str, &str); 21] = [
    ("--auto-approve", ANSWERS),
    ("--yes", ANSWERS),
    ("-y", ANSWERS),
    ("--confirm", ANSWERS),
    ("--force", ANSWERS),
    ("--target", "a run always does the whole plan; what is done already is only looked at"),
    ("--skip", "what is switched off in the site file is skipped (`enabled: false`); a run does the whole plan"),
    ("--tags", "a run always does the whole plan; what is done already is only looked at"),
    (
        "--limit",
        "a run does the whole plan, and what is done already is only looked at; `plinth explain NODE` lists the steps of a node",
    ),
    ("--no-color", "write `--color never`, or set NO_COLOR"),
    ("--watch", "`plinth status --watch` does that"),
    ("-w", "`plinth status --watch` does that"),
    ("--debug", "`-v` says more, `-vv` all; the log in the state directory has it anyway (`plinth logs`)"),
    ("--trace", "`-v` says more, `-vv` all; the log in the state directory has it anyway (`plinth logs`)"),
    (
        "--namespace",
        "what plinth installs has its namespaces from the site file (`platform.components.NAME.namespace`)",
    ),
    (
        "--exclude",
        "`--without NODE` leaves a worker out of this run; for good: `exclude` below `nodes` in the site file",
    ),
    ("--revision", "`plinth rollback COMPONENT --to-revision N`"),
    ("--to", "`plinth rollback COMPONENT --to-revision N`"),
    ("--follow", "`plinth status --watch` follows a run, `plinth serve` in a browser"),
    ("--kubeconfig", "plinth keeps its own: `plinth kubeconfig --merge` puts it into yours"),
    ("--dry-run", "`plinth plan` shows what would be done and changes nothing"),
];

/// Adds what people may have meant, where clap has nothing better to say.
pub(crate) fn improve(mut error: clap::Error) -> clap::Error {
    let said = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => said(&error, ContextKind::InvalidSubcommand).and_then(|verb| of_verb(&verb)),
        ErrorKind::InvalidValue => of_form(&error, &said),
        ErrorKind::UnknownArgument => said(&error, ContextKind::InvalidArg).and_then(|word| of_word(&word)),
        _ => None,
    };
    if let Some(tip) = tip {
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    } else if let Some(ContextValue::StyledStrs(tips)) = error.remove(ContextKind::Suggested) {
        // No verb takes a word that begins with a dash, so `-- --debug` would be the next error.
        let kept: Vec<_> = tips.into_iter().filter(|tip| !tip.to_string().contains("as a value, use")).collect();
        if !kept.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(kept));
        }
    }
    error
}

/// `-o FILE`, as other tools write it.
fn of_form(error: &clap::Error, said: &impl Fn(&clap::Error, ContextKind) -> Option<String>) -> Option<String> {
    let is_form = said(error, ContextKind::InvalidArg)?.starts_with("--output");
    let value = said(error, ContextKind::InvalidValue)?;
    let is_file = value.contains(['.', '/']);
    (is_form && is_file).then(|| format!("`-o` is the form of what is printed; a file is named with `--out {value}`"))
}

fn of_verb(verb: &str) -> Option<String> {
    let tip = VERBS.iter().find(|(known, _)| *known == verb).map(|(_, tip)| (*tip).to_owned());
    tip.or_else(|| is_site_file(verb).then(|| format!("a site file is named with `-f {verb}`")))
}

fn of_word(word: &str) -> Option<String> {
    let flag = word.split('=').next().unwrap_or(word);
    let tip = FLAGS.iter().find(|(known, _)| *known == flag).map(|(_, tip)| (*tip).to_owned());
    tip.or_else(|| is_site_file(word).then(|| format!("a site file is named with `-f {word}`")))
}

fn is_site_file(word: &str) -> bool {
    [".yaml", ".yml"].iter().any(|end| word.to_lowercase().ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Arguments;
    use clap::Parser;

    fn said(arguments: &[&str]) -> String {
        match Arguments::try_parse_from(std::iter::once("plinth").chain(arguments.iter().copied())) {
            Ok(_) => String::new(),
            Err(error) => improve(error).to_string(),
        }
    }

    #[test]
    fn words_of_other_tools_are_answered() {
        for (verb, _) in VERBS {
            assert!(said(&[verb]).contains("tip:"), "{verb}: {}", said(&[verb]));
        }
        assert!(said(&["plan", "site.yaml"]).contains("-f site.yaml"), "{}", said(&["plan", "site.yaml"]));
        assert!(said(&["reset", "--yes"]).contains("--confirm SITE"), "{}", said(&["reset", "--yes"]));
        assert!(said(&["apply", "--auto-approve"]).contains("--yes"), "{}", said(&["apply", "--auto-approve"]));
        for verb in ["report", "support"] {
            let told = said(&[verb, "-o", "run.html"]);
            assert!(told.contains("a file is named with `--out run.html`"), "{told}");
        }
        assert!(!said(&["plan", "-o", "jsom"]).contains("--out "), "a form that was misspelt");
        assert!(
            said(&["explain", "--follow"]).contains("`plinth status --watch`"),
            "{}",
            said(&["explain", "--follow"])
        );
        assert!(said(&["status", "-w"]).contains("`plinth status --watch`"), "{}", said(&["status", "-w"]));
        for unknown in ["--debugging", "--colour"] {
            let said = said(&["explain", unknown]);
            assert!(said.contains("unexpected argument") && !said.contains("as a value"), "{said}");
        }
        assert!(said(&["plan", "--dry-run"]).contains("plinth plan"), "{}", said(&["plan", "--dry-run"]));
    }

    #[test]
    fn no_verb_of_ours_is_answered_with_another_one() {
        use clap::CommandFactory;
        let ours: Vec<String> = Arguments::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        assert!(VERBS.iter().all(|(verb, _)| !ours.iter().any(|own| own == verb)), "{ours:?}");
    }
}
