//! Sends prepared requests, so many at once, and keeps how long each took; knows no service.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fps_http::{HyperTransport, Transport};
use tokio::runtime::Runtime;

/// How long each request took, and all of them together.
pub(crate) struct Run {
    each: Vec<Duration>,
    all: Duration,
}

impl Run {
    pub(crate) fn per_second(&self) -> f64 {
        self.each.len() as f64 / self.all.as_secs_f64()
    }

    /// In milliseconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.each.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1e3
    }
}

/// Every request must be answered with success.
pub(crate) fn run(
    runtime: &Runtime,
    transport: &HyperTransport,
    requests: Vec<http::Request<Bytes>>,
    at_once: usize,
) -> Run {
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let each = runtime.block_on(async {
        let mut workers = Vec::new();
        for _ in 0..at_once {
            let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
            workers.push(tokio::spawn(work(transport.clone(), requests, next)));
        }
        let mut each = Vec::new();
        for worker in workers {
            each.extend(worker.await.unwrap());
        }
        each
    });
    Run { each, all: begun.elapsed() }
}

async fn work(
    transport: HyperTransport,
    requests: Arc<Vec<http::Request<Bytes>>>,
    next: Arc<AtomicUsize>,
) -> Vec<Duration> {
    let mut each = Vec::new();
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let begun = Instant::now();
        let answer = transport.call(request.clone(), Duration::from_secs(60), 1 << 20).await;
        let answer = answer.unwrap();
        each.push(begun.elapsed());
        let text = String::from_utf8_lossy(answer.body());
        assert!(answer.status().is_success(), "{} {text}", answer.status());
    }
    each
}
