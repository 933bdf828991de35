//! Work of this process inside a network namespace.

use crate::error::{LabError, LabResult};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::os::fd::AsFd;
use std::path::Path;

/// Runs `work` on a thread of its own that stands in the network namespace `at`. Threads that `work` starts stand there, too,
/// and sockets keep their namespace after it has ended.
pub(crate) fn inside<T: Send>(at: &Path, work: impl FnOnce() -> T + Send) -> LabResult<T> {
    let doing = format!("entering the network namespace {}", at.display());
    let file = std::fs::File::open(at).map_err(LabError::at("entering the network namespace", at))?;
    let entered = move || {
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .map(|()| work())
            .map_err(|error| LabError::new(&doing, error.to_string(), "run as root"))
    };
    match std::thread::scope(|scope| scope.spawn(entered).join()) {
        Ok(result) => result,
        // The panic of a test's closure is the test's own.
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
