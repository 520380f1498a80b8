#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| melgrad_fuzz::model(bytes));
