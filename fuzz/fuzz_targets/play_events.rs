//! See `plinth_fuzz::play_events`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plinth_fuzz::play_events(bytes));
