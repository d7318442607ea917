//! A certificate authority made at the start, and the server certificate it signs.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::{Error, ErrorKind};
use crate::ids::Source;

/// As many bits as the keys have that are made without a seed.
const SEEDED_BITS: usize = 2048;

/// What a TLS listener needs, and what its clients must trust.
pub(crate) struct Tls {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) ca_pem: String,
}

/// Makes an authority and a certificate for the names of this machine.
pub(crate) fn generate() -> Result<Tls, Error> {
    let ca_key = KeyPair::generate().map_err(key_error)?;
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    ca.distinguished_name.push(DnType::CommonName, "fps-sandbox authority");
    let ca = CertifiedIssuer::self_signed(ca, ca_key).map_err(key_error)?;

    let key = KeyPair::generate().map_err(key_error)?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut leaf = CertificateParams::new(names).map_err(key_error)?;
    leaf.distinguished_name.push(DnType::CommonName, "fps-sandbox");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = leaf.signed_by(&key, &ca).map_err(key_error)?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key)
        })
        .map_err(|error| Error::with(ErrorKind::Key, error))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Tls { server: Arc::new(server), ca_pem: ca.pem() })
}

/// A new RSA key: its private and its public half as PEM.
pub(crate) fn rsa_key(source: &Source) -> Result<(String, String), Error> {
    let key = new_rsa_key(source)?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

/// A new RSA key and the certificate it signs itself, as PEM, for notifications.
pub(crate) fn notification_key(source: &Source) -> Result<(String, String), Error> {
    let key = new_rsa_key(source)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "fps-sandbox notifications");
    let certificate = params.self_signed(&key).map_err(key_error)?;
    Ok((key.serialize_pem(), certificate.pem()))
}

/// The library of the listener makes keys faster, and cannot be seeded.
fn new_rsa_key(source: &Source) -> Result<KeyPair, Error> {
    let Some(mut stream) = source.fork() else {
        return KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(key_error);
    };
    let key = RsaPrivateKey::new(&mut stream, SEEDED_BITS)
        .map_err(|error| Error::with(ErrorKind::Key, error))?;
    let pem =
        key.to_pkcs8_pem(LineEnding::LF).map_err(|error| Error::with(ErrorKind::Key, error))?;
    KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_RSA_SHA256).map_err(key_error)
}

fn key_error(error: rcgen::Error) -> Error {
    Error::with(ErrorKind::Key, error)
}
