//! Which rows are there twice, told from one number a row and not from the rows themselves: a million
//! of them are eight megabytes.

use std::collections::HashMap;

/// What identifies a row.
type Identity = [u8; 32];

/// The numbers of the rows, as they come.
#[derive(Default)]
pub(crate) struct Numbers(Vec<u64>);

impl Numbers {
    pub(crate) fn add(&mut self, identity: &Identity) {
        self.0.push(number(identity));
    }

    /// Keeps those that came more than once.
    pub(crate) fn doubles(mut self) -> Doubles {
        self.0.sort_unstable();
        let pairs = self.0.windows(2).filter(|pair| pair.first() == pair.last());
        let suspects = pairs.filter_map(|pair| pair.first()).map(|number| (*number, None));
        Doubles { suspects: suspects.collect() }
    }
}

/// The numbers that came more than once, each with the first row that has it, once that was seen.
pub(crate) struct Doubles {
    suspects: HashMap<u64, Option<(u64, Identity)>>,
}

impl Doubles {
    /// The line of the row that this one repeats.
    pub(crate) fn repeated_by(&mut self, line: u64, identity: Identity) -> Option<u64> {
        match self.suspects.get_mut(&number(&identity))? {
            Some((first, same)) => (*same == identity).then_some(*first),
            slot @ None => {
                *slot = Some((line, identity));
                None
            }
        }
    }
}

/// Its first 64 bits.
fn number(identity: &Identity) -> u64 {
    identity.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
