//! The hosts of each play, as `--list-hosts` prints them.

use crate::program::{CLIENT, Ended};
use plinth_world::ansible::PlayHosts;
use plinth_world::{ClientError, ClientResult};

/// Hosts of each play, as `ansible-playbook --list-hosts` printed them.
pub(super) fn read(ended: &Ended, doing: &str) -> ClientResult<Vec<PlayHosts>> {
    let plays = parse(&ended.stdout);
    if ended.status.success() && !plays.is_empty() {
        return Ok(plays);
    }
    let happened = format!("ansible-playbook listed no hosts: {}", ended.complaint().join("; "));
    Err(ClientError::new(CLIENT, doing).happened(happened).attempt("see that inventory and variables are written"))
}

/// A play has a line like `play #1 (all): NAME`, a tab and its tags; its hosts follow below `hosts (2):`, indented further.
fn parse(text: &str) -> Vec<PlayHosts> {
    let mut plays: Vec<PlayHosts> = Vec::new();
    let mut in_hosts = false;
    for line in text.lines() {
        let words = line.trim();
        if let Some(rest) = words.strip_prefix("play #") {
            let name = rest.split_once("): ").map_or(rest, |(_, name)| name);
            let name = name.split("\tTAGS:").next().unwrap_or(name).trim();
            plays.push(PlayHosts { play: name.to_owned(), hosts: Vec::new() });
            in_hosts = false;
        } else if words.starts_with("hosts (") {
            in_hosts = true;
        } else if words.is_empty() || words.starts_with("pattern:") {
            in_hosts = false;
        } else if let Some(play) = plays.last_mut().filter(|_| in_hosts) {
            play.hosts.push(words.to_owned());
        }
    }
    plays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plays_and_hosts_are_read() {
        let text = "\nplaybook: cluster.yml\n\n  play #1 (all): Check (twice): all\tTAGS: [always]\n    pattern: ['all']\n    hosts (2):\n      n1\n      n2\n\n  play #2 (bastion[0]): Bastion\tTAGS: []\n    pattern: ['bastion[0]']\n    hosts (0):\n";
        let plays = parse(text);
        assert_eq!(plays.len(), 2);
        assert_eq!(
            (plays[0].play.as_str(), plays[0].hosts.as_slice()),
            ("Check (twice): all", ["n1".to_owned(), "n2".to_owned()].as_slice())
        );
        assert!(plays[1].hosts.is_empty());
    }
}
