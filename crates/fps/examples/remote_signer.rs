//! The private key stays where it is: a signer behind a network, a KMS say, signs each request, and this
//! process never sees the key. When it refuses, nothing is sent.
//!
//! ```text
//! cargo run -p fps --example remote_signer
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod world;

use fps::{AmazonPay, ErrorKind, Key, Phase, PrivateKey, RefundError, RequestSigner, Wish};
use fps_http::{BoxFuture, RemoteSigner, Signer};
use fps_sandbox::Service;
use fps_sign::SignError;
use tokio::sync::{mpsc, oneshot};

use crate::world::{Outcome, World, check, usd};

/// What is asked of the KMS, and where its answer is waited for.
struct Question {
    message: Vec<u8>,
    salt_len: usize,
    answer: oneshot::Sender<Result<Vec<u8>, SignError>>,
}

/// The client of a KMS. A real one calls the KMS's own library here. It asks for RSASSA-PSS with SHA-256
/// and a salt as long as the digest, 32 bytes, which is what the default algorithm of Amazon Pay takes.
struct Kms(mpsc::Sender<Question>);

impl RemoteSigner for Kms {
    fn sign_pss_sha256<'a>(
        &'a self,
        message: &'a [u8],
        salt_len: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let question = Question { message: message.to_vec(), salt_len, answer };
            self.0.send(question).await.map_err(|_| SignError::new("the KMS is not there"))?;
            answered.await.map_err(SignError::new)?
        })
    }
}

/// The KMS: it has the key, signs so many requests, and refuses the rest. Says how many it was asked for.
async fn kms(key: PrivateKey, mut questions: mpsc::Receiver<Question>, most: u32) -> u32 {
    let mut asked = 0;
    while let Some(Question { message, salt_len, answer }) = questions.recv().await {
        asked += 1;
        let signature = match asked <= most {
            true => key.sign_pss_sha256(&message, salt_len),
            false => Err(SignError::new("access denied")),
        };
        println!("kms: {} bytes, salt of {salt_len}: {}", message.len(), signature.is_ok());
        // Nobody waits any more if the call has timed out.
        drop(answer.send(signature));
    }
    asked
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let world = World::start().await?;
    let (sender, questions) = mpsc::channel(16);
    let kms = tokio::spawn(kms(world.private_key()?, questions, 2));

    let config = world.amazon_pay_config(Signer::remote(Kms(sender)))?;
    let shop = AmazonPay::new(config, &world.settings())?;
    let charge = world.charge().await?;
    let payment = shop.payment(&charge).await?;
    let key = Key::derive(["order-4711", "line-2", "refund-1"]);
    let wish = Wish::amount(usd("40.00")?);
    let (_, refund) = shop.refund(key.into(), &charge, &payment, &wish).await?;
    println!("refund {} is {:?}", refund.id.as_str(), refund.state);

    // The third question is refused. Without a signature nothing leaves, so nothing is in doubt.
    let key = Key::derive(["order-4711", "line-2", "refund-2"]);
    match shop.refund(key.into(), &charge, &payment, &wish).await {
        Err(RefundError::Call(error)) => {
            println!("{error} (phase {:?})", error.phase());
            check(error.kind() == ErrorKind::Sign, "the signer was the reason")?;
            check(error.phase() == Phase::NotSent && !error.is_unknown(), "nothing was sent")?;
        }
        other => check(false, &format!("the KMS refuses: {other:?}"))?,
    }
    let books = world.refunded(Service::AmazonPay).await?;
    check(books == usd("40.00")?, "one refund was made")?;

    drop(shop);
    let asked = kms.await?;
    println!("the KMS was asked {asked} times: once for each try");
    check(asked == 3, "it was asked once for each try")
}
