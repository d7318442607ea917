//! Any bytes to the parser `answer_json`.

#![no_main]

#[path = "../../tests/parsers/mod.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::answer_json(bytes));
