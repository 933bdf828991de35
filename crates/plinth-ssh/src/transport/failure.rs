//! Errors of the SSH client, in the words of the person who has to fix them.

use super::heard::Heard;
use super::hostkeys::{Pins, describe};
use super::peer::Peer;
use plinth_model::Code;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_world::{Cause, ClientError};
use russh::keys::PublicKey;
use russh::{AlgorithmKind, Error};
use std::io::ErrorKind;
use std::time::Duration;

const CLIENT: &str = "node";
/// Why trying again may help after a loss.
const LOST: &str = "a lost connection can be opened again";
/// Why trying again may help with a node that is not there.
const STARTING: &str = "a node that is starting, or a link that is down, may come back";
/// Why trying again may help with sshd turning us away.
const BUSY: &str = "sshd turns connections away while many others are being opened";

/// A failure that trying again will not fix.
pub(super) fn permanent(
    doing: &str,
    peer: &Peer,
    happened: impl Into<String>,
    attempt: impl Into<String>,
) -> ClientError {
    let place = if doing == "connecting" { "to" } else { "on" };
    ClientError::new(CLIENT, format!("{doing} {place} {peer}")).happened(happened).attempt(attempt)
}

/// A failure with a finding of the same words.
pub(super) fn found(
    code: Code,
    peer: &Peer,
    doing: &str,
    happened: &str,
    fix: impl Into<String>,
    evidence: Vec<String>,
) -> ClientError {
    let fix = fix.into();
    let mut finding = Finding::error(code, peer.name.as_str(), happened).fix(fix.clone());
    finding.evidence = evidence;
    permanent(doing, peer, happened, fix).finding(finding)
}

/// The connection went away in the middle.
pub(super) fn lost(doing: &str, peer: &Peer, how: impl Into<String>) -> ClientError {
    let attempt = format!("look whether {} is up and its link is stable, then run again", peer.name);
    permanent(doing, peer, how, attempt).because(Cause::Unreachable).transient(LOST)
}

/// No TCP connection.
pub(super) fn unreachable(peer: &Peer, error: &std::io::Error) -> ClientError {
    let attempt = match error.kind() {
        ErrorKind::ConnectionRefused => format!("start sshd there, or correct the port ({})", peer.port),
        _ => format!("look whether {} is up, and whether a firewall or a missing route is in between", peer.host),
    };
    permanent("connecting", peer, error.to_string(), attempt)
        .because(if error.kind() == ErrorKind::TimedOut { Cause::Timeout } else { Cause::Unreachable })
        .transient(STARTING)
}

/// No TCP connection in time.
pub(super) fn unreachable_in_time(peer: &Peer, deadline: Duration) -> ClientError {
    let error = format!("no answer within {} s", deadline.as_secs_f32());
    unreachable(peer, &std::io::Error::new(ErrorKind::TimedOut, error))
}

/// The peer began to speak, but not to the end.
pub(super) fn late(peer: &Peer, heard: &Heard, deadline: Duration) -> ClientError {
    let within = format!("within {} s", deadline.as_secs_f32());
    let happened = match heard.first_line() {
        None => format!("it took the connection and said nothing {within}"),
        Some(line) if line.starts_with("SSH-") => {
            format!("it did not finish the key exchange and the login {within}; it began with `{line}`")
        }
        Some(line) => format!("it did not speak SSH {within}; it began with `{line}`"),
    };
    let attempt = format!("look whether sshd, and not something else, listens on port {} and answers", peer.port);
    permanent("connecting", peer, happened, attempt).because(Cause::Timeout).transient(STARTING)
}

/// The handshake failed.
pub(super) fn handshake(peer: &Peer, error: &Error, heard: &Heard) -> ClientError {
    match error {
        Error::NoCommonAlgo { kind, theirs, .. } => no_common(peer, kind, theirs),
        _ if heard.first_line().is_none() => permanent(
            "connecting",
            peer,
            "it closed the connection before it said anything",
            "look at sshd's MaxStartups, at fail2ban and at hosts.deny on that host",
        )
        .transient(BUSY),
        _ => match heard.first_line() {
            Some(line) if !line.starts_with("SSH-2.") && !line.starts_with("SSH-1.99") => {
                let known = if line.starts_with("HTTP/") { "it speaks HTTP" } else { "it does not speak SSH" };
                permanent(
                    "connecting",
                    peer,
                    format!("{known}: it began with `{line}`"),
                    "correct the address or the port of SSH",
                )
            }
            _ if is_loss(error) => lost("connecting", peer, "the connection was closed during the key exchange"),
            _ => permanent(
                "connecting",
                peer,
                format!("the key exchange failed: {error}"),
                "look at sshd's log on that host",
            ),
        },
    }
}

/// Whether an error only says that the connection is gone.
pub(super) const fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::IO(_)
            | Error::Disconnect
            | Error::HUP
            | Error::SendError
            | Error::RecvError
            | Error::KeepaliveTimeout
            | Error::InactivityTimeout
            | Error::ConnectionTimeout
    )
}

fn no_common(peer: &Peer, kind: &AlgorithmKind, theirs: &[String]) -> ClientError {
    let offered = theirs.join(", ");
    let only_sha1 = theirs.iter().any(|name| name == "ssh-rsa");
    let (happened, attempt) = match kind {
        AlgorithmKind::Key if only_sha1 && !peer.legacy => (
            format!("its host keys need SHA-1, which is not accepted by default; it offers: {offered}"),
            format!("update sshd on {0}, or list {0} under `legacyKeys` of the site file's access part", peer.name),
        ),
        AlgorithmKind::Key if theirs.iter().any(|name| name == "ssh-dss") => (
            format!(
                "its only host keys are DSA, which OpenSSH has removed since they can be broken; it offers: {offered}"
            ),
            "make host keys of another kind there (`ssh-keygen -A`) and restart sshd".to_owned(),
        ),
        _ => (
            format!("we agree on no {kind:?} algorithm; it offers: {offered}").replace("Kex", "key exchange"),
            "update sshd there, or allow a current algorithm in its sshd_config".to_owned(),
        ),
    };
    permanent("connecting", peer, happened, attempt)
}

/// The peer's key is not one that proves it.
pub(super) fn host_key(peer: &Peer, pins: &Pins, presented: &PublicKey) -> ClientError {
    let shown = describe(presented);
    let Some(pinned) = pins.beside(presented) else {
        return permanent(
            "connecting",
            peer,
            format!("its host key is not pinned yet: {} {}", shown.algorithm, shown.fingerprint),
            format!("compare the fingerprint with the host's console, then `plinth trust {}`", peer.name),
        );
    };
    let evidence = vec![
        format!("pinned: {} {}", pinned.algorithm, pinned.fingerprint),
        format!("presented: {} {}", shown.algorithm, shown.fingerprint),
        format!("address: {}", peer.host),
    ];
    let again = if peer.between {
        format!("remove `host-keys/{}` in the state directory, and run again", peer.name)
    } else {
        format!("run `plinth trust {}`", peer.name)
    };
    let fix = format!(
        "if BCM re-imaged this node, that is expected: {again}; if not, somebody may be intercepting the connection: investigate first"
    );
    found(code::NODE_HOST_KEY_CHANGED, peer, "connecting", "the host key is not the one that was pinned", fix, evidence)
        .because(Cause::UnknownAuthority)
}

/// The host in between opened no connection to the peer.
pub(super) fn not_through(peer: &Peer, error: &Error) -> ClientError {
    let (happened, attempt) = match error {
        Error::ChannelOpenFailure(russh::ChannelOpenFailure::AdministrativelyProhibited) => {
            let fix = "allow TCP forwarding (AllowTcpForwarding, PermitOpen) on the host in between";
            return permanent("connecting", peer, "the host in between forwards no connections", fix);
        }
        Error::ChannelOpenFailure(_) => (
            "the host in between does not reach it".to_owned(),
            format!("look whether {} is up, and whether the host in between has a route to it", peer.host),
        ),
        error => (format!("the connection to the host in between was lost: {error}"), "run again".to_owned()),
    };
    permanent("connecting", peer, happened, attempt).because(Cause::Unreachable).transient(STARTING)
}

/// A command could not be started on an open connection.
pub(super) fn no_channel(doing: &str, peer: &Peer, error: &Error) -> ClientError {
    if is_loss(error) {
        return lost(doing, peer, format!("the connection was lost: {error}"));
    }
    let attempt = format!(
        "look at MaxSessions in sshd_config of {}: plinth runs up to eight commands on one connection",
        peer.name
    );
    permanent(doing, peer, format!("sshd opened no session: {error}"), attempt).transient(BUSY)
}
