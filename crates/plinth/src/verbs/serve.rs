//! `plinth serve`.

use crate::args::{Common, Serve};
use crate::page::{Shelf, token};
use crate::printer::Printer;
use plinth_app::Failure;
use plinth_model::Exit;
use plinth_run::{StopLevel, StopSignal};
use plinth_web::{Listen, Options, Server, TlsFiles};
use serde_json::json;

/// Version of the JSON.
const SCHEMA: u32 = 1;

/// Serves the page of runs until a signal. Reads the state directory only, and changes nothing.
pub(crate) async fn run(common: &Common, verb: &Serve, printer: &Printer) -> Result<Exit, Failure> {
    let shelf = Shelf::open(common)?;
    let stop = StopSignal::new();
    let _taken = printer.signals().during(&stop);
    let server = Server::open(options(verb)?, shelf).await?;
    if common.json {
        printer.json(&json!({"schema": SCHEMA, "link": server.link()}));
    } else {
        printer.data(server.link());
    }
    if verb.socket.is_some() {
        printer.talk("from your machine: `ssh -L 8080:THAT-PATH HOST`, then http://localhost:8080/");
    }
    server.serve(stop.above(StopLevel::Run)).await;
    Ok(Exit::Done)
}

fn options(verb: &Serve) -> Result<Options, Failure> {
    let listen = verb.socket.clone().map_or(Listen::Address(verb.listen), Listen::Socket);
    let files = verb.tls_cert.clone().zip(verb.tls_key.clone());
    let tls = files.map(|(certificate, key)| TlsFiles { certificate, key, clients: verb.client_ca.clone() });
    Ok(Options { listen, hosts: verb.hosts.clone(), token: token(verb.token_file.as_deref())?, tls })
}
