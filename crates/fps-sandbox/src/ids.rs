//! New identifiers in the shapes of the two services, from the randomness of the system.

use crate::error::{Error, ErrorKind};

const DIGITS: &[u8] = b"0123456789";
const CAPITALS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const BASE64_LIKE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `16…`, 35 capitals and digits.
pub(crate) fn transaction_id() -> Result<String, Error> {
    Ok(format!("16{}", random(CAPITALS_AND_DIGITS, 33)?))
}

/// 64 capitals and digits.
pub(crate) fn token_id() -> Result<String, Error> {
    random(CAPITALS_AND_DIGITS, 64)
}

/// `S01-1234567-1234567-C123456`, of a charge permission of its own.
pub(crate) fn charge_id() -> Result<String, Error> {
    let (first, second, third) = (random(DIGITS, 7)?, random(DIGITS, 7)?, random(DIGITS, 6)?);
    Ok(format!("S01-{first}-{second}-C{third}"))
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
    uuid::Uuid::new_v4().to_string()
}

fn random(alphabet: &[u8], length: usize) -> Result<String, Error> {
    let mut bytes = vec![0_u8; length];
    getrandom::fill(&mut bytes).map_err(|error| Error::with(ErrorKind::Key, error))?;
    // The slight preference for the first letters does no harm to names in a sandbox.
    let letters = bytes.iter().map(|byte| alphabet[usize::from(*byte) % alphabet.len()]);
    Ok(letters.map(char::from).collect())
}
