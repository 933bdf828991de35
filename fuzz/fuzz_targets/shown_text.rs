//! See `plinth_fuzz::shown_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plinth_fuzz::shown_text(bytes));
