//! The last good rehearsal of a site, kept so that a real run can be laid over it.

use plinth_analysis::{PREDICTION_SCHEMA, Prediction};
use plinth_app::state;
use plinth_model::{Event, RunView, SiteName};
use plinth_run::executor::Sink;
use std::sync::{Arc, Mutex, PoisonError};

/// A rehearsal as it goes.
#[derive(Clone, Default)]
pub(crate) struct Watched(Arc<Mutex<RunView>>);

impl Watched {
    /// The sink, with this in front of it.
    pub(crate) fn before(&self, sink: Sink) -> Sink {
        let view = Arc::clone(&self.0);
        Arc::new(move |event: Event| {
            view.lock().unwrap_or_else(PoisonError::into_inner).apply(&event);
            sink(event);
        })
    }

    /// Keeps what came to a good end, in the place of the one before. A rehearsal is good without that: what goes wrong is only logged.
    pub(crate) fn keep(&self, site: &SiteName) {
        let view = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(prediction) = Prediction::of(&view) else { return };
        let bytes = serde_json::to_vec(&prediction).map_err(std::io::Error::other);
        if let Err(error) = bytes.and_then(|bytes| state::keep_prediction(site, &bytes)) {
            tracing::debug!(%error, "the rehearsal could not be kept for comparison");
        }
    }
}

/// The one that is kept; none when there is none, and when it is of another release or cannot be read.
pub(crate) fn kept(site: &SiteName) -> Option<Prediction> {
    let prediction: Prediction = serde_json::from_slice(&state::kept_prediction(site)?).ok()?;
    (prediction.schema == PREDICTION_SCHEMA).then_some(prediction)
}
