//! See `plinth_fuzz::bcm_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plinth_fuzz::bcm_reply(bytes));
