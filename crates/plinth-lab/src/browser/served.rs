//! A program that serves pages on loopback and says where.

use crate::error::{LabError, LabResult};
use crate::tied::Tied;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Until it says where: a program that is not optimised reads a large journal first.
const STARTS: Duration = Duration::from_secs(60);

/// A program that serves pages, until this is dropped.
#[derive(Debug)]
pub struct Served {
    link: String,
    program: Tied,
}

impl Served {
    /// Starts it, and waits until it has printed a link to loopback; all it prints goes to `log`.
    ///
    /// # Errors
    /// When it ends, or says nothing in time.
    pub fn start(command: &Command, log: &Path) -> LabResult<Self> {
        let doing = "starting the server of pages";
        let program = Tied::start(command, doing, log)?;
        let until = Instant::now() + STARTS;
        loop {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            if let Some(link) = link_in(&said) {
                return Ok(Self { link: link.to_owned(), program });
            }
            if program.has_ended() || Instant::now() > until {
                return Err(LabError::new(doing, format!("it printed no link: {}", said.trim()), "start it by hand"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What lets a browser in: with the token.
    #[must_use]
    pub fn link(&self) -> &str {
        &self.link
    }

    /// `http://127.0.0.1:1234`.
    #[must_use]
    pub fn origin(&self) -> &str {
        let rest = self.link.find("://").map_or(0, |at| at + 3);
        let end = self.link.get(rest..).and_then(|rest| rest.find('/')).map_or(self.link.len(), |at| rest + at);
        self.link.get(..end).unwrap_or_default()
    }

    /// The token of the link; empty when there is none.
    #[must_use]
    pub fn token(&self) -> &str {
        self.link.split_once("token=").map_or("", |(_, token)| token)
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.program.process()
    }
}

/// A whole word: what is being printed may not be there to its end.
fn link_in(said: &str) -> Option<&str> {
    let (at, _) = said.match_indices("http://127.0.0.1:").next()?;
    let rest = said.get(at..)?;
    rest.split_once(char::is_whitespace).map(|(link, _)| link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_in_what_is_said_and_taken_apart() {
        assert_eq!(link_in("served at http://127.0.0.1:80/?tok"), None);
        let scratch = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo read it at 'http://127.0.0.1:81/?token=abc' ; exec sleep 60"]);
        let served = Served::start(&command, &scratch.path().join("log")).unwrap();
        assert_eq!((served.origin(), served.token()), ("http://127.0.0.1:81", "abc"));
        assert!(served.process() > 1);
        assert!(Served::start(Command::new("false").arg("x"), &scratch.path().join("other")).is_err());
    }
}
