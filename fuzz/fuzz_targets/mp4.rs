#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| melgrad_fuzz::decode_as(b"\0\0\0\x20ftyp", bytes));
