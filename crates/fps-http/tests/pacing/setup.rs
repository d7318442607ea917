//! What the tests with a client share: a signature that costs nothing, a refund, and its answer.

use std::num::NonZeroU32;
use std::time::Duration;

use fps_http::pacing::Rate;
use fps_http::{AmazonPayConfig, Region};
use fps_model::amazon_pay::CreateRefund;
use fps_model::{IdempotencyKey, Timestamp};
use fps_sign::{RequestSigner, SignError};
use refund_rules::{Currency, Money};

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A signature costs nothing here and proves nothing.
pub(crate) struct FreeSigner;

impl RequestSigner for FreeSigner {
    fn sign_pss_sha256(&self, _message: &[u8], salt_len: usize) -> Result<Vec<u8>, SignError> {
        Ok(vec![0; salt_len])
    }
}

pub(crate) fn config() -> AmazonPayConfig {
    AmazonPayConfig::new("LIVE-KEY", FreeSigner, Region::Europe).unwrap()
}

pub(crate) fn start() -> Timestamp {
    Timestamp::parse("2026-11-21T09:24:08.123Z").unwrap()
}

pub(crate) fn create_refund(number: u32) -> CreateRefund {
    let amount = Money::parse("14.00", Currency::EUR).unwrap();
    let key = IdempotencyKey::new(format!("key-{number}")).unwrap();
    CreateRefund::new(key, "S01-5105180-3221187-C056351", amount)
}

pub(crate) const CREATED: &str = r#"{"refundId":"S01-5105180-3221187-R022311",
    "chargeId":"S01-5105180-3221187-C056351","refundAmount":{"amount":"14.00","currencyCode":"EUR"},
    "creationTimestamp":"20261121T092408Z","statusDetails":{"state":"RefundInitiated"}}"#;

pub(crate) fn one_every(seconds: u32) -> Rate {
    Rate::per_second(1).over_seconds(NonZeroU32::new(seconds).unwrap())
}
