//! See `plinth_fuzz::ansible_values`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plinth_fuzz::ansible_values(bytes));
