//! See `plinth_fuzz::saved_plan`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plinth_fuzz::saved_plan(bytes));
