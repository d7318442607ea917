//! The answer to a refund is lost: the service has made it, and the shop does not know. The error says so,
//! the same request with the same key ends the doubt, and the books hold one refund.
//!
//! ```text
//! cargo run -p fps --example lost_answer
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fps::amazon_pay::CreateRefund;
use fps::{AmazonPay, Client, Key, RefundError, RetryPolicy, Settings, Wish};
use fps_http::{
    BoxFuture, HyperTransport, SystemClock, Transport, TransportError, TransportErrorKind,
};
use fps_sandbox::Service;

use crate::world::{Outcome, World, check, usd};

/// The network, which carries every request and loses some answers to POST.
struct Lossy {
    network: HyperTransport,
    to_lose: Arc<AtomicU32>,
}

impl Transport for Lossy {
    fn call(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
        body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let is_post = request.method() == http::Method::POST;
            let answer = self.network.call(request, timeout, body_bytes_max).await?;
            let one_less = |left: u32| left.checked_sub(1);
            let (set, read) = (Ordering::SeqCst, Ordering::SeqCst);
            if is_post && self.to_lose.fetch_update(set, read, one_less).is_ok() {
                return Err(TransportError::new(TransportErrorKind::Timeout));
            }
            Ok(answer)
        })
    }
}

/// A client over it.
fn client(world: &World, settings: Settings, to_lose: &Arc<AtomicU32>) -> Outcome<AmazonPay> {
    let network = HyperTransport::new(&settings)?;
    let lossy = Lossy { network, to_lose: Arc::clone(to_lose) };
    let config = world.amazon_pay_config(world.private_key()?)?;
    Ok(AmazonPay::over(Client::with_transport(config, settings, lossy, SystemClock::new())))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let world = World::start().await?;
    let to_lose = Arc::new(AtomicU32::new(1));
    // One try, so that the doubt is seen. By default the client itself sends the same again.
    let once = world.settings().with_retry(RetryPolicy::once());
    let shop = client(&world, once, &to_lose)?;
    let charge = world.charge().await?;
    let payment = shop.payment(&charge).await?;

    // The request is a value: decide, store it with its key, and only then send it.
    let plan = shop.plan(&payment, &Wish::amount(usd("40.00")?)).into_result()?;
    let key = Key::derive(["order-4711", "line-2", "refund-1"]);
    let stored = CreateRefund::new(key.into(), charge.as_str(), plan.amount());
    match shop.submit(&stored).await {
        Err(RefundError::Call(error)) => {
            println!("{error} (phase {:?})", error.phase());
            check(error.is_unknown(), "the outcome is unknown")?;
        }
        other => check(false, &format!("the answer is lost: {other:?}"))?,
    }
    // The money is on its way all the same: a timeout is not a failure.
    let books = world.refunded(Service::AmazonPay).await?;
    println!("the books say {books}");
    check(books == usd("40.00")?, "the refund was made")?;

    // Do not decide again and do not make a new key: send what was stored.
    let refund = shop.submit(&stored).await?;
    println!("the same again: refund {} is {:?}", refund.id.as_str(), refund.state);
    let again = shop.submit(&stored).await?;
    check(again.id == refund.id, "it is the same refund, however often it is sent")?;

    // The default settings do that within one call, after half a second at most.
    let shop = client(&world, world.settings(), &to_lose)?;
    to_lose.store(1, Ordering::SeqCst);
    let healed = shop.submit(&stored).await?;
    println!("by default, one call is enough: refund {}", healed.id.as_str());
    check(healed.id == refund.id, "it is the same refund by every way")?;
    check(to_lose.load(Ordering::SeqCst) == 0, "an answer was lost again")?;

    let books = world.refunded(Service::AmazonPay).await?;
    println!("the books say {books}");
    check(books == usd("40.00")?, "there is exactly one refund")
}
