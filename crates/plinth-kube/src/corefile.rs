//! Corefiles: who answers a name by them, and the same text with a name of ours between marks. Everything else stays as it is.
//!
//! Only as much of the format is read as that takes: blocks, their zones, and the first words of their plugins (CoreDNS manual, "Corefile
//! explained"; plugins `hosts` and `forward`). Not covered: files that are brought in by `import`, and variables in zones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// What stands around what is ours.
const MARK: &str = "# plinth: ";
const BEGINS: &str = " begins";
const ENDS: &str = " ends";
/// The port on which pods ask.
const PORT: &str = "53";

/// Files that `hosts` reads, by their names: the other keys of the map in which the Corefile stands.
pub(super) type Files = BTreeMap<String, String>;

/// What a server with a Corefile does with a name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answering {
    /// Addresses that its `hosts` give; the first of all plugins that answer.
    pub(super) addresses: BTreeSet<Ipv4Addr>,
    /// Whom it asks otherwise.
    pub(super) forwards: BTreeSet<String>,
}

/// Who answers the name by this Corefile.
///
/// # Errors
/// When it makes no sense; in words.
pub(super) fn answering(text: &str, files: &Files, name: &str) -> Result<Answering, String> {
    let (name, lines) = (lowered(name), text.lines().collect::<Vec<_>>());
    let all = blocks(&lines)?;
    let mut seen = Answering::default();
    for block in nearest(&all, &name) {
        seen.addresses.extend(block.addresses(files, &name));
        let forwards = block.plugins.iter().filter(|plugin| plugin.words[0] == "forward");
        seen.forwards.extend(forwards.flat_map(|plugin| plugin.words.iter().skip(2)).map(|&word| word.to_owned()));
    }
    Ok(seen)
}

/// Names that plinth put in.
pub(super) fn ours(text: &str) -> BTreeSet<String> {
    let name = |line: &str| line.trim().strip_prefix(MARK)?.strip_suffix(BEGINS).map(str::to_owned);
    text.lines().filter_map(name).collect()
}

/// The text with this name as the only one of ours; none: with none of ours.
///
/// # Errors
/// When somebody else answers for the name already, or the text makes no sense; in words.
pub(super) fn with(text: &str, files: &Files, entry: Option<(&str, Ipv4Addr)>) -> Result<String, String> {
    let text = without(text)?;
    let Some((name, address)) = entry else { return Ok(text) };
    let (name, mut lines) = (lowered(name), text.lines().collect::<Vec<_>>());
    let all = blocks(&lines)?;
    let nearest = nearest(&all, &name);
    if nearest.is_empty() {
        return Err(format!("no block of the Corefile answers for {name}"));
    }
    if nearest.iter().any(|block| block.zones.contains(&name)) {
        return Err(format!("the Corefile has a block for {name} already, which is not plinth's"));
    }
    let mut added = Vec::new();
    for block in nearest {
        let known = block.addresses(files, &name);
        match known.iter().find(|known| **known != address) {
            Some(other) => return Err(format!("the Corefile leads {name} to {other} already, which is not plinth's")),
            None if known.is_empty() => added.push(block.entry(&name, address)?),
            None => {}
        }
    }
    // From below, so that the numbers of the lines above stay what they are.
    for (at, entry) in added.iter().rev() {
        lines.splice(at..at, entry.lines());
    }
    Ok(joined(&lines, &text))
}

/// The text with nothing of ours.
fn without(text: &str) -> Result<String, String> {
    let (mut lines, mut inside) = (Vec::new(), None);
    for line in text.lines() {
        let mark = line.trim().strip_prefix(MARK);
        inside = inside.or_else(|| mark.and_then(|mark| mark.strip_suffix(BEGINS)));
        if inside.is_none() {
            lines.push(line);
        } else if mark.and_then(|mark| mark.strip_suffix(ENDS)) == inside {
            inside = None;
        }
    }
    match inside {
        Some(name) => Err(format!("`{MARK}{name}{ENDS}` is missing in the Corefile")),
        None => Ok(joined(&lines, text)),
    }
}

/// Lines as a text that ends as `like` does.
fn joined(lines: &[&str], like: &str) -> String {
    let end = if like.ends_with('\n') { "\n" } else { "" };
    lines.join("\n") + end
}

fn lowered(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// One server.
#[derive(Debug)]
struct Block<'a> {
    /// For which names; empty: all. None at all: a snippet, or another port.
    zones: Vec<String>,
    /// Number of the line with its `{`.
    opens: usize,
    plugins: Vec<Plugin<'a>>,
}

#[derive(Debug)]
struct Plugin<'a> {
    /// Its name and what follows; never empty.
    words: Vec<&'a str>,
    line: usize,
    /// It has a block.
    is_open: bool,
    /// Lines of its block.
    inner: Vec<Vec<&'a str>>,
}

impl Block<'_> {
    /// Addresses that its `hosts` give.
    fn addresses(&self, files: &Files, name: &str) -> Vec<Ipv4Addr> {
        let mut found = Vec::new();
        for hosts in self.plugins.iter().filter(|plugin| plugin.words[0] == "hosts" && plugin.is_about(name)) {
            let file = hosts.words.get(1).and_then(|path| files.get(path.rsplit('/').next().unwrap_or(path)));
            let of_file = file.into_iter().flat_map(|text| text.lines()).map(words);
            found.extend(of_file.chain(hosts.inner.iter().cloned()).filter_map(|line| address(&line, name)));
        }
        found
    }

    /// The lines that lead the name to the address, and the number of the line before which they belong. A block may have one `hosts`
    /// only, so they go into that one where there is one.
    fn entry(&self, name: &str, address: Ipv4Addr) -> Result<(usize, String), String> {
        let (begins, ends) = (format!("{MARK}{name}{BEGINS}"), format!("{MARK}{name}{ENDS}"));
        match self.plugins.iter().find(|plugin| plugin.words[0] == "hosts") {
            None => Ok((
                self.opens + 1,
                format!(
                    "    {begins}\n    hosts {{\n        {address} {name}\n        fallthrough\n    }}\n    {ends}"
                ),
            )),
            Some(hosts) if hosts.is_open && hosts.is_about(name) => {
                Ok((hosts.line + 1, format!("        {begins}\n        {address} {name}\n        {ends}")))
            }
            Some(_) => Err(format!("the `hosts` of the Corefile has no place for {name}")),
        }
    }
}

impl Plugin<'_> {
    /// Whether a `hosts` is for this name: all of its block, unless zones stand behind its file.
    fn is_about(&self, name: &str) -> bool {
        let zones = self.words.get(2..).unwrap_or_default();
        zones.is_empty() || zones.iter().any(|zone| covers(&lowered(zone), name))
    }
}

/// The blocks that answer for a name: those with the longest zone that it is in.
fn nearest<'a, 'b>(blocks: &'b [Block<'a>], name: &str) -> Vec<&'b Block<'a>> {
    let zone = |block: &Block<'_>| block.zones.iter().filter(|zone| covers(zone, name)).map(String::len).max();
    let longest = blocks.iter().filter_map(zone).max();
    blocks.iter().filter(|block| longest.is_some() && zone(block) == longest).collect()
}

fn covers(zone: &str, name: &str) -> bool {
    zone.is_empty() || name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The address of a line `ADDRESS NAME...`, if it is about this name.
fn address(line: &[&str], name: &str) -> Option<Ipv4Addr> {
    let (address, names) = line.split_first()?;
    let address: Ipv4Addr = address.parse().ok()?;
    names.iter().any(|known| lowered(known) == name).then_some(address)
}

/// What stands in a line before a comment.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().take_while(|word| !word.starts_with('#')).collect()
}

fn blocks<'a>(lines: &[&'a str]) -> Result<Vec<Block<'a>>, String> {
    let (mut blocks, mut header, mut depth) = (Vec::<Block<'a>>::new(), Vec::new(), 0_usize);
    for (line, text) in lines.iter().enumerate() {
        let mut words = words(text);
        if words.first() == Some(&"}") {
            depth = depth.checked_sub(1).ok_or_else(|| format!("line {} of the Corefile closes nothing", line + 1))?;
            continue;
        }
        let is_open = words.last() == Some(&"{");
        words.truncate(words.len() - usize::from(is_open));
        match (depth, blocks.last_mut()) {
            (0, _) => {
                header.extend(words);
                if is_open {
                    let zones = header.drain(..).flat_map(|word| word.split(',')).filter_map(zone).collect();
                    blocks.push(Block { zones, opens: line, plugins: Vec::new() });
                }
            }
            (1, Some(block)) if !words.is_empty() => {
                block.plugins.push(Plugin { words, line, is_open, inner: Vec::new() });
            }
            (_, Some(block)) => {
                let plugin = block.plugins.last_mut().filter(|_| depth == 2 && !words.is_empty());
                plugin.into_iter().for_each(|plugin| plugin.inner.push(words.clone()));
            }
            (_, None) => {}
        }
        depth += usize::from(is_open);
    }
    if depth > 0 { Err("a block of the Corefile is not closed".to_owned()) } else { Ok(blocks) }
}

/// The zone of a word before a block, if pods ask there: `example.com:53` is `example.com`, `.` is the empty one.
fn zone(word: &str) -> Option<String> {
    let word = word.strip_prefix("dns://").unwrap_or(word);
    if word.is_empty() || word.starts_with('(') || word.contains("://") {
        return None;
    }
    match word.rsplit_once(':') {
        Some((name, port)) => (port == PORT).then(|| lowered(name)),
        None => Some(lowered(word)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NAME: &str = "runai.example.com";
    const PLAIN: &str =
        ".:53 {\n    errors # all\n    health {\n        lameduck 5s\n    }\n    forward . /etc/resolv.conf\n}\n";
    /// In the shape in which Kubespray configures a cache on the nodes: zones of the cluster go to its servers, others elsewhere.
    const CACHE: &str = "cluster.local:53 {\n    bind 169.254.25.10\n    forward . 10.233.0.3 {\n        force_tcp\n    }\n}\n.:53 {\n    bind 169.254.25.10\n    forward . /etc/resolv.conf\n}\n";
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

    fn files() -> Files {
        Files::new()
    }

    fn put(text: &str, name: &str, address: Ipv4Addr) -> Result<String, String> {
        with(text, &files(), Some((name, address)))
    }

    #[test]
    fn a_name_comes_in_once_moves_and_goes() {
        let first = put(PLAIN, "Runai.example.com.", ADDRESS).unwrap();
        insta::assert_snapshot!("corefile", first);
        assert_eq!(put(&first, NAME, ADDRESS).unwrap(), first);
        let moved = put(&first, NAME, Ipv4Addr::new(10, 0, 0, 6)).unwrap();
        assert_eq!(moved, first.replace("10.0.0.5", "10.0.0.6"));
        let other = put(&moved, "other.example.com", ADDRESS).unwrap();
        assert_eq!(ours(&other), BTreeSet::from(["other.example.com".to_owned()]), "the domain of before goes");
        assert_eq!(other, first.replace(NAME, "other.example.com"));
        assert_eq!(with(&other, &files(), None).unwrap(), PLAIN, "and all of ours");
        assert_eq!(with(PLAIN.trim_end(), &files(), None).unwrap(), PLAIN.trim_end());
    }

    #[test]
    fn what_others_change_stays() {
        let first = put(PLAIN, NAME, ADDRESS).unwrap();
        let theirs = first.replace("/etc/resolv.conf", "10.0.0.1") + "a.test:53 {\n    whoami\n}\n";
        assert_eq!(put(&theirs, NAME, ADDRESS).unwrap(), theirs);
        let plain = PLAIN.replace("/etc/resolv.conf", "10.0.0.1") + "a.test:53 {\n    whoami\n}\n";
        assert_eq!(with(&theirs, &files(), None).unwrap(), plain);
    }

    #[test]
    fn a_block_of_before_is_replaced() {
        let old = format!(
            "{PLAIN}# plinth: {NAME} begins\n{NAME}:53 {{\n    hosts {{\n        10.0.0.5 {NAME}\n    }}\n}}\n# plinth: {NAME} ends\n"
        );
        assert_eq!(put(&old, NAME, ADDRESS).unwrap(), put(PLAIN, NAME, ADDRESS).unwrap());
    }

    #[test]
    fn the_block_that_answers_gets_it() {
        let cache = put(CACHE, NAME, ADDRESS).unwrap();
        let (own, rest) = cache.split_once(".:53 {").unwrap();
        assert!(!own.contains(NAME) && rest.starts_with(&format!("\n    # plinth: {NAME} begins\n")), "{cache}");
        let zone = format!("{CACHE}a.test, Example.com {{\n    forward . 10.0.0.1\n}}\n");
        let zoned = put(&zone, NAME, ADDRESS).unwrap();
        assert!(zoned.starts_with(CACHE) && zoned.contains("Example.com {\n    # plinth"), "{zoned}");
        let seen = answering(&cache, &files(), NAME).unwrap();
        assert_eq!(seen.addresses, BTreeSet::from([ADDRESS]));
        assert_eq!(seen.forwards, BTreeSet::from(["/etc/resolv.conf".to_owned()]));
        let own = answering(&cache, &files(), "kubernetes.default.svc.cluster.local").unwrap();
        assert_eq!(own.forwards, BTreeSet::from(["10.233.0.3".to_owned()]));
        assert_eq!(answering(CACHE, &files(), "notexample.com").unwrap().addresses, BTreeSet::new());
    }

    #[test]
    fn a_second_hosts_would_stop_the_server_so_theirs_gets_it() {
        let theirs =
            PLAIN.replace("    errors", "    hosts /etc/coredns/hosts {\n        fallthrough\n    }\n    errors");
        let text = put(&theirs, NAME, ADDRESS).unwrap();
        assert_eq!(text.matches("    hosts ").count(), 1, "{text}");
        assert!(
            text.contains(&format!("hosts {{\n        # plinth: {NAME} begins\n        10.0.0.5 {NAME}\n")),
            "{text}"
        );
        assert_eq!(put(&text, NAME, ADDRESS).unwrap(), text);
        assert_eq!(with(&text, &files(), None).unwrap(), theirs);

        // What Kubespray's `dns_etchosts` gives: the name stands in another key of the map.
        let file = Files::from([("hosts".to_owned(), format!("10.0.0.5 {NAME}\n"))]);
        assert_eq!(with(&theirs, &file, Some((NAME, ADDRESS))).unwrap(), theirs, "it is there already");
        assert_eq!(answering(&theirs, &file, NAME).unwrap().addresses, BTreeSet::from([ADDRESS]));
        let why = with(&theirs, &file, Some((NAME, Ipv4Addr::LOCALHOST))).unwrap_err();
        assert!(why.contains("to 10.0.0.5 already"), "{why}");
        for closed in ["hosts /etc/coredns/hosts example.org {", "hosts"] {
            let text = PLAIN.replace("health {", closed).replace("        lameduck 5s\n    }\n", "");
            let text = if closed.ends_with('{') { text.replace("    forward", "    }\n    forward") } else { text };
            assert!(put(&text, NAME, ADDRESS).unwrap_err().contains("no place"), "{text}");
        }
    }

    #[test]
    fn what_is_not_ours_or_not_understood_is_left_alone() {
        let theirs = format!("{PLAIN}a.test,\nrunai.example.com:53 {{\n    whoami\n}}\n");
        assert!(put(&theirs, NAME, ADDRESS).unwrap_err().contains("not plinth's"));
        assert!(put(&theirs, "b.test", ADDRESS).is_ok());
        let cases = [
            ("# plinth: b.test begins\n.:53 {\n", "is missing"),
            (".:53 {\n    errors\n", "not closed"),
            ("}\n", "closes nothing"),
            ("(common) {\n    errors\n}\n.:5353 tls://.:853 {\n    errors\n}\n", "no block"),
        ];
        for (text, why) in cases {
            assert!(put(text, "b.test", ADDRESS).unwrap_err().contains(why), "{text}");
        }
    }
}
