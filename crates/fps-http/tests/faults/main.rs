//! Refunds against a server on loopback that goes wrong in every way that a network and a service can:
//! what one fault means, and what thousands of them add up to. Here is only what both need to send.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

mod server;
mod storm;
mod table;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use fps_http::{
    AmazonPayConfig, BoxFuture, Client, Clock, HyperTransport, Region, Settings, Trust,
};
use fps_model::Timestamp;
use fps_sign::{RequestSigner, SignError};

/// Signs with a hash of the message: other messages, other signatures, and thousands of them in no time.
struct HashSigner;

impl RequestSigner for HashSigner {
    fn sign_pss_sha256(&self, message: &[u8], _salt_len: usize) -> Result<Vec<u8>, SignError> {
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        Ok(hasher.finish().to_be_bytes().to_vec())
    }
}

/// A clock whose date is a second later each time it is read; the rest is another clock's.
#[derive(Clone)]
struct Ticking<C> {
    seconds: Arc<AtomicI64>,
    clock: C,
}

impl<C> Ticking<C> {
    fn new(clock: C) -> Self {
        Self { seconds: Arc::default(), clock }
    }
}

impl<C: Clock> Clock for Ticking<C> {
    fn now(&self) -> Timestamp {
        let start = Timestamp::parse("2026-11-21T09:24:08Z").unwrap().unix_millis();
        let seconds = self.seconds.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_unix_millis(start + seconds * 1000).unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.clock.sleep(duration)
    }
}

/// Somebody to trust, since without that there is no client; reading those of the machine takes longer
/// than the rest of a test.
fn nobody() -> Trust {
    static PEM: LazyLock<String> = LazyLock::new(|| {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem()
    });
    Trust::Only(PEM.clone())
}

/// A client of the server at this address, over real connections.
fn client(url: &str, settings: Settings, clock: impl Clock) -> Client<AmazonPayConfig> {
    let config = AmazonPayConfig::new("SANDBOX-KEY", HashSigner, Region::NorthAmerica).unwrap();
    let config = config.with_endpoint(url).unwrap();
    let settings = settings.with_trust(nobody());
    let transport = HyperTransport::new(&settings).unwrap();
    Client::with_transport(config, settings, transport, clock)
}
