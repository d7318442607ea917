//! A million changed messages for every parser: none makes it panic, and what it still accepts it writes
//! and reads again as the same.

mod parsers;

use std::fs;
use std::path::Path;

const MUTATIONS: usize = 1_000_000;

/// Samples and golden messages of at most this many bytes; longer ones take long and try little more.
const SEED_BYTES_MAX: u64 = 3_000;

/// What a parser is likely to be asked.
fn seeds() -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut found = Vec::new();
    let mut folders = vec![tests.join("samples"), tests.join("golden")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.metadata() {
                Ok(data) if data.is_dir() => folders.push(path),
                Ok(data) if data.len() <= SEED_BYTES_MAX => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    let mut seeds: Vec<_> = found.iter().filter_map(|path| fs::read(path).ok()).collect();
    for text in [
        "MyRole == 'Sender'; OperationType == 'Refund' orSay 'no';",
        "2009-10-05T22:50:08.010-07:00",
        "20190714T155300Z",
    ] {
        seeds.push(text.as_bytes().to_vec());
    }
    seeds
}

/// Pieces that mean something to one parser or another.
const PIECES: [&str; 24] = [
    "<",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<!DOCTYPE a>",
    "&amp;",
    "&#0;",
    "&#x110000;",
    "\0",
    "\u{feff}",
    "{",
    "}",
    "[[",
    "null",
    "1e9",
    "\\ud800",
    "\"",
    "%",
    "%ff",
    "&",
    "=",
    "'",
];

struct Random(u64);

impl Random {
    /// Marsaglia's xorshift64*.
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
        usize::try_from(number).unwrap_or(0) % most.max(1)
    }

    /// Changes a message in one to four places.
    fn change(&mut self, message: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(message.len() + 1);
            let length = self.below(12).min(message.len() - at);
            match self.below(6) {
                0 => message.truncate(at),
                1 => drop(message.drain(at..at + length)),
                2 => {
                    let copy = message[at..at + length].to_vec();
                    let to = self.below(message.len() + 1);
                    message.splice(to..to, copy);
                }
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    message.splice(at..at, piece.bytes());
                }
                4 => {
                    let byte = u8::try_from(self.below(256)).unwrap_or(0);
                    message.splice(at..at, [byte]);
                }
                _ => {
                    if let Some(byte) = message.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
            }
        }
    }
}

#[test]
fn a_million_changed_messages_for_every_parser() {
    let seeds = seeds();
    assert!(seeds.len() > 100, "the samples are not there: {}", seeds.len());
    std::thread::scope(|scope| {
        for half in [&parsers::PARSERS[..5], &parsers::PARSERS[5..]] {
            let seeds = &seeds;
            scope.spawn(move || {
                for (name, parse) in half {
                    // Seeds that this parser can make anything of are not told from the others on
                    // purpose: a message in the wrong place is a mutation, too.
                    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ name.len() as u64);
                    for _ in 0..MUTATIONS {
                        let mut message = seeds[random.below(seeds.len())].clone();
                        random.change(&mut message);
                        parse(&message);
                    }
                }
            });
        }
    });
}
