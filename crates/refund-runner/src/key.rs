//! The key of a row: derived from what the row is, never drawn and never counted, so that whoever has
//! lost the ledger derives it again.

use sha2::{Digest as _, Sha256};

/// Stands before the parts, so that a key is never the digest of something else. Keys must be the same
/// for ever: neither this text can change, nor anything in [`digest`].
const DOMAIN: &[u8] = b"refund-runner row 1";

/// The key of a row of a batch: 32 characters out of `0-9a-f`, the same in every later version.
///
/// The keys of a batch follow one another as its rows do, so that a ledger of millions writes them side
/// by side. Technically: eight characters of the SHA-256 of the batch's name, the number of the row as
/// eight hexadecimal digits (its last 32 bits), and sixteen characters of the SHA-256 of batch, row in
/// decimal digits, and the hash of what the row asks for. Each digest is of `refund-runner row 1`,
/// followed by the length in bytes, as eight bytes with the highest first, and the text of each part.
///
/// ```
/// let key = refund_runner::row_key("recall", 17, "a hash");
/// assert_eq!(key, refund_runner::row_key("recall", 17, "a hash"));
/// assert_ne!(key, refund_runner::row_key("recall", 18, "a hash"));
/// ```
#[must_use]
pub fn row_key(batch: &str, row: u64, content: &str) -> String {
    let mut key = hex(&digest(DOMAIN, [batch]));
    key.truncate(8);
    key.push_str(&format!("{:08x}", row & u64::from(u32::MAX)));
    key.push_str(&hex(&digest(DOMAIN, [batch, &row.to_string(), content])));
    key.truncate(32);
    key
}

/// What the parts say, told apart by their lengths.
pub(crate) fn digest<'a>(domain: &[u8], parts: impl IntoIterator<Item = &'a str>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(domain);
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
