#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| melgrad_fuzz::decode_as(b"FORM\0\0\x40\0AIF", bytes));
