//! Keys of refunds: derived from what identifies one, or drawn at random; nothing is stored and nothing
//! is sent here.

use std::error::Error;
use std::fmt;

use fps_model::{CallerReference, IdempotencyKey};
use sha2::{Digest, Sha256};

/// Stands before the parts, so that a key is never the digest of something else. A derived key must be
/// the same for ever: this text cannot change, nor can anything in [`digest`].
const DOMAIN: &[u8] = b"fps key 1";

/// The key of one refund, for either service: 32 characters out of `0-9a-f`.
///
/// It fits Amazon Pay's idempotency key to the character, survives wherever the case of letters is
/// lost, and is one word to a file name, a URL and a shell.
///
/// Two refunds with one key are one refund: the second is never made. One refund with two keys is made
/// twice. So the key stands for the *decision* to refund, and there are two ways to get one.
///
/// **Derived** from what identifies the decision in your own books: the order, the line of it, and which
/// refund of that line it is, by a number that was stored when the refund was asked for. Whoever derives
/// it again gets it again, after a crash too:
///
/// ```
/// use fps::{IdempotencyKey, Key};
///
/// let key = Key::derive(["order-4711", "line-2", "refund-1"]);
/// assert_eq!(key.to_string(), "ffa8c575afc17fa0fa56004c1a65a15f");
/// let key: IdempotencyKey = key.into();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// - Never from the amount alone: the second refund of 5.00 on an order would be taken for a repetition
///   of the first.
/// - Never from the time, nor from a count of what was sent so far: a repetition would get a key of its
///   own and pay twice.
/// - Parts are told apart by their lengths: `["ab", "c"]` and `["a", "bc"]` are two keys. Empty parts are
///   parts, and no parts at all are a key too; that the order has a number is for the caller to see to.
///
/// **Drawn** at random by [`Key::random`], where nothing identifies the decision. It must be stored,
/// with the request, *before* the first send: a key that is lost with the answer cannot be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

impl Key {
    /// The key of what these parts name together, in their order. It will be the same in every later
    /// version.
    ///
    /// Technically: the first 128 bits of the SHA-256 of `fps key 1`, followed by each part's length in
    /// bytes, as eight bytes with the highest first, and the part.
    #[must_use]
    pub fn derive<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        Self(digest(DOMAIN, parts))
    }

    /// A key that nobody has had before, from the randomness of the operating system. Store it before
    /// the first send.
    ///
    /// # Errors
    /// [`RandomnessError`] when the system has none to give. There is nothing to fall back on: a key
    /// that can be guessed to come again could be somebody else's refund.
    pub fn random() -> Result<Self, RandomnessError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(RandomnessError)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

/// The 32 characters.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl From<Key> for IdempotencyKey {
    fn from(key: Key) -> Self {
        Self::from_bits(key.0)
    }
}

impl From<Key> for CallerReference {
    fn from(key: Key) -> Self {
        Self::from_bits(key.0)
    }
}

/// The operating system has no randomness to give.
#[derive(Debug)]
pub struct RandomnessError(getrandom::Error);

impl fmt::Display for RandomnessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no key could be drawn: the system has no randomness to give")
    }
}

impl Error for RandomnessError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// 128 bits of what the parts say. The lengths make one reading of the bytes, and so of the digest.
pub(crate) fn digest<P: AsRef<[u8]>>(
    domain: &'static [u8],
    parts: impl IntoIterator<Item = P>,
) -> u128 {
    let mut hash = Sha256::new();
    hash.update(domain);
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest[..16].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}
