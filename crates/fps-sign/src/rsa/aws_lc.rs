//! RSA by aws-lc, constant time and fast; what it does not do is answered with `None`, never done here
//! in another way.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaParameters, RsaPssSaltLength,
    RsaSignatureEncoding,
};
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};

use super::Scheme;
use crate::error::{KeyError, SignError};

static SIGN_PSS_20: RsaSignatureEncoding =
    RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(20));
static SIGN_PSS_32: RsaSignatureEncoding =
    RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(32));
static VERIFY_PSS_20: RsaParameters =
    RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(20));
static VERIFY_PSS_32: RsaParameters =
    RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(32));
static VERIFY_SHA256: RsaParameters = RSA_PKCS1_2048_8192_SHA256;
static VERIFY_SHA1: RsaParameters = RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;

pub(super) struct Private(KeyPair);

impl Private {
    pub(super) fn new(key: &RsaPrivateKey) -> Result<Self, KeyError> {
        let der = key.to_pkcs1_der().map_err(|_| KeyError::Malformed)?;
        KeyPair::from_der(der.as_bytes()).map(Self).map_err(|_| KeyError::Malformed)
    }

    pub(super) fn sign(
        &self,
        scheme: Scheme,
        message: &[u8],
    ) -> Option<Result<Vec<u8>, SignError>> {
        let encoding = match scheme {
            Scheme::Pkcs1Sha256 => &RSA_PKCS1_SHA256,
            Scheme::PssSha256 { salt_len: 20 } => &SIGN_PSS_20,
            Scheme::PssSha256 { salt_len: 32 } => &SIGN_PSS_32,
            Scheme::PssSha256 { .. } | Scheme::Pkcs1Sha1 => return None,
        };
        let mut signature = vec![0; self.0.public_modulus_len()];
        let signed = self.0.sign(encoding, &SystemRandom::new(), message, &mut signature);
        Some(signed.map(|()| signature).map_err(SignError::new))
    }
}

/// Each scheme has its own parsed key, made when it is first needed.
pub(super) struct Public {
    der: Vec<u8>,
    pss_20: OnceLock<Option<ParsedPublicKey>>,
    pss_32: OnceLock<Option<ParsedPublicKey>>,
    sha1: OnceLock<Option<ParsedPublicKey>>,
    sha256: OnceLock<Option<ParsedPublicKey>>,
}

impl Public {
    pub(super) fn new(key: &RsaPublicKey) -> Self {
        Self {
            der: key.to_pkcs1_der().map(|der| der.into_vec()).unwrap_or_default(),
            pss_20: OnceLock::new(),
            pss_32: OnceLock::new(),
            sha1: OnceLock::new(),
            sha256: OnceLock::new(),
        }
    }

    /// `None` also for a key that aws-lc would not take, for instance 1024 bits with SHA-256.
    pub(super) fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> Option<bool> {
        let (slot, parameters): (_, &'static RsaParameters) = match scheme {
            Scheme::Pkcs1Sha1 => (&self.sha1, &VERIFY_SHA1),
            Scheme::Pkcs1Sha256 => (&self.sha256, &VERIFY_SHA256),
            Scheme::PssSha256 { salt_len: 20 } => (&self.pss_20, &VERIFY_PSS_20),
            Scheme::PssSha256 { salt_len: 32 } => (&self.pss_32, &VERIFY_PSS_32),
            Scheme::PssSha256 { .. } => return None,
        };
        let key = slot.get_or_init(|| ParsedPublicKey::new(parameters, &self.der).ok()).as_ref()?;
        Some(key.verify_sig(message, signature).is_ok())
    }
}
