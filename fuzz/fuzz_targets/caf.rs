#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| melgrad_fuzz::decode_as(b"caff\0\x01\0\0", bytes));
