//! The page beside a run: on a thread and a runtime of its own, so that neither a reader nor the drawing of a page is ever in the way of
//! a step.

use super::{Shelf, token};
use crate::printer::Printer;
use plinth_app::Operation;
use plinth_model::Problem;
use plinth_run::{StopLevel, StopSignal};
use plinth_web::{Listen, Options, Server};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A page that is served until this is dropped.
pub(crate) struct PageBeside {
    stop: StopSignal,
    thread: Option<JoinHandle<()>>,
    link: String,
}

impl PageBeside {
    /// Begins to serve the runs of a site at an address, and says where; nothing where none is wanted.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub(crate) fn open(
        wanted: Option<SocketAddr>,
        operation: &Operation<'_>,
        printer: &Printer,
    ) -> Result<Option<Self>, Problem> {
        let Some(address) = wanted else { return Ok(None) };
        let shelf = Shelf::new(operation.directory(), operation.desired().name.clone());
        let options = Options { listen: Listen::Address(address), hosts: Vec::new(), token: token(None)?, tls: None };
        let failed = |error: std::io::Error| {
            Problem::while_doing("serving the page")
                .wrong_input(error)
                .try_this("raise the limits on threads and open files (`ulimit -u`, `ulimit -n`)")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, (told, opened)) = (StopSignal::new(), mpsc::channel());
        let end = stop.clone();
        let serve = move || {
            runtime.block_on(async move {
                match Server::open(options, shelf).await {
                    Ok(server) => {
                        let _ = told.send(Ok(server.link().to_owned()));
                        server.serve(end.above(StopLevel::Run)).await;
                    }
                    Err(problem) => drop(told.send(Err(problem))),
                }
            });
        };
        let thread = std::thread::Builder::new().name("page".to_owned()).spawn(serve).map_err(failed)?;
        let none = |_| Problem::while_doing("serving the page").bug("its thread ended");
        let link = opened.recv().map_err(none)??;
        printer.talk(&format!("page: {link}"));
        Ok(Some(Self { stop, thread: Some(thread), link }))
    }

    /// Goes on after the run, until a signal. At the end of everything, where people look, stands the link.
    pub(crate) async fn stay(page: Option<Self>, printer: &Printer) {
        let Some(page) = page else { return };
        printer.talk(&format!("the page stays until Ctrl-C: {}", page.link));
        let stop = StopSignal::new();
        let _taken = printer.signals().during(&stop);
        stop.above(StopLevel::Run).await;
    }
}

impl Drop for PageBeside {
    fn drop(&mut self) {
        self.stop.raise();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
