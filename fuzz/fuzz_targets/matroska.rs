#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| melgrad_fuzz::decode_as(b"\x1a\x45\xdf\xa3", bytes));
