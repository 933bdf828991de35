//! See `plinth_fuzz::node_output`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plinth_fuzz::node_output(bytes));
