//! What the whole platform costs on a real control plane: `cargo xtask bench --platform`. The ground is that of the tests of the platform,
//! so what runs there is one of them (`crates/plinth/tests/bench_platform.rs`); the program that is measured is a release build, and so is the
//! client that reads very many releases.

pub(crate) mod section;

use crate::commands::{self, Failure};
use crate::machine;
use crate::scratch::Scratch;
use section::{Measured, Targets};

/// Measures, and writes the section; answers whether all targets hold.
pub(crate) fn run() -> Result<bool, Failure> {
    use plinth_lab::Parts;
    Parts::have().and_then(|_| Parts::helm()).and_then(|_| Parts::kwok()).map_err(|error| error.to_string())?;
    let program = commands::release_binary()?;
    let scratch = Scratch::new("bench-platform")?;
    let result = scratch.path().join("result.json");
    let load = machine::load();
    let mut bench = commands::cargo(&[
        "test",
        "--release",
        "--workspace",
        "--locked",
        "--test",
        "bench_platform",
        "--",
        "--ignored",
        "--nocapture",
        "--exact",
        "the_platform_is_measured",
    ]);
    bench.env("PLINTH_BENCH_PROGRAM", &program).env("PLINTH_BENCH_RESULT", &result);
    if !commands::passes(&mut bench)? {
        return Err("the bench did not end well".to_owned());
    }
    let text = std::fs::read(&result).map_err(|error| format!("reading what was measured: {error}"))?;
    let measured: Measured = serde_json::from_slice(&text).map_err(|error| format!("what was measured: {error}"))?;
    let targets = Targets::of(&measured)?;
    section::write(&measured, &targets, load)?;
    Ok(targets.hold())
}
