//! The fixed shell text that takes a script in, becomes root, keeps watch, and runs the script. One exec request; everything that
//! is secret travels behind it by standard input, in this order: this text, a line with sudo's password (or an empty one), the
//! script, and then one byte every few seconds. When those bytes stay away, or the channel ends, the script's whole session is
//! ended: so a call that is given up, and a link that is cut, leave nothing running.
//!
//! Where sudo wants a password, the shell stays and takes the next operation on the same channel: a line's end, the words, the
//! password, the script. It does so because sudo's ticket without a terminal is for one parent process in one session, and sshd
//! gives each channel a session of its own: a ticket never serves another channel, whoever runs sudo there. The shell that stays is
//! the login's, not root's. The exception is `timestamp_type=global` in sudoers: there the ticket serves every session of the login
//! until it expires, and it is not taken back, since a person's own ticket is the same one.

/// The byte that says we are still there, every [`plinth_world::deadlines::SSH_HEARTBEAT`].
pub(super) const BEAT: &[u8] = b".";

/// Becomes root, if need be.
const OUTER: &str = include_str!("sh/outer.sh");
/// Reads the script and keeps watch over it. It has no comments of its own, since sudo writes it into the node's log.
///
/// The watch reads one byte at a time. After a beat it waits for the next one; `x` says that the answers were heard, and ends the
/// watch alone. Nothing within the limit, or the channel's end, is the end of the script too; where timeout is missing or
/// understands something else, only the channel's end is. When the shell stays, the watch is waited for: a dd that outlived it
/// would take a byte of the next operation away.
const INNER: &str = include_str!("sh/inner.sh");
/// Runs the script in a session of its own.
const CHILD: &str = include_str!("sh/child.sh");

/// As whom a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As the login.
    User,
    Root,
    /// As root, and alone: no second one that changes things runs beside it.
    Lock,
}

impl Mode {
    const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Root => "root",
            Self::Lock => "lock",
        }
    }
}

pub(super) fn text() -> String {
    let inner = format!("child={}\n{INNER}", quoted(CHILD));
    format!("inner={}\n{OUTER}", quoted(&inner))
}

/// The command for the login shell, whichever that is: between single quotes are neither quotes, backslashes, line breaks nor
/// exclamation marks, so that sh, csh and fish read the same.
pub(super) fn command(text_length: usize, script_length: usize, nonce: &str, mode: Mode) -> String {
    let word = mode.word();
    // A dd that does not know `fullblock` says so before it reads anything; the other one needs two system calls for each byte.
    let take =
        format!("dd bs={text_length} count=1 iflag=fullblock 2>/dev/null || dd bs=1 count={text_length} 2>/dev/null");
    format!("exec sh -c 'eval \"$({take})\"' plinth {script_length} {nonce} {word}")
}

/// The lines before the password of a further operation, for a shell that has become root already.
pub(super) fn next(script_length: usize, nonce: &str, mode: Mode) -> String {
    format!("\n{script_length} {nonce} {}\n", mode.word())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_reads_the_command_alike() {
        let command = command(10, 20, "abc", Mode::Lock);
        let inside = command.split('\'').nth(1).unwrap();
        assert_eq!(command.matches('\'').count(), 2);
        assert!(!inside.contains(['\\', '!', '\n', '`']), "{command}");
    }
}
