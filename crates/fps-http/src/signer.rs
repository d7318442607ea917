//! Who signs Amazon Pay requests: a key in this process, or one behind a network; what is signed is not
//! known here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fps_sign::amazon_pay::ToSign;
use fps_sign::{RequestSigner, SignError};

use crate::error::{Error, ErrorKind, Phase};
use crate::transport::BoxFuture;

/// Signs where the key is: a KMS, an HSM behind a network. The key never comes here.
pub trait RemoteSigner: Send + Sync + 'static {
    /// RSASSA-PSS over `message` with SHA-256, MGF1 with SHA-256, and a salt of `salt_len` bytes.
    ///
    /// It has the time of one try. It may be asked again for every try, since each has a date of its
    /// own.
    fn sign_pss_sha256<'a>(
        &'a self,
        message: &'a [u8],
        salt_len: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>>;
}

/// Who signs.
#[derive(Clone)]
pub struct Signer(Kind);

#[derive(Clone)]
enum Kind {
    Local(Arc<dyn RequestSigner>),
    Remote(Arc<dyn RemoteSigner>),
}

impl Signer {
    /// Somebody behind a network.
    #[must_use]
    pub fn remote(signer: impl RemoteSigner) -> Self {
        Self(Kind::Remote(Arc::new(signer)))
    }

    /// The signature; a remote signer has `timeout` for it.
    pub(crate) async fn sign(
        &self,
        unsigned: &ToSign,
        timeout: Duration,
    ) -> Result<Vec<u8>, Error> {
        let (message, salt_len) = (unsigned.message(), unsigned.salt_len());
        let signature = match &self.0 {
            Kind::Local(signer) => signer.sign_pss_sha256(message, salt_len),
            Kind::Remote(signer) => {
                let signing = signer.sign_pss_sha256(message, salt_len);
                let late = || SignError::new("the signer did not answer in time");
                tokio::time::timeout(timeout, signing).await.unwrap_or_else(|_| Err(late()))
            }
        };
        signature.map_err(|error| Error::new(ErrorKind::Sign, Phase::NotSent).with_source(error))
    }
}

impl<S: RequestSigner + 'static> From<S> for Signer {
    fn from(signer: S) -> Self {
        Self(Kind::Local(Arc::new(signer)))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Local(_) => "Signer(local)",
            Kind::Remote(_) => "Signer(remote)",
        })
    }
}
