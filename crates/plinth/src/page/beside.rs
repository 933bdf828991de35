//! The page beside a run. The run is one future on the main thread; the page is served by the other threads of the runtime, and drawn on
//! threads that may block, so that neither a reader nor the drawing of a page is ever in the way of a step.

use super::{Shelf, token};
use crate::printer::Printer;
use plinth_app::Operation;
use plinth_model::Problem;
use plinth_run::{StopLevel, StopSignal};
use plinth_web::{Listen, Options, Server};
use std::net::SocketAddr;
use tokio::task::JoinHandle;

/// A page that is served until this is dropped.
pub(crate) struct PageBeside {
    stop: StopSignal,
    served: Option<JoinHandle<()>>,
    link: String,
}

impl PageBeside {
    /// Begins to serve the runs of a site at an address, and says where; nothing where none is wanted.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub(crate) async fn open(
        wanted: Option<SocketAddr>,
        operation: &Operation<'_>,
        printer: &Printer,
    ) -> Result<Option<Self>, Problem> {
        let Some(address) = wanted else { return Ok(None) };
        let shelf = Shelf::new(operation.directory(), operation.desired().name.clone());
        let options = Options { listen: Listen::Address(address), hosts: Vec::new(), token: token(None)?, tls: None };
        let server = Server::open(options, shelf).await?;
        let (stop, link) = (StopSignal::new(), server.link().to_owned());
        let end = stop.clone();
        let served = tokio::spawn(async move { server.serve(end.above(StopLevel::Run)).await });
        printer.changed(&format!("page: {link}"));
        Ok(Some(Self { stop, served: Some(served), link }))
    }

    /// The link of a page, if it is served.
    pub(crate) fn link(page: Option<&Self>) -> Option<&str> {
        page.map(|page| page.link.as_str())
    }

    /// Goes on after the run, until a signal. At the end of everything, where people look, stands the link.
    pub(crate) async fn stay(page: Option<Self>, printer: &Printer) {
        let Some(mut page) = page else { return };
        printer.changed(&format!("the page stays until Ctrl-C: {}", page.link));
        let stop = StopSignal::new();
        let taken = printer.signals().during(&stop);
        stop.above(StopLevel::Run).await;
        drop(taken);
        page.stop.raise();
        if let Some(served) = page.served.take() {
            let _ = served.await;
        }
    }
}

impl Drop for PageBeside {
    fn drop(&mut self) {
        self.stop.raise();
    }
}
