//! Remembers the last request, so that a refused signature can be explained by what was signed; it is
//! shown to whoever sent it and kept nowhere.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http;
use fps::fps_http::{BoxFuture, HyperTransport, Transport, TransportError};
use fps::fps_sign::explain::Refusal;
use fps::fps_sign::{Target, amazon_pay, parse_form, query};
use fps::{ErrorKind, PublicKey, ServiceRefusal};

/// A transport that remembers the last request.
#[derive(Clone)]
pub(super) struct Recorder {
    transport: Arc<HyperTransport>,
    last: Arc<Mutex<Option<http::Request<Bytes>>>>,
}

/// Without the request, which is signed.
impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    pub(super) fn new(transport: HyperTransport) -> Self {
        Self { transport: Arc::new(transport), last: Arc::default() }
    }

    /// What was signed, if an error says that the signature was refused; and where the service told
    /// of its own side, where the two part.
    pub(super) fn explain(
        &self,
        error: &(dyn Error + 'static),
        key: Option<&PublicKey>,
    ) -> Option<String> {
        let mut cause = Some(error);
        let error = loop {
            match cause?.downcast_ref::<fps::Error>() {
                Some(error) => break error,
                None => cause = cause?.source(),
            }
        };
        const CODES: [&str; 3] =
            ["InvalidRequestSignature", "InvalidSignature", "SignatureDoesNotMatch"];
        let is_of_signature = error.service_code().is_some_and(|code| CODES.contains(&code));
        if error.kind() != ErrorKind::Unauthorized || !is_of_signature {
            return None;
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.as_ref()?;
        match error.refusal()? {
            ServiceRefusal::AmazonPay(refusal) => of_amazon_pay(last, &refusal.message, key),
            ServiceRefusal::FlexiblePayments(_) => of_flexible_payments(last),
        }
    }
}

const SIGNED: &str = "this was signed:";

fn of_amazon_pay(
    sent: &http::Request<Bytes>,
    message: &str,
    key: Option<&PublicKey>,
) -> Option<String> {
    let headers = sent.headers().iter();
    let headers: Vec<_> =
        headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let request = amazon_pay::Request {
        method: sent.method().as_str(),
        path: sent.uri().path(),
        query: &[],
        headers: &headers,
        body: sent.body(),
    };
    let claim = amazon_pay::Claim::read(request).ok()?;
    let canonical = amazon_pay::canonical_request(&request, claim.signed_headers()).ok()?;
    let mut told = format!("{SIGNED}\n{canonical}");
    let explained = Refusal::read(message).and_then(|refusal| match key {
        Some(key) => refusal.explain(&request, key).map(Some),
        None => Ok(None),
    });
    if let Ok(Some(explained)) = explained {
        told.push_str(&format!("\nby what the service told: {explained}"));
    }
    Some(told)
}

/// FPS does not tell what it would have signed.
fn of_flexible_payments(sent: &http::Request<Bytes>) -> Option<String> {
    let address = sent.uri().to_string();
    let target = Target::from_url(sent.method().as_str(), &address)?;
    let form = std::str::from_utf8(sent.body()).ok()?;
    let claim = query::Claim::read(target, parse_form(form).ok()?).ok()?;
    Some(format!("{SIGNED}\n{}", claim.string_to_sign()))
}

impl Transport for Recorder {
    fn call(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
        body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let copy = request.clone();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        self.transport.call(request, timeout, body_bytes_max)
    }
}
