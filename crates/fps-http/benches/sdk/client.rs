//! The two clients that are written in Rust, each in a process of its own: ours, and the least that any
//! client on the same libraries must do. Nothing is measured here.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaPssSaltLength, RsaSignatureEncoding};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fps_http::{AmazonPayConfig, Client, Region, RetryPolicy, Settings, Trust};
use fps_model::IdempotencyKey;
use fps_model::amazon_pay::CreateRefund;
use fps_sign::PrivateKey;
use fps_sign::amazon_pay::{Algorithm, Request, canonical_request, string_to_sign};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use refund_rules::{Currency, Money};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::files;

/// What a client is told on its command line.
pub(crate) struct Job {
    pub(crate) folder: PathBuf,
    pub(crate) port: String,
    pub(crate) at_once: usize,
    pub(crate) warm_up_calls: usize,
    pub(crate) calls: usize,
}

impl Job {
    fn authority(&self) -> String {
        std::fs::read_to_string(self.folder.join(files::AUTHORITY)).unwrap()
    }

    /// Warms up, waits for a word, makes the calls, and waits to be let go.
    fn drive<F, A>(&self, call: F)
    where
        F: Fn() -> A + Clone + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let word = || std::io::stdin().read_line(&mut String::new()).unwrap();
        runtime.block_on(all(self.warm_up_calls, self.at_once, call.clone()));
        println!("ready");
        word();
        runtime.block_on(all(self.calls, self.at_once, call.clone()));
        println!("done");
        // Until then the connections stay open, and with them the threads of the server.
        word();
        drop(call);
    }
}

async fn all<F, A>(calls: usize, at_once: usize, call: F)
where
    F: Fn() -> A + Clone + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let begun = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..at_once {
        let (begun, call) = (Arc::clone(&begun), call.clone());
        tasks.spawn(async move {
            while begun.fetch_add(1, Ordering::Relaxed) < calls {
                call().await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

/// Our client, as its documentation says.
pub(crate) fn ours(job: &Job) {
    let key = std::fs::read_to_string(job.folder.join(files::KEY)).unwrap();
    let key = PrivateKey::from_pem(&key).unwrap();
    let config = AmazonPayConfig::new(files::KEY_ID, key, Region::NorthAmerica).unwrap();
    let config = config.with_endpoint(&format!("https://localhost:{}", job.port)).unwrap();
    let settings = Settings::default().with_trust(Trust::Only(job.authority()));
    // A failure ends the benchmark instead of being tried again unseen.
    let client = Client::new(config, &settings.with_retry(RetryPolicy::once())).unwrap();
    let numbers = Arc::new(AtomicUsize::new(0));
    job.drive(move || {
        let (client, numbers) = (client.clone(), Arc::clone(&numbers));
        async move {
            let number = numbers.fetch_add(1, Ordering::Relaxed);
            let refund = CreateRefund::new(
                IdempotencyKey::new(format!("{number:032x}")).unwrap(),
                "S01-5105180-3221187-C056351",
                Money::parse("14.00", Currency::USD).unwrap(),
            );
            let answer = client.send(&refund).await.unwrap();
            assert!(!answer.result.refund_id.as_str().is_empty());
        }
    });
}

static PSS: RsaSignatureEncoding =
    RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(32));

/// One request made beforehand, signed anew for each call and sent; the answer is received, not read.
pub(crate) fn floor(job: &Job) {
    let key = PrivatePkcs8KeyDer::from_pem_file(job.folder.join(files::KEY)).unwrap();
    let key = Arc::new(KeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap());
    let host = format!("localhost:{}", job.port);
    let body = "{\"chargeId\":\"S01-5105180-3221187-C056351\",\
                \"refundAmount\":{\"amount\":\"14.00\",\"currencyCode\":\"USD\"}}";
    let headers = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("x-amz-pay-date", "20261121T000000Z"),
        ("x-amz-pay-host", &host),
        ("x-amz-pay-idempotency-key", "00000000000000000000000000000000"),
        ("x-amz-pay-region", "na"),
    ];
    let names = headers.map(|(name, _)| name).join(";");
    let path = "/v2/refunds";
    let signed =
        Request { method: "POST", path, query: &[], headers: &headers, body: body.as_bytes() };
    let text = string_to_sign(Algorithm::V2, &canonical_request(&signed, &names).unwrap());
    let text: Arc<str> = text.into();
    let prefix = format!(
        "{} PublicKeyId={}, SignedHeaders={names}, Signature=",
        Algorithm::V2.as_str(),
        files::KEY_ID
    );
    let prefix: Arc<str> = prefix.into();
    let mut request = http::Request::post(format!("https://{host}{path}"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap();
    let pool = pool(&job.authority());
    job.drive(move || {
        let (key, text, prefix) = (Arc::clone(&key), Arc::clone(&text), Arc::clone(&prefix));
        let (pool, mut request) = (pool.clone(), request.clone());
        async move {
            let mut signature = [0; 256];
            key.sign(&PSS, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
            let mut authorization = String::with_capacity(prefix.len() + 344);
            authorization.push_str(&prefix);
            STANDARD.encode_string(signature, &mut authorization);
            let authorization = HeaderValue::try_from(authorization).unwrap();
            request.headers_mut().insert(AUTHORIZATION, authorization);
            let answer = pool.request(request).await.unwrap();
            assert_eq!(answer.status(), 201);
            answer.into_body().collect().await.unwrap();
        }
    });
}

type Pool = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// With the settings of our transport.
fn pool(authority: &str) -> Pool {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_all_versions()
        .wrap_connector(http);
    legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_timer(TokioTimer::new())
        .build(connector)
}
