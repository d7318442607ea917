//! A key behind a network: asked once for every try, within the time of one, and nothing leaves without it.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fps_http::testing::{ManualClock, ScriptedTransport, Step};
use fps_http::{
    AmazonPayConfig, BoxFuture, Client, Error, ErrorKind, Phase, Region, RemoteSigner, Settings,
    Signer,
};
use fps_model::amazon_pay::GetRefund;
use fps_model::{Answer, Timestamp, amazon_pay};
use fps_sign::{PrivateKey, RequestSigner as _, SignError};

const KEY: &str = include_str!("../../fps-sign/tests/keys/rsa-2048.pkcs8.pem");
const REFUND: &str = r#"{"refundId":"R","chargeId":"C","refundAmount":{"amount":"14.00",
    "currencyCode":"USD"},"creationTimestamp":"20190714T155300Z","statusDetails":{"state":"Refunded"}}"#;

/// What a KMS does when it is asked.
#[derive(Clone, Copy)]
enum Manner {
    Signs,
    Refuses,
    Sleeps,
}

/// Imitates a KMS, and remembers what it was asked to sign.
struct Kms {
    manner: Manner,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl RemoteSigner for Kms {
    fn sign_pss_sha256<'a>(
        &'a self,
        message: &'a [u8],
        salt_len: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        self.asked.lock().unwrap().push(message.to_vec());
        Box::pin(async move {
            tokio::task::yield_now().await;
            match self.manner {
                Manner::Signs => {
                    PrivateKey::from_pem(KEY).unwrap().sign_pss_sha256(message, salt_len)
                }
                Manner::Refuses => Err(SignError::new("access denied")),
                Manner::Sleeps => std::future::pending().await,
            }
        })
    }
}

struct Outcome {
    answer: Result<Answer<amazon_pay::Refund>, Error>,
    asked: Vec<Vec<u8>>,
    sent: Vec<fps_http::testing::Sent>,
}

async fn send(manner: Manner, steps: impl IntoIterator<Item = Step>) -> Outcome {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kms = Signer::remote(Kms { manner, asked: Arc::clone(&asked) });
    let config = AmazonPayConfig::new("SANDBOX-KEY", kms, Region::Europe).unwrap();
    let script = ScriptedTransport::new(steps);
    let clock = ManualClock::new(Timestamp::parse("2026-11-21T09:24:08.123Z").unwrap());
    let second = Duration::from_secs(1);
    let settings = Settings::default().with_timeouts(second, second, 60 * second);
    let client = Client::with_transport(config, settings, script.clone(), clock);
    let answer = client.send(&GetRefund::new("R")).await;
    let asked = asked.lock().unwrap().clone();
    Outcome { answer, asked, sent: script.sent() }
}

#[tokio::test]
async fn each_try_is_signed_by_the_kms_anew() {
    let steps = [Step::RetryAfter(503, 2), Step::Answer(200, REFUND.to_owned())];
    let Outcome { answer, asked, sent } = send(Manner::Signs, steps).await;
    assert_eq!(answer.unwrap().result.refund_id.as_str(), "R");
    assert_eq!((asked.len(), sent.len()), (2, 2));
    assert_ne!(asked[0], asked[1], "each try has its own date");
    for (asked, sent) in asked.iter().zip(&sent) {
        assert!(asked.starts_with(b"AMZN-PAY-RSASSA-PSS-V2\n"));
        let authorization = sent.header("authorization").unwrap();
        assert!(authorization.starts_with("AMZN-PAY-RSASSA-PSS-V2 PublicKeyId=SANDBOX-KEY, "));
    }
}

#[tokio::test]
async fn without_a_signature_nothing_leaves() {
    let Outcome { answer, asked, sent } = send(Manner::Refuses, []).await;
    let error = answer.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Sign, Phase::NotSent));
    assert!(!error.is_unknown());
    assert_eq!((asked.len(), sent.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_kms_that_does_not_answer_has_the_time_of_one_try() {
    let Outcome { answer, sent, .. } = send(Manner::Sleeps, []).await;
    let error = answer.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Sign, Phase::NotSent));
    assert_eq!(sent.len(), 0);
}
