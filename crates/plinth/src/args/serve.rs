//! The page of runs.

use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Any free port of loopback.
pub(crate) const LOOPBACK: &str = "127.0.0.1:0";

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address; port 0 is any that is free. Beyond loopback only with TLS
    #[arg(long, value_name = "ADDRESS", default_value = LOOPBACK, conflicts_with = "socket")]
    pub(crate) listen: SocketAddr,
    /// Serve at a socket that only you can use instead (mode 0600), for `ssh -L 8080:PATH`
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Another name of this machine that readers may use in the address; may be given several times
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// Keep the token in this file (mode 0600), so that links and open pages survive a restart [default: a new token each time]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Certificate of the server with those above it, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "socket")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Who signed the certificates of readers, who then need no token, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) client_ca: Option<PathBuf>,
}

/// The page beside a run.
#[derive(Debug, Args)]
pub(crate) struct Beside {
    /// Serve the page of runs beside it, and go on with that after the run until Ctrl-C; at any free port of loopback unless an
    /// address is given
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = LOOPBACK, value_parser = loopback)]
    pub(crate) serve: Option<SocketAddr>,
}

/// An address of loopback: the page beside a run has no TLS.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|error| format!("{error}: write for example {LOOPBACK}"))?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("others could read along there; stay on 127.0.0.1 and come through `ssh -L`, or serve the page beside the run with \
         `plinth serve --tls-cert FILE --tls-key FILE`"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_a_run_there_is_loopback_only() {
        assert!(loopback(LOOPBACK).is_ok() && loopback("[::1]:8080").is_ok());
        for beyond in ["10.0.0.1:1", "0.0.0.0:8080", "[::]:0"] {
            let refused = loopback(beyond).err().unwrap_or_default();
            assert!(refused.contains("`plinth serve --tls-cert"), "{beyond}: {refused}");
        }
        assert!(loopback("localhost").is_err());
    }
}
