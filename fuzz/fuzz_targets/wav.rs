#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| melgrad_fuzz::decode_as(b"RIFF\0\0\0\0WAVE", bytes));
