//! A sink in two hands: the executor tells it events, and the verb ends it.

use plinth_report::Sink;
use std::sync::{Arc, Mutex};

/// A sink that the executor and the verb both hold.
pub(crate) type Shared = Arc<Mutex<Box<dyn Sink + Send>>>;

pub(crate) fn shared(sink: impl Sink + Send + 'static) -> Shared {
    Arc::new(Mutex::new(Box::new(sink)))
}
