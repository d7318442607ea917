//! New identifiers in the shapes of the two services. They come from the randomness of the system, or,
//! for a sandbox with a seed, from a stream that is the same each time.
//!
//! Whoever makes an identifier need not know which: the gate, the workers and the thread of the store
//! run [`within`] the source of their sandbox.

use std::sync::{Arc, Mutex, PoisonError};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::error::{Error, ErrorKind};
use crate::tls::SpareKeys;

const DIGITS: &[u8] = b"0123456789";
const CAPITALS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const BASE64_LIKE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

tokio::task_local! {
    static SOURCE: Arc<Source>;
}

/// Where the identifiers and keys of one sandbox come from.
pub(crate) struct Source {
    /// The randomness of the system without.
    seeded: Option<(u64, Mutex<ChaCha20Rng>)>,
    /// Keys that were begun before they were needed.
    pub(crate) spare: SpareKeys,
}

impl Source {
    /// From a seed, or from the system.
    pub(crate) fn new(seed: Option<u64>) -> Arc<Self> {
        let seeded = seed.map(|seed| (seed, Mutex::new(ChaCha20Rng::seed_from_u64(seed))));
        Arc::new(Self { seeded, spare: SpareKeys::default() })
    }

    /// Begins again. Each start on one file has a stream of its own, so that none meets the names of an
    /// earlier one.
    pub(crate) fn restart(&self, start: u64) {
        if let Some((seed, stream)) = &self.seeded {
            let mut fresh = ChaCha20Rng::seed_from_u64(*seed);
            fresh.set_stream(start);
            *stream.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    /// A stream of its own for work that takes an unknown part of it, if there is a seed.
    pub(crate) fn fork(&self) -> Option<ChaCha20Rng> {
        let (_, stream) = self.seeded.as_ref()?;
        let mut seed = [0; 32];
        stream.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut seed);
        Some(ChaCha20Rng::from_seed(seed))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        match &self.seeded {
            Some((_, stream)) => {
                stream.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
                Ok(())
            }
            None => fill_by_system(bytes),
        }
    }
}

/// Does asynchronous work whose identifiers come from a source.
pub(crate) fn within<F: Future>(
    source: &Arc<Source>,
    work: F,
) -> impl Future<Output = F::Output> + use<F> {
    SOURCE.scope(Arc::clone(source), work)
}

/// Does work on this thread whose identifiers come from a source.
pub(crate) fn within_thread<T>(source: &Arc<Source>, work: impl FnOnce() -> T) -> T {
    SOURCE.sync_scope(Arc::clone(source), work)
}

/// `16…`, 35 capitals and digits.
pub(crate) fn transaction_id() -> Result<String, Error> {
    Ok(format!("16{}", random(CAPITALS_AND_DIGITS, 33)?))
}

/// 64 capitals and digits.
pub(crate) fn token_id() -> Result<String, Error> {
    random(CAPITALS_AND_DIGITS, 64)
}

/// A charge of a permission that may lend it its base: a recurring one has other ids than its charges.
/// Source: sandbox answers of 2023.
pub(crate) fn charge_id_of(permission: &str) -> Result<String, Error> {
    match permission.strip_prefix('S') {
        Some(_) => Ok(format!("{permission}-C{}", random(DIGITS, 6)?)),
        None => {
            let region = permission.get(1..3).unwrap_or("01");
            let (first, second) = (random(DIGITS, 7)?, random(DIGITS, 7)?);
            Ok(format!("S{region}-{first}-{second}-C{}", random(DIGITS, 6)?))
        }
    }
}

/// `S01-1234567-1234567`; the letter tells the type, the digits the region.
pub(crate) fn charge_permission_id(letter: char, region: &str) -> Result<String, Error> {
    Ok(format!("{letter}{region}-{}-{}", random(DIGITS, 7)?, random(DIGITS, 7)?))
}

/// `A…`, 14 capitals and digits, as merchants of Amazon are named.
pub(crate) fn seller_id() -> Result<String, Error> {
    Ok(format!("A{}", random(CAPITALS_AND_DIGITS, 13)?))
}

/// The permission that a charge belongs to: its id without the last part.
pub(crate) fn charge_permission_of(charge_id: &str) -> &str {
    charge_id.rsplit_once('-').map_or(charge_id, |(permission, _)| permission)
}

/// `S01-1234567-1234567-R123456`, of the permission of its charge.
pub(crate) fn refund_id(charge_id: &str) -> Result<String, Error> {
    Ok(format!("{}-R{}", charge_permission_of(charge_id), random(DIGITS, 6)?))
}

/// `AKIA…`, 20 capitals and digits.
pub(crate) fn access_key_id() -> Result<String, Error> {
    Ok(format!("AKIA{}", random(CAPITALS_AND_DIGITS, 16)?))
}

/// 40 characters.
pub(crate) fn secret_key() -> Result<String, Error> {
    random(BASE64_LIKE, 40)
}

/// `SANDBOX-…`, 24 capitals and digits.
pub(crate) fn public_key_id() -> Result<String, Error> {
    Ok(format!("SANDBOX-{}", random(CAPITALS_AND_DIGITS, 24)?))
}

/// A UUID, as requests are named by.
pub(crate) fn request_id() -> String {
    let mut bytes = [0; 16];
    // A request that has no name of its own is answered all the same.
    drop(fill(&mut bytes));
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn random(alphabet: &[u8], length: usize) -> Result<String, Error> {
    let mut bytes = vec![0_u8; length];
    fill(&mut bytes)?;
    // The slight preference for the first letters does no harm to names in a sandbox.
    let letters = bytes.iter().map(|byte| alphabet[usize::from(*byte) % alphabet.len()]);
    Ok(letters.map(char::from).collect())
}

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    match SOURCE.try_with(Arc::clone) {
        Ok(source) => source.fill(bytes),
        Err(_) => fill_by_system(bytes),
    }
}

fn fill_by_system(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| Error::with(ErrorKind::Key, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three(source: &Arc<Source>) -> [String; 3] {
        within_thread(source, || {
            [transaction_id().unwrap(), charge_id_of("C01-0-0").unwrap(), request_id()]
        })
    }

    #[test]
    fn a_seed_gives_the_same_names_and_each_start_others() {
        let (one, two) = (Source::new(Some(42)), Source::new(Some(42)));
        assert_eq!(three(&one), three(&two));
        assert_ne!(three(&one), three(&Source::new(Some(42))), "a stream goes on");
        let first = three(&Source::new(Some(42)));
        one.restart(1);
        assert_ne!(three(&one), first);
        one.restart(0);
        assert_eq!(three(&one), first);
        assert_ne!(three(&Source::new(None)), three(&Source::new(None)));
    }

    #[test]
    fn a_fork_takes_the_same_part_however_much_is_drawn_from_it() {
        let (one, two) = (Source::new(Some(7)), Source::new(Some(7)));
        one.fork().unwrap().fill_bytes(&mut [0; 1000]);
        drop(two.fork());
        assert_eq!(three(&one), three(&two));
        assert!(Source::new(None).fork().is_none());
    }
}
