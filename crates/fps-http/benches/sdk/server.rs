//! The service in a process of its own: answers every create-refund call with the same refund, as cheaply
//! as it can. It proves the signature of the first request of each connection, and books nothing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use fps_sign::amazon_pay::{Claim, Request};
use fps_sign::{PrivateKey, PublicKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::files;

type Stream = StreamOwned<ServerConnection, TcpStream>;

const REFUND: &str = "{\"refundId\":\"S01-5105180-3221187-R022311\",\
    \"chargeId\":\"S01-5105180-3221187-C056351\",\
    \"refundAmount\":{\"amount\":\"14.00\",\"currencyCode\":\"USD\"},\
    \"softDescriptor\":\"Descriptor\",\"creationTimestamp\":\"20190714T155300Z\",\
    \"statusDetails\":{\"state\":\"RefundInitiated\",\"reasonCode\":null,\
    \"reasonDescription\":null,\"lastUpdatedTimestamp\":\"20190714T155300Z\"},\
    \"releaseEnvironment\":\"Sandbox\"}";

/// Prints its port and serves until nobody holds its input.
pub(crate) fn run(folder: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = tls(folder);
    let key = std::fs::read_to_string(folder.join(files::KEY)).unwrap();
    let key = PrivateKey::from_pem(&key).unwrap().public_key();
    println!("{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (config, key) = (Arc::clone(&config), key.clone());
            std::thread::spawn(move || {
                // A client that goes closes in its own way.
                let _gone = serve(stream?, config, &key);
                std::io::Result::Ok(())
            });
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn tls(folder: &Path) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(folder.join(files::CERTIFICATE)).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join(files::CERTIFICATE_KEY)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, key: &PublicKey) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let answer = format!(
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-amz-pay-request-id: 1c9a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8\r\n\r\n{REFUND}",
        REFUND.len()
    );
    let mut bytes = Vec::with_capacity(8 * 1024);
    let mut proved = false;
    while let Some(head) = receive(&mut stream, &mut bytes)? {
        proved = proved || is_signed(&bytes, head, key);
        if !proved {
            return stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        }
        stream.write_all(answer.as_bytes())?;
        bytes.clear();
    }
    Ok(())
}

/// Reads a whole request and says how long its head is.
fn receive(stream: &mut Stream, bytes: &mut Vec<u8>) -> std::io::Result<Option<usize>> {
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..count]);
        let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&bytes[..head]).map_err(std::io::Error::other)?;
        let length = headers(text)
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.parse::<usize>().ok())
            .ok_or_else(|| std::io::Error::other("a request without a length"))?;
        if bytes.len() >= head + 4 + length {
            return Ok(Some(head));
        }
    }
}

fn headers(head: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = head.split("\r\n").skip(1);
    lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
}

fn is_signed(bytes: &[u8], head: usize, key: &PublicKey) -> bool {
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let headers: Vec<_> = headers(text).collect();
    let body = &bytes[head + 4..];
    let path = "/v2/refunds";
    let request = Request { method: "POST", path, query: &[], headers: &headers, body };
    text.starts_with("POST /v2/refunds HTTP/1.1\r\n")
        && Claim::read(request).is_ok_and(|claim| claim.verify(key).is_ok())
}
