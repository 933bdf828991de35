//! The last good rehearsal of a site, kept beside its state directory, so that a real run can be laid over it. A rehearsal's own state goes
//! away or is somewhere else; what it predicted must be found by whoever runs the site for real.

use plinth_analysis::{PREDICTION_SCHEMA, Prediction};
use plinth_app::state;
use plinth_model::{Event, RunView, SiteName};
use plinth_run::executor::Sink;
use plinth_world::{files, private_file};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest file that is read, bytes: a hundred for each step, for 300,000 steps.
const LARGEST: usize = 32 * 1024 * 1024;

/// `~/.local/state/plinth/SITE.rehearsed.json`. No site has a dot in its name, so no folder of one is in the way.
fn place(site: &SiteName) -> Option<PathBuf> {
    let own = state::directory(None, site).ok()?;
    Some(own.with_file_name(format!("{site}.rehearsed.json")))
}

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
        if let (Some(prediction), Some(file)) = (Prediction::of(&view), place(site))
            && let Err(error) = write(&prediction, &file)
        {
            tracing::debug!(%error, file = %file.display(), "the rehearsal could not be kept for comparison");
        }
    }
}

fn write(prediction: &Prediction, file: &std::path::Path) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    private_file::write(file, &serde_json::to_vec(prediction).map_err(std::io::Error::other)?)
}

/// The one that is kept; none when there is none, and when it is of another release or cannot be read.
pub(crate) fn kept(site: &SiteName) -> Option<Prediction> {
    let bytes = files::read_up_to(&place(site)?, LARGEST).ok()?;
    let prediction: Prediction = serde_json::from_slice(&bytes).ok()?;
    (prediction.schema == PREDICTION_SCHEMA).then_some(prediction)
}
