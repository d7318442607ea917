//! Every kind of failure, brought about over a transport that follows a script. What it means is said
//! elsewhere: in the example `errors` and in the guide, whose test uses this too.

use std::error::Error as StdError;

use fps::amazon_pay::CreateRefund;
use fps::{
    AmazonPayConfig, Client, Currency, Error, Key, Money, Operation, Region, RequestSigner,
    RetryPolicy, Settings, Timestamp,
};
use fps_http::TransportErrorKind;
use fps_http::pacing::{Limit, Limits, Pacing, Rate};
use fps_http::testing::{ManualClock, ScriptedTransport, Step};
use fps_sign::SignError;

/// Signs nothing that anybody checks, or nothing at all.
struct Pretender {
    refuses: bool,
}

impl RequestSigner for Pretender {
    fn sign_pss_sha256(&self, _message: &[u8], _salt_len: usize) -> Result<Vec<u8>, SignError> {
        if self.refuses { Err(SignError::new("access denied")) } else { Ok(Vec::new()) }
    }
}

/// A service that refuses, by a rule of its own.
pub(crate) const REFUSED: &str = r#"{"reasonCode":"TransactionAmountExceeded","message":""}"#;

/// Fails in every way there is, each time in one try.
pub(crate) async fn all() -> Result<Vec<Error>, Box<dyn StdError>> {
    let refund = refund()?;
    let unclear = refund.clone().soft_descriptor("more than sixteen bytes");
    let answer = |status, body: &str| Step::Answer(status, body.to_owned());
    let nothing = Limits::none().with(CreateRefund::ACTION, Limit::new(0, Rate::per_second(0)));
    let once = |limits| {
        Settings::default().with_retry(RetryPolicy::once()).with_pacing(Pacing::new(limits))
    };
    let free = || once(Limits::none());
    let mut failures = vec![
        failure(&unclear, false, free(), []).await?,
        failure(&refund, true, free(), []).await?,
        failure(&refund, false, once(nothing), []).await?,
    ];
    let steps = [
        Step::Fail(TransportErrorKind::Connect),
        Step::Fail(TransportErrorKind::Timeout),
        Step::Fail(TransportErrorKind::Interrupted),
        Step::Fail(TransportErrorKind::TooLarge),
        answer(200, "<html>Please log in to the network</html>"),
        answer(403, ""),
        Step::RetryAfter(429, 1),
        answer(500, ""),
        answer(400, REFUSED),
    ];
    for step in steps {
        failures.push(failure(&refund, false, free(), [step]).await?);
    }
    Ok(failures)
}

/// Fails after an answer was lost: the second try of one call is refused.
pub(crate) async fn refused_after_a_lost_answer() -> Result<Error, Box<dyn StdError>> {
    let steps = [Step::Fail(TransportErrorKind::Timeout), Step::Answer(400, REFUSED.to_owned())];
    failure(&refund()?, false, Settings::default(), steps).await
}

fn refund() -> Result<CreateRefund, Box<dyn StdError>> {
    let amount = Money::parse("14.00", Currency::USD)?;
    let key = Key::derive(["order-4711", "line-2", "refund-1"]);
    Ok(CreateRefund::new(key.into(), "S01-5105180-3221187-C056351", amount))
}

async fn failure(
    refund: &CreateRefund,
    refuses: bool,
    settings: Settings,
    steps: impl IntoIterator<Item = Step>,
) -> Result<Error, Box<dyn StdError>> {
    let config = AmazonPayConfig::new("SANDBOX-KEY", Pretender { refuses }, Region::Europe)?;
    let clock = ManualClock::new(Timestamp::parse("2026-11-21T09:24:08Z").ok_or("no date")?);
    let script = ScriptedTransport::new(steps);
    let client = Client::with_transport(config, settings, script, clock);
    match client.send(refund).await {
        Err(error) => Ok(error),
        Ok(_) => Err("a call that was to fail has succeeded".into()),
    }
}
