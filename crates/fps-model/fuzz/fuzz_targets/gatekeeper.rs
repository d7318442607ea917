//! Any bytes to the parser `gatekeeper`.

#![no_main]

#[path = "../../tests/parsers/mod.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::gatekeeper(bytes));
