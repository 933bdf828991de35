//! The few requests that measurements need, over plain connections: so that a follower can be one that does not read.

use crate::commands::Failure;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Until an answer has come.
const ANSWER: Duration = Duration::from_secs(60);

/// A server and what lets in.
#[derive(Clone, Debug)]
pub(super) struct Place {
    address: SocketAddr,
    token: String,
}

impl Place {
    /// `origin` is `http://127.0.0.1:1234`.
    pub(super) fn new(origin: &str, token: &str) -> Result<Self, Failure> {
        let address = origin.trim_start_matches("http://").parse().map_err(|_| format!("{origin} is no address"))?;
        Ok(Self { address, token: token.to_owned() })
    }

    /// Asks; the connection, of which nothing was read yet.
    pub(super) fn asked(&self, path: &str) -> Result<TcpStream, Failure> {
        let failed = |error: std::io::Error| format!("asking {} for {path}: {error}", self.address);
        let mut stream = TcpStream::connect_timeout(&self.address, ANSWER).map_err(failed)?;
        stream.set_read_timeout(Some(ANSWER)).map_err(failed)?;
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
            self.address, self.token
        );
        stream.write_all(head.as_bytes()).map_err(failed)?;
        Ok(stream)
    }

    /// Asks and reads to the end: how many bytes came, head included. Another status than 200 is a failure.
    pub(super) fn read(&self, path: &str) -> Result<usize, Failure> {
        let mut answer = Vec::new();
        let mut stream = self.asked(path)?;
        stream.read_to_end(&mut answer).map_err(|error| format!("reading {path}: {error}"))?;
        if answer.starts_with(b"HTTP/1.1 200") {
            return Ok(answer.len());
        }
        let head: String = String::from_utf8_lossy(&answer).chars().take(200).collect();
        Err(format!("{path} was answered: {head}"))
    }
}
