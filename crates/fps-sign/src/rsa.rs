//! The seam between the RSA backends: which operations there are, and who does each; no PEM is read
//! here, and no backend shows through.
//!
//! The portable backend is always there: it reads keys, and it alone signs with SHA-1, which aws-lc
//! does not. With the feature `aws-lc`, everything else is done there.

mod pure;

#[cfg(feature = "aws-lc")]
mod aws_lc;

use std::sync::Arc;

use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::error::{KeyError, SignError};

/// What RSA is used for here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RSASSA-PKCS1-v1_5 with SHA-1: FPS notifications, SNS version 1 and FPS over SOAP only.
    Pkcs1Sha1,
    /// RSASSA-PKCS1-v1_5 with SHA-256: SNS version 2.
    Pkcs1Sha256,
    /// RSASSA-PSS with SHA-256 and a salt of exactly this length: Amazon Pay requests.
    PssSha256 {
        /// In bytes.
        salt_len: usize,
    },
}

/// A private key in the form of each backend.
pub(crate) struct Private {
    portable: RsaPrivateKey,
    #[cfg(feature = "aws-lc")]
    fast: aws_lc::Private,
}

impl Private {
    #[cfg_attr(
        not(feature = "aws-lc"),
        expect(clippy::unnecessary_wraps, reason = "the other backend may refuse the key")
    )]
    pub(crate) fn new(portable: RsaPrivateKey) -> Result<Self, KeyError> {
        Ok(Self {
            #[cfg(feature = "aws-lc")]
            fast: aws_lc::Private::new(&portable)?,
            portable,
        })
    }

    pub(crate) fn public(&self) -> Public {
        Public::new(self.portable.to_public_key())
    }

    pub(crate) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        #[cfg(feature = "aws-lc")]
        if let Some(signature) = self.fast.sign(scheme, message) {
            return signature;
        }
        pure::sign(&self.portable, scheme, message)
    }
}

/// A public key in the form of each backend.
#[derive(Clone)]
pub(crate) struct Public(Arc<Halves>);

struct Halves {
    portable: RsaPublicKey,
    #[cfg(feature = "aws-lc")]
    fast: aws_lc::Public,
}

impl Public {
    pub(crate) fn new(portable: RsaPublicKey) -> Self {
        Self(Arc::new(Halves {
            #[cfg(feature = "aws-lc")]
            fast: aws_lc::Public::new(&portable),
            portable,
        }))
    }

    pub(crate) fn portable(&self) -> &RsaPublicKey {
        &self.0.portable
    }

    pub(crate) fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        #[cfg(feature = "aws-lc")]
        if let Some(verdict) = self.0.fast.verify(scheme, message, signature) {
            return verdict;
        }
        pure::verify(&self.0.portable, scheme, message, signature)
    }
}
