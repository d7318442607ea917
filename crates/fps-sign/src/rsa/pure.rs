//! RSA by the portable crate `rsa`, which does everything and depends on no feature.
//!
//! Signing is blinded, and still not constant time (RUSTSEC-2023-0071), so a server that signs for
//! others should use the feature `aws-lc`.

use rsa::signature::{Signer, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey, pkcs1v15, pss};
use sha1::Sha1;
use sha2::Sha256;

use super::Scheme;
use crate::error::SignError;

pub(super) fn sign(
    key: &RsaPrivateKey,
    scheme: Scheme,
    message: &[u8],
) -> Result<Vec<u8>, SignError> {
    match scheme {
        Scheme::Pkcs1Sha1 => pkcs1v15::SigningKey::<Sha1>::new(key.clone())
            .try_sign(message)
            .map(|signature| Box::<[u8]>::from(signature).into_vec()),
        Scheme::Pkcs1Sha256 => pkcs1v15::SigningKey::<Sha256>::new(key.clone())
            .try_sign(message)
            .map(|signature| Box::<[u8]>::from(signature).into_vec()),
        Scheme::PssSha256 { salt_len } => {
            pss::SigningKey::<Sha256>::new_with_salt_len(key.clone(), salt_len)
                .try_sign(message)
                .map(|signature| Box::<[u8]>::from(signature).into_vec())
        }
    }
    .map_err(SignError::new)
}

pub(super) fn verify(key: &RsaPublicKey, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
    match scheme {
        Scheme::Pkcs1Sha1 => pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| {
            pkcs1v15::VerifyingKey::<Sha1>::new(key.clone()).verify(message, &signature).is_ok()
        }),
        Scheme::Pkcs1Sha256 => pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| {
            pkcs1v15::VerifyingKey::<Sha256>::new(key.clone()).verify(message, &signature).is_ok()
        }),
        Scheme::PssSha256 { salt_len } => {
            pss::Signature::try_from(signature).is_ok_and(|signature| {
                pss::VerifyingKey::<Sha256>::new_with_salt_len(key.clone(), salt_len)
                    .verify(message, &signature)
                    .is_ok()
            })
        }
    }
}
