//! See `plinth_fuzz::site_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plinth_fuzz::site_file(bytes));
